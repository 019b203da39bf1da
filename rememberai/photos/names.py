"""Names of files as people and systems write them: in either case, composed or decomposed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable


def folded(name: str) -> str:
    """Give what names have in common that differ in case or composition (é as one sign or two)."""
    return normalize("NFD", normalize("NFD", name).casefold())


class Names:
    """Names that can be found however they are written, as long as only one can be meant."""

    def __init__(self, names: Iterable[str]) -> None:
        self._like: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._like[folded(name)].append(name)

    def find(self, wanted: str) -> str | None:
        """Give the name as it was given, else composed otherwise, else in another case; or None."""
        like = self._like.get(folded(wanted), [])
        same = [name for name in like if normalize("NFC", name) == normalize("NFC", wanted)]
        if wanted in same:
            return wanted
        found = same or like
        return found[0] if len(found) == 1 else None
