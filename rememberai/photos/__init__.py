"""Photos: picture files and words alone, gathered into albums."""

from __future__ import annotations

from rememberai.photos.album import Album
from rememberai.photos.bursts import Burst, find_bursts
from rememberai.photos.images import open_image, open_scaled

__all__ = ["Album", "Burst", "find_bursts", "open_image", "open_scaled"]
