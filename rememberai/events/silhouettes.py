"""How well clusters are apart, and the number of them that is best apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import by_size
from rememberai.records import uncounted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rememberai.records import Metric, Step

_JUDGED = 2000
_N_NUMBERS = 24
_ROUNDS = 2
TRIES = _ROUNDS * _N_NUMBERS


class Silhouettes:
    """Mean silhouettes of some points under one labelling after the other.

    The silhouette of a point is how much nearer it is to the other members of its cluster than to
    the members of the next one, from -1 to 1; that of a point alone is 0.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors.

    References
    ----------
    Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis", Journal of Computational and Applied Mathematics 1987.
    """

    def __init__(self, points: NDArray[np.float32], metric: Metric) -> None:
        array = points - points.mean(axis=0, dtype=np.float64)  # the most digits are left
        squares = (array**2).sum(axis=1)
        apart = np.maximum(squares[:, None] + squares - 2 * (array @ array.T), 0)
        np.fill_diagonal(apart, 0)
        self._apart = apart / 2 if metric == "cosine" else np.sqrt(apart)

    def mean(self, labels: NDArray[np.intp]) -> float:
        """Give the mean over all points, whose clusters are numbered from 0; 0 for one cluster.

        Each cluster has a member.
        """
        sizes = np.bincount(labels)
        if len(sizes) < 2:
            return 0.0
        order, here = np.argsort(labels, kind="stable"), np.arange(len(labels))
        sums = np.add.reduceat(self._apart[:, order], np.cumsum(sizes) - sizes, axis=1)
        own = sums[here, labels] / np.maximum(sizes[labels] - 1, 1)
        means = sums / sizes
        means[here, labels] = np.inf
        other = means.min(axis=1)
        wider = np.maximum(np.maximum(own, other), np.finfo(np.float32).tiny)
        return float(np.where(sizes[labels] > 1, (other - own) / wider, 0).mean())


def separated_labels(
    points: NDArray[np.float32],
    highest: int,
    labels_of: Callable[[int], NDArray[np.intp]],
    metric: Metric,
    tried: Step = uncounted,
) -> NDArray[np.intp]:
    """Cluster into the number, from 2 on, with the best mean silhouette; equal points into one.

    Some 50 numbers are tried, among them every one near a best below about 100.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order; of more than 2,000 some are judged.
    labels_of
        Clusters all points into so many.
    tried
        Called after each of the `TRIES`, some of which are of a number again.
    """
    if len(points) < 2 or (points == points[0]).all():
        return np.zeros(len(points), np.intp)
    some = slice(None, None, -(-len(points) // _JUDGED))
    silhouettes = Silhouettes(points[some], metric)
    low, high = 2, max(2, highest)
    scores: dict[int, float] = {}
    for _ in range(_ROUNDS):  # over the whole range, then around the best
        for k in np.geomspace(low, high, _N_NUMBERS).round().astype(int).tolist():
            if k not in scores:
                labels = by_size(labels_of(k)[some])[1]
                scores[k] = round(silhouettes.mean(labels), 6)  # the last digits decide nothing
            tried()
        known = sorted(scores)
        best = max(known, key=lambda k: scores[k])
        place = known.index(best)
        low, high = known[max(place - 1, 0)], known[min(place + 1, len(known) - 1)]
    return labels_of(best)
