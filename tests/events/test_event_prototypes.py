"""Prototypes: chosen of each event's seeds whatever their order, and explained."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import EventPrototypes, InputError, RememberAIError
from rememberai._arrays import prepare
from rememberai.events import prototypes
from rememberai.events.selections import SELECTIONS

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]
settings.register_profile("events", max_examples=40, deadline=None)


def two_events(seed=0):
    """Two events, the first of three blobs of 30, 20 and 10 seeds, the second of one of 15."""
    vectors, blob = blobs(4, [30, 20, 10, 15], 8, seed=seed)
    return vectors, blob, np.where(blob < 3, "party", "walk").tolist()


@pytest.mark.parametrize("metric", METRICS)
def test_attributes_fit_together(metric):
    vectors, _, events = two_events()
    chosen = EventPrototypes(7, metric=metric).fit(vectors, events)
    assert chosen.labels_.tolist() == [0] * 7 + [1] * 7
    assert [chosen.events_[i] for i in chosen.labels_] == [events[i] for i in chosen.positions_]
    assert chosen.vectors_.dtype == np.float32
    np.testing.assert_array_equal(chosen.vectors_, prepare(vectors, metric)[chosen.positions_])
    assert len(set(chosen.positions_.tolist())) == 14


@pytest.mark.parametrize("selection", SELECTIONS)
def test_an_event_with_few_seeds_keeps_them_all(selection):
    vectors = np.eye(7)
    chosen = EventPrototypes(4, selection=selection).fit(vectors, ["day"] * 4 + ["night"] * 3)
    assert sorted(chosen.positions_.tolist()) == list(range(7))


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


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 50), whole=st.booleans())
@settings(settings.get_profile("events"))
def test_the_order_of_the_seeds_does_not_matter(metric, selection, seed, n, whole):
    random = np.random.default_rng(seed)
    vectors = random.integers(-2, 3, size=(n, 3)) + np.array([9, 0, 0])  # ties and copies abound
    vectors = (vectors if whole else random.normal(size=(n, 3))).astype(np.float32)
    events = random.choice(["a", "b", "c"], n).tolist()
    order = random.permutation(n)
    first, again = (
        EventPrototypes(4, selection=selection, metric=metric).fit(
            vectors[rows], [events[i] for i in rows]
        )
        for rows in (np.arange(n), order)
    )
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
    chooser = EventPrototypes(0, selection="best", n_seed_clusters=-1, metric="no", random_state=3)
    assert vars(chooser) == {
        "n_prototypes": 0,
        "selection": "best",
        "n_seed_clusters": -1,
        "metric": "no",
        "random_state": 3,
    }
    EventPrototypes(3).fit(vectors, events)
    np.testing.assert_array_equal(vectors, before)


def test_chance_comes_from_random_state_alone():
    vectors = np.random.default_rng(0).normal(size=(80, 6))
    chosen = []
    for state in [*range(6)] * 2:
        chooser = EventPrototypes(9, selection="random", random_state=state)
        chosen.append(tuple(chooser.fit(vectors, ["day"] * 80).positions_))
    assert chosen[:6] == chosen[6:]
    assert len(set(chosen)) > 1


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("selection", sorted(set(SELECTIONS) - {"random"}))
def test_the_last_digits_of_a_vector_do_not_matter(metric, selection):
    vectors, truth = blobs(3, 60, 24, spread=1.2)
    random = np.random.default_rng(5)
    events = truth.astype(str).tolist()
    chosen = [
        EventPrototypes(5, selection=selection, metric=metric).fit(some, events).positions_.tolist()
        for some in (vectors, vectors * (1 + 1e-7 * random.normal(size=vectors.shape)))
    ]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("metric", METRICS)
def test_a_burst_stands_once(metric):
    vectors, _, events = two_events()
    random = np.random.default_rng(1)
    burst = vectors[[5]] * (1 + 1e-3 * random.normal(size=(200, vectors.shape[1])))
    chosen = EventPrototypes(8, metric=metric, selection="centroid").fit(
        np.concatenate([vectors, burst]), events + [events[5]] * 200
    )
    assert np.isin(chosen.positions_, [5, *range(75, 275)]).sum() <= 1
    assert len(chosen.positions_) == 16


@pytest.mark.parametrize("metric", METRICS)
def test_of_many_seeds_a_part_is_looked_at_large_events_first(metric, monkeypatch):
    monkeypatch.setattr(prototypes, "_LOOKED_AT", 100)
    vectors, truth = blobs(3, [400, 200, 20], 24, spread=1.5)
    events = truth.astype(str)
    order = np.random.default_rng(0).permutation(620)
    first = EventPrototypes(5, metric=metric).fit(vectors, events.tolist())
    again = EventPrototypes(5, metric=metric).fit(vectors[order], events[order].tolist())
    np.testing.assert_array_equal(first.positions_, order[again.positions_])
    assert np.bincount(truth[first._rows]).tolist() == [40, 40, 20]
    # Evenly over the first coordinate, and no event below what it needs.
    places = vectors[:400, 0] if metric == "l2" else unit(vectors[:400])[:, 0]
    part = first._rows[first.labels_[0] == truth[first._rows]]
    np.testing.assert_array_equal(np.sort(places[part]), np.sort(places)[::10])
    many = EventPrototypes(50, metric=metric).fit(vectors, events.tolist())
    assert np.bincount(truth[many._rows]).tolist() == [200, 200, 20]


def test_of_many_seeds_copies_and_lengths_do_not_change_the_part(monkeypatch):
    monkeypatch.setattr(prototypes, "_LOOKED_AT", 100)
    vectors, truth = blobs(2, [300, 80], 24, spread=1.5)
    random = np.random.default_rng(0)
    first = EventPrototypes(5).fit(vectors, truth.astype(str).tolist())
    copies = random.integers(0, 300, 500)
    vectors = vectors * 2.0 ** random.integers(-9, 9, (380, 1))
    again = EventPrototypes(5).fit(
        np.concatenate([vectors, vectors[copies]]),
        np.concatenate([truth, truth[copies]]).astype(str).tolist(),
    )
    assert len(first._rows) == 100
    np.testing.assert_allclose(again.vectors_, first.vectors_, atol=1e-6)


def test_without_a_choice_the_vote_of_the_others_is_counted_all_the_same():
    vectors, truth = blobs(2, [3, 40], 8, spread=1.5)
    events = truth.astype(str).tolist()
    with_few = EventPrototypes(4).fit(vectors, events)
    alone = EventPrototypes(4).fit(vectors[3:], events[3:])
    assert with_few.labels_.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert set(with_few.positions_[3:]) != set(alone.positions_ + 3)


# --- explained ---------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_explain_counts_what_numpy_counts(metric):
    vectors, truth = blobs(3, 40, 12, spread=2)
    texts = [f"text {i}" for i in range(120)]
    chosen = EventPrototypes(4, metric=metric).fit(vectors, truth.astype(str).tolist())
    apart = distances(vectors, vectors[chosen.positions_], metric)
    others = np.setdiff1d(np.arange(120), chosen.positions_)
    for i, cover in enumerate(chosen.explain(texts)):
        own = apart[truth == i][:, chosen.labels_ == i]
        assert cover.event == str(i)
        assert cover.distance == pytest.approx(own.min(axis=1).mean(), abs=1e-5)
        mine = others[truth[others] == i]
        hits = chosen.labels_[apart[mine].argmin(axis=1)] == i
        assert cover.own == pytest.approx(hits.mean())
        shares = np.bincount(own.argmin(axis=1), minlength=4) / 40
        expected = dict(zip(chosen.positions_[chosen.labels_ == i], shares, strict=True))
        assert {p.row: p.share for p in cover.prototypes} == pytest.approx(expected)
        assert [p.share for p in cover.prototypes] == sorted(shares, reverse=True)
        assert all(p.text == f"text {p.row}" for p in cover.prototypes)


def test_explain_reads_well():
    chosen = EventPrototypes(2).fit(np.eye(5), ["party"] * 3 + ["walk"] * 2)
    party, walk = chosen.explain(["cake", "candles", "song", "path", "tree"])
    assert str(walk).startswith("walk: 2 prototypes at a mean distance of 0; there are no other")
    assert sorted(str(walk).splitlines()[1:]) == ["   50%  path", "   50%  tree"]
    assert "nearest to one of them" in str(party)
    assert "row 3" in str(chosen.explain()[1])


def test_explain_when_it_cannot():
    with pytest.raises(RememberAIError, match="fit"):
        EventPrototypes().explain()
    with pytest.raises(InputError, match="one text"):
        EventPrototypes().fit(TWO, ["a", "b"]).explain(["one"])


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
        (TWO, [["a"], ["b"]], "must have a name"),
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
        ({"n_prototypes": 2.5}, "n_prototypes must be a whole number; 2.5 came"),
        ({"n_prototypes": np.nan}, "n_prototypes must be a whole number"),
        ({"n_seed_clusters": 0}, "at least 1"),
        ({"n_seed_clusters": "2"}, "n_seed_clusters must be a whole number"),
        ({"random_state": -1}, "random_state must be at least 0; -1 came"),
        ({"random_state": None}, "random_state must be a whole number; None came"),
        ({"selection": "best"}, "likelihood.*'best'"),
        ({"metric": "euclid"}, "metric"),
    ],
)
def test_parameters_that_cannot_be_used(parameters, says):
    with pytest.raises(InputError, match=says):
        EventPrototypes(**parameters).fit(TWO, ["a", "b"])


@pytest.mark.parametrize("selection", SELECTIONS)
def test_events_of_one_and_the_same_seed_have_it_each(selection):
    found = EventPrototypes(selection=selection).fit([[1.0, 2.0]] * 5, list("aabbc"))
    assert found.positions_.tolist() == [0, 2, 4]
    assert found.labels_.tolist() == [0, 1, 2]


def test_a_zero_vector_is_a_place_under_l2():
    assert len(EventPrototypes(metric="l2").fit([[0.0, 0.0], [0, 1]], ["a", "b"]).positions_) == 2
