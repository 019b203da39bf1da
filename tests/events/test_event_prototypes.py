"""Prototypes: members nearest to the centres of their event's seed clusters."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import EventPrototypes, InputError
from rememberai._arrays import prepare
from rememberai.events.prototypes import _shares

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]
settings.register_profile("events", max_examples=40, deadline=None)


def two_events(seed=0):
    """Two events, the first of three blobs of 30, 20 and 10 seeds, the second of one of 15."""
    vectors, blob = blobs(4, [30, 20, 10, 15], 8, seed=seed)
    return vectors, blob, np.where(blob < 3, "party", "walk").tolist()


@pytest.mark.parametrize("metric", METRICS)
def test_the_members_nearest_to_the_centres_in_proportion_to_their_clusters(metric):
    vectors, blob, events = two_events()
    chosen = EventPrototypes(6, metric=metric).fit(vectors, events)
    assert chosen.events_ == ["party", "walk"]
    points = unit(vectors) if metric == "cosine" else vectors.astype(np.float64)
    expected = []
    for i, quota in ((0, 3), (1, 2), (2, 1)):  # 6 prototypes for 30, 20 and 10 seeds
        members = np.flatnonzero(blob == i)
        centre = points[members].mean(axis=0, keepdims=True)
        closeness = distances(points[members], centre, metric)[:, 0]
        expected += [(closeness[j], members[j]) for j in np.argsort(closeness)[:quota]]
    party = chosen.positions_[chosen.labels_ == 0].tolist()
    assert party == [row for _, row in sorted(expected)]


@pytest.mark.parametrize("metric", METRICS)
def test_attributes_fit_together(metric):
    vectors, _, events = two_events()
    chosen = EventPrototypes(7, metric=metric).fit(vectors, events)
    assert chosen.labels_.tolist() == [0] * 7 + [1] * 7
    assert [chosen.events_[i] for i in chosen.labels_] == [events[i] for i in chosen.positions_]
    assert chosen.vectors_.dtype == np.float32
    np.testing.assert_array_equal(chosen.vectors_, prepare(vectors, metric)[chosen.positions_])
    assert len(set(chosen.positions_.tolist())) == 14


@pytest.mark.parametrize("metric", METRICS)
def test_one_prototype_is_the_seed_nearest_to_the_centre_of_all(metric):
    vectors, _, _ = two_events()
    chosen = EventPrototypes(1, metric=metric).fit(vectors, ["day"] * len(vectors))
    points = unit(vectors) if metric == "cosine" else vectors
    closeness = distances(points, points.mean(axis=0, keepdims=True), metric)[:, 0]
    assert chosen.positions_.tolist() == [closeness.argmin()]


def test_fewer_prototypes_than_seed_clusters():
    vectors, _ = blobs(5, 20)
    chosen = EventPrototypes(2, n_seed_clusters=5).fit(vectors, ["day"] * 100)
    assert len(chosen.positions_) == 2


def test_each_seed_cluster_is_shown():
    vectors, blob = blobs(3, [60, 60, 3])
    chosen = EventPrototypes(5, n_seed_clusters=3).fit(vectors, ["day"] * 123)
    assert sorted(np.bincount(blob[chosen.positions_]).tolist()) == [1, 2, 2]


def test_an_event_with_few_seeds_keeps_them_all_the_nearest_to_a_centre_first():
    vectors = np.array([[9, 0], [0, 0], [1, 0], [2, 0]], np.float32)
    chosen = EventPrototypes(10, n_seed_clusters=1, metric="l2").fit(vectors, ["day"] * 4)
    assert chosen.positions_.tolist() == [3, 2, 1, 0]  # the centre is 3


def test_one_seed():
    chosen = EventPrototypes().fit([[1.0, 2.0]], ["day"])
    assert chosen.positions_.tolist() == [0]
    assert chosen.events_ == ["day"]


@pytest.mark.parametrize("metric", METRICS)
def test_equal_seeds_stand_once(metric):
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [-0.0, 1], [1, 1]], np.float32)
    chosen = EventPrototypes(4, metric=metric).fit(vectors, ["day"] * 6)
    assert sorted(chosen.positions_.tolist()) == [0, 1, 5]
    # In another event they stand again.
    chosen = EventPrototypes(4, metric=metric).fit(vectors, ["day", "day", *["night"] * 4])
    assert len(chosen.positions_) == 5


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 50), whole=st.booleans())
@settings(settings.get_profile("events"))
def test_the_order_of_the_seeds_does_not_matter(metric, seed, n, whole):
    random = np.random.default_rng(seed)
    vectors = random.integers(-2, 3, size=(n, 3)) + np.array([9, 0, 0])  # ties and copies abound
    vectors = (vectors if whole else random.normal(size=(n, 3))).astype(np.float32)
    events = random.choice(["a", "b", "c"], n).tolist()
    order = random.permutation(n)
    first = EventPrototypes(4, metric=metric).fit(vectors, events)
    again = EventPrototypes(4, metric=metric).fit(vectors[order], [events[i] for i in order])
    np.testing.assert_array_equal(first.vectors_, again.vectors_)
    np.testing.assert_array_equal(first.labels_, again.labels_)
    if not whole:
        np.testing.assert_array_equal(first.positions_, order[again.positions_])


def test_cosine_ignores_lengths_and_l2_does_not():
    vectors, _, events = two_events()
    longer = vectors * np.geomspace(0.01, 100, len(vectors))[:, None]
    cosine = [EventPrototypes(5).fit(v, events).positions_.tolist() for v in (vectors, longer)]
    l2 = [
        EventPrototypes(5, metric="l2").fit(v, events).positions_.tolist()
        for v in (vectors, longer)
    ]
    assert cosine[0] == cosine[1]
    assert l2[0] != l2[1]


def test_a_refit_forgets_the_old_and_the_same_input_gives_the_same():
    vectors, _, events = two_events()
    fresh = EventPrototypes(3).fit(vectors[60:], events[60:])
    used = EventPrototypes(3).fit(vectors, events).fit(vectors[60:], events[60:])
    assert used.events_ == fresh.events_ == ["walk"]
    for name in ("positions_", "labels_", "vectors_"):
        np.testing.assert_array_equal(getattr(used, name), getattr(fresh, name))


def test_the_constructor_only_stores_and_the_input_is_left_alone():
    vectors, _, events = two_events()
    before = vectors.copy()
    chooser = EventPrototypes(0, n_seed_clusters=-1, metric="no", random_state=3)
    assert vars(chooser) == {
        "n_prototypes": 0,
        "n_seed_clusters": -1,
        "metric": "no",
        "random_state": 3,
    }
    EventPrototypes(3).fit(vectors, events)
    np.testing.assert_array_equal(vectors, before)


def test_chance_comes_from_random_state_alone():
    vectors = np.random.default_rng(0).normal(size=(80, 6))
    chosen = [
        tuple(EventPrototypes(5, random_state=state).fit(vectors, ["day"] * 80).positions_)
        for state in [*range(6)] * 2
    ]
    assert chosen[:6] == chosen[6:]
    assert len(set(chosen)) > 1


TWO = [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("vectors", "events", "says"),
    [
        (np.empty((0, 2)), [], "must be a seed"),
        ([], [], "shape"),
        (TWO, ["a"], "2 seeds"),
        (TWO, ["a", "b", "c"], "2 seeds"),
        (TWO, "ab", "2 seeds"),
        (TWO, None, "2 seeds"),
        (TWO, [["a"], ["b"]], "2 seeds"),
        (TWO, ["a", ""], "name"),
        (TWO, ["a", " \n"], "name"),
        (TWO, ["a", None], "None"),
        (TWO, ["a", 7], "7"),
        ([[1.0, np.nan], [0, 1]], ["a", "b"], "finite"),
        ([[np.inf, 1.0], [0, 1]], ["a", "b"], "finite"),
        ([[0.0, 0.0], [0, 1]], ["a", "b"], "zero"),
        ([1.0, 2.0], ["a", "b"], "shape"),
        ([["x", "y"]], ["a"], "numbers"),
    ],
)
def test_seeds_that_cannot_be_used(vectors, events, says):
    with pytest.raises(InputError, match=says):
        EventPrototypes().fit(vectors, events)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"n_prototypes": 0}, "at least 1"),
        ({"n_seed_clusters": 0}, "at least 1"),
        ({"metric": "euclid"}, "metric"),
    ],
)
def test_parameters_that_cannot_be_used(parameters, says):
    with pytest.raises(InputError, match=says):
        EventPrototypes(**parameters).fit(TWO, ["a", "b"])


def test_a_zero_vector_is_a_place_under_l2():
    assert len(EventPrototypes(metric="l2").fit([[0.0, 0.0], [0, 1]], ["a", "b"]).positions_) == 2


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=12), data=st.data())
@settings(settings.get_profile("events"), max_examples=200)
def test_shares_are_whole_proportional_and_complete(sizes, data):
    total = data.draw(st.integers(len(sizes), sum(sizes)))
    sizes = np.array(sizes)
    shares = _shares(sizes, total)
    assert shares.sum() == total
    assert (shares >= 1).all()
    assert (shares <= sizes).all()
    exact = total * sizes / sizes.sum()
    if (exact >= 1).all():
        assert (np.abs(shares - exact) < 1 + 1e-9).all()
