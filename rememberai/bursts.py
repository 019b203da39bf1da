"""Stored photos that are nearly the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rememberai.photos import find_bursts
from rememberai.records import PhotoBurst

if TYPE_CHECKING:
    from rememberai.records import Progress
    from rememberai.store import MemoryStore

_COLUMNS = ["photo_id", "path", "taken", "taken_confidence"]
_BY_THE_CLOCK = ("offset", "local")


def photo_bursts(store: MemoryStore, progress: Progress) -> tuple[PhotoBurst, ...]:
    """Group the photos that are nearly the same, the largest groups first.

    A time that is not of the camera's own clock parts no photos.
    """
    rows = store.read(_COLUMNS, where="path IS NOT NULL").to_pylist()
    times = [row["taken"] if row["taken_confidence"] in _BY_THE_CLOCK else None for row in rows]
    found = find_bursts(
        [row["path"] for row in rows], times, progress=partial(progress, "comparing")
    )
    bursts = [
        PhotoBurst(rows[burst.face]["photo_id"], tuple(rows[i]["photo_id"] for i in burst.members))
        for burst in found
        if len(burst.members) > 1
    ]
    return tuple(sorted(bursts, key=lambda burst: (-len(burst.photo_ids), burst.photo_ids)))
