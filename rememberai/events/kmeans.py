"""K-means by FAISS, on all points, whatever their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai._faiss import import_faiss
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric


def canonical_order(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    """Order rows by their bytes, so that a result does not depend on the order of the input."""
    rows = vectors.view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize))).ravel()
    return np.argsort(rows, kind="stable")


def kmeans(
    vectors: NDArray[np.float32],
    n_clusters: int,
    *,
    metric: Metric,
    n_init: int,
    max_iter: int,
    random_state: int,
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Cluster prepared vectors: Lloyd's iterations from k-means++ seeds.

    Parameters
    ----------
    vectors
        (n, dimension), n at least n_clusters; unit length under the cosine metric, whose centroids
        are then unit length too (spherical k-means).
    n_init
        Runs from other seeds; the one with the least inertia is kept.

    Returns
    -------
    tuple
        (m, dimension) centroids and (n,) labels from 0 to m - 1; every cluster has a member, so m
        is less than n_clusters when there are fewer distinct vectors. The largest comes first.

    References
    ----------
    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """
    faiss = import_faiss()
    order = canonical_order(vectors)
    ordered = vectors[order]
    distinct = 1 + int((ordered[1:] != ordered[:-1]).any(axis=1).sum())
    k = min(n_clusters, distinct)
    run = faiss.Kmeans(
        vectors.shape[1],
        k,
        niter=max_iter,
        nredo=n_init,
        seed=random_state,
        spherical=metric == "cosine",
        init_method=faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS,
        # FAISS takes 256 points a centroid otherwise, without a word.
        max_points_per_centroid=len(vectors),
        min_points_per_centroid=1,
    )
    run.train(ordered)
    _, nearest = knn(vectors, run.centroids, 1, metric)
    sizes = np.bincount(nearest[:, 0], minlength=k)
    by_size = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    rank = np.empty(k, np.intp)
    rank[by_size] = np.arange(len(by_size))
    return run.centroids[by_size], rank[nearest[:, 0]]
