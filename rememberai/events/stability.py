"""How many clusters there are: as many as are found again in other halves of the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import by_size, centroids_of
from rememberai.events.refinement import smooth
from rememberai.events.tree import ClusterTree, silhouette
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rememberai.records import Metric

    Vectors = NDArray[np.float32]

_AT_MOST = 5000
_FEW = 100  # halves of fewer tell little
_JUDGED = 2000
_VECTORS, _FEWEST, _MOST = 10_000, 8, 20  # as many splits as make this many vectors together
_N_NUMBERS, _EACH = 20, 12
_SHUFFLES = 2


def stable_number(
    points: Vectors,
    highest: int,
    metric: Metric,
    random_state: int,
) -> int:
    """Find the number of clusters that is most stable.

    The points are split at random into halves, and each half is clustered by itself; then the
    clusters of either label all points. How far both agree, beyond chance, is the stability of a
    number. Alone it would favour a few coarse clusters, so its square is multiplied by the mean
    silhouette; the number with the best mean over the splits is taken. Of fewer than 100 points
    halves tell little, so the silhouette of all of them alone decides.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order; of more than 5,000 some are drawn.
    highest
        The largest number to try; 2 is the least, but for fewer than four points it is 1.

    References
    ----------
    Lange et al., "Stability-based validation of clustering solutions", Neural Computation 2004;
    Vinh et al., "Information theoretic measures for clusterings comparison", JMLR 2010 (agreement
    adjusted for chance).
    """
    if len(points) < 4 or (points == points[0]).all():
        return 1
    if len(points) < _FEW:
        return _best_silhouette(
            points, highest, ClusterTree(smooth(points, metric), highest, metric, 0)
        )
    random = np.random.default_rng([random_state, len(points)])
    n_splits = int(np.clip(_VECTORS // len(points), _FEWEST, _MOST))
    splits = [_Split(points, highest, metric, random) for _ in range(n_splits)]
    scores: dict[int, float] = {}
    numbers = np.r_[2 : min(highest, _EACH) + 1, np.geomspace(2, max(2, highest), _N_NUMBERS)]
    for _ in range(2):  # over the whole range, then around the best
        for k in np.unique(numbers.round().astype(int)).tolist():
            scores[k] = float(np.mean([split.scores(k) for split in splits], axis=0).max())
        tried = sorted(scores)
        place = tried.index(max(tried, key=lambda k: scores[k]))
        around = np.arange(tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)] + 1)
        numbers = np.setdiff1d(around, tried)[:: max(1, len(around) // _EACH)].astype(float)
    return max(sorted(scores), key=lambda k: scores[k])


def separated_number(
    points: Vectors, highest: int, centroids: Callable[[int], Vectors], metric: Metric
) -> int:
    """Find the number of clusters, from 2 on, with the best mean simplified silhouette.

    Some 30 numbers are tried, among them every one near a best below about 30.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order; of more than 2,000 some are judged.
    centroids
        Clusters all points into so many.
    """
    sample = points[:: -(-len(points) // _JUDGED)]
    low, high = 2, max(2, highest)
    scores: dict[int, float] = {}
    for _ in range(2):  # over the whole range, then around the best
        for k in np.unique(np.geomspace(low, high, 16).round().astype(int)).tolist():
            if k not in scores:
                scores[k] = silhouette(sample, centroids(k), metric) if k <= len(points) else 0.0
        tried = sorted(scores)
        best = max(tried, key=lambda k: scores[k])
        place = tried.index(best)
        low, high = tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)]
    return min(best, len(points))


def _best_silhouette(points: Vectors, highest: int, tree: ClusterTree) -> int:
    scores = {}
    for k in range(2, max(2, highest) + 1):
        labels = by_size(tree.labels(k))[1]
        scores[k] = silhouette(points, centroids_of(points, labels, tree.metric), tree.metric)
    return max(scores, key=lambda k: scores[k])


class _Split:
    """Two halves of some points, each with its hierarchies."""

    def __init__(
        self,
        points: Vectors,
        highest: int,
        metric: Metric,
        random: np.random.Generator,
    ) -> None:
        some = random.permutation(len(points))[:_AT_MOST]
        halves = [points[np.sort(some[i::2])] for i in (0, 1)]
        moved = [smooth(half, metric) for half in halves]
        self._trees = [ClusterTree(half, highest, metric, 0) for half in moved]
        step = -(-len(some) // _JUDGED)
        self._judged = [half[::step] for half in moved]
        self._metric = metric

    def scores(self, n_clusters: int) -> list[float]:
        """Score so many clusters by each linkage."""
        found = []
        for cuts in zip(*(tree.cuts(n_clusters) for tree in self._trees), strict=True):
            every = np.concatenate(self._judged)
            a, b = (knn(every, cut, 1, self._metric)[1][:, 0] for cut in cuts)
            apart = [
                silhouette(points, cut, self._metric)
                for points, cut in zip(self._judged, cuts, strict=True)
            ]
            stable = max(agreement(a, b), 0.0)
            found.append(stable**2 * float(np.mean(apart)))
        return found


def agreement(a: NDArray[np.integer], b: NDArray[np.integer]) -> float:
    """Give the mutual information of two labellings, adjusted for chance: 1 for equal, 0 for none.

    What chance alone would give is measured on shuffled labels.
    """
    random = np.random.default_rng(0)
    found = _information(a, b)
    chance = np.mean([_information(a, random.permutation(b)) for _ in range(_SHUFFLES)])
    most = (_information(a, a) + _information(b, b)) / 2
    return float((found - chance) / (most - chance)) if most > chance else 0.0


def _information(a: NDArray[np.integer], b: NDArray[np.integer]) -> float:
    n_a, n_b = int(a.max()) + 1, int(b.max()) + 1
    joint = np.bincount(a * n_b + b, minlength=n_a * n_b).reshape(n_a, n_b) / len(a)
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / apart[there])).sum())
