"""What a store has learned of events: its seeds, and the assigner that is fitted to them.

The seeds are kept in the store as a table of event, text, role, album and vector. The role is
"seed"; or "name" and "description" for the words that describe the event itself; or "occasion" for
the names of common events that a photo may show though they were not learned. A name has a row for
each of its phrasings (see `phrasings`). The album is what seeds are judged without each other by,
or null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai.phrasings import mean_vector, phrasings
from rememberai.records import quiet
from rememberai.seeds import rows_of
from rememberai.store.manifest import FIRST_COLUMN
from rememberai.store.schema import column_matrix, vector_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from rememberai.events import EventAssigner
    from rememberai.records import Progress
    from rememberai.seeds import Role
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

_LATER = {"role": "seed", "album": None}  # columns that early tables do not have


class LearnedEvents:
    """The events that a store has learned.

    Parameters
    ----------
    store
        Where the seeds are kept.
    max_risk
        See `EventAssigner`.
    """

    def __init__(self, store: MemoryStore, max_risk: float) -> None:
        self._store = store
        self._max_risk = max_risk
        self._assigner: tuple[bytes, EventAssigner | None] | None = None

    @property
    def _name(self) -> str:
        return artifact_name(self._store.vector_column)

    def table(self) -> pa.Table | None:
        """Read all that is kept; None when nothing was learned."""
        table = self._store.read_artifact(self._name)
        if table is not None and len(table) == 0:  # all was forgotten
            return None
        for place, (name, value) in enumerate(_LATER.items(), 2):
            if table is not None and name not in table.column_names:
                table = table.add_column(place, name, pa.array([value] * len(table), pa.string()))
        return table

    def seeds(self) -> pa.Table | None:
        """Read the seeds alone."""
        table = self.table()
        return None if table is None else _proper_seeds(table)

    def add(
        self,
        table: pa.Table,
        embed: TextEmbedding,
        *,
        replace_all: bool = False,
        progress: Progress = quiet,
    ) -> None:
        """Merge seeds into those kept, or put them in their place.

        Parameters
        ----------
        progress
            See `EventAssigner.fit`.

        Raises
        ------
        InputError
            The seeds can't be learned from; what was kept stays.
        """

        def merged(before: pa.Table | None) -> pa.Table:
            seeds = _with_names(_merge(before, table), embed)
            self._fitted(seeds, progress)  # what can't be fitted is not kept
            return seeds

        if replace_all:
            self._store.replace_artifact(self._name, merged(None))
        else:
            self._store.change_artifact(self._name, lambda _: merged(self.table()))

    def forget(self) -> None:
        """Forget all seeds."""
        before = self.table()
        if before is not None:
            self._store.replace_artifact(self._name, before.slice(0, 0))

    def held(self) -> AbstractContextManager[Any]:
        """Keep others from learning meanwhile."""
        return self._store.holding(self._name)

    def copy_to(self, column: str, embed: TextEmbedding, progress: Progress) -> None:
        """Embed the seeds by the model of another column, which the store is about to switch to.

        Parameters
        ----------
        progress
            Called as ``progress("seeds", done, total)``.
        """
        table = self.table()
        if table is not None:
            texts = table["text"].to_pylist()
            vectors = vector_array(embed(texts, lambda _, *count: progress("seeds", *count)))
            place = table.schema.get_field_index("vector")
            self._store.replace_artifact(
                artifact_name(column), table.set_column(place, "vector", vectors)
            )

    def assigner(self, progress: Progress = quiet) -> EventAssigner | None:
        """Give the assigner fitted to the seeds as they are now; None when there are none.

        Parameters
        ----------
        progress
            See `EventAssigner.fit`; nothing is told where it was fitted before.
        """
        digest = self._store.artifact_digest(self._name)
        if digest is None:
            return None
        if self._assigner is None or self._assigner[0] != digest:
            table = self.table()
            self._assigner = (digest, None if table is None else self._fitted(table, progress))
        return self._assigner[1]

    def _fitted(self, table: pa.Table, progress: Progress) -> EventAssigner:
        from rememberai.events import EventAssigner, EventPrototypes

        seeds, told = _proper_seeds(table), _descriptions(table)
        others = _of_role(table, "occasion")
        return EventAssigner(
            EventPrototypes(metric=self._store.metric), max_risk=self._max_risk
        ).fit(
            column_matrix(seeds["vector"]),
            seeds["event"].to_pylist(),
            seeds["text"].to_pylist(),
            descriptions=told,
            groups=seeds["album"].to_pylist(),
            others=list(others.values()) if told and others else None,
            progress=progress,
        )


def artifact_name(column: str) -> str:
    """Name the seeds whose vectors are of the same model as a column's."""
    return "seeds" if column == FIRST_COLUMN else f"seeds-{column}"


def words_of_events(table: pa.Table | None, events: Iterable[str]) -> dict[str, str]:
    """Give the words that describe each event, its description or else its name, sorted."""
    found = {event: words_of_name(event) for event in sorted(set(events))}
    if table is not None:
        rows = table.filter(pc.equal(table["role"], "description"))
        told = zip(rows["event"].to_pylist(), rows["text"].to_pylist(), strict=True)
        found |= {event: text for event, text in told if event in found}
    return found


def words_of_name(event: str) -> str:
    """Give the name of an event as words."""
    return event.replace("_", " ").strip() or event


def known_vectors(
    store: MemoryStore, seeds: pa.Table | None, texts: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Look up the vectors of texts that were embedded before, for photos or for these seeds."""
    found = store.vectors_of_texts(texts)
    if seeds is not None:
        wanted = set(texts)
        pairs = zip(seeds["text"].to_pylist(), column_matrix(seeds["vector"]), strict=True)
        found |= {text: vector for text, vector in pairs if text in wanted}
    return found


def _merge(before: pa.Table | None, added: pa.Table) -> pa.Table:
    """Join two tables of seeds.

    The same text of the same event stands once, with an album if it was ever told one; of an
    event's descriptions the last one counts.
    """
    table = added if before is None else pa.concat_tables([before, added])
    rows = list(zip(*(table[name].to_pylist() for name in ("event", "role", "text")), strict=True))
    last = {event: row for row, (event, role, _) in enumerate(rows) if role == "description"}
    told = table["album"].is_valid().to_pylist()
    first = {
        rows[row]: row
        for row in sorted(range(len(rows)), key=lambda row: (told[row], -row))
        if rows[row][1] != "description" or last[rows[row][0]] == row
    }
    return table.take(pa.array(sorted(first.values()), pa.int64()))


def _with_names(table: pa.Table, embed: TextEmbedding) -> pa.Table:
    """Add the phrasings of all names, of events and of occasions; drop what an older version had.

    So one name is never said in other ways than the next.
    """
    from rememberai.events import OCCASIONS

    named = {("name", event): words_of_name(event) for event in _events(table)}
    named |= {("occasion", occasion): occasion for occasion in OCCASIONS}
    wanted = {(*key, text) for key, words in named.items() for text in phrasings(words)}
    rows = list(zip(*(table[name].to_pylist() for name in ("role", "event", "text")), strict=True))
    kept = [i for i, row in enumerate(rows) if row in wanted or row[0] in ("seed", "description")]
    table = table.take(pa.array(kept, pa.int64()))
    missing = sorted(wanted.difference(rows))
    if not missing:
        return table
    roles, events, texts = zip(*missing, strict=True)
    return pa.concat_tables([table, rows_of(events, texts, roles, [None] * len(missing), embed)])


def _events(table: pa.Table) -> set[str]:
    """List the events that were learned."""
    return set(table.filter(pc.not_equal(table["role"], "occasion"))["event"].to_pylist())


def _proper_seeds(table: pa.Table) -> pa.Table:
    """Leave out names and descriptions; an event without seeds has its description as one."""
    seeded = table.filter(pc.equal(table["role"], "seed"))["event"]
    alone = pc.and_(
        pc.equal(table["role"], "description"), pc.invert(pc.is_in(table["event"], seeded))
    )
    return table.filter(pc.or_(pc.equal(table["role"], "seed"), alone))


def _descriptions(table: pa.Table) -> dict[str, NDArray[np.float32]] | None:
    """Give the vector of each event's description, else of its name; None if one has neither."""
    vectors = _of_role(table, "name") | _of_role(table, "description")
    return vectors if set(vectors) == _events(table) else None


def _of_role(table: pa.Table, role: Role) -> dict[str, NDArray[np.float32]]:
    """Give the vector of each event's description or name, the mean where it has several rows."""
    some = table.filter(pc.equal(table["role"], role))
    some = some.sort_by([("event", "ascending"), ("text", "ascending")])
    found: dict[str, list[NDArray[np.float32]]] = {}
    for event, vector in zip(some["event"].to_pylist(), column_matrix(some["vector"]), strict=True):
        found.setdefault(event, []).append(vector)
    return {event: mean_vector(np.stack(vectors)) for event, vectors in found.items()}
