"""Calibration: how sure an answer for a photo, and for an album, may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.pooling import photo_weights
from rememberai.events.temperature import best_temperature, sharpened

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

_TEMPERATURES = np.geomspace(0.1, 4, 38)
_FEWEST = 20  # albums


class Calibration:
    """Raise pooled probabilities to the power 1 / t, under which the true events are most probable.

    Photos of one album are no independent witnesses, so albums have a t of their own. It is learned
    from the albums among the seeds, each judged without itself: what a group of seeds has of one
    event. Where fewer than 20 are known, t is that of photos, which doubts too much rather than too
    little.

    Attributes
    ----------
    temperature_, album_temperature_
        t for photos and for albums, of 38 from 0.1 to 4.
    left_out_
        (n, n_events) calibrated probabilities of the seeds, each judged without its group.
    albums_left_out_
        (m, n_events) those of the albums; none where fewer than 20 are known.

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """

    def fit(self, pool: NDArray[np.float64], seeds: SeedSet, near: float) -> Self:
        """Learn the temperatures.

        Parameters
        ----------
        pool
            (n, n_events) probabilities of the seeds, each judged without its group.
        near
            See `photo_weights`.
        """
        self.temperature_ = best_temperature(
            _TEMPERATURES, lambda t: sharpened(pool, t), seeds.truth, seeds.judged()
        )
        self.left_out_ = sharpened(pool, self.temperature_)
        self.album_temperature_ = self.temperature_
        self.albums_left_out_ = np.empty((0, seeds.n_events))
        rows = seeds.albums()
        if len(rows) >= _FEWEST:
            albums = np.stack(
                [
                    photo_weights(seeds.vectors[some], pool[some], seeds.metric, near) @ pool[some]
                    for some in rows
                ]
            )
            truth = seeds.truth[[some[0] for some in rows]]
            self.album_temperature_ = best_temperature(
                _TEMPERATURES, lambda t: sharpened(albums, t), truth
            )
            self.albums_left_out_ = sharpened(albums, self.album_temperature_)
        return self

    @property
    def knows_albums(self) -> bool:
        """Whether albums have a temperature of their own."""
        return len(self.albums_left_out_) > 0

    def of_photos(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate (n, n_events) probabilities of photos."""
        return sharpened(pool, self.temperature_)

    def of_album(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate the (n_events,) probabilities of an album."""
        return np.asarray(sharpened(pool[None], self.album_temperature_)[0], np.float64)
