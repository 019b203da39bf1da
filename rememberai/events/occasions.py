"""Occasions: photos taken one soon after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.kmeans import canonical_order

if TYPE_CHECKING:
    from numpy.typing import NDArray


def occasions(times: NDArray[np.datetime64], gap: np.timedelta64) -> NDArray[np.intp]:
    """Part photos into occasions: a pause longer than the gap begins a new one.

    Parameters
    ----------
    times
        (n,) datetime64 in any order; NaT where unknown.
    gap
        The longest pause within an occasion.

    Returns
    -------
    NDArray[np.intp]
        (n,) occasions from 0, in the order of time; each photo without a time is one of its own.
    """
    order = np.argsort(times, kind="stable")  # NaT sorts last
    pauses = np.diff(times[order])
    starts = np.r_[False, np.isnat(pauses) | (pauses > gap)][: len(times)]
    labels = np.empty(len(times), np.intp)
    labels[order] = np.cumsum(starts)
    return labels


def blend(vectors: NDArray[np.float32], groups: NDArray[np.intp]) -> NDArray[np.float32]:
    """Move each vector two thirds of the way to the mean of its group.

    One photo's words tell little of its occasion ("Grandma laughed so hard she cried"); those of
    the photos around it tell more.

    Parameters
    ----------
    vectors, groups
        (n, dimension) float32 and (n,) group numbers from 0, each with a member.
    """
    order = canonical_order(vectors)  # a sum's last digits depend on the order of its terms
    order = order[np.argsort(groups[order], kind="stable")]
    sizes = np.bincount(groups)
    sums = np.add.reduceat(vectors[order], np.cumsum(sizes) - sizes, axis=0, dtype=np.float64)
    means = (sums / sizes[:, None]).astype(np.float32)
    return (vectors + 2 * means[groups]) / np.float32(3)
