"""The ridge head: kernel ridge regression of the events on the vectors, from all seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.seedset import in_batches
from rememberai.events.temperature import best_temperature, rounded, softmax

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

_RIDGE = 0.3
_LANDMARKS = 1024
_JITTER = 1e-6  # keeps the landmarks' kernel regular where some are all but equal
_TEMPERATURES = np.geomspace(0.02, 1, 18)
_AT_ONCE = 4096  # rows


class RidgeHead:
    """Regress the events on the vectors; scores s give the probabilities softmax(s / t).

    The kernel of two vectors is exp(-e / v): e is half their squared Euclidean distance, and v its
    mean over pairs of seeds. The ridge is 0.3. The functions are sums over at most 1,024 landmarks,
    which are seeds (subset of regressors); all seeds are regressed upon. The points at which the
    Gaussian head expects the events by their descriptions can be given as further seeds.

    Attributes
    ----------
    temperature_
        t above: the best of 18 from 0.02 to 1.
    left_out_
        (n, n_events) probabilities of the seeds, each by the regression without its group.

    References
    ----------
    Saunders et al., "Ridge regression learning algorithm in dual variables", ICML 1998;
    Quinonero-Candela and Rasmussen, "A unifying view of sparse approximate Gaussian process
    regression", JMLR 6, 2005.
    """

    def fit(
        self, seeds: SeedSet, expected: NDArray[np.float64] | None = None, strength: float = 0.0
    ) -> Self:
        """Learn the regression and the temperature.

        Parameters
        ----------
        expected, strength
            (n_events, dimension) points of which each counts as so many seeds of its event.
        """
        count, events = len(seeds.truth), np.eye(seeds.n_events)
        self._origin = seeds.vectors.mean(axis=0, dtype=np.float64)
        vectors = seeds.vectors - self._origin
        energy = float((vectors**2).sum(axis=1).mean())  # half of E|x - y|^2
        self._energy = energy if energy > 0 else 1.0
        targets, roots, groups = events[seeds.truth], np.ones((count, 1)), seeds.groups
        if expected is not None and strength > 0:
            vectors = np.concatenate([vectors, expected - self._origin])
            roots = np.concatenate([roots, np.full((len(events), 1), np.sqrt(strength))])
            targets = roots * np.concatenate([targets, events])
            groups = np.concatenate([groups, groups.max() + 1 + np.arange(len(events))])
        self._landmarks = _spread_evenly(vectors, _LANDMARKS)
        self._regress(vectors, targets, roots)
        left = self._left_out(vectors, targets, roots, groups)[:count]  # seeds: their roots are 1
        self.temperature_ = best_temperature(
            _TEMPERATURES, lambda t: softmax(left / t), seeds.truth, seeds.judged()
        )
        self.left_out_ = softmax(left / self.temperature_)
        del self._matrix, self._right
        return self

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities for (n, dimension) prepared vectors."""
        scores = np.empty((len(vectors), self._weights.shape[1]))
        for start in range(0, len(vectors), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            scores[some] = self._kernel(vectors[some] - self._origin) @ self._weights
        return softmax(rounded(scores) / self.temperature_)

    def _regress(
        self,
        vectors: NDArray[np.float64],
        targets: NDArray[np.float64],
        roots: NDArray[np.float64],
    ) -> None:
        """Solve the normal equations; rows weigh as the squares of their roots."""
        m = len(self._landmarks)
        self._matrix = _RIDGE * (self._kernel(self._landmarks) + _JITTER * np.eye(m))
        self._right = np.zeros((m, targets.shape[1]))
        for start in range(0, len(vectors), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            kernel = roots[some] * self._kernel(vectors[some])
            self._matrix += kernel.T @ kernel
            self._right += kernel.T @ targets[some]
        self._weights = np.linalg.solve(self._matrix, self._right)

    def _left_out(
        self,
        vectors: NDArray[np.float64],
        targets: NDArray[np.float64],
        roots: NDArray[np.float64],
        groups: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """Score the rows, each by the regression without its group."""
        inverse = np.linalg.inv(self._matrix)
        left = np.empty_like(targets)
        for rows in in_batches(groups, _AT_ONCE):
            size, m = rows.shape[1], len(inverse)
            kernel = roots[rows] * self._kernel(vectors[rows.ravel()]).reshape(-1, size, m)
            across, own = kernel.transpose(0, 2, 1), targets[rows]
            if size < m:
                hats = (kernel.reshape(-1, m) @ inverse).reshape(kernel.shape) @ across
                wrong = own - kernel @ self._weights
                left[rows] = own - np.linalg.solve(np.eye(size) - hats, wrong)
            else:
                matrix, right = self._matrix - across @ kernel, self._right - across @ own
                left[rows] = kernel @ np.linalg.solve(matrix, right)
        return rounded(left)

    def _kernel(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the (n, m) kernel of centred vectors and the landmarks."""
        squares = (vectors**2).sum(axis=1)[:, None] + (self._landmarks**2).sum(axis=1)
        energies = np.maximum(squares / 2 - vectors @ self._landmarks.T, 0)
        kernel: NDArray[np.float64] = np.exp(-energies / self._energy)
        return kernel


def _spread_evenly(vectors: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Take at most so many rows, evenly over the values of their first coordinate."""
    order = np.argsort(vectors[:, 0], kind="stable")
    m = min(len(order), most)
    return vectors[order[np.arange(m) * len(order) // m]]
