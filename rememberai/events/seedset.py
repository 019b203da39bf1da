"""Seeds in the order in which all sums over them are taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import canonical_order

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.records import Metric


@dataclass(frozen=True, slots=True)
class SeedSet:
    """Seeds, their events, and which of them are judged without each other.

    Attributes
    ----------
    vectors
        (n, dimension) float32, prepared for the metric, in canonical order.
    truth
        (n,) positions of their events.
    groups
        (n,) numbers: seeds of one group, as the photos of one album, are judged without each
        other; so are equal seeds of an event that have none.
    given
        (n,) whether a seed has a group, or none but its copies.
    rows
        (n,) where each seed stood in the input.
    """

    vectors: NDArray[np.float32]
    truth: NDArray[np.intp]
    groups: NDArray[np.intp]
    given: NDArray[np.bool_]
    rows: NDArray[np.intp]
    n_events: int
    metric: Metric

    @classmethod
    def sorted(
        cls,
        vectors: NDArray[np.float32],
        truth: NDArray[np.intp],
        groups: Sequence[Hashable],
        n_events: int,
        metric: Metric,
    ) -> Self:
        """Sort prepared seeds; equal seeds stand in the order of their events."""
        rows = np.argsort(truth, kind="stable")
        rows = rows[canonical_order(vectors[rows])]
        array, truth = vectors[rows], truth[rows]
        new = (array[1:] != array[:-1]).any(axis=1) | (truth[1:] != truth[:-1])
        copies = np.cumsum(np.r_[0, new]).tolist()
        place: dict[Hashable, int] = {}
        numbers = [
            place.setdefault((None, copy) if groups[row] is None else (groups[row],), len(place))
            for row, copy in zip(rows, copies, strict=True)
        ]
        given = np.array([groups[row] is not None for row in rows], bool)
        return cls(array, truth, np.array(numbers, np.intp), given, rows, n_events, metric)

    def means(self) -> NDArray[np.float64]:
        """Give the (n_events, dimension) mean of each event."""
        sums = np.zeros((self.n_events, self.vectors.shape[1]))
        np.add.at(sums, self.truth, self.vectors)
        return sums / self.counts()[:, None]

    def parts(self) -> NDArray[np.intp]:
        """Give the (n,) numbers of what each group has of one event."""
        return self.groups * self.n_events + self.truth

    def judged(self) -> NDArray[np.bool_]:
        """Tell of each seed whether, without its group, any of its event are left.

        Where none are, nothing could find its event, and it says nothing of how sure answers are.
        """
        events = np.unique(self.parts()) % self.n_events
        judged: NDArray[np.bool_] = np.bincount(events, minlength=self.n_events)[self.truth] > 1
        return judged

    def albums(self) -> list[NDArray[np.intp]]:
        """List the rows of each album that is judged: what a given group has of one event."""
        given = np.flatnonzero(self.given & self.judged())
        rows = given[np.argsort(self.parts()[given], kind="stable")]
        new = np.flatnonzero(np.diff(self.parts()[rows])) + 1
        return [some for some in np.split(rows, new) if len(some)]

    def counts(self) -> NDArray[np.intp]:
        """Count each event's seeds."""
        return np.bincount(self.truth, minlength=self.n_events)


def in_batches(groups: NDArray[np.intp], most: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of groups of one size together, as (groups, size) arrays.

    Parameters
    ----------
    groups
        (n,) numbers.
    most
        Rows in a batch, unless a single group has more.
    """
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    for size in np.unique(sizes):
        alike = starts[sizes == size]
        step = max(1, most // size)
        for some in np.split(alike, range(step, len(alike), step)):
            yield order[some[:, None] + np.arange(size)]
