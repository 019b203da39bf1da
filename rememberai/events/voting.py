"""The vote of the nearest prototypes for their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from rememberai.events.temperature import best_temperature, energy
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

Voting = Literal["plain", "similarity", "kernel"]
_FACTORS = np.geomspace(0.05, 2, 16)


class PrototypeVote:
    """Give an event the share of the weight of a photo's k nearest prototypes that are its own.

    Parameters
    ----------
    voting
        ``"plain"``: all k weigh alike. ``"similarity"``: from 1 for the nearest down to 0 for the
        k-th, linear in the distance (Dudani, IEEE Trans. SMC 6, 1976). ``"kernel"``: exp(-e / t),
        where e is the cosine distance, or half the squared Euclidean one (the same on unit
        vectors), and t the temperature under which the seeds' own events are most probable.
    k
        How many prototypes vote, at most.

    Attributes
    ----------
    temperature_
        t above: the best of 16 from 0.05 to 2 times the median e of the seeds to their nearest
        prototype.
    left_out_
        (n, n_events) probabilities of the seeds, each judged without the prototypes of its group
        and those equal to it.
    """

    def __init__(self, voting: Voting = "kernel", *, k: int = 20) -> None:
        self.voting = voting
        self.k = k

    def fit(
        self,
        seeds: SeedSet,
        prototypes: NDArray[np.float32],
        labels: NDArray[np.intp],
        groups: NDArray[np.intp],
    ) -> Self:
        """Learn the temperature.

        Parameters
        ----------
        prototypes
            (p, dimension), prepared.
        labels, groups
            (p,) the event and the group of each prototype.
        """
        self._prototypes, self._labels = prototypes, labels
        self._n_events, self._metric = seeds.n_events, seeds.metric
        self.temperature_ = 1.0
        spare = int(np.bincount(groups).max(initial=0))  # so many can fall out at most
        k = min(self.k + spare, len(prototypes))
        distances, positions = knn(seeds.vectors, prototypes, k, seeds.metric)
        distances[(groups[positions] == seeds.groups[:, None]) | (distances == 0)] = np.inf
        distances[np.cumsum(np.isfinite(distances), axis=1) > self.k] = np.inf
        judged = np.isfinite(distances).any(axis=1) & seeds.judged()
        nearest = energy(distances[judged].min(axis=1, initial=np.inf), seeds.metric)
        scale = float(np.median(nearest)) if len(nearest) else 0.0
        if self.voting == "kernel" and scale > 0:  # else any temperature votes alike
            some, places, truth = distances[judged], positions[judged], seeds.truth[judged]
            self.temperature_ = best_temperature(
                scale * _FACTORS, lambda t: self._shares(some, places, t), truth
            )
        self.left_out_ = self.shares(distances, positions)
        return self

    def nearest(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find the prototypes that vote: distances and positions, the closest first."""
        return knn(vectors, self._prototypes, min(self.k, len(self._prototypes)), self._metric)

    def shares(
        self, distances: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Turn (n, k) distances and positions into (n, n_events) probabilities.

        One that is infinitely far has no vote; where none has one, all events are alike.
        """
        return self._shares(distances, positions, self.temperature_)

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities for (n, dimension) prepared vectors."""
        return self.shares(*self.nearest(vectors))

    def _shares(
        self, distances: NDArray[np.float32], positions: NDArray[np.int64], temperature: float
    ) -> NDArray[np.float64]:
        weights = self._weights(distances, temperature)
        n = self._n_events
        cells = np.arange(len(distances))[:, None] * n + self._labels[positions]
        votes = np.bincount(cells.ravel(), weights.ravel(), len(distances) * n).reshape(-1, n)
        totals = votes.sum(axis=1, keepdims=True)
        return np.where(totals > 0, votes, 1) / np.where(totals > 0, totals, n)

    def _weights(self, distances: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        finite = np.isfinite(distances)
        if self.voting == "plain":
            return finite.astype(float)
        first = distances.min(axis=1, keepdims=True)
        first[~np.isfinite(first)] = 0
        if self.voting == "kernel":
            costs = energy(distances, self._metric) - energy(first, self._metric)
            return np.exp(-costs.astype(float) / temperature)
        last = np.where(finite, distances, -np.inf).max(axis=1, keepdims=True)
        span = np.where(last > first, last - first, 1)
        weights = np.where(last > first, np.maximum(last - distances, 0) / span, finite)
        return weights.astype(float)
