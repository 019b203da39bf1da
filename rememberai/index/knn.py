"""Nearest neighbours by FAISS, measured anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import pair_distances
from rememberai._faiss import import_faiss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rememberai.records import Metric

    Search = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], NDArray[np.int64]]]

_AT_ONCE = 65536
_FEW, _FEW_VALUES = 16, 65536  # below 20 queries, or 128,000 values since FAISS 1.15: no BLAS
_TRUSTED = 1e-4


def knn(
    queries: NDArray[np.float32], base: NDArray[np.float32], k: int, metric: Metric
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the k nearest base vectors of each query, without building an index.

    Parameters
    ----------
    queries, base
        (n, dimension) and (m, dimension) vectors, prepared for the metric.
    k
        At most m.

    Returns
    -------
    tuple
        (n, k) distances, the closest first, and (n, k) positions in `base`, the lower of equally
        distant ones first.
    """
    faiss = import_faiss()
    kind = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    return measured_neighbors(
        lambda some, k: faiss.knn(some, base, k, kind), queries, base, k, metric
    )


def measured_neighbors(
    search: Search,
    queries: NDArray[np.float32],
    base: NDArray[np.float32],
    k: int,
    metric: Metric,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Let FAISS choose neighbours, and measure their distances from differences.

    Given many queries, FAISS takes |x|^2 + |y|^2 - 2xy for |x - y|^2, whose rounding hides the
    neighbours of vectors that are long but close together. Where it shows, the query is searched
    again among few, for which FAISS sums squared differences.

    Parameters
    ----------
    search
        Maps queries and k to FAISS's scores and positions in `base`.

    Returns
    -------
    tuple
        As `knn`.
    """
    scores, found = search(queries, k)
    distances = _measure(queries, base, found, metric)
    if metric == "l2":
        farthest = distances.max(axis=1, initial=0) ** 2
        error = np.abs(scores - distances**2).max(axis=1, initial=0)
        doubtful = np.flatnonzero(error > _TRUSTED * farthest)
        few = max(1, min(_FEW, _FEW_VALUES // queries.shape[1]))
        for start in range(0, len(doubtful), few):
            rows = doubtful[start : start + few]
            found[rows] = search(queries[rows], k)[1]
        distances[doubtful] = _measure(queries[doubtful], base, found[doubtful], metric)
    order = np.lexsort((found, distances))
    return np.take_along_axis(distances, order, 1), np.take_along_axis(found, order, 1)


def _measure(
    queries: NDArray[np.float32],
    base: NDArray[np.float32],
    found: NDArray[np.int64],
    metric: Metric,
) -> NDArray[np.float32]:
    distances = np.empty(found.shape, np.float32)
    step = max(1, _AT_ONCE // found.shape[1])
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        distances[rows] = pair_distances(queries[rows, None], base[found[rows]], metric)
    return distances
