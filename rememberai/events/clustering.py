"""Clusters: events that nobody named."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np

from rememberai._arrays import check_metric, pair_distances, prepare
from rememberai.errors import InputError, RememberAIError
from rememberai.events.kmeans import canonical_order, kmeans
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_JUDGED = 2000


class AlbumClusterer:
    """Cluster vectors by FAISS k-means.

    Parameters
    ----------
    n_clusters
        How many, or ``"auto"``: the number, from 2 to three times the root of that of the vectors,
        with the best mean simplified silhouette. Some 30 numbers are tried, among them every one
        near a best below about 30.
    metric
        ``"cosine"`` (spherical k-means) or ``"l2"``.
    min_size
        Members of smaller clusters are noise.
    n_init
        Restarts of k-means.
    random_state
        Seed of k-means.

    Attributes
    ----------
    n_clusters_
        How many clusters were found, noise not counted.
    labels_
        (n,) from 0, the largest cluster first; -1 is noise.
    centroids_
        (n_clusters_, dimension) float32.
    distances_
        (n,) float32 distance of each vector to the centroid of its cluster; noise to the centroid
        of the cluster that was too small.

    References
    ----------
    Hruschka et al., "Evolving clusters in gene-expression data", Information Sciences 2006
    (simplified silhouette: distances to centroids in place of distances to members).
    """

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = "auto",
        *,
        metric: Metric = "cosine",
        min_size: int = 2,
        n_init: int = 5,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.min_size = min_size
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, vectors: ArrayLike) -> Self:
        """Cluster (n, dimension) vectors.

        Raises
        ------
        InputError
            No vectors, vectors that can't be used, more clusters than vectors, or parameters
            below 1.
        """
        check_metric(self.metric)
        array = prepare(vectors, self.metric)
        if len(array) == 0:
            raise InputError("there must be a vector to cluster; none came")
        if min(self.min_size, self.n_init) < 1:
            raise InputError(
                f"min_size and n_init must be at least 1; {self.min_size} and {self.n_init} came"
            )
        if self.n_clusters == "auto":
            centroids, labels = self._best(array)
        elif isinstance(self.n_clusters, Integral) and 1 <= self.n_clusters <= len(array):
            centroids, labels = self._run(array, self.n_clusters, self.n_init)
        else:
            raise InputError(
                f"n_clusters must be from 1 to the number of vectors, {len(array)}, or 'auto'; "
                f"{self.n_clusters!r} came"
            )
        sizes = np.bincount(labels, minlength=len(centroids))
        self.n_clusters_ = int((sizes >= self.min_size).sum())  # sorted by size: a prefix is kept
        self.labels_ = np.where(labels < self.n_clusters_, labels, -1)
        self.centroids_ = centroids[: self.n_clusters_]
        self.distances_ = pair_distances(array, centroids[labels], self.metric)
        return self

    def representatives(self, n: int) -> list[NDArray[np.intp]]:
        """List, for each cluster, up to n members, the nearest to the centroid first."""
        if not hasattr(self, "labels_"):
            raise RememberAIError("nothing is clustered yet; call fit first")
        if n < 1:
            raise InputError(f"n must be at least 1; {n} came")
        return [
            members[np.argsort(self.distances_[members], kind="stable")[:n]]
            for members in (np.flatnonzero(self.labels_ == i) for i in range(self.n_clusters_))
        ]

    def _run(
        self, array: NDArray[np.float32], n_clusters: int, n_init: int
    ) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        return kmeans(
            array,
            n_clusters,
            metric=self.metric,
            n_init=n_init,
            max_iter=25,
            random_state=self.random_state,
        )

    def _best(self, array: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        sample = array[canonical_order(array)[:: -(-len(array) // _JUDGED)]]
        low, high = (
            2,
            max(2, min(len(array) // max(self.min_size, 2), round(3 * len(array) ** 0.5))),
        )
        scores: dict[int, float] = {}
        for _ in range(2):  # over the whole range, then around the best
            for k in np.unique(np.geomspace(low, high, 16).round().astype(int)).tolist():
                if k not in scores:
                    scores[k] = self._silhouette(sample, self._run(array, k, 1)[0])
            tried = sorted(scores)
            best = max(tried, key=lambda k: scores[k])
            place = tried.index(best)
            low, high = tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)]
        return self._run(array, best, self.n_init)

    def _silhouette(self, array: NDArray[np.float32], centroids: NDArray[np.float32]) -> float:
        if len(centroids) < 2:
            return 0.0
        distances, _ = knn(array, centroids, 2, self.metric)
        own, other = distances.T
        return float(np.mean((other - own) / np.maximum(other, np.finfo(np.float32).tiny)))
