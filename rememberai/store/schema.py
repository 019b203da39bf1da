"""The columns of the table of record, and the way of a photo into a row."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import WANTED, incomparable
from rememberai.errors import InputError
from rememberai.records import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from rememberai.records import Compared, Metric, Photo, TextSource

_TIME = pa.timestamp("us")
_INSTANT = pa.timestamp("us", tz="UTC")
VECTOR = "vector"
# Columns that go together: a vector is of the words that count, which the source names.
WORDS = ("memory", "caption", "text_source", VECTOR)
_COMPRESSION = "lance-encoding:compression"
# Elsewhere Lance decides; these it would write half as fast, for little.
_COMPRESSED = {"photo_id": "none", "name": "lz4", "path": "lz4"}
_COLUMN_OF = {"memory": "memory", "caption": "caption", "label": "caption"}  # by text source


def table_schema(dimension: int) -> pa.Schema:
    """Build the schema of rows; docs/format.md explains each column.

    The vector is that of the active model, whatever its column in the table is called.
    """
    return pa.schema(
        [
            pa.field("photo_id", pa.string(), nullable=False),
            ("album", pa.string()),
            ("name", pa.string()),
            ("path", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("taken", _TIME),
            ("taken_offset_minutes", pa.int16()),
            ("taken_confidence", pa.string()),
            ("latitude", pa.float64()),
            ("longitude", pa.float64()),
            ("memory", pa.string()),
            ("memory_origin", pa.string()),
            ("memory_author", pa.string()),
            ("memory_written", pa.string()),
            ("caption", pa.string()),
            ("captioner", pa.string()),
            ("caption_confidence", pa.float32()),
            ("caption_seconds", pa.float32()),
            ("text_source", pa.string()),
            (VECTOR, vector_type(dimension)),
            ("added", _INSTANT),
            ("updated", _INSTANT),
            ("event_given", pa.string()),
            ("event_assigned", pa.string()),
            ("event_confidence", pa.float32()),
            ("outcome", pa.string()),
        ]
    )


def schema_of_table(dimension: int) -> pa.Schema:
    """Build the schema of a new store's table: that of rows, and how Lance compresses them."""
    return pa.schema(
        [
            field.with_metadata({_COMPRESSION: _COMPRESSED[field.name]})
            if field.name in _COMPRESSED
            else field
            for field in table_schema(dimension)
        ]
    )


def vector_type(dimension: int) -> pa.DataType:
    """Give the type of a column of vectors."""
    return pa.list_(pa.float32(), dimension)


def fits(table: pa.Schema, column: str, dimension: int, *, without: Collection[str] = ()) -> bool:
    """Tell whether a table has what rows need, with the vectors in a column; it may have more."""
    there = {field.name: field.type for field in table}
    wanted = {field.name: field.type for field in table_schema(dimension) if field.name != VECTOR}
    wanted[column] = vector_type(dimension)
    return all(there.get(name) == kind for name, kind in wanted.items() if name not in without)


def check_rows(rows: pa.Table, wanted: pa.Schema, metric: Metric = "l2") -> None:
    """Check rows, or some columns of rows, that are to be written.

    Parameters
    ----------
    metric
        How their vectors will be compared.

    Raises
    ------
    InputError
        No table came, or other columns than wanted; photo ids are missing or not distinct; a text
        source is not "memory", "caption" or "label", or its column is null; a vector is not finite,
        is zero under the cosine metric, is too large under l2, or does not stand where there is a
        text source, and only there.
    """
    check_table(rows)
    if not rows.schema.equals(wanted):
        said, came = (
            ", ".join(f"{field.name} {field.type}" for field in s) for s in (wanted, rows.schema)
        )
        raise InputError(f"rows must have the columns {said}; {came} came")
    check_ids(rows["photo_id"])
    if VECTOR not in wanted.names:
        return
    if not rows[VECTOR].is_null().equals(rows["text_source"].is_null()):
        raise InputError("a row must have both a text source and a vector, or neither")
    if (wrong := pc.invert(source_is_true(rows))).true_count:
        raise InputError(
            "a text source is memory, caption or label, and the column of its words is not null; "
            f"it is not so in {shown_ids(rows['photo_id'].filter(wrong))}"
        )
    _check_vectors(rows, metric)


def check_ids(ids: pa.ChunkedArray) -> None:
    """Raise InputError unless photo ids are there and distinct."""
    if ids.null_count or len(ids.unique()) != len(ids):
        raise InputError("photo ids in one write must be distinct, and none may be missing")


def check_table(rows: object) -> None:
    """Raise InputError unless it is a pyarrow.Table."""
    if not isinstance(rows, pa.Table):
        raise InputError(f"a pyarrow.Table was wanted; {type(rows).__name__} came")


def _check_vectors(rows: pa.Table, metric: Metric) -> None:
    """Raise InputError unless vectors are finite, and can be compared by the metric."""
    matrices = [column_matrix(chunk) for chunk in rows[VECTOR].chunks]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = [np.einsum("nd,nd->n", matrix, matrix) for matrix in matrices]
    # A square may overflow or vanish where the value does not: only then each value is looked at.
    if not all(np.isfinite(some).all() for some in squares) and not all(
        np.isfinite(matrix).all() for matrix in matrices
    ):
        raise InputError("vectors must be finite; NaN or infinity came")
    wrong = [incomparable(*pair, metric) for pair in zip(matrices, squares, strict=True)]
    if any(some.any() for some in wrong):
        ids = rows["photo_id"].filter(rows[VECTOR].is_valid())
        _refuse(ids.filter(pa.array(np.concatenate(wrong))), metric)


def check_comparable(ids: pa.ChunkedArray, vectors: NDArray[np.float32], metric: Metric) -> None:
    """Raise InputError when one of (n, dimension) vectors can't be compared by the metric."""
    with np.errstate(over="ignore"):
        wrong = incomparable(vectors, np.einsum("nd,nd->n", vectors, vectors), metric)
    if wrong.any():
        _refuse(ids.filter(pa.array(wrong)), metric)


def _refuse(ids: pa.ChunkedArray, metric: Metric) -> None:
    raise InputError(f"vectors must {WANTED[metric]}; those of {shown_ids(ids)} are not like that")


def source_is_true(rows: pa.RecordBatch | pa.Table) -> pa.Array:
    """Tell of each row whether its text source is null, or the column of its words is not."""
    source = rows["text_source"]
    named = [
        pc.and_(pc.equal(source, name), rows[column].is_valid())
        for name, column in _COLUMN_OF.items()
    ]
    true = pc.fill_null(reduce(pc.or_, named), True)
    return true.combine_chunks() if isinstance(true, pa.ChunkedArray) else true


def dated(rows: pa.Table) -> pa.Table:
    """Fill in the time of now where rows do not say when they were added or updated."""
    for name in ("added", "updated"):
        place = rows.schema.get_field_index(name)
        now = pa.scalar(datetime.now(UTC), _INSTANT)
        rows = rows.set_column(place, rows.schema.field(place), pc.fill_null(rows[name], now))
    return rows


def shown_ids(ids: pa.ChunkedArray | Sequence[str]) -> str:
    """Name some of many photos, for people to read."""
    shown = ", ".join(sorted(map(str, ids))[:5])
    return f"{len(ids)} photos: {shown}" + (", ..." if len(ids) > 5 else "")


def photo_row(photo: Photo, album: str) -> dict[str, Any]:
    """Lay a photo out as a row without caption and vector."""
    taken, place, memory = photo.taken, photo.place, photo.memory
    now = datetime.now(UTC)
    return {
        "photo_id": photo.photo_id,
        "album": album,
        "name": photo.name,
        "path": photo.path,
        "width": photo.width,
        "height": photo.height,
        "taken": taken.local if taken else None,
        "taken_offset_minutes": taken.offset_minutes if taken else None,
        "taken_confidence": taken.confidence if taken else None,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "memory": memory.text if memory else None,
        "memory_origin": memory.origin if memory else None,
        "memory_author": memory.author if memory else None,
        "memory_written": memory.written if memory else None,
        "added": now,
        "updated": now,
    }


def row_hit(row: dict[str, Any], distance: float, compared: Compared = "words") -> Hit:
    """Show a row as a hit at a distance."""
    return Hit(
        photo_id=row["photo_id"],
        name=row["name"],
        path=row["path"],
        text=row_text(row) or "",
        text_source=row["text_source"],
        distance=distance,
        compared=compared,
    )


def row_text(row: dict[str, Any]) -> str | None:
    """Give the words that count: a memory always wins over a caption."""
    return row.get("memory") or row.get("caption") or None


def _source(row: dict[str, Any]) -> TextSource | None:
    """Tell who wrote the words that count; a row says itself that its caption is a label."""
    if row.get("memory"):
        return "memory"
    if not row.get("caption"):
        return None
    return "label" if row.get("text_source") == "label" else "caption"


def vector_array(vectors: NDArray[np.float32]) -> pa.Array:
    """Lay (n, dimension) vectors out as an Arrow column."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def spread(vectors: NDArray[np.float32], spoken: NDArray[np.bool_]) -> pa.Array:
    """Lay the vectors of those rows that have one out as a column, with null for the others."""
    places = pa.array(np.cumsum(spoken) - 1, pa.int64(), mask=~spoken)
    return vector_array(vectors).take(places)


def with_vectors(rows: pa.RecordBatch, column: str) -> pa.RecordBatch:
    """Leave out the rows that have no vector in a column."""
    vectors = rows[column]
    return rows.filter(vectors.is_valid()) if vectors.null_count else rows


def column_matrix(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float32]:
    """Read the vectors of a column as (n, dimension); nulls are left out."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    whole = chunks[0] if len(chunks) == 1 else column.combine_chunks()
    flat: NDArray[np.float32] = whole.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, column.type.list_size)


def to_table(rows: Sequence[dict[str, Any]], vectors: NDArray[np.float32]) -> pa.Table:
    """Make a table of rows; each gets its text source, and null for what it does not name.

    Parameters
    ----------
    vectors
        (m, dimension) float32: of the m rows that have words, in their order.
    """
    schema = table_schema(vectors.shape[1])
    sources = [_source(row) for row in rows]
    spoken = np.array([source is not None for source in sources], bool)
    made = {"text_source": pa.array(sources, pa.string()), VECTOR: spread(vectors, spoken)}
    named = set().union(*rows)
    for field in schema:
        if field.name not in made and field.name in named:
            made[field.name] = pa.array([row.get(field.name) for row in rows], field.type)
    arrays = [
        made[field.name] if field.name in made else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
