"""The vote of prototypes, against scikit-learn and the vote written out."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances
from sklearn.neighbors import KNeighborsClassifier

from rememberai._arrays import prepare
from rememberai.events.seedset import SeedSet
from rememberai.events.temperature import best_temperature
from rememberai.events.voting import PrototypeVote

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def fitted(voting, metric, k=7, groups=None):
    vectors, labels = blobs(3, 20, 6, spread=1.5)
    groups = [None] * 60 if groups is None else groups
    seeds = SeedSet.sorted(prepare(vectors, metric), labels, groups, 3, metric)
    chosen = np.arange(0, 60, 2)  # every other seed is a prototype
    vote = PrototypeVote(voting, k=k).fit(
        seeds, seeds.vectors[chosen], seeds.truth[chosen], seeds.groups[chosen]
    )
    return vote, seeds, chosen


def weights(voting, away, metric, temperature):
    if voting == "plain":
        return np.ones_like(away)
    if voting == "similarity":
        return (away.max() - away) / (away.max() - away.min())
    cost = away if metric == "cosine" else away**2 / 2
    return np.exp(-cost / temperature)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("voting", ["plain", "similarity", "kernel"])
def test_shares_are_those_of_weighted_neighbours(voting, metric):
    vote, seeds, chosen = fitted(voting, metric)
    queries = prepare(blobs(3, 5, 6, spread=1.5, seed=1)[0], metric)
    oracle = KNeighborsClassifier(
        7,
        metric="cosine" if metric == "cosine" else "euclidean",
        weights=lambda rows: np.stack(
            [weights(voting, away, metric, vote.temperature_) for away in rows]
        ),
        algorithm="brute",
    ).fit(seeds.vectors[chosen], seeds.truth[chosen])
    np.testing.assert_allclose(
        vote.probabilities(queries), oracle.predict_proba(queries), atol=1e-3
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_seed_is_judged_without_the_prototypes_of_its_group(metric):
    groups = [f"album {i // 4}" for i in range(60)]
    vote, seeds, chosen = fitted("kernel", metric, groups=groups)
    apart = distances(seeds.vectors, seeds.vectors[chosen], metric)
    for i in range(60):
        others = np.flatnonzero(seeds.groups[chosen] != seeds.groups[i])
        voters = others[np.argsort(apart[i, others])[:7]]
        parts = weights("kernel", apart[i, voters], metric, vote.temperature_)
        shares = np.bincount(seeds.truth[chosen][voters], parts, 3)
        np.testing.assert_allclose(vote.left_out_[i], shares / shares.sum(), atol=1e-3)


@pytest.mark.parametrize("metric", METRICS)
def test_a_seed_is_judged_without_its_copies_in_other_groups(metric):
    """The same words in two albums: the other's vote would say nothing of further ones."""
    vectors, labels = blobs(2, 6, 6, spread=1.5)
    vectors[3] = vectors[0]
    groups = list("abcdefghijkl")
    seeds = SeedSet.sorted(prepare(vectors, metric), labels, groups, 2, metric)
    vote = PrototypeVote("plain", k=12).fit(seeds, seeds.vectors, seeds.truth, seeds.groups)
    apart = distances(seeds.vectors, seeds.vectors, metric)
    for i in range(12):
        others = seeds.truth[apart[i] > 1e-9]
        np.testing.assert_allclose(vote.left_out_[i], np.bincount(others) / len(others))


def test_one_seed_that_is_wrong_for_sure_does_not_decide_the_temperature():
    sure, doubtful = np.eye(2)[np.zeros(100, int)], np.full((100, 2), [0.6, 0.4])
    truth = np.r_[np.zeros(99, int), 1]
    found = best_temperature(np.array([1.0, 2.0]), lambda t: sure if t < 2 else doubtful, truth)
    assert found == 1.0


def test_where_no_seed_is_judged_the_temperature_is_the_one_in_the_middle():
    none = np.zeros(4, bool)
    found = best_temperature(np.array([1.0, 2.0, 4.0]), lambda t: np.eye(4), np.arange(4), none)
    assert found == 2.0


def test_where_nothing_votes_all_events_are_alike():
    vote, _, _ = fitted("kernel", "l2")
    shares = vote.shares(np.full((1, 3), np.inf, np.float32), np.zeros((1, 3), np.int64))
    np.testing.assert_allclose(shares, 1 / 3)
