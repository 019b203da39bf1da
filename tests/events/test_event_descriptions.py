"""Descriptions beside prototypes, against the same vote written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, distances

from rememberai import EventAssigner, EventPrototypes, InputError
from rememberai._arrays import prepare
from rememberai.events.descriptions import EventDescriptions
from rememberai.events.pooling import opinion_weights

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]
NAMES = [f"event {i}" for i in range(4)]


def seeds(seed=0):
    vectors, labels = blobs(4, 12, 8, spread=1.5, seed=seed)
    return vectors, [NAMES[label] for label in labels], np.array(labels)


def words(noise=0.5):
    """A description near the middle of each event."""
    vectors, _, labels = seeds()
    centres = np.stack([vectors[labels == i].mean(axis=0) for i in range(4)])
    return centres + np.random.default_rng(3).normal(size=centres.shape) * noise


def by_name(vectors):
    return dict(zip(NAMES, vectors, strict=True))


def fitted(metric="cosine", descriptions=None):
    vectors, events, _ = seeds()
    chooser = EventPrototypes(3, metric=metric)
    return EventAssigner(chooser, method="kernel").fit(
        vectors, events, descriptions=by_name(words() if descriptions is None else descriptions)
    )


def told(assigner):
    return assigner.opinions_.opinions_["descriptions"]


def softmax(costs, temperature):
    powers = np.exp(-(costs - costs.min(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def raw_costs(vectors, metric):
    apart = distances(vectors, words().astype(np.float32), metric)
    return apart if metric == "cosine" else apart**2 / 2


def costs(vectors, metric):
    """Less the mean over the seeds, each event counted alike."""
    near, _, labels = seeds()
    own = raw_costs(near, metric)
    means = np.mean([own[labels == i].mean(axis=0) for i in range(4)], axis=0)
    return raw_costs(vectors, metric) - means


@pytest.mark.parametrize("metric", METRICS)
def test_alone_they_vote_by_softmax(metric):
    queries = seeds(seed=9)[0]
    described = told(fitted(metric))
    expected = softmax(costs(queries, metric), described.temperature_)
    array = prepare(queries, metric)
    np.testing.assert_allclose(described.probabilities(array), expected, atol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_they_have_their_learned_part_of_the_pool(metric):
    array = prepare(seeds(seed=9)[0], metric)
    pooled = fitted(metric).opinions_
    parts = [
        pooled.weights_[name] * opinion.probabilities(array)
        for name, opinion in pooled.opinions_.items()
    ]
    assert sorted(pooled.weights_) == ["descriptions", "vote"]
    assert sum(pooled.weights_.values()) == pytest.approx(1)
    np.testing.assert_allclose(pooled.pool(array), sum(parts), atol=1e-9)


def test_the_better_opinion_weighs_more():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 900)
    good, bad = 0.8 * np.eye(3)[truth] + 0.2 / 3, np.full((900, 3), 1 / 3)
    few, many = (opinion_weights([bad[:n], good[:n]], truth[:n]) for n in (9, 900))
    assert 0.5 < few[1] < 0.52
    assert many[1] > 0.75


@pytest.mark.parametrize("metric", METRICS)
def test_the_temperature_makes_the_seeds_own_events_most_probable(metric):
    vectors, _, labels = seeds()
    energy = costs(vectors, metric)
    candidates = np.median(energy.std(axis=1)) * np.geomspace(0.1, 30, 20)
    rows = np.arange(len(labels))
    losses = [
        -np.log(0.01 / 4 + 0.99 * softmax(energy, t)[rows, labels]).mean() for t in candidates
    ]
    best = candidates[np.argmin(losses)]
    assert told(fitted(metric)).temperature_ == pytest.approx(best, rel=1e-4)
    assert candidates[0] < best < candidates[-1]


def test_descriptions_that_the_seeds_contradict_change_no_answer():
    queries = seeds(seed=9)[0]
    vectors, events, _ = seeds()
    without = EventAssigner(EventPrototypes(3), method="kernel").fit(vectors, events)
    without = without.assign(queries).probabilities
    rotated = np.roll(words(0), 1, axis=0)  # each event is described as another one is
    found = fitted(descriptions=rotated).assign(queries).probabilities
    assert (found.argmax(axis=1) == without.argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_the_seeds_changes_nothing(metric):
    vectors, events, _ = seeds()
    order = np.random.default_rng(0).permutation(len(events))
    assigner = EventAssigner(EventPrototypes(3, metric=metric), method="kernel").fit(
        vectors[order], [events[i] for i in order], descriptions=by_name(words())
    )
    queries = seeds(seed=9)[0]
    np.testing.assert_allclose(
        assigner.assign(queries).probabilities, fitted(metric).assign(queries).probabilities
    )


def test_one_event_needs_no_temperature():
    vectors, _, _ = seeds()
    assigner = EventAssigner().fit(vectors, ["x"] * len(vectors), descriptions={"x": vectors[0]})
    assert told(assigner).temperature_ == 1
    assert assigner.assign(vectors[:1]).probabilities.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("event 1"), "'event 1' is on one side only"),
        (lambda d: d.update({"stray": d["event 0"][:3]}), "descriptions must have"),
        (lambda d: d.update({" ": d["event 0"]}), "an event must have a name"),
        (lambda d: d.update({"event 0": d["event 0"] * np.nan}), "descriptions must be finite"),
        (lambda d: d.update({"event 0": d["event 0"] * 0}), "descriptions must not be zero"),
        (lambda d: d.update({"event 0": d["event 0"][:3]}), "descriptions"),
        (lambda d: d.update({name: v[:3] for name, v in d.items()}), "descriptions must have"),
    ],
)
def test_descriptions_that_do_not_fit_leave_what_was_learned(change, says):
    vectors, events, _ = seeds()
    assigner = fitted()
    before = dict(vars(assigner))
    descriptions = by_name(words())
    change(descriptions)
    with pytest.raises(InputError, match=says):
        assigner.fit(vectors, events, descriptions=descriptions)
    assert vars(assigner) == before


# --- events with a description alone --------------------------------------------------------------


def test_an_event_without_seeds_is_told_by_its_description():
    vectors, events, labels = seeds()
    rows = np.flatnonzero(labels < 3)
    told_of = by_name(words(noise=0.05))
    assigner = EventAssigner().fit(vectors[rows], [events[i] for i in rows], descriptions=told_of)
    assert assigner.events_ == NAMES
    album = vectors[labels == 3]
    assert assigner.assign_album(album).ranking[0][0] == "event 3"
    as_a_seed = EventAssigner().fit(
        np.concatenate([vectors[rows], [told_of["event 3"]]]),
        [*(events[i] for i in rows), "event 3"],
        descriptions=told_of,
    )
    assert assigner.assign_album(album) == as_a_seed.assign_album(album)


def test_seeds_take_the_place_of_a_description_alone():
    vectors, events, labels = seeds()
    first, later = np.flatnonzero(labels < 2), np.flatnonzero(labels == 3)
    told_of = by_name(words())
    chooser = EventPrototypes(selection="centroid")  # each event by itself
    assigner = EventAssigner(chooser).fit(
        vectors[first], [events[i] for i in first], descriptions=told_of
    )
    renamed = "a name before all others"
    assigner.rename("event 2", renamed)
    assigner.add(vectors[later], [events[i] for i in later])
    told_of[renamed] = told_of.pop("event 2")
    rows = np.concatenate([first, later])
    whole = EventAssigner(chooser).fit(
        vectors[rows], [events[i] for i in rows], descriptions=told_of
    )
    assert assigner.events_ == whole.events_
    np.testing.assert_array_equal(
        np.sort(assigner.prototypes_.positions_), np.sort(whole.prototypes_.positions_)
    )
    queries = seeds(seed=9)[0]
    np.testing.assert_allclose(
        assigner.assign(queries).probabilities, whole.assign(queries).probabilities, atol=1e-9
    )
    shown = {cover.event: cover for cover in assigner.prototypes_.explain()}
    assert [len(shown[name].prototypes) for name in (renamed, "event 3")] == [1, 10]


def test_descriptions_alone_are_enough_and_more_may_come():
    assigner = EventAssigner().fit(np.empty((0, 8)), [], descriptions=by_name(words()))
    best = assigner.assign(words(noise=0.1)).probabilities.argmax(axis=1)
    assert best.tolist() == [0, 1, 2, 3]
    assigner.add(np.empty((0, 8)), [], descriptions={"far": np.full(8, 9.0)})
    assert assigner.assign_album(np.full((2, 8), 9.0)).ranking[0][0] == "far"


def test_seeds_that_are_as_near_to_all_descriptions_but_for_last_digits_say_nothing():
    random = np.random.default_rng(0)
    seeds = np.tile(np.eye(6, dtype=np.float32)[:1] + 1, (8, 1))
    seeds[:, 4:] += 1e-7 * random.normal(size=(8, 2)).astype(np.float32)
    seeds = prepare(seeds, "cosine")
    described = EventDescriptions().fit(
        {"one": np.eye(6)[4], "two": np.eye(6)[5]}, ["one", "two"], seeds, np.arange(8) % 2
    )
    np.testing.assert_allclose(described.probabilities(seeds), 0.5, atol=1e-4)
