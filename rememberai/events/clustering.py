"""Clusters: events that nobody named."""

from __future__ import annotations

from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np

from rememberai._arrays import check_count, check_metric, pair_distances, prepare
from rememberai.errors import InputError, RememberAIError
from rememberai.events.constraints import Constraints
from rememberai.events.hierarchy import Hierarchy
from rememberai.events.kmeans import by_size, canonical_order, centroids_of, kmeans, n_steps
from rememberai.events.mapequation import shortest_number
from rememberai.events.refinement import retrained
from rememberai.events.silhouettes import TRIES, separated_labels
from rememberai.events.stable import keep_ids
from rememberai.events.tree import (
    ITERATIONS,
    MOST_PIECES,
    PIECE_ITERATIONS,
    ClusterTree,
    silhouette,
)
from rememberai.events.walk import Walk
from rememberai.records import Steps, quiet, uncounted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric, Progress, Step

_MOST_ITERATIONS = 25


class AlbumClusterer:
    """Cluster vectors by FAISS k-means, refined by their neighbours.

    Each vector is first moved to where its neighbours are (`Walk`). K-means then starts from two
    hierarchies: Ward's, which suits clusters of like size, and average linkage, which suits those
    of very different size; the result with the better mean silhouette stands, and of several starts
    the one whose clusters are best apart where the vectors were before they moved. At last the
    clusters teach a Gaussian head, which labels the vectors as they came (`retrained`).

    Parameters
    ----------
    n_clusters
        How many, or ``"auto"``: the number, from 2 to three times the root of that of the vectors,
        by which a walk over the vectors is told most briefly; see `shortest_number`.
    metric
        ``"cosine"`` (spherical k-means) or ``"l2"``.
    refine
        Whether to do all that. False is k-means from Ward's hierarchy, for vectors that were
        brought together already; their number is that with the best mean silhouette
        (`separated_labels`).
    min_size
        Members of smaller clusters are noise.
    n_init
        Starts, of which the best stands, where refine is True, and restarts of k-means++ above
        3,000 clusters.
    random_state
        Seed of k-means++. Up to 500 vectors, and up to 3,000 where refine is False, nothing is
        drawn.

    Attributes
    ----------
    n_clusters_
        How many clusters were found, noise not counted.
    labels_
        (n,) from 0, the largest cluster first; -1 is noise.
    centroids_
        (n_clusters_, dimension) float32: the means of the members, of unit length under cosine.
    distances_
        (n,) float32 distance of each vector to the centroid of its cluster; noise to the centroid
        of the cluster that was too small.
    kinds_
        (n_clusters_,) the kind of each cluster, from 0: clusters that are alike, such as all
        birthdays, by average linkage of the centroids and their mean silhouette; at most the root
        of the number of clusters.
    ids_
        (n_clusters_,) int64 the id of each cluster, which it keeps from one fit to the next where
        `previous` is given.
    next_id_
        Above all ids ever given.

    References
    ----------
    Rakib et al., "Enhancement of short text clustering by iterative classification", NLDB 2020
    (hierarchies in place of k-means++ as the start of a refinement).
    """

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = "auto",
        *,
        metric: Metric = "cosine",
        refine: bool = True,
        min_size: int = 2,
        n_init: int = 8,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.refine = refine
        self.min_size = min_size
        self.n_init = n_init
        self.random_state = random_state

    def fit(
        self,
        vectors: ArrayLike,
        *,
        must_link: ArrayLike = (),
        cannot_link: ArrayLike = (),
        previous: ArrayLike | None = None,
        next_id: int = 0,
        progress: Progress = quiet,
    ) -> Self:
        """Cluster (n, dimension) vectors.

        Parameters
        ----------
        must_link, cannot_link
            (m, 2) pairs of rows that belong together, and that do not. All are obeyed, with more
            clusters than n_clusters where cannot_link asks for them.
        previous
            (n,) the id of the cluster that each row was in before, -1 for none: new rows and noise.
            A cluster keeps the id of the earlier one that it shares most rows with.
        next_id
            `next_id_` of the fit before, so that the id of a cluster that is gone is not used
            again.
        progress
            Called as ``progress("clustering", done, total)``; where refine is False, of the steps
            of k-means and, where the number of clusters is looked for, of those to try; else of 1.

        Raises
        ------
        InputError
            No vectors, vectors that can't be used, more clusters than vectors, parameters that are
            no whole numbers or too small, constraints that contradict each other, or previous ids
            that do not pair up with the vectors.
        """
        array, next_id = self._checked(vectors), check_count(next_id, "next_id", 0)
        constraints = Constraints(len(array), must_link, cannot_link)
        earlier = _earlier_ids(previous, len(array))
        order = canonical_order(array)
        points = array[order]
        found = self._cluster(points, partial(progress, "clustering"))
        if constraints:
            found = constraints.reordered(order).obey(points, found, self.metric)
        labels = np.empty(len(array), np.intp)
        labels[order] = by_size(found)[1]
        centroids = centroids_of(points, labels[order], self.metric)
        self.n_clusters_ = int((np.bincount(labels) >= self.min_size).sum())  # a prefix, by size
        self.labels_ = np.where(labels < self.n_clusters_, labels, -1)
        self.centroids_ = centroids[: self.n_clusters_]
        self.distances_ = pair_distances(array, centroids[labels], self.metric)
        self.kinds_ = kinds_of(self.centroids_, self.metric)
        next_id = max(next_id, int(earlier.max(initial=-1)) + 1)
        self.ids_, self.next_id_ = keep_ids(self.labels_, earlier, next_id)
        return self

    def representatives(self, n: int) -> list[NDArray[np.intp]]:
        """List, for each cluster, up to n members, the nearest to the centroid first."""
        if not hasattr(self, "labels_"):
            raise RememberAIError("nothing is clustered yet; call fit first")
        check_count(n, "n")
        return [
            members[np.argsort(self.distances_[members], kind="stable")[:n]]
            for members in (np.flatnonzero(self.labels_ == i) for i in range(self.n_clusters_))
        ]

    def _checked(self, vectors: ArrayLike) -> NDArray[np.float32]:
        check_metric(self.metric)
        array = prepare(vectors, self.metric)
        if len(array) == 0:
            raise InputError("there must be a vector to cluster; none came")
        check_count(self.min_size, "min_size")
        check_count(self.n_init, "n_init")
        check_count(self.random_state, "random_state", 0)
        k = self.n_clusters
        if k != "auto" and not (isinstance(k, Integral) and 1 <= k <= len(array)):
            raise InputError(
                f"n_clusters must be from 1 to the number of vectors, {len(array)}, or 'auto'; "
                f"{k!r} came"
            )
        return array

    def _cluster(
        self, points: NDArray[np.float32], tick: Callable[[int, int], None]
    ) -> NDArray[np.intp]:
        """Label points in canonical order."""
        if not self.refine:
            return self._unrefined(points, tick)
        tick(0, 1)
        found = self._refined(points)
        tick(1, 1)
        return found

    def _unrefined(
        self, points: NDArray[np.float32], tick: Callable[[int, int], None]
    ) -> NDArray[np.intp]:
        highest = min(len(points) // max(self.min_size, 2), _highest(points))
        auto = self.n_clusters == "auto"
        most = highest if auto else int(self.n_clusters)
        if most > MOST_PIECES:
            step = Steps(tick, n_steps(self.n_init, _MOST_ITERATIONS))
            return self._from_seeds(points, most, step)
        whole = len(points) <= MOST_PIECES
        first = 0 if whole else n_steps(1, PIECE_ITERATIONS)
        step = Steps(tick, first + (TRIES if auto else ITERATIONS))
        pieces = len(points) if whole else most
        tree = ClusterTree(points, pieces, self.metric, self.random_state, ("ward",), step)
        if auto:
            found = separated_labels(points, highest, tree.labels, self.metric, step)
        else:
            found = tree.labels(most, step)
        step.end()  # of equal points no number is tried
        return found

    def _refined(self, points: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.n_clusters == "auto":
            highest = min(len(points) // (2 * max(self.min_size, 2)), _highest(points))
            k = shortest_number(points, highest, self.metric, self.random_state)
        else:
            k = int(self.n_clusters)
        walk = Walk(points, self.metric)
        moved = walk.smooth()
        if k > MOST_PIECES:
            return self._from_seeds(moved, k)
        return retrained(points, self._best_start(points, moved, k), walk)

    def _best_start(
        self, points: NDArray[np.float32], moved: NDArray[np.float32], k: int
    ) -> NDArray[np.intp]:
        """Of the clusters of moved points, take those that are best apart as the points came."""
        best = -np.inf
        for i in range(self.n_init):
            tree = ClusterTree(moved, k, self.metric, self.random_state * self.n_init + i)
            labels = by_size(tree.labels(k))[1]
            centroids = centroids_of(points, labels, self.metric)
            apart = round(silhouette(points, centroids, self.metric), 6)
            if apart > best:
                best, found = apart, labels
            if not tree.drawn:
                break
        return found

    def _from_seeds(
        self, points: NDArray[np.float32], k: int, step: Step = uncounted
    ) -> NDArray[np.intp]:
        return kmeans(
            points,
            k,
            metric=self.metric,
            n_init=self.n_init,
            max_iter=_MOST_ITERATIONS,
            random_state=self.random_state,
            step=step,
        )[1]


def kinds_of(centroids: NDArray[np.float32], metric: Metric) -> NDArray[np.intp]:
    """Merge clusters that are alike, as far as the silhouette of their centroids says.

    Returns
    -------
    NDArray
        The kind of each cluster, from 0, the kind of most clusters first.
    """
    n = len(centroids)
    if n < 4:
        return np.arange(n)
    alike = Hierarchy(centroids, np.ones(n, int), np.zeros(n), "average")
    cuts = [alike.cut(k) for k in range(2, round(n**0.5) + 1)]
    scores = [silhouette(centroids, centroids_of(centroids, cut, metric), metric) for cut in cuts]
    return by_size(cuts[int(np.argmax(scores))])[1]


def _highest(points: NDArray[np.float32]) -> int:
    """Give the most clusters that are looked for."""
    return round(3 * float(np.sqrt(len(points))))


def _earlier_ids(previous: ArrayLike | None, n: int) -> NDArray[np.int64]:
    ids = np.full(n, -1) if previous is None else np.asarray(previous)
    if ids.shape != (n,) or ids.dtype.kind not in "iu":
        raise InputError(
            f"previous must be one whole number a row, -1 for none; {n} rows came, and previous of "
            f"the shape {ids.shape} and type {ids.dtype}"
        )
    return ids.astype(np.int64)
