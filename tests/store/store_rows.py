"""Rows for a small store, and the whole of a store's content for comparison."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from rememberai.store import MemoryStore
from rememberai.store.schema import table_schema, to_table

DIMENSION = 4
THEN = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


def rows(ids, *, seed=0, **columns):
    """Lay out one row for each id, with a memory, and a vector that its id and the seed give."""
    vectors = np.stack(
        [np.random.default_rng([seed, *str(i).encode()]).normal(size=DIMENSION) for i in ids]
        or [np.empty(DIMENSION)]
    )[: len(ids)].astype(np.float32)
    said = {"added": THEN, "updated": THEN, **columns}
    drafts = [{"photo_id": i, "name": i, "memory": f"about {i}", **said} for i in ids]
    return to_table(drafts, vectors)


def empty_rows():
    return table_schema(DIMENSION).empty_table()


def make(path, **changes) -> MemoryStore:
    wanted = {"model_id": "model@1", "dimension": DIMENSION, **changes}
    return MemoryStore.create(path, **wanted)


def content(store: MemoryStore) -> dict[str, dict]:
    """Key the rows by id; a doubled row is an error."""
    read = store.read().to_pylist()
    by_id = {row["photo_id"]: row for row in read}
    assert len(by_id) == len(read), "a photo stands in the store twice"
    return by_id
