"""Writes that survive a loss of power: data is synced before the name that publishes it."""

from __future__ import annotations

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


def sync_new_files(root: Path, known: set[Path]) -> None:
    """Flush every file below root that is not in `known`, and the folders; then know them all."""
    for folder, _, names in os.walk(root):
        new = {path for name in names if (path := Path(folder, name)) not in known}
        for path in new:
            _sync(path)
        if new:
            sync_folder(Path(folder))
        known |= new


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
