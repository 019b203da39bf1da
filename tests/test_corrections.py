"""What people say of events: each verb by itself, and any course of them."""

from __future__ import annotations

import random

import pytest

from rememberai import InputError
from rememberai.corrections import KeptEvent, KeptEvents


def event(*photos: str, **said) -> KeptEvent:
    return KeptEvent(frozenset(photos), **said)


def test_a_merged_event_takes_what_was_said_of_the_first_that_something_was_said_of():
    kept = KeptEvents(
        {
            4: event("a", rejected=frozenset({"sea"})),
            1: event("b", title="Mine", known_event="sea"),
            2: event("c", title="Yours", accepted="sea", rejected=frozenset({"snow"})),
            7: event("d"),
        },
        next_id=8,
    ).merged([4, 1, 2])
    assert set(kept.events) == {4, 7}
    assert kept.events[7] == event("d")
    whole = kept.events[4]
    assert whole.photos == whole.settled == {"a", "b", "c"}
    assert (whole.title, whole.accepted, whole.rejected) == ("Mine", "sea", {"snow"})


def test_both_parts_of_a_split_event_have_what_was_accepted_and_one_has_the_title():
    said = event("a", "b", "c", title="Mine", accepted="sea", rejected=frozenset({"snow"}))
    kept = KeptEvents({0: said}, next_id=5).split(0, ["b"])
    assert kept.next_id == 6
    assert {i: (e.photos, e.settled, e.title) for i, e in kept.events.items()} == {
        0: ({"a", "c"}, {"a", "c"}, "Mine"),
        5: ({"b"}, {"b"}, None),
    }
    assert {(e.accepted, e.rejected) for e in kept.events.values()} == {("sea", said.rejected)}
    assert kept.given() == dict.fromkeys("abc", "sea")


def test_photos_that_are_gone_are_dropped_and_empty_events_with_them():
    kept = KeptEvents({0: event("a", "b"), 1: event("c")}, frozenset("de"), 2).only({"a", "d", "x"})
    assert kept == KeptEvents({0: event("a")}, frozenset("d"), 2)
    settled = KeptEvents({}, frozenset(), 1).found({"a": 0, "b": 0}, 1).renamed(0, "sea")
    assert settled.settled_in() == {"a": 0, "b": 0}
    assert settled.only({"a"}).settled_in() == {"a": 0}


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        (event("a"), ("sea", 0.5), ("sea", 0.5)),
        (event("a"), (None, 0.5), (None, None)),
        (event("a", rejected=frozenset({"sea"})), ("sea", 0.5), (None, None)),
        (event("a", rejected=frozenset({"sea"})), ("snow", 0.5), ("snow", 0.5)),
        (event("a", accepted="snow"), ("sea", 0.5), ("snow", 1.0)),
    ],
)
def test_a_person_has_more_say_than_the_assigner(before, answer, after):
    judged = before.judged(*answer)
    assert (judged.known_event, judged.confidence) == after


def test_no_course_of_corrections_loses_or_doubles_a_photo():
    rng = random.Random(0)
    photos = [f"p{i}" for i in range(30)]
    kept = KeptEvents().found({photo: i % 6 - 1 for i, photo in enumerate(photos)}, 5)
    used = set(kept.events)
    refused = 0
    for _ in range(400):
        some = rng.sample(photos, rng.randint(1, 4))
        one, two = (rng.randrange(kept.next_id) for _ in range(2))
        verb = rng.choice(
            [
                lambda k, i=one, s=some: k.split(i, set(s) & k.event(i).photos),
                lambda k, i=one, j=two: k.merged([i, j]),
                lambda k, i=one, s=some: k.moved(s, i),
                lambda k, i=one: k.renamed(i, f"title {i}"),
                lambda k, s=some: k.only(k.noise.union(*(e.photos for e in k.events.values()))),
            ]
        )
        before = kept
        try:
            kept = verb(kept)
        except InputError:
            refused += 1
            continue
        everywhere = [photo for each in kept.events.values() for photo in each.photos]
        assert sorted([*everywhere, *kept.noise]) == sorted(photos)
        assert all(each.photos and each.settled <= each.photos for each in kept.events.values())
        assert not (set(kept.events) - set(before.events)) & used
        used |= set(kept.events)
        assert max(used) < kept.next_id
        assert KeptEvents.of_table(kept.table()) == kept
    assert refused < 300
