"""What searches give back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The nearest stored vectors of each query, the closest first.

    Attributes
    ----------
    ids
        (n_queries, k) object array of str, or int64; k is at most what the index holds.
    distances
        (n_queries, k) float32: cosine distance (1 - cosine similarity) or Euclidean distance.
    """

    ids: NDArray[Any]
    distances: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighborhoods:
    """All stored vectors within a distance of each query, the closest first.

    Those of query i stand from ``starts[i]`` up to ``starts[i + 1]``; ``neighborhoods[i]`` gives
    them.

    Attributes
    ----------
    starts
        (n_queries + 1,) int64.
    ids
        Object array of str, or int64.
    distances
        float32, of the same length.
    """

    starts: NDArray[np.int64]
    ids: NDArray[Any]
    distances: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, query: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
        if not 0 <= query < len(self):
            raise IndexError(query)
        some = slice(self.starts[query], self.starts[query + 1])
        return self.ids[some], self.distances[some]
