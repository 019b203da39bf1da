"""Tells when texts are written in a script that a model never learnt."""

from __future__ import annotations

import unicodedata
import warnings
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from rememberai.embedders.models import MODELS
from rememberai.errors import LanguageWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rememberai.embedders.models import ModelInfo

# By language, the first words of the Unicode names of its letters; a language not here is Latin.
_SCRIPTS = {
    "ar": ("ARABIC",),
    "bg": ("CYRILLIC",),
    "el": ("GREEK",),
    "fa": ("ARABIC",),
    "gu": ("GUJARATI",),
    "he": ("HEBREW",),
    "hi": ("DEVANAGARI",),
    "hy": ("ARMENIAN",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA"),
    "ka": ("GEORGIAN",),
    "ko": ("HANGUL", "CJK"),
    "mk": ("CYRILLIC",),
    "mn": ("CYRILLIC",),
    "mr": ("DEVANAGARI",),
    "my": ("MYANMAR",),
    "ru": ("CYRILLIC",),
    "sr": ("CYRILLIC", "LATIN"),
    "th": ("THAI",),
    "uk": ("CYRILLIC",),
    "ur": ("ARABIC",),
    "zh": ("CJK",),
}
_SHOWN = {"CJK": "Han"}


class LanguageWatch:
    """Warns once when texts are in a script that the model does not know.

    Parameters
    ----------
    model
        The model; None for one whose languages nobody wrote down, which is never warned about.
    """

    def __init__(self, model: ModelInfo | None) -> None:
        self._model = model
        self._known = scripts_of(model.languages) if model else frozenset[str]()

    def check(self, texts: Sequence[str]) -> None:
        """Warn with LanguageWarning, the first time that a text's letters are mostly unknown."""
        if self._model is None:
            return
        foreign = Counter(filter(None, (foreign_script(text, self._known) for text in texts)))
        if foreign:
            message = _message(self._model, foreign, len(texts))
            self._model = None
            warnings.warn(message, LanguageWarning, stacklevel=3)


def scripts_of(languages: Iterable[str]) -> frozenset[str]:
    """Name the scripts that these languages (ISO 639-1) are written in."""
    return frozenset(script for code in languages for script in _SCRIPTS.get(code, ("LATIN",)))


def foreign_script(text: str, known: frozenset[str]) -> str | None:
    """Name the script of most letters of a text, where most of them are in no known script."""
    if text.isascii():
        return None
    letters: Counter[str] = Counter()
    # NFKC first, so that full-width and ornamental letters count as what they are.
    for letter, count in Counter(unicodedata.normalize("NFKC", text)).items():
        if letter.isalpha():
            letters[_script(letter)] += count
    foreign = Counter({script: n for script, n in letters.items() if script not in known})
    if 2 * foreign.total() <= letters.total():
        return None
    return foreign.most_common(1)[0][0]


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    # The long-vowel mark of Japanese is named KATAKANA-HIRAGANA.
    return unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]


def _message(model: ModelInfo, foreign: Counter[str], n_texts: int) -> str:
    scripts = " and ".join(_SHOWN.get(s, s.title()) for s, _ in foreign.most_common(3))
    message = (
        f"{foreign.total()} of {n_texts} texts are in {scripts}, which the model {model.name!r} "
        "does not know: their places will be poor."
    )
    for other in MODELS.values():
        if foreign.keys() <= scripts_of(other.languages):
            return (
                f"{message} Make the store with embedder={other.name!r}, or let it go over to that "
                f"model (in a shell: rememberai reembed STORE {other.name})."
            )
    return message
