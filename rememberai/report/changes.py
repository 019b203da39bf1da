"""What a correction changes of the page, so that the rest need not be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what a page that shows one state of a book must change to show another.

    Parameters
    ----------
    before, after
        See `Contents.as_json`.

    Returns
    -------
    dict
        ``changed``, by the names of columns: the places of the photos that differ, and their
        values; ``events``: those that differ; ``order``: the ids of all; and what else is said of
        the book. Empty when other photos are shown.
    """
    was, now = before["photos"], after["photos"]
    if was["id"] != now["id"]:
        return {}
    known = {event["id"]: event for event in before["events"]}
    return {
        **{name: value for name, value in after.items() if name not in ("photos", "events")},
        "changed": {
            name: _differing(was[name], column)
            for name, column in now.items()
            if column != was[name]
        },
        "events": [event for event in after["events"] if event != known.get(event["id"])],
        "order": [event["id"] for event in after["events"]],
    }


def _differing(was: list[Any], now: list[Any]) -> tuple[list[int], list[Any]]:
    places = [i for i, (old, new) in enumerate(zip(was, now, strict=True)) if old != new]
    return places, [now[i] for i in places]
