"""Assignment: which event is this photo, which event is this album, or unknown."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import prepare
from rememberai.errors import InputError, RememberAIError
from rememberai.events.answers import Assignment, NearestPrototype, PhotoAssignments
from rememberai.events.descriptions import EventDescriptions
from rememberai.events.kmeans import canonical_order
from rememberai.events.prototypes import EventPrototypes
from rememberai.events.temperature import best_temperature, energy
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_DEFAULT_K = 20
_FEW = 20  # below this many seeds an event borrows the spread of all
_SHOWN = 5


class EventAssigner:
    """Assign photos and albums to events by k-NN against prototypes.

    Each of a photo's k nearest prototypes votes for its event with the weight exp(-d / t), where d
    is the cosine distance, or half the squared Euclidean distance (the same on unit vectors). The
    temperature t is the one under which the seeds' own events are most probable, each seed judged
    without itself and its copies. Where the events are described, by their names or a sentence,
    the descriptions vote beside the prototypes: see `EventDescriptions`. An album's probabilities
    are the mean of its photos'.

    A photo is unknown when it is farther from every prototype of its most probable event than
    nearly all of the event's own seeds are from their nearest prototype; an album, when that is so
    on the average over its photos.

    Parameters
    ----------
    prototypes
        How prototypes are chosen, and the metric; `EventPrototypes()` by default.
    k
        How many prototypes vote; 20 by default, or all when there are fewer.
    coverage
        The part of an event's own seeds, from 0 to 1, that is to count as near; a lower one answers
        unknown more often.
    description_weight
        The part of the vote, from 0 to 1, that the descriptions have where there are some.

    Attributes
    ----------
    events_, prototypes_
        The events' names, and the fitted `EventPrototypes`.
    texts_
        The text of each prototype, or empty.
    descriptions_
        The fitted `EventDescriptions`, or None.
    temperature_
        t above, in the unit of d: the best of 16 from 0.05 to 2 times the seeds' median d to their
        nearest prototype.
    limits_
        (n_events,) float32 distance up to which a photo is near each event: the quantile
        `coverage` of its seeds' distances to their nearest prototype, themselves and copies left
        out. An event with few seeds gets that of all events' seeds; infinity where no event has two
        different ones.
    """

    def __init__(
        self,
        prototypes: EventPrototypes | None = None,
        *,
        k: int | None = None,
        coverage: float = 0.9,
        description_weight: float = 0.5,
    ) -> None:
        self.prototypes = prototypes
        self.k = k
        self.coverage = coverage
        self.description_weight = description_weight

    def fit(
        self,
        vectors: ArrayLike,
        events: Sequence[str],
        texts: Sequence[str] | None = None,
        *,
        descriptions: Mapping[str, ArrayLike] | None = None,
    ) -> Self:
        """Choose prototypes and learn the temperature and the limits.

        Parameters
        ----------
        vectors
            (n, dimension) seeds.
        events
            n names.
        texts
            n texts by which an answer can show its prototypes.
        descriptions
            The (dimension,) vector of words that describe each event, such as its name.

        Raises
        ------
        InputError
            Seeds that can't be used, texts that do not pair up with them, descriptions that are not
            one an event, k above the number of prototypes, or coverage or description_weight out of
            its range. What was learned before stays.
        """
        chooser = self.prototypes if self.prototypes is not None else EventPrototypes()
        chosen = copy.copy(chooser).fit(vectors, events)
        self._check_parameters(len(chosen.vectors_))
        if texts is not None and len(texts) != len(events):
            raise InputError(
                f"every seed needs one text; {len(events)} seeds and {len(texts)} texts came"
            )
        seeds = prepare(vectors, chosen.metric, name="seeds")
        places = {event: i for i, event in enumerate(chosen.events_)}
        truth = np.array([places[event] for event in events], np.intp)
        self.descriptions_ = (
            EventDescriptions(chosen.metric).fit(descriptions, chosen.events_, seeds, truth)
            if descriptions is not None
            else None
        )
        self.prototypes_ = chosen
        self.events_ = chosen.events_
        self.texts_ = [texts[i] if texts is not None else "" for i in chosen.positions_]
        self.temperature_ = self._learn_temperature(seeds, truth)
        self.limits_ = self._learn_limits(seeds, truth)
        return self

    @property
    def metric(self) -> Metric:
        """The metric of the fitted prototypes."""
        return self._fitted().metric

    def assign(self, vectors: ArrayLike) -> PhotoAssignments:
        """Assign photos one by one.

        Parameters
        ----------
        vectors
            (n, dimension) queries.
        """
        chosen = self._fitted()
        array = prepare(vectors, chosen.metric, dimension=chosen.vectors_.shape[1], name="queries")
        distances, positions = knn(array, chosen.vectors_, self._k(), chosen.metric)
        votes = self._probabilities(array, distances, positions)
        best = votes.argmax(axis=1)
        to_best = np.empty(len(array), np.float32)
        for event in np.unique(best):
            to_best[best == event] = self._to_event(array[best == event], event)
        names = np.array([*self.events_, None], dtype=object)
        near = to_best <= self.limits_[best]
        return PhotoAssignments(names[np.where(near, best, -1)], votes, to_best)

    def assign_album(self, vectors: ArrayLike) -> Assignment:
        """Assign an album.

        Parameters
        ----------
        vectors
            (n, dimension) the album's photos with words.

        Raises
        ------
        InputError
            The album is empty, or the vectors do not fit.
        """
        chosen = self._fitted()
        array = prepare(vectors, chosen.metric, dimension=chosen.vectors_.shape[1], name="album")
        if len(array) == 0:
            raise InputError(
                "the album has no photo with words; write memories or caption it first"
            )
        array = array[canonical_order(array)]  # a sum's last digits depend on the order
        distances, positions = knn(array, chosen.vectors_, self._k(), chosen.metric)
        pooled = self._probabilities(array, distances, positions).mean(axis=0)
        order = np.argsort(-pooled, kind="stable")
        best = order[0]
        distance = self._to_event(array, best).mean()
        reason = ""
        if distance > self.limits_[best]:
            reason = (
                f"nothing is near: {self.events_[best]!r} comes first, but its photos are "
                f"{distance:.3g} away from its prototypes on the average, and "
                f"{self.limits_[best]:.3g} is the limit"
            )
        runner_up = pooled[order[1]] if len(order) > 1 else 0.0
        return Assignment(
            event=None if reason else self.events_[best],
            probability=float(pooled[best]),
            margin=float(pooled[best] - runner_up),
            ranking=tuple((self.events_[i], float(pooled[i])) for i in order),
            nearest=self._nearest(distances, positions),
            n_photos=len(array),
            reason=reason,
        )

    def _to_event(self, array: NDArray[np.float32], event: int) -> NDArray[np.float32]:
        """Measure each photo's distance to the nearest prototype of an event."""
        chosen = self._fitted()
        return knn(array, chosen.vectors_[chosen.labels_ == event], 1, chosen.metric)[0][:, 0]

    def _nearest(
        self, distances: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> tuple[NearestPrototype, ...]:
        chosen = self._fitted()
        closest = np.full(len(chosen.vectors_), np.inf)
        np.minimum.at(closest, positions.ravel(), distances.ravel())
        shown = [i for i in np.argsort(closest, kind="stable")[:_SHOWN] if np.isfinite(closest[i])]
        return tuple(
            NearestPrototype(self.events_[chosen.labels_[i]], self.texts_[i], float(closest[i]))
            for i in shown
        )

    def _probabilities(
        self,
        array: NDArray[np.float32],
        distances: NDArray[np.float32],
        positions: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Let the nearest prototypes vote, and the descriptions where there are some."""
        labels = self._fitted().labels_[positions]
        votes = self._votes(distances, labels, self.temperature_)
        if self.descriptions_ is None:
            return votes
        described = self.descriptions_.probabilities(array)
        return (1 - self.description_weight) * votes + self.description_weight * described

    def _votes(
        self, distances: NDArray[np.float32], labels: NDArray[np.intp], temperature: float
    ) -> NDArray[np.float64]:
        """Turn (n, k) distances and events into (n, n_events) shares; infinity is no vote."""
        costs = energy(distances, self.metric)
        weights = np.exp((costs.min(axis=1, keepdims=True) - costs) / temperature)
        votes = np.zeros((len(distances), len(self.events_)))
        np.add.at(votes, (np.arange(len(distances))[:, None], labels), weights)
        votes /= votes.sum(axis=1, keepdims=True)
        return votes

    def _learn_temperature(self, seeds: NDArray[np.float32], truth: NDArray[np.intp]) -> float:
        chosen = self._fitted()
        distances, positions = self._others(seeds, chosen.vectors_, self._k())
        labels = chosen.labels_[positions]
        others = np.isfinite(distances).any(axis=1)
        distances, labels, truth = distances[others], labels[others], truth[others]
        nearest = energy(distances.min(axis=1, initial=np.inf), self.metric)
        scale = float(np.median(nearest)) if len(nearest) else 0.0
        if scale <= 0:  # one prototype, or nothing but copies: any temperature votes alike
            return 1.0
        return best_temperature(
            scale * np.geomspace(0.05, 2, 16), lambda t: self._votes(distances, labels, t), truth
        )

    def _learn_limits(
        self, seeds: NDArray[np.float32], truth: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        chosen = self._fitted()
        owns = [
            self._others(seeds[truth == i], chosen.vectors_[chosen.labels_ == i], 1)[0].min(axis=1)
            for i in range(len(self.events_))
        ]
        owns = [own[np.isfinite(own)] for own in owns]
        everyone = np.concatenate(owns)
        fallback = np.quantile(everyone, self.coverage) if len(everyone) else np.inf
        return np.array(
            [np.quantile(own, self.coverage) if len(own) >= _FEW else fallback for own in owns],
            np.float32,
        )

    def _others(
        self, seeds: NDArray[np.float32], prototypes: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find each seed's k nearest prototypes; itself and its copies are put infinitely far."""
        distances, positions = knn(seeds, prototypes, min(k + 1, len(prototypes)), self.metric)
        distances[distances == 0] = np.inf
        distances[np.isfinite(distances).all(axis=1), k:] = np.inf
        return distances, positions

    def _check_parameters(self, available: int) -> None:
        if self.k is not None and not 1 <= self.k <= available:
            raise InputError(
                f"k must be from 1 to the number of prototypes, {available}; {self.k} came"
            )
        if not 0 < self.coverage <= 1:
            raise InputError(f"coverage must be above 0 and at most 1; {self.coverage} came")
        if not 0 <= self.description_weight <= 1:
            raise InputError(
                f"description_weight must be from 0 to 1; {self.description_weight} came"
            )

    def _k(self) -> int:
        return self.k or min(_DEFAULT_K, len(self._fitted().vectors_))

    def _fitted(self) -> EventPrototypes:
        if not hasattr(self, "prototypes_"):
            raise RememberAIError("no events are learned yet; call fit first")
        return self.prototypes_
