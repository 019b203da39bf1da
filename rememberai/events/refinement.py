"""Clusters refined: labels told by what the members of clusters have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.covariance import SharedCovariance
from rememberai.events.kmeans import by_size, member_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.events.walk import Walk

_ROUNDS = 10
_COLUMNS = 64
_JUDGED = 2000
_TEMPERATURES = 2.0 ** np.arange(0, 8, 0.5)


def retrained(
    points: NDArray[np.float32], labels: NDArray[np.intp], walk: Walk
) -> NDArray[np.intp]:
    """Learn from the clusters what tells them apart, and label all points by it, again and again.

    The clusters are taken for normal distributions of one shape, which is their shrunk
    `SharedCovariance`, all equally likely; a point goes where it and its neighbours most
    probably belong. In many dimensions such a head is far too sure of clusters that it was taught
    itself, so it is made as sure as the clusters of the neighbours bear out (`_temperature`).
    It ends when no label changes, or after ten rounds.

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
    NLDB 2020; Guo et al., "On calibration of modern neural networks", ICML 2017 (temperature).
    """
    for _ in range(_ROUNDS):
        means = member_means(points, labels)
        shared = SharedCovariance.within(points, labels, means)
        if shared.variance <= 0:
            break
        weights = means @ shared.precision()
        offsets = (weights * means).sum(axis=1) / 2
        sharpness = 1 / _temperature(points, weights, offsets, labels, walk)
        found = _most_probable(points, sharpness * weights, sharpness * offsets, walk)
        found = by_size(found)[1]
        if found.max() < labels.max() or (found == labels).all():
            break
        labels = found
    return labels


def _temperature(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    offsets: NDArray[np.float64],
    labels: NDArray[np.intp],
    walk: Walk,
) -> float:
    """Choose the temperature under which the clusters where a step leads are most probable.

    Of more than 2,000 points some are judged.
    """
    some = slice(None, None, -(-len(points) // _JUDGED))
    scores = points[some] @ weights.T - offsets
    lines = np.column_stack([weights, -offsets]).astype(np.float32)
    there = walk.step(lines[labels])[some]  # scores are linear: the mean line gives the mean score
    means = (points[some] * there[:, :-1]).sum(axis=1, dtype=np.float64) + there[:, -1]
    losses = [
        (np.logaddexp.reduce(scores / each, axis=1) - means / each).mean().round(6)
        for each in _TEMPERATURES
    ]
    return float(_TEMPERATURES[np.argmin(losses)])


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
