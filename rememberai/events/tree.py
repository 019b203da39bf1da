"""From hierarchies to clusters: k-means started from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.hierarchy import LINKAGES, Hierarchy
from rememberai.events.kmeans import first_of_equals, kmeans, lloyd, member_means, to_sphere
from rememberai.index.knn import knn
from rememberai.records import uncounted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rememberai.events.hierarchy import Linkage
    from rememberai.records import Metric, Step

    Vectors = NDArray[np.float32]

MOST_PIECES = 3000
_FEWEST = 500
_PER_CLUSTER = 3
PIECE_ITERATIONS = 4  # more cost time, and several starts come out alike more often
ITERATIONS = 10


class ClusterTree:
    """Hierarchies of clusters by one linkage or two, over small pieces found by k-means.

    Up to 500 points, or to as many as clusters are asked for, are pieces by themselves.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order.
    n_clusters
        The most clusters that will be asked for; it decides how many pieces there are.
    step
        Called as by `kmeans` of `PIECE_ITERATIONS`, if pieces have to be found.

    Attributes
    ----------
    pieces
        (n,) the piece of each vector, from 0.
    drawn
        Whether the pieces depend on random_state.
    """

    def __init__(
        self,
        points: Vectors,
        n_clusters: int,
        metric: Metric,
        random_state: int,
        linkages: Sequence[Linkage] = LINKAGES,
        step: Step = uncounted,
    ) -> None:
        self._points = points
        self._metric = metric
        n_pieces = min(len(points), MOST_PIECES, max(_FEWEST, _PER_CLUSTER * n_clusters))
        self.drawn = n_pieces < len(points)
        if not self.drawn:
            self.pieces = np.cumsum(first_of_equals(points, np.arange(n_pieces))) - 1
        else:
            self.pieces = kmeans(
                points,
                n_pieces,
                metric=metric,
                n_init=1,
                max_iter=PIECE_ITERATIONS,
                random_state=random_state,
                step=step,
            )[1]
        self._means = member_means(points, self.pieces)
        self._sizes = np.bincount(self.pieces)
        squares = ((points - self._means[self.pieces]) ** 2).sum(axis=1)
        scatters = np.bincount(self.pieces, squares) / self._sizes
        self._hierarchies = [
            Hierarchy(self._means, self._sizes, scatters, linkage) for linkage in linkages
        ]

    def labels(self, n_clusters: int, step: Step = uncounted) -> NDArray[np.intp]:
        """Cluster by k-means from the cut of the hierarchy that gives the better silhouette.

        Parameters
        ----------
        step
            Called after each of the `ITERATIONS`, which are as many for each hierarchy.
        """
        return self._cluster(self._points, np.ones(len(self._points)), n_clusters, step)

    def labels_of_pieces(self, n_clusters: int) -> NDArray[np.intp]:
        """Cluster the pieces alone, each as heavy as its members, which is faster."""
        means = to_sphere(self._means) if self._metric == "cosine" else self._means
        return self._cluster(means.astype(np.float32), self._sizes, n_clusters)

    def _cluster(
        self,
        points: Vectors,
        weights: NDArray[np.number],
        n_clusters: int,
        step: Step = uncounted,
    ) -> NDArray[np.intp]:
        cuts = [self._cut(each, n_clusters) for each in self._hierarchies]
        found = [lloyd(points, cut, self._metric, ITERATIONS, weights, step) for cut in cuts]
        best = max(found, key=lambda some: silhouette(points, some, self._metric, weights))
        return knn(points, best, 1, self._metric)[1][:, 0]

    def _cut(self, hierarchy: Hierarchy, n_clusters: int) -> Vectors:
        """Give the centroids of so many clusters."""
        labels = hierarchy.cut(min(n_clusters, len(self._sizes)))
        centroids = member_means(self._means, labels, self._sizes)
        return (to_sphere(centroids) if self._metric == "cosine" else centroids).astype(np.float32)


def silhouette(
    points: Vectors,
    centroids: Vectors,
    metric: Metric,
    weights: NDArray[np.number] | None = None,
) -> float:
    """Give the mean simplified silhouette, from 0 to 1; 0 for one cluster."""
    if len(centroids) < 2:
        return 0.0
    own, other = knn(points, centroids, 2, metric)[0].T
    scores = (other - own) / np.maximum(other, np.finfo(np.float32).tiny)
    return float(np.average(scores, weights=weights))
