"""Hierarchies against SciPy's, and the kinds of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, same_partition

from rememberai._arrays import prepare
from rememberai.events import AlbumClusterer
from rememberai.events.clustering import kinds_of
from rememberai.events.hierarchy import Hierarchy
from rememberai.events.kmeans import canonical_order
from rememberai.events.tree import ClusterTree

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


def test_ward_weighs_a_large_piece_and_a_small_one_by_the_small():
    """Ten and one add 10 / 11 * 3 to the squares, three and three 3 / 2 * 2.5."""
    means = np.array([[0.0], [3**0.5], [100.0], [100 + 2.5**0.5]])
    found = Hierarchy(means, np.array([10, 1, 3, 3]), np.zeros(4), "ward").cut(3)
    assert same_partition(found, [0, 0, 1, 2])


def test_pieces_of_which_the_members_lie_far_apart_are_far_from_each_other():
    """Squared, the members of the wide piece are 1 + 4 from the middle one, the other 1.5."""
    means, scatters = np.array([[0.0], [1.0], [-(1.5**0.5)]]), np.array([0.0, 4.0, 0.0])
    found = Hierarchy(means, np.array([1, 2, 1]), scatters, "average").cut(2)
    assert same_partition(found, [0, 1, 0])


def test_average_linkage_is_chosen_for_sizes_that_differ_and_small_clusters_stay():
    vectors, truth = blobs(9, [900] + [10] * 8, 16, spread=0.6)
    order = canonical_order(vectors)
    ward, both = (
        ClusterTree(vectors[order], 9, "l2", 0, linkages).labels(9)
        for linkages in (["ward"], ["ward", "average"])
    )
    assert same_partition(both, truth[order])
    assert not same_partition(ward, truth[order])


@pytest.mark.parametrize("metric", METRICS)
def test_kinds_are_those_of_average_linkage(metric):
    scipy = pytest.importorskip("scipy.cluster.hierarchy")
    for seed in range(20):
        centroids = prepare(np.random.default_rng(seed).normal(size=(40, 3)) + 1, metric)
        apart = ((centroids[:, None] - centroids[None]) ** 2).sum(axis=2)
        kinds = kinds_of(centroids, metric)
        assert 2 <= kinds.max() + 1 <= 6
        assert (np.diff(np.bincount(kinds)) <= 0).all()
        tree = scipy.average(apart[np.triu_indices(40, 1)])
        assert same_partition(kinds, scipy.fcluster(tree, kinds.max() + 1, "maxclust"))


@pytest.mark.parametrize("metric", METRICS)
def test_kinds_are_clusters_that_are_alike(metric):
    random = np.random.default_rng(5)
    kinds = np.repeat(np.eye(3), 4, axis=0) * 4 + random.normal(size=(12, 3)) * 0.6
    centres = np.hstack([kinds, random.normal(size=(12, 13)) * 0.25])
    vectors = np.repeat(centres, 15, axis=0) + random.normal(size=(180, 16)) * 0.02
    found = AlbumClusterer(12, metric=metric).fit(vectors)
    of_rows = found.kinds_[found.labels_]
    assert same_partition(of_rows, np.repeat(np.arange(3), 60))
