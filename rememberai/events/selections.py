"""Selections: which of an event's seeds stand for it.

Nearness is the energy everywhere; see `rememberai.events.energy`. Points are prepared for the
metric and stand in canonical order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import pair_distances
from rememberai.events.energy import TIE, Pool, energies, fading, first_best
from rememberai.events.kmeans import by_size, to_sphere
from rememberai.events.likelihood import likelihood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rememberai.records import Metric

    Floats = NDArray[np.float32]
    Rows = NDArray[np.intp]

_GAINS = 256  # of so many seeds all gains are computed, of more so many at once
_PER_CLUSTER, _FEWEST = 16, 1024  # seeds that k-means starts from
_MOST_ITERATIONS = 50
_DECIMALS = 3  # of energies over their mean; each of two seeds is as near to their centroid


@dataclass(frozen=True, slots=True)
class Options:
    """What some selections need beside the points; the parameters of `EventPrototypes`."""

    metric: Metric
    n_seed_clusters: int | None
    random_state: int


def select(
    selection: str, pools: Sequence[Pool], n_prototypes: int, options: Options
) -> list[Rows]:
    """Choose prototypes of each event.

    Parameters
    ----------
    selection
        A name in `SELECTIONS`.
    pools
        Of each event. Their energies may be overwritten.
    n_prototypes
        How many to choose of each pool, or all of it where it has fewer.

    Returns
    -------
    list
        For each event the rows chosen of its pool, the most telling first.
    """
    if selection == LIKELIHOOD:
        return likelihood(pools, n_prototypes)
    choose = _OF_ONE_EVENT[selection]
    return [choose(pool, min(n_prototypes, len(pool.points)), options) for pool in pools]


def _to_centroid(points: Floats) -> Floats:
    centroid = points.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return pair_distances(points, centroid, "cosine")


def _centroid(pool: Pool, n: int, _options: Options) -> Rows:
    """Take the nearest to the centroid."""
    return np.argsort(_to_centroid(pool.points), kind="stable")[:n]


def _periphery(pool: Pool, n: int, _options: Options) -> Rows:
    """Take the farthest from the centroid."""
    return np.argsort(-_to_centroid(pool.points), kind="stable")[:n]


def _random(pool: Pool, n: int, options: Options) -> Rows:
    return np.random.default_rng(options.random_state).permutation(len(pool.points))[:n]


def _seed_clusters(pool: Pool, n: int, options: Options) -> Rows:
    """Take members near the centroids of k-means clusters, in proportion to their sizes."""
    away, clusters = clustered(pool, min(options.n_seed_clusters or n, n), options.metric)
    nearest = np.argsort(np.round(away / (away.mean() or 1), _DECIMALS), kind="stable")
    clusters = clusters[nearest]
    quotas = _shares(np.bincount(clusters), n)
    picked = [np.flatnonzero(clusters == i)[:quota] for i, quota in enumerate(quotas)]
    return nearest[np.sort(np.concatenate(picked))]


def clustered(pool: Pool, k: int, metric: Metric) -> tuple[NDArray[np.float64], Rows]:
    """Find clusters by k-means from medoids that are chosen greedily.

    Such a start is that of greedy k-means++ with all points as candidates for each seed. Nothing is
    left to chance, and in the hundreds of dimensions that texts and photos have, k-means ends as
    well as the best of twenty runs from seeds by chance, within a percent. Of many points a part,
    evenly from end to end, is started from. No FAISS: its threads take longer to start than few
    points do.

    Parameters
    ----------
    pool
        The energies of n prepared vectors may be overwritten.
    k
        How many clusters, at most n; one that loses all its members is given up.

    Returns
    -------
    tuple
        (n,) energies to the nearest centroid, and (n,) clusters from 0, each with a member, the
        largest first.
    """
    points, energy = pool
    step = max(1, len(points) // max(_PER_CLUSTER * k, _FEWEST))
    energy = energy[::step, ::step]
    if metric == "l2":  # the origin is free, and near the points float32 has the most digits left
        points = (points - points.mean(axis=0, dtype=np.float64)).astype(np.float32)
        energy = energies(points[::step], points[::step])
    similarities = np.negative(energy, out=energy)
    clusters = by_size(similarities[:, _cover(similarities, k)].argmax(axis=1))[1]
    exact = points.astype(np.float64)
    some = exact[::step]
    for _ in range(_MOST_ITERATIONS):
        members = clusters == np.arange(clusters.max() + 1)[:, None]
        centroids = members @ some / members.sum(axis=1, keepdims=True)
        if metric == "cosine":
            centroids = to_sphere(centroids)
        away = np.einsum("kd,kd->k", centroids, centroids) / 2 - exact @ centroids.T
        nearest = by_size(away.argmin(axis=1))[1]
        if np.array_equal(nearest, clusters):
            break
        some, clusters = exact, nearest
    return away.min(axis=1) + np.einsum("nd,nd->n", exact, exact) / 2, nearest


def _shares(sizes: Rows, total: int) -> Rows:
    """Part `total` among clusters by size, each getting at least one and at most all it has."""
    exact = total * sizes / sizes.sum()
    shares: Rows = np.clip(np.floor(exact).astype(np.intp), 1, sizes)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        free = shares < sizes if step > 0 else shares > 1
        shares[np.argmax(np.where(free, step * (exact - shares), -np.inf))] += step
    return shares


def _herding(pool: Pool, n: int, _options: Options) -> Rows:
    """Keep the mean of the chosen close to the centroid (Welling, ICML 2009)."""
    points = pool.points
    centroid = points.mean(axis=0, dtype=np.float64)
    halves = np.einsum("nd,nd->n", points, points) / 2
    missing = np.zeros_like(centroid)
    chosen: list[int] = []
    for _ in range(n):
        missing += centroid  # the chosen should sum up to this much more
        scores = points @ missing.astype(np.float32) - halves
        scores[chosen] = -np.inf
        chosen.append(first_best(scores))
        missing -= points[chosen[-1]]
    return np.array(chosen, np.intp)


def _k_center(pool: Pool, n: int, _options: Options) -> Rows:
    """Take what is farthest from all before, the most central first (Gonzalez, 1985)."""
    points = pool.points
    chosen = [first_best(-_to_centroid(points))]
    nearest = np.full(len(points), np.inf, np.float32)
    while len(chosen) < n:
        nearest = np.minimum(nearest, energies(points, points[chosen[-1:]])[:, 0])
        nearest[chosen] = -1
        chosen.append(first_best(nearest))
    return np.array(chosen, np.intp)


def _facility_location(pool: Pool, n: int, _options: Options) -> Rows:
    """Make the seeds' energies to their nearest prototype small: greedy k-medoids."""
    return _cover(np.negative(pool.energy, out=pool.energy), n)


def _max_herding(pool: Pool, n: int, _options: Options) -> Rows:
    """Cover the seeds by Gaussian kernels as wide as the event (Bae et al., ECCV 2024)."""
    return _cover(fading(pool.energy, pool.energy.mean(dtype=np.float64) or 1), n)


def _cover(similarities: Floats, n: int) -> Rows:
    """Choose greedily so that the seeds' similarities to the most similar chosen are large.

    What a seed would gain can but shrink as others are chosen, so that of many seeds only those
    that might gain the most are looked at anew (Minoux, "Accelerated greedy algorithms", 1978).
    """
    covered = np.full(len(similarities), similarities.min(), np.float32)
    gains = np.full(len(similarities), np.inf, np.float32)
    chosen: list[int] = []
    for _ in range(n):
        if len(gains) <= _GAINS:
            gains = _gains(similarities, covered)
        else:
            _renew_largest(gains, similarities, covered)
        gains[chosen] = -1
        chosen.append(first_best(gains))
        covered = np.maximum(covered, similarities[chosen[-1]])
    return np.array(chosen, np.intp)


def _gains(similarities: Floats, covered: Floats) -> Floats:
    gains: Floats = np.maximum(similarities - covered, 0).sum(axis=1)
    return gains


def _renew_largest(gains: Floats, similarities: Floats, covered: Floats) -> None:
    """Compute anew all gains that may be the largest, going by what they were before."""
    best, old = -np.inf, np.ones(len(gains), bool)
    while len(rows := np.flatnonzero(old & (gains >= (1 - 2 * TIE) * best))):
        if len(rows) > _GAINS:
            rows = rows[np.argpartition(-gains[rows], _GAINS)[:_GAINS]]
        gains[rows] = _gains(similarities[rows], covered)
        best, old[rows] = max(best, gains[rows].max()), False


LIKELIHOOD = "likelihood"
_OF_ONE_EVENT: Mapping[str, Callable[[Pool, int, Options], Rows]] = {
    "seed-clusters": _seed_clusters,
    "facility-location": _facility_location,
    "max-herding": _max_herding,
    "centroid": _centroid,
    "herding": _herding,
    "k-center": _k_center,
    "random": _random,
    "periphery": _periphery,
}
SELECTIONS = (LIKELIHOOD, *_OF_ONE_EVENT)
