"""The events found in a store: kept, found anew when photos were added, and corrected by people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from rememberai.corrections import NAME, KeptEvents, photo_id_set
from rememberai.discovery import Timeline, cluster, describe, in_time
from rememberai.errors import InputError
from rememberai.records import quiet
from rememberai.seeds import Seed, SeedWords, seed_table
from rememberai.store.schema import row_text
from rememberai.words import trust

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from rememberai.events import Assignment, EventAssigner
    from rememberai.learned import LearnedEvents
    from rememberai.records import Discovery, Progress
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

_TOLD = ["event_given", "event_assigned", "event_confidence"]


class Events:
    """The events found in a store; `RememberAI.events`.

    They are kept in the store. Whatever a person does to an event settles it: photos may join it at
    a later `discover`, but none that it has leaves it, and its id and title stay. Each correction
    is stored when its method returns, on top of those that other processes made meanwhile; a
    `discover` that was at work then clusters once more.

    What the learned events have to say is kept in the table too, for conditions in `search`:
    ``event_assigned`` and ``event_confidence`` of each photo are the `known_event` and `confidence`
    of its event; ``event_given`` is what a person accepted.

    An instance keeps the photos that it read last in memory, so that the next call need not read
    them again unless somebody changed them.

    Parameters
    ----------
    store
        Where they are kept.
    learned
        What the store has learned of events from seeds.
    embedding
        Gives the vectors of texts, for photos that become seeds.
    """

    def __init__(
        self, store: MemoryStore, learned: LearnedEvents, embedding: Callable[[], TextEmbedding]
    ) -> None:
        self._store = store
        self._learned = learned
        self._embedding = embedding
        self._photos: tuple[str, Timeline] | None = None  # with the stamp of their version

    @property
    def can_judge(self) -> bool:
        """Whether events are learned, so that `known_event` of None means unknown or rejected."""
        return self._learned.assigner() is not None

    def discover(
        self, n_clusters: int | Literal["auto"] = "auto", *, progress: Progress | None = None
    ) -> Discovery:
        """Cluster the stored photos that have words, and keep the events.

        Events that were settled stay and take photos in that are clustered with theirs, so there
        may be more or fewer events than n_clusters. The others keep the id of the event of before
        that they share most photos with.

        Parameters
        ----------
        n_clusters
            See `AlbumClusterer`.
        progress
            Called as ``progress(stage, done, total)``; the stages are "clustering" (see
            `AlbumClusterer.fit`) and, when events are learned, "learning" (see `EventAssigner.fit`;
            told only the first time) and "assigning".

        Raises
        ------
        InputError
            No photo has words yet, or there are fewer of them than n_clusters.
        """
        tick = progress or quiet
        tick("clustering", 0, 1)
        digest, view = self._store.artifact_digest(NAME), self._newest()
        photos, before, after = self._clustered(view, n_clusters, tick)
        with self._store.holding(NAME):
            if self._store.artifact_digest(NAME) != digest:  # somebody corrected them meanwhile
                view = self._newest()
                photos, before, after = self._clustered(view, n_clusters, tick)
            after = self._judged(after, KeptEvents(), view, tick)
            self._keep(before, after)
        return describe(photos, after)

    def read(self) -> Discovery | None:
        """Give the events as they are kept, corrections applied; None before the first `discover`.

        Nothing is clustered: photos that were added since stand in `Discovery.new`.
        """
        kept = self._kept()
        return None if kept is None else describe(self._timeline(self._store.pinned()), kept)

    def explain(self, event_id: int) -> Assignment | None:
        """Say why an event has its `known_event`, or none; None when no events are learned.

        The positions of the telling photos are those in the event's `photo_ids`.

        Raises
        ------
        InputError
            There is no such event.
        """
        return self.explanations([event_id]).get(event_id)

    def explanations(
        self, event_ids: Iterable[int] | None = None, *, progress: Progress = quiet
    ) -> dict[int, Assignment]:
        """Explain some events, or all of them, by their ids; nothing when no events are learned.

        Parameters
        ----------
        progress
            Called as ``progress(stage, done, total)``; the stages are "learning", as in `discover`,
            and "explaining".

        Raises
        ------
        InputError
            There is no such event.
        """
        view, assigner = self._store.pinned(), self._learned.assigner(progress)
        kept = (self._kept() or KeptEvents()).only(_spoken(view))
        albums = {
            i: kept.event(i).photos for i in (kept.events if event_ids is None else event_ids)
        }
        if assigner is None:
            return {}
        return _answers(assigner, view, albums, partial(progress, "explaining"))

    def rename(self, event_id: int, title: str) -> None:
        """Give an event a title.

        Raises
        ------
        InputError
            There is no such event, or the title is empty.
        """
        self._correct(lambda kept: kept.renamed(event_id, title))

    def merge(self, event_ids: Collection[int]) -> int:
        """Make one event of several.

        Returns
        -------
        int
            The id of the first of them, which is theirs now; so is its title, and what was accepted
            of it, or else those of the first that has any.

        Raises
        ------
        InputError
            Fewer than two different events came, or one that does not exist.
        """
        if not isinstance(event_ids, Iterable):
            raise InputError(f"the ids of two events or more were wanted; {event_ids!r:.100} came")
        ids = list(event_ids)
        self._correct(lambda kept: kept.merged(ids))
        return ids[0]

    def split(self, event_id: int, photo_ids: Collection[str]) -> int:
        """Make an event of its own of some photos of an event.

        What was accepted or rejected of the event holds for both; the title does not.

        Returns
        -------
        int
            The new event's id.

        Raises
        ------
        InputError
            There is no such event, photos are not in it, or all or none of its photos came.
        """
        return self._correct(lambda kept: kept.split(event_id, photo_ids)).next_id - 1

    def move(self, photo_ids: Collection[str], event_id: int) -> None:
        """Put photos, of other events or of none, into an event; one that is left empty is gone.

        Raises
        ------
        InputError
            There is no such event, or a photo is not in the store or has no words; or none came.
        """
        moving = photo_id_set(photo_ids)
        self._correct(lambda kept: kept.moved(moving, event_id), moving)

    def accept(
        self, event_id: int, *, learn: bool = False, progress: Progress | None = None
    ) -> None:
        """Say that an event's `known_event` is right: its photos get it as ``event_given``.

        Parameters
        ----------
        learn
            Let its photos be seeds of that learned event, too.
        progress
            Called as ``progress(stage, done, total)`` where that is learned; see
            `RememberAI.learn_events`.

        Raises
        ------
        InputError
            There is no such event, or it has no `known_event`.
        """
        event = self._correct(lambda kept: kept.accepted(event_id)).event(event_id)
        if learn:
            embed = self._embedding()
            seeds = [
                Seed(photo_id, str(event.accepted), row_text(row), album=f"event {event_id}")
                for photo_id, row in self._store.read_rows(sorted(event.photos)).items()
            ]
            tick = progress or quiet
            table, _, _ = seed_table(SeedWords(self._store, None), embed, seeds, progress=tick)
            tick("learning", 0, 1)
            self._learned.add(table, embed, progress=tick)

    def reject(self, event_id: int) -> None:
        """Say that an event's `known_event` is wrong; it is not assigned to that one again.

        Raises
        ------
        InputError
            There is no such event, or it has no `known_event`.
        """
        self._correct(lambda kept: kept.rejected(event_id))

    def reconsider(self, event_id: int) -> None:
        """Take back what was accepted or rejected of an event; it is assigned anew.

        Raises
        ------
        InputError
            There is no such event.
        """
        self._correct(lambda kept: kept.reconsidered(event_id))

    def _kept(self) -> KeptEvents | None:
        table = self._store.read_artifact(NAME)
        return None if table is None else KeptEvents.of_table(table)

    def _timeline(self, view: MemoryStore) -> Timeline:
        """Read the photos, or give them as they were read before."""
        if self._photos is None or self._photos[0] != view.stamp:
            self._photos = view.stamp, Timeline.of(view, self._photos and self._photos[1])
        return self._photos[1]

    def _newest(self) -> MemoryStore:
        self._store.refresh()
        return self._store.pinned()

    def _clustered(
        self, view: MemoryStore, n_clusters: int | Literal["auto"], progress: Progress
    ) -> tuple[Timeline, KeptEvents, KeptEvents]:
        """Give the photos, the events of before without deleted photos, and those found anew."""
        photos = self._timeline(view)
        if not photos.rows:
            raise InputError(
                "no photo has words yet; write memories or caption the photos first",
                code="words-none",
            )
        before = (self._kept() or KeptEvents()).only(photos.rows)
        return photos, before, cluster(photos, before, n_clusters, progress)

    def _correct(
        self, change: Callable[[KeptEvents], KeptEvents], needed: frozenset[str] = frozenset()
    ) -> KeptEvents:
        """Store what a person said of photos on top of what others said before."""
        with self._store.holding(NAME):
            kept, view = self._kept(), self._newest()
            if kept is None:
                raise InputError(
                    "no events were found yet; call discover first", code="events-none"
                )
            spoken = _spoken(view)
            if silent := sorted(needed - spoken):
                raise InputError(
                    f"only photos of the store that have words can be in an event; {silent[0]!r} "
                    "is none; write a memory of it first",
                    code="photo-wordless",
                )
            before = kept.only(spoken)
            after = self._judged(change(before), before, view)
            self._keep(before, after)
        return after

    def _judged(
        self,
        after: KeptEvents,
        before: KeptEvents,
        view: MemoryStore,
        progress: Progress = quiet,
    ) -> KeptEvents:
        """Ask the assigner about the events that are not as they were before."""
        changed = {
            event_id: event
            for event_id, event in after.events.items()
            if event_id not in before.events or event.differs(before.events[event_id])
        }
        assigner = self._learned.assigner(progress) if changed else None
        if assigner is None:
            judged = {i: event.judged(None, None) for i, event in changed.items()}
        else:
            albums = {i: event.photos for i, event in changed.items()}
            judged = {
                i: changed[i].judged(answer.event, float(np.float32(answer.probability)))
                for i, answer in _answers(
                    assigner, view, albums, partial(progress, "assigning")
                ).items()
            }
        return replace(after, events={**after.events, **judged})

    def _keep(self, before: KeptEvents, after: KeptEvents) -> None:
        with self._store.holding():
            view = self._newest()
            changes = _told(view.read(_TOLD), before, after)
            if len(changes):
                self._store.update(changes)
                self._still(view)
        self._store.replace_artifact(NAME, after.table())

    def _still(self, before: MemoryStore) -> None:
        """Keep the photos that were read, of which only what the events say has changed."""
        now = self._store.pinned()
        alone = now.version == before.version + 1
        if alone and self._photos is not None and self._photos[0] == before.stamp:
            self._photos = now.stamp, self._photos[1]


def _answers(
    assigner: EventAssigner,
    view: MemoryStore,
    albums: Mapping[int, Collection[str]],
    tick: Callable[[int, int], None],
) -> dict[int, Assignment]:
    """Assign albums of stored photos, each in the order of time."""
    photos = sorted(set().union(*albums.values()))
    all_rows, vectors = view.read_rows(photos), dict(zip(*view.vectors(photos), strict=True))
    found = {}
    for done, (number, album) in enumerate(albums.items(), 1):
        rows = sorted((all_rows[photo] for photo in album), key=in_time)
        found[number] = assigner.assign_album(
            np.stack([vectors[row["photo_id"]] for row in rows]),
            [str(row_text(row)) for row in rows],
            [trust(row["text_source"]) for row in rows],
        )
        tick(done, len(albums))
    return found


def _spoken(view: MemoryStore) -> frozenset[str]:
    """List the photos that have words, and so can be in an event."""
    return frozenset(view.vector_places()["photo_id"].to_pylist())


def _told(rows: pa.Table, before: KeptEvents, after: KeptEvents) -> pa.Table:
    """Make the changes to the table that tell of the events."""
    was, given, event_of = before.given(), after.given(), after.event_of()
    changes = []
    for row in rows.to_pylist():
        photo = row["photo_id"]
        event = after.events.get(event_of.get(photo, -1))
        told = row | {
            "event_assigned": event and event.known_event,
            "event_confidence": event and event.confidence,
        }
        if given.get(photo) != was.get(photo):
            told["event_given"] = given.get(photo)
        if told != row:
            changes.append(told)
    return pa.Table.from_pylist(changes, schema=rows.schema)
