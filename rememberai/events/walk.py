"""A walk from vector to vector, each step to one of the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import to_sphere
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric

_ROUNDS = 3
_SCALE = 2  # the neighbour whose distance is a vector's own scale
_AT_ONCE = 2**22  # values
_TINY = np.finfo(np.float32).tiny


class Walk:
    """Steps from each vector to itself or a neighbour, the nearer ones more often.

    There are as many neighbours as the cube root of the number of vectors. A step over the distance
    d is taken in proportion to exp(-d^2 / (a b)), where a and b are the distances of either end to
    its second neighbour, so that steps out of a small tight group are rare wherever it lies.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order.

    References
    ----------
    Zelnik-Manor and Perona, "Self-tuning spectral clustering", NIPS 2004.
    """

    def __init__(self, points: NDArray[np.float32], metric: Metric) -> None:
        n = len(points)
        self._points, self._metric = points, metric
        n_neighbors = min(round(n ** (1 / 3)), n - 1)
        distances, self._around = knn(points, points, n_neighbors + 1, metric)
        squares = distances.astype(np.float64) ** (1 if metric == "cosine" else 2)
        scales = np.sqrt(squares[:, min(_SCALE, n_neighbors)])
        both = scales[:, None] * scales[self._around]
        self._near = np.exp(-squares / np.maximum(both, _TINY))

    def step(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the (n, m) mean of the values where a step leads."""
        means = np.empty_like(values)
        likely = (self._near / self._near.sum(axis=1, keepdims=True)).astype(np.float32)
        step = max(1, _AT_ONCE // (self._around.shape[1] * values.shape[1]))
        for start in range(0, len(values), step):
            some = slice(start, start + step)
            means[some] = (likely[some, None] @ values[self._around[some]])[:, 0]
        return means

    def smooth(self) -> NDArray[np.float32]:
        """Replace each vector by the mean of where a step leads from it, three times over.

        So clusters draw together: it is mean shift with a fixed neighbourhood (Fukunaga and
        Hostetler, IEEE Trans. Information Theory 1975).

        Returns
        -------
        NDArray[np.float32]
            (n, dimension), of unit length again under the cosine metric.
        """
        vectors = self._points
        for _ in range(_ROUNDS):
            vectors = self.step(vectors)
            vectors = to_sphere(vectors) if self._metric == "cosine" else vectors
        return vectors

    def flow(self, pieces: NDArray[np.intp], n_steps: int) -> NDArray[np.float64]:
        """Measure how much of a walk goes from piece to piece.

        Parameters
        ----------
        pieces
            (n,) the piece of each vector, from 0, each with a member.

        Returns
        -------
        NDArray[np.float64]
            (n_pieces, n_pieces), symmetric: the share of the walks from all vectors that start in
            the one and end in the other, or the other way round. All add up to 1.
        """
        order = np.argsort(pieces, kind="stable")
        sizes = np.bincount(pieces)
        there = (pieces[:, None] == np.arange(len(sizes))).astype(np.float32)
        for _ in range(n_steps):
            there = self.step(there)
        flow = np.add.reduceat(there[order], np.cumsum(sizes) - sizes, axis=0, dtype=np.float64)
        shares: NDArray[np.float64] = (flow + flow.T) / (2 * flow.sum())
        return shares
