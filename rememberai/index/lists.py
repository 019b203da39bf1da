"""Lists and graphs of FAISS over the first rows: candidates quickly, not all of them surely."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._faiss import import_faiss
from rememberai.index.knn import nearest_among, scan
from rememberai.index.sketch import owned, selector_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rememberai.index.choice import Kind, Quantizer
    from rememberai.index.knn import Found
    from rememberai.index.rows import Rows
    from rememberai.records import Metric

_SEED = 0
_TRAINING = 32  # rows for each list
_ROUNDS = 8
_EFFORTS = {"ivf": 4, "hnsw": 64}  # the least: lists to probe, nodes that a walk keeps in mind
_MOST_KEPT = 4096
_WANTED, _ASKED, _OF_EACH = 0.98, 256, 10
_NEIGHBORS = 16  # edges of a node in the graph
_OUTGROWN = 4
_LOPSIDED = 2.0
# The least candidates for each that is asked for: the coarser the codes, the more.
_CANDIDATES = {None: 1, "sq8": 2, "pq": 10, "rabitq": 10}
_MOST_CANDIDATES = 320
_CUT = 0.001  # of the rows
# All kinds compare Euclidean distances, which rank unit vectors as the cosine does.
_CODES = {None: "Flat", "sq8": "SQ8", "pq": "PQ{}x4fs", "rabitq": "RaBitQfs"}


@dataclass(frozen=True)
class Lists:
    """Inverted lists or a graph over the first rows; never changed.

    Attributes
    ----------
    trained_on
        How many rows there were when the lists were made.
    imbalance
        FAISS's imbalance factor of the lists at that time: 1 when all are equally long.
    effort
        How many lists are probed, or how many nodes a walk through the graph keeps in mind.
    candidates
        How many are measured anew for each that is asked for. Both are tuned on rows of the index,
        so that they find 98% of their ten nearest.
    """

    kind: Kind
    quantizer: Quantizer | None
    index: Any
    trained_on: int
    imbalance: float
    effort: int
    candidates: int

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @classmethod
    def of(cls, rows: Rows, kind: Kind, quantizer: Quantizer | None) -> Lists:
        """Train and fill an index over all rows."""
        faiss = import_faiss()
        n_lists = max(1, round(2 * len(rows) ** 0.5))
        index = faiss.index_factory(rows.dimension, _factory(kind, quantizer, rows, n_lists))
        sample = np.random.default_rng(_SEED).permutation(len(rows))[: _TRAINING * n_lists]
        with _one_thread():
            if kind == "ivf":
                clustering = faiss.extract_index_ivf(index).cp
                clustering.niter, clustering.seed = _ROUNDS, _SEED
                clustering.min_points_per_centroid = 1
                clustering.max_points_per_centroid = _TRAINING
            index.train(rows[np.sort(sample)])
            _fill(index, rows)
        imbalance = _imbalance(kind, index)
        least = _EFFORTS[kind], _CANDIDATES[quantizer]
        return cls(kind, quantizer, index, len(rows), imbalance, *least)._tuned(rows)

    def extended(self, rows: Rows) -> Lists:
        """Take in the rows behind those covered, or train anew where the lists no longer fit."""
        if len(rows) > _OUTGROWN * self.trained_on:
            return Lists.of(rows, self.kind, self.quantizer)
        index = owned(self.index)
        with _one_thread():
            _fill(index, rows)
        lopsided = _imbalance(self.kind, index) > _LOPSIDED * self.imbalance
        if lopsided or (self.quantizer == "sq8" and self._out_of_range(rows)):
            return Lists.of(rows, self.kind, self.quantizer)
        return dataclasses.replace(self, index=index)

    def _out_of_range(self, rows: Rows) -> bool:
        """Tell whether the bytes, whose range was learned, cut off more than a few further rows.

        Within the range a value is off by half a step at most; ten on the average are too many.
        """
        faiss = import_faiss()
        index = self.index if self.kind == "ivf" else faiss.downcast_index(self.index.storage)
        steps = faiss.vector_to_array(index.sq.trained)[rows.dimension :] / 255
        off = [
            ((block - index.sa_decode(index.sa_encode(block))) ** 2).sum(axis=1)
            for _, block in rows.blocks(len(self), len(rows))
        ]
        cut = int((np.concatenate(off) > 100 * (steps**2).sum()).sum())
        return cut > _CUT * (len(rows) - len(self))

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        rows: Rows,
        metric: Metric,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Found:
        """Find up to k of the nearest allowed rows that this covers; -1 where none was found."""
        width = min(self.candidates * max(k, _OF_EACH), len(self))
        settings = self._settings(width, allowed)
        _, found = self.index.search(queries, width, params=settings)
        return nearest_among(queries, rows, found, min(k, width), metric)

    def _tuned(self, rows: Rows) -> Lists:
        """Double the effort or the candidates, whichever helps more, until enough is found."""
        queries = rows[np.linspace(0, len(rows) - 1, _ASKED).astype(np.int64)]
        k = min(_OF_EACH + 1, len(rows))  # one is the row itself
        limit = scan(queries, rows, k, "l2")[0][:, -1:]
        most = _MOST_KEPT if self.kind == "hnsw" else self._lists.nlist

        def found_by(tuned: Lists) -> float:
            near = tuned.nearest(queries, k, rows, "l2")[0] <= limit
            return float((near.sum(axis=1) - 1).mean()) / max(1, k - 1)

        best = dataclasses.replace(self, effort=min(self.effort, most))
        found = found_by(best)
        while found < _WANTED:
            tried = []
            if best.effort < most:
                tried.append(dataclasses.replace(best, effort=min(2 * best.effort, most)))
            if self.quantizer and best.candidates < _MOST_CANDIDATES:
                tried.append(dataclasses.replace(best, candidates=2 * best.candidates))
            if not tried:
                break
            found, best = max(((found_by(one), one) for one in tried), key=lambda pair: pair[0])
        return best

    @property
    def _lists(self) -> Any:
        return import_faiss().extract_index_ivf(self.index)

    def _settings(self, width: int, allowed: NDArray[np.bool_] | None) -> Any:
        faiss = import_faiss()
        selector = selector_of(allowed, len(self))
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(sel=selector, efSearch=max(self.effort, width))
        settings = faiss.SearchParametersIVF(sel=selector, nprobe=self.effort)
        if isinstance(self.index, faiss.IndexPreTransform):
            return faiss.SearchParametersPreTransform(index_params=settings)
        return settings


def _factory(kind: Kind, quantizer: Quantizer | None, rows: Rows, n_lists: int) -> str:
    codes = _CODES[quantizer].format(rows.dimension // 4)
    if kind == "hnsw":
        return f"HNSW{_NEIGHBORS},{codes}"
    # The one-bit codes are made for vectors turned at random (Gao and Long, 2024).
    turned = f"RR{rows.dimension}," if quantizer == "rabitq" else ""
    return f"{turned}IVF{n_lists},{codes}"


def _fill(index: Any, rows: Rows) -> None:
    for _, block in rows.blocks(index.ntotal, len(rows)):
        index.add(block)


def _imbalance(kind: Kind, index: Any) -> float:
    if kind != "ivf":
        return 1.0
    return float(import_faiss().extract_index_ivf(index).invlists.imbalance_factor())


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Build on one thread: sums then come out the same whatever the machine has."""
    faiss = import_faiss()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
