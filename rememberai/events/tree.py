"""From hierarchies to clusters: k-means started from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.hierarchy import LINKAGES, Hierarchy
from rememberai.events.kmeans import centroids_of, kmeans, lloyd, member_means
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric

MOST_PIECES = 3000
_FEWEST = 500
_PER_CLUSTER = 3
_ITERATIONS = 10


class ClusterTree:
    """Hierarchies of clusters by two linkages, over small pieces found by k-means.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order.
    n_clusters
        The most clusters that will be asked for; it decides how many pieces there are.
    """

    def __init__(
        self, points: NDArray[np.float32], n_clusters: int, metric: Metric, random_state: int
    ) -> None:
        self._points = points
        self.metric = metric
        n_pieces = min(len(points), MOST_PIECES, max(_FEWEST, _PER_CLUSTER * n_clusters))
        self._pieces = kmeans(
            points,
            n_pieces,
            metric=metric,
            n_init=1,
            max_iter=_ITERATIONS,
            random_state=random_state,
        )[1]
        means = member_means(points, self._pieces)
        sizes = np.bincount(self._pieces)
        squares = ((points - means[self._pieces]) ** 2).sum(axis=1)
        scatters = np.bincount(self._pieces, squares) / sizes
        self._hierarchies = [Hierarchy(means, sizes, scatters, linkage) for linkage in LINKAGES]
        self.n_pieces = len(sizes)

    def labels(self, n_clusters: int) -> NDArray[np.intp]:
        """Cluster by k-means from the cut of the hierarchy that gives the better silhouette."""
        found = [
            lloyd(self._points, cut, self.metric, _ITERATIONS) for cut in self.cuts(n_clusters)
        ]
        best = max(found, key=lambda centroids: silhouette(self._points, centroids, self.metric))
        return knn(self._points, best, 1, self.metric)[1][:, 0]

    def cuts(self, n_clusters: int) -> list[NDArray[np.float32]]:
        """Give the centroids of so many clusters by each linkage."""
        k = min(n_clusters, self.n_pieces)
        return [
            centroids_of(self._points, hierarchy.cut(k)[self._pieces], self.metric)
            for hierarchy in self._hierarchies
        ]


def silhouette(
    points: NDArray[np.float32], centroids: NDArray[np.float32], metric: Metric
) -> float:
    """Give the mean simplified silhouette, from 0 to 1; 0 for one cluster."""
    if len(centroids) < 2:
        return 0.0
    own, other = knn(points, centroids, 2, metric)[0].T
    return float(np.mean((other - own) / np.maximum(other, np.finfo(np.float32).tiny)))
