"""The report of a store: a page that opens from disk, with its pictures inside or beside it."""

from __future__ import annotations

from itertools import chain, zip_longest
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rememberai.errors import InputError
from rememberai.records import Outcome, Report, quiet
from rememberai.report.contents import Contents
from rememberai.report.page import page
from rememberai.report.thumbnails import thumbnails
from rememberai.store.durable import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rememberai.records import Progress
    from rememberai.report.contents import Book

_ROOM = 7_500_000  # bytes of pictures in the page; base64 makes them 10 MB
_BYTES_PER_PIXEL = 0.11  # of a WebP thumbnail, roughly
_SIDES = (160, 640)  # pixels of an embedded picture: in a large album, in a small one
_SIDE_BESIDE = 960
_LEFT_OUT = "its picture was left out, to keep the page small; assets=True keeps all beside it"
_SUFFIX = ".webp"


def write_report(
    book: Book,
    path: str | os.PathLike[str],
    *,
    assets: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write a page to look at a store with, which needs neither server nor network.

    Embedded are the covers and the most typical photos of all events first, then further photos of
    each event in turn, as long as there is room for them: about 10 MB. The more photos, the smaller
    the pictures. Photos without a picture show their words.

    Parameters
    ----------
    path
        The HTML file; one that is there is replaced.
    assets
        Put every picture, larger, into a folder beside the page, named after it. What is there
        already is not made again.
    progress
        Called as ``progress(stage, done, total)``; the stages are "events" (and those of
        `Events.discover`, if nobody called it yet), "learning" and "explaining" (see
        `Events.explanations`), "map" (see `EventMap.fit`) and "pictures".

    Returns
    -------
    Report
        A row for each photo: "done"; "skipped": its picture was left out; "failed": it can't be
        shown.

    Raises
    ------
    InputError
        The folder that is to hold the page is absent, or the store has no photo.
    """
    target = Path(path).expanduser()
    if not target.parent.is_dir() or target.is_dir():
        raise InputError(f"{target} can't be written: name a file in a folder that is there")
    tick = progress or quiet
    tick("events", 0, 1)
    contents = Contents(book, progress)
    if not contents.rows:
        raise InputError("the store has no photo to show; add some first")
    tick("events", 1, 1)
    shown = contents.as_json(explained=True)
    if assets:
        folder = target.with_name(f"{target.stem}_files")
        reasons = _beside(folder, contents.rows, tick)
        _show(shown, {i for i, reason in reasons.items() if not reason})
        text = page(shown, folder=quote(folder.name))
    else:
        pictures, reasons = _embedded(contents.rows, shown, tick)
        _show(shown, pictures)
        text = page(shown, pictures=pictures)
    write_atomically(target, text.encode())
    return Report(tuple(_outcomes(contents.rows, reasons)))


def _show(shown: Mapping[str, Any], pictures: Collection[int]) -> None:
    shown["photos"]["picture"] = [int(i in pictures) for i in range(len(shown["photos"]["id"]))]


def _embedded(
    rows: list[dict[str, Any]], shown: Mapping[str, Any], tick: Progress
) -> tuple[dict[int, bytes], dict[int, str]]:
    """Make the pictures there is room for; says of each photo why it has none, or nothing."""
    wanted = [i for i in _by_weight(shown) if rows[i]["path"]]
    least, most = _SIDES
    side = sqrt(_ROOM / (_BYTES_PER_PIXEL * max(len(wanted), 1)))
    made = thumbnails([rows[i]["path"] for i in wanted], round(min(max(side, least), most)))
    pictures: dict[int, bytes] = {}
    reasons = dict.fromkeys(wanted, _LEFT_OUT)
    room = _ROOM
    for done, (i, picture) in enumerate(zip(wanted, made, strict=False), 1):
        tick("pictures", done, len(wanted))
        if isinstance(picture, str):
            reasons[i] = picture
            continue
        room -= len(picture)
        if room < 0:
            break
        pictures[i], reasons[i] = picture, ""
    return pictures, reasons


def _by_weight(shown: Mapping[str, Any]) -> Iterable[int]:
    """Order photos: the most typical of each event in turn, then the others of each in turn."""
    typical = [event["typical"] for event in shown["events"]]
    others: dict[int, list[int]] = {}
    faces = set(chain.from_iterable(typical))
    for i, event in enumerate(shown["photos"]["event"]):
        if i not in faces:
            others.setdefault(event, []).append(i)
    return chain(_in_turn(typical), _in_turn(others.values()))


def _in_turn(lists: Iterable[list[int]]) -> Iterator[int]:
    for some in zip_longest(*lists):
        yield from (i for i in some if i is not None)


def _beside(folder: Path, rows: list[dict[str, Any]], tick: Progress) -> dict[int, str]:
    """Put every picture into a folder; says of each photo why that failed, or nothing."""
    folder.mkdir(exist_ok=True)
    there = {file.name for file in folder.iterdir()}
    pictured = [i for i, row in enumerate(rows) if row["path"]]
    reasons = dict.fromkeys(pictured, "")
    missing = [i for i in pictured if rows[i]["photo_id"] + _SUFFIX not in there]
    made = thumbnails([rows[i]["path"] for i in missing], _SIDE_BESIDE)
    for done, (i, picture) in enumerate(zip(missing, made, strict=True), 1):
        tick("pictures", done, len(missing))
        if isinstance(picture, str):
            reasons[i] = picture
        else:
            write_atomically(folder / (rows[i]["photo_id"] + _SUFFIX), picture)
    return reasons


def _outcomes(rows: list[dict[str, Any]], reasons: Mapping[int, str]) -> Iterator[Outcome]:
    for i, row in enumerate(rows):
        reason = reasons.get(i, "")
        left = reason == _LEFT_OUT
        status = "skipped" if left else "failed" if reason else "done"
        yield Outcome(row["name"], status, reason, row["photo_id"])  # type: ignore[arg-type]
