"""What people look at: the map of photos, plots, the page, and the page live."""

from __future__ import annotations

from rememberai.report.album import write_report
from rememberai.report.event_map import EventMap
from rememberai.report.photo_map import PhotoMap, store_map
from rememberai.report.serving import serve

__all__ = ["EventMap", "PhotoMap", "serve", "store_map", "write_report"]
