"""What the page shows of a store: its photos in columns, and its events, ready for JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from rememberai.records import Discovery, quiet
from rememberai.report.photo_map import store_map

if TYPE_CHECKING:
    from rememberai.events import Assignment
    from rememberai.found import Events
    from rememberai.records import DiscoveredEvent, Hit, Outcome, Progress
    from rememberai.store import MemoryStore

    Row = dict[str, Any]

_COLUMNS = (
    "name path width height taken taken_confidence latitude longitude memory memory_author caption "
    "captioner"
).split()
_NOISE, _NEW, _WORDLESS = -1, -2, -3  # in place of an event's id; assets/js/book.js knows them
_GRID = 10_000  # places on the map are whole numbers from 0 to this
_RANKED = 3
_TELLING = 3


class Book(Protocol):
    """What the page needs of `RememberAI`."""

    @property
    def store(self) -> MemoryStore:
        """The table of record."""

    @property
    def events(self) -> Events:
        """The events, to be read and corrected."""

    def search(self, text: str, k: int = 10) -> list[Hit]:
        """See `RememberAI.search`."""

    def write_memory(self, photo_id: str, text: str) -> Outcome:
        """See `RememberAI.write_memory`."""


class Contents:
    """The photos and events of a book, read once.

    Parameters
    ----------
    book
        The book.
    progress
        Called as ``progress(stage, done, total)``; the stages are those of `Events.discover`, if
        nobody called it yet, those of `Events.explanations` (see `as_json`), and "map".

    Attributes
    ----------
    rows
        The photos in the order of the page: by time, those without a time last.
    found
        The events; looked for now if nobody ever did.
    """

    def __init__(self, book: Book, progress: Progress | None = None) -> None:
        self._book = book
        self._progress = progress
        rows = book.store.read(_COLUMNS).to_pylist()
        self.rows: list[Row] = sorted(rows, key=_by_time)
        self.found = _events(book, self.rows, progress or quiet)
        self._place = {row["photo_id"]: i for i, row in enumerate(self.rows)}
        self._learned = any(event.known_event for event in self.found) or book.events.can_judge

    def as_json(self, *, explained: bool) -> Row:
        """Lay all out as lists, texts and numbers.

        Parameters
        ----------
        explained
            Say of each event why it was assigned.
        """
        tick = self._progress or quiet
        why = self._book.events.explanations(progress=tick) if explained else {}
        return {
            "title": self._book.store.path.stem,
            "made": date.today().isoformat(),
            "learned": self._learned,
            "photos": self._photos(),
            "events": [
                self._event(event) | {"why": self._reasons(event, why.get(event.event_id))}
                for event in self.found
            ],
        }

    def why(self, event_id: int) -> Row | None:
        """Say why an event has its learned event, or none; None when no events are learned."""
        answer = self._book.events.explain(event_id)
        (event,) = (each for each in self.found if each.event_id == event_id)
        return self._reasons(event, answer)

    def _reasons(self, event: DiscoveredEvent, answer: Assignment | None) -> Row | None:
        if answer is None:
            return None
        telling = (event.photo_ids[photo.position] for photo in answer.telling_photos[:_TELLING])
        return {
            "doubt": _doubt(event, answer),
            "ranking": [[name, round(share, 4)] for name, share in answer.ranking[:_RANKED]],
            "nearest": [
                [near.event, near.text, round(near.distance, 2)]
                for near in answer.nearest
                if near.text
            ],
            "telling": [self._place[photo_id] for photo_id in telling],
            "words": list(answer.telling_words),
        }

    def _photos(self) -> dict[str, list[Any]]:
        rows = self.rows
        x, y = self._map()
        return {
            "id": [row["photo_id"] for row in rows],
            "name": [row["name"] for row in rows],
            "memory": [row["memory"] or None for row in rows],
            "author": [row["memory_author"] for row in rows],
            "caption": [row["caption"] or None for row in rows],
            "captioner": [row["captioner"] for row in rows],
            "time": [_seconds(row["taken"]) for row in rows],
            "sure": [int(is_dated(row)) for row in rows],
            "lat": [_degrees(row["latitude"]) for row in rows],
            "lon": [_degrees(row["longitude"]) for row in rows],
            "width": [row["width"] for row in rows],
            "height": [row["height"] for row in rows],
            "x": x,
            "y": y,
            "event": self._event_of_each(),
            "picture": [int(row["path"] is not None) for row in rows],
        }

    def _map(self) -> tuple[list[int | None], list[int | None]]:
        x: list[int | None] = [None] * len(self.rows)
        y = x.copy()
        if any(map(_has_words, self.rows)):
            laid = store_map(self._book.store, progress=self._progress)
            places = laid.places - laid.places.min(axis=0)
            places *= _GRID / (float(places.max()) or 1.0)
            for photo_id, (right, up) in zip(laid.photo_ids, places.round().tolist(), strict=True):
                i = self._place.get(photo_id)
                if i is not None:
                    x[i], y[i] = int(right), int(up)
        return x, y

    def _event_of_each(self) -> list[int]:
        of = dict.fromkeys(self.found.new, _NEW) | dict.fromkeys(self.found.noise, _NOISE)
        for event in self.found:
            of |= dict.fromkeys(event.photo_ids, event.event_id)
        return [
            of.get(row["photo_id"], _NEW) if _has_words(row) else _WORDLESS for row in self.rows
        ]

    def _event(self, event: DiscoveredEvent) -> Row:
        rows = [self.rows[self._place[photo_id]] for photo_id in event.photo_ids]
        return {
            "id": event.event_id,
            "title": event.title if event.named else None,
            "words": list(event.words),
            "dates": [_seconds(event.first), _seconds(event.last)] if event.first else None,
            "place": _middle([row for row in rows if row["latitude"] is not None]),
            "known": event.known_event,
            "confidence": None if event.confidence is None else round(event.confidence, 4),
            "accepted": event.accepted,
            "rejected": list(event.rejected),
            "trip": event.trip,
            "typical": [self._place[hit.photo_id] for hit in event.representatives],
        }


def is_dated(row: Row) -> bool:
    """Tell whether a photo's time is that of a camera; a file's own is often that of a copy."""
    return row["taken"] is not None and row["taken_confidence"] != "file"


def _events(book: Book, rows: list[Row], progress: Progress) -> Discovery:
    if not any(map(_has_words, rows)):
        return Discovery((), ())
    return book.events.read() or book.events.discover(progress=progress)


def _has_words(row: Row) -> bool:
    return bool(row["memory"] or row["caption"])


def _by_time(row: Row) -> tuple[bool, datetime, str]:
    dated = is_dated(row)
    return (not dated, row["taken"] if dated else datetime.min, row["photo_id"])


def _middle(rows: list[Row]) -> list[float] | None:
    if not rows:
        return None
    axes = ("latitude", "longitude")
    return [round(median([float(row[axis]) for row in rows]), 5) for axis in axes]


def _doubt(event: DiscoveredEvent, answer: Assignment) -> Row | None:
    """Say why an event is of no learned one, for the page to say in its language."""
    if answer.event in event.rejected:
        return {"code": "rejected", "event": answer.event}
    doubt = answer.doubt
    if doubt is None:
        return None
    values = {"value": doubt.value, "limit": doubt.limit}
    rounded = {
        name: None if value is None else float(f"{value:.3g}") for name, value in values.items()
    }
    return {"code": doubt.code, "event": doubt.event, **rounded}


def _seconds(clock: datetime | None) -> int | None:
    """Count the seconds of a clock without a zone as if it stood in UTC."""
    return None if clock is None else int(clock.replace(tzinfo=UTC).timestamp())


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
