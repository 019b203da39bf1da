"""Clusters refined: labels told by what the members of clusters have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.covariance import SharedCovariance
from rememberai.events.kmeans import by_size, member_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.events.walk import Walk

_ROUNDS = 3
_COLUMNS = 64


def retrained(
    points: NDArray[np.float32], labels: NDArray[np.intp], walk: Walk
) -> NDArray[np.intp]:
    """Learn from the clusters what tells them apart, and label all points by it, three times over.

    The clusters are taken for normal distributions of one shape, which is their shrunk
    `SharedCovariance`, all equally likely; a point goes where it and its neighbours most
    probably belong.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors in canonical order, not smoothed.
    labels
        (n,) clusters from 0, each with a member.

    Returns
    -------
    NDArray[np.intp]
        (n,) as many clusters from 0; where one would be gone, it ends before.

    References
    ----------
    Ding and Li, "Adaptive dimension reduction using discriminant analysis and k-means clustering",
    ICML 2007; Rakib et al., "Enhancement of short text clustering by iterative classification",
    NLDB 2020.
    """
    for _ in range(_ROUNDS):
        means = member_means(points, labels)
        shared = SharedCovariance.within(points, labels, means)
        if shared.variance <= 0:
            break
        weights = means @ shared.precision()
        offsets = (weights * means).sum(axis=1) / 2
        found = by_size(_most_probable(points, weights, offsets, walk))[1]
        if found.max() < labels.max():
            break
        labels = found
    return labels


def _most_probable(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    offsets: NDArray[np.float64],
    walk: Walk,
) -> NDArray[np.intp]:
    """Label each point by the clusters' mean probabilities where a step leads from it."""
    blocks = [slice(i, i + _COLUMNS) for i in range(0, len(offsets), _COLUMNS)]
    total = np.full(len(points), -np.inf)
    for block in blocks:
        scores = points @ weights[block].T - offsets[block]
        total = np.logaddexp(total, np.logaddexp.reduce(scores, axis=1))
    best, labels = np.full(len(points), -1.0), np.zeros(len(points), np.intp)
    for block in blocks:
        scores = points @ weights[block].T - offsets[block]
        shares = walk.step(np.exp(scores - total[:, None]).astype(np.float32)).round(6)
        top = shares.argmax(axis=1)
        found = shares[np.arange(len(points)), top]
        labels = np.where(found > best, block.start + top, labels)
        best = np.maximum(best, found)
    return labels
