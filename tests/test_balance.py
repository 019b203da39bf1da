"""How words and pictures are weighed, against an independent average precision."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from rememberai.balance import balance

EVENTS = [f"event {i % 4}" for i in range(40)]


def distances(random, noise):
    """Those of seeds from each other: small within an event, as far as the noise lets it."""
    same = np.array(EVENTS)[:, None] == np.array(EVENTS)
    return (1.0 - same + random.normal(0, noise, same.shape)).astype(np.float32)


@pytest.fixture
def spaces():
    random = np.random.default_rng(7)
    return distances(random, 0.5), distances(random, 3.0)


def apart_alone(n):
    return ~np.eye(n, dtype=bool)


def test_what_finds_the_seeds_counts_more(spaces):
    good, poor = spaces
    apart = apart_alone(len(EVENTS))
    words, pictures = balance(good, poor, EVENTS, apart)
    assert words > 1.5 * pictures
    assert words * pictures == pytest.approx(1)
    assert balance(poor, good, EVENTS, apart) == (pictures, words)
    assert balance(good, good, EVENTS, apart) == (1, 1)


def test_the_weights_are_the_best_by_average_precision(spaces):
    apart = apart_alone(len(EVENTS))
    apart[:10, 30:] = False
    found = balance(*spaces, EVENTS, apart)
    worth = {}
    for step in range(-6, 7):
        scores = []
        for i, event in enumerate(EVENTS):
            others = np.flatnonzero(apart[i])
            z = [(row[i, others] - row[i, others].mean()) / row[i, others].std() for row in spaces]
            total = -(z[0] * 2 ** (step / 2) + z[1])
            scores.append(average_precision_score([EVENTS[j] == event for j in others], total))
        worth[step] = np.mean(scores)
    best = max(worth, key=worth.__getitem__)
    assert found[0] / found[1] == pytest.approx(2 ** (best / 2 * 40 / (40 + 20)))


def test_the_order_of_the_seeds_does_not_matter(spaces):
    apart = apart_alone(len(EVENTS))
    order = np.random.default_rng(1).permutation(len(EVENTS))
    turned = [each[np.ix_(order, order)] for each in spaces]
    events = [EVENTS[i] for i in order]
    assert balance(*turned, events, apart) == pytest.approx(balance(*spaces, EVENTS, apart))


def test_seeds_that_stand_together_tell_nothing_of_each_other(spaces):
    good, poor = spaces
    album = np.arange(len(EVENTS)) // 2
    copies = np.where(album[:, None] == album, 0, poor).astype(np.float32)
    events = [f"event {i % 4}" for i in album]
    same = np.array(events)[:, None] == np.array(events)
    seen = (good - good.mean() + 1.0 - same).astype(np.float32)
    apart = album[:, None] != album
    words, pictures = balance(copies, seen, events, apart)
    assert words < pictures
    assert (words, pictures) == balance(np.where(apart, copies, 9), seen, events, apart)


def test_without_seeds_that_tell_both_count_alike():
    none = np.empty((0, 0), np.float32)
    assert balance(none, none, [], none.astype(bool)) == (1, 1)
    two = np.array([[0, 1], [2, 0]], np.float32)
    assert balance(two, two.T, ["a", "b"], apart_alone(2)) == (1, 1)
    assert balance(two, two.T, ["a", "a"], np.zeros((2, 2), bool)) == (1, 1)
    assert balance(two, two.T, ["a", "a"], apart_alone(2)) == (1, 1)
