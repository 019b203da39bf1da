"""Texts and pictures in, vectors out: the embedders and the models that they know."""

from __future__ import annotations

from rememberai.embedders.base import Embedder, ImageEmbedder
from rememberai.embedders.efficientnet import EfficientNetEmbedder
from rememberai.embedders.images import ImageTextEmbedder
from rememberai.embedders.models import MODELS, ModelInfo
from rememberai.embedders.sentence import SentenceEmbedder
from rememberai.embedders.universal import UniversalEmbedder

__all__ = [
    "MODELS",
    "EfficientNetEmbedder",
    "Embedder",
    "ImageEmbedder",
    "ImageTextEmbedder",
    "ModelInfo",
    "SentenceEmbedder",
    "UniversalEmbedder",
    "load_embedder",
    "load_image_embedder",
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


def load_image_embedder(name: str, *, offline: bool = False) -> ImageEmbedder:
    """Give the image embedder of a name.

    Nothing is loaded yet. With `offline` the hub is never asked.

    Parameters
    ----------
    name
        ``"efficientnet-lite0"``; or a folder with a CLIP or SigLIP model, or a repository on the
        hub.

    Raises
    ------
    ModelError
        The model can't be found.
    MissingExtraError
        The package that ships EfficientNet is not installed.
    """
    if name == "efficientnet-lite0":
        return EfficientNetEmbedder()
    return ImageTextEmbedder(name, offline=offline)
