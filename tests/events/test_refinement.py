"""Clusters refined, against scikit-learn's covariance and by what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from scipy.special import log_softmax

from rememberai._arrays import prepare
from rememberai.events.kmeans import by_size
from rememberai.events.refinement import retrained
from rememberai.events.silhouettes import TRIES, Silhouettes, separated_labels
from rememberai.events.walk import Walk

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


class Nowhere:
    """A walk that stays where it is."""

    def step(self, values):
        return values


@pytest.mark.parametrize("walks", [False, True])
def test_labels_are_told_by_a_shrunk_gaussian_head_as_sure_as_neighbours_bear_out(walks):
    ledoit_wolf = pytest.importorskip("sklearn.covariance").ledoit_wolf
    random = np.random.default_rng(0)
    truth = np.arange(300) % 3
    points = random.normal(size=(300, 30)) * np.geomspace(5, 0.2, 30)
    points += 4 * np.eye(30)[10 + truth % 2 - truth // 2]
    points = points.astype(np.float32)
    wrong = random.random(300) < 0.15
    labels = by_size(np.where(wrong, random.integers(0, 3, 300), truth))[1]
    walk = Walk(points, "l2") if walks else Nowhere()
    steps = walk.step(np.eye(300, dtype=np.float32)).astype(float)
    expected, temperatures = labels, []
    for _ in range(10):
        means = np.stack([points[expected == i].mean(axis=0) for i in range(3)])
        covariance = ledoit_wolf(points - means[expected], assume_centered=True)[0]
        away = points[:, None] - means
        squares = np.einsum("nkd,de,nke->nk", away, np.linalg.inv(covariance), away)
        heads = {t: log_softmax(-squares / 2 / t, axis=1) for t in 2.0 ** np.arange(0, 8, 0.5)}
        there = steps @ np.eye(3)[expected]
        temperatures.append(min(heads, key=lambda t: -(there * heads[t]).sum()))
        expected = by_size((steps @ np.exp(heads[temperatures[-1]])).argmax(axis=1))[1]
    found = retrained(points, labels, walk)
    np.testing.assert_array_equal(found, expected)
    assert (found != labels).any()
    assert (min(temperatures) > 1) == walks


def test_no_cluster_is_lost():
    points = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    labels = by_size(np.r_[np.zeros(40, int), np.ones(19, int), 2])[1]
    everywhere = type("", (), {"step": lambda _, v: np.tile(v.mean(axis=0), (60, 1))})()
    np.testing.assert_array_equal(retrained(points, labels, everywhere), labels)


@pytest.mark.parametrize("metric", METRICS)
def test_silhouettes_are_those_of_scikit_learn(metric):
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(5)
    points = prepare(random.normal(size=(90, 7)), metric)
    silhouettes = Silhouettes(points, metric)
    for k in (2, 7, 60):
        labels = by_size(random.integers(0, k, 90))[1]
        expected = metrics.silhouette_score(
            points, labels, metric="cosine" if metric == "cosine" else "euclidean"
        )
        assert silhouettes.mean(labels) == pytest.approx(expected, abs=1e-6)
    assert silhouettes.mean(np.zeros(90, int)) == 0


def test_the_number_is_searched_near_the_best():
    points = prepare(blobs(37, 6, 24)[0], "cosine")
    truth, member = np.repeat(np.arange(37), 6), np.tile(np.arange(6), 37)
    tried = []

    def labels_of(k):  # the last merge, or split
        tried.append(k)
        return np.where(truth < 74 - k, truth, truth + 37 * (member % 2)) if k > 37 else truth % k

    told = []
    found = separated_labels(points, 74, labels_of, "cosine", lambda: told.append(len(tried)))
    np.testing.assert_array_equal(found, truth)
    assert len(set(tried)) == len(tried) - 1 < 50
    assert len(told) == TRIES
    assert told == sorted(told)
