"""How many clusters there are: as many as describe a walk over the vectors in the fewest words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.tree import ClusterTree
from rememberai.events.walk import Walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Metric

_AT_MOST = 5000
_STEPS = 4
_N_NUMBERS, _EACH = 60, 30


def shortest_number(
    points: NDArray[np.float32], highest: int, metric: Metric, random_state: int
) -> int:
    """Find the number of clusters by which a walk from vector to vector is told most briefly.

    A walk is told as the way through towns is: within a town by the names of its streets, which are
    short, and from town to town by the names of the towns. Few clusters make long names of streets,
    many make many changes; the map equation gives the length of the best code. The clusters are
    those of the smoothed vectors, and a step of the walk is four from neighbour to neighbour.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order; of more than 5,000 some are taken.
    highest
        The largest number to try; 2 is the least, but for fewer than four vectors, and where all
        are equal, it is 1.

    References
    ----------
    Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure",
    PNAS 2008; Schaub et al., "Encoding dynamics for multiscale community detection: Markov time
    sweeping for the map equation", Physical Review E 2012 (walks of more than one step).
    """
    if len(points) < 4 or (points == points[0]).all():
        return 1
    some = points[:: -(-len(points) // _AT_MOST)]
    walk = Walk(some, metric)
    tree = ClusterTree(walk.smooth(), highest, metric, random_state)
    flow = walk.flow(tree.pieces, _STEPS)
    lengths: dict[int, float] = {}
    numbers = np.r_[2 : _EACH + 1, np.geomspace(2, max(highest, 2), _N_NUMBERS)].round()
    for _ in range(2):  # over the whole range, then around the best
        for k in np.unique(numbers[numbers <= max(highest, 2)].astype(int)).tolist():
            lengths[k] = code_length(flow, tree.labels_of_pieces(k))
        tried = sorted(lengths)
        best = min(tried, key=lambda k: lengths[k])
        place = tried.index(best)
        around = np.arange(tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)] + 1)
        numbers = np.setdiff1d(around, tried)
    return best


def code_length(flow: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Measure how long the description of a walk is.

    Parameters
    ----------
    flow
        (m, m) symmetric shares of the steps that go from one piece to the other.
    labels
        (m,) the cluster of each piece.

    Returns
    -------
    float
        Bits a step, less what the names of the pieces take, which is the same for all clusters.
    """
    there = np.bincount(labels, flow.sum(axis=1))
    staying = np.where(labels[:, None] == labels, flow, 0).sum(axis=1)
    leaving = np.maximum(there - np.bincount(labels, staying), 0)
    length = _xlogx(leaving.sum(keepdims=True)) - 2 * _xlogx(leaving) + _xlogx(leaving + there)
    return round(length, 9)  # the last digits depend on the order of the sums


def _xlogx(shares: NDArray[np.float64]) -> float:
    some = shares[shares > 0]
    return float(some @ np.log2(some))
