"""Exact nearest neighbours: FAISS chooses, and their distances are measured anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai._faiss import import_faiss
from rememberai.index import gpu

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from numpy.typing import NDArray

    from rememberai.index.rows import Rows
    from rememberai.records import Metric

    Device = Literal["cpu", "gpu"]
    Found = tuple[NDArray[np.float32], NDArray[np.int64]]

_AT_ONCE = 2**22  # values that are measured at once
_TRUSTED = 1e-4
_FARTHEST = 1.5e19  # no two vectors are, and its square fits in float32


def knn(
    queries: NDArray[np.float32],
    base: NDArray[np.float32],
    k: int,
    metric: Metric,
    *,
    device: Device | None = None,
) -> Found:
    """Find the k nearest base vectors of each query, without building an index.

    Given several queries, FAISS takes |x|^2 + |y|^2 - 2xy for |x - y|^2, whose rounding hides the
    neighbours of vectors that are long but close together. Where it shows, the query is measured
    from differences to all base vectors.

    Parameters
    ----------
    queries, base
        (n, dimension) and (m, dimension) vectors, prepared for the metric.
    k
        At most m.
    device
        ``"gpu"`` lets the first GPU choose the neighbours where there is much to compare; None
        where FAISS sees one.

    Returns
    -------
    tuple
        (n, k) distances, the closest first, and (n, k) positions in `base`, the lower of equally
        distant ones first.
    """
    scores, found = chosen(queries, base, k, metric, device=device)
    distances = measure(queries, base, found, metric)
    if metric == "l2":
        doubtful = rounded_away(scores, distances)
        few = max(1, _AT_ONCE // max(len(base), 1))
        for start in range(0, len(doubtful), few):
            some = doubtful[start : start + few]
            every = np.tile(np.arange(len(base)), (len(some), 1))
            distances[some], found[some] = nearest_among(queries[some], base, every, k, metric)
    return nearest_of(distances, found, k)


def chosen(
    queries: NDArray[np.float32],
    base: NDArray[np.float32],
    k: int,
    metric: Metric,
    *,
    device: Device | None = None,
) -> Found:
    """Give the (n, k) scores and positions of the nearest as FAISS finds them, rounding and all."""
    kind = _kind(metric)
    far = k <= gpu.MOST and gpu.worth_a_trip(len(queries), len(base), queries.shape[1])
    on_gpu = far and (device == "gpu" or (device is None and gpu.there()))
    nearest = gpu.knn(queries, base, k, kind) if on_gpu else None
    found: Found = nearest or import_faiss().knn(queries, base, k, kind)
    return found


def _kind(metric: Metric) -> int:
    faiss = import_faiss()
    kind: int = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    return kind


def rounded_away(scores: NDArray[np.float32], distances: NDArray[np.float32]) -> NDArray[np.intp]:
    """List the queries whose squared distances are so rounded that neighbours may be hidden."""
    farthest = distances.max(axis=1, initial=0) ** 2
    error = np.abs(scores - distances**2).max(axis=1, initial=0)
    return np.flatnonzero(error > _TRUSTED * farthest)


def measure(
    queries: NDArray[np.float32],
    base: NDArray[np.float32] | Rows,
    found: NDArray[np.int64],
    metric: Metric,
) -> NDArray[np.float32]:
    """Measure from each query to its row of positions, from differences; infinite to -1.

    So equal vectors are exactly 0 apart, near ones keep their digits, and a distance depends on its
    two vectors alone. FAISS needs no copies for it.
    """
    faiss = import_faiss()
    queries, found = np.ascontiguousarray(queries), np.ascontiguousarray(found)
    squares = np.full(found.shape, np.inf, np.float32)
    here = np.empty_like(squares)
    views = [(0, base)] if isinstance(base, np.ndarray) else base.views(0, len(base))
    for first, view in views:
        piece = np.ascontiguousarray(view)
        local = np.where((found >= first) & (found < first + len(piece)), found - first, -1)
        pointers = map(faiss.swig_ptr, (here, queries, piece, local))
        faiss.fvec_L2sqr_by_idx(*pointers, queries.shape[1], *found.shape)
        np.minimum(squares, here, out=squares)
    if metric == "cosine":
        squares /= 2
        return squares
    return np.sqrt(squares, out=squares)


def nearest_among(
    queries: NDArray[np.float32],
    rows: NDArray[np.float32] | Rows,
    found: NDArray[np.int64],
    k: int,
    metric: Metric,
) -> Found:
    """Give the k nearest of each query's candidates; -1 is none."""
    return nearest_of(measure(queries, rows, found, metric), found, k)


def nearest_of(distances: NDArray[np.float32], found: NDArray[np.int64], k: int) -> Found:
    """Give the k nearest of each row, sorted by distance, then by position."""
    if distances.shape[1] > 2 * k:
        # The k-th smallest distance first, and then the lowest positions among its equals.
        kth = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
        width = int((distances <= kth).sum(axis=1).max(initial=k))
        if width < distances.shape[1]:
            some = np.argpartition(distances, width - 1, axis=1)[:, :width]
            distances = np.take_along_axis(distances, some, 1)
            found = np.take_along_axis(found, some, 1)
    if distances.shape[1] > k:
        order = np.lexsort((found, distances))[:, :k]
        return np.take_along_axis(distances, order, 1), np.take_along_axis(found, order, 1)
    unsorted = np.flatnonzero((distances[:, 1:] <= distances[:, :-1]).any(axis=1))
    order = np.lexsort((found[unsorted], distances[unsorted]))
    distances, found = distances.copy(), found.copy()
    for values in (distances, found):
        values[unsorted] = np.take_along_axis(values[unsorted], order, 1)
    return distances, found


def scan(
    queries: NDArray[np.float32],
    rows: Rows,
    k: int,
    metric: Metric,
    *,
    start: int = 0,
    allowed: NDArray[np.bool_] | None = None,
    device: Device = "cpu",
) -> Found:
    """Find the k nearest among the allowed rows from `start` on, exactly.

    Parameters
    ----------
    allowed
        One mark for each row; all of them where None.

    Returns
    -------
    tuple
        As `knn`, with fewer than k columns where fewer rows are allowed.
    """
    distances = [np.empty((len(queries), 0), np.float32)]
    found = [np.empty((len(queries), 0), np.int64)]
    for first, block, places in _allowed_blocks(rows, start, allowed):
        measured, local = knn(queries, block, min(k, len(block)), metric, device=device)
        distances.append(measured)
        found.append(first + (local if places is None else places[local]))
    if len(found) == 2:
        return distances[1], found[1]
    return nearest_of(np.hstack(distances), np.hstack(found), k)


def within(
    queries: NDArray[np.float32],
    rows: Rows,
    distance: float,
    metric: Metric,
    *,
    allowed: NDArray[np.bool_] | None = None,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Find all allowed rows within a distance of each query, exactly, block by block.

    A matrix product rules most rows out, with room for its rounding; the others are measured.

    Returns
    -------
    iterator
        Numbers of queries, positions of rows and their distances, of equal lengths.
    """
    distance = min(distance, _FARTHEST)
    limit = 2 * distance if metric == "cosine" else distance * distance
    lengths = np.einsum("nd,nd->n", queries, queries)
    rounding = 1e-6 + rows.dimension * 2.0**-24  # of a product, against the squared lengths
    for first, block, places in _allowed_blocks(rows, 0, allowed, blocks=True):
        sizes = np.einsum("nd,nd->n", block, block)
        step = max(1, _AT_ONCE // len(block))
        for low in range(0, len(queries), step):
            some = slice(low, low + step)
            reach = lengths[some, None] + sizes
            near = reach - 2 * (queries[some] @ block.T) <= limit + rounding * reach
            query, local = np.nonzero(near)
            query += low
            for at in range(0, len(query), max(1, _AT_ONCE // rows.dimension)):
                part = slice(at, at + max(1, _AT_ONCE // rows.dimension))
                q, p = query[part], local[part]
                measured = measure(queries[q], block, p[:, None], metric)[:, 0]
                hit = measured <= distance
                where = p[hit] if places is None else places[p[hit]]
                yield q[hit], first + where, measured[hit]


def _allowed_blocks(
    rows: Rows, start: int, allowed: NDArray[np.bool_] | None, *, blocks: bool = False
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int64] | None]]:
    """View or copy the allowed rows: where they start, vectors, and their places from there."""
    if allowed is None:
        for first, view in (rows.blocks if blocks else rows.views)(start, len(rows)):
            yield first, view, None
        return
    places = start + np.flatnonzero(allowed[start:])
    if 2 * len(places) < len(rows) - start:  # few from many blocks make one block
        step = rows.n_in_block
        for low in range(0, len(places), step):
            some = places[low : low + step]
            yield 0, rows[some], some
        return
    for first, view in rows.blocks(start, len(rows)):
        local = np.flatnonzero(allowed[first : first + len(view)])
        if len(local) == len(view):
            yield first, view, None
        elif len(local):
            yield first, view[local], local
