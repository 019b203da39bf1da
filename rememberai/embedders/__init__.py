"""Text in, vectors out: the embedders and the models that they know."""

from __future__ import annotations

from rememberai.embedders.base import Embedder
from rememberai.embedders.models import MODELS, ModelInfo
from rememberai.embedders.sentence import SentenceEmbedder
from rememberai.embedders.universal import UniversalEmbedder

__all__ = [
    "MODELS",
    "Embedder",
    "ModelInfo",
    "SentenceEmbedder",
    "UniversalEmbedder",
    "load_embedder",
]


def load_embedder(name: str, *, offline: bool = False) -> Embedder:
    """Give the embedder of a name in `MODELS`, of a model folder, or of a repository on the hub.

    Nothing is loaded yet. With `offline` the hub is never asked.

    Raises
    ------
    ModelError
        The model can't be found.
    """
    if name == "use-multilingual":
        return UniversalEmbedder()
    return SentenceEmbedder(name, offline=offline)
