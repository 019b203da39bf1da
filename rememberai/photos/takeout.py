"""Google Takeout's JSON sidecars: which file belongs to which photo, and what it says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from rememberai.photos.folders import find_beside
from rememberai.photos.names import folded
from rememberai.photos.places import valid_place
from rememberai.photos.times import from_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from rememberai.records import Place

_SUFFIX = ".supplemental-metadata"
_MAX_BASE = 51 - len(".json")
_NUMBERED = re.compile(r"(.+)(\(\d+\))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a Takeout sidecar says about its photo.

    Attributes
    ----------
    taken
        In UTC, without a time zone.
    problem
        Why it can't be read, or empty.
    """

    title: str = ""
    description: str = ""
    taken: datetime | None = None
    place: Place | None = None
    problem: str = ""


def sidecar_names(photo: str) -> Iterator[str]:
    """List the names that Takeout may have given to a photo's sidecar, the likeliest first.

    Takeout appends ``.json`` or ``.supplemental-metadata.json`` to the photo's name, cuts what
    stands before ``.json`` to 46 characters, and only then appends a number: the sidecar of
    ``IMG(1).jpg`` is ``IMG.jpg(1).json``. An edited photo shares the sidecar of its original.
    """
    for written in dict.fromkeys((photo, normalize("NFC", photo))):  # as it was before unpacking
        yield from _named(written)


def _named(photo: str) -> Iterator[str]:
    yield from _with_suffixes(photo, "")
    path = PurePosixPath(photo)
    numbered = _NUMBERED.fullmatch(path.stem)
    stem, number = numbered.groups() if numbered else (path.stem, "")
    if number:
        yield from _with_suffixes(stem + path.suffix, number)
    if stem.endswith("-edited"):
        yield from _with_suffixes(stem.removesuffix("-edited") + path.suffix, number)


def _with_suffixes(photo: str, number: str) -> Iterator[str]:
    for end in range(len(_SUFFIX), -1, -1):
        yield f"{photo}{_SUFFIX[:end]}{number}.json"
    if len(photo) > _MAX_BASE:
        yield f"{photo[:_MAX_BASE]}{number}.json"


def find_sidecar(
    photo: str, files: dict[str, set[str]], folder: Path
) -> tuple[str, Sidecar] | None:
    """Find a photo's sidecar among the files of its folder, and read it."""
    for wanted in sidecar_names(photo):
        name = find_beside(photo, wanted, files)
        if name is not None:
            sidecar = read_sidecar(folder / name)
            if _fits(sidecar, photo, name):
                return name, sidecar
    return None


def read_sidecar(path: Path) -> Sidecar:
    """Read a sidecar; fields that are absent or of another kind count as empty."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        return Sidecar(problem=f"the sidecar {path.name} can't be read ({error}); ignored")
    if not isinstance(data, dict):
        return Sidecar(problem=f"the sidecar {path.name} is no JSON object; ignored")
    seconds = _table(data, "photoTakenTime").get("timestamp")
    geo = _table(data, "geoData")
    return Sidecar(
        title=_string(data, "title"),
        description=_string(data, "description"),
        taken=None if seconds in (None, 0, "0") else from_timestamp(seconds),
        place=valid_place(geo.get("latitude"), geo.get("longitude")),
    )


def _fits(sidecar: Sidecar, photo: str, name: str) -> bool:
    """Tell photos apart whose long names were cut to the same sidecar name, by the title."""
    stem = PurePosixPath(photo).stem
    if folded(name).startswith(folded(stem)) or len(stem) < _MAX_BASE or not sidecar.title:
        return True
    original = _NUMBERED.sub(r"\1", stem).removesuffix("-edited")
    return _letters(sidecar.title).startswith(_letters(original))


def _letters(name: str) -> str:
    # Takeout replaces signs in file names.
    return "".join(c for c in folded(name) if c.isalnum())


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _string(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
