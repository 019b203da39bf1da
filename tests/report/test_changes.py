"""What a page is sent after a correction: what changed, and no more."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from rememberai.report.changes import changes

COLUMNS = ("event", "memory")


def applied(before: dict, told: dict) -> dict:
    """Do as the page does."""
    after = copy.deepcopy(before)
    for name, (places, values) in told.pop("changed").items():
        for place, value in zip(places, values, strict=True):
            after["photos"][name][place] = value
    known = {event["id"]: event for event in [*after["events"], *told.pop("events")]}
    after["events"] = [known[each] for each in told.pop("order")]
    return after | told


@st.composite
def books(draw, n: int = 5) -> dict:
    values = st.integers(-2, 3)
    ids = draw(st.lists(st.integers(0, 4), unique=True))
    return {
        "title": draw(st.sampled_from(["one", "two"])),
        "photos": {"id": list(range(n))}
        | {name: draw(st.lists(values, min_size=n, max_size=n)) for name in COLUMNS},
        "events": [{"id": each, "title": draw(values)} for each in ids],
    }


@given(books(), books())
def test_what_is_told_makes_the_one_of_the_other(before, after):
    told = json.loads(json.dumps(changes(before, after)))
    assert applied(before, told) == after


@given(books())
def test_where_nothing_changed_nothing_is_told_but_the_order(book):
    told = changes(book, copy.deepcopy(book))
    assert (told["changed"], told["events"]) == ({}, [])


@given(books(5), books(6))
def test_of_other_photos_nothing_is_told(before, after):
    assert changes(before, after) == {}
