"""Nearest-neighbour search over FAISS, with the caller's ids."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_metric, prepare
from rememberai.errors import InputError, StoreError
from rememberai.index import saving
from rememberai.index._files import Folder
from rememberai.index.choice import check_kind, choose, choose_device, memory_of_machine
from rememberai.index.ids import id_array
from rememberai.index.knn import within
from rememberai.index.results import Neighborhoods, Neighbors
from rememberai.index.rows import Growing, Rows
from rememberai.index.snapshot import Snapshot

if TYPE_CHECKING:
    import os
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.index.choice import Choice, Quantizer
    from rememberai.index.ids import IdsLike
    from rememberai.index.saving import Saved
    from rememberai.index.snapshot import Filter
    from rememberai.records import Metric


_LARGEST_DIMENSION = 2**31 - 1  # FAISS counts dimensions in a C int
_DEAD_PART = 4  # once a fourth of the rows is removed, the others are moved together


class VectorIndex:
    """Vectors, searched by nearness.

    Distances are measured from the stored float32 vectors whatever the kind, so they are exact, and
    a vector is at 0 from itself. A flat index finds the true neighbours; `ivf` and `hnsw` may miss
    some, but not with a filter nor in `search_within`, which are exact in any kind.

    Threads may search while another one changes the index: a search sees the index as it was when
    the search began, with a change wholly or not at all. Changes wait for each other. What finds
    vectors faster than a scan is made by the first search, `save` or `explain`; from then on each
    change keeps it up.

    Parameters
    ----------
    dimension
        Length of every vector.
    metric
        ``"cosine"`` (vectors are normalised here, not by the caller) or ``"l2"`` (Euclidean).
    kind
        ``"flat"`` (exact), ``"ivf"`` (inverted lists), ``"hnsw"`` (a graph; slow to build), or
        ``"auto"``, which picks by size and memory; `explain` says what and why.
    quantizer
        None keeps float32 vectors in the lists or the graph, ``"sq8"`` bytes, ``"pq"`` half a byte
        for four values (a product quantiser), ``"rabitq"`` one bit a value (Gao and Long, SIGMOD
        2024). The last two are for `ivf` only.
    device
        Where batches are scanned: ``"gpu"``, ``"cpu"``, or ``"auto"``: a GPU where FAISS sees one.

    Raises
    ------
    InputError
        A kind, quantiser or device that is not offered.
    """

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
        if not 1 <= dimension <= _LARGEST_DIMENSION:
            raise InputError(f"dimension must be from 1 to {_LARGEST_DIMENSION}; {dimension} came")
        check_kind(kind, quantizer, dimension)
        self.dimension = dimension
        self.metric: Metric = metric
        self.kind = kind
        self.quantizer = quantizer
        self._device = choose_device(device)
        self._changes = threading.RLock()
        self._snapshot = Snapshot(metric, Rows(dimension))
        self._in_use = False  # until then nothing is made that finds vectors faster
        self._growing = Growing()
        self._saved: Saved | None = None

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
        if now.sketch is not None:
            text += "; a sketch of one byte a value screens few queries, exactly"
        return text

    def add(self, ids: IdsLike, vectors: ArrayLike) -> None:
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
        added, array = self._pairs(ids, vectors)
        with self._changes:
            now = self._snapshot
            if len(now.rows_of(added)):
                raise InputError(
                    "ids must be new to the index; upsert replaces vectors that are there"
                )
            self._append(now, added, array)

    def upsert(self, ids: IdsLike, vectors: ArrayLike) -> int:
        """Add vectors, in place of those that are there under the same ids.

        A vector that replaces another counts as added now where equal distances are ordered.

        Parameters
        ----------
        ids, vectors
            As for `add`.

        Returns
        -------
        int
            How many were replaced.

        Raises
        ------
        InputError
            Nothing is changed when an id occurs twice, or the vectors do not fit.
        """
        added, array = self._pairs(ids, vectors)
        with self._changes:
            now = self._snapshot
            old = now.rows_of(added)
            self._append(now.without(old), added, array)
        return len(old)

    def remove(self, ids: IdsLike) -> int:
        """Remove ids; those that are not there are passed over. Returns how many were removed."""
        gone = id_array(ids)
        with self._changes:
            now = self._snapshot
            positions = now.rows_of(gone)
            if len(positions):
                self._publish(now.without(positions))
        return len(positions)

    def search(self, queries: ArrayLike, k: int, *, filter: Filter | None = None) -> Neighbors:
        """Find the k nearest vectors of each query.

        Parameters
        ----------
        queries
            (n_queries, dimension) real numbers.
        k
            At least 1; when the index holds fewer, all that it holds are returned.
        filter
            Search among some only: a boolean mask over `ids`, or a collection of ids, of which
            those that are not there are passed over.

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
        if k < 1:
            raise InputError(f"k must be at least 1; {k} came")
        array = prepare(queries, self.metric, dimension=self.dimension, name="queries")
        now = self._used()
        allowed = now.allowed(filter)
        k = min(k, len(now.rows) if allowed is None else int(allowed.sum()))
        if k == 0 or len(array) == 0:
            nothing = np.empty((len(array), k), np.int64)
            return Neighbors(now.ids.take(nothing), nothing.astype(np.float32))
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
            The distance is negative or NaN, or the queries or the filter do not fit.
        """
        if not distance >= 0:
            raise InputError(f"distance must be 0 or more; {distance} came")
        array = prepare(queries, self.metric, dimension=self.dimension, name="queries")
        now = self._snapshot
        hits = list(within(array, now.rows, distance, self.metric, allowed=now.allowed(filter)))
        query, positions, distances = (
            np.concatenate([np.empty(0, kind), *parts])
            for kind, parts in zip(
                (np.int64, np.int64, np.float32),
                zip(*hits, strict=True) if hits else ((),) * 3,
                strict=True,
            )
        )
        order = np.lexsort((positions, distances, query))
        starts = np.searchsorted(query[order], np.arange(len(array) + 1))
        return Neighborhoods(starts, now.ids.take(positions[order]), distances[order])

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
        places = now.ids.places_in(distinct)
        if now.dead is not None:
            places[now.dead] = -1
        rows = np.flatnonzero(places >= 0)
        positions = np.full(len(distinct), -1)
        positions[places[rows]] = rows
        if len(missing := np.flatnonzero(positions < 0)):
            shown = ", ".join(repr(distinct[int(i)].as_py()) for i in missing[:5])
            raise InputError(f"{len(missing)} ids are not in the index: {shown}")
        numbers = pc.index_in(wanted, value_set=distinct).to_numpy(zero_copy_only=False)
        return now.rows[positions[numbers.astype(np.int64)]]

    def save(
        self, folder: str | os.PathLike[str], *, model_id: str = "", built_from: str = ""
    ) -> None:
        """Write the index; a reader sees the old one or the new one, never a mixture.

        Rows that this index has already saved in, or loaded from, the same folder are not written
        again.

        Parameters
        ----------
        folder
            Made when absent; what another index left there is replaced.
        model_id, built_from
            The model and the content of the table that the vectors came from, in the manifest.
        """
        fields = {
            "kind": self.kind,
            "quantizer": self.quantizer,
            "model_id": model_id,
            "built_from": built_from,
        }
        with self._changes:
            self._saved = saving.save(Folder(folder), self._used(), fields, self._saved)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        model_id: str | None = None,
        built_from: str | None = None,
        device: Literal["auto", "cpu", "gpu"] = "auto",
    ) -> Self:
        """Map an index that `save` wrote into memory.

        Every file is compared with its checksum: by reading it, or, where it was read since the
        machine started, by its size, times and inode. `rememberai.index.verify` always reads.

        Parameters
        ----------
        model_id, built_from
            Accept the index only when it was saved with these.
        device
            As for a new index.

        Raises
        ------
        StoreError
            A file is missing, truncated, altered, was not written by RememberAI, or the index is
            another one than wanted.
        """
        source = Folder(folder)
        while True:
            manifest = source.manifest()
            for key, wanted in (("model_id", model_id), ("built_from", built_from)):
                if wanted is not None and manifest.get(key) != wanted:
                    raise StoreError(
                        f"the index in {folder} has {key} {manifest.get(key)!r}, not {wanted!r}"
                    )
            try:
                return cls._of(saving.load(source, manifest), device)
            except StoreError:
                if source.manifest() == manifest:
                    raise  # else another process has just saved, and removed the old files

    @classmethod
    def _of(cls, saved: Saved, device: Literal["auto", "cpu", "gpu"]) -> Self:
        about, snapshot = saved.manifest, saved.snapshot
        try:
            index = cls(
                about["dimension"],
                metric=snapshot.metric,
                kind=about["kind"],
                quantizer=about["quantizer"],
                device=device,
            )
        except (InputError, KeyError, TypeError) as error:
            raise StoreError(
                f"{saved.folder.path} holds no index ({error}); build the index anew"
            ) from error
        index._snapshot, index._saved, index._in_use = snapshot, saved, True
        return index

    def _pairs(self, ids: IdsLike, vectors: ArrayLike) -> tuple[pa.Array, NDArray[np.float32]]:
        array = prepare(vectors, self.metric, dimension=self.dimension)
        added = id_array(ids)
        if len(added) != len(array):
            raise InputError(f"ids and vectors must pair up; {len(added)} and {len(array)} came")
        if pc.count_distinct(added).as_py() < len(added):
            raise InputError("ids must be distinct; some occur twice")
        # Checked vectors may be the caller's own, which he may change later.
        return added, array.copy() if array is vectors or array.base is not None else array

    def _append(self, now: Snapshot, ids: pa.Array, vectors: NDArray[np.float32]) -> None:
        if len(ids) == 0:
            return
        if len(now) == 0:  # ids of the other type are welcome again
            now, self._saved = Snapshot(self.metric, Rows(self.dimension)), None
        elif ids.type != now.ids.type:
            raise InputError(f"ids must be {now.ids.type} as those before; {ids.type} came")
        rows = self._growing.appended(now.rows, vectors)
        self._publish(now.appended(rows, now.ids.appended(ids)))

    def _publish(self, snapshot: Snapshot) -> None:
        if _DEAD_PART * snapshot.n_dead > len(snapshot.rows):
            snapshot, self._saved = snapshot.compacted(), None
        self._snapshot = self._accelerated(snapshot) if self._in_use else snapshot

    def _used(self) -> Snapshot:
        """Give what is searched; what finds vectors faster is made the first time, all at once."""
        if not self._in_use:
            with self._changes:
                self._snapshot = self._accelerated(self._snapshot)
                self._in_use = True
        return self._snapshot

    def _accelerated(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.accelerated(self._choice(snapshot))

    def _choice(self, snapshot: Snapshot) -> Choice:
        return choose(
            self.kind, self.quantizer, len(snapshot.rows), self.dimension, memory_of_machine()
        )
