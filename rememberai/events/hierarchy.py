"""Hierarchies of clusters: which two to merge next, and where to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Linkage = Literal["ward", "average"]

LINKAGES: tuple[Linkage, ...] = ("ward", "average")


class Hierarchy:
    """Agglomerate pieces, the closest pair first.

    Ward's linkage merges the pair that adds least to the squared distances from the means, and so
    makes clusters of like size; average linkage the pair whose members are closest on the average,
    which leaves small clusters small (Lance and Williams, Computer Journal 1967).

    Parameters
    ----------
    means
        (m, dimension) means of the pieces' members.
    sizes
        (m,) how many members.
    scatters
        (m,) mean squared distance of the members from their mean.
    """

    def __init__(
        self,
        means: NDArray[np.floating],
        sizes: NDArray[np.integer],
        scatters: NDArray[np.floating],
        linkage: Linkage,
    ) -> None:
        centred = np.asarray(means, np.float64) - np.mean(means, axis=0, dtype=np.float64)
        squares = np.einsum("nd,nd->n", centred, centred)
        apart = np.maximum(squares[:, None] + squares - 2 * (centred @ centred.T), 0)
        n = np.asarray(sizes, np.float64)
        if linkage == "ward":
            apart *= n[:, None] * n / (n[:, None] + n)
        else:
            apart += scatters[:, None] + scatters
        self._merges = _merges(apart, n, linkage)

    def cut(self, n_clusters: int) -> NDArray[np.intp]:
        """Give the (m,) labels, from 0, of the pieces merged into that many clusters."""
        n_pieces = len(self._merges) + 1
        labels = np.arange(n_pieces)
        for kept, gone in self._merges[: n_pieces - n_clusters]:
            labels[labels == gone] = kept
        return np.unique(labels, return_inverse=True)[1]


def _merges(
    apart: NDArray[np.float64], sizes: NDArray[np.float64], linkage: Linkage
) -> list[tuple[int, int]]:
    """List which piece takes in which, by the formula of Lance and Williams."""
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    closest = apart.min(axis=1)
    merges = []
    for _ in range(len(apart) - 1):
        first = int(closest.argmin())
        i, j = sorted((first, int(nearest[first])))
        ni, nj = sizes[i], sizes[j]
        if linkage == "ward":
            row = (ni + sizes) * apart[i] + (nj + sizes) * apart[j] - sizes * apart[i, j]
            row /= ni + nj + sizes
        else:
            row = (ni * apart[i] + nj * apart[j]) / (ni + nj)
        row[i] = np.inf
        apart[i] = apart[:, i] = row
        apart[j] = apart[:, j] = np.inf
        sizes[i] += nj
        merges.append((i, j))
        stale = np.flatnonzero((nearest == i) | (nearest == j))
        stale = np.union1d(stale, [i, j])
        nearest[stale] = apart[stale].argmin(axis=1)
        closest[stale] = apart[stale, nearest[stale]]
        nearer = row < closest
        nearest[nearer], closest[nearer] = i, row[nearer]
    return merges
