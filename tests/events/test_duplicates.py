"""Near-duplicates: of a burst one is kept, of what differs all."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai.events.duplicates import without_duplicates
from rememberai.events.energy import energies


def kept_of(points):
    return without_duplicates(energies(points, points))


def apart(n=40, dimension=64, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)


def test_what_differs_is_kept():
    np.testing.assert_array_equal(kept_of(apart()), np.arange(40))


@pytest.mark.parametrize("size", [1e-3, 1, 1e3])
@pytest.mark.parametrize("shift", [0, 10])
def test_one_of_each_burst_whatever_the_scale_and_the_origin(size, shift):
    points = apart()
    noise = np.random.default_rng(1).normal(size=(12, 64)) * 0.05
    points[5:17] = points[5] + noise
    points[20:25] = points[20] + noise[:5]
    kept = kept_of(((points + shift) * size).astype(np.float32))
    assert len(kept) == 40 - 11 - 4
    assert np.isin(np.arange(5, 17), kept).sum() == 1
    assert np.isin(np.arange(20, 25), kept).sum() == 1


def test_the_threshold_is_a_twentieth_of_the_mean_energy():
    for factor, n_kept in ((0.9, 40), (1.1, 41)):
        points = np.vstack([apart(), apart(1, seed=9)]).astype(np.float64)
        centred = points - points.mean(axis=0)
        mean = (centred**2).sum() / len(points)  # of |x - y|^2 / 2 over all pairs
        away = points[40] - points[0]
        near = points[0] + away / np.linalg.norm(away) * np.sqrt(2 * mean / 20 * factor)
        pair = np.vstack([points[:40], near, points[40]])
        assert len(kept_of(pair.astype(np.float32))) == n_kept + 1


def test_a_chain_is_no_group():
    points = np.vstack([apart(), np.zeros((5, 64), np.float32)])
    step = np.sqrt(2 * 64 / 20) * 0.8  # near-duplicates are those that follow each other
    points[40:, 0] = step * np.arange(5)
    kept = set(kept_of(points).tolist())
    assert {41, 44} <= kept or {41, 43} <= kept
    assert 2 <= len(kept & {40, 41, 42, 43, 44}) <= 3


def test_the_one_with_the_most_stands_for_all():
    points = apart()
    around = np.eye(64, dtype=np.float32)[:6] * 1.9
    points[10:16] = points[3] + around  # near to it, less near to each other
    kept = kept_of(points)
    assert 3 in kept
    assert not np.isin(np.arange(10, 16), kept).any()


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two(n):
    assert len(kept_of(apart(n))) == n
