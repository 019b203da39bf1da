"""Parquet out of one store and into another."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from makers import Ticks
from store_rows import DIMENSION, content, make, rows

from rememberai import MemoryStore
from rememberai.errors import InputError, ModelMismatchError, StoreError
from rememberai.store import transfer
from rememberai.store.schema import to_table


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    store = make(tmp_path / "s")
    store.append(rows(["a", "b", "한글"], latitude=1.5, event_given="party", event_confidence=0.5))
    store.append(to_table([{"photo_id": "silent"}], np.empty((0, DIMENSION), np.float32)))
    return store


def test_what_is_exported_is_imported_once(store, tmp_path):
    path = tmp_path / "out.parquet"
    assert store.export_parquet(path) == 4
    other = make(tmp_path / "t", metric="l2")
    assert other.import_parquet(path) == 4
    assert content(MemoryStore.open(other.path)) == content(store)
    version = other.version
    assert other.import_parquet(str(path)) == 0
    assert other.version == version
    store.append(rows(["new"]))
    store.export_parquet(path)
    assert other.import_parquet(path) == 1
    assert content(other) == content(store)


def test_other_tools_read_the_file(store, tmp_path):
    store.export_parquet(tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert {row["photo_id"]: row for row in table.to_pylist()} == content(store)


def test_rows_are_counted_as_they_go(store, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "_ROWS", 3)
    out, back = Ticks(), Ticks()
    store.export_parquet(tmp_path / "out.parquet", progress=out)
    other = make(tmp_path / "t")
    other.import_parquet(tmp_path / "out.parquet", progress=back)
    assert (out.stages(), back.stages()) == ({"writing": 4}, {"adding": 4})
    assert back.seen == [("adding", 3, 4), ("adding", 4, 4)]


def test_an_import_comes_in_several_writes(store, tmp_path, monkeypatch):
    store.append(rows([str(number) for number in range(20)]))
    store.export_parquet(tmp_path / "out.parquet")
    other = make(tmp_path / "t")
    other.append(rows(["a", "7"], seed=1))
    monkeypatch.setattr(transfer, "_ROWS", 10)
    assert other.import_parquet(tmp_path / "out.parquet") == 22
    assert content(other) == content(store) | {
        row["photo_id"]: row for row in rows(["a", "7"], seed=1).to_pylist()
    }


def test_a_file_may_have_the_longest_name(store, tmp_path):
    path = tmp_path / ("사" * 85)  # 255 bytes
    assert store.export_parquet(path) == 4
    assert make(tmp_path / "t").import_parquet(path) == 4


def test_an_empty_store_is_exported_and_imported(tmp_path):
    path = tmp_path / "out.parquet"
    assert make(tmp_path / "s").export_parquet(path) == 0
    assert make(tmp_path / "t").import_parquet(path) == 0


def test_another_model_s_vectors_are_not_imported(store, tmp_path):
    path = tmp_path / "out.parquet"
    store.export_parquet(path)
    for name, changes in (("t", {"model_id": "other"}), ("u", {"dimension": DIMENSION + 1})):
        other = make(tmp_path / name, **changes)
        with pytest.raises(ModelMismatchError):
            other.import_parquet(path)
        assert len(other) == 0


def test_the_second_model_s_vectors_are_exported_when_it_is_active(store, tmp_path):
    column = store.add_model("second", 3)
    batch = store.pending(column)
    store.fill(column, batch, np.arange(9).reshape(3, 3))
    store.switch_model(column)
    store.export_parquet(tmp_path / "out.parquet")
    other = make(tmp_path / "t", model_id="second", dimension=3)
    assert other.import_parquet(tmp_path / "out.parquet") == 4
    assert content(other) == content(store)


FOREIGN = (
    b"{}",
    b"[1]",
    b"not json",
    b"3",
    b'"x"',
    b"\xff",
    b'{"model": "model@1"}',
    b'{"model": 1, "dimension": 4}',
    b'{"model": "model@1", "dimension": "4"}',
)


def test_what_was_not_exported_is_not_imported(store, tmp_path):
    good = tmp_path / "good.parquet"
    store.export_parquet(good)
    data, table = good.read_bytes(), pq.read_table(good)
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.parquet").write_text("photo_id\na\n")
    pq.write_table(table.replace_schema_metadata(None), tmp_path / "foreign.parquet")
    pq.write_table(table.drop_columns(["album"]), tmp_path / "fewer.parquet")
    for number, said in enumerate(FOREIGN):
        marked = table.replace_schema_metadata({b"rememberai": said})
        pq.write_table(marked, tmp_path / f"foreign{number}.parquet")
    other = make(tmp_path / "t")
    for number in range(len(FOREIGN)):
        with pytest.raises(InputError, match=f"foreign{number}"):
            other.import_parquet(tmp_path / f"foreign{number}.parquet")
    for name in ("cut", "text", "foreign", "fewer", "absent"):
        with pytest.raises(InputError, match=name):
            other.import_parquet(tmp_path / f"{name}.parquet")
    bad = table.set_column(0, table.schema.field(0), pa.array(["a"] * len(table)))
    pq.write_table(bad, tmp_path / "twins.parquet")
    with pytest.raises(InputError, match="distinct"):
        other.import_parquet(tmp_path / "twins.parquet")
    short = pa.array([[1.0, 2.0]] * len(table), pa.list_(pa.float32()))
    place = table.schema.get_field_index("vector")
    pq.write_table(table.set_column(place, "vector", short), tmp_path / "short.parquet")
    with pytest.raises(InputError, match="length"):
        other.import_parquet(tmp_path / "short.parquet")
    assert len(other) == 0


def test_a_file_with_a_flipped_bit_is_refused_or_right(store, tmp_path):
    path, flipped = tmp_path / "good.parquet", tmp_path / "flipped.parquet"
    store.append(rows([f"photo {i}" for i in range(40)]))
    store.export_parquet(path)
    data, right = path.read_bytes(), content(store)
    other = make(tmp_path / "t")
    refused = 0
    for number, place in enumerate(range(0, len(data), len(data) // 150)):
        altered = bytearray(data)
        altered[place] ^= 1 << number % 8
        flipped.write_bytes(altered)
        try:
            other.import_parquet(flipped)
        except InputError:
            refused += 1
            assert len(other) == 0
        else:
            assert content(other) == right
            other.delete(list(right))
    assert refused > 75


def test_a_file_that_lost_rows_is_refused(store, tmp_path):
    path = tmp_path / "out.parquet"
    store.export_parquet(path)
    table = pq.read_table(path)
    said = pq.read_metadata(path).metadata
    said = {key: said[key] for key in said if key.startswith(b"rememberai")}
    for rows_left, whole in ((4, True), (3, False)):
        pq.write_table(table.slice(0, rows_left).replace_schema_metadata(said), path)
        other = make(tmp_path / str(rows_left))
        if whole:
            assert other.import_parquet(path) == rows_left
        else:
            with pytest.raises(InputError, match="another number of rows than 3"):
                other.import_parquet(path)


def test_texts_that_are_none_are_refused(store, tmp_path):
    path = tmp_path / "out.parquet"
    store.export_parquet(path)
    table = pq.read_table(path)
    place = table.schema.get_field_index("album")
    offsets = pa.py_buffer(np.arange(len(table) + 1, dtype=np.int32).tobytes())
    texts = pa.Array.from_buffers(
        pa.string(), len(table), [None, offsets, pa.py_buffer(b"\xff" * 4)]
    )
    pq.write_table(table.set_column(place, table.schema.field(place), texts), path)
    other = make(tmp_path / "t")
    with pytest.raises(InputError, match="UTF8"):
        other.import_parquet(path)
    assert len(other) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no flush of folders")
def test_an_export_is_on_the_disk_before_the_file_from_before_is_gone(store, tmp_path, monkeypatch):
    flushed, renamed = [], []
    fsync, replace = os.fsync, Path.replace

    def watched(descriptor: int) -> None:
        status = os.fstat(descriptor)
        flushed.append((status.st_ino, status.st_size))
        fsync(descriptor)

    def watched_replace(path: Path, target: Path) -> Path:
        renamed.append((path.stat().st_ino, path.stat().st_size) in flushed)
        flushed.clear()
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(Path, "replace", watched_replace)
    store.export_parquet(tmp_path / "out.parquet")
    assert renamed == [True]
    assert tmp_path.stat().st_ino in [inode for inode, _ in flushed]


def test_an_export_that_fails_leaves_the_file_from_before(store, tmp_path):
    path = tmp_path / "out.parquet"
    store.export_parquet(path)
    before = path.read_bytes()
    for part in (store.path / "photos.lance" / "data").iterdir():
        part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(StoreError):
        store.export_parquet(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.parquet", "s"]


@pytest.mark.parametrize("name", ["absent/out.parquet", "file/out.parquet", "x" * 256, "."])
def test_a_place_where_no_file_can_be_written_is_named(store, tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="name another file"):
        store.export_parquet(tmp_path / name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "s"]


@pytest.mark.parametrize(
    "name", ["store.json", "new.parquet", "photos.lance/x", "../link/seeds.table"]
)
def test_no_export_goes_among_the_store_s_own_files(store, name):
    store.path.with_name("link").symlink_to(store.path)
    before = {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="outside"):
        store.export_parquet(store.path / name)
    assert {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()} == before


def test_an_export_of_a_store_of_format_2_gets_nulls(store, tmp_path):
    path = tmp_path / "out.parquet"
    store.export_parquet(path)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["caption_confidence", "caption_seconds"]), path)
    other = make(tmp_path / "t")
    assert other.import_parquet(path) == 4
    assert content(other) == content(store)
    pq.write_table(table.drop_columns(["caption_confidence", "captioner"]), path)
    with pytest.raises(InputError, match="other columns"):
        make(tmp_path / "u").import_parquet(path)
