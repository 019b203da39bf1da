"""The searching part of a vector index."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_count, check_distance, check_metric, prepare
from rememberai.errors import InputError
from rememberai.index.choice import (
    SKETCH_AFTER,
    check_kind,
    choose,
    choose_device,
    memory_of_machine,
)
from rememberai.index.ids import id_array, shown
from rememberai.index.results import Neighborhoods, Neighbors
from rememberai.index.rows import Rows
from rememberai.index.snapshot import Snapshot

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rememberai.index.choice import Choice, Quantizer
    from rememberai.index.ids import IdsLike
    from rememberai.index.snapshot import Filter
    from rememberai.records import Metric


_log = logging.getLogger(__name__)
_LARGEST_DIMENSION = 2**31 - 1  # FAISS counts dimensions in a C int


class Searcher:
    """The part of an index that is asked; see `VectorIndex`."""

    def __init__(
        self,
        dimension: int,
        *,
        metric: Metric = "cosine",
        kind: Literal["auto", "flat", "ivf", "hnsw"] = "auto",
        quantizer: Quantizer | None = None,
        device: Literal["auto", "cpu", "gpu"] = "auto",
    ) -> None:
        check_metric(metric)
        dimension = check_count(dimension, "dimension")
        if dimension > _LARGEST_DIMENSION:
            raise InputError(f"dimension must be at most {_LARGEST_DIMENSION}; {dimension} came")
        check_kind(kind, quantizer, dimension)
        self.dimension = dimension
        self.metric: Metric = metric
        self.kind = kind
        self.quantizer = quantizer
        self._device = choose_device(device)
        self._changes = threading.RLock()
        self._snapshot = Snapshot(metric, Rows(dimension))
        self._in_use = False  # until then nothing is made that finds vectors faster
        self._scanned = 0.0  # scans that a sketch would have saved

    def __len__(self) -> int:
        return len(self._snapshot)

    @property
    def ids(self) -> NDArray[Any]:
        """All ids in the order of adding: (n,) object array of str, or int64."""
        now = self._snapshot
        return now.ids.take(now.positions)

    def explain(self) -> str:
        """Say which kind of index this is at the moment, and why."""
        now = self._used()
        choice = self._choice(now)
        form = choice.kind if choice.quantizer is None else f"{choice.kind} with {choice.quantizer}"
        text = f"{form} for {len(now):,} vectors: {choice.reason}"
        if now.lists is not None:
            text += f"; {len(now.rows) - len(now.lists):,} rows behind the lists are scanned"
        if now.copy is not None:
            text += "; a copy of them lies on the GPU"
        if now.sketch is not None:
            text += "; a sketch of one byte a value screens few queries, exactly"
        return text

    def search(self, queries: ArrayLike, k: int, *, filter: Filter | None = None) -> Neighbors:
        """Find the k nearest vectors of each query.

        Parameters
        ----------
        queries
            (n_queries, dimension) real numbers.
        k
            At least 1; when the index holds fewer, all that it holds are returned.
        filter
            Search among some only: a boolean mask over `ids`, of NumPy or Arrow, or a collection
            of ids, of which those that are not there are passed over.

        Returns
        -------
        Neighbors
            Sorted by distance, equal distances by order of adding. Where k ends among vectors that
            are as far as each other to the last digit or two, which of them are found is open.

        Raises
        ------
        InputError
            k is below 1, or the queries or the filter do not fit.
        """
        k = check_count(k, "k")
        array = prepare(queries, self.metric, dimension=self.dimension, name="queries")
        now = self._used()
        allowed = now.allowed(filter)
        k = min(k, len(now.rows) if allowed is None else int(allowed.sum()))
        if k == 0 or len(array) == 0:
            nothing = np.empty((len(array), k), np.int64)
            return Neighbors(now.ids.take(nothing), nothing.astype(np.float32))
        if self._device == "gpu" and allowed is now.living:
            now = self._copied(now)
        else:
            now = self._sketched(now, len(array), k, allowed)
        distances, positions = now.nearest(array, k, allowed, self._device)
        return Neighbors(now.ids.take(positions), distances)

    def search_within(
        self, queries: ArrayLike, distance: float, *, filter: Filter | None = None
    ) -> Neighborhoods:
        """Find every vector within a distance of each query, in any kind of index exactly.

        Parameters
        ----------
        queries
            (n_queries, dimension) real numbers.
        distance
            The largest that is still within, in the index's metric; from 0 on.
        filter
            As for `search`.

        Raises
        ------
        InputError
            The distance is no number from 0 on, or the queries or the filter do not fit.
        """
        distance = check_distance(distance)
        array = prepare(queries, self.metric, dimension=self.dimension, name="queries")
        now = self._snapshot
        starts, positions, distances = now.within(array, distance, now.allowed(filter))
        return Neighborhoods(starts, now.ids.take(positions), distances)

    def reconstruct(self, ids: IdsLike) -> NDArray[np.float32]:
        """Give the stored vectors of ids: (n, dimension), of unit length under the cosine metric.

        Raises
        ------
        InputError
            An id is not in the index.
        """
        wanted = id_array(ids)
        now = self._snapshot
        distinct = wanted.unique()
        positions = now.places_of(distinct)
        if len(missing := np.flatnonzero(positions < 0)):
            which = shown(distinct.take(pa.array(missing)))
            raise InputError(f"{len(missing)} ids are not in the index: {which}")
        numbers = pc.index_in(wanted, value_set=distinct).to_numpy(zero_copy_only=False)
        return now.rows[positions[numbers.astype(np.int64)]]

    def _used(self) -> Snapshot:
        """Give what is searched; what finds vectors faster is made the first time, all at once."""
        if not self._in_use:
            with self._changes:
                self._snapshot = self._accelerated(self._snapshot)
                self._in_use = True
        return self._snapshot

    def _accelerated(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.accelerated(self._choice(snapshot))

    def _sketched(
        self, now: Snapshot, n_queries: int, k: int, allowed: NDArray[np.bool_] | None
    ) -> Snapshot:
        """Give a snapshot with a sketch once one would have saved what making it takes."""
        missed = now.missed(n_queries, k, allowed)
        if missed <= 0:
            return now
        self._scanned += missed
        # Nobody waits for a change that another thread makes, nor for the sketch.
        if self._scanned <= SKETCH_AFTER or not self._changes.acquire(blocking=False):
            return now
        try:
            if self._snapshot is now:
                self._snapshot = now.sketched()
                return self._snapshot
        finally:
            self._changes.release()
        return now

    def _copied(self, now: Snapshot) -> Snapshot:
        """Give a snapshot whose rows the GPU has; where it has no room, this index leaves it."""
        if not now.lacks_copy() or not self._changes.acquire(blocking=False):
            return now
        try:
            if self._snapshot is now:
                self._snapshot = now.copied()
                return self._snapshot
        except MemoryError as error:
            _log.warning("%s; the CPU searches them", error)
            self._device = "cpu"
        finally:
            self._changes.release()
        return now

    def _choice(self, snapshot: Snapshot) -> Choice:
        return choose(
            self.kind,
            self.quantizer,
            len(snapshot.rows),
            self.dimension,
            memory_of_machine(),
            self._device,
        )
