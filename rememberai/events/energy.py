"""Nearness as the events measure it: the energy, half the squared Euclidean distance.

On unit vectors it is the cosine distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TIE = 1e-6  # scores are equal that differ less, relatively; the first row wins


class Pool(NamedTuple):
    """An event's (m, dimension) seeds, none twice, and the (m, m) energies between them."""

    points: Floats
    energy: Floats


def energies(a: Floats, b: Floats) -> Floats:
    """Give the (len(a), len(b)) halves of the squared Euclidean distances."""
    half_a = np.einsum("nd,nd->n", a, a) / 2
    half_b = half_a if b is a else np.einsum("nd,nd->n", b, b) / 2
    energy: Floats = half_a[:, None] + half_b - a @ b.T
    return np.maximum(energy, 0, out=energy)


def fading(energy: Floats, scale: float) -> Floats:
    """Turn energies, in place, into the kernels exp(-energy / scale)."""
    energy *= np.float32(-1 / scale)
    return np.exp(energy, out=energy)


def spread(points: Floats) -> float:
    """Give the mean energy between two of the points, each being paired with itself too."""
    centred = points - points.mean(axis=0, dtype=np.float64)
    return float(np.einsum("nd,nd->", centred, centred)) / len(points)


def first_best(scores: NDArray[np.floating], scale: float = 0) -> int:
    """Find the first row whose score is the best, or as good, on its scale or a given one."""
    best = scores.max()
    return int(np.argmax(scores >= best - TIE * max(abs(best), scale)))
