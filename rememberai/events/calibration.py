"""Calibration: how sure an answer for a photo, and for an album, may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.pooling import photo_weights
from rememberai.events.temperature import best_temperature, sharpened
from rememberai.events.unknown import conformal_limit

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

_TEMPERATURES = np.geomspace(0.1, 4, 38)
_FEWEST = 20  # albums
_CERTAIN = 0.99  # stands out, even where all seeds are surer still


class Calibration:
    """Raise pooled probabilities to the power 1 / t, under which the true events are most probable.

    Photos of one album are no independent witnesses, so albums have a t of their own. It is learned
    from the albums among the seeds, each judged without itself: what a group of seeds has of one
    event. Where fewer than 20 are known, t is that of photos, which doubts too much rather than too
    little.

    An answer stands out when it is at least as probable as what comes first for nearly all seeds.

    Parameters
    ----------
    max_risk
        The share of photos, and of albums, of known events that may fall short of that.

    Attributes
    ----------
    temperature_, album_temperature_
        t for photos and for albums, of 38 from 0.1 to 4.
    left_out_
        (n, n_events) calibrated probabilities of the seeds, each judged without its group.
    albums_left_out_
        (m, n_events) those of the albums; none where fewer than 20 are known.
    least_, album_least_
        The probability from which on an event stands out, 0.99 at most, for photos and for albums;
        None for these where there are too few.

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """

    def __init__(self, max_risk: float) -> None:
        self.max_risk = max_risk

    def fit(self, pool: NDArray[np.float64], seeds: SeedSet, near: float) -> Self:
        """Learn the temperatures.

        Parameters
        ----------
        pool
            (n, n_events) probabilities of the seeds, each judged without its group.
        near
            See `photo_weights`.
        """
        judged = seeds.judged()
        self.temperature_ = best_temperature(
            _TEMPERATURES, lambda t: sharpened(pool, t), seeds.truth, judged
        )
        self.left_out_ = sharpened(pool, self.temperature_)
        self.album_temperature_ = self.temperature_
        self.albums_left_out_ = np.empty((0, seeds.n_events))
        albums, truth = _albums(pool, seeds, near)
        if len(albums) >= _FEWEST:
            self.album_temperature_ = best_temperature(
                _TEMPERATURES, lambda t: sharpened(albums, t), truth
            )
            self.albums_left_out_ = sharpened(albums, self.album_temperature_)
        self.least_ = self._least(self.left_out_[judged])
        enough = len(self.albums_left_out_) + 1 >= 1 / self.max_risk
        self.album_least_ = self._least(self.albums_left_out_) if enough else None
        return self

    def of_photos(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate (n, n_events) probabilities of photos."""
        return sharpened(pool, self.temperature_)

    def of_album(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate the (n_events,) probabilities of an album."""
        return np.asarray(sharpened(pool[None], self.album_temperature_)[0], np.float64)

    def doubt(self, event: str, pool: NDArray[np.float64], probability: float) -> str:
        """Say why an album's event does not stand out; empty if it does.

        Parameters
        ----------
        pool
            (n, n_events) pooled probabilities of its photos.
        probability
            The calibrated one of the event.
        """
        if self.album_least_ is not None:
            found, least, what = probability, self.album_least_, "its probability is only"
        else:
            found, least = float(self.of_photos(pool).max(axis=1).mean()), self.least_
            what = "what comes first for a photo has on the average only a probability of"
        if found >= least:
            return ""
        return (
            f"nothing stands out: {event!r} comes first, but {what} {found:.2f}, "
            f"and {least:.2f} is the least"
        )

    def _least(self, shares: NDArray[np.float64]) -> float:
        return min(max(0.0, -conformal_limit(-shares.max(axis=1), self.max_risk)), _CERTAIN)


def _albums(
    pool: NDArray[np.float64], seeds: SeedSet, near: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Pool the photos of each album among the seeds, and give its event."""
    given = np.flatnonzero(seeds.given & seeds.judged())
    rows = given[np.argsort(seeds.parts()[given], kind="stable")]
    new = np.flatnonzero(np.diff(seeds.parts()[rows])) + 1
    albums = [some for some in np.split(rows, new) if len(some)]
    pooled = [
        photo_weights(seeds.vectors[some], pool[some], seeds.metric, near) @ pool[some]
        for some in albums
    ]
    truth = np.array([seeds.truth[some[0]] for some in albums], np.intp)
    return np.reshape(pooled, (len(albums), seeds.n_events)), truth
