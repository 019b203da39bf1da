"""The index beside a store: a cache, used only for the very content that it was built from."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import pyarrow as pa

from rememberai.errors import StoreError

if TYPE_CHECKING:
    from rememberai.index import VectorIndex
    from rememberai.store import MemoryStore

_log = logging.getLogger(__name__)


def cached_index(store: MemoryStore) -> VectorIndex:
    """Give the index of a store's version, from its cache or built anew and kept there."""
    from rememberai.index import VectorIndex

    folder = store.path / "index"
    stamp = f"{store.model_id} {_content(store)}"
    try:
        return VectorIndex.load(folder, model_id=stamp, built_from=store.version)
    except StoreError as error:
        _log.info("the index is built from the table: %s", error)
    index = VectorIndex(store.dimension, metric=store.metric)
    index.add(*store.vectors())
    try:
        index.save(folder, model_id=stamp, built_from=store.version)
    except OSError as error:  # a cache that can't be kept costs time, not answers
        _log.warning("the index can't be kept in %s: %s", folder, error)
    return index


def _content(store: MemoryStore) -> str:
    """Hash when each photo was written; two histories of a store can have the same version."""
    table = store.read(["updated"]).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return hashlib.blake2b(sink.getvalue(), digest_size=16).hexdigest()
