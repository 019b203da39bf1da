"""Any sequence of writes equals the same changes to a dictionary."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_rows import DIMENSION, content, make

from rememberai import MemoryStore
from rememberai.store.check import check_store
from rememberai.store.schema import column_matrix, to_table, vector_array

IDS = st.sets(st.sampled_from("abcdefgh"), min_size=1)
SEEDS = st.integers(0, 3)
TEXTS = st.sampled_from([None, "one", "two", "it's"])
COLUMNS = ("album", "event_given", "width")


def drafts(ids, seed: int, text: str | None) -> pa.Table:
    """Rows whose words and vectors depend on the ids and the seed; without a text they are mute."""
    rows = [
        {"photo_id": i, "name": i, "width": seed, "memory": text and f"{text} {i} {seed}"}
        for i in sorted(ids)
    ]
    return to_table(rows, vectors_of([row["memory"] for row in rows if row["memory"]]))


def vectors_of(texts: list[str]) -> np.ndarray:
    made = [np.random.default_rng([*text.encode()]).normal(size=DIMENSION) for text in texts]
    return np.array(made, np.float32).reshape(-1, DIMENSION)


def of(table: pa.Table) -> dict[str, dict]:
    return {row["photo_id"]: row for row in table.to_pylist()}


def without_time(rows: dict[str, dict]) -> dict[str, dict]:
    return {
        i: {k: v for k, v in row.items() if k not in ("added", "updated")}
        for i, row in rows.items()
    }


class StoreMachine(RuleBasedStateMachine):
    """A store beside a dictionary, and a second handle that reads what it read before."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = make(self.folder / "s")
        self.rows: dict[str, dict] = {}
        self.history: dict[int, dict] = {self.store.version: {}}
        self.stamps = {self.store.stamp: self.store.version}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def written(self) -> None:
        assert self.stamps.setdefault(self.store.stamp, self.store.version) == self.store.version
        self.history[self.store.version] = dict(self.rows)

    @rule(ids=IDS, seed=SEEDS, text=TEXTS)
    def append(self, ids, seed, text) -> None:
        fresh = ids - set(self.rows)
        rows = drafts(ids, seed, text)
        assert self.store.append(rows) == len(fresh)
        self.rows |= {i: row for i, row in of(rows).items() if i in fresh}
        self.written()

    @rule(ids=IDS, seed=SEEDS, text=TEXTS)
    def upsert(self, ids, seed, text) -> None:
        rows = drafts(ids, seed, text)
        self.store.upsert(rows)
        self.rows |= of(rows)
        self.written()

    @rule(ids=IDS, column=st.sampled_from(COLUMNS), value=st.sampled_from([None, 1, 2]))
    def update(self, ids, column, value) -> None:
        known = sorted(ids & set(self.rows))
        if not known:
            return
        value = value if column == "width" or value is None else str(value)
        kind = pa.int32() if column == "width" else pa.string()
        self.store.update(
            pa.table({"photo_id": known[::-1], column: pa.array([value] * len(known), kind)})
        )
        self.rows |= {i: self.rows[i] | {column: value} for i in known}
        self.written()

    @rule(ids=IDS, text=TEXTS.filter(bool))
    def give_words(self, ids, text) -> None:
        known = sorted(ids & set(self.rows))
        if not known:
            return
        texts = [f"{text} {i}" for i in known]
        vectors = vectors_of(texts)
        words = {
            "photo_id": known,
            "memory": texts,
            "caption": pa.nulls(len(known), pa.string()),
            "text_source": ["memory"] * len(known),
            "vector": vector_array(vectors),
        }
        self.store.update(pa.table(words))
        self.rows |= {
            i: self.rows[i]
            | {"memory": words, "caption": None, "text_source": "memory", "vector": v.tolist()}
            for i, words, v in zip(known, texts, vectors, strict=True)
        }
        self.written()

    @rule(ids=IDS)
    def delete(self, ids) -> None:
        assert self.store.delete(sorted(ids)) == len(ids & set(self.rows))
        self.rows = {i: row for i, row in self.rows.items() if i not in ids}
        self.written()

    @rule(all_versions=st.booleans())
    def compact(self, all_versions) -> None:
        self.store.compact(keep=timedelta(0) if all_versions else timedelta(days=1))
        if all_versions:
            self.history = {}
        self.written()

    @rule()
    def reopen(self) -> None:
        stamp = self.store.stamp
        self.store = MemoryStore.open(self.store.path)
        assert self.store.stamp == stamp

    @rule()
    def crash_before_publishing(self) -> None:
        path = self.store.path / "store.json"
        manifest = path.read_bytes()
        self.append({"a", "h"}, 3, "one")
        path.write_bytes(manifest)
        self.reopen()

    @rule()
    def check(self) -> None:
        report = check_store(self.store.path)
        assert report.count("done") == len(report.outcomes), report.outcomes

    @rule(data=st.data())
    def look_back(self, data) -> None:
        version = data.draw(st.sampled_from(sorted(self.history)))
        snapshot = self.store.snapshot(version)
        assert without_time(content(snapshot)) == without_time(self.history[version])

    @invariant()
    def equals_the_dictionary(self) -> None:
        if not hasattr(self, "store"):
            return
        assert len(self.store) == len(self.rows)
        assert without_time(content(self.store)) == without_time(self.rows)
        ids, vectors = self.store.vectors()
        spoken = sorted(i for i, row in self.rows.items() if row["vector"])
        assert ids.tolist() == spoken
        np.testing.assert_array_equal(
            vectors,
            np.array([self.rows[i]["vector"] for i in spoken], np.float32).reshape(-1, DIMENSION),
        )
        scanned = pa.Table.from_batches(
            self.store.scan(["vector"], "text_source IS NOT NULL", batch_size=3),
            self.store.read(["vector"]).schema,
        )
        assert len(column_matrix(scanned["vector"])) == len(spoken)


StoreMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_any_sequence_of_writes_equals_a_dictionary = StoreMachine.TestCase
