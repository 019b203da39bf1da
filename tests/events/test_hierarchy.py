"""Hierarchies against SciPy's, smoothing by hand, agreement against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, same_partition

from rememberai._arrays import prepare
from rememberai.events import AlbumClusterer
from rememberai.events.hierarchy import Hierarchy
from rememberai.events.kmeans import canonical_order
from rememberai.events.refinement import smooth
from rememberai.events.stability import agreement

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


@pytest.mark.parametrize("linkage", ["ward", "average"])
@pytest.mark.parametrize("k", [1, 2, 5, 20, 60])
def test_cuts_are_those_of_scipy(linkage, k):
    scipy = pytest.importorskip("scipy.cluster.hierarchy")
    points = np.random.default_rng(0).normal(size=(60, 3))
    ours = Hierarchy(points, np.ones(60, int), np.zeros(60), linkage).cut(k)
    condensed = ((points[:, None] - points[None]) ** 2).sum(axis=2)[np.triu_indices(60, 1)]
    tree = scipy.ward(points) if linkage == "ward" else scipy.average(condensed)
    assert same_partition(ours, scipy.fcluster(tree, k, "maxclust"))


@pytest.mark.parametrize("linkage", ["ward", "average"])
def test_pieces_count_as_their_members(linkage):
    random = np.random.default_rng(1)
    points = np.repeat(random.normal(size=(12, 3)) * 5, 6, axis=0) + random.normal(size=(72, 3)) / 9
    pieces = np.repeat(np.arange(12), 6)
    means = points.reshape(12, 6, 3).mean(axis=1)
    scatters = ((points - means[pieces]) ** 2).sum(axis=1).reshape(12, 6).mean(axis=1)
    whole = Hierarchy(points, np.ones(72, int), np.zeros(72), linkage).cut(4)
    parts = Hierarchy(means, np.full(12, 6), scatters, linkage).cut(4)
    assert same_partition(parts[pieces], whole)


@pytest.mark.parametrize("metric", METRICS)
def test_smoothing_is_a_walk_over_the_neighbours(metric):
    vectors = prepare(np.random.default_rng(2).normal(size=(64, 5)), metric)
    around = distances(vectors, vectors, metric).argsort(axis=1)[:, :5]  # itself and four others
    expected = vectors.astype(np.float64)
    for _ in range(3):
        expected = expected[around].mean(axis=1)
        if metric == "cosine":
            expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(smooth(vectors, metric), expected, atol=1e-5)


def test_agreement_is_adjusted_mutual_information():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(3)
    a = random.integers(0, 12, 2000)
    for part in (0.0, 0.3, 0.8, 1.0):
        b = np.where(random.random(2000) < part, a, random.integers(0, 12, 2000))
        exact = metrics.adjusted_mutual_info_score(a, b)
        assert agreement(a, b) == pytest.approx(exact, abs=0.02)
    assert agreement(a, np.zeros(2000, int)) == 0


def test_average_linkage_is_chosen_for_sizes_that_differ_and_small_clusters_stay():
    vectors, truth = blobs(12, [200] * 2 + [15] * 10, 16, spread=0.5, seed=4)
    refined = AlbumClusterer(12).fit(vectors)
    plain = AlbumClusterer(12, refine=False).fit(vectors)
    assert same_partition(refined.labels_, truth)
    assert not same_partition(plain.labels_, truth)


@pytest.mark.parametrize("metric", METRICS)
def test_kinds_are_clusters_that_are_alike(metric):
    random = np.random.default_rng(5)
    kinds = np.repeat(np.eye(3), 4, axis=0) * 4 + random.normal(size=(12, 3)) * 0.6
    centres = np.hstack([kinds, random.normal(size=(12, 13)) * 0.25])
    vectors = np.repeat(centres, 15, axis=0) + random.normal(size=(180, 16)) * 0.02
    found = AlbumClusterer(12, metric=metric).fit(vectors)
    of_rows = found.kinds_[found.labels_]
    assert same_partition(of_rows, np.repeat(np.arange(3), 60))


def test_canonical_order_makes_smoothing_independent_of_the_input():
    vectors = prepare(
        np.random.default_rng(6).integers(-1, 2, (80, 4)) + np.eye(4)[3] * 3, "cosine"
    )
    order = np.random.default_rng(7).permutation(80)
    first, again = (v[canonical_order(v)] for v in (vectors, vectors[order]))
    np.testing.assert_array_equal(smooth(first, "cosine"), smooth(again, "cosine"))
