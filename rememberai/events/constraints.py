"""What the user said: rows that belong together, and rows that do not."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError
from rememberai.events.kmeans import centroids_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric


class Constraints:
    """Must-link and cannot-link pairs, as groups of rows that stay together.

    Parameters
    ----------
    n
        The number of rows.
    must_link, cannot_link
        (m, 2) pairs of rows. What follows is meant as well: a row linked to two others links these.

    Raises
    ------
    InputError
        A pair that is none, a row that is not there, or two rows that must and can't be together.

    References
    ----------
    Wagstaff et al., "Constrained k-means clustering with background knowledge", ICML 2001.
    """

    def __init__(self, n: int, must_link: ArrayLike, cannot_link: ArrayLike) -> None:
        must = _pairs(must_link, n, "must_link")
        cannot = _pairs(cannot_link, n, "cannot_link")
        groups = _components(n, must)
        apart = groups[cannot]
        wrong = np.flatnonzero(apart[:, 0] == apart[:, 1])
        if len(wrong):
            a, b = cannot[wrong[0]].tolist()
            raise InputError(
                f"the constraints contradict each other: rows {a} and {b} are a cannot_link pair, "
                "but are the same row or tied together by must_link pairs; drop one of them"
            )
        self.groups = groups
        self.apart = np.unique(np.vstack([apart, apart[:, ::-1]]), axis=0)

    def __bool__(self) -> bool:
        return len(self.apart) > 0 or int(self.groups.max(initial=-1)) + 1 < len(self.groups)

    def reordered(self, order: NDArray[np.intp]) -> Constraints:
        """Give the constraints on the rows in another order."""
        new = copy(self)
        firsts, first_rows, groups = np.unique(
            self.groups[order], return_index=True, return_inverse=True
        )
        rank = np.empty(len(firsts), np.intp)
        rank[np.argsort(first_rows)] = np.arange(len(firsts))
        new.groups = rank[groups]
        new.apart = np.unique(rank[self.apart], axis=0)
        return new

    def obey(
        self, points: NDArray[np.float32], labels: NDArray[np.intp], metric: Metric
    ) -> NDArray[np.intp]:
        """Move the rows that the constraints ask for to the nearest cluster that is free to them.

        A group of linked rows that is in one cluster stays, unless a group that can't be there is
        there already; else it goes to the cluster whose mean is nearest to its own mean. Groups
        take their turns, those that few others can't be with first, so that a row that is parted
        from several leaves them. Where every cluster is taken by a group that must be elsewhere, a
        new one is opened; the most bound take their turns first where that opens fewer.

        Parameters
        ----------
        points
            (n, dimension) prepared vectors.
        labels
            (n,) clusters from 0, found without the constraints.

        Returns
        -------
        NDArray[np.intp]
            (n,) clusters from 0, each with a member.
        """
        rivals: dict[int, list[int]] = {group: [] for group in self._bound()}
        for a, b in self.apart.tolist():
            rivals[a].append(b)
        members = {group: np.flatnonzero(self.groups == group) for group in rivals}
        own = {group: points[rows].mean(axis=0) for group, rows in members.items()}
        centroids = centroids_of(points, labels, metric)

        def placed(sign: int) -> NDArray[np.intp]:
            found, places, taken = labels.copy(), centroids, dict[int, int]()
            for group in sorted(rivals, key=lambda g: (sign * len(rivals[g]), members[g][0])):
                forbidden = {taken[rival] for rival in rivals[group] if rival in taken}
                here = set(labels[members[group]].tolist())
                if len(here) > 1 or here & forbidden:
                    far = ((places - own[group]) ** 2).sum(axis=1)
                    far[list(forbidden)] = np.inf
                    here = {int(far.argmin())}
                    if len(forbidden) == len(places):
                        here = {len(places)}
                        places = np.vstack([places, own[group]])
                (taken[group],) = here
                found[members[group]] = taken[group]
            return found

        return np.unique(min(map(placed, (1, -1)), key=np.max), return_inverse=True)[1]

    def _bound(self) -> list[int]:
        sizes = np.bincount(self.groups)
        bound: list[int] = np.union1d(np.flatnonzero(sizes > 1), self.apart).astype(int).tolist()
        return bound


def _pairs(pairs: ArrayLike, n: int, name: str) -> NDArray[np.intp]:
    try:
        array = np.asarray(pairs)
    except ValueError:
        array = np.empty(1)  # rows of unequal length
    if array.size == 0 and len(np.atleast_1d(pairs)) == 0:
        return np.empty((0, 2), np.intp)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise InputError(f"{name} must be an (m, 2) array of rows; {pairs!r:.80} came")
    outside = (array < 0) | (array >= n)
    if outside.any():
        raise InputError(f"{name} names row {array[outside][0]}; rows go from 0 to {n - 1}")
    return array.astype(np.intp)


def _components(n: int, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find the connected components of rows, numbered from 0 by their first rows."""
    parent = list(range(n))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in pairs.tolist():
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.unique([root(row) for row in range(n)], return_inverse=True)[1]
