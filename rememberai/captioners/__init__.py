"""Pictures in, words out."""

from __future__ import annotations

from rememberai.captioners.base import Captioner, describe, source_of
from rememberai.captioners.labels import LabelCaptioner
from rememberai.captioners.transformers import TransformersCaptioner

__all__ = ["Captioner", "LabelCaptioner", "TransformersCaptioner", "describe", "source_of"]
