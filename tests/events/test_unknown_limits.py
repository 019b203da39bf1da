"""Limits and calibration: quantiles and likelihoods written out."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances

from rememberai._arrays import prepare
from rememberai.events.calibration import Calibration
from rememberai.events.seedset import SeedSet
from rememberai.events.unknown import conformal_limit, distance_limits

pytest.importorskip("faiss")


@pytest.mark.parametrize("risk", [0.05, 0.2])
@pytest.mark.parametrize("n", [19, 50])
def test_a_further_score_exceeds_the_limit_so_often(n, risk):
    random = np.random.default_rng(0)
    missed = [
        random.exponential() > conformal_limit(random.exponential(size=n), risk)
        for _ in range(4000)
    ]
    assert risk - 1 / (n + 1) - 0.02 < np.mean(missed) < risk + 0.02


def test_too_few_scores_give_no_limit():
    assert conformal_limit(np.arange(18.0), 0.05) == np.inf
    assert conformal_limit(np.arange(19.0), 0.05) == 18


def test_limits_are_of_the_nearest_prototype_of_another_group():
    vectors, labels = blobs(2, (40, 4), 6, spread=1.0)
    groups = [("album", i // 4) for i in range(44)]
    seeds = SeedSet.sorted(prepare(vectors, "l2"), labels, groups, 2, "l2")
    chosen = np.arange(0, 44, 3)
    limits = distance_limits(
        seeds, seeds.vectors[chosen], seeds.truth[chosen], seeds.groups[chosen], 0.1
    )
    apart = distances(seeds.vectors, seeds.vectors[chosen], "l2")
    apart[seeds.truth[:, None] != seeds.truth[chosen]] = np.inf
    apart[seeds.groups[:, None] == seeds.groups[chosen]] = np.inf
    nearest = apart.min(axis=1)
    own = np.sort(nearest[(seeds.truth == 0) & np.isfinite(nearest)])
    assert limits[0] == pytest.approx(own[int(np.ceil((len(own) + 1) * 0.9)) - 1], rel=1e-4)
    everyone = np.sort(nearest[np.isfinite(nearest)])
    rank = int(np.ceil((len(everyone) + 1) * 0.9)) - 1
    assert limits[1] == pytest.approx(everyone[rank], rel=1e-4)  # its one album is left out whole


@pytest.mark.parametrize("percent", range(1, 100, 7))
def test_the_rank_is_that_of_whole_numbers(percent):
    for n in range(1, 200):
        rank = -(-(n + 1) * (100 - percent) // 100)
        found = conformal_limit(np.arange(1, n + 1, dtype=float), percent / 100)
        assert found == (rank if rank <= n else np.inf)


def test_a_seed_is_measured_to_another_than_its_copy():
    vectors, labels = blobs(1, 25, 6, spread=1.0)
    vectors[3] = vectors[0]
    seeds = SeedSet.sorted(prepare(vectors, "l2"), labels, list(range(25)), 1, "l2")
    limits = distance_limits(seeds, seeds.vectors, seeds.truth, seeds.groups, 0.96)
    apart = distances(seeds.vectors, seeds.vectors, "l2")
    apart[apart < 1e-6] = np.inf
    assert limits[0] == pytest.approx(np.sort(apart.min(axis=1))[1], rel=1e-4)


def test_of_too_few_seeds_the_one_farthest_off_is_the_limit():
    vectors, labels = blobs(2, (9, 9), 6, spread=1.0)
    seeds = SeedSet.sorted(prepare(vectors, "l2"), labels, list(range(18)), 2, "l2")
    limits = distance_limits(seeds, seeds.vectors, seeds.truth, seeds.groups, 0.05)
    apart = distances(seeds.vectors, seeds.vectors, "l2")
    apart[(seeds.truth[:, None] != seeds.truth) | np.eye(18, dtype=bool)] = np.inf
    np.testing.assert_allclose(limits, apart.min(axis=1).max(), rtol=1e-4)


def pooled(n_albums, size=6, seed=0):
    """Albums of which all photos are wrong together, or right: a pool that is too sure of them."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(n_albums) % 3, size)
    said = np.where(np.repeat(random.random(n_albums) < 0.7, size), truth, (truth + 1) % 3)
    pool = np.full((len(truth), 3), 0.05)
    pool[np.arange(len(truth)), said] = 0.9
    vectors = prepare(random.normal(size=(len(truth), 8)), "l2")
    groups = np.repeat(np.arange(n_albums), size).tolist()
    seeds = SeedSet.sorted(vectors, truth, groups, 3, "l2")
    return pool[seeds.rows], seeds


def test_albums_are_as_sure_as_they_are_right():
    pool, seeds = pooled(90)
    calibration = Calibration().fit(pool, seeds, 0.0)
    albums = calibration.albums_left_out_
    order = np.unique(seeds.parts(), return_index=True)[1]
    right = albums.argmax(axis=1) == seeds.truth[order]
    assert albums.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.06)
    assert calibration.knows_albums


def test_few_albums_are_calibrated_like_photos():
    calibration = Calibration().fit(*pooled(19), 0.0)
    assert calibration.album_temperature_ == calibration.temperature_
    assert not calibration.knows_albums
    assert len(calibration.albums_left_out_) == 0
