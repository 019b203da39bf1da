"""The Gaussian head: events as normal distributions of one shape, from all seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.covariance import SharedCovariance
from rememberai.events.seedset import in_batches
from rememberai.events.temperature import best_temperature, rounded, softmax

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

_TEMPERATURES = np.geomspace(0.25, 64, 17)
_AT_ONCE = 4096  # rows


class GaussianHead:
    """Tell events apart by normal distributions of one covariance, all events equally likely.

    The covariance is that of the seeds around their events' means, shrunk towards a multiple of the
    identity (Ledoit and Wolf, 2004). An event with few seeds borrows from the others: its mean is
    drawn towards m + b (v - w), as if that were the mean of `strength_` further seeds. Here m is
    the mean of the events' means, v the vector of the words that describe the event, w the mean of
    all v, and b what fits the events' means best; without descriptions it is m alone (empirical
    Bayes; Efron and Morris, 1973). Where shared is False the covariance is the identity and the
    means are the seeds' own: the nearest class mean.

    Attributes
    ----------
    means_
        (n_events, dimension) the events' means, drawn.
    expected_
        (n_events, dimension) where they are drawn to.
    shrinkage_
        The part of the identity in the covariance, from 0 to 1.
    strength_
        The variance of the seeds in their events over that of the events' means around where they
        are drawn to, by the method of moments; at most the number of seeds.
    temperature_
        What the log-likelihoods are divided by: the best of 17 from 1/4 to 64.
    left_out_
        (n, n_events) probabilities of the seeds, each judged without its group in the
        covariance and in its event's mean.
    left_out_logits_
        (n, n_events + m) the same as `logits`.

    References
    ----------
    Wang et al., "A hard-to-beat baseline for training-free CLIP-based adaptation", ICLR 2024.
    """

    def __init__(self, *, shared: bool = True) -> None:
        self.shared = shared

    def fit(
        self,
        seeds: SeedSet,
        descriptions: NDArray[np.float32] | None = None,
        others: NDArray[np.float32] | None = None,
    ) -> Self:
        """Learn the means, the covariance and the temperature.

        Parameters
        ----------
        descriptions
            (n_events, dimension) prepared vectors of the words that describe the events.
        others
            (m, dimension) the same of events that are not learned: they stand where their
            descriptions let expect them.
        """
        counts, own = seeds.counts(), seeds.means()
        self._origin = own.mean(axis=0)
        own = own - self._origin
        variance = self._learn_covariance(seeds, own)
        prior, beyond = _prior(own, descriptions, others) if self.shared else (own, own[:0])
        self.expected_ = prior + self._origin
        self.strength_ = 0.0
        if self.shared:
            between = float((((own - prior) ** 2).sum(axis=1) - variance / counts).mean())
            self.strength_ = min(variance / between if between > 0 else np.inf, len(seeds.truth))
        drawn = prior + (counts / (counts + self.strength_))[:, None] * (own - prior)
        self.means_ = drawn + self._origin
        every = np.concatenate([drawn, beyond])
        self._weights = self._precision @ every.T
        self._offsets = (every.T * self._weights).sum(axis=0) / 2
        scores = self._left_out(seeds, counts, own, prior)
        learned = scores[:, : seeds.n_events]
        self.temperature_ = best_temperature(
            _TEMPERATURES, lambda t: softmax(learned / t), seeds.truth, seeds.judged()
        )
        self.left_out_ = softmax(learned / self.temperature_)
        self.left_out_logits_ = scores / self.temperature_
        return self

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities for (n, dimension) prepared vectors."""
        return softmax(self._scores(vectors, len(self.means_)) / self.temperature_)

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events + m) logarithms of probabilities, up to a constant a row."""
        return self._scores(vectors, len(self._offsets)) / self.temperature_

    def _scores(self, vectors: NDArray[np.float32], n: int) -> NDArray[np.float64]:
        scores = (vectors - self._origin) @ self._weights[:, :n] - self._offsets[:n]
        return rounded(scores)

    def _learn_covariance(self, seeds: SeedSet, own: NDArray[np.float64]) -> float:
        """Learn the precision, and return the trace of the covariance."""
        n, dimension = seeds.vectors.shape
        learned = SharedCovariance.within(seeds.vectors, seeds.truth, own + self._origin)
        mean = learned.variance
        self.shrinkage_ = learned.shrinkage if self.shared else 1.0
        if not self.shared or mean <= 0 or len(np.unique(seeds.truth)) == n:
            self._part = 0.0
            scale = mean if mean > 0 else float((own**2).sum(axis=1).mean()) / dimension
            self._precision = np.eye(dimension) / (scale if scale > 0 else 1.0)
        else:
            self._part = (1 - self.shrinkage_) / n
            self._precision = learned.precision()
        return float(mean * dimension)

    def _left_out(
        self,
        seeds: SeedSet,
        counts: NDArray[np.intp],
        own: NDArray[np.float64],
        prior: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Score the seeds, each without its group in the covariance and its event's mean."""
        scores = np.empty((len(seeds.truth), len(self._offsets)))
        # A part is what a group has of one event.
        for rows in in_batches(seeds.parts(), _AT_ONCE):
            size, events = rows.shape[1], seeds.truth[rows[:, 0]]
            parts = seeds.vectors[rows] - self._origin
            left = (counts[events] - size)[:, None]
            total = left + self.strength_
            sums = counts[events, None] * own[events] - parts.sum(axis=1)
            means = (sums + self.strength_ * prior[events]) / np.maximum(total, 1e-300)
            # Where nothing is left the event stands where it is drawn to.
            means = np.where(total > 0, means, 0)
            found = self._without(parts, parts - own[events][:, None], left, means)
            scores[rows] = found[:, :, :-1]
            scores[rows, events[:, None]] = found[:, :, -1]
        return rounded(scores)

    def _without(
        self,
        parts: NDArray[np.float64],
        residuals: NDArray[np.float64],
        left: NDArray[np.intp],
        means: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Score (p, size, dimension) parts for all events and for `means`, each without itself.

        Without a part the scatter of its event, of which `left` seeds are left, is less by U' U,
        where U are the residuals and a multiple of their sum. The precision follows by Woodbury's
        identity.
        """
        size, dimension = parts.shape[1:]
        last = means @ self._precision
        offsets = np.concatenate(
            [
                np.tile(self._offsets, (len(means), 1)),
                (means * last).sum(axis=1, keepdims=True) / 2,
            ],
            axis=1,
        )

        def products(rows: NDArray[np.float64]) -> NDArray[np.float64]:
            both = [rows @ self._weights, rows @ last[:, :, None]]
            return np.asarray(np.concatenate(both, axis=2), np.float64)

        scores: NDArray[np.float64] = products(parts) - offsets[:, None]
        if not self._part:
            return scores
        more = (np.sqrt(1 + size / np.maximum(left, 1)) - 1) / size
        u = residuals + more[:, :, None] * residuals.sum(axis=1, keepdims=True)
        if size > dimension:
            u = np.linalg.qr(u, mode="r")
        u *= np.sqrt(self._part)
        moved, across = u @ self._precision, products(u)
        inverse = np.linalg.inv(np.eye(u.shape[1]) - moved @ u.transpose(0, 2, 1))
        change = inverse @ across
        scores += parts @ moved.transpose(0, 2, 1) @ change
        scores -= (across * change).sum(axis=1, keepdims=True) / 2
        return scores


def _prior(
    own: NDArray[np.float64],
    descriptions: NDArray[np.float32] | None,
    others: NDArray[np.float32] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give where the events' means are expected, and those of others."""
    if descriptions is None:
        return np.zeros_like(own), own[:0]
    centre = descriptions.mean(axis=0, dtype=np.float64)
    words = descriptions - centre
    length = float((words**2).sum())
    slope = float((words * own).sum()) / length if length > 0 else 0.0
    return slope * words, own[:0] if others is None else slope * (others - centre)
