"""What a store has learned of the looks of events: the pictures of seeds, beside their words.

The pictures are kept in the store as a table of event, text (the photo's words, or empty), album,
photo_id and vector, one for each column of pictures. Where the model of the pictures knows texts
too, the text's own vector stands beside: said, or null.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rememberai._arrays import pair_distances, prepare
from rememberai.balance import balance
from rememberai.embedders import Embedder
from rememberai.learned import artifact_name, words_of_events
from rememberai.pictures import vectors_of_photos
from rememberai.records import Outcome, quiet
from rememberai.store.schema import column_matrix, spread, vector_array
from rememberai.words import checked_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rememberai.embedders import ImageEmbedder
    from rememberai.events import EventAssigner
    from rememberai.fusion import Weights
    from rememberai.learned import LearnedEvents
    from rememberai.records import Metric, Photo, Progress
    from rememberai.seeds import SeenSeed
    from rememberai.store import MemoryStore

_SAID = "said"
_MOST = 500  # seeds that tell how a search weighs, all of them asked for by each other


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
        self._weights: tuple[object, Weights | None] | None = None

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
            added = self._with_said(added)
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

    def assigner(self, words: pa.Table | None, progress: Progress = quiet) -> EventAssigner | None:
        """Give the assigner fitted to the pictures as they are now; None when there are none.

        Parameters
        ----------
        words
            What was learned of words: the events' names and descriptions have a say where the model
            knows texts.
        progress
            Called as ``progress("looks", done, total)``; see `EventAssigner.fit`.
        """
        table = self.table()
        if table is None:
            return None
        told = words_of_events(words, table["event"].to_pylist())
        key = (self._store.artifact_digest(artifact_name(self.column)), told)
        if self._assigner is None or self._assigner[0] != key:
            self._assigner = (key, self._fitted(table, told, progress))
        return self._assigner[1]

    def search_weights(self, words: LearnedEvents) -> Weights | None:
        """Tell how much words and pictures count in a search; None where no seeds tell.

        See `balance`. Seeds of one album, and those that say the same, are not asked for each
        other.
        """
        columns = (self._store.vector_column, self.column)
        key = tuple(self._store.artifact_digest(artifact_name(column)) for column in columns)
        if self._weights is None or self._weights[0] != key:
            spoken, seen = words.seeds(), self.table()
            told = spoken is not None and seen is not None and _SAID in seen.column_names
            weights = _weights(spoken, seen, self._store.metric) if told else None
            self._weights = (key, weights)
        return self._weights[1]

    def _with_said(self, table: pa.Table) -> pa.Table:
        """Embed the texts of seeds by the pictures' model, where it knows texts."""
        texts = table["text"].to_pylist()
        vectors = self._of_texts([text for text in texts if text])
        if vectors is None:
            return table
        return table.append_column(_SAID, spread(vectors, np.array(texts, bool)))

    def _of_texts(self, texts: list[str]) -> NDArray[np.float32] | None:
        """Embed texts by the pictures' model; None where it knows none."""
        if not isinstance(self._model, Embedder):
            return None
        if not texts:
            return np.empty((0, self._model.dimension), np.float32)
        vectors = self._model.encode(texts)
        return checked_vectors(self._model, vectors, len(texts), "text", self._store.metric)

    def _fitted(self, table: pa.Table, told: dict[str, str], progress: Progress) -> EventAssigner:
        from rememberai.events import EventAssigner, EventPrototypes

        vectors = self._of_texts(list(told.values()))
        descriptions = None if vectors is None else dict(zip(told, vectors, strict=True))
        return EventAssigner(
            EventPrototypes(metric=self._store.metric), max_risk=self._max_risk
        ).fit(
            column_matrix(table["vector"]),
            table["event"].to_pylist(),
            descriptions=descriptions,
            groups=table["album"].to_pylist(),
            progress=lambda _, *count: progress("looks", *count),
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
    table = added
    if before is not None and len(before):
        table = pa.concat_tables([before, added], promote_options="default")
    keys = zip(table["event"].to_pylist(), table["photo_id"].to_pylist(), strict=True)
    last = {key: row for row, key in enumerate(keys)}
    return table.take(pa.array(sorted(last.values()), pa.int64()))


def _weights(spoken: pa.Table, seen: pa.Table, metric: Metric) -> Weights | None:
    """Learn how a search weighs words and pictures from the seeds that have both."""
    pairs, _ = pairs_of(spoken, seen)
    said = seen[_SAID].is_valid().to_numpy()[pairs[:, 1]]
    ids = seen["photo_id"].take(pairs[:, 1]).to_pylist()
    order = [row for row in sorted(range(len(ids)), key=ids.__getitem__) if said[row]]
    pairs = pairs[order[:: -(-len(order) // _MOST) or 1]]
    if not len(pairs):
        return None
    words, looks = spoken.take(pairs[:, 0]), seen.take(pairs[:, 1])
    told = column_matrix(words["vector"])
    by_words = _distances(told, told, metric)
    by_looks = _distances(column_matrix(looks[_SAID]), column_matrix(looks["vector"]), metric)
    texts, albums = (np.array(looks[name].to_pylist(), object) for name in ("text", "album"))
    together = (albums[:, None] == albums) & (albums != None)  # noqa: E711 - value by value
    apart = (texts[:, None] != texts) & ~together
    of_words, of_looks = balance(by_words, by_looks, looks["event"].to_pylist(), apart)
    return {"words": of_words, "picture": of_looks}


def _distances(
    queries: NDArray[np.float32], vectors: NDArray[np.float32], metric: Metric
) -> NDArray[np.float32]:
    asked, others = prepare(queries, metric), prepare(vectors, metric)
    return np.stack([pair_distances(each, others, metric) for each in asked])
