"""Seeds of k-means: greedy k-means++."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.records import uncounted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.records import Step

PARTS = 10  # that the drawing is counted in
_PAIRED = 4096  # points of which the products of all pairs are made, in 64 MiB at most,
_PAIRED_FOR = 32  # where so many seeds are drawn; for fewer it costs more than it saves
_MANY = 256  # seeds of which each changes little, so that points can be drawn ahead
_AHEAD = 128


class Seeder:
    """Draws seeds among points, again and again.

    Parameters
    ----------
    points
        (n, dimension), n at least k.
    k
        How many seeds to draw.

    References
    ----------
    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; greedy as
    in Grunau et al., "A nearly tight analysis of greedy k-means++", SODA 2023.
    """

    def __init__(self, points: NDArray[np.float32], k: int) -> None:
        self._points, self._k = points, k
        self._norms = np.einsum("nd,nd->n", points, points)
        paired = k >= _PAIRED_FOR and len(points) <= _PAIRED
        self._products = points @ points.T if paired else None

    def draw(self, random: np.random.Generator, step: Step = uncounted) -> NDArray[np.float32]:
        """Draw points by their squared distance from those before; of a few the best is kept.

        Of many seeds among many points some are drawn ahead, since distances to more of them at
        once take less time. One that has come nearer to a seed meanwhile is passed over with the
        probability that makes up for it (rejection sampling), so those that are left are drawn as
        if they were drawn now.

        Parameters
        ----------
        step
            Called after each tenth of the seeds.

        Returns
        -------
        NDArray[np.float32]
            (k, dimension).
        """
        n_draws = 2 + int(np.log(self._k))
        many, told = self._products is None and self._k > _MANY, 0
        n_ahead = _AHEAD if many else n_draws
        chosen = [int(random.integers(len(self._points)))]
        nearest = before = self._squared(np.array(chosen))[0]
        draws, coins, apart = np.empty(0, np.intp), np.empty(0), nearest[None, :0]
        while len(chosen) < self._k:
            taken = np.flatnonzero(coins * before[draws] <= nearest[draws])[:n_draws]
            if len(taken) < n_draws:
                heap = np.cumsum(nearest, dtype=np.float64)
                draws = np.searchsorted(heap, random.random(n_ahead) * heap[-1], side="right")
                draws = np.minimum(draws, len(heap) - 1)
                coins = random.random(n_ahead) if many else np.zeros(n_ahead)
                before, apart = nearest, self._squared(draws)
                continue
            candidates = np.minimum(nearest, apart[taken])
            best = int(candidates.sum(axis=1, dtype=np.float64).argmin())
            chosen.append(int(draws[taken[best]]))
            nearest = candidates[best]
            left = slice(taken[-1] + 1, None)
            draws, coins, apart = draws[left], coins[left], apart[left]
            for _ in range(told, done := len(chosen) * PARTS // self._k):
                step()
            told = done
        for _ in range(told, PARTS):
            step()
        return self._points[chosen]

    def _squared(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Measure the (len(rows), n) squared distances of all points from some."""
        points, norms = self._points, self._norms
        some = points[rows] @ points.T if self._products is None else self._products[rows]
        apart: NDArray[np.float32] = norms - 2 * some + norms[rows, None]
        apart[np.arange(len(rows)), rows] = 0
        return np.maximum(apart, 0, out=apart)
