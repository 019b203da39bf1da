"""Pictures in, words out."""

from __future__ import annotations

from rememberai.captioners.base import Captioner
from rememberai.captioners.transformers import TransformersCaptioner

__all__ = ["Captioner", "TransformersCaptioner"]
