"""The covariance that classes share, shrunk where there are few vectors to learn it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

_AT_ONCE = 4096  # rows
_REGULAR = 1e-6  # part that keeps it regular where the residuals fill no more than a plane


@dataclass(frozen=True, slots=True)
class SharedCovariance:
    """The covariance within classes, and how far it is drawn to a multiple of the identity.

    Attributes
    ----------
    covariance
        (dimension, dimension), not shrunk.
    variance
        Its mean over the coordinates.
    shrinkage
        From 0 to 1: the weight of `variance` times the identity.

    References
    ----------
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """

    covariance: NDArray[np.float64]
    variance: float
    shrinkage: float

    @classmethod
    def within(
        cls, vectors: NDArray[np.float32], labels: NDArray[np.intp], means: NDArray[np.float64]
    ) -> Self:
        """Learn it from (n, dimension) vectors, their (n,) classes, and the classes' means."""
        n, dimension = vectors.shape
        covariance, fourth = np.zeros((dimension, dimension)), 0.0
        for start in range(0, n, _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            residuals = vectors[some] - means[labels[some]]
            covariance += residuals.T @ residuals / n
            fourth += float(((residuals**2).sum(axis=1) ** 2).sum()) / n
        variance = float(np.trace(covariance)) / dimension
        away = float(((covariance - variance * np.eye(dimension)) ** 2).sum())
        doubt = (fourth - float((covariance**2).sum())) / n
        return cls(covariance, variance, min(max(doubt / away, 0.0), 1.0) if away > 0 else 1.0)

    def precision(self) -> NDArray[np.float64]:
        """Invert the shrunk covariance; there must be some variance."""
        drawn = (self.shrinkage + _REGULAR) * self.variance * np.eye(len(self.covariance))
        inverse = np.linalg.inv((1 - self.shrinkage) * self.covariance + drawn)
        return np.asarray(inverse, np.float64)
