"""Exact nearest-neighbour search over FAISS, with the caller's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_metric, prepare
from rememberai._faiss import import_faiss
from rememberai.errors import InputError, StoreError
from rememberai.index import _files
from rememberai.index.knn import measured_neighbors

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_LARGEST_DIMENSION = 2**31 - 1  # FAISS counts dimensions in a C int


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The nearest stored vectors of each query, the closest first.

    Attributes
    ----------
    ids
        (n_queries, k) object array of str, or int64; k is at most what the index holds.
    distances
        (n_queries, k) float32: cosine distance (1 - cosine similarity) or Euclidean distance.
    """

    ids: NDArray[Any]
    distances: NDArray[np.float32]


class VectorIndex:
    """A flat (exact) index.

    Parameters
    ----------
    dimension
        Length of every vector.
    metric
        ``"cosine"`` (vectors are normalised here, not by the caller) or ``"l2"`` (Euclidean).
    """

    def __init__(self, dimension: int, *, metric: Metric = "cosine") -> None:
        check_metric(metric)
        if not 1 <= dimension <= _LARGEST_DIMENSION:
            raise InputError(f"dimension must be from 1 to {_LARGEST_DIMENSION}; {dimension} came")
        self.dimension = dimension
        self.metric: Metric = metric
        faiss = import_faiss()
        flat = faiss.IndexFlatIP if metric == "cosine" else faiss.IndexFlatL2
        self._faiss = flat(dimension)
        self._ids = pa.chunked_array([], pa.string())

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    def add(self, ids: Sequence[str] | Sequence[int] | NDArray[Any], vectors: ArrayLike) -> None:
        """Add vectors under new ids.

        Parameters
        ----------
        ids
            n ids, all strings or all int64.
        vectors
            (n, dimension) real numbers.

        Raises
        ------
        InputError
            Nothing is added when an id occurs twice or is there already, or the vectors do not fit.
        """
        array = prepare(vectors, self.metric, dimension=self.dimension)
        added = _id_array(ids)
        if len(added) != len(array):
            raise InputError(f"ids and vectors must pair up; {len(added)} and {len(array)} came")
        if len(added) == 0:
            return
        known = self._ids if len(self) else pa.chunked_array([], added.type)
        if added.type != known.type:
            raise InputError(f"ids must be {known.type} as those before; {added.type} came")
        if (
            pc.count_distinct(added).as_py() < len(added)
            or pc.any(pc.is_in(added, value_set=known)).as_py()
        ):
            raise InputError("ids must be distinct and new to the index; remove the old ones first")
        self._faiss.add(array)
        self._ids = pa.chunked_array([*known.chunks, added], type=added.type)

    def remove(self, ids: Sequence[str] | Sequence[int] | NDArray[Any]) -> int:
        """Remove ids; those that are not there are passed over. Returns how many were removed."""
        gone = _id_array(ids)
        if gone.type != self._ids.type:
            return 0
        mask = pc.is_in(self._ids, value_set=gone).to_numpy(zero_copy_only=False)
        positions = np.flatnonzero(mask)
        if len(positions):
            self._faiss.remove_ids(positions)
            self._ids = self._ids.filter(pa.array(~mask))
        return len(positions)

    def search(self, queries: ArrayLike, k: int) -> Neighbors:
        """Find the k nearest vectors of each query.

        Parameters
        ----------
        queries
            (n_queries, dimension) real numbers.
        k
            At least 1; when the index holds fewer, all that it holds are returned.

        Returns
        -------
        Neighbors
            Sorted by distance, equal distances by order of adding. Where k ends among vectors that
            are as far as each other to the last digit or two, which of them are found is open.
        """
        if k < 1:
            raise InputError(f"k must be at least 1; {k} came")
        array = prepare(queries, self.metric, dimension=self.dimension, name="queries")
        k = min(k, len(self))
        if k == 0 or len(array) == 0:
            return Neighbors(
                _take(self._ids, np.empty((len(array), k), np.int64)),
                np.empty((len(array), k), np.float32),
            )
        distances, positions = measured_neighbors(
            self._faiss.search, array, self._vectors(), k, self.metric
        )
        return Neighbors(_take(self._ids, positions), distances)

    def _vectors(self) -> NDArray[np.float32]:
        """View FAISS's own copy of the vectors, (n, dimension)."""
        view = import_faiss().rev_swig_ptr(self._faiss.get_xb(), len(self) * self.dimension)
        vectors: NDArray[np.float32] = view.reshape(len(self), self.dimension)
        return vectors

    def save(
        self, folder: str | os.PathLike[str], *, model_id: str = "", built_from: int = 0
    ) -> None:
        """Write the index; a reader sees the old one or the new one, never a mixture.

        Parameters
        ----------
        folder
            Made when absent; what another index left there is replaced.
        model_id, built_from
            The model and the version of the table that the vectors came from, kept in the manifest.
        """
        _files.write(
            folder,
            self._faiss,
            self._ids,
            {
                "kind": "flat",
                "metric": self.metric,
                "dimension": self.dimension,
                "count": len(self),
                "model_id": model_id,
                "built_from": built_from,
            },
        )

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        model_id: str | None = None,
        built_from: int | None = None,
    ) -> Self:
        """Read an index that `save` wrote.

        Parameters
        ----------
        model_id, built_from
            Accept the index only when it was saved with these.

        Raises
        ------
        StoreError
            A file is missing, truncated, altered, was not written by RememberAI, or the index is
            another one than wanted.
        """
        manifest = _files.read_manifest(folder)
        for key, wanted in (("model_id", model_id), ("built_from", built_from)):
            if wanted is not None and manifest[key] != wanted:
                raise StoreError(
                    f"the index in {folder} has {key} {manifest[key]!r}, not {wanted!r}"
                )
        index = cls(manifest["dimension"], metric=manifest["metric"])
        index._faiss, index._ids = _files.read(folder, manifest)
        return index


def _id_array(ids: Sequence[str] | Sequence[int] | NDArray[Any]) -> pa.Array:
    try:
        array = pa.array(ids, from_pandas=False)
        if len(array) == 0:
            return pa.array([], pa.string())
        if pa.types.is_integer(array.type):
            array = array.cast(pa.int64())
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"ids must be all strings or all int64: {error}") from error
    if array.null_count:
        raise InputError(f"ids must not be missing; {array.null_count} of {len(array)} are None")
    if array.type not in (pa.int64(), pa.string()):
        raise InputError(f"ids must be all strings or all int64; {array.type} came")
    return array


def _take(ids: pa.ChunkedArray, positions: NDArray[np.int64]) -> NDArray[Any]:
    values: NDArray[Any] = ids.take(pa.array(positions.ravel())).to_numpy()
    return values.reshape(positions.shape)
