"""RememberAI gives each photo words and finds the events of a life.

Every public name is imported when it is first used, so `import rememberai` loads no model library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rememberai._version import __version__
from rememberai.errors import (
    ImageError,
    InputError,
    LanguageWarning,
    MissingExtraError,
    ModelError,
    ModelMismatchError,
    RememberAIError,
    RememberAIWarning,
    StoreError,
)

if TYPE_CHECKING:
    from rememberai.captioners import LabelCaptioner, TransformersCaptioner
    from rememberai.embedders import (
        EfficientNetEmbedder,
        ImageTextEmbedder,
        SentenceEmbedder,
        UniversalEmbedder,
        load_embedder,
        load_image_embedder,
    )
    from rememberai.events import AlbumClusterer, EventAssigner, EventPrototypes
    from rememberai.index import VectorIndex
    from rememberai.photos import Album
    from rememberai.pipeline import RememberAI
    from rememberai.report import EventMap
    from rememberai.store import MemoryStore

_HOME = {
    "Album": "rememberai.photos",
    "AlbumClusterer": "rememberai.events",
    "EfficientNetEmbedder": "rememberai.embedders",
    "EventAssigner": "rememberai.events",
    "EventMap": "rememberai.report",
    "EventPrototypes": "rememberai.events",
    "ImageTextEmbedder": "rememberai.embedders",
    "LabelCaptioner": "rememberai.captioners",
    "MemoryStore": "rememberai.store",
    "RememberAI": "rememberai.pipeline",
    "SentenceEmbedder": "rememberai.embedders",
    "TransformersCaptioner": "rememberai.captioners",
    "UniversalEmbedder": "rememberai.embedders",
    "VectorIndex": "rememberai.index",
    "load_embedder": "rememberai.embedders",
    "load_image_embedder": "rememberai.embedders",
}

__all__ = [
    "Album",
    "AlbumClusterer",
    "EfficientNetEmbedder",
    "EventAssigner",
    "EventMap",
    "EventPrototypes",
    "ImageError",
    "ImageTextEmbedder",
    "InputError",
    "LabelCaptioner",
    "LanguageWarning",
    "MemoryStore",
    "MissingExtraError",
    "ModelError",
    "ModelMismatchError",
    "RememberAI",
    "RememberAIError",
    "RememberAIWarning",
    "SentenceEmbedder",
    "StoreError",
    "TransformersCaptioner",
    "UniversalEmbedder",
    "VectorIndex",
    "__version__",
    "load_embedder",
    "load_image_embedder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
