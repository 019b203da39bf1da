"""The ridge head and naive Bayes, against refits without a group and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from rememberai import EventAssigner
from rememberai._arrays import prepare
from rememberai.events import ridge
from rememberai.events.bayes import NaiveBayes
from rememberai.events.gaussian import GaussianHead
from rememberai.events.pooling import exponents
from rememberai.events.ridge import RidgeHead
from rememberai.events.seedset import SeedSet

pytest.importorskip("faiss")


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def seedset(groups=lambda labels: [None] * len(labels), stretch=1.0):
    """Blobs, of which the last coordinate varies so many times as much as the first."""
    vectors, labels = blobs(3, (30, 12, 9), 8, spread=1.5)
    vectors = vectors * np.geomspace(1, stretch, 8)
    return SeedSet.sorted(prepare(vectors, "l2"), labels, groups(labels), 3, "l2")


def in_albums(labels):
    """Groups of two to four seeds of one event, and one that is larger than the landmarks."""
    return [("big", 0) if i < 20 else (label, i // 3) for i, label in enumerate(labels)]


@pytest.mark.parametrize("landmarks", [1024, 12])
def test_the_ridge_leaves_groups_out(landmarks, monkeypatch):
    monkeypatch.setattr(ridge, "_LANDMARKS", landmarks)
    seeds = seedset(in_albums)
    expected, strength = np.random.default_rng(0).normal(size=(3, 8)), 3.0
    head = RidgeHead().fit(seeds, expected, strength)
    rows = np.concatenate([seeds.vectors, expected])
    centre = seeds.vectors.mean(axis=0)
    spread = ((seeds.vectors[:, None] - seeds.vectors) ** 2).sum(axis=2).mean() / 2
    first = np.argsort(rows[:, 0], kind="stable")
    m = min(landmarks, len(rows))
    chosen = rows[first[np.arange(m) * len(rows) // m]]

    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / 2 / spread)

    weights = np.r_[np.ones(len(seeds.truth)), np.full(3, strength)]
    targets = np.eye(3)[np.r_[seeds.truth, 0, 1, 2]]

    def scores(kept, queries):
        k = kernel(rows, chosen) * np.sqrt(weights)[:, None]
        k, y = k[kept], (targets * np.sqrt(weights)[:, None])[kept]
        solved = np.linalg.solve(k.T @ k + 0.3 * kernel(chosen, chosen), k.T @ y)
        return kernel(queries, chosen) @ solved

    queries = centre + np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    everything = np.ones(len(rows), bool)
    np.testing.assert_allclose(
        head.probabilities(queries),
        softmax(scores(everything, queries) / head.temperature_),
        atol=1e-4,
    )
    for group in np.unique(seeds.groups):
        own = seeds.groups == group
        found = softmax(
            scores(np.r_[~own, True, True, True], seeds.vectors[own]) / head.temperature_
        )
        np.testing.assert_allclose(head.left_out_[own], found, atol=1e-4)


def test_the_gaussian_head_leaves_groups_out_of_its_covariance():
    seeds = seedset(in_albums, stretch=9.0)
    head = GaussianHead().fit(seeds)
    assert 0 < head.shrinkage_ < 0.5
    means = np.stack([seeds.vectors[seeds.truth == i].mean(axis=0) for i in range(3)]).astype(float)
    origin, counts, n = means.mean(axis=0), np.bincount(seeds.truth), len(seeds.truth)
    scale = ((seeds.vectors - means[seeds.truth]) ** 2).sum() / n / 8
    for part in np.unique(seeds.parts()):
        own = seeds.parts() == part
        event = seeds.truth[own][0]
        others = ~own & (seeds.truth == event)
        left, there = means.copy(), counts.copy()
        left[event], there[event] = seeds.vectors[others].mean(axis=0), others.sum()
        residuals = (seeds.vectors - left[seeds.truth])[~own].astype(float)
        covariance = (1 - head.shrinkage_) * residuals.T @ residuals / n
        covariance += (head.shrinkage_ + 1e-6) * scale * np.eye(8)
        drawn = (there / (there + head.strength_))[:, None] * (left - origin)
        away = seeds.vectors[own][:, None] - origin - drawn
        scores = -0.5 * np.einsum("ncd,de,nce->nc", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(
            head.left_out_[own], softmax(scores / head.temperature_), atol=1e-4
        )


def written():
    random = np.random.default_rng(3)
    seeds = seedset(in_albums)
    return seeds, [
        sorted({f"w{int(i)}" for i in random.integers(0, 12, 5) + 3 * event})
        for event in seeds.truth
    ]


def test_naive_bayes_is_multinomial_with_a_prior_of_all_words():
    seeds, worded = written()
    model = NaiveBayes().fit(worded, seeds)
    names = sorted({word for words in worded for word in words})
    counts = np.array([[word in words for word in names] for words in worded], float)
    prior = 10 * counts.sum() / 3
    background = counts.sum(axis=0) / counts.sum()
    events = np.stack([counts[seeds.truth == i].sum(axis=0) for i in range(3)])
    other = MultinomialNB(alpha=prior * background, fit_prior=False).fit(counts, seeds.truth)
    expected = counts @ (other.feature_log_prob_ - np.log(background)).T
    np.testing.assert_allclose(model.scores(worded), expected, atol=1e-9)
    assert model.scores([["never", "met"], []]).tolist() == [[0, 0, 0], [0, 0, 0]]
    for i, event in enumerate(seeds.truth):
        without = events[event] - counts[(seeds.parts() == seeds.parts()[i])].sum(axis=0)
        share = (without + prior * background) / (without.sum() + prior)
        own = counts[i] @ (np.log(share) - np.log(background))
        assert model.left_out_[i, event] == pytest.approx(own)
        for j in set(range(3)) - {int(event)}:
            assert model.left_out_[i, j] == pytest.approx(expected[i, j])


def test_exponents_are_those_of_a_logistic_regression():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 4000)
    logs = [random.normal(size=(4000, 2)) + s * np.eye(2)[truth] for s in (1.0, 0.5)]
    gaps = np.stack([log[:, 1] - log[:, 0] for log in logs], axis=1)
    free = LogisticRegression(C=np.inf, fit_intercept=False).fit(gaps, truth).coef_[0]
    np.testing.assert_allclose(exponents(logs, truth), free, atol=0.02)
    against = exponents([logs[0], -logs[1]], truth)
    assert against[1] == 0
    assert exponents([log[:1] for log in logs], truth[:1])[0] == pytest.approx(1, abs=0.3)


def test_words_tell_what_vectors_do_not():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(600, 6))
    events = ["cake", "boat"] * 300
    texts = [f"{event} number {i}" for i, event in enumerate(events)]
    assigner = EventAssigner().fit(vectors, events, texts)
    asked = random.normal(size=(40, 6))
    told = assigner.assign(asked, ["a boat", "the cake"] * 20).probabilities.argmax(axis=1)
    assert np.mean([assigner.events_[i] for i in told] == np.array(["boat", "cake"] * 20)) > 0.9
    silent = EventAssigner().fit(vectors, events).assign(asked).probabilities
    np.testing.assert_array_equal(assigner.assign(asked).probabilities, silent)
    album = assigner.assign_album(asked[:6], ["a boat"] * 6)
    assert album.ranking[0][0] == "boat"
    assert album.telling_words == ("boat",)
