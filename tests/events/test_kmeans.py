"""K-means on all points, whatever their order."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai._arrays import prepare
from rememberai.events import kmeans as kmeans_module
from rememberai.events.kmeans import (
    canonical_order,
    first_of_equals,
    kmeans,
    lloyd,
    member_means,
    to_sphere,
)

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def run(vectors, k, metric="l2", *, n_init=2, max_iter=25, random_state=0):
    return kmeans(
        vectors, k, metric=metric, n_init=n_init, max_iter=max_iter, random_state=random_state
    )


def assert_sound(vectors, centroids, labels, metric):
    """Labels are the nearest centroids, each is used, and the largest comes first."""
    sizes = np.bincount(labels, minlength=len(centroids))
    assert len(sizes) == len(centroids)
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()
    exact = distances(vectors, centroids, metric)
    own = exact[np.arange(len(vectors)), labels]
    np.testing.assert_allclose(own, exact.min(axis=1), atol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("by_faiss", [False, True])
def test_every_point_moves_its_centroid(metric, by_faiss, monkeypatch):
    # FAISS would take 256 points a centroid: 512 of these 6,000.
    monkeypatch.setattr(kmeans_module, "_MANY", 10_000 if by_faiss else 1)
    vectors, _ = blobs(2, [4000, 2000], 8, spread=1.2)
    vectors = prepare(vectors, metric)
    centroids, labels = run(vectors, 2, metric, max_iter=100)
    means = np.array([vectors[labels == i].mean(axis=0, dtype=np.float64) for i in range(2)])
    if metric == "cosine":
        means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(centroids, means, atol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 2, 7, 60])
def test_labels_are_the_nearest_centroids_and_sorted_by_size(metric, k):
    vectors = prepare(np.random.default_rng(1).normal(size=(60, 5)), metric)
    centroids, labels = run(vectors, k, metric)
    assert centroids.dtype == np.float32
    assert len(centroids) <= k
    assert_sound(vectors, centroids, labels, metric)
    if k == 60:
        assert len(set(labels)) == 60


def test_the_largest_blob_is_cluster_0():
    vectors, truth = blobs(3, [10, 50, 25])
    _, labels = run(vectors, 3)
    assert [set(truth[labels == i]) for i in range(3)] == [{1}, {2}, {0}]


def test_spherical_centroids_have_unit_length():
    vectors = prepare(np.random.default_rng(2).normal(size=(300, 6)), "cosine")
    centroids, _ = run(vectors, 9, "cosine")
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_copies", [1, 5, 400])
def test_fewer_distinct_vectors_than_clusters(metric, n_copies):
    distinct = prepare([[1, 2, 3], [3, 2, 1], [-1, 0, 1]], metric)
    vectors = np.repeat(distinct, n_copies, axis=0)
    centroids, labels = run(vectors, min(10, len(vectors)), metric)
    assert len(centroids) == 3
    assert same_partition(labels, np.repeat(np.arange(3), n_copies))
    np.testing.assert_allclose(centroids[labels], vectors, atol=1e-5)


def test_zero_and_minus_zero_are_equal():
    vectors = np.array([[0, 1], [0, 2], [-0.0, 1], [-0.0, 2]], np.float32)
    order = canonical_order(vectors)
    assert (np.diff((vectors[order][:, 1] == 1).astype(int)) != 0).sum() == 1  # equal rows adjoin
    assert len(run(vectors, 4)[0]) == 2


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_the_canonical_order_is_that_of_the_values(dimension):
    # Few values: many rows are alike in front, and many throughout.
    vectors = np.random.default_rng(4).choice(np.float32([-1.5, -0.0, 0, 0.1, 7]), (500, dimension))
    order = canonical_order(vectors)
    rows = [tuple((vectors[i] + np.float32(0)).tolist()) for i in range(500)]
    assert order.tolist() == sorted(range(500), key=lambda i: (rows[i], i))
    first = first_of_equals(vectors, order)
    assert first.sum() == len(set(rows))
    assert len({rows[i] for i in order[first]}) == len(set(rows))


@pytest.mark.parametrize("metric", METRICS)
def test_last_digits_change_no_cluster(metric):
    # Another machine's model gives other last digits; without structure every start matters.
    random = np.random.default_rng(5)
    vectors = random.normal(size=(400, 16)).astype(np.float32)
    labels = run(prepare(vectors, metric), 20, metric)[1]
    for _ in range(5):
        noise = 1 + 1e-7 * random.normal(size=vectors.shape)
        again = run(prepare((vectors * noise).astype(np.float32), metric), 20, metric)[1]
        assert same_partition(labels, again)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), k=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_input_does_not_matter(metric, seed, n, k):
    random = np.random.default_rng(seed)
    # Small whole numbers give many ties and copies.
    vectors = prepare(random.integers(-2, 3, size=(n, 3)) + np.array([0, 0, 9]), metric)
    centroids, labels = run(vectors, min(k, n), metric)
    assert_sound(vectors, centroids, labels, metric)
    order = random.permutation(n)
    again, permuted = run(vectors[order], min(k, n), metric)
    np.testing.assert_array_equal(again, centroids)
    np.testing.assert_array_equal(permuted, labels[order])


@pytest.mark.parametrize(("n_blobs", "dimension"), [(5, 8), (20, 64), (40, 64)])
def test_inertia_is_that_of_scikit_learn(n_blobs, dimension):
    cluster = pytest.importorskip("sklearn.cluster")
    for seed in range(4):
        vectors, _ = blobs(n_blobs, 30, dimension, seed=seed)
        centroids, labels = run(vectors, n_blobs, n_init=5, random_state=seed)
        ours = ((vectors - centroids[labels]) ** 2).sum()
        theirs = cluster.KMeans(n_blobs, n_init=5, random_state=seed).fit(vectors).inertia_
        assert ours <= 1.1 * theirs


def test_more_runs_are_never_worse_and_other_seeds_differ():
    vectors = np.random.default_rng(3).normal(size=(300, 4)).astype(np.float32)

    def inertia(n_init, random_state=0):
        centroids, labels = run(vectors, 12, n_init=n_init, random_state=random_state)
        return float(((vectors - centroids[labels]) ** 2).sum())

    values = [inertia(n) for n in (1, 3, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]
    assert len({inertia(1, state) for state in range(4)}) > 1


@pytest.mark.parametrize("exponent", [-50, -12, 12, 50])
def test_how_long_the_vectors_are_changes_nothing_under_l2(exponent):
    vectors = np.random.default_rng(9).normal(size=(2000, 12)).astype(np.float32)
    scale = np.float32(2.0**exponent)  # changes no digit
    centroids, labels = run(vectors, 12)
    scaled, again = run(vectors * scale, 12)
    np.testing.assert_array_equal(again, labels)
    np.testing.assert_array_equal(scaled, centroids * scale)


def test_vectors_far_from_the_origin_are_clustered_as_well():
    vectors, truth = blobs(5, 200, 8)
    vectors = vectors * 16 + np.float32(4096)
    centroids, labels = run(vectors, 5)
    assert same_partition(labels, truth)
    exact = np.array([vectors[labels == i].mean(axis=0, dtype=np.float64) for i in range(5)])
    np.testing.assert_allclose(centroids, exact, atol=1e-3)  # float32 has steps of 0.0005 there


def plain_lloyd(points, centroids, metric, max_iter, weights):
    """Sum all points of each cluster, in every iteration."""
    for _ in range(max_iter):
        labels = distances(points, centroids, metric).argmin(axis=1)
        members = [labels == i for i in range(len(centroids))]
        means = [np.average(points[m], axis=0, weights=weights[m]) for m in members]
        centroids = to_sphere(np.array(means)) if metric == "cosine" else np.array(means)
    return centroids


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "max_iter"), [(120, 6), (4000, 1), (4000, 2), (4000, 9), (700, 200)])
def test_centroids_move_as_lloyd_moves_them(metric, weighted, n, max_iter):
    random = np.random.default_rng(6)
    points = prepare(random.normal(size=(n, 9)), metric)  # without clusters: many go on moving
    weights = random.integers(1, 9, n) if weighted else None
    steps = []
    found = lloyd(points, points[:8], metric, max_iter, weights, lambda: steps.append(1))
    assert len(steps) == max_iter
    heavy = np.ones(n) if weights is None else weights
    expected = plain_lloyd(points, points[:8], metric, max_iter, heavy)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_lloyd_works_far_from_the_origin():
    vectors, truth = blobs(2, 300, 8, spread=0.3)
    points = vectors.astype(np.float32) + np.float32(4096)  # whose squares float32 rounds to 8
    found = lloyd(points, points[[0, 1]], "l2", 20)
    exact = np.array([points[truth == i].mean(axis=0, dtype=np.float64) for i in range(2)])
    assert distances(found, exact, "l2").min(axis=0).max() < 1e-3


@pytest.mark.parametrize("metric", METRICS)
def test_clusters_left_empty_get_the_farthest_points(metric):
    vectors, _ = blobs(2, 300, 4, spread=0.3)
    points = prepare(vectors, metric)
    seeds = np.concatenate([points[:1], points[300:301], -points[:1] - points[300:301]])
    seeds = prepare(np.concatenate([seeds, seeds[2:] * 3]), metric)
    away = distances(points, seeds, metric).min(axis=1)
    assert set(distances(points, seeds, metric).argmin(axis=1)) == {0, 1}
    found = lloyd(points, seeds, metric, 1)
    np.testing.assert_allclose(found[2:], points[np.argsort(-away)[:2]], atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_shuffles_of_many_points_with_ties(metric):
    random = np.random.default_rng(7)
    vectors = prepare(random.integers(-2, 3, size=(3000, 6)) + np.array([0, 0, 9, 0, 0, 0]), metric)
    centroids, labels = run(vectors, 20, metric)
    for _ in range(20):
        order = random.permutation(len(vectors))
        again, permuted = run(vectors[order], 20, metric)
        np.testing.assert_array_equal(again, centroids)
        np.testing.assert_array_equal(permuted, labels[order])


@pytest.mark.parametrize("metric", METRICS)
def test_any_number_of_threads_finds_the_same(metric):
    import faiss

    vectors = prepare(np.random.default_rng(8).normal(size=(9001, 24)) + 1, metric)
    threads, found = faiss.omp_get_max_threads(), []
    try:
        for n in (1, 2, 5):
            faiss.omp_set_num_threads(n)
            found.append(run(vectors, 30, metric, n_init=1, max_iter=6))
    finally:
        faiss.omp_set_num_threads(threads)
    assert_sound(vectors, *found[0], metric)
    for again in found[1:]:
        for first, other in zip(found[0], again, strict=True):
            np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("weights", [None, np.arange(1, 41) % 7 + 1])
def test_means_are_those_of_the_members_as_heavy_as_they_are(weights):
    points = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    labels = np.arange(40) % 4
    heavy = np.ones(40) if weights is None else weights
    expected = [np.average(points[i::4], axis=0, weights=heavy[i::4]) for i in range(4)]
    np.testing.assert_allclose(member_means(points, labels, weights), expected, rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "k", "copies"), [(400, 9, 1), (60, 40, 6), (30, 30, 1), (5, 1, 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_iterations_one_by_one_are_those_of_one_run_of_faiss(metric, n, k, copies, weighted):
    import faiss

    random = np.random.default_rng(n)
    points = prepare(np.repeat(random.normal(size=(n // copies, 12)), copies, axis=0), metric)
    points = points[canonical_order(points)]
    weights = random.integers(1, 9, n) if weighted else None
    seeds = points[np.sort(random.permutation(n)[:k])]  # with copies: some clusters are empty
    whole = faiss.Kmeans(
        12,
        k,
        niter=7,
        spherical=metric == "cosine",
        max_points_per_centroid=n,
        min_points_per_centroid=1,
    )
    heavy = None if weights is None else weights.astype(np.float32)
    whole.train(points, weights=heavy, init_centroids=seeds)
    steps = []
    found = lloyd(points, seeds, metric, 7, weights, lambda: steps.append(1))
    np.testing.assert_array_equal(found, whole.centroids)
    assert len(steps) == 7
