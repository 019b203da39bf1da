"""How much words and pictures count in a search: what they were worth in finding the seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_STEPS = sorted(range(-6, 7), key=abs)  # half doublings of words against pictures, up to 8 to 1
_PRIOR = 20.0  # seeds that speak for equal weights before there are any


def balance(
    words: NDArray[np.float32],
    pictures: NDArray[np.float32],
    events: Sequence[str],
    apart: NDArray[np.bool_],
) -> tuple[float, float]:
    """Weigh two spaces so that the text of each seed finds the other photos of its event.

    Of 13 ratios from 1 : 8 to 8 : 1 the one is taken whose rankings have the highest mean average
    precision, the most even one of equals; 20 seeds speak for equal weights.

    Parameters
    ----------
    words, pictures
        (m, m) distances from each seed's text to the words, and to the picture, of each seed.
    events
        The m names of their events.
    apart
        (m, m): whether the one may be asked for the other; a seed may not for itself.

    Returns
    -------
    tuple of float
        Of words and of pictures; their product is 1.
    """
    owners = np.unique(np.asarray(events, str), return_inverse=True)[1]
    wanted = (owners[:, None] == owners) & apart
    asks = wanted.any(axis=1)
    if not asks.any():
        return 1.0, 1.0
    wanted, apart = wanted[asks], apart[asks]
    spoken, seen = (_standings(distances[asks], apart) for distances in (words, pictures))

    def worth(step: int) -> float:
        scores = spoken * _weight(step) + seen * _weight(-step)
        return _mean_average_precision(np.where(apart, scores, -np.inf), wanted)

    sure = len(wanted) / (len(wanted) + _PRIOR)
    step = sure * max(_STEPS, key=worth)
    return _weight(step), _weight(-step)


def _weight(step: float) -> float:
    return float(2 ** (step / 4))


def _standings(distances: NDArray[np.float32], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Count each row in standard deviations below its mean, as a search does."""
    mean = distances.mean(axis=1, where=apart, keepdims=True, dtype=np.float64)
    spread = distances.std(axis=1, where=apart, keepdims=True, dtype=np.float64)
    standings: NDArray[np.float64] = (mean - distances) / np.where(spread > 0, spread, 1)
    return standings


def _mean_average_precision(scores: NDArray[np.float64], wanted: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(wanted, order, axis=1)
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())
