"""Vectors in clusters, drawn in parts so that a million of them need no second million."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_PART = 50_000
_SPREAD = 0.7


class Mixture:
    """Gaussian clusters whose spread is wide in few directions, as that of text vectors is.

    Parameters
    ----------
    dimension, n_clusters, seed
        The clusters; every draw has a seed of its own, so queries are no copies of what is stored.
    """

    def __init__(self, dimension: int, n_clusters: int, seed: int) -> None:
        self.seed = seed
        random = np.random.default_rng(seed)
        self.centers = random.standard_normal((n_clusters, dimension), dtype=np.float32)
        spread = 1 / np.sqrt(1 + np.arange(dimension, dtype=np.float32) / 16)
        self.spread = _SPREAD * spread / np.sqrt((spread**2).mean())

    def parts(self, n: int, draw: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Draw n unit vectors and the cluster of each, part by part."""
        random = np.random.default_rng([self.seed, draw])
        for start in range(0, n, _PART):
            of = random.integers(0, len(self.centers), min(_PART, n - start))
            noise = random.standard_normal((len(of), self.centers.shape[1]), dtype=np.float32)
            vectors = self.centers[of] + self.spread * noise
            yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True), of

    def draw(self, n: int, draw: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Draw n unit vectors at once."""
        vectors = np.empty((n, self.centers.shape[1]), np.float32)
        of = np.empty(n, np.int64)
        start = 0
        for part, clusters in self.parts(n, draw):
            vectors[start : start + len(part)] = part
            of[start : start + len(part)] = clusters
            start += len(part)
        return vectors, of
