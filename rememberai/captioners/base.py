"""What every captioner is, what it gives, and which captions say anything."""

from __future__ import annotations

import re
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rememberai.errors import InputError
from rememberai.photos.text import clean
from rememberai.records import Caption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from rememberai.records import TextSource

_SAME_LETTERS = re.compile(r"([^\W\d_]{1,4})\1{7}")
_PICTURE = r"(images?|pictures?|photos?|photographs?)"
_DOES = r"(see|view|help|assist|describe|identify|provide|determine|recogni[sz]e|comment)"
_REFUSAL = re.compile(
    r"(unfortunately,? )?("
    r"(i['’]?m|i am) (very |so |really )?(sorry|afraid|unable|not (able|allowed|comfortable))\b"
    r"|(sorry|(my )?apologies|i apologi[sz]e)\b[,.]? (but |i )"
    r"|(as|(i['’]?m|i am)( just| only)?) an? (ai|artificial|language)\b"
    rf"|i (can ?not|can['’]?t|could ?n['’]?t|won['’]?t|will not|must decline to) {_DOES}\b"
    r"|i (do not|don['’]?t) (see|have (access|the ability))"
    rf"|(unable to|can ?not|can['’]?t) {_DOES} (the|this|that|any|an?) {_PICTURE}\b"
    rf"|(there (is|was) )?no {_PICTURE} ((is|was|has been) )?(provided|uploaded|attached)\b"
    rf"|please (provide|upload|attach|share) (the|an?|your) {_PICTURE}\b"
    r"|(it (seems|looks|appears)( that| like)? )?you (have ?n['’]?t|have not|did ?n['’]?t|did not) "
    r"(upload|provide|attach|share)"
    r")",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\W*(n/?a|none|null|unk|unknown)\W*", re.IGNORECASE)


@runtime_checkable
class Captioner(Protocol):
    """Describes pictures in words; any object with these two members is one.

    One that only names what it sees says so with an attribute ``text_source = "label"``. One that
    has a `side`, as `ImageEmbedder` may have, gets large pictures decoded smaller.
    """

    @property
    def model_id(self) -> str:
        """Name and revision; two captioners of one id say the same of a picture."""
        ...

    def caption(self, images: Sequence[Image]) -> Sequence[str | Caption]:
        """Describe pictures.

        Returns
        -------
        sequence, length n
            Item i belongs to picture i: a `Caption`, or its text alone; ``""`` where the model said
            nothing usable.
        """
        ...


def describe(captioner: Captioner, images: Sequence[Image]) -> list[Caption]:
    """Describe pictures by any captioner; what says nothing comes without a text.

    Raises
    ------
    InputError
        The captioner does not give a text or a `Caption` for each picture.
    """
    begun = perf_counter()
    given = captioner.caption(images)
    seconds = (perf_counter() - begun) / max(len(images), 1)
    if (
        not isinstance(given, list | tuple)
        or len(given) != len(images)
        or not all(isinstance(caption, str | Caption) for caption in given)
    ):
        raise InputError(
            f"the captioner {captioner.model_id!r} must return a list with one str or Caption a "
            f"picture; for {len(images)} pictures came {given!r:.100}"
        )
    return [
        checked(
            Caption(caption, captioner.model_id, seconds=seconds)
            if isinstance(caption, str)
            else caption
        )
        for caption in given
    ]


def source_of(captioner: Captioner) -> TextSource:
    """Tell what a captioner writes: captions, or labels only."""
    source: TextSource = getattr(captioner, "text_source", "caption")
    return source


def checked(caption: Caption) -> Caption:
    """Tidy the white space of a caption; take away a text that says nothing, and say why."""
    text = " ".join(clean(caption.text).split())
    reason = caption.reason or why_unusable(text)
    if reason:
        return replace(caption, text="", confidence=None, reason=reason)
    return replace(caption, text=text)


def why_unusable(text: str) -> str:
    """Say why a text is no caption, or ``""``.

    It has no word but "none" or "unknown", is a chat model's refusal, or goes in circles: a word
    four times in a row ("a a a a"), a phrase three times in a row, or a few letters eight times.
    """
    if not any(letter.isalnum() for letter in text) or _NOTHING.fullmatch(text):
        return "the captioner said nothing usable about it"
    if _REFUSAL.match(text):
        return f"the captioner refused: {text:.80}"
    if _SAME_LETTERS.search(text) or _repeats(text.split()):
        return f"the captioner went in circles: {text:.80}"
    return ""


def _repeats(words: list[str]) -> bool:
    for length in range(1, len(words) // 3 + 1):
        times = 4 if length == 1 else 3
        span = length * times
        for start in range(len(words) - span + 1):
            phrase = words[start : start + length]
            if phrase * times == words[start : start + span]:
                return True
    return False
