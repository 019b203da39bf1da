"""Neighbours among a few vectors, without an index."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import exact_distances

from rememberai._arrays import prepare
from rememberai.index.knn import knn

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
