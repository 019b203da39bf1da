"""Append, update, delete, scan, snapshot, compact: each does what it says and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from filelock import FileLock
from makers import Ticks
from store_rows import DIMENSION, THEN, content, empty_rows, make, rows

from rememberai import MemoryStore
from rememberai.errors import InputError, StoreError
from rememberai.store import check_store, memory_store, writing
from rememberai.store.lance_errors import lance_errors
from rememberai.store.schema import table_schema, to_table, vector_array

NOW = timedelta(0)


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return make(tmp_path / "s")


def of(table: pa.Table) -> dict[str, dict]:
    return {row["photo_id"]: row for row in table.to_pylist()}


# --- append ----------------------------------------------------------------------------------


def test_append_inserts_what_is_new_and_leaves_the_rest_alone(store):
    assert store.append(rows(["a", "b"])) == 2
    assert store.append(rows(["b", "c"], seed=1, album="other")) == 1
    assert content(store) == of(rows(["a", "b"])) | of(rows(["c"], seed=1, album="other"))
    assert content(MemoryStore.open(store.path)) == content(store)


def test_appending_again_changes_nothing_not_even_the_version(store):
    store.append(rows(["a", "b"]))
    before = (store.version, store.stamp, content(store))
    assert store.append(rows(["b", "a"], seed=1)) == 0
    assert store.append(empty_rows()) == 0
    assert (store.version, store.stamp, content(store)) == before


def test_no_ids_ask_for_no_vectors(store):
    store.append(rows(["a", "b"]))
    ids, vectors = store.vectors([])
    assert (len(ids), vectors.shape) == (0, (0, DIMENSION))


def test_append_refuses_what_upsert_refuses(store):
    with pytest.raises(InputError, match="distinct"):
        store.append(rows(["a", "a"]))
    with pytest.raises(InputError, match="columns"):
        store.append(rows(["a"]).drop_columns(["album"]))
    assert len(store) == 0


def test_a_photo_that_another_inserted_meanwhile_stays_as_it_is(store):
    other = MemoryStore.open(store.path)
    assert other.upsert_unless_changed(rows(["a"], updated=None), {}) == []
    assert store.upsert_unless_changed(rows(["a", "b"], seed=1), {}) == ["a"]
    found = content(store)
    assert (found["a"]["vector"], found["b"]["vector"]) == tuple(
        rows([i], seed=seed)["vector"][0].as_py() for i, seed in (("a", 0), ("b", 1))
    )
    changed = {"a": found["a"]["updated"], "b": THEN}
    store.update(pa.table({"photo_id": ["a"], "album": ["x"]}))
    assert store.upsert_unless_changed(rows(["a", "b"], seed=2), changed) == ["a"]


# --- update ----------------------------------------------------------------------------------


def test_update_changes_its_columns_of_its_photos_alone(store):
    store.append(rows(["a", "b", "c"], album="old", width=3))
    before = content(store)
    store.update(
        pa.table(
            {
                "event_given": ["concert", None],
                "photo_id": ["c", "a"],
                "event_confidence": [0.25, 0.5],
            }
        )
    )
    after = content(MemoryStore.open(store.path))
    assert after == content(store)
    times = {i: after[i].pop("updated") for i in after}
    for row in before.values():
        assert row.pop("updated") == THEN
    assert times["b"] == THEN
    assert times["a"] == times["c"] > THEN
    assert after == before | {
        "a": before["a"] | {"event_confidence": 0.5},
        "c": before["c"] | {"event_given": "concert", "event_confidence": 0.25},
    }


def test_the_words_change_together_with_their_vector(store):
    store.append(rows(["a", "b"]))
    words = {
        "photo_id": ["b"],
        "memory": ["new words"],
        "caption": pa.array([None], pa.string()),
        "text_source": ["memory"],
        "vector": vector_array(np.array([[1, 2, 3, 4]], np.float32)),
    }
    for missing in ("memory", "caption", "text_source", "vector"):
        with pytest.raises(InputError, match="change together"):
            store.update(pa.table({name: words[name] for name in words if name != missing}))
    assert content(store) == of(rows(["a", "b"]))
    store.update(pa.table(words))
    assert store.vectors_of_texts(["new words", "about b"]).keys() == {"new words"}
    np.testing.assert_array_equal(store.vectors()[1][1], [1, 2, 3, 4])
    with pytest.raises(InputError, match="both a text source and a vector"):
        store.update(pa.table(words | {"text_source": pa.array([None], pa.string())}))


def test_an_update_of_unknown_photos_names_them_and_writes_nothing(store):
    store.append(rows(["a"]))
    before = (store.version, content(store))
    with pytest.raises(InputError, match=r"2 of 3 photo ids .*y, z"):
        store.update(pa.table({"photo_id": ["z", "a", "y"], "album": ["1", "2", "3"]}))
    assert (store.version, content(store)) == before


UPDATES = {
    "no ids": {"album": ["x"]},
    "no columns": {"photo_id": ["a"]},
    "a column that is not there": {"photo_id": ["a"], "mood": ["fine"]},
    "a time of the store's own": {"photo_id": ["a"], "added": [None]},
    "another type": {"photo_id": ["a"], "width": ["wide"]},
    "twins": {"photo_id": ["a", "a"], "album": ["x", "y"]},
    "a nested column": {"photo_id": ["a"], "album": [["x"]]},
    "a missing id": {"photo_id": ["a", None], "album": ["x", "y"]},
}


@pytest.mark.parametrize("columns", UPDATES.values(), ids=UPDATES)
def test_an_update_that_can_t_be_made_is_refused(store, columns):
    store.append(rows(["a"]))
    before = content(store)
    with pytest.raises(InputError):
        store.update(pa.table(columns))
    assert content(store) == before


def test_an_update_that_names_a_column_twice_is_refused(store):
    store.append(rows(["a"]))
    twice = pa.table([["a"], ["x"], ["y"]], names=["photo_id", "album", "album"])
    with pytest.raises(InputError, match="photo_id, album, album came"):
        store.update(twice)
    assert content(store) == of(rows(["a"]))


def test_an_update_of_nothing_writes_nothing(store):
    version = store.version
    store.update(pa.table({"photo_id": pa.array([], "string"), "album": pa.array([], "string")}))
    assert store.version == version


# --- delete ----------------------------------------------------------------------------------


def test_delete_removes_the_photos_that_are_there(store):
    store.append(rows(["a", "b", "it's"]))
    assert store.delete(["it's", "b", "never"]) == 2
    assert content(store) == content(MemoryStore.open(store.path)) == of(rows(["a"]))
    version = store.version
    assert store.delete(["b"]) == store.delete([]) == 0
    assert store.version == version
    store.append(rows(["b"], seed=1))
    assert content(store) == of(rows(["a"])) | of(rows(["b"], seed=1))


@pytest.mark.parametrize("ids", ["ab", [1], ["a", 1], ["\ud800"], 5, None], ids=ascii)
def test_what_is_no_collection_of_ids_deletes_nothing(store, ids):
    store.append(rows(["a", "b"]))
    with pytest.raises(InputError, match="collection of photo ids"):
        store.delete(ids)
    assert len(store) == 2


# --- scan and conditions ---------------------------------------------------------------------


def test_scan_gives_all_rows_in_small_batches(store):
    ids = [f"{i:03}" for i in range(100)]
    store.append(rows(ids[:60]))
    store.append(rows(ids[60:]))
    batches = list(store.scan(batch_size=7))
    assert max(len(batch) for batch in batches) <= 7
    assert of(pa.Table.from_batches(batches)) == of(rows(ids))
    assert batches[0].schema.equals(table_schema(DIMENSION))
    some = pa.Table.from_batches(store.scan(["name"], "photo_id >= '095'"))
    assert sorted(some["name"].to_pylist()) == ids[95:]
    assert set(some.column_names) == {"photo_id", "name"}
    twice = pa.Table.from_batches(store.scan({"long": "name || name"}, "photo_id = '001'"))
    assert twice.to_pylist() == [{"photo_id": "001", "long": "001001"}]


def test_a_scan_goes_on_while_others_write(store):
    store.append(rows([f"{i:03}" for i in range(50)]))
    batches = store.scan(batch_size=10)
    seen = [next(batches)]
    store.delete([f"{i:03}" for i in range(50)])
    store.append(rows(["new"]))
    seen += batches
    assert sorted(i for batch in seen for i in batch["photo_id"].to_pylist()) == [
        f"{i:03}" for i in range(50)
    ]
    assert store.read()["photo_id"].to_pylist() == ["new"]


@pytest.mark.parametrize("bad", ["(", "nope = 1", "width = 'wide'", "shout(name)", "name", "'x"])
def test_a_bad_condition_is_named_with_the_columns_there_are(store, bad):
    store.append(rows(["a"]))
    for ask in (store.read, lambda **asked: list(store.scan(**asked))):
        with pytest.raises(InputError) as refused:
            ask(where=bad)
        assert bad in str(refused.value)
        assert "taken_confidence" in str(refused.value)
    with pytest.raises(InputError, match="nope"):
        store.read(["nope"])
    with pytest.raises(InputError, match="at least 1"):
        list(store.scan(batch_size=0))
    with pytest.raises(InputError, match="whole number"):
        list(store.scan(batch_size=2.5))
    assert len(list(store.scan(batch_size=2**70))) == 1


@pytest.mark.parametrize("columns", ["album", [3], 5, {"long": 3}, [["album"]]], ids=str)
def test_columns_are_several_texts(store, columns):
    store.append(rows(["a"]))
    for ask in (store.read, lambda given: list(store.scan(given))):
        with pytest.raises(
            InputError, match=r"^the columns .* are not texts, several as in a list"
        ):
            ask(columns)
    assert store.read(name for name in ["album"]).column_names == ["photo_id", "album"]


def test_a_time_in_quotes_alone_is_refused_with_the_way_to_write_it(store):
    store.append(rows(["a"]))
    with pytest.raises(InputError, match=r"times as timestamp '2024-06-01'$"):
        store.read(where="updated > '2020-01-01'")
    assert len(store.read(where="updated > timestamp '2020-01-01'")) == 1


# --- versions, snapshots, stamps -------------------------------------------------------------


def test_a_snapshot_is_the_store_as_it_was(store):
    contents = {store.version: {}}
    store.append(rows(["a", "b"]))
    contents[store.version] = content(store)
    store.upsert(rows(["b"], seed=1))
    contents[store.version] = content(store)
    store.delete(["a"])
    contents[store.version] = content(store)
    listed = store.versions()
    assert [each.version for each in listed] == sorted(contents)
    assert [each.written for each in listed] == sorted(each.written for each in listed)
    for version, expected in contents.items():
        assert content(store.snapshot(version)) == expected
    for version in (0, store.version + 1, -1, 2**70):
        with pytest.raises(StoreError, match="no version"):
            store.snapshot(version)
    for number in (1.0, "1", None):
        with pytest.raises(InputError, match="whole number"):
            store.snapshot(number)
    assert content(store.snapshot(np.int64(store.version))) == content(store)


def test_a_snapshot_can_t_be_written_to(store):
    store.append(rows(["a"]))
    old = store.snapshot(store.version)
    table = pa.table({"x": [1]})
    writes = [
        lambda: old.append(rows(["b"])),
        lambda: old.upsert(rows(["a"])),
        lambda: old.update(pa.table({"photo_id": ["a"], "album": ["x"]})),
        lambda: old.delete(["a"]),
        old.compact,
        lambda: old.add_model("m", 3),
        lambda: old.replace_artifact("seeds", table),
        lambda: old.change_artifact("seeds", lambda _: table),
    ]
    for write in writes:
        with pytest.raises(StoreError, match="open the store itself"):
            write()
    assert content(MemoryStore.open(store.path)) == of(rows(["a"]))
    assert store.read_artifact("seeds") is None


def test_a_stamp_tells_two_histories_with_the_same_version_apart(tmp_path, store):
    store.append(rows(["a"]))
    copy = Path(shutil.copytree(store.path, tmp_path / "copy"))
    assert MemoryStore.open(copy).stamp == store.stamp == MemoryStore.open(store.path).stamp
    other = MemoryStore.open(copy)
    stamps = [store.stamp]
    for one in (store, other):
        one.append(rows(["b"]))
        stamps.append(one.stamp)
    assert store.version == other.version
    assert len(set(stamps)) == 3
    assert store.snapshot(store.version - 1).stamp == stamps[0]
    assert [store.stamp_at(store.version - 1), store.stamp_at(store.version)] == [
        *[stamps[0], store.stamp]
    ]
    older = store.snapshot(store.version - 1)
    assert [older.stamp_at(version) for version in (0, older.version + 1, 99)] == [None] * 3


# --- compact ---------------------------------------------------------------------------------


def data_files(store: MemoryStore) -> int:
    return len(list((store.path / "photos.lance" / "data").iterdir()))


def test_compact_frees_space_and_keeps_every_row(store):
    for number in range(12):
        store.upsert(rows([f"{number}", "same"], seed=number))
    expected, size = content(store), store.size_bytes()
    assert store.compact(keep=NOW) > 0
    assert data_files(store) == 1
    assert store.size_bytes() < size / 3
    for opened in (store, MemoryStore.open(store.path)):
        assert content(opened) == expected
    assert [each.version for each in store.versions()] == [store.version]
    store.append(rows(["after"]))
    assert len(MemoryStore.open(store.path)) == len(expected) + 1


def test_compaction_is_what_lance_does_in_one_call(store, tmp_path):
    for number in range(6):
        store.append(rows([f"{number} {i}" for i in range(4)], seed=number))
    store.delete(["0 0", "3 2"])
    other = MemoryStore.open(shutil.copytree(store.path, tmp_path / "other"))
    store.compact()
    with other._writing() as change:
        change.dataset.optimize.compact_files()
    read = [one.read().to_pylist() for one in (store, other)]
    assert read[0] == read[1]
    assert store.version == other.version
    assert data_files(store) == data_files(other)


def test_compaction_counts_rows_and_files(store, monkeypatch):
    for number in range(6):
        store.append(rows([f"{number} {i}" for i in range(4)], seed=number))
    expected = content(store)
    monkeypatch.setattr(writing, "_ROWS_OF_A_FILE", 8)
    before = set(store._files.seals.known())
    store.compact(keep=timedelta(days=1), progress=(ticks := Ticks()))
    written = len(set(store._files.seals.known()) - before) + 1  # the hint has no seal
    assert ticks.stages() == {"deleting": 2, "gathering": 24, "publishing": written}
    assert [done for stage, done, _ in ticks.seen if stage == "gathering"] == [0, 8, 16, 24]
    store.compact(keep=NOW)
    assert data_files(store) == 3
    assert content(MemoryStore.open(store.path)) == expected
    store.compact(progress=(ticks := Ticks()))
    assert "gathering" not in ticks.stages()


def test_by_default_young_versions_outlive_compaction(store):
    for number in range(5):
        store.append(rows([str(number)]))
    old, version = content(store), store.version
    reader = MemoryStore.open(store.path)
    store.delete(["0", "1"])
    store.compact()
    assert content(reader) == content(store.snapshot(version)) == old
    assert sorted(content(store)) == ["2", "3", "4"]
    store.compact(keep=NOW)
    with pytest.raises(StoreError, match=r"there no more; `compact` deletes"):
        store.snapshot(version)
    with pytest.raises(StoreError, match="open the store again"):
        reader.read()
    assert sorted(content(store)) == ["2", "3", "4"]


def test_an_old_version_that_was_damaged_is_not_called_compacted_away(store):
    store.append(rows(["a"]))
    version = store.version
    (old,) = (store.path / "photos.lance" / "data").iterdir()
    store.upsert(rows(["a"], seed=1))
    old.write_bytes(b"short")
    with pytest.raises(StoreError, match=f"{old.name} was damaged"):
        store.snapshot(version)
    assert content(store) == of(rows(["a"], seed=1))


@pytest.mark.parametrize("whole", [True, False])
def test_compaction_publishes_what_a_crash_left_or_sets_it_aside(store, whole):
    store.append(rows(["a"]))
    other = MemoryStore.open(store.path)
    manifest = (store.path / "store.json").read_bytes()
    before = set(store.path.rglob("*.manifest"))
    store.append(rows(["b"]))
    (store.path / "store.json").write_bytes(manifest)
    if not whole:
        (new,) = set(store.path.rglob("*.manifest")) - before
        new.write_bytes(new.read_bytes()[:40])
    other.compact(keep=NOW)
    expected = of(rows(["a", "b"] if whole else ["a"]))
    assert content(other) == content(MemoryStore.open(store.path)) == expected


def test_on_a_full_disk_compaction_frees_what_old_versions_need(store, monkeypatch):
    for seed in range(3):
        store.upsert(rows(["a", "b"], seed=seed))
    written, size = content(store), store.size_bytes()

    def full(*_):
        raise OSError("LanceError(IO): No space left on device (os error 28)")

    monkeypatch.setattr(writing, "_gather", full)
    with pytest.raises(StoreError, match="No space left"):
        store.compact(keep=NOW)
    assert store.size_bytes() < size
    assert len(store.versions()) == 1
    assert content(store) == content(MemoryStore.open(store.path)) == written


def test_a_store_that_is_compacted_while_it_is_opened_opens(store, monkeypatch):
    store.append(rows(["a"]))
    store.append(rows(["b"]))
    stale = [memory_store.read_manifest(store._files)]
    store.compact(keep=NOW)  # just after the reader has read store.json
    read = memory_store.read_manifest
    monkeypatch.setattr(
        memory_store, "read_manifest", lambda files: stale.pop() if stale else read(files)
    )
    assert sorted(content(MemoryStore.open(store.path))) == ["a", "b"]
    assert stale == []


@pytest.mark.parametrize("keep", [0, None, "1d"])
def test_what_compaction_keeps_is_a_time(store, keep):
    with pytest.raises(InputError, match="timedelta"):
        store.compact(keep=keep)


def test_compaction_may_keep_everything_or_nothing(store):
    for name in "ab":
        store.append(rows([name]))
    versions = [each.version for each in store.versions()]
    store.compact(keep=timedelta.max)
    assert {each.version for each in store.versions()} >= set(versions)
    store.compact(keep=timedelta.min)
    assert [each.version for each in store.versions()] == [store.version]


def test_compacting_twice_changes_nothing(store):
    store.append(rows(["a"]))
    store.compact(keep=NOW)
    before = (store.version, content(store), sorted(store.path.rglob("*")))
    assert store.compact(keep=NOW) == 0
    assert (store.version, content(store), sorted(store.path.rglob("*"))) == before


# --- the lock --------------------------------------------------------------------------------


def test_writers_wait_for_the_lock_and_readers_do_not(store):
    store.append(rows(["a"]))
    other = MemoryStore.open(store.path)
    writer = threading.Thread(target=other.append, args=[rows(["b"])])
    with FileLock(store.path / ".write.lock"):
        writer.start()
        assert sorted(content(MemoryStore.open(store.path))) == ["a"]
        assert sorted(content(store)) == ["a"]
        writer.join(0.3)
        assert writer.is_alive()
        assert sorted(content(MemoryStore.open(store.path))) == ["a"]
    writer.join()
    assert sorted(content(MemoryStore.open(store.path))) == ["a", "b"]


def test_what_a_writer_at_work_committed_is_not_read_before_it_is_published(store):
    store.append(rows(["a"]))
    manifest = (store.path / "store.json").read_bytes()
    store.append(rows(["b"]))
    (store.path / "store.json").write_bytes(manifest)
    with FileLock(store.path / ".write.lock"):  # the writer has not published yet
        opened = MemoryStore.open(store.path)
        assert sorted(content(opened)) == ["a"]
        assert opened.versions()[-1].version == opened.version == store.version - 1
        with pytest.raises(StoreError, match="no version"):
            opened.snapshot(store.version)
    assert sorted(content(MemoryStore.open(store.path))) == ["a", "b"]  # it crashed


def test_threads_may_share_a_store(store):
    def write(name: str) -> None:
        for number in range(5):
            store.append(rows([f"{name}{number}"]))

    writers = [threading.Thread(target=write, args=[name]) for name in "abc"]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    expected = [f"{name}{number}" for name in "abc" for number in range(5)]
    assert sorted(content(store)) == sorted(content(MemoryStore.open(store.path))) == expected


def test_a_failed_write_publishes_nothing_and_frees_the_lock(store):
    store.append(rows(["a"]))
    with pytest.raises(InputError):
        store.update(pa.table({"photo_id": ["z"], "album": ["x"]}))
    MemoryStore.open(store.path).append(rows(["b"]))
    assert sorted(content(MemoryStore.open(store.path))) == ["a", "b"]


def test_rows_keep_the_columns_that_came_with_format_2(store):
    drafts = [
        {"photo_id": "a", "event_given": "g", "event_assigned": "h", "event_confidence": 0.5},
        {"photo_id": "b", "outcome": "no text yet"},
    ]
    store.append(to_table(drafts, np.empty((0, DIMENSION), np.float32)))
    read = store.read(["event_given", "event_assigned", "event_confidence", "outcome"]).to_pylist()
    nothing = dict.fromkeys(("event_given", "event_assigned", "event_confidence", "outcome"))
    assert read == [nothing | draft for draft in drafts]


@pytest.mark.parametrize(
    "bad",
    [
        "1/0 = 1",
        "cast(name as int) > 3",
        "true; false",
        "true LIMIT 1",
        "true ORDER BY name",
        "name = 'a' GROUP BY 1",
        "true) OR (true",
        "name = 'a')",
        "name = 'a' /* x",
        "",
        3,
        b"true",
        ["true"],
    ],
)
def test_a_condition_is_read_whole_or_refused(store, bad):
    store.append(rows(["a", "b"]))
    for act in (lambda: store.read([], bad), lambda: list(store.scan([], bad))):
        with pytest.raises(InputError, match=r"^the condition .* can't be read") as caught:
            act()
        assert "vector" not in str(caught.value).partition("conditions on the columns")[2]


@pytest.mark.parametrize("good", ["name = 'a' -- )", "name = 'a' OR name = ')('", "(name = 'a')"])
def test_brackets_in_words_and_remarks_are_not_counted(store, good):
    store.append(rows(["a", "b"]))
    assert store.read([], good)["photo_id"].to_pylist() == ["a"]


def test_where_nothing_may_be_written_the_error_says_so(store, tmp_path):
    store.append(rows(["a"]))
    lock = store.path / ".write.lock"
    lock.unlink()
    lock.mkdir()  # which, unlike missing rights, stops the superuser, too
    store = MemoryStore.open(store.path)
    assert len(store) == 1
    for act in (
        lambda: store.delete(["a"]),
        store.compact,
        lambda: store.replace_artifact("seeds", pa.table({"x": [1]})),
        lambda: check_store(store.path, repair=True),
    ):
        with pytest.raises(
            StoreError, match=r"can't be written to here .* copy it to where it can"
        ):
            act()
    assert not check_store(store.path).with_status("failed", "waiting")


def test_missing_rights_are_no_damage(tmp_path):
    with pytest.raises(StoreError, match="copy the store") as caught, lance_errors(tmp_path):
        raise PermissionError(13, "denied")
    assert "damaged" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_store_opened_before_a_fork_is_not_written_to_after_it(store):
    store.append(rows(["a"]))
    code = (
        "import os, sys, warnings\n"
        "from rememberai.errors import StoreError\n"
        "from rememberai.store import MemoryStore\n"
        "warnings.simplefilter('ignore')  # Lance warns of every fork\n"
        "store = MemoryStore.open(sys.argv[1])\n"
        "store.delete(['a'])\n"
        "if os.fork():\n"
        "    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "try:\n"
        "    store.delete(['a'])\n"
        "except StoreError as error:\n"
        "    os._exit(7 if 'open it here anew' in str(error) else 8)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.path)], timeout=60, check=False)
    assert done.returncode == 7
