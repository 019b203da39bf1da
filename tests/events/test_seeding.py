"""Seeds of k-means: the same with kept products, as likely when drawn ahead, counted."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai.events import seeding
from rememberai.events.seeding import PARTS, Seeder


def test_seeds_are_the_same_whether_products_are_kept_or_made_anew(monkeypatch):
    points = np.random.default_rng(9).normal(size=(3000, 16)).astype(np.float32)
    kept = Seeder(points, 300).draw(np.random.default_rng(0))
    monkeypatch.setattr(seeding, "_PAIRED", 0)
    monkeypatch.setattr(seeding, "_MANY", 300)  # none are drawn ahead
    np.testing.assert_array_equal(kept, Seeder(points, 300).draw(np.random.default_rng(0)))


def test_seeds_drawn_ahead_are_as_good_as_those_drawn_one_by_one(monkeypatch):
    """Ten far and tight groups: whoever passes nothing over draws from the same ones again."""
    random = np.random.default_rng(0)
    points = np.repeat(random.normal(size=(10, 8)) * 9, 30, axis=0)
    points = (points + random.normal(size=points.shape)).astype(np.float32)

    def errors():
        return [
            np.square(points[:, None] - Seeder(points, 10).draw(np.random.default_rng(i))[None])
            .sum(axis=2)
            .min(axis=1)
            .mean()
            for i in range(300)
        ]

    monkeypatch.setattr(seeding, "_PAIRED", 0)
    one_by_one = errors()
    monkeypatch.setattr(seeding, "_MANY", 1)
    ahead = errors()
    noise = np.sqrt((np.var(one_by_one) + np.var(ahead)) / 300)
    assert ahead != one_by_one
    assert abs(np.mean(ahead) - np.mean(one_by_one)) < 4 * noise


def test_no_point_is_drawn_twice_while_others_are_left(monkeypatch):
    monkeypatch.setattr(seeding, "_PAIRED", 0)
    monkeypatch.setattr(seeding, "_MANY", 1)
    points = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    assert len(np.unique(Seeder(points, 500).draw(np.random.default_rng(0)), axis=0)) == 500
    copies = np.repeat(points[:3], 100, axis=0)
    assert len(np.unique(Seeder(copies, 6).draw(np.random.default_rng(0)), axis=0)) == 3


@pytest.mark.parametrize("k", [1, 2, 7, 10, 33])
def test_the_tenths_are_counted(k):
    counted = []
    points = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    Seeder(points, k).draw(np.random.default_rng(0), lambda: counted.append(1))
    assert len(counted) == PARTS
