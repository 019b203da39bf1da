"""Clusters refined, against scikit-learn's covariance and by what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs

from rememberai._arrays import prepare
from rememberai.events.kmeans import by_size
from rememberai.events.refinement import retrained
from rememberai.events.silhouettes import TRIES, Silhouettes, separated_labels

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


class Nowhere:
    """A walk that stays where it is."""

    def step(self, values):
        return values


def test_labels_are_told_by_a_shrunk_gaussian_head():
    ledoit_wolf = pytest.importorskip("sklearn.covariance").ledoit_wolf
    random = np.random.default_rng(0)
    stretched = np.diag([5.0, 5, 1, 1, 0.2, 0.2])
    truth = np.arange(300) % 3
    points = random.normal(size=(300, 6)) @ stretched + 2 * np.eye(6)[4 + truth % 2 - truth // 2]
    points = points.astype(np.float32)
    wrong = random.random(300) < 0.15
    labels = by_size(np.where(wrong, random.integers(0, 3, 300), truth))[1]
    expected = labels
    for _ in range(3):
        means = np.stack([points[expected == i].mean(axis=0) for i in range(3)])
        covariance = ledoit_wolf(points - means[expected], assume_centered=True)[0]
        away = points[:, None] - means
        squares = np.einsum("nkd,de,nke->nk", away, np.linalg.inv(covariance), away)
        expected = by_size(squares.argmin(axis=1))[1]
    found = retrained(points, labels, Nowhere())
    np.testing.assert_array_equal(found, expected)
    assert (found != labels).any()


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
