"""Near-duplicates: a burst of photos, or a sentence that was hardly changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.energy import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of MiniLM's vectors of 150 sentences, half were nearer to the same sentence with another full stop
# or with "again" at its end; of different people's sentences about one event, 1 in 300.
_NEAR = 1 / 20


def without_duplicates(energy: NDArray[np.float32]) -> NDArray[np.intp]:
    """Keep one of each group of near-duplicates: the one that has the most, then so on.

    Two points are near-duplicates when the energy between them, half their squared Euclidean
    distance, is less than a twentieth of what it is between two of the points on the average. In
    the hundreds of dimensions that texts and photos have, points that have nothing to do with each
    other are never that near.

    Parameters
    ----------
    energy
        (n, n) between points of which none is there twice, in canonical order, which settles ties.

    Returns
    -------
    NDArray
        The rows kept, in order.

    References
    ----------
    Star clusters: Aslam, Pelekhov and Rus, "The star clustering algorithm", JGAA 2004.
    """
    near = energy < _NEAR * energy.mean(dtype=np.float64)  # as `near_energy`, without another look
    np.fill_diagonal(near, val=True)
    n_near = near.sum(axis=1)
    kept = n_near == 1
    left = ~kept
    for row in np.argsort(-n_near, kind="stable")[: np.count_nonzero(left)]:
        if left[row]:
            kept[row] = True
            left &= ~near[row]
    return np.flatnonzero(kept)


def near_energy(points: NDArray[np.float32]) -> float:
    """Give the energy below which two points are near-duplicates."""
    return _NEAR * spread(points)
