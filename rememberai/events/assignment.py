"""Assignment: which event is this photo, which event is this album, or unknown."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import check_count, check_risk, prepare
from rememberai.errors import InputError, RememberAIError
from rememberai.events.answers import Assignment, Doubt, NearestPrototype, PhotoAssignments
from rememberai.events.calibration import Calibration
from rememberai.events.duplicates import near_energy
from rememberai.events.evidence import (
    EventWords,
    distinct_words,
    telling_photos,
    words_of_photos,
)
from rememberai.events.kmeans import canonical_order
from rememberai.events.lesson import Lesson
from rememberai.events.novelty import Novelty
from rememberai.events.opinions import STEPS, PooledOpinions, check_method
from rememberai.events.pooling import checked_trust, photo_weights
from rememberai.events.prototypes import EventPrototypes
from rememberai.events.seedset import SeedSet
from rememberai.events.unknown import distance_limits
from rememberai.index.knn import knn
from rememberai.records import Steps, quiet, uncounted

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.events.opinions import Method
    from rememberai.records import Metric, Progress, Step

_DEFAULT_K = 20
_SHOWN = 5
_PARTS = 1 + STEPS + 3  # of learning: prototypes, opinions, limits, both calibrations


class EventAssigner:
    """Assign photos and albums to events by what their seeds have taught.

    Opinions on a photo are pooled (see `opinions`): the vote of its k nearest prototypes
    (`voting`), a Gaussian head and kernel ridge regression that all seeds have taught (`gaussian`,
    `ridge`), where the events are described by their names or a sentence, how near it is to the
    descriptions (`descriptions`), and, where seeds and photos come with texts, the words (`bayes`).
    How much each counts is learned from the seeds, each judged without itself and its group.

    An album's probabilities are the mean of its photos', weighted by how much each tells (see
    `pooling`). How sure they may be is learned from the albums among the seeds, if `fit` is told
    of 20 (`groups`); else albums are calibrated like single photos (see `calibration`).

    A photo is unknown when it is farther from the prototypes of its most probable event than nearly
    all of the event's own seeds (see `unknown`), or when that it is of any learned event is less
    probable than for nearly all seeds; an album, when its photos are so far on the average, or when
    it is less probable than for nearly all albums among the seeds (see `novelty`). The names of
    other events tell much of it: see `OCCASIONS`.

    Parameters
    ----------
    prototypes
        How prototypes are chosen, and the metric; `EventPrototypes()` by default.
    method
        ``"fused"``: all of them. Or one alone, to compare with: ``"plain"``, ``"similarity"`` or
        ``"kernel"`` vote, ``"nearest-mean"`` (class mean) or ``"gaussian"``. Descriptions join each
        of them.
    k
        How many prototypes vote; 20 by default, or all when there are fewer.
    max_risk
        The share, above 0 and below 1, of the photos of known events that may be called unknown for
        either of the two reasons; a higher one answers unknown more often. It holds for single
        photos that come as the seeds did, and for albums that come as those among the seeds. Those
        of other people, who write otherwise than the seeds' authors, are called unknown more often.

    Attributes
    ----------
    events_, prototypes_
        The events' names, and the fitted `EventPrototypes`.
    texts_
        The text of each prototype, or empty.
    opinions_
        The fitted `PooledOpinions`.
    calibration_, novelty_
        The fitted `Calibration` and `Novelty` of answers by vectors alone.
    limits_
        (n_events,) float32 distance up to which a photo is near each event.
    left_out_
        (n, n_events) probabilities of the seeds in the order in which they came, each judged
        without its group; a row of NaN where no other group has seeds of its event.
    """

    def __init__(
        self,
        prototypes: EventPrototypes | None = None,
        *,
        method: Method = "fused",
        k: int | None = None,
        max_risk: float = 0.05,
    ) -> None:
        self.prototypes = prototypes
        self.method = method
        self.k = k
        self.max_risk = max_risk

    def fit(
        self,
        vectors: ArrayLike,
        events: Sequence[str],
        texts: Sequence[str] | None = None,
        *,
        descriptions: Mapping[str, ArrayLike] | None = None,
        groups: Sequence[Hashable] | None = None,
        others: ArrayLike | None = None,
        progress: Progress = quiet,
    ) -> Self:
        """Choose prototypes, and learn all else from the seeds.

        Parameters
        ----------
        vectors
            (n, dimension) seeds.
        events
            n names.
        texts
            n texts: their words are learned from, and answers show them.
        descriptions
            The (dimension,) vector of words that describe each event, such as its name. An event
            may have a description alone, which is its only seed then.
        groups
            n names: seeds of one group are an album, and judged without each other. A seed whose
            group is None is judged without itself and its copies alone.
        others
            (m, dimension) vectors of words that describe other events, which a photo may show: such
            as those of `OCCASIONS`. Those that are the same as a learned event are left out. They
            tell what is unknown, and speak for no event; descriptions must be given too.
        progress
            Called as ``progress("learning", done, total)`` with the parts of what is learned.

        Raises
        ------
        InputError
            Seeds that can't be used, texts or groups that do not pair up with them, descriptions
            of some events only, others without them, an unknown method, k above the number of
            prototypes, or max_risk out of its range. What was learned before stays.
        """
        lesson = Lesson.checked(vectors, events, texts, groups, descriptions, others)
        whole = lesson.with_all_seeded()
        step = Steps(partial(progress, "learning"), _PARTS)
        chosen = self._chooser().fit(whole.vectors, whole.events)
        step()
        self._learn(lesson, chosen, step)
        return self

    def add(
        self,
        vectors: ArrayLike,
        events: Sequence[str],
        texts: Sequence[str] | None = None,
        *,
        descriptions: Mapping[str, ArrayLike] | None = None,
        groups: Sequence[Hashable] | None = None,
        others: ArrayLike | None = None,
    ) -> Self:
        """Learn further seeds, of new events or of those known.

        The prototypes of events that get no seed stay. All else, which takes one pass over the
        seeds, is as if all had been given to `fit`.

        Parameters
        ----------
        vectors, events, texts, descriptions, groups, others
            As for `fit`; the descriptions of new events, or new ones for those known; other events
            in place of those told of before.
        """
        chosen = self._fitted()
        dimension = self._lesson.vectors.shape[1]
        added = Lesson.checked(
            vectors, events, texts, groups, descriptions, others, dimension=dimension
        )
        lesson = self._lesson.with_added(added)
        whole = lesson.with_all_seeded()
        touched = {*added.events, *whole.events[len(lesson.events) :]}
        of = [chosen.events_[label] for label in chosen.labels_]
        kept = [
            row for row, event in zip(chosen.positions_, of, strict=True) if event not in touched
        ]
        some = [i for i, event in enumerate(whole.events) if event in touched]
        rows = np.array(sorted({*kept, *some}), np.intp)
        anew = self._chooser().fit(whole.vectors[rows], [whole.events[i] for i in rows])
        self._learn(lesson, anew.continuing(chosen, rows))
        return self

    def rename(self, event: str, name: str) -> Self:
        """Give an event another name; its prototypes stay.

        Raises
        ------
        InputError
            There is no such event, or the name is empty or taken.
        """
        chosen = self._fitted()
        if event not in self.events_:
            raise InputError(f"{event!r} is none of the {len(self.events_)} events")
        if not (isinstance(name, str) and name.strip()) or name in self.events_:
            raise InputError(f"an event needs a name that no other has; {name!r} came")
        renamed = chosen.renamed(event, name)
        self._learn(self._lesson.with_renamed(event, name), renamed)
        return self

    @property
    def metric(self) -> Metric:
        """The metric of the fitted prototypes."""
        return self._fitted().metric

    def assign(self, vectors: ArrayLike, texts: Sequence[str] | None = None) -> PhotoAssignments:
        """Assign photos one by one.

        Parameters
        ----------
        vectors
            (n, dimension) queries.
        texts
            Their words, which tell further where the seeds had texts.

        Raises
        ------
        InputError
            The vectors do not fit, or the texts do not pair up with them.
        """
        chosen = self._fitted()
        array = prepare(vectors, chosen.metric, dimension=chosen.vectors_.shape[1], name="queries")
        worded = words_of_photos(texts, len(array))
        calibration, novelty = self._taught[worded is not None]
        shares = calibration.of_photos(self.opinions_.pool(array, worded))
        known = novelty.of_photos(shares, self.opinions_.learned_share(array))
        best = shares.argmax(axis=1)
        to_best = np.empty(len(array), np.float32)
        for event in np.unique(best):
            to_best[best == event] = self._to_event(array[best == event], event)
        names = np.array([*self.events_, None], dtype=object)
        near = (to_best <= self.limits_[best]) & (known >= novelty.least_)
        return PhotoAssignments(names[np.where(near, best, -1)], shares, known, to_best)

    def assign_album(
        self,
        vectors: ArrayLike,
        texts: Sequence[str] | None = None,
        weights: ArrayLike | None = None,
    ) -> Assignment:
        """Assign an album.

        Parameters
        ----------
        vectors
            (n, dimension) the album's photos with words.
        texts
            Their words, which tell further where the seeds had texts.
        weights
            (n,) how much each is to be believed, above 0; all alike where not given.

        Raises
        ------
        InputError
            The album is empty, the vectors do not fit, or the texts or weights do not pair up with
            them.
        """
        chosen = self._fitted()
        array = prepare(vectors, chosen.metric, dimension=chosen.vectors_.shape[1], name="album")
        if len(array) == 0:
            raise InputError(
                "the album has no photo with words; write memories or caption it first"
            )
        worded = words_of_photos(texts, len(array))
        trust = checked_trust(weights, len(array))
        # A sum's last digits depend on the order; equal photos of unequal weights in theirs.
        order = canonical_order(np.column_stack((array, trust.astype(np.float32))))
        array = array[order]
        if worded is not None:
            worded = [worded[i] for i in order]
        calibration, novelty = self._taught[worded is not None]
        pool = self.opinions_.pool(array, worded)
        told_by = photo_weights(array, pool, self.metric, self._near) * trust[order]
        told_by /= told_by.sum()
        shares = calibration.of_album(told_by @ pool)
        known = novelty.of_album(pool, self.opinions_.learned_share(array), told_by)
        ranks = np.argsort(-shares, kind="stable")
        best = int(ranks[0])
        runner_up = shares[ranks[1]] if len(ranks) > 1 else 0.0
        doubt = self._too_far(best, self._to_event(array, best).mean())
        doubt = doubt or novelty.doubt(self.events_[best], known)
        told = told_by * pool[:, best]
        words: tuple[str, ...] = ()
        if worded is not None:
            words = self._words.telling(worded, told, self.events_[best])
        answer = Assignment(
            event=self.events_[best],
            probability=float(shares[best]),
            known=known,
            margin=float(shares[best] - runner_up),
            ranking=tuple((self.events_[i], float(shares[i])) for i in ranks),
            nearest=self._nearest(array),
            telling_photos=telling_photos(told, order),
            telling_words=words,
            n_photos=len(array),
        )
        return answer.withheld(doubt) if doubt else answer

    def _learn(self, lesson: Lesson, chosen: EventPrototypes, step: Step = uncounted) -> None:
        k, risk = self._checked_k(len(chosen.vectors_)), check_risk(self.max_risk)
        given, lesson = lesson, lesson.with_all_seeded()
        places = {event: i for i, event in enumerate(chosen.events_)}
        truth = np.array([places[event] for event in lesson.events], np.intp)
        array = prepare(lesson.vectors, chosen.metric, name="seeds")
        seeds = SeedSet.sorted(array, truth, lesson.groups, len(places), chosen.metric)
        group_of = np.empty(len(truth), np.intp)
        group_of[seeds.rows] = seeds.groups
        groups = group_of[chosen.positions_]
        worded = [distinct_words(text) for text in lesson.texts]
        opinions = PooledOpinions(self.method, k=k).fit(
            seeds,
            chosen,
            groups,
            lesson.descriptions,
            [worded[row] for row in seeds.rows],
            lesson.others,
            step,
        )
        self.limits_ = distance_limits(seeds, chosen.vectors_, chosen.labels_, groups, risk)
        step()
        self._near = near_energy(seeds.vectors)
        self._taught = []  # by vectors alone, and by texts as well
        for pool in (opinions.left_out_, opinions.left_out_told_):
            calibration = Calibration().fit(pool, seeds, self._near)
            novelty = Novelty(risk).fit(calibration, pool, seeds, self._near, opinions.others_)
            self._taught.append((calibration, novelty))
            step()
        self.calibration_, self.novelty_ = self._taught[0]
        self.left_out_ = np.full((len(truth), len(places)), np.nan)
        judged = seeds.judged()
        self.left_out_[seeds.rows[judged]] = self._taught[1][0].left_out_[judged]
        self.opinions_ = opinions
        self.prototypes_, self.events_ = chosen, chosen.events_
        self.texts_ = [lesson.texts[i] for i in chosen.positions_]
        self._words = EventWords(worded, lesson.events)
        self._lesson = given

    def _too_far(self, best: int, distance: float) -> Doubt | None:
        """Say that an album is too far from its event's prototypes; None if it is not."""
        limit = float(self.limits_[best])
        return (
            None if distance <= limit else Doubt("far", self.events_[best], float(distance), limit)
        )

    def _to_event(self, array: NDArray[np.float32], event: int) -> NDArray[np.float32]:
        """Measure each photo's distance to the nearest prototype of an event."""
        chosen = self._fitted()
        return knn(array, chosen.vectors_[chosen.labels_ == event], 1, chosen.metric)[0][:, 0]

    def _nearest(self, array: NDArray[np.float32]) -> tuple[NearestPrototype, ...]:
        chosen = self._fitted()
        k = min(_SHOWN, len(chosen.vectors_))
        distances, positions = knn(array, chosen.vectors_, k, chosen.metric)
        closest = np.full(len(chosen.vectors_), np.inf)
        np.minimum.at(closest, positions.ravel(), distances.ravel())
        shown = [i for i in np.argsort(closest, kind="stable")[:_SHOWN] if np.isfinite(closest[i])]
        return tuple(
            NearestPrototype(self.events_[chosen.labels_[i]], self.texts_[i], float(closest[i]))
            for i in shown
        )

    def _chooser(self) -> EventPrototypes:
        return copy.copy(self.prototypes) if self.prototypes is not None else EventPrototypes()

    def _checked_k(self, available: int) -> int:
        check_method(self.method)
        if self.k is None:
            return _DEFAULT_K
        k = check_count(self.k, "k")
        if k > available:
            raise InputError(
                f"k must be from 1 to the number of prototypes, {available}; {self.k} came"
            )
        return k

    def _fitted(self) -> EventPrototypes:
        if not hasattr(self, "prototypes_"):
            raise RememberAIError("no events are learned yet; call fit first")
        return self.prototypes_
