"""The check sees every flaw that is put into a store, and repairs only what costs nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from store_rows import DIMENSION, THEN, content, make, rows

from rememberai import MemoryStore
from rememberai.errors import InputError, StoreError
from rememberai.records import Report
from rememberai.store import check
from rememberai.store.check import check_store
from rememberai.store.schema import check_rows, to_table, vector_array
from rememberai.store.seals import Seals


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    store = make(tmp_path / "s")
    store.append(rows(["a", "b", "c"]))
    store.upsert(rows(["b", "d"], seed=1))
    store.append(to_table([{"photo_id": "silent"}], np.empty((0, DIMENSION), np.float32)))
    store.replace_artifact("seeds", pa.table({"x": [1, 2]}))
    return store


def said(report: Report, status: str) -> dict[str, str]:
    return {outcome.item: outcome.reason for outcome in report.with_status(status)}


def assert_sound(path: Path) -> None:
    report = check_store(path)
    assert report.count("done") == len(report.outcomes), report.outcomes


def state(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_sound_store_is_sound_and_left_as_it_is(store):
    before = state(store.path)
    report = check_store(store.path)
    assert_sound(store.path)
    assert state(store.path) == before
    done = said(report, "done")
    assert done["rows"].startswith("5 photos in ")
    assert done["seeds.table"] == "2 rows"
    for act in (lambda: check_store(store.path, repair=True), lambda: store.compact()):
        act()
        assert_sound(store.path)
    column = store.add_model("second", 3)
    batch = store.pending(column, 2)
    store.fill(column, batch, np.ones((2, 3)))
    assert_sound(store.path)


def published_files(path: Path) -> list[Path]:
    return sorted(
        file
        for file in (path / "photos.lance").rglob("*")
        if file.is_file() and file.name != "latest_version_hint.json"
    )


def test_a_flipped_bit_anywhere_in_the_table_is_seen(store):
    for path in published_files(store.path):
        data = path.read_bytes()
        for position in (0, len(data) // 2, len(data) - 1):
            flipped = bytearray(data)
            flipped[position] ^= 4
            path.write_bytes(flipped)
            failed = said(check_store(store.path), "failed")
            name = path.relative_to(store.path / "photos.lance").as_posix()
            assert "its content was altered" in failed[name]
            path.write_bytes(data)
    assert_sound(store.path)


def test_a_missing_or_shortened_file_is_seen_at_once(store):
    for path in published_files(store.path):
        folder, data = path.parent.name, path.read_bytes()
        for damage in (path.unlink, lambda path=path, data=data: path.write_bytes(data[:-1])):
            damage()
            missing = not path.exists()
            if folder in ("data", "_deletions"):
                with pytest.raises(StoreError, match="was damaged"):
                    MemoryStore.open(store.path)
            name = path.relative_to(store.path / "photos.lance").as_posix()
            reported = {**said(check_store(store.path), "failed")}
            if folder in ("data", "_deletions") or not missing:
                assert name in reported
            path.write_bytes(data)
    assert_sound(store.path)


def test_repair_does_not_hide_what_it_can_t_mend(store):
    path = max(store.path.rglob("*.lance"), key=lambda p: p.is_file() and p.stat().st_mtime_ns)
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    for _ in range(2):
        assert said(check_store(store.path, repair=True), "failed")
    assert path.read_bytes() == data


def forced(store: MemoryStore, change) -> None:
    """Write past the store's own checks, and publish it."""
    with store._writing() as draft:
        change(draft.dataset)


def test_rows_that_break_the_rules_are_named(store):
    wild = rows(["wild"])
    vectors = np.array([[1, np.nan, 3, 4]], np.float32)
    wild = wild.set_column(
        wild.schema.get_field_index("vector"),
        wild.schema.field("vector"),
        pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION),
    )
    mute = rows(["mute"])
    place = mute.schema.get_field_index("text_source")
    mute = mute.set_column(place, mute.schema.field(place), pa.nulls(1, pa.string()))
    for table in (wild, mute, rows(["a"])):
        forced(store, lambda dataset, table=table: dataset.insert(table))
    reasons = [outcome.reason for outcome in check_store(store.path).with_status("failed")]
    assert any("1 photos have NaN or infinity in the column vector: wild" in r for r in reasons)
    assert any("no words and a vector in vector: mute" in r for r in reasons)
    assert any("1 photos stand in the table more than once: a" in r for r in reasons)
    assert len(reasons) == 3


def test_zero_vectors_and_false_sources_are_named(store):
    table = rows(["zero", "titled", "unsaid"])
    place = table.schema.get_field_index("text_source")
    sources = pa.array(["memory", "title", "caption"])
    table = table.set_column(place, table.schema.field(place), sources)
    place = table.schema.get_field_index("vector")
    vectors = vector_array(
        np.array([[0] * DIMENSION, [1] * DIMENSION, [1] * DIMENSION], np.float32)
    )
    table = table.set_column(place, table.schema.field(place), vectors)
    forced(store, lambda dataset: dataset.insert(table))
    zero, untrue = sorted(o.reason for o in check_store(store.path).with_status("failed"))
    assert (zero.startswith("1 photos have a vector of zeros"), zero[-6:]) == (True, ": zero")
    assert untrue == "2 photos have a text source that is no column with words: titled, unsaid"


@pytest.mark.parametrize(
    ("source", "memory"), [("title", "x"), ("", "x"), ("memory", None), ("caption", "x")]
)
def test_a_text_source_names_a_column_with_words(source, memory):
    table = rows(["good", "bad"], memory="x")
    for name, values in (("text_source", ["memory", source]), ("memory", ["x", memory])):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, pa.string()))
    with pytest.raises(InputError, match="1 photos: bad"):
        check_rows(table, table.schema)


def test_vectors_without_a_direction_are_refused_under_cosine(store):
    table = to_table([{"photo_id": "zero", "memory": "x"}], np.zeros((1, DIMENSION), np.float32))
    make(store.path.with_name("l2"), metric="l2").append(table)
    words = table.select(["photo_id", "memory", "caption", "text_source", "vector"])
    words = words.set_column(0, "photo_id", pa.array(["a"]))
    for write, given, name in (
        (store.append, table, "zero"),
        (store.upsert, table, "zero"),
        (store.update, words, "a"),
    ):
        with pytest.raises(InputError, match=f"1 photos: {name}"):
            write(given)
    column = store.add_model("second", 3)
    texts = store.pending(column, 2)
    with pytest.raises(InputError, match=f"1 photos: {texts['photo_id'][1]}"):
        store.fill(column, texts, np.array([[1, 2, 3], [0, 0, 0]]))
    assert len(store.pending(column)) == 4


@pytest.mark.parametrize("value", [1e19, -3e38])
def test_vectors_too_large_for_the_index_are_refused_under_l2(store, value):
    table = to_table(
        [{"photo_id": i, "memory": i} for i in ("fine", "large")],
        np.array([[1e18] * DIMENSION, [1, 2, 3, value]], np.float32),
    )
    store.append(table)
    other = make(store.path.with_name("l2"), metric="l2")
    with pytest.raises(InputError, match=r"scaled down .* 1 photos: large"):
        other.append(table)
    other.append(table[:1])
    assert_sound(other.path)
    forced(other, lambda dataset: dataset.insert(table[1:]))
    (outcome,) = check_store(other.path).with_status("failed")
    assert outcome.reason.startswith("1 photos have a vector that is too large")
    assert outcome.reason.endswith(": large")
    other = MemoryStore.open(other.path)
    other.delete(["large"])
    column = other.add_model("second", DIMENSION)
    with pytest.raises(InputError, match=r"scaled down .* 1 photos: fine"):
        other.fill(column, other.pending(column), np.full((1, DIMENSION), value))


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_infinity_is_one_flaw(tmp_path, metric):
    other = make(tmp_path / metric, metric=metric)
    wild = np.full((1, DIMENSION), np.inf, np.float32)
    forced(
        other, lambda dataset: dataset.insert(to_table([{"photo_id": "w", "memory": "x"}], wild))
    )
    (outcome,) = check_store(other.path).with_status("failed")
    assert outcome.reason == "1 photos have NaN or infinity in the column vector: w"


def test_rows_that_do_not_say_when_are_dated(store):
    unless_changed = partial(store.upsert_unless_changed, before={})
    for write in (store.append, store.upsert, unless_changed):
        table = pa.concat_tables([rows(["n"], added=None), rows(["m"], updated=None)])
        before = datetime.now(UTC)
        write(table)
        found = content(store)
        assert (found["n"]["updated"], found["m"]["added"]) == (THEN, THEN)
        assert before <= found["n"]["added"] <= datetime.now(UTC)
        assert before <= found["m"]["updated"] <= datetime.now(UTC)
        store.delete(["n", "m"])


def test_a_vector_that_is_missing_is_named(store):
    forced(store, lambda dataset: dataset.update({"vector": "NULL"}, "photo_id = 'a'"))
    (outcome,) = check_store(store.path).with_status("failed")
    assert outcome.reason.startswith("1 photos have words and no vector")
    assert outcome.reason.endswith(": a")


@pytest.mark.parametrize("data", [b"", b"{}", None], ids=["empty", "altered", "missing"])
def test_a_store_without_its_manifest_can_t_be_mended(store, data):
    path = store.path / "store.json"
    path.unlink() if data is None else path.write_bytes(data)
    for repair in (False, True):
        (outcome,) = check_store(store.path, repair=repair).outcomes
        assert (outcome.item, outcome.status) == ("store.json", "failed")
        assert "backup" in outcome.reason


def test_who_may_not_read_a_store_is_not_sent_to_a_backup(store, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    (outcome,) = check_store(store.path).outcomes
    assert "can't be read by you" in outcome.reason
    assert "backup" not in outcome.reason
    for act in (MemoryStore.open, MemoryStore.exists, make):
        with pytest.raises(StoreError, match="copy the store to where it can"):
            act(store.path)


def test_what_is_no_store_is_not_to_be_restored(tmp_path):
    for repair in (False, True):
        (outcome,) = check_store(tmp_path, repair=repair).outcomes
        assert outcome.status == "failed"
        assert "is no store" in outcome.reason
        assert "backup" not in outcome.reason
    assert not list(tmp_path.iterdir())


def test_the_bytes_of_an_altered_manifest_are_not_shown(store):
    (store.path / "store.json").write_bytes(b"\xffsecret")
    with pytest.raises(StoreError) as caught:
        MemoryStore.open(store.path)
    assert "secret" not in str(caught.value)


def test_an_artifact_that_can_t_be_read_just_now_stays(store):
    path = store.path / "seeds.table"
    path.unlink()
    path.mkdir()
    for repair in (False, True):
        assert "can't be read" in said(check_store(store.path, repair=repair), "failed")[path.name]
        assert path.exists()


def test_a_damaged_artifact_is_set_aside(store):
    path = store.path / "seeds.table"
    data = path.read_bytes()[:-1]
    path.write_bytes(data)
    assert "seeds.table" in said(check_store(store.path), "waiting")
    assert path.exists()
    assert "set aside" in said(check_store(store.path, repair=True), "done")["seeds.table"]
    assert store.read_artifact("seeds") is None
    assert [file.read_bytes() for file in (store.path / "set-aside").iterdir()] == [data]
    assert_sound(store.path)


def unpublished(store: MemoryStore, *names: str) -> None:
    """Write a photo, and lose what was written to some files of the store's folder."""
    kept = {name: (store.path / name).read_bytes() for name in names}
    store.append(rows(["new"]))
    for name, data in kept.items():
        (store.path / name).write_bytes(data)


def test_a_whole_version_that_nobody_published_is_told_and_published(store):
    unpublished(store, "store.json")
    assert_sound(store.path)  # it costs no row, and the next opening settles it
    told = said(check_store(store.path), "done")[f"version {store.version}"]
    assert told.endswith("the next opening publishes it")
    assert json.loads((store.path / "store.json").read_text())["version"] == store.version - 1
    assert not check_store(store.path, repair=True).with_status("waiting", "failed")
    assert_sound(store.path)
    assert content(MemoryStore.open(store.path)) == content(store)


def test_a_version_that_was_never_synced_is_told_and_set_aside(store):
    before = content(store)
    unpublished(store, "store.json", "checksums")
    assert_sound(store.path)
    report = check_store(store.path)
    told = said(report, "done")[f"version {store.version}"]
    assert told.endswith("the next opening sets it aside")
    assert any(o.reason.startswith("2 files have no checksum") for o in report.outcomes)
    report = check_store(store.path, repair=True)
    assert not report.with_status("waiting", "failed")
    assert said(report, "done")["set-aside"].startswith("2 files of versions that are newer")
    assert_sound(store.path)
    assert content(MemoryStore.open(store.path)) == before
    aside = [path for path in (store.path / "set-aside").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in aside) == [".lance", ".manifest"]


def test_an_interrupted_write_leaves_no_flaw_once_the_store_is_opened(store, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(store._files), "publish", interrupted)
    for write in (store.compact, lambda: store.append(rows(["e"]))):
        with pytest.raises(KeyboardInterrupt):
            write()
    monkeypatch.undo()
    assert len(MemoryStore.open(store.path)) == 5
    assert_sound(store.path)


COMPACTING = """
import os, signal, sys
from rememberai.store import MemoryStore
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
path, stage, done, number = sys.argv[1:]
def told(*tick):
    if tick[:2] == (stage, int(done) * tick[2]):
        os.kill(os.getpid(), int(number))
MemoryStore.open(path).compact(progress=told)
"""
# At the beginning of a stage, or at its end.
MOMENTS = [("gathering", 1), ("publishing", 0), ("publishing", 1)]


def stopped(path: Path, stage: str, done: int, number: signal.Signals) -> None:
    """Compact a store in a process of its own, which is stopped by a signal at some moment."""
    arguments = [sys.executable, "-c", COMPACTING, str(path), stage, str(done), str(int(number))]
    assert subprocess.run(arguments, stderr=subprocess.DEVNULL, check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize(("stage", "done"), MOMENTS)
def test_a_store_is_whole_right_after_a_compaction_that_was_stopped(store, stage, done, number):
    expected = content(store)
    stopped(store.path, stage, done, signal.Signals[number])
    before = state(store.path)
    assert_sound(store.path)
    assert state(store.path) == before
    assert content(MemoryStore.open(store.path)) == expected
    assert_sound(store.path)
    MemoryStore.open(store.path).compact(keep=timedelta(0))
    assert_sound(store.path)
    assert len(published_files(store.path)) == 3  # rows, version and transaction: nothing is left
    assert content(MemoryStore.open(store.path)) == expected


def test_what_a_stopped_compaction_left_hides_no_flaw(store):
    published = published_files(store.path)
    stopped(store.path, "publishing", 0, signal.SIGINT)
    assert len(published_files(store.path)) > len(published)
    for path in published:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert said(check_store(store.path), "failed")
        path.write_bytes(data)
    assert_sound(store.path)


def test_an_older_store_json_that_is_put_back_costs_no_photo(store):
    kept = {name: (store.path / name).read_bytes() for name in ("store.json", "checksums")}
    store.append(rows([f"later {i}" for i in range(5)]))
    store.upsert(rows(["a", "later 1"], seed=3))
    expected = content(store)
    newest = {name: (store.path / name).read_bytes() for name in kept}
    for name, data in kept.items():
        (store.path / name).write_bytes(data)
    waiting = said(check_store(store.path), "waiting")[f"version {store.version}"]
    assert waiting.startswith("2 writes are newer than store.json and checksums say")
    report = check_store(store.path, repair=True)
    assert "put back" in said(report, "done")["set-aside"]
    assert len(MemoryStore.open(store.path)) == 5
    copy = Path(shutil.copytree(store.path, store.path.with_name("copy")))
    MemoryStore.open(copy).compact(keep=timedelta(0))
    aside = [sorted(state(root / "set-aside").values()) for root in (copy, store.path)]
    assert aside[0] == aside[1]
    for file in (store.path / "set-aside").rglob("*"):
        if file.is_file():
            file.replace(store.path / file.relative_to(store.path / "set-aside"))
    for name, data in newest.items():
        (store.path / name).write_bytes(data)
    assert_sound(store.path)
    assert content(MemoryStore.open(store.path)) == expected


def test_of_what_crashed_writers_left_repair_deletes_drafts_and_moves_parts(store):
    draft = store.path / f".store.json.{'0' * 32}"
    parts = [
        store.path / "photos.lance" / "data" / "draft.lance",
        store.path / "photos.lance" / "_deletions" / "0-9-9.arrow",
    ]
    for path in (draft, *parts):
        path.write_bytes(b"half")
    assert "leftovers" not in said(check_store(store.path), "waiting")  # a writer may be at work
    for path in (draft, *parts):
        os.utime(path, (0, 0))
    waiting = [outcome.reason for outcome in check_store(store.path).with_status("waiting")]
    assert any("1 drafts" in reason for reason in waiting)
    assert any("2 files that no version" in reason for reason in waiting)
    expected = content(store)
    check_store(store.path, repair=True)
    assert not any(path.exists() for path in (draft, *parts))
    for path in parts:
        aside = store.path / "set-aside" / path.relative_to(store.path)
        assert aside.read_bytes() == b"half"
    assert content(MemoryStore.open(store.path)) == expected
    assert all(content(store.snapshot(each.version)) is not None for each in store.versions())
    assert_sound(store.path)


def test_repair_moves_nothing_while_it_can_t_tell_what_is_needed(store):
    expected, files = content(store), published_files(store.path)
    oldest = max((store.path / "photos.lance" / "_versions").glob("*.manifest"))
    oldest.write_bytes(oldest.read_bytes()[:40])
    report = check_store(store.path, repair=True)
    assert [outcome.item for outcome in report.with_status("failed")] == [
        f"_versions/{oldest.name}"
    ]
    assert published_files(store.path) == files
    assert content(MemoryStore.open(store.path)) == expected


def test_repair_leaves_the_draft_of_who_learns_just_now(store):
    draft = store.path / f".seeds.table.{'0' * 32}"
    draft.write_bytes(b"half")
    check_store(store.path, repair=True)
    assert draft.read_bytes() == b"half"


def test_a_crash_while_checksums_were_written_costs_nothing(store):
    path = store.path / "checksums"
    manifest = (store.path / "store.json").read_bytes()
    published, before = content(store), path.stat().st_size
    store.append(rows(["new"]))
    whole = path.read_bytes()
    for cut in (len(whole) - 1, len(whole) - 70, before + 1, before):
        copy = Path(shutil.copytree(store.path, store.path.with_name(str(cut))))
        (copy / "store.json").write_bytes(manifest)
        (copy / "checksums").write_bytes(whole[:cut] + bytes(7))
        assert not check_store(copy).with_status("failed")
        again = MemoryStore.open(copy)
        assert content(again) == published
        again.append(rows(["again"]))
        assert_sound(copy)
        assert len((copy / "checksums").read_bytes()) >= len(whole)


def test_half_a_line_behind_the_checksums_costs_no_file_its_own(store):
    path = store.path / "checksums"
    path.write_bytes(path.read_bytes() + b"0123456789abcdef")  # as of a repair that was stopped
    assert_sound(store.path)
    MemoryStore.open(store.path).append(rows(["new"]))
    assert_sound(store.path)


def test_there_is_a_checksum_of_each_file_and_of_no_other(store):
    for _ in range(2):
        lines = (store.path / "checksums").read_text().splitlines()
        table = store.path / "photos.lance"
        there = [path.relative_to(table).as_posix() for path in published_files(store.path)]
        assert sorted(line.split(" ", 2)[2] for line in lines) == there
        store.compact(keep=timedelta(0))


def line_of(path: Path, store: MemoryStore) -> bytes:
    name = path.relative_to(store.path / "photos.lance").as_posix().encode()
    lines = (store.path / "checksums").read_bytes().splitlines(keepends=True)
    (line,) = (line for line in lines if line.endswith(b" " + name + b"\n"))
    return line


LOSS = {
    "altered": lambda data, line: data.replace(line, b"Z" + line[1:]),
    "cut out": lambda data, line: data.replace(line, b""),
    "all gone": lambda data, line: b"",
}


@pytest.mark.parametrize("loss", LOSS.values(), ids=LOSS)
def test_damaged_data_without_its_checksum_is_never_certified(store, loss):
    (path,) = (p for p in store.path.glob("photos.lance/data/*") if b"about d" in p.read_bytes())
    name = path.relative_to(store.path / "photos.lance").as_posix()
    checksums = store.path / "checksums"
    checksums.write_bytes(loss(checksums.read_bytes(), line_of(path, store)))
    path.write_bytes(path.read_bytes().replace(b"about d", b"About d"))
    seen = said(check_store(store.path), "failed")
    assert "can't be vouched for" in seen[name]
    for act in (
        lambda: MemoryStore.open(store.path).append(rows(["new"])),
        lambda: check_store(store.path, repair=True),
        lambda: MemoryStore.open(store.path).delete(["new"]),
    ):
        act()
        assert "can't be vouched for" in said(check_store(store.path), "failed")[name]


def test_a_lost_checksum_of_an_old_version_s_file_is_named_with_the_way_out(store):
    old = next(p for p in store.path.glob("photos.lance/data/*") if b"about c" in p.read_bytes())
    store.upsert(rows(["a", "b", "c"], seed=2))
    checksums = store.path / "checksums"
    checksums.write_bytes(checksums.read_bytes().replace(line_of(old, store), b""))
    name = old.relative_to(store.path / "photos.lance").as_posix()
    assert "only older versions need it; compact" in said(check_store(store.path), "failed")[name]
    MemoryStore.open(store.path).compact(keep=timedelta(0))
    assert_sound(store.path)


def test_a_line_of_the_checksums_that_was_altered_hides_no_other(store):
    path = store.path / "checksums"
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first[:3] + b"-" + first[4:] + b"".join(others))
    report = check_store(store.path)
    assert said(report, "waiting")["checksums"] == "1 lines were altered"
    assert len(said(report, "failed")) <= 1
    mended = check_store(store.path, repair=True).with_status("done")
    assert "1 lines were altered and are dropped now" in [outcome.reason for outcome in mended]
    assert "checksums" not in said(check_store(store.path), "waiting")
    reads = f"{len(others)} files were read"
    assert reads in [o.reason for o in report.outcomes if o.item == "checksums"]


def test_without_any_checksum_an_unpublished_version_is_not_trusted(store):
    published = content(store)
    unpublished(store, "store.json")
    (store.path / "checksums").unlink()
    assert content(MemoryStore.open(store.path)) == published


def test_a_file_of_checksums_that_was_replaced_is_read_anew(store):
    table = store.path / "photos.lance"
    seals = Seals(table)
    known = dict(seals.known())
    path = store.path / "checksums"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[1:] + lines[1:2]))  # the same inode, and longer or as long
    assert set(seals.known()) < set(known)


@pytest.mark.parametrize("repair", [False, True])
def test_a_store_is_sound_while_somebody_writes_to_it(store, repair):
    stop, failed = threading.Event(), []

    def write():
        mine = MemoryStore.open(store.path)
        number = 0
        while not stop.is_set():
            mine.append(rows([f"w{number}"]))
            mine.replace_artifact("seeds", pa.table({"x": [number]}))
            if number % 4 == 3:
                mine.compact(keep=timedelta(0))
            number += 1

    def write_and_tell():
        try:
            write()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=write_and_tell)
    thread.start()
    try:
        for _ in range(12):
            assert not check_store(store.path, repair=repair).with_status("failed")
    finally:
        stop.set()
        thread.join()
    assert not failed


def test_a_store_that_is_compacted_while_it_is_checked_is_sound(store, monkeypatch):
    looked = check._rows

    def compacted(files, manifest, progress):
        if manifest.version == version:
            MemoryStore.open(store.path).compact(keep=timedelta(0))
        return looked(files, manifest, progress)

    version = store.version
    monkeypatch.setattr(check, "_rows", compacted)
    assert_sound(store.path)
    assert MemoryStore.open(store.path).version > version


def test_what_was_deleted_while_it_was_looked_for_is_no_crash(store, monkeypatch):
    draft = store.path / f".store.json.{'0' * 32}"
    draft.write_bytes(b"half")
    stat = Path.stat

    def vanishing(self, **options):
        if self == draft:
            self.unlink(missing_ok=True)
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", vanishing)
    assert not check_store(store.path).with_status("waiting", "failed")


def test_a_store_of_format_1_has_no_checksums_until_it_is_opened(tmp_path):
    with zipfile.ZipFile(Path(__file__).with_name("kept") / "format1.zip") as kept:
        kept.extractall(tmp_path / "s")
    before = state(tmp_path / "s")
    waiting = said(check_store(tmp_path / "s"), "waiting")
    assert {"store.json", "checksums"} == set(waiting)
    assert not check_store(tmp_path / "s").with_status("failed")
    assert state(tmp_path / "s") == before
    check_store(tmp_path / "s", repair=True)
    assert_sound(tmp_path / "s")
