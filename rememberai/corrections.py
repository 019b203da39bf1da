"""The events of a store as they are kept: which photos they have, and what people said of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from rememberai.errors import InputError
from rememberai.photos.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Self

NAME = "events"  # of the artifact that keeps them
_NOISE = -1  # stands for the photos that are in no event
_NEXT_ID = b"next_id"
_TEXTS = pa.list_(pa.string())
_SCHEMA = pa.schema(
    [
        ("event_id", pa.int64()),
        ("title", pa.string()),
        ("accepted", pa.string()),
        ("rejected", _TEXTS),
        ("known_event", pa.string()),
        ("confidence", pa.float32()),
        ("photo_ids", _TEXTS),
        ("settled", pa.list_(pa.bool_())),
    ]
)


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event without its id.

    Attributes
    ----------
    settled
        The photos that it had when a person last corrected it; they stay.
    title
        By a person.
    accepted, rejected
        The learned event that it is, and those that it is not, as a person said.
    known_event, confidence
        See `DiscoveredEvent`.
    """

    photos: frozenset[str]
    settled: frozenset[str] = frozenset()
    title: str | None = None
    accepted: str | None = None
    rejected: frozenset[str] = frozenset()
    known_event: str | None = None
    confidence: float | None = None

    def differs(self, other: KeptEvent) -> bool:
        """Tell whether the assigner must be asked about it anew."""
        return (self.photos, self.accepted, self.rejected) != (
            other.photos,
            other.accepted,
            other.rejected,
        )

    def judged(self, known_event: str | None, confidence: float | None) -> KeptEvent:
        """Take the answer of the assigner, as far as no person said otherwise."""
        if self.accepted:
            return replace(self, known_event=self.accepted, confidence=1.0)
        if known_event is None or known_event in self.rejected:
            return replace(self, known_event=None, confidence=None)
        return replace(self, known_event=known_event, confidence=confidence)


@dataclass(frozen=True, slots=True)
class KeptEvents:
    """All events by their ids, and the photos that fell in none; each verb makes a new one.

    Attributes
    ----------
    next_id
        Above all ids ever given.
    """

    events: Mapping[int, KeptEvent] = field(default_factory=dict)
    noise: frozenset[str] = frozenset()
    next_id: int = 0

    @classmethod
    def of_table(cls, table: pa.Table) -> Self:
        """Read what `table` made."""
        events = {}
        for row in table.to_pylist():
            pairs = zip(row["photo_ids"], row["settled"], strict=True)
            events[row["event_id"]] = KeptEvent(
                photos=frozenset(row["photo_ids"]),
                settled=frozenset(photo_id for photo_id, stays in pairs if stays),
                title=row["title"],
                accepted=row["accepted"],
                rejected=frozenset(row["rejected"]),
                known_event=row["known_event"],
                confidence=row["confidence"],
            )
        noise = events.pop(_NOISE).photos
        return cls(events, noise, int(table.schema.metadata[_NEXT_ID]))

    def table(self) -> pa.Table:
        """Lay the events out as a table, one a row, and the photos that fell in none as -1."""
        rows = []
        for event_id, event in sorted({_NOISE: KeptEvent(self.noise), **self.events}.items()):
            photo_ids = sorted(event.photos)
            rows.append(
                {
                    "event_id": event_id,
                    "title": event.title,
                    "accepted": event.accepted,
                    "rejected": sorted(event.rejected),
                    "known_event": event.known_event,
                    "confidence": event.confidence,
                    "photo_ids": photo_ids,
                    "settled": [photo_id in event.settled for photo_id in photo_ids],
                }
            )
        metadata = {_NEXT_ID: str(self.next_id).encode()}
        return pa.Table.from_pylist(rows, schema=_SCHEMA.with_metadata(metadata))

    def event(self, event_id: int) -> KeptEvent:
        """Give an event; raise InputError when there is none of that id."""
        if event_id not in list(self.events):  # whatever came, be it hashable or not
            raise InputError(
                f"there is no event {event_id!r}; {_listed(self.events)}", code="event-absent"
            )
        return self.events[event_id]

    def event_of(self) -> dict[str, int]:
        """Tell the event of each photo; those in none are left out."""
        return {photo: i for i, event in self.events.items() for photo in event.photos}

    def settled_in(self) -> dict[str, int]:
        """Tell the event of each photo that stays in it."""
        return {photo: i for i, event in self.events.items() for photo in event.settled}

    def given(self) -> dict[str, str]:
        """Tell the learned event that a person gave each photo."""
        return {
            photo: event.accepted
            for event in self.events.values()
            if event.accepted
            for photo in event.settled
        }

    def refused(self) -> dict[str, frozenset[str]]:
        """Tell the learned events that a photo is not, as a person said of the event it is in."""
        return {
            photo: event.rejected
            for event in self.events.values()
            if event.rejected
            for photo in event.settled
        }

    def only(self, photo_ids: Collection[str]) -> KeptEvents:
        """Drop all other photos, and the events that have none left."""
        there = frozenset(photo_ids)
        events = {
            i: replace(event, photos=event.photos & there, settled=event.settled & there)
            for i, event in self.events.items()
        }
        return self._with(events, noise=self.noise & there)

    def found(self, event_of: Mapping[str, int], next_id: int) -> KeptEvents:
        """Take the events of a new clustering, with what people said of those of before.

        Parameters
        ----------
        event_of
            The event of each photo, -1 for none.
        """
        photos: dict[int, set[str]] = {_NOISE: set()}
        for photo, event_id in event_of.items():
            photos.setdefault(event_id, set()).add(photo)
        noise = frozenset(photos.pop(_NOISE))
        events = {
            i: replace(self.events.get(i, KeptEvent(frozenset())), photos=frozenset(members))
            for i, members in photos.items()
        }
        return KeptEvents(events, noise, next_id)

    def renamed(self, event_id: int, title: str) -> KeptEvents:
        """See `Events.rename`."""
        words = clean(title) if isinstance(title, str) else ""
        if not words:
            raise InputError(f"a title needs words; {title!r} came", code="title-empty")
        return self._settled({event_id: replace(self.event(event_id), title=words)})

    def merged(self, event_ids: Iterable[int]) -> KeptEvents:
        """See `Events.merge`."""
        parts = {event_id: self.event(event_id) for event_id in event_ids}
        if len(parts) < 2:
            raise InputError(
                f"two events or more can be merged; {len(parts)} came", code="merge-few"
            )
        accepted = next((part.accepted for part in parts.values() if part.accepted), None)
        whole = KeptEvent(
            photos=frozenset().union(*(part.photos for part in parts.values())),
            title=next((part.title for part in parts.values() if part.title), None),
            accepted=accepted,
            rejected=frozenset().union(*(part.rejected for part in parts.values())) - {accepted},
        )
        gone = {event_id: KeptEvent(frozenset()) for event_id in parts}
        return self._settled(gone | {next(iter(parts)): whole})

    def split(self, event_id: int, photo_ids: Collection[str]) -> KeptEvents:
        """See `Events.split`; the new event is the one before `next_id`."""
        event, leaving = self.event(event_id), photo_id_set(photo_ids)
        if strange := sorted(leaving - event.photos):
            raise InputError(
                f"event {event_id} has no photo {strange[0]!r}; nothing was changed",
                code="split-others",
            )
        if leaving == event.photos:
            raise InputError(
                f"all {len(leaving)} photos of event {event_id} came; leave one in it",
                code="split-all",
            )
        parts = {
            event_id: replace(event, photos=event.photos - leaving),
            self.next_id: replace(event, photos=leaving, title=None),
        }
        return replace(self._settled(parts), next_id=self.next_id + 1)

    def moved(self, photo_ids: Collection[str], event_id: int) -> KeptEvents:
        """See `Events.move`."""
        event, moving = self.event(event_id), photo_id_set(photo_ids)
        left = {
            i: replace(other, photos=other.photos - moving)
            for i, other in self.events.items()
            if other.photos & moving
        }
        joined = {event_id: replace(event, photos=event.photos | moving)}
        return replace(self._settled(left | joined), noise=self.noise - moving)

    def accepted(self, event_id: int) -> KeptEvents:
        """See `Events.accept`."""
        event = self._known(event_id)
        return self._settled({event_id: replace(event, accepted=event.known_event)})

    def rejected(self, event_id: int) -> KeptEvents:
        """See `Events.reject`."""
        event = self._known(event_id)
        rejected = event.rejected | {str(event.known_event)}
        said = replace(event, accepted=None, rejected=rejected)
        return self._settled({event_id: said})

    def reconsidered(self, event_id: int) -> KeptEvents:
        """See `Events.reconsider`."""
        event = replace(self.event(event_id), accepted=None, rejected=frozenset())
        return self._settled({event_id: event})

    def _known(self, event_id: int) -> KeptEvent:
        event = self.event(event_id)
        if event.known_event is None:
            raise InputError(
                f"event {event_id} is assigned to no learned event", code="event-unknown"
            )
        return event

    def _settled(self, events: Mapping[int, KeptEvent]) -> KeptEvents:
        """Put events in the place of those of before; their photos stay in them from now on."""
        return self._with({i: replace(e, settled=e.photos) for i, e in events.items()})

    def _with(
        self, events: Mapping[int, KeptEvent], noise: frozenset[str] | None = None
    ) -> KeptEvents:
        together = {**self.events, **events}
        return KeptEvents(
            {i: event for i, event in together.items() if event.photos},
            self.noise if noise is None else noise,
            self.next_id,
        )


def photo_id_set(photo_ids: Collection[str]) -> frozenset[str]:
    """Check that photo ids came."""
    if isinstance(photo_ids, str) or not photo_ids:
        raise InputError(
            f"a collection of photo ids was wanted; {photo_ids!r} came", code="photos-none"
        )
    return frozenset(photo_ids)


def _listed(ids: Iterable[int]) -> str:
    shown = sorted(ids)
    more = ", ..." if len(shown) > 20 else ""
    return f"there are {', '.join(map(str, shown[:20])) or 'none'}{more}"
