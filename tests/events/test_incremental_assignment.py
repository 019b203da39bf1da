"""Seeds that come later, and events that get another name."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs

from rememberai import EventAssigner, EventPrototypes, InputError

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def seeds():
    vectors, labels = blobs(4, 20, 8, spread=1.0)
    return vectors, [f"event {i}" for i in labels], [f"text {i}" for i in range(80)]


def words(names):
    random = np.random.default_rng(5)
    return {name: random.normal(size=8) for name in names}


def same(first, second, album):
    assert first.events_ == second.events_
    assert first.calibration_.temperature_ == second.calibration_.temperature_
    assert first.texts_ == second.texts_
    np.testing.assert_array_equal(first.limits_, second.limits_)
    assert first.assign_album(album, ["text 3"] * len(album)) == second.assign_album(
        album, ["text 3"] * len(album)
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_new_event_is_added_as_if_it_had_been_there(metric):
    vectors, events, texts = seeds()
    told = words(sorted(set(events)))
    chooser = EventPrototypes(30, metric=metric)  # all seeds, so that nothing is chosen
    whole = EventAssigner(chooser).fit(vectors, events, texts, descriptions=told)
    first = {name: told[name] for name in sorted(told)[:3]}
    grown = EventAssigner(chooser).fit(vectors[:60], events[:60], texts[:60], descriptions=first)
    grown.add(vectors[60:], events[60:], texts[60:], descriptions={"event 3": told["event 3"]})
    same(grown, whole, vectors[:7] + 0.1)


def test_a_later_description_takes_the_place_of_the_one_before():
    vectors, events, texts = seeds()
    told = words(sorted(set(events)))
    chooser = EventPrototypes(30)
    grown = EventAssigner(chooser).fit(
        vectors[:60],
        events[:60],
        texts[:60],
        descriptions={name: told[name] for name in sorted(told)[:3]},
    )
    later = {"event 3": told["event 3"], "event 1": -told["event 1"]}
    grown.add(vectors[60:], events[60:], texts[60:], descriptions=later)
    whole = EventAssigner(chooser).fit(vectors, events, texts, descriptions={**told, **later})
    same(grown, whole, vectors[:7] + 0.1)


def test_prototypes_of_other_events_stay():
    vectors, events, texts = seeds()
    assigner = EventAssigner(EventPrototypes(5)).fit(vectors, events, texts)
    before = assigner.prototypes_
    shown = dict(zip(before.positions_.tolist(), before.labels_.tolist(), strict=True))
    assigner.add(vectors[:9] + 0.2, ["event 1"] * 9, [f"new {i}" for i in range(9)])
    after = assigner.prototypes_
    for row, label in zip(after.positions_.tolist(), after.labels_.tolist(), strict=True):
        assert label == 1 or shown[row] == label
    assert sum(label != 1 for label in after.labels_) == 15
    assert {*assigner.texts_} <= {*texts, *(f"new {i}" for i in range(9))}


@pytest.mark.parametrize("name", ["an earlier name", "zebra"])
def test_a_renamed_event_is_as_if_it_always_had_that_name(name):
    vectors, events, texts = seeds()
    told = words(sorted(set(events)))
    renamed = EventAssigner(EventPrototypes(30)).fit(vectors, events, texts, descriptions=told)
    renamed.rename("event 1", name)
    told[name] = told.pop("event 1")
    fresh = EventAssigner(EventPrototypes(30)).fit(
        vectors, [name if e == "event 1" else e for e in events], texts, descriptions=told
    )
    album = vectors[20:25] + 0.05
    assert renamed.events_ == fresh.events_
    assert renamed.assign_album(album).event == name
    found, wanted = renamed.assign_album(album), fresh.assign_album(album)
    assert dict(found.ranking) == pytest.approx(dict(wanted.ranking), abs=1e-6)
    assert {each.text for each in found.nearest} == {each.text for each in wanted.nearest}


def test_what_cannot_be_learned_leaves_what_was():
    vectors, events, texts = seeds()
    assigner = EventAssigner().fit(vectors, events, texts)
    album = vectors[:4] + 0.1
    before = assigner.assign_album(album)
    with pytest.raises(InputError, match="none of the 4 events"):
        assigner.rename("nothing", "else")
    for name in ("event 2", " ", None, 3):
        with pytest.raises(InputError, match="no other has"):
            assigner.rename("event 1", name)
    with pytest.raises(InputError, match=r"\(n, 8\)"):
        assigner.add(np.ones((2, 7)), ["a", "b"])
    with pytest.raises(InputError, match="finite"):
        assigner.add([[np.nan] * 8], ["a"])
    for names in (["a"], ["a", "b", "c"]):
        with pytest.raises(InputError, match=f"2 seeds and {len(names)} events came"):
            assigner.add(vectors[:2], names)
    with pytest.raises(InputError, match=r"a text is a str.*None came"):
        assigner.add(vectors[:2], ["a", "b"], ["cake", None])
    assert assigner.assign_album(album) == before


def test_the_prototypes_explain_themselves_after_changes_too():
    vectors, events, texts = seeds()
    assigner = EventAssigner(EventPrototypes(5)).fit(vectors[:60], events[:60], texts[:60])
    first = {each.event: each for each in assigner.prototypes_.explain(texts)}
    assigner.add(vectors[60:], events[60:], texts[60:])
    assigner.rename("event 0", "zebra")
    shown = {each.event: each for each in assigner.prototypes_.explain(texts)}
    assert sorted(shown) == ["event 1", "event 2", "event 3", "zebra"]
    for name, before in (("zebra", "event 0"), ("event 1", "event 1")):
        assert shown[name].prototypes == first[before].prototypes
        assert shown[name].distance == pytest.approx(first[before].distance)
    for each in shown.values():
        rows = [prototype.row for prototype in each.prototypes]
        kind = {"zebra": "event 0"}.get(each.event, each.event)
        assert {events[row] for row in rows} == {kind}
        assert [texts[row] for row in rows] == [prototype.text for prototype in each.prototypes]
        own = vectors[[event == kind for event in events]]
        own = own / np.linalg.norm(own, axis=1, keepdims=True)
        chosen = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
        assert each.distance == pytest.approx((1 - own @ chosen.T).min(axis=1).mean(), abs=1e-5)
