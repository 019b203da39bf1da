"""What every captioner is, and which captions say anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


@runtime_checkable
class Captioner(Protocol):
    """Describes pictures in words; any object with these two members is one."""

    @property
    def model_id(self) -> str:
        """Name and revision; two captioners of one id say the same of a picture."""
        ...

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Describe pictures.

        Returns
        -------
        list of str, length n
            Text i belongs to picture i; ``""`` where the model said nothing usable.
        """
        ...


def usable(text: str) -> str:
    """Tidy a caption's white space; give ``""`` for one without a word or that goes in circles.

    In circles means a word four times in a row ("a a a a"), or a phrase three times in a row.
    """
    words = text.split()
    if not any(letter.isalnum() for letter in text):
        return ""
    for length in range(1, len(words) // 3 + 1):
        times = 4 if length == 1 else 3
        span = length * times
        for start in range(len(words) - span + 1):
            phrase = words[start : start + length]
            if phrase * times == words[start : start + span]:
                return ""
    return " ".join(words)
