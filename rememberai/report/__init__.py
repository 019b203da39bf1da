"""What people look at: the map of photos, and plots."""

from __future__ import annotations

from rememberai.report.event_map import EventMap
from rememberai.report.photo_map import PhotoMap, store_map

__all__ = ["EventMap", "PhotoMap", "store_map"]
