"""Temperatures: how sharp probabilities are, learned from the seeds' own events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rememberai.records import Metric

_DOUBT = 0.01  # the part of a vote that is spread over all events, so that no loss is infinite


def energy(distances: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Give the cosine distance, or half the squared Euclidean one: the same on unit vectors."""
    return distances if metric == "cosine" else (distances**2 / 2).astype(np.float32)


def best_temperature(
    candidates: NDArray[np.float64],
    probabilities: Callable[[float], NDArray[np.float64]],
    truth: NDArray[np.intp],
    judged: NDArray[np.bool_] | None = None,
) -> float:
    """Choose the temperature under which the true events are most probable.

    Parameters
    ----------
    candidates
        Temperatures to choose from.
    probabilities
        Maps a temperature to (n, n_events) probabilities.
    truth
        (n,) positions of the true events.
    judged
        (n,) which rows count; all, if left out. Where none does, the middle candidate is taken.
    """
    rows = np.arange(len(truth)) if judged is None else np.flatnonzero(judged)
    if not len(rows):
        return float(candidates[len(candidates) // 2])
    losses = []
    for candidate in candidates:
        shares = probabilities(float(candidate))
        own = _DOUBT / shares.shape[1] + (1 - _DOUBT) * shares[rows, truth[rows]]
        losses.append(-np.log(own).mean())
    return float(candidates[np.argmin(losses)])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give shares in proportion to exp(logits), row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def sharpened(shares: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Raise shares to the power 1 / temperature, row by row; a little doubt is left to each."""
    return softmax(doubted_logs(shares) / temperature)


def doubted_logs(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithms of shares of which a little was spread over all events."""
    logs: NDArray[np.float64] = np.log((1 - _DOUBT) * shares + _DOUBT / shares.shape[1])
    return logs


def rounded(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop the digits that depend on the number of threads."""
    found: NDArray[np.float64] = scores.astype(np.float32).astype(np.float64)
    return found
