"""Selections: each chooses what its definition, written plainly, chooses."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, half_squares, pool_of, same_partition, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from rememberai import EventPrototypes
from rememberai._arrays import prepare
from rememberai.events import selections
from rememberai.events.energy import energies, spread
from rememberai.events.selections import SELECTIONS, Options, _shares, clustered, select

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]
settings.register_profile("events", max_examples=40, deadline=None)


def chosen_of(selection, points, n, metric="cosine", n_seed_clusters=None):
    (rows,) = select(selection, [pool_of(points)], n, Options(metric, n_seed_clusters, 0))
    return rows.tolist()


@pytest.fixture(params=METRICS)
def points(request):
    return prepare(blobs(3, 30, 12, spread=1.5)[0], request.param)


def test_energies_and_their_mean_over_all_pairs(points):
    exact = half_squares(points, points)
    np.testing.assert_allclose(energies(points, points), exact, atol=1e-5)
    assert spread(points) == pytest.approx(exact.mean(), rel=1e-5)


@pytest.mark.parametrize(("selection", "sign"), [("centroid", 1), ("periphery", -1)])
def test_the_nearest_to_the_centroid_and_the_farthest(points, selection, sign):
    apart = half_squares(points, np.float64(points).mean(axis=0, keepdims=True))[:, 0]
    assert chosen_of(selection, points, 7) == np.argsort(sign * apart)[:7].tolist()


def test_herding_keeps_the_mean(points):
    exact = np.float64(points)
    expected: list[int] = []
    for _ in range(9):
        means = [exact[[*expected, i]].mean(axis=0) for i in range(len(points))]
        away = np.linalg.norm(means - exact.mean(axis=0), axis=1)
        away[expected] = np.inf
        expected.append(int(away.argmin()))
    assert chosen_of("herding", points, 9) == expected


@pytest.mark.parametrize(
    "selection", ["likelihood", "facility-location", "max-herding", "herding", "k-center"]
)
def test_of_seeds_that_are_as_good_the_first_is_chosen_whatever_their_last_digits(selection):
    """All is mirrored: whatever is gained by the first choice, its image would have gained too."""
    random = np.random.default_rng(4)
    half = random.normal(size=(20, 6)) * 0.2
    half[:, 0] = -1 - np.abs(half[:, 0])
    mirrored = np.vstack([half, half * [-1, 1, 1, 1, 1, 1]])
    for _ in range(8):
        noise = 1 + random.uniform(-1e-7, 1e-7, size=mirrored.shape)
        points = (mirrored * noise).astype(np.float32)
        assert chosen_of(selection, points, 1, "l2")[0] < 20


def test_k_center_takes_the_farthest(points):
    apart = half_squares(points, points)
    expected = [int(half_squares(points, points.mean(axis=0, keepdims=True)).argmin())]
    while len(expected) < 9:
        expected.append(int(apart[expected].min(axis=0).argmax()))
    assert chosen_of("k-center", points, 9) == expected


def test_facility_location_is_greedy_k_medoids(points):
    apart = half_squares(points, points)
    expected: list[int] = []
    while len(expected) < 9:
        costs = [apart[[*expected, i]].min(axis=0).sum() for i in range(len(points))]
        expected.append(int(np.argmin(costs)))
    assert chosen_of("facility-location", points, 9) == expected


def test_max_herding_covers_by_kernels(points):
    apart = half_squares(points, points)
    kernel = np.exp(-apart / apart.mean())
    expected: list[int] = []
    while len(expected) < 9:
        cover = [kernel[[*expected, i]].max(axis=0).sum() for i in range(len(points))]
        expected.append(int(np.argmax(cover)))
    assert chosen_of("max-herding", points, 9) == expected


@pytest.mark.parametrize("selection", ["facility-location", "max-herding"])
@pytest.mark.parametrize("at_once", [1, 7, 30])
def test_of_many_seeds_those_that_may_gain_the_most_are_looked_at(
    points, selection, at_once, monkeypatch
):
    twice = np.concatenate([points, points])  # so that there always are two that gain as much
    expected = chosen_of(selection, twice, 40)
    assert max(expected) < 90
    monkeypatch.setattr(selections, "_GAINS", at_once)
    assert chosen_of(selection, twice, 40) == expected
    computed = []
    gains_of = selections._gains
    monkeypatch.setattr(
        selections, "_gains", lambda some, c: computed.append(len(some)) or gains_of(some, c)
    )
    chosen_of(selection, twice, 40)
    assert max(computed) == at_once
    assert sum(computed) < 40 * 180 / 2


@pytest.mark.parametrize("metric", METRICS)
def test_seed_clusters_gives_one_member_of_each(metric):
    vectors, blob = blobs(6, 20, 12)
    points = prepare(vectors, metric)
    chosen = chosen_of("seed-clusters", points, 6, metric)
    centres = [points[blob == i].mean(axis=0, keepdims=True) for i in range(6)]
    nearest = [
        np.flatnonzero(blob == i)[distances(points[blob == i], centre, metric).argmin()]
        for i, centre in enumerate(centres)
    ]
    assert sorted(chosen) == nearest


@pytest.mark.parametrize("metric", METRICS)
def test_few_seed_clusters_give_members_in_proportion(metric):
    vectors, blob = blobs(3, [30, 20, 10], 8)
    points = unit(vectors) if metric == "cosine" else vectors.astype(np.float64)
    expected = []
    for i, quota in ((0, 3), (1, 2), (2, 1)):  # 6 prototypes for 30, 20 and 10 seeds
        members = np.flatnonzero(blob == i)
        centre = points[members].mean(axis=0, keepdims=True)
        closeness = distances(points[members], centre, metric)[:, 0]
        expected += [(closeness[j], members[j]) for j in np.argsort(closeness)[:quota]]
    chosen = chosen_of("seed-clusters", prepare(vectors, metric), 6, metric, n_seed_clusters=3)
    assert chosen == [row for _, row in sorted(expected)]


def centroids_of(points, clusters, metric):
    means = np.stack([np.float64(points)[clusters == i].mean(axis=0) for i in np.unique(clusters)])
    return unit(means) if metric == "cosine" else means


def inertia(points, clusters, metric):
    centroids = centroids_of(points, clusters, metric)
    return half_squares(points, centroids)[np.arange(len(points)), clusters].sum()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 4, 15])
def test_clusters_are_those_of_lloyd_from_medoids(metric, k):
    points = prepare(blobs(8, 25, 12, spread=1.5, seed=k)[0], metric)
    medoids = chosen_of("facility-location", points, k)
    centroids = np.float64(points[medoids])
    for _ in range(50):
        expected = half_squares(points, centroids).argmin(axis=1)
        centroids = centroids_of(points, expected, metric)
    away, clusters = clustered(pool_of(points), k, metric)
    assert same_partition(clusters, expected)
    assert (np.diff(np.bincount(clusters)) <= 0).all()
    np.testing.assert_allclose(away, half_squares(points, centroids).min(axis=1), atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_clusters_are_as_tight_as_the_best_of_twenty_runs(metric):
    ratios = []
    for seed in range(12):
        points = prepare(blobs(8, 15, 128, spread=1 + seed / 8, seed=seed)[0], metric)
        best = KMeans(10, n_init=20, random_state=0).fit(np.float64(points)).labels_
        found = clustered(pool_of(points), 10, metric)[1]
        ratios.append(inertia(points, found, metric) / inertia(points, best, metric))
    assert np.mean(ratios) < 1.01


@pytest.mark.parametrize("metric", METRICS)
def test_of_many_seeds_clusters_start_from_a_part(metric, monkeypatch):
    points = prepare(blobs(6, 60, 48, spread=1)[0], metric)
    whole = clustered(pool_of(points), 6, metric)[1]
    monkeypatch.setattr(selections, "_FEWEST", 60)
    monkeypatch.setattr(selections, "_PER_CLUSTER", 12)
    looked_at = []
    cover = selections._cover
    monkeypatch.setattr(
        selections, "_cover", lambda some, n: looked_at.append(len(some)) or cover(some, n)
    )
    away, clusters = clustered(pool_of(points), 6, metric)
    assert looked_at == [72]
    apart = half_squares(points, centroids_of(points, clusters, metric))
    np.testing.assert_array_equal(clusters, apart.argmin(axis=1))  # nothing is left to move
    np.testing.assert_allclose(away, apart.min(axis=1), atol=1e-6)
    assert inertia(points, clusters, metric) < 1.02 * inertia(points, whole, metric)


def test_a_cluster_that_loses_all_its_members_is_given_up(monkeypatch):
    left, right = [0, *np.arange(1, 1.05, 0.01)], [*np.arange(6.06, 6.12, 0.01), 10]
    points = np.array([*left, 2.1, 6, *right], np.float32)[:, None]
    a = len(left)
    monkeypatch.setattr(selections, "_cover", lambda *_: np.array([0, a, len(points) - 1]))
    clusters = clustered(pool_of(points), 3, "l2")[1]
    # The middle one starts with 2.1 and 6, whose mean is far from both.
    np.testing.assert_array_equal(clusters == clusters[0], np.arange(len(points)) <= a)
    assert sorted(set(clusters.tolist())) == [0, 1]


def test_clusters_of_seeds_far_from_the_origin():
    whole = np.round(blobs(6, 20, 12, spread=1)[0] * 256)  # so that a shift loses no digits
    near, far = (clustered(pool_of(some), 6, "l2") for some in (whole, whole + np.float32(2**20)))
    np.testing.assert_array_equal(near[1], far[1])
    np.testing.assert_allclose(near[0], far[0], rtol=1e-4)


def test_clusters_of_opposites():
    points = np.vstack([np.eye(3), -np.eye(3)]).astype(np.float32)
    away, clusters = clustered(pool_of(points), 1, "cosine")
    assert clusters.tolist() == [0] * 6
    assert away.tolist() == [0.5] * 6  # their centroid is zero
    assert chosen_of("seed-clusters", points, 1) == [0]
    assert sorted(chosen_of("seed-clusters", points, 6)) == list(range(6))


@pytest.mark.parametrize("metric", METRICS)
def test_of_two_seeds_of_a_cluster_the_first_is_chosen_whatever_their_last_digits(metric):
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(10, 30), 2, axis=0)
    pairs = centres + 0.1 * random.normal(size=centres.shape)
    for _ in range(20):
        noise = 1 + random.uniform(-1e-7, 1e-7, size=pairs.shape)
        chosen = chosen_of("seed-clusters", prepare(pairs * noise, metric), 10, metric)
        assert sorted(chosen) == list(range(0, 20, 2))


# --- all ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("selection", sorted(set(SELECTIONS) - {"random"}))
def test_the_origin_does_not_matter_under_l2(selection):
    vectors, truth = blobs(3, 30, 8, spread=1.5)
    whole = np.round(vectors * 256)  # so that a shift loses no digits
    events = truth.astype(str).tolist()
    chosen = [
        EventPrototypes(2, selection=selection, metric="l2").fit(some, events).positions_.tolist()
        for some in (whole, whole + 2**20)
    ]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("n", [1, 2, 10])
def test_each_gives_as_many_as_asked_and_none_twice(selection, n):
    pools = [prepare(pool, "cosine") for pool in np.split(blobs(3, 12, 8, spread=2)[0], [2, 25])]
    for pool, rows in zip(
        pools, select(selection, [*map(pool_of, pools)], n, Options("cosine", None, 0)), strict=True
    ):
        assert len(rows) == len(set(rows.tolist())) == min(n, len(pool))
        assert rows.min() >= 0
        assert rows.max() < len(pool)


@pytest.mark.parametrize("selection", sorted(set(SELECTIONS) - {"random"}))
@pytest.mark.parametrize("size", [2.0**-75, 2.0**58])
def test_tiny_and_huge_vectors_under_l2(selection, size):
    vectors, truth = blobs(2, 30, 8, spread=1.5)
    events = truth.astype(str).tolist()
    chosen = [
        EventPrototypes(3, selection=selection, metric="l2").fit(some, events).positions_.tolist()
        for some in (vectors, vectors * np.float32(size))
    ]
    assert chosen[0] == chosen[1]


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=12), data=st.data())
@settings(settings.get_profile("events"), max_examples=200)
def test_shares_are_whole_proportional_and_complete(sizes, data):
    total = data.draw(st.integers(len(sizes), sum(sizes)))
    sizes = np.array(sizes)
    shares = _shares(sizes, total)
    assert shares.sum() == total
    assert (shares >= 1).all()
    assert (shares <= sizes).all()
    exact = total * sizes / sizes.sum()
    if (exact >= 1).all():
        assert (np.abs(shares - exact) < 1 + 1e-9).all()
