from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs

from rememberai import EventAssigner, EventPrototypes, InputError

pytest.importorskip("faiss")


@pytest.fixture(scope="module", params=["cosine", "l2"])
def assigner(request):
    vectors, labels = blobs(3, 25, 8, spread=1.0, seed=0)
    events = [f"event {i}" for i in labels]
    return EventAssigner(EventPrototypes(6, metric=request.param)).fit(vectors, events, events)


@pytest.fixture(scope="module")
def album():
    vectors, labels = blobs(3, 4, 8, spread=1.0, seed=0)
    return vectors[labels < 2]  # four of event 0, four of event 1


def chances(assigner, album, weights=None):
    return dict(assigner.assign_album(album, weights=weights).ranking)


def test_weights_that_are_alike_change_nothing(assigner, album):
    plain = chances(assigner, album)
    assert chances(assigner, album, np.full(8, 0.5)) == pytest.approx(plain)


def test_photos_that_are_believed_less_have_less_of_a_say(assigner, album):
    shares = [
        chances(assigner, album, [w] * 4 + [1.0] * 4)["event 0"] for w in (1.0, 0.5, 0.1, 1e-6)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[1] > shares[3]
    alone = chances(assigner, album[4:])["event 0"]
    assert shares[3] == pytest.approx(alone, abs=1e-3)


def test_the_order_of_photos_and_weights_does_not_matter(assigner, album):
    weights = np.linspace(0.2, 1, 8)
    order = np.random.default_rng(1).permutation(8)
    mixed = chances(assigner, album[order], weights[order])
    assert mixed == chances(assigner, album, weights)


def test_equal_photos_of_unequal_weights_in_any_order(assigner, album):
    twins = np.repeat(album[:2], 3, axis=0)
    weights = np.array([0.1, 0.7, 1.0, 0.3, 0.9, 0.2])
    order = np.random.default_rng(2).permutation(6)
    mixed = chances(assigner, twins[order], weights[order])
    assert mixed == chances(assigner, twins, weights)


@pytest.mark.parametrize("unit", [1e-320, 1e-30, 3.0, 1e308])
def test_weights_count_against_each_other(assigner, album, unit):
    assert chances(assigner, album, [unit] * 8) == chances(assigner, album, None)


@pytest.mark.parametrize(
    "weights",
    [[1.0], [1.0] * 7 + [0], [1.0] * 7 + [np.nan], [-1.0] * 8, ["1"] * 7 + ["x"], [[1.0], [1, 2]]],
)
def test_weights_that_can_not_be(assigner, album, weights):
    with pytest.raises(InputError, match="8 weights above 0 were wanted"):
        assigner.assign_album(album, weights=weights)
