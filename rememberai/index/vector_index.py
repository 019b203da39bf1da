"""Nearest-neighbour search over FAISS, with the caller's ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from rememberai.errors import InputError, StoreError
from rememberai.index import saving
from rememberai.index._files import Folder
from rememberai.index.ids import check_distinct, check_same_type, checked_pairs, id_array, shown
from rememberai.index.rows import Growing, Rows
from rememberai.index.searching import Searcher
from rememberai.index.snapshot import Snapshot

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.index.choice import Quantizer
    from rememberai.index.ids import IdsLike
    from rememberai.index.saving import Saved
    from rememberai.records import Metric


_DEAD_PART = 4  # once a fourth of the rows is removed, the others are moved together


class VectorIndex(Searcher):
    """Vectors, searched by nearness.

    Distances are measured from the stored float32 vectors whatever the kind, so they are exact, and
    a vector is at 0 from itself. A flat index finds the true neighbours; `ivf` and `hnsw` may miss
    some, but not with a filter nor in `search_within`, which are exact in any kind.

    Threads may search while another one changes the index: a search sees the index as it was when
    the search began, with a change wholly or not at all. Changes wait for each other. What finds
    vectors faster than a scan is made by the first search, `save` or `explain`, and what only
    single queries need after some dozens of them; from then on each change keeps it up.

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
        Where rows are compared: ``"gpu"``, ``"cpu"``, or ``"auto"``: a GPU where FAISS sees one. A
        flat index keeps a copy of its rows there, from the first search on; with a filter, batches
        travel there. Where the GPU has no room, the CPU does it.

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
        super().__init__(dimension, metric=metric, kind=kind, quantizer=quantizer, device=device)
        self._growing = Growing()
        self._saved: Saved | None = None

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
            if len(known := now.rows_of(added)):
                raise InputError(
                    "ids must be new to the index, whose vectors upsert replaces; "
                    f"{len(known)} are there already: {shown(pa.array(now.ids.take(known)))}"
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

    def save(
        self, folder: str | os.PathLike[str], *, model_id: str = "", built_from: str = ""
    ) -> None:
        """Write the index; a reader sees the old one or the new one, never a mixture.

        Rows that this index has already saved in, or loaded from, the same folder are not written
        again.

        Parameters
        ----------
        folder
            Made when absent; what another index left there is replaced, and so is a file
            ``manifest.json`` of anybody else.
        model_id, built_from
            The model and the content of the table that the vectors came from, in the manifest.

        Raises
        ------
        OSError
            The folder can't be written, or has no room; what was saved there before stays.
        """
        self._save(Folder(folder), model_id, built_from)

    @classmethod
    def build(
        cls,
        folder: str | os.PathLike[str],
        dimension: int,
        batches: Iterable[tuple[IdsLike, NDArray[np.float32]]],
        *,
        metric: Metric = "cosine",
        model_id: str = "",
        built_from: str = "",
    ) -> Self:
        """Save an index of vectors as they come, none of which stay in memory, and map it.

        Parameters
        ----------
        folder, model_id, built_from
            As for `save`.
        dimension, metric
            As for a new index.
        batches
            Each n ids, which do not occur in another batch, and (n, dimension) real numbers.

        Raises
        ------
        InputError
            The metric or the dimension is none, an id occurs twice, or the vectors do not fit.
        OSError
            As for `save`.
        """
        cls(dimension, metric=metric)  # which checks them
        target = Folder(folder)
        fields = {"kind": "auto", "quantizer": None}
        with target.locked():
            index = cls._of(saving.written(target, metric, dimension, batches, fields), "auto")
            index._in_use = False
            index._save(target, model_id, built_from)
        return index

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

    def _save(self, folder: Folder, model_id: str, built_from: str) -> None:
        fields = {
            "kind": self.kind,
            "quantizer": self.quantizer,
            "model_id": model_id,
            "built_from": built_from,
        }
        with self._changes:
            self._saved = saving.save(folder, self._used(), fields, self._saved)

    def _pairs(self, ids: IdsLike, vectors: ArrayLike) -> tuple[pa.Array, NDArray[np.float32]]:
        added, array = checked_pairs(ids, vectors, self.metric, self.dimension)
        check_distinct(added)
        return added, array

    def _append(self, now: Snapshot, ids: pa.Array, vectors: NDArray[np.float32]) -> None:
        if len(ids) == 0:
            return
        if len(now) == 0:  # ids of the other type are welcome again
            now, self._saved = Snapshot(self.metric, Rows(self.dimension)), None
        else:
            check_same_type(ids, now.ids.type)
        rows = self._growing.appended(now.rows, vectors)
        self._publish(now.appended(rows, now.ids.appended(ids)))

    def _publish(self, snapshot: Snapshot) -> None:
        if _DEAD_PART * snapshot.n_dead > len(snapshot.rows):
            snapshot, self._saved = snapshot.compacted(), None
        self._snapshot = self._accelerated(snapshot) if self._in_use else snapshot
