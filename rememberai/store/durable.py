"""Writes that survive a loss of power: data is synced before the name that publishes it."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; Windows has no such call and does it by itself."""
    if os.name != "nt":
        sync_file(folder)


def sync_file(path: Path) -> None:
    """Flush a file's content to disk; Windows wants it open for writing."""
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file so that a reader finds the old bytes or the new ones, whatever happens."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
