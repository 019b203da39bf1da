"""Novelty: whether a photo, or an album, is of any of the learned events at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.answers import Doubt
from rememberai.events.pooling import photo_weights
from rememberai.events.unknown import conformal_limit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.calibration import Calibration
    from rememberai.events.others import OtherEvents
    from rememberai.events.seedset import SeedSet

    Floats = NDArray[np.float64]

_CERTAIN = 0.99  # more is no better, so that an event stands out though all seeds are surer still
_SURE_OF_START = 5.0  # inverse variance of the leading slope
_SURE_OF_NONE = 100.0  # inverse variance of the others, per standard deviation of their evidence
_STEPS = 100
_SMALL = 1e-9
_ROUNDED = 1e-9  # below the limit: a mean of equal probabilities can be less in its last digits
_FAR = 500.0  # in log odds
_FLATTEST = 0.01  # slope; what seeds say of unknown ones may be no guide


class Novelty:
    """Tell by logistic regression how probable it is that an answer is of a learned event at all.

    Two things are evidence. The log odds of the share that the learned events have beside others
    (see `others`) lead: before there are any seeds their slope is 1, within a standard deviation of
    0.45. The log odds of the most probable event join as far as the seeds teach it, since those
    others may have nothing to do with what else there is: their slope, for one standard deviation
    of what the seeds have, is 0 within 0.1. Where no others are told of, they lead alone.

    The teachers are the seeds, each judged without its group: once as they are, and once as if
    their own event had not been learned. So each event in turn plays the unknown, and the
    probability is that of a world in which every second photo, or album, is of none of the learned
    events. No slope is below 0: more evidence is never less probable.

    The evidence of an album is the mean of its photos' log odds. Albums have a regression upon it
    and a limit of their own where as many are among the seeds as the calibration and the limit
    need; else an album is as probably known as its photos are on the average.

    Parameters
    ----------
    max_risk
        The share of photos, and of albums, of learned events that may be less probable than the
        limit.

    Attributes
    ----------
    least_, album_least_
        The limit, by conformal prediction, for photos and for albums; None for these where there
        are too few.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999; Scheirer et al., "Probability
    models for open set recognition", PAMI 2014; Hendrycks and Gimpel, "A baseline for detecting
    misclassified and out-of-distribution examples in neural networks", ICLR 2017.
    """

    def __init__(self, max_risk: float) -> None:
        self.max_risk = max_risk

    def fit(
        self,
        calibration: Calibration,
        pool: Floats,
        seeds: SeedSet,
        near: float,
        others: OtherEvents | None = None,
    ) -> Self:
        """Learn the regressions and the limits.

        Parameters
        ----------
        calibration
            Fitted to the pool.
        pool
            (n, n_events) probabilities of the seeds, each judged without its group.
        near
            See `photo_weights`.
        others
            Fitted, where any are told of.
        """
        self._calibration = calibration
        pools = [pool, _unlearned(pool, seeds.truth)]
        told: list[Floats | None] = [None, None]
        if others is not None:
            told = [others.left_out_, others.left_out_unlearned_]
        photos = [
            _evidence(calibration.of_photos(some), share)
            for some, share in zip(pools, told, strict=True)
        ]
        judged = seeds.judged()
        self._of_photos, self.least_ = self._learn([side[judged] for side in photos])
        self._of_albums, self.album_least_ = None, None
        rows = seeds.albums()
        if calibration.knows_albums and len(rows) + 1 >= 1 / self.max_risk:
            albums = []
            for some, side in zip(pools, photos, strict=True):
                odds = _odds(side, self._of_photos)
                each = [
                    photo_weights(seeds.vectors[r], some[r], seeds.metric, near) @ odds[r]
                    for r in rows
                ]
                albums.append(np.array(each)[:, None].round(6))
            self._of_albums, self.album_least_ = self._learn(albums)
        return self

    def of_photos(self, shares: Floats, share: Floats | None) -> Floats:
        """Give (n,) probabilities that photos are of a learned event.

        Parameters
        ----------
        shares
            (n, n_events) calibrated probabilities.
        share
            (n,) shares of the learned events, if other events are told of.
        """
        return _sigmoid(_odds(_evidence(shares, share), self._of_photos))

    def of_album(self, pool: Floats, share: Floats | None, weights: Floats) -> float:
        """Give the probability that an album is of a learned event.

        Parameters
        ----------
        pool, share
            (n, n_events) pooled probabilities of its photos, not calibrated, and their (n,) shares.
        weights
            (n,) weights of the photos, whose sum is 1.
        """
        odds = _odds(_evidence(self._calibration.of_photos(pool), share), self._of_photos)
        if self._of_albums is None:
            return float(_sigmoid(odds).mean())
        album = (weights @ odds).round(6)
        return float(_sigmoid(_odds(np.array([[album]]), self._of_albums))[0])

    def doubt(self, event: str, known: float) -> Doubt | None:
        """Say why an album is taken for unknown though an event comes first; None if it is not."""
        least = self.least_ if self.album_least_ is None else self.album_least_
        return None if known >= least else Doubt("unlikely", event, known, least)

    def _learn(self, sides: Sequence[Floats]) -> tuple[Floats, float]:
        found = _regress(*sides)
        known = _sigmoid(_odds(sides[0], found))
        return found, max(0.0, -conformal_limit(-known, self.max_risk) - _ROUNDED)


def _unlearned(pool: Floats, truth: NDArray[np.intp]) -> Floats:
    """Take the probability of its own event from each seed; if nothing is left, all are alike."""
    left = pool.copy()
    left[np.arange(len(truth)), truth] = 0
    sums = left.sum(axis=1, keepdims=True)
    return np.asarray(np.where(sums > 0, left, 1) / np.where(sums > 0, sums, pool.shape[1]))


def _evidence(shares: Floats, share: Floats | None) -> Floats:
    """Give (n, k) evidence of photos, the leading one first."""
    columns = [shares.max(axis=1)] if share is None else [share, shares.max(axis=1)]
    told = np.clip(np.stack(columns, axis=1), 1 - _CERTAIN, _CERTAIN)
    return np.asarray(np.log(told / (1 - told)).round(6), np.float64)


def _odds(evidence: Floats, weights: Floats) -> Floats:
    """Give the (n,) log odds of a regression."""
    odds = weights[0] + (evidence * weights[1:]).sum(axis=1)
    return np.asarray(np.clip(odds, -_FAR, _FAR), np.float64)


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


def _regress(known: Floats, unknown: Floats) -> Floats:
    """Fit the intercept and the slopes of (n, k) evidence by Newton's method in their bounds.

    A slope at its bound that would leave it stays; steps that go too far are halved (Bertsekas,
    "Projected Newton methods", SIAM J. Control and Optimization 20, 1982).
    """
    rows = np.concatenate([known, unknown])
    n, k = rows.shape
    centre = rows.sum(axis=0) / max(n, 1)
    rows = np.column_stack([np.ones(n), rows - centre])
    signs = np.where(np.arange(n) < len(known), 1.0, -1.0)
    variances = (rows[:, 2:] ** 2).sum(axis=0) / max(n, 1)
    start, least = np.eye(k + 1)[1], np.array([-np.inf, _FLATTEST] + [0.0] * (k - 1))
    sure = np.array([_SMALL, _SURE_OF_START, *np.maximum(_SURE_OF_NONE * variances, _SMALL)])

    def loss(weights: Floats) -> float:
        away = float((sure * (weights - start) ** 2).sum()) / 2
        return float(np.logaddexp(0, -signs * (rows @ weights)).sum()) + away

    weights = start
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(np.minimum(signs * (rows @ weights), _FAR)))
        slope = rows.T @ (signs * wrong) - sure * (weights - start)
        curve = rows.T @ ((wrong * (1 - wrong))[:, None] * rows) + np.diag(sure)
        free = np.flatnonzero((weights > least) | (slope > 0))
        step, before = np.zeros(k + 1), weights
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        while np.abs(step).max() > _SMALL:
            weights = np.maximum(before + step, least)
            if loss(weights) <= loss(before):
                break
            step /= 2
        if np.abs(weights - before).max() <= _SMALL:
            break
    return np.array([weights[0] - centre @ weights[1:], *weights[1:]])
