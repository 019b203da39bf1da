"""The walk over neighbours, and the number of clusters that tells it most briefly, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances
from scipy.stats import entropy

from rememberai._arrays import prepare
from rememberai.events.kmeans import canonical_order
from rememberai.events.mapequation import code_length, shortest_number
from rememberai.events.walk import Walk

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def transitions(vectors, metric) -> np.ndarray:
    """The matrix of one step: to itself or one of four neighbours, by the distance to the second"""
    squares = distances(vectors, vectors, metric) ** (1 if metric == "cosine" else 2)
    scales = np.sort(squares, axis=1)[:, 2] ** 0.5
    near = np.exp(-squares / (scales[:, None] * scales))
    far = squares > np.sort(squares, axis=1)[:, [4]]
    near[far] = 0
    return near / near.sum(axis=1, keepdims=True)


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


@pytest.fixture
def vectors(metric):
    found = prepare(np.random.default_rng(2).normal(size=(64, 5)), metric)
    return found[canonical_order(found)]


def test_smoothing_is_a_walk_over_the_neighbours(vectors, metric):
    step = transitions(vectors, metric)
    expected = vectors.astype(np.float64)
    for _ in range(3):
        expected = step @ expected
        if metric == "cosine":
            expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(Walk(vectors, metric).smooth(), expected, atol=1e-5)


def test_the_flow_is_that_of_so_many_steps(vectors, metric):
    pieces = np.random.default_rng(3).permutation(np.arange(64) % 9)
    members = np.eye(9)[pieces]
    found = Walk(vectors, metric).flow(pieces, 4)
    expected = members.T @ np.linalg.matrix_power(transitions(vectors, metric), 4) @ members / 64
    np.testing.assert_allclose(found, (expected + expected.T) / 2, atol=1e-6)
    np.testing.assert_array_equal(found, found.T)
    assert found.sum() == pytest.approx(1)


def test_a_walk_stays_with_copies():
    vectors = np.repeat(np.eye(6, dtype=np.float32), 20, axis=0)
    flow = Walk(vectors, "cosine").flow(np.repeat(np.arange(6), 20), 4)
    np.testing.assert_allclose(flow, np.eye(6) / 6, atol=1e-7)


def test_the_walk_does_not_depend_on_the_order_of_the_input():
    whole = np.random.default_rng(6).integers(-1, 2, (80, 4)) + np.eye(4)[3] * 3
    vectors = prepare(whole, "cosine")
    order = np.random.default_rng(7).permutation(80)
    first, again = (v[canonical_order(v)] for v in (vectors, vectors[order]))
    np.testing.assert_array_equal(Walk(first, "cosine").smooth(), Walk(again, "cosine").smooth())


def test_the_code_is_that_of_two_codebooks():
    random = np.random.default_rng(4)
    flow = random.random((12, 12))
    flow = (flow + flow.T) / (2 * flow.sum())
    there = flow.sum(axis=0)
    for n_clusters in (1, 2, 5, 12):
        labels = random.permutation(np.arange(12) % n_clusters)
        leaving = np.array(
            [flow[np.ix_(labels == i, labels != i)].sum() for i in range(n_clusters)]
        )
        bits = leaving.sum() * entropy(leaving, base=2) if n_clusters > 1 else 0
        for i in range(n_clusters):
            names = np.r_[there[labels == i], leaving[i]]
            bits += names.sum() * entropy(names, base=2)
        alone = entropy(there, base=2)
        assert code_length(flow, labels) == pytest.approx(bits - alone, abs=1e-8)


@pytest.mark.parametrize("n_blobs", [2, 5, 12, 40])
@pytest.mark.parametrize("size", [25, 60])
def test_the_number_does_not_depend_on_how_many_were_drawn(metric, n_blobs, size):
    points = prepare(blobs(n_blobs, size, 32, seed=n_blobs)[0], metric)
    points = points[canonical_order(points)]
    assert shortest_number(points, round(3 * len(points) ** 0.5), metric, 0) == n_blobs


def test_of_equal_or_too_few_vectors_one_cluster_is_made(metric):
    assert shortest_number(np.ones((3, 2), np.float32), 3, metric, 0) == 1
    assert shortest_number(np.ones((300, 2), np.float32), 50, metric, 0) == 1
