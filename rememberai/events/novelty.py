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
_SURE_OF_START = 5.0  # inverse variance of the slopes
_STEPS = 100
_SMALL = 1e-9
_ROUNDED = 1e-9  # below the limit: a mean of equal probabilities can be less in its last digits
_FAR = 500.0  # in log odds
_FLATTEST = 0.01  # slope; what seeds say of unknown ones may be no guide


class Novelty:
    """Tell by logistic regression how probable it is that an answer is of a learned event at all.

    The evidence, in log odds, is the share that the learned events have beside others (see
    `others`); where no others are told of, how probable the most probable learned event is. The
    teachers are the seeds, each judged without its group: once as they are, and once as if their
    own event had not been learned. So each event in turn plays the unknown, and the probability is
    that of a world in which every second photo, or album, is of none of the learned events. Before
    there are any seeds the slope is 1, within a standard deviation of 0.45.

    Albums have a regression and a limit of their own where as many are among the seeds as the
    calibration and the limit need; else an album is as probably known as its photos are on the
    average.

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
    models for open set recognition", PAMI 2014.
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
        judged = seeds.judged()
        photos = [
            _evidence(calibration.of_photos(some), share)[judged]
            for some, share in zip(pools, told, strict=True)
        ]
        self._of_photos, self.least_ = self._learn(photos)
        self._of_albums, self.album_least_ = None, None
        rows = seeds.albums()
        if calibration.knows_albums and len(rows) + 1 >= 1 / self.max_risk:
            albums = [
                np.concatenate([self._of_one(some, share, seeds, near, r) for r in rows])
                for some, share in zip(pools, told, strict=True)
            ]
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
        return _sigmoid(_evidence(shares, share), self._of_photos)

    def of_album(self, pool: Floats, share: Floats | None, weights: Floats) -> float:
        """Give the probability that an album is of a learned event.

        Parameters
        ----------
        pool, share
            (n, n_events) pooled probabilities of its photos, not calibrated, and their (n,) shares.
        weights
            (n,) weights of the photos, whose sum is 1.
        """
        if self._of_albums is None:
            return float(self.of_photos(self._calibration.of_photos(pool), share).mean())
        found = self._calibration.of_album(weights @ pool)[None]
        evidence = _evidence(found, share if share is None else (weights @ share)[None])
        return float(_sigmoid(evidence, self._of_albums)[0])

    def doubt(self, event: str, known: float) -> Doubt | None:
        """Say why an album is taken for unknown though an event comes first; None if it is not."""
        least = self.least_ if self.album_least_ is None else self.album_least_
        return None if known >= least else Doubt("unlikely", event, known, least)

    def _learn(self, sides: Sequence[Floats]) -> tuple[Floats, float]:
        found = _regress(*sides)
        known = _sigmoid(sides[0], found)
        return found, max(0.0, -conformal_limit(-known, self.max_risk) - _ROUNDED)

    def _of_one(
        self,
        pool: Floats,
        share: Floats | None,
        seeds: SeedSet,
        near: float,
        rows: NDArray[np.intp],
    ) -> Floats:
        weights = photo_weights(seeds.vectors[rows], pool[rows], seeds.metric, near)
        found = self._calibration.of_album(weights @ pool[rows])[None]
        return _evidence(found, share if share is None else (weights @ share[rows])[None])


def _unlearned(pool: Floats, truth: NDArray[np.intp]) -> Floats:
    """Take the probability of its own event from each seed; if nothing is left, all are alike."""
    left = pool.copy()
    left[np.arange(len(truth)), truth] = 0
    sums = left.sum(axis=1, keepdims=True)
    return np.asarray(np.where(sums > 0, left, 1) / np.where(sums > 0, sums, pool.shape[1]))


def _evidence(shares: Floats, share: Floats | None) -> Floats:
    """Give (n,) log odds."""
    told = shares.max(axis=1) if share is None else share
    told = np.clip(told, 1 - _CERTAIN, _CERTAIN)
    return np.asarray(np.log(told / (1 - told)).round(6), np.float64)


def _sigmoid(evidence: Floats, weights: Floats) -> Floats:
    odds = np.clip(weights[0] + weights[1] * evidence, -_FAR, _FAR)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


def _regress(known: Floats, unknown: Floats) -> Floats:
    """Fit the intercept and the slope by Newton's method, with steps halved that go too far."""
    rows = np.concatenate([known, unknown])
    centre = rows.sum() / max(len(rows), 1)
    rows = np.stack([np.ones(len(rows)), rows - centre], axis=1)
    signs = np.where(np.arange(len(rows)) < len(known), 1.0, -1.0)
    start, sure = np.array([0.0, 1.0]), np.array([_SMALL, _SURE_OF_START])

    def loss(weights: Floats) -> float:
        away = float((sure * (weights - start) ** 2).sum()) / 2
        return float(np.logaddexp(0, -signs * (rows @ weights)).sum()) + away

    weights = start
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(np.minimum(signs * (rows @ weights), _FAR)))
        slope = rows.T @ (signs * wrong) - sure * (weights - start)
        curve = rows.T @ ((wrong * (1 - wrong))[:, None] * rows) + np.diag(sure)
        step, before = np.linalg.solve(curve, slope), weights
        while np.abs(step).max() > _SMALL:
            weights = np.maximum(before + step, [-np.inf, _FLATTEST])
            if loss(weights) <= loss(before):
                break
            step /= 2
        if np.abs(weights - before).max() <= _SMALL:
            break
    return np.array([weights[0] - centre * weights[1], weights[1]])
