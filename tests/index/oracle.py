"""Exact nearest neighbours in float64, the slow and plain way."""

from __future__ import annotations

import numpy as np


def exact_distances(queries, base, metric) -> np.ndarray:
    a, b = np.asarray(queries, np.float64), np.asarray(base, np.float64)
    if metric == "cosine":
        a = a / np.linalg.norm(a, axis=1, keepdims=True)
        b = b / np.linalg.norm(b, axis=1, keepdims=True)
    squared = np.stack([((query - b) ** 2).sum(axis=1) for query in a])
    return squared / 2 if metric == "cosine" else np.sqrt(squared)


def assert_exact(neighbors, queries, ids, base, metric, k, tolerance=1e-4) -> None:
    """The answer is sorted, its ids are real, distinct, as far as it says, and none is nearer."""
    distances = exact_distances(queries, base, metric)
    k = min(k, len(base))
    assert neighbors.ids.shape == neighbors.distances.shape == (len(queries), k)
    assert neighbors.distances.dtype == np.float32
    assert (np.diff(neighbors.distances, axis=1) >= 0).all()
    position = {key: i for i, key in enumerate(ids)}
    for row in range(len(queries)):
        found = [position[key] for key in neighbors.ids[row].tolist()]  # KeyError: no such id
        assert len(set(found)) == k
        np.testing.assert_allclose(neighbors.distances[row], distances[row, found], atol=tolerance)
        np.testing.assert_allclose(
            neighbors.distances[row], np.sort(distances[row])[:k], atol=tolerance
        )
        equal = neighbors.distances[row, :-1] == neighbors.distances[row, 1:]
        assert (np.diff(found)[equal] > 0).all()
