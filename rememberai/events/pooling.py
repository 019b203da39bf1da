"""Pooling: of several opinions on a photo, and of an album's photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError
from rememberai.events.energy import energies
from rememberai.events.temperature import energy, softmax
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_PRIOR = 200.0  # seeds that speak for each opinion before there are any
_STEPS = 100
_SURE_OF_START = 5.0  # inverse variance
_SMALL = 1e-6
_FLOOR = 0.05
_LOOKED_AT = 32  # neighbours; all photos, where these are of one burst
_AT_ONCE = 1024  # photos


def opinion_weights(
    opinions: Sequence[NDArray[np.float64]], truth: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Learn how much each opinion counts in a linear pool.

    The weights are the most probable ones given the seeds' own events, by expectation maximisation,
    where each opinion starts with the credit of 200 seeds: of few seeds they hardly learn.

    Parameters
    ----------
    opinions
        (n, n_events) probabilities of the seeds, each judged without itself.
    """
    own = np.stack([opinion[np.arange(len(truth)), truth] for opinion in opinions], axis=1)
    own = np.maximum(own, 1e-12)
    weights = np.full(len(opinions), 1 / len(opinions))
    for _ in range(_STEPS):
        credit = weights * own
        weights = (credit / credit.sum(axis=1, keepdims=True)).sum(axis=0) + _PRIOR
        weights /= weights.sum()
    return weights


def exponents(logs: Sequence[NDArray[np.float64]], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """Learn the exponents of a product of probabilities that tell of different things.

    They are the most probable ones given the seeds' own events, none below 0, by Newton's method;
    before there are any seeds the first is 1 and the others 0, within a standard deviation of 0.45.

    Parameters
    ----------
    logs
        (n, n_events) logarithms of what is multiplied, up to a constant a row, each seed judged
        without itself.

    References
    ----------
    Hinton, "Training products of experts", Neural Computation 14, 2002.
    """
    rows, start = np.arange(len(truth)), np.eye(len(logs))[0]
    powers = start
    for _ in range(_STEPS):
        shares = softmax(np.asarray(sum(p * log for p, log in zip(powers, logs, strict=True))))
        means = [(shares * log).sum(axis=1) for log in logs]
        slope = np.array([(log[rows, truth] - m).sum() for log, m in zip(logs, means, strict=True)])
        slope -= _SURE_OF_START * (powers - start)
        away = [log - m[:, None] for log, m in zip(logs, means, strict=True)]
        curve = np.array([[(shares * a * b).sum() for b in away] for a in away])
        step = np.linalg.solve(curve + _SURE_OF_START * np.eye(len(logs)), slope)
        powers = np.maximum(powers + step, 0)
        if np.abs(step).max() < _SMALL:
            break
    return np.asarray(powers, np.float64)


def checked_trust(weights: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Check the weights of n photos, and give them in parts of the largest.

    Raises
    ------
    InputError
        They are not n finite numbers above 0.
    """
    if weights is None:
        return np.ones(n)
    try:
        trust = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        trust = np.empty(0)
    if trust.shape != (n,) or not np.isfinite(trust).all() or (trust <= 0).any():
        raise InputError(f"{n} weights above 0 were wanted, one a photo; {weights!r:.100} came")
    return np.asarray(trust / trust.max(), np.float64)


def photo_weights(
    vectors: NDArray[np.float32], shares: NDArray[np.float64], metric: Metric, near: float
) -> NDArray[np.float64]:
    """Weigh an album's photos by how much they tell.

    A photo weighs 1.05 less the entropy of its probabilities, in parts of the largest possible one;
    the photos of a burst, which are near-duplicates, share the weight of one.

    Parameters
    ----------
    vectors, shares
        (n, dimension) prepared photos, and their (n, n_events) probabilities.
    near
        The cosine distance, or half the squared Euclidean one, up to which two are of one burst.

    Returns
    -------
    NDArray
        (n,) weights whose sum is 1.
    """
    logs = np.log(np.maximum(shares, 1e-300))
    entropy = -(shares * logs).sum(axis=1) / np.log(max(shares.shape[1], 2))
    weights = (np.clip(1 - entropy, 0, 1) + _FLOOR) / _burst_sizes(vectors, metric, near)
    return np.asarray(weights / weights.sum(), np.float64)


def _burst_sizes(vectors: NDArray[np.float32], metric: Metric, near: float) -> NDArray[np.intp]:
    distances, _ = knn(vectors, vectors, min(len(vectors), _LOOKED_AT), metric)
    sizes: NDArray[np.intp] = np.maximum((energy(distances, metric) <= near).sum(axis=1), 1)
    longer = np.flatnonzero(sizes == _LOOKED_AT)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    for start in range(0, len(longer), _AT_ONCE):
        rows = longer[start : start + _AT_ONCE]
        counts = (energies(centred[rows], centred) <= near).sum(axis=1)
        sizes[rows] = np.maximum(counts, _LOOKED_AT)
    return sizes
