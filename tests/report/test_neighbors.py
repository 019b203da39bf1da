"""The neighbours of all points at once: against comparing all with all."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai._faiss import import_faiss
from rememberai.events.kmeans import canonical_order
from rememberai.report import neighbors
from rememberai.report.neighbors import nearest_of_each

K = 10


@pytest.fixture(scope="module")
def points():
    """Loose clusters of unequal sizes, one of them by far the largest."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(40, 24))
    of = np.minimum(random.geometric(0.1, size=6000), 40) - 1
    array = (centres[of] + 0.7 * random.normal(size=(6000, 24))).astype(np.float32)
    array /= np.linalg.norm(array, axis=1, keepdims=True)
    return array[canonical_order(array)]


@pytest.fixture
def in_cells(monkeypatch):
    monkeypatch.setattr(neighbors, "ALL", 1000)
    monkeypatch.setattr(neighbors, "_SOME", 2000)


def oracle(points, k, metric):
    squares = np.square(points.astype(np.float64)).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points.astype(np.float64) @ points.T
    distances = distances / 2 if metric == "cosine" else np.sqrt(np.maximum(distances, 0))
    np.fill_diagonal(distances, 0)
    nearest = np.argsort(distances, axis=1)[:, :k]
    return nearest, np.take_along_axis(distances, nearest, 1)


def shared(found, nearest):
    return np.mean([len(np.intersect1d(*rows)) for rows in zip(found, nearest, strict=True)]) / K


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_all_are_compared_with_all(points, metric):
    counted = []
    told = lambda done, total: counted.append((done, total))  # noqa: E731
    positions, distances = nearest_of_each(points[:3000], K, metric, told=told)
    nearest, true = oracle(points[:3000], K, metric)
    assert shared(positions, nearest) > 0.9999  # but for ties
    np.testing.assert_allclose(distances, true, atol=1e-3)
    assert (positions[:, 0] == np.arange(3000)).all()
    assert counted == [(0, 3000), (1024, 3000), (2048, 3000), (3000, 3000)]


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_of_many_each_is_compared_with_those_around_it(points, metric, in_cells):
    counted = []
    told = lambda done, total: counted.append((done, total))  # noqa: E731
    positions, distances = nearest_of_each(points, K, metric, told=told)
    nearest, _ = oracle(points, K, metric)
    assert 0.95 < shared(positions, nearest) < 1  # not all are looked at
    assert (positions[:, 0] == np.arange(len(points))).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    true = np.linalg.norm(points[:, None] - points[positions], axis=2)
    np.testing.assert_allclose(distances, true**2 / 2 if metric == "cosine" else true, atol=1e-5)
    assert counted[0] == (0, 6000)
    assert counted[-1] == (6000, 6000)
    assert len(counted) > 20
    assert counted == sorted(counted)


def test_cells_of_few_points_are_joined_until_there_are_enough(points, in_cells, monkeypatch):
    monkeypatch.setattr(neighbors, "_SOME", 1)
    positions, _ = nearest_of_each(points, 700, "cosine")
    assert all(len(np.unique(row)) == 700 for row in positions)


def test_the_number_of_threads_changes_nothing(points, in_cells):
    faiss = import_faiss()
    threads, found = faiss.omp_get_max_threads(), []
    try:
        for n in (1, 2):
            faiss.omp_set_num_threads(n)
            found.append(nearest_of_each(points, K, "cosine"))
    finally:
        faiss.omp_set_num_threads(threads)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
