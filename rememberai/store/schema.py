"""The columns of the table of record, and the way of a photo into a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rememberai.records import Hit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rememberai.records import Photo

_TIME = pa.timestamp("us")
_INSTANT = pa.timestamp("us", tz="UTC")
# With it Lance notices that two writers insert the same photo at once, and lets one try again.
_KEY = {"lance-schema:unenforced-primary-key": "true"}


def table_schema(dimension: int) -> pa.Schema:
    """Build the schema; docs/format.md explains each column."""
    return pa.schema(
        [
            pa.field("photo_id", pa.string(), nullable=False, metadata=_KEY),
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
            ("text_source", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),
            ("added", _INSTANT),
            ("updated", _INSTANT),
        ]
    )


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


def row_hit(row: dict[str, Any], distance: float) -> Hit:
    """Show a row with words as a hit at a distance."""
    return Hit(
        photo_id=row["photo_id"],
        name=row["name"],
        path=row["path"],
        text=str(row_text(row)),
        text_source=row["text_source"],
        distance=distance,
    )


def row_text(row: dict[str, Any]) -> str | None:
    """Give the words that count: a memory always wins over a caption."""
    return row.get("memory") or row.get("caption") or None


def vector_array(vectors: NDArray[np.float32]) -> pa.Array:
    """Lay (n, dimension) vectors out as an Arrow column."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def column_matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Read a vector column without nulls as (n, dimension)."""
    flat: NDArray[np.float32] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, column.type.list_size)


def to_table(rows: Sequence[dict[str, Any]], vectors: NDArray[np.float32]) -> pa.Table:
    """Make a table of rows; each gets its text source, and null for what it does not name.

    Parameters
    ----------
    vectors
        (m, dimension) float32: of the m rows that have words, in their order.
    """
    schema = table_schema(vectors.shape[1])
    sources = [
        None if row_text(row) is None else "memory" if row.get("memory") else "caption"
        for row in rows
    ]
    silent = np.array([source is None for source in sources], bool)
    places = pa.array(np.cumsum(~silent) - 1, pa.int64(), mask=silent)
    made = {
        "text_source": pa.array(sources, pa.string()),
        "vector": vector_array(vectors).take(places),
    }
    arrays = [
        made[field.name]
        if field.name in made
        else pa.array([row.get(field.name) for row in rows], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
