"""Plain data that travels between the layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

TextSource = Literal["memory", "caption", "label"]
Metric = Literal["cosine", "l2"]
Compared = Literal["words", "picture", "both"]
MemoryOrigin = Literal["given", "file", "takeout", "xmp", "iptc", "exif"]
TimeConfidence = Literal["offset", "utc", "local", "file"]
Status = Literal["done", "waiting", "skipped", "failed"]
Progress = Callable[[str, int, int], None]  # stage, done, total; of 1 as long as nothing is counted
Tick = Callable[[int, int], None]  # done, total: the progress of one stage
Step = Callable[[], None]  # called when one more step is done


def quiet(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def untold(done: int, total: int) -> None:
    """Show no progress of a stage."""


def uncounted() -> None:
    """Count no step."""


class Steps:
    """Counts the steps of a stage, of which it is known how many there are.

    Parameters
    ----------
    tick
        Called as ``tick(done, total)``, for the first time with none done.
    total
        How many there are.
    """

    def __init__(self, tick: Tick, total: int) -> None:
        self._tick, self._total, self._done = tick, total, 0
        tick(0, total)

    def __call__(self) -> None:
        """Count one more as done."""
        self._done += 1
        self._tick(self._done, self._total)

    def end(self) -> None:
        """Tell that all are done."""
        self._tick(self._total, self._total)


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """When a photo was taken, and how sure that is.

    Attributes
    ----------
    local
        What the clock showed, without a time zone.
    offset_minutes
        Minutes east of UTC, or None when nobody wrote it down; it is never guessed.
    confidence
        ``"offset"``: clock and offset are known. ``"utc"``: the instant is known, the local clock
        is not (``local`` is then UTC and the offset 0). ``"local"``: the clock alone is known.
        ``"file"``: only the file's modification time, in UTC.
    """

    local: datetime
    offset_minutes: int | None
    confidence: TimeConfidence


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo was taken, in degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Words that a person wrote about a photo, and where they were found.

    Attributes
    ----------
    origin
        ``"given"`` by a caller, or read from a memories ``"file"``, a Google ``"takeout"`` sidecar,
        ``"xmp"``, ``"iptc"`` or ``"exif"``.
    written
        When it was written, as the source says it.
    """

    text: str
    origin: MemoryOrigin
    author: str | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """Words that a model found for a picture, or why it found none.

    Attributes
    ----------
    text
        ``""`` where there is none.
    model_id
        Name and revision of the model.
    confidence
        The mean log-probability of the text's tokens (natural logarithm, at most 0), or None when
        the model does not say; it ranks the captions of one model, not those of two.
    seconds
        What it took, as a share of its batch.
    reason
        Why there is no text, or empty.
    """

    text: str
    model_id: str
    confidence: float | None = None
    seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo: a picture file, or words alone when the picture lives elsewhere.

    Attributes
    ----------
    photo_id
        BLAKE2b-128 of the file's bytes in hex, so a copy or a renamed file is the same photo.
        A photo without a file gets the hash of its reference where that is a URI, else of the
        memory file's absolute folder (or the album's name) and the reference, or the text where
        there is none. The store finds the same words of a moved folder again.
    name
        The path below the album's folder, with forward slashes, or the reference that the
        memory file gives.
    path
        Absolute path of the picture file; None for words alone.
    width, height
        Pixels, after the orientation was applied; None for words alone.
    """

    photo_id: str
    name: str
    path: str | None = None
    width: int | None = None
    height: int | None = None
    taken: CaptureTime | None = None
    place: Place | None = None
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input.

    Attributes
    ----------
    item
        The file, row or text, by the name that the user knows.
    status
        ``"done"``; ``"waiting"``: stored, but without words yet; ``"skipped"``: nothing was to be
        done (a duplicate, not a photo); ``"failed"``.
    reason
        Why, and what to do about it; on a ``"done"`` row a remark, or empty.
    """

    item: str
    status: Status
    reason: str = ""
    photo_id: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes of one job, one row an input, in the order of the inputs."""

    outcomes: tuple[Outcome, ...]

    def count(self, status: Status) -> int:
        """Count the inputs that ended with this status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def with_status(self, *statuses: Status) -> tuple[Outcome, ...]:
        """Select the outcomes with one of these statuses."""
        return tuple(outcome for outcome in self.outcomes if outcome.status in statuses)

    def __str__(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes)
        order: Iterable[Status] = ("done", "waiting", "skipped", "failed")
        return ", ".join(f"{counts[status]} {status}" for status in order if counts[status]) or (
            "nothing to do"
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo found by a search.

    Attributes
    ----------
    text, text_source
        The photo's words, and who wrote them; empty and None for one without.
    distance
        Between the query and the words in the store's metric, or the picture where there are no
        words; lower is closer.
    compared
        What of the photo the query was compared with. Where it was both, the photos that stand out
        most over both come first, whatever this distance.
    """

    photo_id: str
    name: str
    path: str | None
    text: str
    text_source: TextSource | None
    distance: float
    compared: Compared = "words"


@dataclass(frozen=True, slots=True)
class DiscoveredEvent:
    """A group of photos, found by clustering and corrected by people.

    Attributes
    ----------
    event_id
        Its own for good: photos that are added, and corrections, do not change it.
    title
        The title that a person gave; else its words and dates.
    named
        Whether a person gave the title.
    words
        `known_event`, and the words that tell it from the others.
    photo_ids
        All its photos, in the order of their times, those without a time last.
    representatives
        The photos nearest to its centre, the nearest first.
    first, last
        When its first and last photo were taken by the clock; None when no time is known.
    known_event
        The learned event that it would be assigned to; None for unknown, rejected, or nothing
        learned.
    confidence
        The probability of `known_event`, from 0 to 1, and 1 where a person accepted it; None where
        there is none.
    accepted
        Whether a person said that `known_event` is right.
    rejected
        The learned events that it is not, as a person said.
    kind
        A number that events of like content share, such as all birthdays. It holds among the
        events of one `Discovery`.
    trip
        The number of the trip, in the order of time, that most of its photos are of; None at home.
    """

    event_id: int
    title: str
    named: bool
    words: tuple[str, ...]
    photo_ids: tuple[str, ...]
    representatives: tuple[Hit, ...]
    first: datetime | None
    last: datetime | None
    known_event: str | None
    confidence: float | None
    accepted: bool
    rejected: tuple[str, ...]
    kind: int
    trip: int | None


@dataclass(frozen=True, slots=True)
class Discovery:
    """The events found in a store.

    Attributes
    ----------
    events
        The largest first.
    noise
        The photos that fell in none.
    new
        The photos with words that nobody has looked at yet: added since the last `discover`.
    """

    events: tuple[DiscoveredEvent, ...]
    noise: tuple[str, ...]
    new: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[DiscoveredEvent]:
        return iter(self.events)


@dataclass(frozen=True, slots=True)
class PhotoBurst:
    """Photos that are nearly the same; the face is the sharpest, which may stand for all."""

    face: str
    photo_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds.

    The words of `labels` photos are a classifier's; `waiting` ones have no words yet; `models` are
    all that the store has vectors of, `model_id` is the one in use. An
    index, which has `index_bytes`, is made again when it is deleted; `MemoryStore.snapshot` opens
    any of the `kept_versions`.
    """

    path: str
    photos: int
    memories: int
    captions: int
    labels: int
    waiting: int
    events: tuple[str, ...]
    seeds: int
    model_id: str
    dimension: int
    metric: Metric
    format: int
    version: int
    kept_versions: int
    bytes: int
    index_bytes: int
    models: tuple[str, ...]
