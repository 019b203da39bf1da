"""Nearest neighbours among a few vectors, without building an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai._faiss import import_faiss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric


def knn(
    queries: NDArray[np.float32], base: NDArray[np.float32], k: int, metric: Metric
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the k nearest base vectors of each query.

    Parameters
    ----------
    queries, base
        (n, dimension) and (m, dimension) vectors, prepared for the metric.
    k
        At most m.

    Returns
    -------
    tuple
        (n, k) distances, the closest first, and (n, k) positions in `base`.
    """
    faiss = import_faiss()
    if metric == "cosine":
        similarities, positions = faiss.knn(queries, base, k, faiss.METRIC_INNER_PRODUCT)
        return np.maximum(1 - similarities, 0), positions
    squared, positions = faiss.knn(queries, base, k, faiss.METRIC_L2)
    return np.sqrt(np.maximum(squared, 0)), positions
