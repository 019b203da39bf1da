"""Descriptions: an event told by words about it, its name or a sentence, beside its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._arrays import prepare
from rememberai.errors import InputError
from rememberai.events.temperature import best_temperature, energy, softmax
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_FACTORS = np.geomspace(0.1, 30, 20)
_LAST_DIGITS = 1e-5  # so much of a distance float32 may have wrong, some times over


class EventDescriptions:
    """Tell events apart by the vectors of words that describe them.

    The probability of an event is the softmax over the events of (m - d) / t, where d is the cosine
    distance of a photo to the event's description, or half the squared Euclidean distance, and m is
    the mean of d over the seeds, each event counted alike: some words are near to everything. The
    temperature t is the one under which the seeds' own events are most probable; where the
    descriptions say nothing it is high, and all events are about as probable. A single event has
    nothing but the others to be told from: they tell the temperature, and m is 0, since the mean
    over its own seeds would take away what tells it from them.

    Attributes
    ----------
    vectors_
        (n_events, dimension) float32, prepared for the metric.
    means_
        (n_events,) m above.
    temperature_
        t above, in the unit of d: the best of 20 from 0.1 to 30 times the seeds' median standard
        deviation of d over the events.
    left_out_
        (n, n_events) probabilities of the seeds; a description is no seed.
    left_out_logits_
        (n, n_events + m) the seeds' `logits`.
    """

    def __init__(self, metric: Metric = "cosine") -> None:
        self.metric = metric

    def fit(
        self,
        descriptions: Mapping[str, ArrayLike],
        events: Sequence[str],
        seeds: NDArray[np.float32],
        truth: NDArray[np.intp],
        others: NDArray[np.float32] | None = None,
    ) -> Self:
        """Learn the temperature.

        Parameters
        ----------
        descriptions
            The (dimension,) vector of each event's description.
        events
            The names of the events, in order.
        seeds
            (n, dimension) float32 seeds, prepared for the metric.
        truth
            (n,) positions of their events.
        others
            (m, dimension) prepared descriptions of events that are not learned.

        Raises
        ------
        InputError
            An event has no description, or a description has no seeds, or the vectors do not fit.
        """
        if odd := sorted(set(descriptions) ^ set(events)):
            raise InputError(
                "where one event is described, all must be, and no other; "
                f"{odd[0]!r} is on one side only"
            )
        vectors: list[Any] = [descriptions[event] for event in events]
        self.vectors_ = prepare(vectors, self.metric, dimension=seeds.shape[1], name="descriptions")
        self._every = self.vectors_ if others is None else np.concatenate([self.vectors_, others])
        raw = self._costs(seeds, self._every)
        alone = len(events) == 1
        means = np.stack([raw[truth == i].mean(axis=0) for i in range(len(events))])
        self._means = np.zeros(len(self._every)) if alone else means.mean(axis=0)
        self.means_ = self._means[: len(events)]
        every = raw - self._means
        costs = every[:, : len(events)]
        rivals = every if alone else costs
        scale = float(np.median(rivals.std(axis=1)))
        self.temperature_ = (
            best_temperature(scale * _FACTORS, lambda t: softmax(-rivals / t), truth)
            if scale > _LAST_DIGITS * raw.mean()  # else nothing to be told from, or all are as near
            else 1.0
        )
        self.left_out_logits_ = -every / self.temperature_
        self.left_out_ = softmax(self.left_out_logits_[:, : len(events)])
        return self

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities for (n, dimension) prepared vectors."""
        costs = self._costs(vectors, self.vectors_)
        return softmax((self.means_ - costs) / self.temperature_)

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events + m) logarithms of probabilities, up to a constant a row."""
        costs = self._costs(vectors, self._every)
        return np.asarray((self._means - costs) / self.temperature_, np.float64)

    def _costs(
        self, vectors: NDArray[np.float32], described: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        distances, positions = knn(vectors, described, len(described), self.metric)
        costs = np.empty(distances.shape)
        np.put_along_axis(costs, positions, energy(distances, self.metric).astype(float), axis=1)
        return costs
