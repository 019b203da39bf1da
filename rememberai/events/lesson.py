"""Lessons: the seeds that an assigner was given, as they came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import check_vectors
from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Lesson:
    """Seeds with their events, texts and groups, and the vectors that describe events."""

    vectors: NDArray[np.float32]
    events: list[str]
    texts: list[str]
    groups: list[Hashable]
    descriptions: dict[str, ArrayLike] | None
    others: NDArray[np.float32] | None

    @classmethod
    def checked(
        cls,
        vectors: ArrayLike,
        events: Sequence[str],
        texts: Sequence[str] | None,
        groups: Sequence[Hashable] | None,
        descriptions: Mapping[str, ArrayLike] | None,
        others: ArrayLike | None = None,
        *,
        dimension: int | None = None,
    ) -> Self:
        """Check that all pair up; see `EventAssigner.fit`."""
        array = check_vectors(vectors, dimension=dimension, name="seeds")
        if len(array) != len(events):
            raise InputError(
                f"every seed needs one event; {len(array)} seeds and {len(events)} events came"
            )
        if nameless := [event for event in events if not isinstance(event, str)]:
            raise InputError(f"an event must have a name; {nameless[0]!r:.100} came")
        for name, given in (("text", texts), ("group", groups)):
            if given is not None and len(given) != len(events):
                raise InputError(
                    f"every seed needs one {name}; {len(events)} seeds and {len(given)} {name}s "
                    "came"
                )
        if others is not None:
            others = check_vectors(others, dimension=array.shape[1], name="others")
        return cls(
            array,
            list(events),
            [""] * len(events) if texts is None else list(texts),
            [None] * len(events) if groups is None else list(groups),
            None if descriptions is None else dict(descriptions),
            others,
        )

    def with_added(self, other: Lesson) -> Lesson:
        """Append the seeds of another lesson; its descriptions count where both have one."""
        described = [each.descriptions for each in (self, other) if each.descriptions is not None]
        return Lesson(
            np.concatenate([self.vectors, other.vectors]),
            self.events + other.events,
            self.texts + other.texts,
            self.groups + other.groups,
            {k: v for some in described for k, v in some.items()} if described else None,
            self.others if other.others is None else other.others,
        )

    def with_all_seeded(self) -> Lesson:
        """Append, for each event that has a description and no seeds, this as its only seed.

        Raises
        ------
        InputError
            Such a description is no vector like the seeds.
        """
        told, seeded = self.descriptions or {}, set(self.events)
        alone = [event for event in told if event not in seeded]
        if not alone:
            return self
        dimension = self.vectors.shape[1]
        vectors = [
            check_vectors(np.asarray(told[event])[None], dimension=dimension, name="descriptions")
            for event in alone
        ]
        return replace(
            self,
            vectors=np.concatenate([self.vectors, *vectors]),
            events=self.events + alone,
            texts=self.texts + [""] * len(alone),
            groups=self.groups + [None] * len(alone),
        )

    def with_renamed(self, event: str, name: str) -> Lesson:
        """Give an event another name."""
        told = self.descriptions
        return replace(
            self,
            events=[name if each == event else each for each in self.events],
            descriptions=told
            and {name if each == event else each: vector for each, vector in told.items()},
        )
