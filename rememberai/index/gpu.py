"""The first GPU that FAISS sees: exact search on it, of rows that travel there or stay there."""

from __future__ import annotations

import functools
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rememberai._faiss import import_faiss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rememberai.index.rows import Rows
    from rememberai.records import Metric

_log = logging.getLogger(__name__)

MOST = 2048  # neighbours; asked for more, FAISS ends the process
_WORTH_WORK = 100_000_000  # multiplications; a CPU is done with less while the GPU is spoken to
_WORTH_SIDE = 64  # vectors; fewer are multiplied with while the others still travel
_one_at_a_time = threading.RLock()  # FAISS's resources are for one thread


def there() -> bool:
    """Tell whether FAISS sees a GPU."""
    return bool(getattr(import_faiss(), "get_num_gpus", lambda: 0)() > 0)


def worth_a_trip(n_queries: int, n_base: int, dimension: int) -> bool:
    """Tell whether a GPU finds neighbours sooner although all vectors travel to it."""
    pairs = n_queries * n_base
    return pairs * dimension >= _WORTH_WORK and pairs >= _WORTH_SIDE * (n_queries + n_base)


def knn(
    queries: NDArray[np.float32], base: NDArray[np.float32], k: int, kind: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    """Give FAISS's (n, k) scores and positions of the nearest; None where the GPU has no room.

    k is at most `MOST`.
    """
    with _one_at_a_time:
        try:
            scores, found = import_faiss().knn_gpu(_resources(), queries, base, k, metric=kind)
        except RuntimeError as error:
            _log.warning("the GPU could not compare vectors, so the CPU does: %s", error)
            return None
    return scores, found


@dataclass(frozen=True)
class OnGpu:
    """A copy of the first rows on the GPU; never changed."""

    index: Any

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @classmethod
    def of(cls, rows: Rows, metric: Metric) -> OnGpu:
        """Copy all rows.

        Raises
        ------
        MemoryError
            The GPU has no room for them.
        """
        with _one_at_a_time:
            index = _empty(rows.dimension, metric)
            try:
                for _, view in rows.views(0, len(rows)):
                    index.add(view)
            except RuntimeError as error:
                raise MemoryError(f"the GPU has no room for {len(rows):,} vectors") from error
        return cls(index)

    def search(
        self, queries: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Give FAISS's (n, k) scores and positions of the nearest; k is at most `MOST`."""
        with _one_at_a_time:
            found: tuple[NDArray[np.float32], NDArray[np.int64]] = self.index.search(queries, k)
        return found


def _empty(dimension: int, metric: Metric) -> Any:
    faiss = import_faiss()
    kind = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    return faiss.GpuIndexFlat(_resources(), dimension, kind, faiss.GpuIndexFlatConfig())


@functools.cache
def _resources() -> Any:
    return import_faiss().StandardGpuResources()
