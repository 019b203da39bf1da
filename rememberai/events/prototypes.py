"""Prototypes: the seeds that stand for an event."""

from __future__ import annotations

import copy
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._arrays import check_count, check_for_metric, check_metric, prepare
from rememberai.errors import InputError, RememberAIError
from rememberai.events.duplicates import without_duplicates
from rememberai.events.energy import Pool, energies
from rememberai.events.kmeans import canonical_order, first_of_equals, side_by_side
from rememberai.events.selections import SELECTIONS, Options, select
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric


_LOOKED_AT = 8192


@dataclass(frozen=True, slots=True)
class Prototype:
    """A prototype: its row among the seeds, its text if known, its share of the event's seeds.

    The share counts the seeds that are nearer to it than to the event's other prototypes.
    """

    row: int
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class EventCover:
    """The prototypes of an event, and how well they cover its seeds.

    Attributes
    ----------
    prototypes
        Those with the largest share first; of equals the first row.
    distance
        The mean distance, in the metric, of the seeds to the event's nearest prototype.
    own
        Of the seeds that are no prototypes, the part whose nearest prototype of all events is of
        this event; NaN when all seeds are prototypes.
    """

    event: str
    prototypes: tuple[Prototype, ...]
    distance: float
    own: float

    def __str__(self) -> str:
        cover = f"{self.own:.0%} of the others are nearest to one of them"
        lines = [
            f"{self.event}: {len(self.prototypes)} prototypes at a mean distance of "
            f"{self.distance:.3g}; {cover if self.own == self.own else 'there are no other seeds'}"
        ]
        lines += [f"  {p.share:4.0%}  {p.text or f'row {p.row}'}" for p in self.prototypes]
        return "\n".join(lines)


class EventPrototypes:
    """Choose the prototypes of each event among its seeds.

    Of seeds that are nearly alike, as the photos of a burst are, one is kept: see
    `rememberai.events.duplicates`. Then a selection chooses:

    =====================  =========================================================================
    ``likelihood``         under whose vote the seeds' own events are most probable, chosen greedily
                           with regard to all events (Goldberger et al. 2004, Kusner et al. 2014)
    ``facility-location``  that make the seeds' distances to the nearest of them small (k-medoids)
    ``max-herding``        that cover the seeds by Gaussian kernels (Bae et al. 2024)
    ``seed-clusters``      the members nearest to the centroids of k-means clusters
    ``herding``            whose mean is near to the centroid of the event (Welling 2009)
    ``centroid``           the nearest to the centroid
    ``k-center``           the farthest from those chosen before (Gonzalez 1985)
    ``random``             by chance
    ``periphery``          the farthest from the centroid, to compare with
    =====================  =========================================================================

    Parameters
    ----------
    n_prototypes
        How many an event gets; one with fewer seeds that differ keeps them all.
    selection
        A name in the table.
    metric
        ``"cosine"`` or ``"l2"``.
    n_seed_clusters
        Into how many clusters ``seed-clusters`` parts an event, each giving prototypes in
        proportion to its size; as many as prototypes by default, each giving one.
    random_state
        Seed of chance, for ``random``.

    Attributes
    ----------
    events_
        The events' names, sorted.
    positions_
        (p,) rows of `fit`'s input that were chosen, event by event, in the order in which the
        selection chose them; of equal seeds the first row.
    labels_
        (p,) the event of each prototype, as a position in `events_`.
    vectors_
        (p, dimension) float32, prepared for the metric.

    Notes
    -----
    Of more than 8,192 seeds the largest events are looked at in part, evenly over the values of
    their first coordinate.
    """

    def __init__(
        self,
        n_prototypes: int = 10,
        *,
        selection: str = "likelihood",
        metric: Metric = "cosine",
        n_seed_clusters: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_prototypes = n_prototypes
        self.selection = selection
        self.metric = metric
        self.n_seed_clusters = n_seed_clusters
        self.random_state = random_state

    def fit(self, vectors: ArrayLike, events: Sequence[str]) -> Self:
        """Choose the prototypes.

        Parameters
        ----------
        vectors
            (n, dimension) seeds.
        events
            n names: the event of each seed.

        Raises
        ------
        InputError
            No seeds, seeds that do not pair up with events, an event without a name, vectors that
            can't be used, a selection that is not in the table, or parameters that are no whole
            numbers or too small.
        """
        self._check_parameters()
        array, squares = check_for_metric(vectors, self.metric, name="seeds")
        names = events
        if not isinstance(names, list):
            names = np.asarray(events, dtype=object).tolist()
        if len(array) == 0 or not isinstance(names, list) or len(names) != len(array):
            came = f"{len(names)} events" if isinstance(names, list) else repr(events)
            raise InputError(
                "every seed needs one event, and there must be a seed; "
                f"{len(array)} seeds and {came} came"
            )
        self.events_, labels = _encode(names)
        looked_at = self._looked_at(array, squares, labels)
        points = prepare(array[looked_at], self.metric)
        kept, pools = self._pools(points, labels[looked_at])
        options = Options(self.metric, self.n_seed_clusters, self.random_state)
        chosen = select(self.selection, pools, self.n_prototypes, options)
        some = np.concatenate([rows[c] for rows, c in zip(kept, chosen, strict=True)])
        self.positions_, self.vectors_ = looked_at[some], points[some]
        self.labels_ = labels[self.positions_]
        every = np.sort(np.concatenate(kept))  # what `explain` looks at
        self._rows, self._seeds = looked_at[every], _of(points, every)
        self._seed_labels = labels[self._rows]
        return self

    def explain(self, texts: Sequence[str] | None = None) -> tuple[EventCover, ...]:
        """Show each event's prototypes, and how well they cover its seeds.

        Seeds that the selection did not look at, near-duplicates above all, are not counted.

        Parameters
        ----------
        texts
            The text of each of `fit`'s seeds.
        """
        if not hasattr(self, "positions_"):
            raise RememberAIError("no prototypes are chosen yet; call fit first")
        if texts is not None and len(texts) <= self._rows.max():
            raise InputError(
                f"every seed needs one text; {len(texts)} texts came, and seed {self._rows.max()} "
                "is among those looked at"
            )
        nearest = knn(self._seeds, self.vectors_, 1, self.metric)[1][:, 0]
        right = self.labels_[nearest] == self._seed_labels
        others = ~np.isin(self._rows, self.positions_)
        covers = []
        for i, event in enumerate(self.events_):
            prototypes = np.flatnonzero(self.labels_ == i)
            seeds = self._seed_labels == i
            distances, own = knn(self._seeds[seeds], self.vectors_[prototypes], 1, self.metric)
            shares = np.bincount(own[:, 0], minlength=len(prototypes)) / len(own)
            shown = tuple(
                Prototype(int(row), texts[row] if texts is not None else "", float(shares[j]))
                for j in np.lexsort((self.positions_[prototypes], -shares))
                for row in [self.positions_[prototypes[j]]]
            )
            judged = right[seeds & others]
            part = float(judged.mean()) if len(judged) else float("nan")
            covers.append(EventCover(event, shown, float(distances.mean()), part))
        return tuple(covers)

    def renamed(self, event: str, name: str) -> EventPrototypes:
        """Give the same prototypes with another, unused name for an event."""
        names = [name if each == event else each for each in self.events_]
        rank = np.argsort(np.argsort(names))
        order = np.argsort(rank[self.labels_], kind="stable")
        other = copy.copy(self)
        other.events_ = sorted(names)
        other.positions_, other.vectors_ = self.positions_[order], self.vectors_[order]
        other.labels_ = rank[self.labels_][order]
        other._seed_labels = rank[self._seed_labels]
        return other

    def continuing(self, before: EventPrototypes, rows: NDArray[np.intp]) -> EventPrototypes:
        """Give the same prototypes as of a larger input, with the seeds looked at before.

        Parameters
        ----------
        before
            Fitted to the first rows of the larger input. Those of its events that were fitted anew
            count as they are now.
        rows
            Where each row of `fit`'s input stands in the larger one.
        """
        other = copy.copy(self)
        other.positions_, other._rows = rows[self.positions_], rows[self._rows]
        places = np.array([self.events_.index(event) for event in before.events_])
        more = ~np.isin(before._rows, rows)
        other._rows = np.concatenate([other._rows, before._rows[more]])
        other._seeds = np.concatenate([self._seeds, before._seeds[more]])
        other._seed_labels = np.concatenate([self._seed_labels, places[before._seed_labels[more]]])
        return other

    def _looked_at(
        self, array: NDArray[np.float32], squares: NDArray[np.float32], labels: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """List all rows, or of many a part: at most so many an event, evenly from end to end.

        A row's place is its first coordinate: the canonical order itself hangs on last digits.
        """
        if len(array) <= _LOOKED_AT:
            return np.arange(len(array))
        by_event = _by_event(array, labels)
        sizes = np.array([len(rows) for rows in by_event])
        limit = bisect_right(
            range(sizes.max() + 1), _LOOKED_AT, key=lambda m: int(np.minimum(sizes, m).sum())
        )
        limit = max(limit - 1, 4 * self.n_prototypes)  # that there be a choice
        places: NDArray[np.floating] = array[:, 0]
        if self.metric == "cosine":
            with np.errstate(all="ignore"):  # a length that overflows or vanishes
                places = places / np.sqrt(squares)
        parts = [
            rows[np.argsort(places[rows], kind="stable")][np.arange(limit) * len(rows) // limit]
            if len(rows) > limit
            else rows
            for rows in by_event
        ]
        return np.sort(np.concatenate(parts))

    def _pools(
        self, points: NDArray[np.float32], labels: NDArray[np.intp]
    ) -> tuple[list[NDArray[np.intp]], list[Pool]]:
        """Give for each event the prepared points that may be chosen, and where they are."""
        by_event = _by_event(points, labels)
        points = points[np.concatenate(by_event)]
        if self.metric == "l2":  # near the origin float32 has the most digits left
            moved = points - points.mean(axis=0, dtype=np.float64)
            points = (moved / (np.abs(moved).max() or 1)).astype(np.float32)
        parts = np.split(points, np.cumsum([len(rows) for rows in by_event])[:-1])
        kept, pools = [], []
        for rows, part in zip(by_event, parts, strict=True):
            energy = energies(part, part)
            some = without_duplicates(energy)
            kept.append(rows[some])
            if len(some) < len(rows):
                part, energy = part[some], energy[np.ix_(some, some)]
            pools.append(Pool(part, energy))
        return kept, pools

    def _check_parameters(self) -> None:
        check_metric(self.metric)
        if self.selection not in SELECTIONS:
            raise InputError(
                f"selection must be one of {', '.join(SELECTIONS)}; {self.selection!r} came"
            )
        check_count(self.n_prototypes, "n_prototypes")
        if self.n_seed_clusters is not None:
            check_count(self.n_seed_clusters, "n_seed_clusters")
        check_count(self.random_state, "random_state", 0)


def _of(points: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Give ascending rows, without a copy where they are all."""
    return points if len(rows) == len(points) else points[rows]


def _by_event(array: NDArray[np.float32], labels: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """List each event's rows in canonical order, the first of equal ones alone."""
    order = canonical_order(array)
    order = order[side_by_side(labels[order])]
    first = first_of_equals(array, order)
    first[np.flatnonzero(np.diff(labels[order])) + 1] = True
    order = order[first]
    return np.split(order, np.cumsum(np.bincount(labels[order]))[:-1])


def _encode(names: list[Any]) -> tuple[list[str], NDArray[np.intp]]:
    try:
        each = list(dict.fromkeys(names))
    except TypeError:  # what can't be in a dict is no name
        each = names
    wrong = [name for name in each if not (isinstance(name, str) and name.strip())]
    if wrong:
        raise InputError(f"an event must have a name; {wrong[0]!r} came")
    place = {event: i for i, event in enumerate(sorted(each))}
    return list(place), np.fromiter(map(place.__getitem__, names), np.intp, len(names))
