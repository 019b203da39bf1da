"""The Gaussian head, against scikit-learn and refits without a seed."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import NearestCentroid

from rememberai._arrays import prepare
from rememberai.events.covariance import SharedCovariance
from rememberai.events.gaussian import GaussianHead
from rememberai.events.seedset import SeedSet

pytest.importorskip("faiss")


def seedset(spread=1.5, size=(30, 12, 5)):
    vectors, labels = blobs(3, size, 8, spread=spread)
    vectors = vectors * np.geomspace(1, 9, 8)  # no multiple of the identity
    groups = [None] * len(labels)
    return SeedSet.sorted(prepare(vectors, "l2"), labels, groups, 3, "l2")


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("told", [False, True])
def test_densities_of_shrunk_gaussians(told):
    seeds = seedset()
    words = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32) if told else None
    head = GaussianHead().fit(seeds, words)
    own = np.stack([seeds.vectors[seeds.truth == i].mean(axis=0) for i in range(3)])
    residuals = (seeds.vectors - own[seeds.truth]).astype(float)
    covariance, shrinkage = ledoit_wolf(residuals, assume_centered=True)
    assert head.shrinkage_ == pytest.approx(shrinkage, rel=1e-3)
    assert 0 < shrinkage < 0.5
    prior = np.tile(own.mean(axis=0), (3, 1))
    if told:
        away = words - words.mean(axis=0)
        prior = prior + (away * (own - prior)).sum() / (away**2).sum() * away
    counts = np.bincount(seeds.truth)
    trace = (residuals**2).sum() / len(residuals)
    strength = trace / (((own - prior) ** 2).sum(axis=1) - trace / counts).mean()
    assert head.strength_ == pytest.approx(strength, rel=1e-3)
    means = (counts[:, None] * own + strength * prior) / (counts[:, None] + strength)
    np.testing.assert_allclose(head.means_, means, atol=1e-4)
    away = seeds.vectors[:, None] - means
    scores = -0.5 * np.einsum("ncd,de,nce->nc", away, np.linalg.inv(covariance), away)
    np.testing.assert_allclose(
        head.probabilities(seeds.vectors), softmax(scores / head.temperature_), atol=1e-3
    )


def test_residuals_in_a_plane_have_a_precision():
    flat = SharedCovariance(np.diag([4.0, 2.0, 0.0]), 2.0, 0.0)
    np.testing.assert_allclose(flat.precision(), np.diag([1 / 4, 1 / 2, 1 / 2e-6]), rtol=1e-4)


def test_events_that_are_all_alike_borrow_as_much_as_there_are_seeds():
    strengths = set()
    for seed in range(20):
        vectors = np.random.default_rng(seed).normal(size=(40, 8))
        seeds = SeedSet.sorted(prepare(vectors, "l2"), np.arange(40) % 4, [None] * 40, 4, "l2")
        strengths.add(GaussianHead().fit(seeds).strength_)
    assert max(strengths) == 40
    assert len(strengths) > 1


def test_without_a_shared_covariance_the_nearest_mean_wins():
    seeds = seedset()
    head = GaussianHead(shared=False).fit(seeds)
    queries = seedset(spread=2.0).vectors
    expected = NearestCentroid().fit(seeds.vectors, seeds.truth).predict(queries)
    np.testing.assert_array_equal(head.probabilities(queries).argmax(axis=1), expected)


def test_a_seed_is_judged_by_the_mean_of_the_others():
    seeds = seedset()
    head = GaussianHead(shared=False).fit(seeds)
    residuals = seeds.vectors - seeds.means()[seeds.truth]
    variance = (residuals**2).mean()
    for i in range(len(seeds.truth)):
        others = np.arange(len(seeds.truth)) != i
        means = np.stack(
            [seeds.vectors[others & (seeds.truth == j)].mean(axis=0) for j in range(3)]
        )
        scores = -((seeds.vectors[i] - means) ** 2).sum(axis=1) / 2 / variance
        np.testing.assert_allclose(
            head.left_out_[i], softmax(scores[None] / head.temperature_)[0], atol=1e-3
        )
