"""Selections: which of an event's seeds stand for it.

Nearness is the energy everywhere, half the squared Euclidean distance: on unit vectors it is the
cosine distance. Points are prepared for the metric and stand in canonical order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rememberai._arrays import pair_distances
from rememberai.events.kmeans import by_size, to_sphere

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rememberai.records import Metric

    Floats = NDArray[np.float32]
    Rows = NDArray[np.intp]

_FADING = 12  # a kernel falls to exp(-12) at the mean energy between two seeds of an event
_NEAR, _FAR = 512, 1024  # seeds of other events, near to an event and not, that count
_AT_ONCE = 2**25  # kernels held at once
_TIGHT = 1e-12  # no event is thought to be tighter than float32 can tell
_TINY = np.finfo(np.float32).tiny
_TIE = 1e-6  # scores are equal that differ less, relatively; the first row wins
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
    half_a = np.einsum("nd,nd->n", a, a) / 2
    half_b = half_a if b is a else np.einsum("nd,nd->n", b, b) / 2
    energy: Floats = half_a[:, None] + half_b - a @ b.T
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
    away, clusters = clustered(points, min(options.n_seed_clusters or n, n), options.metric)
    nearest = np.argsort(np.round(away / (away.mean() or 1), _DECIMALS), kind="stable")
    clusters = clusters[nearest]
    quotas = _shares(np.bincount(clusters), n)
    picked = [np.flatnonzero(clusters == i)[:quota] for i, quota in enumerate(quotas)]
    return nearest[np.sort(np.concatenate(picked))]


def clustered(points: Floats, k: int, metric: Metric) -> tuple[NDArray[np.float64], Rows]:
    """Find clusters by k-means from medoids that are chosen greedily.

    Such a start is that of greedy k-means++ with all points as candidates for each seed. Nothing is
    left to chance, and in the hundreds of dimensions that texts and photos have, k-means ends as
    well as the best of twenty runs from seeds by chance, within a percent. Of many points a part,
    evenly from end to end, is started from. No FAISS: its threads take longer to start than few
    points do.

    Parameters
    ----------
    points
        (n, dimension) prepared vectors, none twice.
    k
        How many clusters, at most n; one that loses all its members is given up.

    Returns
    -------
    tuple
        (n,) energies to the nearest centroid, and (n,) clusters from 0, each with a member, the
        largest first.
    """
    if metric == "l2":  # the origin is free, and near the points float32 has the most digits left
        points = (points - points.mean(axis=0, dtype=np.float64)).astype(np.float32)
    step = max(1, len(points) // max(_PER_CLUSTER * k, _FEWEST))
    first = points[::step]
    similarities = -energies(first, first)
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
        chosen.append(_first_best(gains))
        covered = np.maximum(covered, similarities[chosen[-1]])
    return np.array(chosen, np.intp)


def _gains(similarities: Floats, covered: Floats) -> Floats:
    gains: Floats = np.maximum(similarities - covered, 0).sum(axis=1)
    return gains


def _renew_largest(gains: Floats, similarities: Floats, covered: Floats) -> None:
    """Compute anew all gains that may be the largest, going by what they were before."""
    best, old = -np.inf, np.ones(len(gains), bool)
    while len(rows := np.flatnonzero(old & (gains >= (1 - 2 * _TIE) * best))):
        if len(rows) > _GAINS:
            rows = rows[np.argpartition(-gains[rows], _GAINS)[:_GAINS]]
        gains[rows] = _gains(similarities[rows], covered)
        best, old[rows] = max(best, gains[rows].max()), False


def likelihood(pools: Sequence[Floats], n: int) -> list[Rows]:
    """Choose greedily so that the seeds' own events are probable under a vote of the prototypes.

    A seed is as probable as the part of its event in the sum of the kernels exp(-energy / t) of all
    prototypes but itself: the leave-one-out likelihood of stochastic neighbours. At the mean energy
    between two seeds of an event the kernel is exp(-12), and so much is a vote for no event. In
    each turn all events choose under the vote of what was chosen before, at first the seed that is
    nearest to the others by the kernels; then each prototype is once given up and chosen anew, the
    oldest first.

    What a further prototype gives to the seeds of its own event is computed; what it takes from
    those of other events is small, and its logarithm is replaced by the chord to the kernel that is
    usual there. Of many such seeds the nearest to the event count, and a part of the rest for all
    of it.

    References
    ----------
    The likelihood: Goldberger et al., "Neighbourhood components analysis", NIPS 2004; to compress
    seeds: Kusner et al., "Stochastic neighbor compression", ICML 2014; greedy choice among seeds:
    Zhu and Hastie, "Kernel logistic regression and the import vector machine", 2005.
    """
    free = [event for event, pool in enumerate(pools) if len(pool) > n]
    chosen = [[] if len(pool) > n else list(range(len(pool))) for pool in pools]
    vote = _Vote(pools, free)
    vote.sums += vote.of([(event, row) for event, rows in enumerate(chosen) for row in rows])
    turns: list[NDArray[np.float64]] = []
    for turn in range(2 * n if free else 0):
        if turn >= n:
            vote.sums -= turns.pop(0)
            for event in free:
                del chosen[event][0]
        best = [vote.best(event, chosen[event]) if turn else vote.medoid(event) for event in free]
        for event, row in zip(free, best, strict=True):
            chosen[event].append(row)
        turns.append(vote.of(list(zip(free, best, strict=True))))
        vote.sums += turns[-1]
    return [np.array(rows, np.intp) for rows in chosen]


class _Vote:
    """The sums of the prototypes' kernels at each seed, and what a further one would change.

    Attributes
    ----------
    sums
        (2, n) votes at each seed, for its own event and for all; float64, since what was added is
        taken away again.
    """

    def __init__(self, pools: Sequence[Floats], free: Sequence[int]) -> None:
        sizes = [len(pool) for pool in pools]
        scale = np.average([spread(pool) for pool in pools], weights=sizes)
        root = np.float32(np.sqrt(max(scale, _TIGHT) / _FADING))  # of the temperature
        self._points = np.concatenate(pools) / root
        self._halves = np.einsum("nd,nd->n", self._points, self._points) / 2
        ends = np.cumsum(sizes)
        self._own = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        # A vote for nothing, so that seeds far from all prototypes are worth covering.
        self.sums = np.full((2, len(self._points)), np.exp(-_FADING))
        self.sums[0] /= len(pools) + 1
        means = np.stack([self._points[own].mean(axis=0, dtype=np.float64) for own in self._own])
        away = self._halves - means.astype(np.float32) @ self._points.T
        self._pools = {event: self._pool(self._own[event], away[event]) for event in free}

    def _pool(self, own: slice, away: Floats) -> _Pool:
        """Measure from an event's seeds to each other and to seeds of other events."""
        others = np.delete(np.arange(len(away)), own)
        weights = np.ones(len(others), np.float32)
        if len(others) > _NEAR + _FAR:
            near, rest = np.split(others[np.argpartition(away[others], _NEAR)], [_NEAR])
            some = np.sort(rest)[np.arange(_FAR) * len(rest) // _FAR]
            others = np.concatenate([np.sort(near), some])
            weights = np.repeat(np.array([1, len(rest) / _FAR], np.float32), [_NEAR, _FAR])
        to_own, to_others = self._kernels(own, own), self._kernels(own, others)
        np.fill_diagonal(to_own, 0)  # no seed votes for itself
        usual = np.einsum("ij,ij->j", to_others, to_others)
        usual /= np.maximum(to_others.sum(axis=0), _TINY)
        return _Pool(to_own, to_others, others, usual, weights)

    def _kernels(self, a: slice | Rows, b: slice | Rows) -> Floats:
        kernels: Floats = self._points[a] @ self._points[b].T
        kernels -= self._halves[b]
        kernels -= self._halves[a, None]
        return np.exp(np.minimum(kernels, 0, out=kernels), out=kernels)

    def of(self, prototypes: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
        """Give the votes of prototypes, which are events and rows of their pools, as in `sums`."""
        votes = np.zeros_like(self.sums)
        step = max(1, _AT_ONCE // len(self._points))
        for start in range(0, len(prototypes), step):
            some = prototypes[start : start + step]
            rows = np.array([self._own[event].start + row for event, row in some], np.intp)
            kernels = self._kernels(rows, slice(None))
            kernels[np.arange(len(rows)), rows] = 0
            votes[1] += kernels.sum(axis=0, dtype=np.float64)
            for (event, _), votes_of_one in zip(some, kernels, strict=True):
                votes[0, self._own[event]] += votes_of_one[self._own[event]]
        return votes

    def medoid(self, event: int) -> int:
        return _first_best(self._pools[event].to_own.sum(axis=1))

    def best(self, event: int, chosen: list[int]) -> int:
        """Find the row that adds most to the log-likelihood."""
        pool, mine = self._pools[event], self._own[event]
        own, everyone = self.sums[:, mine].astype(np.float32)
        scores = _log_sums((pool.to_own / own + 1) / (pool.to_own / everyone + 1))
        everyone = self.sums[1, pool.others]
        usual = np.maximum(pool.usual, _TINY)
        chords = pool.weights * np.log1p(usual / everyone) / usual
        scores -= pool.to_others @ chords.astype(np.float32)
        scores[chosen] = -np.inf
        return _first_best(scores, scale=len(self._points))  # logarithms have lost so many digits


class _Pool(NamedTuple):
    """Kernels between an event's seeds, and from them to the other events' seeds that count."""

    to_own: Floats
    to_others: Floats
    others: Rows  # among all seeds
    usual: Floats  # at each of these, the mean kernel by kernels
    weights: Floats  # how many seeds each stands for


def _log_sums(values: Floats) -> Floats:
    """Sum the logarithms of each row, of products of four: they are fewer, and don't overflow."""
    quarter = values.shape[1] // 4
    products = np.array(values[:, :quarter])
    for i in range(1, 4):
        products *= values[:, i * quarter : (i + 1) * quarter]
    rest = np.log(values[:, 4 * quarter :]).sum(axis=1)
    sums: Floats = np.log(products).sum(axis=1) + rest
    return sums


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
