"""Smoothing: vectors moved to where their neighbours are, so that clusters draw together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import to_sphere
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric

_ROUNDS = 3
_AT_ONCE = 2**22  # values


def smooth(vectors: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Replace each vector by the mean of itself and its neighbours, three times over.

    The neighbours are those of the vectors as they came, as many as the cube root of their number.
    This is a few steps of a random walk on the k-NN graph (Fukunaga and Hostetler's mean shift with
    a fixed neighbourhood, IEEE Trans. Information Theory 1975).

    Parameters
    ----------
    vectors
        (n, dimension) prepared for the metric, in canonical order.

    Returns
    -------
    NDArray[np.float32]
        (n, dimension), of unit length again under the cosine metric.
    """
    n_neighbors = round(len(vectors) ** (1 / 3))
    around = knn(vectors, vectors, min(n_neighbors + 1, len(vectors)), metric)[1]
    step = max(1, _AT_ONCE // (around.shape[1] * vectors.shape[1]))
    for _ in range(_ROUNDS):
        means = np.empty_like(vectors)
        for start in range(0, len(vectors), step):
            means[start : start + step] = vectors[around[start : start + step]].mean(axis=1)
        vectors = to_sphere(means) if metric == "cosine" else means
    return vectors
