"""Stores of earlier formats are brought to this one when they are opened; nothing is dropped."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from rememberai._version import __version__
from rememberai.store.lance_errors import lance_errors
from rememberai.store.manifest import FORMAT, Manifest, read_manifest
from rememberai.store.schema import table_schema

if TYPE_CHECKING:
    from rememberai.store.files import Files

_log = logging.getLogger(__name__)
NEW_IN: dict[int, tuple[str, ...]] = {
    2: ("event_given", "event_assigned", "event_confidence", "outcome"),
    3: ("caption_confidence", "caption_seconds"),
}


def upgrade(files: Files) -> Manifest:
    """Bring a store of an earlier format to this one: columns of nulls, and a seal for each file.

    store.json is replaced last. A crash before that leaves a store of the earlier format with
    columns that are not needed yet; the next opening goes on from there.
    """
    with lance_errors(files.table), files.lock():
        manifest = read_manifest(files)
        if manifest.format == FORMAT:  # another process was faster
            return manifest
        dataset = files.newest(manifest.version)
        there = dataset.schema.names
        wanted = table_schema(manifest.models[manifest.active].dimension)
        missing = [wanted.field(name) for name in new_since(manifest.format) if name not in there]
        if missing:
            dataset.add_columns(pa.schema(missing))
        manifest = replace(
            manifest,
            format=FORMAT,
            rememberai=__version__,
            version=files.publish(dataset),
        )
        manifest.write(files)
    _log.info("%s was brought to format %d", files.place, FORMAT)
    return manifest


def new_since(earlier: int) -> tuple[str, ...]:
    """Name the columns that a format has and an earlier one lacks."""
    return tuple(name for known, names in NEW_IN.items() if known > earlier for name in names)
