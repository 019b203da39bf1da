"""Writes that survive a loss of power: data is synced before the name that publishes it."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    _sync(folder)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file so that a reader finds the old bytes or the new ones, whatever happens."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_tree(root: Path, known: set[tuple[str, int, int]]) -> None:
    """Flush every file below root that `known` has not in its present state, and all folders.

    Parameters
    ----------
    known
        Path, time and size of each file that was flushed before; it is brought up to date.
    """
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):  # another writer's draft, renamed since
                state = path.stat()
                key = (str(path), state.st_mtime_ns, state.st_size)
                if key not in known:
                    _sync(path)
                    known.add(key)
        sync_folder(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
