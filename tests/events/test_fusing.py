"""Fusing opinions, against what probability theory says of made-up ones."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai.errors import InputError, RememberAIError
from rememberai.events import OpinionFusion

N, EVENTS = 4000, 4


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def witness(truth, random, clear: float):
    """A calibrated opinion: the posterior given a normal measurement of the true event."""
    seen = clear * np.eye(EVENTS)[truth] + random.normal(size=(len(truth), EVENTS))
    return softmax(clear * seen)


@pytest.fixture
def independent():
    random = np.random.default_rng(1)
    truth = random.integers(0, EVENTS, N)
    return [witness(truth, random, 1.5), witness(truth, random, 1.0)], truth


def log_loss(shares, truth):
    return -np.log(shares[np.arange(len(truth)), truth]).mean()


def test_independent_witnesses_are_multiplied(independent):
    opinions, truth = independent
    fusion = OpinionFusion().fit([o[: N // 2] for o in opinions], truth[: N // 2])
    np.testing.assert_allclose(fusion.weights_, 1, atol=0.26)
    fused = fusion.fuse([o[N // 2 :] for o in opinions])
    bayes = opinions[0] * opinions[1]
    bayes = (bayes / bayes.sum(axis=1, keepdims=True))[N // 2 :]
    own = truth[N // 2 :]
    assert log_loss(fused, own) < log_loss(bayes, own) + 0.01
    assert log_loss(fused, own) < min(log_loss(o[N // 2 :], own) for o in opinions) - 0.1
    np.testing.assert_allclose(fused.sum(axis=1), 1)


def test_a_witness_heard_twice_counts_once(independent):
    (opinion, _), truth = independent
    fusion = OpinionFusion().fit([opinion, opinion], truth)
    assert fusion.weights_.sum() == pytest.approx(1, abs=0.13)
    np.testing.assert_allclose(fusion.fuse([opinion, opinion]), opinion, atol=0.06)


def test_one_who_knows_nothing_has_no_say(independent):
    (opinion, _), truth = independent
    guess = np.random.default_rng(2).dirichlet(np.ones(EVENTS), N)
    fusion = OpinionFusion().fit([opinion, guess], truth)
    assert fusion.weights_[1] == 0
    assert fusion.weights_[0] == pytest.approx(1, abs=0.13)


def test_what_is_missing_leaves_the_other_as_it_is(independent):
    (words, pictures), truth = independent
    fusion = OpinionFusion().fit([words, pictures], truth)
    partly = words.copy()
    partly[::2] = np.nan
    fused = fusion.fuse([partly, pictures])
    np.testing.assert_array_equal(fused[::2], pictures[::2])
    np.testing.assert_array_equal(fused[1::2], fusion.fuse([words, pictures])[1::2])
    nothing = np.full((2, EVENTS), np.nan)
    np.testing.assert_allclose(fusion.fuse([nothing, nothing]), 1 / EVENTS)
    # Seeds with one of them say nothing about their weights.
    again = OpinionFusion().fit([partly, pictures], truth)
    alone = OpinionFusion().fit([words[1::2], pictures[1::2]], truth[1::2])
    np.testing.assert_array_equal(again.weights_, alone.weights_)


def test_the_order_of_the_seeds_does_not_matter(independent):
    opinions, truth = independent
    order = np.random.default_rng(3).permutation(N)
    some = OpinionFusion().fit(opinions, truth)
    other = OpinionFusion().fit([o[order] for o in opinions], truth[order])
    np.testing.assert_array_equal(some.weights_, other.weights_)


def test_few_seeds_leave_the_weights_about_equal(independent):
    opinions, truth = independent
    nothing = [np.empty((0, EVENTS))] * 2
    np.testing.assert_allclose(OpinionFusion().fit(nothing, np.empty(0, int)).weights_, 0.5)
    few = OpinionFusion().fit([o[:3] for o in opinions], truth[:3])
    np.testing.assert_allclose(few.weights_, 0.5, atol=0.26)


def test_a_veto_is_not_absolute():
    sure, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    fused = OpinionFusion().fit([sure, sure], np.array([0])).fuse([sure, other])
    assert np.isfinite(fused).all()
    assert fused.min() > 0


def test_what_can_t_be_is_refused(independent):
    opinions, truth = independent
    for wrong in (
        ([opinions[0]], truth),
        ([opinions[0], opinions[1][:, :2]], truth),
        ([opinions[0], opinions[1] * 2], truth),
        ([opinions[0], opinions[1] - 1], truth),
        (opinions, truth[:5]),
        (opinions, truth.astype(float)),
    ):
        with pytest.raises(InputError):
            OpinionFusion().fit(*wrong)
    with pytest.raises(InputError, match="learned from"):
        OpinionFusion().fit(opinions, truth).fuse([*opinions, opinions[0]])
    with pytest.raises(RememberAIError, match="fit first"):
        OpinionFusion().fuse(opinions)
