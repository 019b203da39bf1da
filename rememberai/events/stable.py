"""Clusters that keep their ids when photos are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def keep_ids(
    labels: NDArray[np.intp], previous: NDArray[np.int64], next_id: int
) -> tuple[NDArray[np.int64], int]:
    """Give each cluster the id of the earlier one that it shares most photos with.

    Ids are given by overlap, the largest first, equal ones to the lower id, each once. A cluster
    that is left without takes a number that was never used.

    Parameters
    ----------
    labels
        (n,) clusters from 0; -1 is noise.
    previous
        (n,) earlier ids; -1 for noise and for new photos.
    next_id
        Above all ids ever given.

    Returns
    -------
    tuple
        (n_clusters,) ids, and the next id.
    """
    ids = np.full(labels.max(initial=-1) + 1, -1, np.int64)
    both = (labels >= 0) & (previous >= 0)
    pairs, shared = np.unique(
        np.column_stack([previous[both], labels[both]]), axis=0, return_counts=True
    )
    used: set[int] = set()
    for old, new in pairs[np.argsort(-shared, kind="stable")].tolist():
        if ids[new] < 0 and old not in used:
            ids[new] = old
            used.add(old)
    fresh = np.flatnonzero(ids < 0)
    ids[fresh] = next_id + np.arange(len(fresh))
    return ids, next_id + len(fresh)
