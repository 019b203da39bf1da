"""Clusters that nobody named."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import Ticks
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from rememberai import AlbumClusterer, InputError, RememberAIError
from rememberai._arrays import prepare
from rememberai.events.kmeans import by_size, canonical_order
from rememberai.events.refinement import retrained
from rememberai.events.tree import ClusterTree
from rememberai.events.walk import Walk

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_blobs", [2, 3, 5, 7, 9, 11])
def test_the_number_of_clusters_is_found(metric, n_blobs):
    vectors, truth = blobs(n_blobs, 20, 32, seed=n_blobs)
    found = AlbumClusterer(metric=metric).fit(vectors)
    assert found.n_clusters_ == n_blobs
    assert same_partition(found.labels_, truth)


@pytest.mark.parametrize("metric", METRICS)
def test_many_clusters_are_found_nearly(metric):
    vectors, _ = blobs(40, 40, 32)
    assert AlbumClusterer(metric=metric).fit(vectors).n_clusters_ == pytest.approx(40, abs=3)


@pytest.mark.parametrize("metric", METRICS)
def test_attributes_fit_together(metric):
    vectors, truth = blobs(4, [9, 30, 5, 14], 8)
    found = AlbumClusterer(4, metric=metric).fit(vectors)
    assert [set(truth[found.labels_ == i]) for i in range(4)] == [{1}, {3}, {0}, {2}]
    assert found.centroids_.shape == (4, 8)
    apart = distances(vectors, found.centroids_, metric)
    np.testing.assert_allclose(found.distances_, apart[range(58), found.labels_], atol=1e-5)
    np.testing.assert_array_equal(apart.argmin(axis=1), found.labels_)
    assert found.distances_.dtype == np.float32


@pytest.mark.parametrize("metric", METRICS)
def test_representatives_are_members_the_nearest_first(metric):
    vectors, _ = blobs(3, [3, 30, 12], 8)
    found = AlbumClusterer(3, metric=metric).fit(vectors)
    faces = found.representatives(5)
    assert [len(each) for each in faces] == [5, 5, 3]
    for cluster, rows in enumerate(faces):
        members = np.flatnonzero(found.labels_ == cluster)
        apart = distances(vectors[members], found.centroids_[cluster][None], metric)[:, 0]
        assert rows.tolist() == members[np.argsort(apart)[:5]].tolist()


def test_members_of_small_clusters_are_noise():
    vectors, truth = blobs(4, [20, 3, 10, 1], 8)
    found = AlbumClusterer(4, min_size=4, metric="l2").fit(vectors)
    assert found.n_clusters_ == len(found.centroids_) == len(found.representatives(3)) == 2
    assert set(truth[found.labels_ == -1]) == {1, 3}
    assert found.distances_[-1] < 1e-6  # noise keeps its distance to its own small cluster
    assert same_partition(found.labels_[truth % 2 == 0], truth[truth % 2 == 0])


def test_all_may_be_noise():
    found = AlbumClusterer(3, min_size=10).fit(blobs(3, 5)[0])
    assert found.n_clusters_ == 0
    assert set(found.labels_) == {-1}
    assert found.centroids_.shape == (0, 16)
    assert found.representatives(2) == []


@pytest.mark.parametrize("metric", METRICS)
def test_one_vector(metric):
    found = AlbumClusterer(metric=metric).fit([[1.0, 2.0]])
    assert found.labels_.tolist() == [-1]
    found = AlbumClusterer(1, min_size=1, metric=metric).fit([[1.0, 2.0]])
    assert found.labels_.tolist() == [0]
    assert found.distances_ == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_clusters", ["auto", 1, 3])
@pytest.mark.parametrize("n", [3, 700])
def test_vectors_that_are_all_the_same_are_one_cluster(metric, n_clusters, n):
    found = AlbumClusterer(n_clusters, metric=metric).fit([[1.0, 2.0]] * n)
    assert found.n_clusters_ == 1
    assert set(found.labels_) == {0}
    np.testing.assert_allclose(found.distances_, 0, atol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), whole=st.booleans(), auto=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_vectors_does_not_matter(metric, seed, n, whole, auto):
    random = np.random.default_rng(seed)
    vectors = (
        random.integers(-1, 2, size=(n, 3)) + np.array([3, 0, 0])
        if whole
        else random.normal(size=(n, 3))
    )
    order = random.permutation(n)
    first, again = (
        AlbumClusterer("auto" if auto else min(n, 4), metric=metric).fit(v)
        for v in (vectors, vectors[order])
    )
    np.testing.assert_array_equal(again.labels_, first.labels_[order])
    np.testing.assert_array_equal(again.centroids_, first.centroids_)
    np.testing.assert_array_equal(again.distances_, first.distances_[order])
    sizes = np.bincount(first.labels_[first.labels_ >= 0], minlength=first.n_clusters_)
    assert (sizes >= 2).all()
    assert (np.diff(sizes) <= 0).all()


def test_cosine_ignores_lengths_and_l2_does_not():
    vectors, truth = blobs(4, 15, 8)
    longer = vectors * np.geomspace(0.1, 50, 60)[::-1, None]
    assert same_partition(AlbumClusterer(4).fit(longer).labels_, truth)
    assert not same_partition(AlbumClusterer(4, metric="l2").fit(longer).labels_, truth)


@pytest.mark.parametrize("seed", [0, 1])
def test_clusters_of_one_long_shape_are_told_by_it(seed):
    # Nearest centroids alone reach 0.98 and 0.79.
    random, truth = np.random.default_rng(seed), np.repeat(np.arange(3), 80)
    vectors = random.normal(size=(240, 6))
    vectors[:, 0] *= 3
    vectors[:, 1] += 5 * truth
    found = AlbumClusterer(3, metric="l2").fit(vectors).labels_
    assert adjusted_rand_score(truth, found) > 0.95


@pytest.mark.parametrize("metric", METRICS)
def test_of_several_starts_the_best_apart_before_vectors_move_stands(metric):
    points = prepare(np.random.default_rng(0).normal(size=(800, 6)), metric)
    points = points[canonical_order(points)]
    walk = Walk(points, metric)
    starts = [
        by_size(ClusterTree(walk.smooth(), 7, metric, state).labels(7))[1] for state in range(4, 8)
    ]
    apart = []
    for labels in starts:
        means = np.stack([points[labels == i].mean(axis=0) for i in range(7)])
        if metric == "cosine":
            means /= np.linalg.norm(means, axis=1, keepdims=True)
        far = cdist(points, means, "cosine" if metric == "cosine" else "euclidean")
        own, other = np.sort(far, axis=1)[:, :2].T
        apart.append(((other - own) / other).mean())
    found = AlbumClusterer(7, metric=metric, n_init=4, random_state=1, min_size=1).fit(points)
    expected = [retrained(points, labels, walk) for labels in starts]
    best = int(np.argmax(apart))
    assert [i for i in range(4) if (found.labels_ == expected[i]).all()] == [best]
    assert best > 0


def test_chance_comes_from_random_state_alone():
    vectors = np.random.default_rng(0).normal(size=(800, 6))  # more than there are pieces
    found = [
        AlbumClusterer(7, random_state=state).fit(vectors).labels_.tolist() for state in (0, 1, 0)
    ]
    assert found[0] == found[2] != found[1]


def test_a_refit_forgets_the_old_and_the_input_is_left_alone():
    vectors, _ = blobs(3, 20)
    before = vectors.copy()
    used = AlbumClusterer().fit(vectors).fit(vectors[:40])
    fresh = AlbumClusterer().fit(vectors[:40])
    assert used.n_clusters_ == fresh.n_clusters_ == 2
    for name in ("labels_", "centroids_", "distances_"):
        np.testing.assert_array_equal(getattr(used, name), getattr(fresh, name))
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize(
    ("parameters", "vectors", "says"),
    [
        ({}, np.empty((0, 4)), "there must be a vector"),
        ({}, [], "shape"),
        ({}, [[1.0, np.nan]], "finite"),
        ({}, [[0.0, 0.0]], "zero"),
        ({"n_clusters": 4}, np.eye(3), "number of vectors, 3.*4 came"),
        ({"n_clusters": 0}, np.eye(3), "0 came"),
        ({"n_clusters": 1.5}, np.eye(3), "1.5 came"),
        ({"n_clusters": "many"}, np.eye(3), "'many' came"),
        ({"n_clusters": None}, np.eye(3), "None came"),
        ({"min_size": 0}, np.eye(3), "min_size"),
        ({"min_size": 2.5}, np.eye(3), "min_size must be a whole number"),
        ({"n_init": 0}, np.eye(3), "n_init"),
        ({"n_init": "5"}, np.eye(3), "n_init must be a whole number"),
        ({"random_state": -1}, np.eye(3), "random_state must be at least 0"),
        ({"random_state": None}, np.eye(3), "random_state must be a whole number"),
        ({"metric": "dot"}, np.eye(3), "metric"),
    ],
)
def test_what_cannot_be_clustered(parameters, vectors, says):
    with pytest.raises(InputError, match=says):
        AlbumClusterer(**parameters).fit(vectors)


@pytest.mark.parametrize("refine", [True, False])
def test_many_small_clusters_are_found_up_to_three_times_the_root(refine):
    vectors, truth = blobs(30, 5, 32, spread=0.2)
    assert same_partition(AlbumClusterer(refine=refine).fit(vectors).labels_, truth)


def test_representatives_need_a_fit_and_a_number():
    with pytest.raises(RememberAIError, match="call fit first"):
        AlbumClusterer().representatives(3)
    found = AlbumClusterer().fit(np.eye(4))
    for n, says in ((0, "at least 1"), (1.5, "a whole number")):
        with pytest.raises(InputError, match=f"n must be {says}"):
            found.representatives(n)


@pytest.mark.parametrize(
    ("n_clusters", "n", "total"),
    [
        (3, 40, 10),  # iterations from the cut of a hierarchy
        (3, 90, 24),  # and those that find its pieces, of so many points, with ten for seeds
        ("auto", 40, 48),  # numbers to try
        ("auto", 90, 62),
        (60, 90, 2 * 35),  # seeds and iterations of each restart
    ],
)
def test_seeds_iterations_and_numbers_are_counted(monkeypatch, n_clusters, n, total):
    for module in ("clustering", "tree"):
        monkeypatch.setattr(f"rememberai.events.{module}.MOST_PIECES", 50)
    vectors = np.random.default_rng(n).normal(size=(n, 6))
    clusterer = AlbumClusterer(n_clusters, refine=False, n_init=2, min_size=1)
    counted = clusterer.fit(vectors, progress=(ticks := Ticks())).labels_
    assert ticks.stages() == {"clustering": total}
    assert [done for _, done, _ in ticks.seen][: total + 1] == list(range(total + 1))
    np.testing.assert_array_equal(counted, clusterer.fit(vectors).labels_)
