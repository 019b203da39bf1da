"""Answers of the assigner: for an album, and for photos one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rememberai.records import Outcome


@dataclass(frozen=True, slots=True)
class NearestPrototype:
    """A prototype close to an album: its event, its text if it has one, and the distance."""

    event: str
    text: str
    distance: float


@dataclass(frozen=True, slots=True)
class TellingPhoto:
    """A photo that speaks for an event: its position among the photos asked for, and its part."""

    position: int
    weight: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an event is withheld, in parts that an interface can say in its language.

    Attributes
    ----------
    code
        ``"far"``: the album's photos are too far from the event's prototypes. ``"unlikely"``: that
        it is of any learned event has too small a probability. ``"rejected"``: a person said that
        it is not this one.
    event
        The event that comes first.
    value, limit
        That distance on the average, or that probability, and what it may be at most or must be at
        least; None where nothing was measured.
    """

    code: Literal["far", "unlikely", "rejected"]
    event: str
    value: float | None = None
    limit: float | None = None

    def __str__(self) -> str:
        match self.code, self.value, self.limit:
            case "far", float(away), float(most):
                return (
                    f"nothing is near: {self.event!r} comes first, but its photos are "
                    f"{away:.3g} away from its prototypes on the average, and {most:.3g} is the "
                    "limit"
                )
            case "unlikely", float(known), float(least):
                return (
                    f"nothing stands out: {self.event!r} comes first, but that the album is of any "
                    f"event that was learned has only a probability of {known:.2f}, and "
                    f"{least:.2f} is the least"
                )
        return f"a person said of most of its photos that they are not {self.event!r}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The answer for an album.

    Attributes
    ----------
    event
        The event, or None for unknown.
    probability
        Of the most probable event, from 0 to 1, were the album of one of the events.
    known
        That the album is of one of the events at all, were every second album of none; see
        `novelty`.
    margin
        By how much the most probable event leads over the next.
    ranking
        All events with their probabilities, the most probable first.
    nearest
        The prototypes nearest to a photo of the album, the closest first.
    telling_photos
        The photos that speak most for the most probable event, most of all first; the weights of
        all photos sum to its probability before this was calibrated.
    telling_words
        The words of the album that speak for it, where texts were given.
    n_photos
        How many photos the answer rests on: those with words, or a picture that was looked at.
    reason, doubt
        Why the event is unknown, as a sentence and in its parts; empty and None otherwise.
    outcomes
        The inputs that had no vote, and why.
    """

    event: str | None
    probability: float
    known: float
    margin: float
    ranking: tuple[tuple[str, float], ...]
    nearest: tuple[NearestPrototype, ...]
    telling_photos: tuple[TellingPhoto, ...]
    telling_words: tuple[str, ...]
    n_photos: int
    reason: str = ""
    doubt: Doubt | None = None
    outcomes: tuple[Outcome, ...] = ()

    def withheld(self, doubt: Doubt) -> Assignment:
        """Give the same answer without its event."""
        return replace(self, event=None, reason=str(doubt), doubt=doubt)

    def __str__(self) -> str:
        if self.event is None:
            return f"unknown ({self.reason})"
        told = {"probability": self.probability, "margin": self.margin, "known": self.known}
        return f"{self.event} ({', '.join(f'{name} {value:.2f}' for name, value in told.items())})"


@dataclass(frozen=True, slots=True)
class PhotoAssignments:
    """The answers for n photos, one by one.

    Attributes
    ----------
    events
        (n,) object array of names, None for unknown.
    probabilities
        (n, n_events) float64, rows sum to 1, in the order of the assigner's `events_`.
    known
        (n,) float64 probabilities that they are of one of the events at all, were every second
        photo of none; see `novelty`.
    distances
        (n,) float32 distance to the nearest prototype of the most probable event.
    """

    events: NDArray[Any]
    probabilities: NDArray[np.float64]
    known: NDArray[np.float64]
    distances: NDArray[np.float32]
