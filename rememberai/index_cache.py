"""The index beside a store: a cache, caught up or built anew, so that it always fits the table."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import prepare
from rememberai.errors import StoreError
from rememberai.store.artifacts import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rememberai.index import VectorIndex
    from rememberai.store import MemoryStore

_log = logging.getLogger(__name__)
FOLDER = "index"
_ROWS = "rows.table"  # what the index was made of: see `MemoryStore.vector_places`
_STAMP, _VERSION = b"stamp", b"version"
_LARGE_PART = 0.3  # when more of the rows changed than this, building anew is no slower
_AT_ONCE = 4096  # ids in a condition
_FEW = 1024  # rows that are normalised at once, in a cache of the processor
_MANY = 16_384  # rows that are compared at once: each time all ids are looked through


def cached_index(store: MemoryStore) -> VectorIndex:
    """Give the index of what a store reads now.

    Kept on disk beside the store, it is loaded when it is of this very content, caught up when few
    rows changed since, and built from the table otherwise.
    """
    from rememberai.index import VectorIndex

    folder, stamp = store.path / folder_of(store), store.stamp
    try:
        return VectorIndex.load(folder, model_id=store.model_id, built_from=stamp)
    except StoreError as error:
        _log.info("the index is not of this version: %s", error)
    return _caught_up(store, folder) or _built(store, folder)


def folder_of(store: MemoryStore) -> str:
    """Name the folder of the index: one for words, and one for each column of pictures."""
    column = store.vector_column
    return FOLDER if store.models[column].of == "text" else f"{FOLDER}-{column}"


def index_files(store: MemoryStore) -> Iterator[Path]:
    """List the files of all indexes kept beside a store."""
    for folder in {store.path / FOLDER, *store.path.glob(f"{FOLDER}-*")}:
        yield from (file for file in folder.rglob("*") if file.is_file())


def _built(store: MemoryStore, folder: Path) -> VectorIndex:
    """Build an index anew, on disk if that can be."""
    from rememberai.index import VectorIndex

    _log.info("the index is built from the table")
    seen: list[pa.RecordBatch] = []

    def batches() -> Iterator[tuple[pa.Array, NDArray[np.float32]]]:
        seen.clear()
        for places, vectors in store.vector_batches(_FEW):
            seen.append(places)
            yield places["photo_id"], vectors

    with _kept_if_possible(folder):
        index = VectorIndex.build(
            folder,
            store.dimension,
            batches(),
            metric=store.metric,
            model_id=store.model_id,
            built_from=store.stamp,
        )
        rows = pa.Table.from_batches(seen) if seen else store.vector_places()
        _write_rows(folder / _ROWS, rows, store)
        return index
    index = VectorIndex(store.dimension, metric=store.metric)
    for ids, vectors in batches():
        index.add(ids, vectors)
    return index


def _caught_up(store: MemoryStore, folder: Path) -> VectorIndex | None:
    """Bring the index on disk to these rows; None when it can't be used, or too much changed."""
    from rememberai.index import VectorIndex

    try:
        before = unpacked((folder / _ROWS).read_bytes(), str(folder / _ROWS))
        said = before.schema.metadata or {}
        stamp, version = said[_STAMP].decode(), int(said[_VERSION])
        index = VectorIndex.load(folder, model_id=store.model_id, built_from=stamp)
    except (StoreError, OSError, KeyError, ValueError) as error:
        _log.info("the index on disk can't be used: %s", error)
        return None
    if (index.dimension, index.metric, len(index)) != (store.dimension, store.metric, len(before)):
        return None
    now = store.vector_places()
    gone = before.filter(pc.invert(pc.is_in(before["photo_id"], value_set=now["photo_id"])))
    place = pc.index_in(now["photo_id"], value_set=before["photo_id"])
    same = pc.and_(
        *(pc.equal(before[name].take(place), now[name]) for name in ("updated", "_rowaddr"))
    )
    changed = now.filter(pc.invert(pc.fill_null(same, False)))["photo_id"].to_pylist()
    if of_another_time := store.stamp_at(version) != stamp:  # as beside a backup that was put back
        changed = now["photo_id"].to_pylist()
    if of_another_time or len(changed) > _AT_ONCE:
        changed = _unlike(store, index, before["photo_id"], changed)
    index.remove(gone["photo_id"].to_pylist())
    if len(changed) > _LARGE_PART * len(now):
        return None
    for some in _parts(changed):
        index.upsert(*store.vectors(some))
    if len(index) != len(now):
        return None
    with _kept_if_possible(folder):
        index.save(folder, model_id=store.model_id, built_from=store.stamp)
        _write_rows(folder / _ROWS, now, store)
    return index


@contextlib.contextmanager
def _kept_if_possible(folder: Path) -> Iterator[None]:
    """Go on where nothing can be written, or stays there: that costs time, not answers."""
    try:
        yield
    except (OSError, StoreError) as error:
        _log.warning("the index can't be kept in %s: %s", folder, error)


def _unlike(
    store: MemoryStore, index: VectorIndex, held: pa.ChunkedArray, changed: list[str]
) -> list[str]:
    """Name those whose vector is not the one that the index holds: not all that changed have one.

    `compact` moves rows, and events are written beside the words.
    """
    unlike: list[str] = []
    wanted = pa.array(changed)
    for places, vectors in store.vector_batches(_MANY):
        some = pc.is_in(places["photo_id"], value_set=wanted)
        known = pc.and_(some, pc.is_in(places["photo_id"], value_set=held))
        came = prepare(vectors[known.to_numpy(zero_copy_only=False)], store.metric)
        ids = places["photo_id"].filter(known)
        other = (came != index.reconstruct(ids)).any(axis=1)
        unlike += places["photo_id"].filter(pc.and_not(some, known)).to_pylist()
        unlike += ids.filter(pa.array(other)).to_pylist()
    return unlike


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _write_rows(path: Path, rows: pa.Table, store: MemoryStore) -> None:
    draft = path.with_suffix(".draft")
    said = {_STAMP: store.stamp.encode(), _VERSION: str(store.version).encode()}
    draft.write_bytes(packed(rows.replace_schema_metadata(said)))
    draft.replace(path)
