"""Neighbours among a few vectors, without an index."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import exact_distances

from rememberai._arrays import prepare
from rememberai.index.knn import knn, measure, nearest_of
from rememberai.index.rows import Rows, with_few_pieces

pytest.importorskip("faiss")


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("n_queries", [0, 1, 600])
@pytest.mark.parametrize("offset", [0, 1000])
def test_neighbours_are_those_of_numpy(metric, n_queries, offset):
    rng = np.random.default_rng(0)
    base = prepare(offset + rng.normal(size=(90, 300)), metric)
    queries = prepare(offset + rng.normal(size=(n_queries, 300)), metric)
    distances, positions = knn(queries, base, 4, metric)
    assert distances.shape == positions.shape == (n_queries, 4)
    if n_queries:
        exact = exact_distances(queries, base, metric)
        np.testing.assert_allclose(distances, np.sort(exact, axis=1)[:, :4], atol=1e-4)
        np.testing.assert_allclose(
            distances, np.take_along_axis(exact, positions, axis=1), atol=1e-4
        )


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_a_vector_is_its_own_nearest_at_0_and_twins_come_in_their_order(metric):
    rng = np.random.default_rng(0)
    base = prepare(np.repeat(rng.normal(size=(400, 384)), 2, axis=0), metric)
    distances, positions = knn(base, base, 2, metric)
    assert (distances == 0).all()
    np.testing.assert_array_equal(positions, np.repeat(np.arange(800).reshape(-1, 2), 2, axis=0))


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_candidates_are_measured_alike_in_pieces_and_in_any_layout(metric):
    rng = np.random.default_rng(1)
    base = prepare(rng.normal(size=(50, 33)), metric)
    queries = prepare(rng.normal(size=(20, 33)), metric)
    found = rng.integers(-1, 50, (20, 7))
    exact = np.take_along_axis(exact_distances(queries, base, metric), found, axis=1)
    measured = measure(queries, base, found, metric)
    np.testing.assert_allclose(measured, np.where(found < 0, np.inf, exact), atol=1e-6)
    pieces = Rows(33, (base[:9], base[9:10], base[10:]))
    for others in (
        measure(queries, pieces, found, metric),
        measure(np.asfortranarray(queries), base, np.asfortranarray(found), metric),
        np.vstack([measure(queries[[i]], base, found[[i]], metric) for i in range(20)]),
    ):
        np.testing.assert_array_equal(measured, others)


def test_many_small_pieces_become_few_and_each_row_is_copied_seldom():
    pieces, copied = (), []

    def joined(parts):
        whole = [row for part in parts for row in part]
        copied.append(len(whole))
        return whole

    for row in range(3000):
        pieces = with_few_pieces(pieces, [row], joined)
        assert len(pieces) <= 1 + np.log2(row + 1)
    assert [row for piece in pieces for row in piece] == list(range(3000))
    assert sum(copied) < 3000 * np.log2(3000)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_the_nearest_are_sorted_and_the_lower_position_comes_first(k):
    rng = np.random.default_rng(2)
    distances = rng.integers(0, 4, (30, 8)).astype(np.float32)
    distances[0] = np.arange(8)  # sorted as it comes
    found = np.argsort(rng.random((30, 8)), axis=1)
    before = distances.copy(), found.copy()
    near, positions = nearest_of(distances, found, k)
    for i in range(30):
        expected = sorted(zip(distances[i].tolist(), found[i].tolist(), strict=True))[:k]
        assert list(zip(near[i].tolist(), positions[i].tolist(), strict=True)) == expected
    np.testing.assert_array_equal(distances, before[0])
    np.testing.assert_array_equal(found, before[1])
