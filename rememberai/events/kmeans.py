"""K-means by FAISS, on all points, whatever their order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rememberai._faiss import import_faiss
from rememberai.events.seeding import PARTS, Seeder
from rememberai.index import gpu
from rememberai.index.knn import chosen, knn, measure
from rememberai.records import uncounted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from numpy.typing import NDArray

    from rememberai.records import Metric, Step

    _Part = TypeVar("_Part")

_PER_SEED, _FEWEST = 16, 1024  # points that seeds are drawn from
_MANY = 64  # points a cluster; of fewer, FAISS sums all in less time than it takes to ask which
_COPIED = 512  # rows in one go, which a core's cache holds
_WORTH = 4096  # rows a thread
_LOW = 2.0**-10  # a height, against the points' radius, at which no distance loses a digit
_SIGN = np.uint32(2**31)


def canonical_order(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    """Order rows by their values, so that a result does not depend on the order of the input.

    Rows that differ in their last digits alone, as models give them on another machine, stand in
    nearly the same order, so that whatever is drawn by position hardly changes.
    """
    heads = _bytes_of(vectors[:, :2])  # settle it for most
    numbers = heads.view(f">u{heads.itemsize}").astype(np.uint64)
    order = np.argsort(numbers)
    numbers = numbers[order]
    tied = np.zeros(len(order), bool)
    tied[1:] = numbers[1:] == numbers[:-1]
    tied[:-1] |= tied[1:]
    rows = np.sort(order[tied])  # of equal rows the first comes first
    order[tied] = rows[np.argsort(_bytes_of(vectors[rows]), kind="stable")]
    return order


def _bytes_of(vectors: NDArray[np.float32]) -> NDArray[np.void]:
    """Give bytes of each row that sort as its values do."""
    bits = np.ascontiguousarray(vectors + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
    rising = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(">u4")
    return rising.view(np.dtype((np.void, rising.shape[1] * rising.itemsize))).ravel()


def side_by_side(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Order rows by their labels, from 0, and those of one as they stand."""
    few_bits = labels.astype(np.min_scalar_type(labels.max(initial=0)))  # sorted in a tenth of it
    return np.argsort(few_bits, kind="stable")


def first_of_equals(vectors: NDArray[np.float32], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark the rows, in an order that puts equal ones side by side, that differ from the last."""
    heads = vectors[order, 0]
    first = np.ones(len(order), bool)
    first[1:] = heads[1:] != heads[:-1]
    tied = np.flatnonzero(~first)
    first[tied] = (vectors[order[tied]] != vectors[order[tied - 1]]).any(axis=1)
    return first


def kmeans(
    vectors: NDArray[np.float32],
    n_clusters: int,
    *,
    metric: Metric,
    n_init: int,
    max_iter: int,
    random_state: int,
    step: Step = uncounted,
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Cluster prepared vectors: Lloyd's iterations by FAISS from greedy k-means++ seeds.

    Parameters
    ----------
    vectors
        (n, dimension), n at least n_clusters; unit length under the cosine metric, whose centroids
        are then unit length too (spherical k-means; the centroid of opposites is zero).
    n_init
        Runs from other seeds; the one with the least inertia is kept.
    step
        Called `n_steps` times: after each tenth of the seeds and each iteration.

    Returns
    -------
    tuple
        (m, dimension) centroids and (n,) labels from 0 to m - 1, the nearest centroid of each
        vector; every cluster has a member, so m is less than n_clusters when there are fewer
        distinct vectors. The largest comes first.
    """
    order = canonical_order(vectors)
    k = min(n_clusters, int(first_of_equals(vectors, order).sum()))
    # Evenly over the values of the first coordinate.
    sample = vectors[order[:: max(1, len(order) // max(_PER_SEED * k, _FEWEST))]]
    frame = _frame(sample, metric)
    points, sample = _seen(vectors, frame, order), _seen(sample, frame)
    iterate = _lloyd_by_faiss if _by_faiss(len(points), *sample[:k].shape) else _lloyd_by_moves
    seeder = Seeder(sample, k)
    best = np.inf
    for i in range(n_init):
        seeds = seeder.draw(np.random.default_rng([random_state, i]), step)
        found = iterate(points, seeds, metric, max_iter, None, step)
        distances, nearest = knn(points, found, 1, metric)
        inertia = float((distances.astype(np.float64) ** (1 if metric == "cosine" else 2)).sum())
        if inertia < best:
            best, centroids, labels = inertia, found, nearest[:, 0]
    ranks = np.empty(len(vectors), np.intp)
    used, ranks[order] = by_size(labels)
    return _as_before(centroids[used], frame), ranks


def n_steps(n_init: int, max_iter: int) -> int:
    """Tell how many steps `kmeans` counts."""
    return n_init * (PARTS + max_iter)


class _Frame(NamedTuple):
    """Where points under l2 are seen from, and a number that is put behind each of them.

    Near the points float32 has the most digits left. The number, the same for all, changes no
    distance, and a centroid with another number there is compared by an inner product.
    """

    origin: NDArray[np.float32]
    height: np.float32


def _frame(sample: NDArray[np.float32], metric: Metric) -> _Frame | None:
    if metric == "cosine":
        return None
    origin = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    radius = np.sqrt(np.square(sample - origin, dtype=np.float64).sum(axis=1).mean())
    return _Frame(origin, np.float32(_LOW * radius or 1))


def _seen(
    vectors: NDArray[np.float32], frame: _Frame | None, order: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    """Copy rows as they are seen in a frame, in an order."""
    n, dimension = vectors.shape
    points = np.empty((n, dimension + (frame is not None)), np.float32)

    which = np.arange(n) if order is None else order

    def copy(rows: slice) -> None:
        if frame is None:
            # Rows that aren't looked for beyond the end are copied without a detour.
            np.take(vectors, which[rows], axis=0, out=points[rows], mode="clip")
        else:
            np.subtract(vectors[which[rows]], frame.origin, out=points[rows, :-1])
            points[rows, -1] = frame.height

    _on_all_threads(copy, [slice(i, i + _COPIED) for i in range(0, n, _COPIED)], n)
    return points


def _as_before(centroids: NDArray[np.float32], frame: _Frame | None) -> NDArray[np.float32]:
    return centroids if frame is None else centroids[:, : len(frame.origin)] + frame.origin


def _on_all_threads(work: Callable[[_Part], None], parts: Sequence[_Part], n: int) -> None:
    """Work on parts of n rows, which do not depend on each other, on all threads of FAISS.

    A thread that is started for few rows takes longer than they do.
    """

    def some(share: Sequence[_Part]) -> None:
        for part in share:
            work(part)

    threads = min(import_faiss().omp_get_max_threads(), len(parts), n // _WORTH)
    if threads < 2:
        some(parts)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, [parts[i::threads] for i in range(threads)]))


def by_size(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the clusters there are, the largest first, and number the labels in that order.

    Of equal ones that comes first whose first member does.
    """
    sizes = np.bincount(labels)
    first = np.zeros(len(sizes), np.intp)
    first[labels[::-1]] = np.arange(len(labels))[::-1]  # what is written last stays
    used = np.lexsort((first, -sizes))[: np.count_nonzero(sizes)]
    rank = np.empty(len(sizes), np.intp)
    rank[used] = np.arange(len(used))
    return used, rank[labels]


def centroids_of(
    points: NDArray[np.float32], labels: NDArray[np.intp], metric: Metric
) -> NDArray[np.float32]:
    """Give the mean of each cluster's points, which stand in canonical order.

    Parameters
    ----------
    points, labels
        (n, dimension), and (n,) clusters from 0, each with a member.

    Returns
    -------
    NDArray[np.float32]
        (n_clusters, dimension), of unit length under the cosine metric.
    """
    means = member_means(points, labels)
    return (to_sphere(means) if metric == "cosine" else means).astype(np.float32)


def member_means(
    points: NDArray[np.floating],
    labels: NDArray[np.intp],
    weights: NDArray[np.number] | None = None,
) -> NDArray[np.float64]:
    """Give the (n_clusters, dimension) plain means of the clusters."""
    masses = np.bincount(labels, weights)
    sums = np.zeros((len(masses), points.shape[1]))
    _add(sums, points, np.arange(len(points)), labels, weights)
    means: NDArray[np.float64] = sums / masses[:, None]
    return means


def _add(
    sums: NDArray[np.float64],
    points: NDArray[np.floating],
    rows: NDArray[np.intp],
    labels: NDArray[np.integer],
    weights: NDArray[np.number] | None,
    sign: int = 1,
) -> None:
    """Add rows of the points to the sums of their clusters, or take them away again."""
    rows = rows[side_by_side(labels[rows])]
    clusters, starts = np.unique(labels[rows], return_index=True)

    def add(part: tuple[int, tuple[int, int]]) -> None:
        cluster, (start, end) = part
        members = rows[start:end]
        some = points[members] if weights is None else points[members] * weights[members, None]
        sums[cluster] += sign * some.sum(axis=0, dtype=np.float64)

    parts = list(zip(clusters, pairwise([*starts, len(rows)]), strict=True))
    _on_all_threads(add, parts, len(rows))


def to_sphere(means: NDArray[Any]) -> NDArray[Any]:
    """Bring means of unit vectors to unit length; that of opposites stays zero."""
    lengths = np.sqrt(np.einsum("nd,nd->n", means, means))
    unit: NDArray[Any] = means / np.where(lengths == 0, 1, lengths)[:, None]
    return unit


def lloyd(
    points: NDArray[np.float32],
    seeds: NDArray[np.float32],
    metric: Metric,
    max_iter: int,
    weights: NDArray[np.number] | None = None,
    step: Step = uncounted,
) -> NDArray[np.float32]:
    """Move centroids from their seeds by Lloyd's iterations; points stand in canonical order.

    FAISS sums all points in every iteration. Where they are many to a cluster, only those that
    changed their cluster are summed here, which soon are few, in float64, so that nothing is left
    of those taken away. A GPU that FAISS sees compares points where they are many.

    Parameters
    ----------
    step
        Called after each iteration; those that would change nothing are done at once.
    """
    if _by_faiss(len(points), *seeds.shape):
        return _lloyd_by_faiss(points, seeds, metric, max_iter, weights, step)
    frame = _frame(seeds, metric)
    if frame is not None:
        points, seeds = _seen(points, frame), _seen(seeds, frame)
    return _as_before(_lloyd_by_moves(points, seeds, metric, max_iter, weights, step), frame)


def _by_faiss(n: int, k: int, dimension: int) -> bool:
    return n < _MANY * k or _on_gpu(n, k, dimension)


def _on_gpu(n: int, k: int, dimension: int) -> bool:
    return gpu.worth_a_trip(n, k, dimension) and gpu.there()


def _lloyd_by_moves(
    points: NDArray[np.float32],
    seeds: NDArray[np.float32],
    metric: Metric,
    max_iter: int,
    weights: NDArray[np.number] | None,
    step: Step,
) -> NDArray[np.float32]:
    labels = np.full(len(points), -1)
    sums = np.zeros(seeds.shape)
    centroids, moved = seeds, labels
    for _ in range(max_iter):
        if len(moved):
            nearest = _nearest(points, centroids, metric)
            nearest = _without_empty(nearest, points, centroids, metric)
            moved = np.flatnonzero(nearest != labels)
            _add(sums, points, moved[labels[moved] >= 0], labels, weights, sign=-1)
            _add(sums, points, moved, nearest, weights)
            labels = nearest
            masses = np.bincount(labels, weights, minlength=len(seeds))[:, None]
            means = np.divide(sums, masses, out=centroids.astype(np.float64), where=masses > 0)
            centroids = (to_sphere(means) if metric == "cosine" else means).astype(np.float32)
        step()
    return centroids


def _nearest(
    points: NDArray[np.float32], centroids: NDArray[np.float32], metric: Metric
) -> NDArray[np.int64]:
    """Find the nearest centroid of each point, rounding and all.

    Under l2 it is the c whose x.c - |c|^2 / 2 is largest: an inner product too, since there is a
    height behind x, which spares FAISS the squared lengths of all x.
    """
    if metric == "l2":
        height = points[0, -1]
        halves = np.einsum("kd,kd->k", centroids[:, :-1], centroids[:, :-1], dtype=np.float64) / 2
        centroids = np.column_stack([centroids[:, :-1], (-halves / height).astype(np.float32)])
    return chosen(points, centroids, 1, "cosine")[1][:, 0]


def _without_empty(
    labels: NDArray[np.int64],
    points: NDArray[np.float32],
    centroids: NDArray[np.float32],
    metric: Metric,
) -> NDArray[np.int64]:
    """Give each empty cluster one of the points that are farthest from their centroids."""
    empty = np.flatnonzero(np.bincount(labels, minlength=len(centroids)) == 0)
    if len(empty):
        away = measure(points, centroids, labels[:, None], metric)[:, 0]
        labels[np.argsort(-away, kind="stable")[: len(empty)]] = empty
    return labels


def _lloyd_by_faiss(
    points: NDArray[np.float32],
    seeds: NDArray[np.float32],
    metric: Metric,
    max_iter: int,
    weights: NDArray[np.number] | None,
    step: Step,
) -> NDArray[np.float32]:
    """Let FAISS run each iteration by itself, so that they can be counted, as long as it would."""
    faiss, (n, dimension) = import_faiss(), points.shape
    once = faiss.ClusteringParameters()
    once.niter = 1
    # FAISS takes 256 points a centroid otherwise, without a word.
    once.max_points_per_centroid, once.min_points_per_centroid = n, 1
    once.check_input_data_for_NaNs = False  # prepared vectors have none
    flat = (faiss.IndexFlatIP if metric == "cosine" else faiss.IndexFlatL2)(dimension)
    if _on_gpu(n, len(seeds), dimension):
        flat = faiss.index_cpu_to_all_gpus(flat)
    heavy = None if weights is None else weights.astype(np.float32)
    centroids, error, stays = np.array(seeds), None, False
    for _ in range(max_iter):
        if not stays:
            if metric == "cosine":
                faiss.normalize_L2(centroids)
            run = faiss.Clustering(dimension, len(seeds), once)
            faiss.copy_array_to_vector(centroids.ravel(), run.centroids)
            run.train(points, flat, heavy)
            centroids = faiss.vector_to_array(run.centroids).reshape(seeds.shape)
            if run.iteration_stats.size():  # none where each point is a centroid
                before, error = error, run.iteration_stats.at(0).obj
                stays = error == before
        step()
    if metric == "cosine" and len(seeds) < n:
        faiss.normalize_L2(centroids)
    return centroids
