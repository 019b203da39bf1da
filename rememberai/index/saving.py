"""Snapshots into folders and back; what already lies there is not written again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rememberai._faiss import import_faiss
from rememberai._version import __version__
from rememberai.errors import StoreError
from rememberai.index._files import ADVICE, Folder, entries
from rememberai.index.ids import Ids, check_distinct, check_same_type, checked_pairs
from rememberai.index.lists import Lists
from rememberai.index.rows import Rows
from rememberai.index.sketch import Sketch
from rememberai.index.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from rememberai.index._files import Entry, Manifest
    from rememberai.index.ids import IdsLike
    from rememberai.records import Metric

_TYPES = {
    ("ivf", None): "IndexIVFFlat",
    ("ivf", "sq8"): "IndexIVFScalarQuantizer",
    ("ivf", "pq"): "IndexIVFPQFastScan",
    ("ivf", "rabitq"): "IndexPreTransform",
    ("hnsw", None): "IndexHNSWFlat",
    ("hnsw", "sq8"): "IndexHNSWSQ",
}


@dataclass(frozen=True)
class Saved:
    """What a folder holds of the rows of an index.

    Attributes
    ----------
    manifest
        As it was published or read.
    snapshot
        What it tells of.
    """

    folder: Folder
    manifest: Manifest
    snapshot: Snapshot


def save(folder: Folder, snapshot: Snapshot, fields: Manifest, before: Saved | None) -> Saved:
    """Write what a folder does not hold yet.

    Parameters
    ----------
    fields
        More of the manifest.
    before
        What was saved of the first of these rows, wherever it lies.
    """
    with folder.locked():
        kept = before if before is not None and _is_there(before, folder) else None
        dead = snapshot.dead
        manifest = folder.publish(
            {
                "rememberai": __version__,
                "faiss": import_faiss().__version__,
                "numpy": np.__version__,
                "pyarrow": pa.__version__,
                "metric": snapshot.metric,
                "dimension": snapshot.rows.dimension,
                "count": len(snapshot),
                **fields,
                "segments": _save_segments(folder, snapshot, kept),
                "dead": None if dead is None else folder.write("dead", _bits_of(dead)),
                "sketch": _save_sketch(folder, snapshot.sketch, kept),
                "lists": _save_lists(folder, snapshot.lists, kept),
            }
        )
    return Saved(folder, manifest, snapshot)


def written(
    folder: Folder,
    metric: Metric,
    dimension: int,
    batches: Iterable[tuple[IdsLike, NDArray[np.float32]]],
    fields: Manifest,
) -> Saved:
    """Write vectors as they come, and map them; nothing is published yet.

    Parameters
    ----------
    batches
        Ids, distinct over all, and their vectors.
    fields
        More of the manifest.

    Raises
    ------
    InputError
        The ids or the vectors of a batch do not fit.
    """
    ids: list[pa.Array] = []

    def write_rows(write: Callable[[Any], Any]) -> None:
        for some, vectors in batches:
            added, prepared = checked_pairs(some, vectors, metric, dimension)
            if len(added):
                ids.append(added)
                check_same_type(added, ids[0].type)
                write(prepared.data.cast("B"))
        check_distinct(pa.chunked_array(ids, ids[0].type if ids else pa.string()))

    rows = folder.write("rows", write_rows)
    added = pa.concat_arrays(ids) if ids else pa.array([], pa.string())
    manifest = {
        "metric": metric,
        "dimension": dimension,
        "count": len(added),
        **fields,
        "segments": [_segment(folder, added, rows)] if len(added) else [],
        **dict.fromkeys(("dead", "sketch", "lists")),
    }
    return Saved(folder, manifest, _map(folder, manifest))


def load(folder: Folder, manifest: Manifest) -> Saved:
    """Map the files of a manifest, after they were confirmed.

    Raises
    ------
    StoreError
        A file is missing, truncated, altered, or does not fit the manifest.
    """
    folder.confirm(manifest)
    try:
        return Saved(folder, manifest, _map(folder, manifest))
    except StoreError:
        raise
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreError(f"{folder.path} holds no index ({error}); {ADVICE}") from error


def _is_there(before: Saved, folder: Folder) -> bool:
    """Tell whether what was written is there; whoever publishes another index removes it."""
    return all((folder.path / entry["name"]).exists() for entry in entries(before.manifest))


def _save_segments(folder: Folder, snapshot: Snapshot, kept: Saved | None) -> list[Entry]:
    """Write the rows that are not there; with them again those that make small segments."""
    segments = [] if kept is None else list(kept.manifest["segments"])
    n = len(snapshot.rows)
    start = sum(segment["count"] for segment in segments)
    if start == n:
        return segments
    while segments and segments[-1]["count"] < 2 * (n - start):
        start -= segments.pop()["count"]

    def write_rows(write: Callable[[Any], Any]) -> None:
        for _, view in snapshot.rows.blocks(start, n):
            write(view.data.cast("B"))

    ids = snapshot.ids.slice(start, n)
    return [*segments, _segment(folder, ids, folder.write("rows", write_rows))]


def _segment(folder: Folder, ids: pa.Array, rows: Entry) -> Entry:
    """Write the ids of rows, and give the entry of both."""

    def write_ids(write: Callable[[Any], Any]) -> None:
        table = pa.table({"id": ids})
        with pa.ipc.new_file(pa.PythonFile(_Sink(write), "w"), table.schema) as file:
            file.write_table(table)

    return {"count": len(ids), "rows": rows, "ids": folder.write("arrow", write_ids)}


def _save_sketch(folder: Folder, sketch: Sketch | None, kept: Saved | None) -> Entry | None:
    if sketch is None:
        return None
    if kept is not None and kept.snapshot.sketch is sketch:
        return kept.manifest["sketch"]  # type: ignore[no-any-return]
    about = {"covers": len(sketch), "scale": sketch.scale, "remainder": sketch.remainder}
    return folder.write("faiss", _index_of(sketch.index)) | about


def _save_lists(folder: Folder, lists: Lists | None, kept: Saved | None) -> Entry | None:
    if lists is None:
        return None
    if kept is not None and kept.snapshot.lists is lists:
        return kept.manifest["lists"]  # type: ignore[no-any-return]
    names = ("kind", "quantizer", "trained_on", "imbalance", "effort", "candidates")
    about = {"covers": len(lists), **{name: getattr(lists, name) for name in names}}
    return folder.write("faiss", _index_of(lists.index)) | about


def _index_of(index: Any) -> Callable[[Callable[[Any], Any]], None]:
    def fill(write: Callable[[Any], Any]) -> None:
        # Left to itself, FAISS passes over an error of closing: a full disk makes a short file.
        faiss = import_faiss()
        faiss.write_index(index, faiss.PyCallbackIOWriter(write))

    return fill


def _map(folder: Folder, manifest: Manifest) -> Snapshot:
    dimension = manifest["dimension"]
    rows = Rows(dimension)
    ids = Ids()
    for segment in manifest["segments"]:
        count = segment["count"]
        path = folder.path / segment["rows"]["name"]
        if count < 1 or path.stat().st_size != 4 * count * dimension:
            raise StoreError(f"{path} does not hold {count} vectors; {ADVICE}")
        mapped = np.memmap(path, np.float32, "r", shape=(count, dimension))
        rows = Rows(dimension, (*rows.pieces, mapped.view(np.ndarray)))
        ids = Ids((*ids.chunks, _map_ids(folder.path / segment["ids"]["name"], count)))
    if len({chunk.type for chunk in ids.chunks}) > 1:
        raise StoreError(f"the ids in {folder.path} are of several types; {ADVICE}")
    dead = None
    if manifest["dead"] is not None:
        packed = np.fromfile(folder.path / manifest["dead"]["name"], np.uint8)
        dead = np.unpackbits(packed, count=len(rows)).astype(bool)
    sketch, lists = manifest["sketch"], manifest["lists"]
    snapshot = Snapshot(
        manifest["metric"],
        rows,
        ids,
        dead,
        None if sketch is None else _map_sketch(folder, sketch, rows),
        None if lists is None else _map_lists(folder, lists, rows),
    )
    if len(snapshot) != manifest["count"]:
        raise StoreError(f"{folder.path} does not hold {manifest['count']} vectors; {ADVICE}")
    return snapshot


def _map_ids(path: os.PathLike[str], count: int) -> pa.Array:
    table = pa.ipc.open_file(pa.memory_map(os.fspath(path))).read_all()
    ids = table["id"].combine_chunks()
    if isinstance(ids, pa.ChunkedArray):  # what an empty column combines to
        ids = pa.concat_arrays(ids.chunks)
    if len(ids) != count or ids.type not in (pa.string(), pa.int64()) or ids.null_count:
        raise StoreError(f"{path} does not hold {count} ids; {ADVICE}")
    return ids


def _map_sketch(folder: Folder, entry: Entry, rows: Rows) -> Sketch:
    index = _map_index(folder, entry, rows, "IndexScalarQuantizer")
    signed_bytes = import_faiss().ScalarQuantizer.QT_8bit_direct_signed
    if index.sq.qtype != signed_bytes:
        raise StoreError(f"{folder.path / entry['name']} does not fit its manifest; {ADVICE}")
    return Sketch(index, float(entry["scale"]), float(entry["remainder"]))


def _map_lists(folder: Folder, entry: Entry, rows: Rows) -> Lists:
    kind, quantizer = entry["kind"], entry["quantizer"]
    index = _map_index(folder, entry, rows, _TYPES[kind, quantizer])
    return Lists(
        kind,
        quantizer,
        index,
        trained_on=int(entry["trained_on"]),
        imbalance=float(entry["imbalance"]),
        effort=int(entry["effort"]),
        candidates=int(entry["candidates"]),
    )


def _map_index(folder: Folder, entry: Entry, rows: Rows, wanted: str) -> Any:
    faiss = import_faiss()
    path = folder.path / entry["name"]
    index = faiss.read_index(os.fspath(path), faiss.IO_FLAG_MMAP_IFC if os.name != "nt" else 0)
    fits = (
        type(index).__name__ == wanted
        and index.d == rows.dimension
        and index.ntotal == entry["covers"] <= len(rows)
        and index.metric_type == faiss.METRIC_L2
    )
    if not fits:
        raise StoreError(f"{path} does not fit its manifest; {ADVICE}")
    return index


def _bits_of(marks: NDArray[np.bool_]) -> Callable[[Callable[[Any], Any]], None]:
    def fill(write: Callable[[Any], Any]) -> None:
        write(np.packbits(marks).tobytes())

    return fill


class _Sink:
    """A file to which Arrow writes."""

    closed = False

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self.write = write

    def flush(self) -> None:
        """Do nothing: the file is flushed when it is closed."""

    def close(self) -> None:
        """Leave the closing to who opened the file."""
