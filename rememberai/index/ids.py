"""The callers' ids, in the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import prepare
from rememberai.errors import InputError
from rememberai.index.rows import in_pieces, starts_of, with_few_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

    IdsLike: TypeAlias = Sequence[str] | Sequence[int] | NDArray[Any] | pa.Array


def id_array(ids: IdsLike) -> pa.Array:
    """Check ids, and bring them into Arrow.

    Raises
    ------
    InputError
        They are neither all strings nor all int64, or one string, which is not a list of letters.
    """
    if isinstance(ids, (str, bytes)):
        raise InputError(f"ids must be several, as in a list; {ids!r:.100} came")
    try:
        array = ids if isinstance(ids, pa.Array) else pa.array(ids, from_pandas=False)
        if len(array) == 0:
            return pa.array([], pa.string())
        if pa.types.is_integer(array.type):
            array = array.cast(pa.int64())
        elif pa.types.is_large_string(array.type):  # of pandas and polars
            array = array.cast(pa.string())
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"ids must be all strings or all int64: {error}") from error
    if array.null_count:
        raise InputError(f"ids must not be missing; {array.null_count} of {len(array)} are None")
    if array.type not in (pa.int64(), pa.string()):
        raise InputError(f"ids must be all strings or all int64; {array.type} came")
    return array


def checked_pairs(
    ids: IdsLike, vectors: ArrayLike, metric: Metric, dimension: int
) -> tuple[pa.Array, NDArray[np.float32]]:
    """Check ids and their vectors, and prepare these for the metric in memory of their own.

    Raises
    ------
    InputError
        They do not pair up, or the ids or the vectors do not fit.
    """
    array = prepare(vectors, metric, dimension=dimension)
    added = id_array(ids)
    if len(added) != len(array):
        raise InputError(f"ids and vectors must pair up; {len(added)} and {len(array)} came")
    # Checked vectors may be the caller's own, which he may change later.
    return added, array.copy() if array is vectors or array.base is not None else array


def check_same_type(came: pa.Array, there: pa.DataType) -> None:
    """Raise InputError when ids are of another type than those that are there."""
    if came.type != there:
        raise InputError(f"ids must be {there} as those before; {came.type} came")


def check_distinct(ids: pa.Array | pa.ChunkedArray) -> None:
    """Raise InputError when an id occurs twice."""
    if len(ids.unique()) < len(ids):
        counted = pc.value_counts(ids)
        twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
        raise InputError(f"ids must be distinct; {len(twice)} occur more than once: {shown(twice)}")


def shown(ids: pa.Array) -> str:
    """Name some of many ids, for people to read."""
    return ", ".join(map(repr, ids[:5].to_pylist())) + (", ..." if len(ids) > 5 else "")


@dataclass(frozen=True)
class Ids:
    """Ids of rows, never changed; those of removed rows stay in their places."""

    chunks: tuple[pa.Array, ...] = ()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def type(self) -> pa.DataType:
        """The type of all ids; strings while there are none."""
        return self.chunks[0].type if self.chunks else pa.string()

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return starts_of(self.chunks)

    def appended(self, more: pa.Array) -> Ids:
        """Give the ids with more behind them."""
        return Ids(with_few_pieces(self.chunks, more, pa.concat_arrays))

    def take(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Give the ids at positions of any shape, int64 or str objects."""
        kind: Any = np.int64 if self.type == pa.int64() else object
        found = np.empty(positions.size, kind)
        for chunk, where, local in in_pieces(self._starts, positions.ravel()):
            found[where] = self.chunks[chunk].take(pa.array(local)).to_numpy(zero_copy_only=False)
        return found.reshape(positions.shape)

    def kept(self, marked: NDArray[np.bool_]) -> Ids:
        """Give the marked ids alone."""
        kept = self._chunked().filter(pa.array(marked))
        return Ids((pa.concat_arrays(kept.chunks),)) if len(kept) else Ids()

    def slice(self, start: int, stop: int) -> pa.Array:
        """Give the ids of a range of rows as one array."""
        parts = [
            chunk.slice(max(0, start - first), stop - max(start, first))
            for first, chunk in zip(self._starts.tolist(), self.chunks, strict=False)
            if first < stop and first + len(chunk) > start
        ]
        return pa.concat_arrays(parts)

    def among(self, wanted: pa.Array) -> NDArray[np.bool_]:
        """Mark the rows whose id is wanted."""
        if wanted.type != self.type:
            return np.zeros(len(self), bool)
        mask = pc.is_in(self._chunked(), value_set=wanted)
        marked: NDArray[np.bool_] = mask.to_numpy(zero_copy_only=False)
        return marked

    def places_in(self, wanted: pa.Array) -> NDArray[np.int64]:
        """Give for each row the place of its id among distinct wanted ids, or -1."""
        if wanted.type != self.type:
            return np.full(len(self), -1)
        places = pc.fill_null(pc.index_in(self._chunked(), value_set=wanted), -1)
        found: NDArray[np.int64] = places.to_numpy(zero_copy_only=False).astype(np.int64)
        return found

    def _chunked(self) -> pa.ChunkedArray:
        return pa.chunked_array(self.chunks, type=self.type)
