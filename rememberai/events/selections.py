"""Selections: which of an event's seeds stand for it.

Nearness is the energy everywhere, half the squared Euclidean distance: on unit vectors it is the
cosine distance. Points are prepared for the metric and stand in canonical order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import pair_distances
from rememberai.events.kmeans import kmeans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rememberai.records import Metric

    Floats = NDArray[np.float32]
    Rows = NDArray[np.intp]

_FADING = 12  # a kernel falls to exp(-12) at the mean energy between two seeds of an event
_KERNELS = 2**26  # values; more seeds are judged by a part of them
_TIE = 1e-6  # scores are equal that differ less, relatively; the first row wins
_RESTARTS = 20  # with few, the last digit of a vector can decide which optimum is found


@dataclass(frozen=True, slots=True)
class Options:
    """What some selections need beside the points; the parameters of `EventPrototypes`."""

    metric: Metric
    n_seed_clusters: int | None
    random_state: int


def select(
    selection: str, pools: Sequence[Floats], n_prototypes: int, options: Options
) -> list[Rows]:
    """Choose prototypes of each event.

    Parameters
    ----------
    selection
        A name in `SELECTIONS`.
    pools
        For each event its (m, dimension) seeds, none twice.
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
    return [choose(pool, min(n_prototypes, len(pool)), options) for pool in pools]


def energies(a: Floats, b: Floats) -> Floats:
    """Give the (len(a), len(b)) halves of the squared Euclidean distances."""
    halves = [np.einsum("nd,nd->n", points, points) / 2 for points in (a, b)]
    energy: Floats = halves[0][:, None] + halves[1] - a @ b.T
    return np.maximum(energy, 0, out=energy)


def spread(points: Floats) -> float:
    """Give the mean energy between two of the points, each being paired with itself too."""
    centred = points - points.mean(axis=0, dtype=np.float64)
    return float(np.einsum("nd,nd->", centred, centred)) / len(points)


def _first_best(scores: NDArray[np.floating], scale: float = 0) -> int:
    best = scores.max()
    return int(np.argmax(scores >= best - _TIE * max(abs(best), scale)))


def _to_centroid(points: Floats) -> Floats:
    centroid = points.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return pair_distances(points, centroid, "cosine")


def _centroid(points: Floats, n: int, _options: Options) -> Rows:
    """Take the nearest to the centroid."""
    return np.argsort(_to_centroid(points), kind="stable")[:n]


def _periphery(points: Floats, n: int, _options: Options) -> Rows:
    """Take the farthest from the centroid."""
    return np.argsort(-_to_centroid(points), kind="stable")[:n]


def _random(points: Floats, n: int, options: Options) -> Rows:
    return np.random.default_rng(options.random_state).permutation(len(points))[:n]


def _seed_clusters(points: Floats, n: int, options: Options) -> Rows:
    """Take members near the centroids of k-means clusters, in proportion to their sizes."""
    centroids, clusters = kmeans(
        points,
        min(options.n_seed_clusters or n, n),
        metric=options.metric,
        n_init=_RESTARTS,
        max_iter=50,
        random_state=options.random_state,
    )
    distances = pair_distances(points, centroids[clusters], options.metric)
    nearest = np.argsort(distances, kind="stable")
    clusters = clusters[nearest]
    quotas = _shares(np.bincount(clusters), n)
    picked = [np.flatnonzero(clusters == i)[:quota] for i, quota in enumerate(quotas)]
    return nearest[np.sort(np.concatenate(picked))]


def _shares(sizes: Rows, total: int) -> Rows:
    """Part `total` among clusters by size, each getting at least one and at most all it has."""
    exact = total * sizes / sizes.sum()
    shares: Rows = np.clip(np.floor(exact).astype(np.intp), 1, sizes)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        free = shares < sizes if step > 0 else shares > 1
        shares[np.argmax(np.where(free, step * (exact - shares), -np.inf))] += step
    return shares


def _herding(points: Floats, n: int, _options: Options) -> Rows:
    """Keep the mean of the chosen close to the centroid (Welling, ICML 2009)."""
    centroid = points.mean(axis=0, dtype=np.float64)
    halves = np.einsum("nd,nd->n", points, points) / 2
    missing = np.zeros_like(centroid)
    chosen: list[int] = []
    for _ in range(n):
        missing += centroid  # the chosen should sum up to this much more
        scores = points @ missing.astype(np.float32) - halves
        scores[chosen] = -np.inf
        chosen.append(_first_best(scores))
        missing -= points[chosen[-1]]
    return np.array(chosen, np.intp)


def _k_center(points: Floats, n: int, _options: Options) -> Rows:
    """Take what is farthest from all before, the most central first (Gonzalez, 1985)."""
    chosen = [_first_best(-_to_centroid(points))]
    nearest = np.full(len(points), np.inf, np.float32)
    while len(chosen) < n:
        nearest = np.minimum(nearest, energies(points, points[chosen[-1:]])[:, 0])
        nearest[chosen] = -1
        chosen.append(_first_best(nearest))
    return np.array(chosen, np.intp)


def _facility_location(points: Floats, n: int, _options: Options) -> Rows:
    """Make the seeds' energies to their nearest prototype small: greedy k-medoids."""
    return _cover(-energies(points, points), n)


def _max_herding(points: Floats, n: int, _options: Options) -> Rows:
    """Cover the seeds by Gaussian kernels as wide as the event (Bae et al., ECCV 2024)."""
    return _cover(np.exp(-energies(points, points) / (spread(points) or 1)), n)


def _cover(similarities: Floats, n: int) -> Rows:
    """Choose greedily so that the seeds' similarities to the most similar chosen are large."""
    covered = np.full(len(similarities), similarities.min(), np.float32)
    chosen: list[int] = []
    for _ in range(n):
        gains = np.maximum(similarities - covered, 0).sum(axis=1)
        gains[chosen] = -1
        chosen.append(_first_best(gains))
        covered = np.maximum(covered, similarities[chosen[-1]])
    return np.array(chosen, np.intp)


def likelihood(pools: Sequence[Floats], n: int) -> list[Rows]:
    """Choose greedily so that the seeds' own events are probable under a vote of the prototypes.

    A seed is as probable as the part of its event in the sum of the kernels exp(-energy / t) of all
    prototypes but itself: the leave-one-out likelihood of stochastic neighbours. At the mean energy
    between two seeds of an event the kernel is exp(-12), and so much is a vote for no event. The
    events take turns, each first with the seed that is nearest to the others by the kernels; then
    each prototype is once given up and chosen anew, the oldest first.

    References
    ----------
    The likelihood: Goldberger et al., "Neighbourhood components analysis", NIPS 2004; to compress
    seeds: Kusner et al., "Stochastic neighbor compression", ICML 2014; greedy choice among seeds:
    Zhu and Hastie, "Kernel logistic regression and the import vector machine", 2005.
    """
    vote = _Vote(pools)
    chosen: list[list[int]] = [[] for _ in pools]
    for turn in range(2 * n):
        for event, pool in enumerate(pools):
            if turn < len(pool) <= n:  # there is no choice
                vote.add(event, turn)
                chosen[event].append(turn)
            elif len(pool) > n:
                if turn >= n:
                    vote.add(event, chosen[event].pop(0), -1)
                row = vote.medoid(event) if turn == 0 else vote.best(event, chosen[event])
                vote.add(event, row)
                chosen[event].append(row)
    return [np.array(rows, np.intp) for rows in chosen]


class _Vote:
    """The sums of the prototypes' kernels at each seed, and what a further one would change."""

    def __init__(self, pools: Sequence[Floats]) -> None:
        points = np.concatenate(pools)
        every = -(-(len(points) ** 2) // _KERNELS)
        judges = points[::every]
        sizes = [len(pool) for pool in pools]
        scale = np.average([spread(pool) for pool in pools], weights=sizes)
        temperature = float(scale) / _FADING or 1.0
        starts = np.cumsum([0, *sizes[:-1]])
        self._weight = every
        self._to_all, self._to_own = [], []
        kernels = np.empty((len(points), len(judges)), np.float32)
        for pool, start in zip(pools, starts, strict=True):
            end, first = start + len(pool), start if every == 1 else 0
            own = kernels[start:end]
            own[:, first:] = np.exp(energies(pool, judges[first:]) / -temperature)
            if every == 1:  # all seeds are judges, and kernels are symmetric
                kernels[end:, start:end] = own[:, end:].T
            to_own = np.exp(energies(pool, pool) / -temperature)
            np.fill_diagonal(to_own, 0)  # no seed votes for itself
            rows = np.arange(-start % every, len(pool), every)  # those that are judges too
            own[rows, (start + rows) // every] = 0
            self._to_all.append(own)
            self._to_own.append(to_own)
        # A vote for nothing, so that seeds far from all prototypes are worth covering. Sums are
        # float64, since what was added is taken away again.
        nothing = np.exp(-_FADING)
        self._own = [np.full(size, nothing / (len(pools) + 1)) for size in sizes]
        self._all = np.full(len(judges), nothing)
        self._gains = [np.full(len(pool), np.inf, np.float32) for pool in pools]

    def medoid(self, event: int) -> int:
        return _first_best(self._to_own[event].sum(axis=1))

    def add(self, event: int, row: int, sign: int = 1) -> None:
        """Add a prototype's kernel, or take it away."""
        self._own[event] += sign * self._to_own[event][row]
        self._all += sign * self._to_all[event][row]

    def best(self, event: int, chosen: list[int]) -> int:
        """Find the row that adds most to the log-likelihood, by lazy evaluation (Minoux, 1978)."""
        to_own, to_all, gains = self._to_own[event], self._to_all[event], self._gains[event]
        own, everyone = self._own[event].astype(np.float32), self._all.astype(np.float32)
        stale = gains.copy()
        stale[chosen] = -np.inf
        fresh = np.full(len(gains), -np.inf, np.float32)
        while stale.max() > fresh.max():
            rows = np.argsort(-stale, kind="stable")[: max(16, len(stale) // 4)]
            rows = rows[stale[rows] > -np.inf]
            gains[rows] = np.log(1 + to_own[rows] / own).sum(axis=1)
            gains[rows] -= self._weight * np.log(1 + to_all[rows] / everyone).sum(axis=1)
            fresh[rows] = gains[rows]
            stale[rows] = -np.inf
        return _first_best(fresh, scale=len(everyone))  # logarithms have lost that much of digits


LIKELIHOOD = "likelihood"
_OF_ONE_EVENT: Mapping[str, Callable[[Floats, int, Options], Rows]] = {
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
