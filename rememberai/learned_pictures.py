"""What a store has learned of the looks of events: the pictures of seeds, beside their words.

The pictures are kept in the store as a table of event, text (the photo's words, or empty), album,
photo_id and vector, one for each column of pictures.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rememberai.embedders import Embedder
from rememberai.learned import artifact_name, words_of_events
from rememberai.pictures import vectors_of_photos
from rememberai.records import Outcome
from rememberai.store.schema import column_matrix, vector_array
from rememberai.words import checked_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rememberai.embedders import ImageEmbedder
    from rememberai.events import EventAssigner
    from rememberai.learned import LearnedEvents
    from rememberai.records import Photo, Progress
    from rememberai.seeds import SeenSeed
    from rememberai.store import MemoryStore


class LearnedPictures:
    """The pictures of the seeds that a store has learned from.

    Parameters
    ----------
    store
        Where they are kept.
    column
        Of the store, whose model they are embedded by.
    model
        That model.
    max_risk
        See `EventAssigner`.
    """

    def __init__(
        self, store: MemoryStore, column: str, model: ImageEmbedder, max_risk: float
    ) -> None:
        self._store = store
        self.column = column
        self._model = model
        self._max_risk = max_risk
        self._assigner: tuple[object, EventAssigner] | None = None

    def table(self) -> pa.Table | None:
        """Read all that is kept; None when nothing was learned."""
        table = self._store.read_artifact(artifact_name(self.column))
        return table if table is not None and len(table) else None

    def add(self, seen: Sequence[SeenSeed], progress: Progress) -> list[Outcome]:
        """Learn pictures in addition to those learned before.

        Returns
        -------
        list
            An outcome for each picture that can't be read.
        """
        vectors, unread = self.vectors([seed.photo for seed in seen], progress)
        some = [seed for seed in seen if seed.photo.photo_id in vectors]
        if some:
            added = _rows(some, np.stack([vectors[seed.photo.photo_id] for seed in some]))
            self._store.change_artifact(
                artifact_name(self.column), lambda before: _merged(before, added)
            )
        return [
            Outcome(seed.photo.name, "failed", unread[seed.photo.photo_id], seed.photo.photo_id)
            for seed in seen
            if seed.photo.photo_id in unread
        ]

    def vectors(
        self, photos: Sequence[Photo], progress: Progress
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
        """See `vectors_of_photos`."""
        return vectors_of_photos(self._store, self.column, self._model, photos, progress)

    def assigner(self, words: pa.Table | None) -> EventAssigner | None:
        """Give the assigner fitted to the pictures as they are now; None when there are none.

        Parameters
        ----------
        words
            What was learned of words: the events' names and descriptions have a say where the model
            knows texts.
        """
        table = self.table()
        if table is None:
            return None
        told = words_of_events(words, table["event"].to_pylist())
        key = (self._store.artifact_digest(artifact_name(self.column)), told)
        if self._assigner is None or self._assigner[0] != key:
            self._assigner = (key, self._fitted(table, told))
        return self._assigner[1]

    def _fitted(self, table: pa.Table, told: dict[str, str]) -> EventAssigner:
        from rememberai.events import EventAssigner, EventPrototypes

        descriptions = None
        if isinstance(self._model, Embedder):
            texts = list(told.values())
            vectors = checked_vectors(
                self._model, self._model.encode(texts), len(texts), "text", self._store.metric
            )
            descriptions = dict(zip(told, vectors, strict=True))
        return EventAssigner(
            EventPrototypes(metric=self._store.metric), max_risk=self._max_risk
        ).fit(
            column_matrix(table["vector"]),
            table["event"].to_pylist(),
            descriptions=descriptions,
            groups=table["album"].to_pylist(),
        )


def learned_outcomes(words: LearnedEvents, pictures: LearnedPictures | None) -> list[Outcome]:
    """Tell of each event how many seeds it has."""
    spoken, seen = (
        Counter(table["event"].to_pylist() if table else ())
        for table in (words.seeds(), pictures and pictures.table())
    )
    return [_outcome(event, spoken[event], seen[event]) for event in sorted(spoken | seen)]


def _outcome(event: str, n_seeds: int, n_pictures: int) -> Outcome:
    counts = {"seed": n_seeds, "picture": n_pictures}
    said = " and ".join(f"{n} {what}{'s' * (n > 1)}" for what, n in counts.items() if n)
    few = f"only {said}: give it ten or more for a sure answer"
    return Outcome(event, "done", few if n_seeds + n_pictures < 5 else f"learned from {said}")


def forget_pictures(store: MemoryStore) -> None:
    """Forget the pictures of seeds, whatever the model."""
    for column, model in store.models.items():
        if model.of == "image" and store.artifact_digest(artifact_name(column)) is not None:
            nothing = np.empty((0, model.dimension), np.float32)
            store.replace_artifact(artifact_name(column), _rows([], nothing))


def pairs_of(words: pa.Table, pictures: pa.Table) -> tuple[NDArray[np.intp], list[str]]:
    """Pair the seeds of words with the pictures of the same photos.

    Returns
    -------
    tuple
        (m, 2) rows of both tables, and the m events.
    """
    names = ("event", "text")
    spoken = list(zip(*(words[name].to_pylist() for name in names), strict=True))
    seen = list(zip(*(pictures[name].to_pylist() for name in names), strict=True))
    place = {key: row for row, key in enumerate(spoken)}
    pairs = [(place[key], row) for row, key in enumerate(seen) if key in place]
    return np.array(pairs, np.intp).reshape(-1, 2), [seen[row][0] for _, row in pairs]


def _rows(seen: Sequence[SeenSeed], vectors: NDArray[np.float32]) -> pa.Table:
    columns = {
        "event": [seed.event for seed in seen],
        "text": [seed.text for seed in seen],
        "album": [seed.album for seed in seen],
        "photo_id": [seed.photo.photo_id for seed in seen],
    }
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    return pa.table(arrays | {"vector": vector_array(vectors)})


def _merged(before: pa.Table | None, added: pa.Table) -> pa.Table:
    """Join two tables; the same photo of the same event stands once, as it came last."""
    table = pa.concat_tables([before, added]) if before is not None and len(before) else added
    keys = zip(table["event"].to_pylist(), table["photo_id"].to_pylist(), strict=True)
    last = {key: row for row, key in enumerate(keys)}
    return table.take(pa.array(sorted(last.values()), pa.int64()))
