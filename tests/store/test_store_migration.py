"""Stores of earlier formats open, keep all that they had, and are of this format then."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import lance
import pyarrow as pa
import pytest
from filelock import FileLock
from store_rows import content, rows

from rememberai import MemoryStore
from rememberai.store import migration
from rememberai.store.check import check_store

KEPT = Path(__file__).with_name("kept")
THEN = datetime(2020, 5, 17, 12, tzinfo=UTC)
NEW_IN_2 = dict.fromkeys(("event_given", "event_assigned", "event_confidence", "outcome"))
NEW_IN_3 = dict.fromkeys(("caption_confidence", "caption_seconds"))


@pytest.fixture
def format1(tmp_path) -> Path:
    with zipfile.ZipFile(KEPT / "format1.zip") as kept:
        kept.extractall(tmp_path / "s")
    assert json.loads((tmp_path / "s" / "store.json").read_text())["format"] == 1
    return tmp_path / "s"


@pytest.fixture
def format2(tmp_path) -> Path:
    with zipfile.ZipFile(KEPT / "format2.zip") as kept:
        kept.extractall(tmp_path / "s")
    assert json.loads((tmp_path / "s" / "store.json").read_text())["format"] == 2
    return tmp_path / "s"


def assert_format_2_as_it_was(store: MemoryStore) -> None:
    found = content(store)
    texts = {i: (row["memory"], row["caption"], row["text_source"]) for i, row in found.items()}
    assert texts == {
        "a": ("벚꽃 아래서", None, "memory"),
        "b": ("the neighbour's cat", "a cat on a wall", "memory"),
        "c": (None, None, None),
        "d": (None, "seen", "caption"),
    }
    assert [found[i]["captioner"] for i in "abcd"] == [None, "blip@1", None, "blip@1"]
    vectors = [[1, 2, 3, 4], [0.5, 0, 0, -1], None, [9, 8, 7, 6]]
    assert [row["vector"] for row in found.values()] == vectors
    assert (found["a"]["event_given"], found["c"]["outcome"]) == ("spring", "it can't be read")
    for row in found.values():
        assert row | NEW_IN_3 == row
    assert [model.id for model in store.models.values()] == ["model@1", "other@2"]
    assert store.pending("vector_2")["photo_id"].to_pylist() == ["d"]
    seeds = store.read_artifact("seeds").select(["event", "text"]).to_pylist()
    assert seeds[0] == {"event": "wedding", "text": "the vows"}


def test_a_store_of_format_2_is_brought_to_this_format(format2):
    store = MemoryStore.open(format2)
    assert_format_2_as_it_was(store)
    assert json.loads((format2 / "store.json").read_text())["format"] == 3
    version = store.version
    again = MemoryStore.open(format2)
    assert again.version == version
    assert_format_2_as_it_was(again)
    assert check_store(format2).count("done") == len(check_store(format2).outcomes)
    label = rows(["new"], text_source="label", memory=None, caption="a photo of a dog")
    assert store.append(label) == 1
    store.update(pa.table({"photo_id": ["d"], "caption_seconds": pa.array([2], pa.float32())}))
    found = content(MemoryStore.open(format2))
    assert (found["new"]["text_source"], found["d"]["caption_seconds"]) == ("label", 2)


def test_a_store_of_format_2_waits_to_be_opened(format2):
    said = {outcome.item: outcome for outcome in check_store(format2).outcomes}
    assert said["store.json"].status == "waiting"
    assert not check_store(format2).count("failed")


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_on_the_way_from_format_2_leaves_a_store_that_opens(format2, monkeypatch, step):
    class Crash(BaseException):
        pass

    def stop(*_):
        raise Crash

    name = {"before": "publish", "after": "write"}[step]
    with monkeypatch.context() as patch:
        patch.setattr(migration.Manifest if name == "write" else migration_files(), name, stop)
        with pytest.raises(Crash):
            MemoryStore.open(format2)
    assert json.loads((format2 / "store.json").read_text())["format"] == 2
    assert_format_2_as_it_was(MemoryStore.open(format2))


def test_what_a_later_version_says_of_a_model_is_passed_over(format2):
    fields = json.loads((format2 / "store.json").read_text())
    fields["models"]["vector"]["of"] = "text"
    (format2 / "store.json").write_text(json.dumps(fields))
    assert_format_2_as_it_was(MemoryStore.open(format2))


def assert_as_it_was(store: MemoryStore) -> None:
    found = content(store)
    texts = {i: (row["memory"], row["caption"], row["text_source"]) for i, row in found.items()}
    assert texts == {
        "a": ("벚꽃 아래서", None, "memory"),
        "b": ("the neighbour's cat", "a cat on a wall", "memory"),
        "c": (None, None, None),
        "d": ("words", "seen", "memory"),
    }
    vectors = [[1, 2, 3, 4], [0.5, 0, 0, -1], None, [9, 8, 7, 6]]
    assert [row["vector"] for row in found.values()] == vectors
    assert {row["added"] for row in found.values()} == {THEN}
    a = found["a"]
    assert (a["taken"], a["taken_offset_minutes"]) == (datetime(2019, 4, 1, 10, 30), 540)
    assert (a["latitude"], a["longitude"], a["memory_author"]) == (37.5, 127.0, "me")
    for row in found.values():
        assert row | NEW_IN_2 | NEW_IN_3 == row
    assert (store.model_id, store.dimension) == ("model@1", 4)
    assert (store.metric, store.embedder) == ("cosine", "all-MiniLM-L6-v2")
    seeds = store.read_artifact("seeds").select(["event", "text"]).to_pylist()
    assert seeds == [
        {"event": "wedding", "text": "the vows"},
        {"event": "party", "text": "a cake"},
    ]


def test_a_store_of_format_1_is_brought_to_this_format(format1):
    store = MemoryStore.open(format1)
    assert_as_it_was(store)
    fields = json.loads((format1 / "store.json").read_text())
    assert fields["format"] == 3
    assert fields["models"] == {
        "vector": {
            "id": "model@1",
            "dimension": 4,
            "embedder": "all-MiniLM-L6-v2",
            "of": "text",
        }
    }
    assert (fields["active"], fields["normalized"]) == ("vector", False)
    version = store.version
    again = MemoryStore.open(format1)
    assert again.version == version
    assert_as_it_was(again)
    assert check_store(format1).count("done") == len(check_store(format1).outcomes)


def test_a_store_that_was_brought_over_is_written_to_like_any_other(format1):
    store = MemoryStore.open(format1)
    assert store.append(rows(["a", "new"], event_given="x")) == 1
    store.upsert(rows(["b"], event_assigned="y"))
    store.update(pa.table({"photo_id": ["c"], "outcome": ["no words"]}))
    store.delete(["d"])
    store.compact()
    found = content(MemoryStore.open(format1))
    assert sorted(found) == ["a", "b", "c", "new"]
    assert found["a"]["memory"] == "벚꽃 아래서"
    assert found["new"] == rows(["new"], event_given="x").to_pylist()[0]
    assert found["b"] == rows(["b"], event_assigned="y").to_pylist()[0]
    assert found["c"]["outcome"] == "no words"


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_in_the_middle_leaves_a_store_that_opens(format1, monkeypatch, step):
    class Crash(BaseException):
        pass

    def stop(*_):
        raise Crash

    name = {"before": "publish", "after": "write"}[step]
    with monkeypatch.context() as patch:
        patch.setattr(migration.Manifest if name == "write" else migration_files(), name, stop)
        with pytest.raises(Crash):
            MemoryStore.open(format1)
    assert json.loads((format1 / "store.json").read_text())["format"] == 1
    names = lance.dataset(str(format1 / "photos.lance")).schema.names
    assert "outcome" in names  # the crash came after the columns
    assert_as_it_was(MemoryStore.open(format1))


def migration_files() -> type:
    from rememberai.store.local import LocalFiles

    return LocalFiles


def test_an_upgrade_waits_for_a_writer(format1):
    import threading

    opened: list[MemoryStore] = []
    with FileLock(format1 / ".write.lock"):
        thread = threading.Thread(target=lambda: opened.append(MemoryStore.open(format1)))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert json.loads((format1 / "store.json").read_text())["format"] == 1
    thread.join()
    assert_as_it_was(opened[0])


def test_an_unpublished_write_of_format_1_is_kept(format1):
    fields = json.loads((format1 / "store.json").read_text())
    (format1 / "store.json").write_text(json.dumps(fields | {"version": 2}))
    assert_as_it_was(MemoryStore.open(format1))
