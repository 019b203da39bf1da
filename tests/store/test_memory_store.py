"""The store's own promises: what is written is read, what does not fit is refused."""

from __future__ import annotations

import json
import signal
import threading
from datetime import UTC, datetime
from types import MappingProxyType

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from store_rows import DIMENSION, THEN, content, empty_rows, make, rows

from rememberai import MemoryStore
from rememberai.errors import InputError, ModelMismatchError, StoreError
from rememberai.store.schema import to_table


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return make(tmp_path / "s")


# --- create and open -------------------------------------------------------------------------


def test_a_new_store_is_empty_and_keeps_what_it_was_made_with(tmp_path):
    made = make(tmp_path / "deep" / "s", metric="l2", embedder="all-MiniLM-L6-v2")
    for store in (made, MemoryStore.open(tmp_path / "deep" / "s")):
        assert len(store) == 0
        assert (store.model_id, store.dimension) == ("model@1", DIMENSION)
        assert (store.metric, store.embedder) == ("l2", "all-MiniLM-L6-v2")
        ids, vectors = store.vectors()
        assert ids.shape == (0,)
        assert vectors.shape == (0, DIMENSION)
        assert vectors.dtype == np.float32
        assert store.read().num_rows == 0
        assert store.read_rows(["a"]) == {}
        assert store.vectors_of_texts(["about a"]) == {}
    assert MemoryStore.open(make(tmp_path / "t").path).embedder is None
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_new_table_says_how_ids_and_paths_are_compressed_and_keeps_to_it(tmp_path):
    store = make(tmp_path / "s")
    store.append(rows(["1"], path="/a/1.jpg"))
    store.upsert(rows(["1", "2"], path="/b/1.jpg"))
    store.compact()
    schema = lance.dataset(store.path / "photos.lance").schema
    said = {field.name: field.metadata for field in schema if field.metadata}
    key = b"lance-encoding:compression"
    assert said == {"photo_id": {key: b"none"}, "name": {key: b"lz4"}, "path": {key: b"lz4"}}
    assert {id: row["path"] for id, row in content(store).items()} == dict.fromkeys(
        ["1", "2"], "/b/1.jpg"
    )


@pytest.mark.parametrize("name", ["a b", "a#b?c%20d", "é 한글", "q'uo\"te", "[x]*{y}", "a:b@c"])
def test_a_folder_of_any_name_holds_a_store(tmp_path, name):
    make(tmp_path / name).upsert(rows(["1"]))
    assert len(MemoryStore.open(tmp_path / name)) == 1


def test_a_folder_may_have_the_longest_name(tmp_path):
    name = "사" * 85  # 255 bytes
    make(tmp_path / name).append(rows(["a"]))
    assert len(MemoryStore.open(tmp_path / name)) == 1
    for act in (make, MemoryStore.open, MemoryStore.exists):
        with pytest.raises(StoreError, match="can't be read"):
            act(tmp_path / f"{name}x")


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x7f", "a\0b", "\udcff"], ids=ascii)
def test_a_folder_that_lance_can_t_name_is_refused(tmp_path, name):
    for act in (make, MemoryStore.open):
        with pytest.raises(InputError, match="rename it"):
            act(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_a_string_relative_or_of_the_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert make("~/s").path == tmp_path / "s"
    assert MemoryStore.open("s").path == tmp_path / "s"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_an_empty_place_may_become_a_store(tmp_path, there):
    disk = tmp_path / "disk"
    disk.mkdir()
    if there:
        (disk / "s").mkdir()
    (tmp_path / "link").symlink_to(disk / "s", target_is_directory=True)
    make(tmp_path / "link").append(rows(["a"]))
    assert (tmp_path / "link").is_symlink()
    assert len(MemoryStore.open(tmp_path / "link")) == len(MemoryStore.open(disk / "s")) == 1
    assert [path.name for path in disk.iterdir()] == ["s"]


def test_an_empty_folder_may_become_a_store(tmp_path):
    (tmp_path / "s").mkdir()
    make(tmp_path / "s")
    assert len(MemoryStore.open(tmp_path / "s")) == 0


def test_a_store_is_never_made_over_something(tmp_path, store):
    store.upsert(rows(["a"]))
    with pytest.raises(StoreError, match="is a store already"):
        make(store.path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(StoreError, match="is not empty"):
            make(tmp_path / name)
    assert len(MemoryStore.open(store.path)) == 1
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "s"]


def test_a_dimension_may_be_a_number_of_numpy(tmp_path):
    make(tmp_path / "s", dimension=np.int64(DIMENSION)).append(rows(["a"]))
    store = MemoryStore.open(tmp_path / "s")
    column = store.add_model("second", np.int64(3))
    assert MemoryStore.open(tmp_path / "s").models[column].dimension == 3


@pytest.mark.parametrize(
    "change",
    [
        *[{"dimension": 0}, {"dimension": -1}, {"dimension": 4.0}, {"dimension": 2**31}],
        *[{"metric": "dot"}, {"model_id": None}, {"model_id": 3}, {"embedder": 3}],
    ],
    ids=str,
)
def test_a_store_that_can_t_work_is_not_made(tmp_path, change):
    with pytest.raises(InputError):
        make(tmp_path / "s", **change)
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_no_store_can_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"file.s can't be made: .*name a place"):
        make(tmp_path / "file" / "s")

    def full(*_args, **_more):
        raise OSError("LanceError(IO): No space left on device (os error 28), /home/x/store.rs:1")

    monkeypatch.setattr(lance, "write_dataset", full)
    with pytest.raises(StoreError, match=r"s can't be made: .*\(os error 28\); name"):
        make(tmp_path / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["absent", "empty", "file", "pictures"])
def test_what_is_no_store_is_not_opened(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_text("x")
    with pytest.raises(StoreError, match="is no store"):
        MemoryStore.open(tmp_path / name)


def changed(**fields) -> bytes:
    sound = {
        "format": 1,
        "rememberai": "0.1.0",
        "model": {"id": "model@1", "dimension": DIMENSION, "embedder": None},
        "metric": "cosine",
        "version": 1,
    }
    return json.dumps(sound | fields).encode()


def model(**fields) -> bytes:
    return changed(model={"id": "m", "dimension": DIMENSION, "embedder": None} | fields)


def test_a_sound_manifest_opens(store):
    (store.path / "store.json").write_bytes(changed())
    assert MemoryStore.open(store.path).model_id == "model@1"


ALTERED = [
    b"",
    b"\0" * 150,
    b"\xff\xfe",
    b"{}",
    b"[]",
    b"null",
    b"[" * 100_000,
    *[changed()[:size] for size in (1, 20, 100, len(changed()) - 1)],
    *[changed(version=value) for value in (0, -1, 7, 2**70, "1", 1.0, True, None)],
    *[changed(metric=value) for value in ("dot", None, [], 1)],
    *[changed(model=value) for value in (None, "m", [], {})],
    *[model(id=value) for value in (None, 3)],
    *[model(dimension=value) for value in (None, 0, -1, 5, 4.0, "4", 2**70, True)],
    model(embedder=3),
    changed(format=None),
]


@pytest.mark.parametrize("data", ALTERED, ids=range(len(ALTERED)))
def test_an_altered_manifest_is_a_store_error(store, data):
    (store.path / "store.json").write_bytes(data)
    with pytest.raises(StoreError):
        MemoryStore.open(store.path)


def test_a_store_of_a_newer_format_names_the_version_that_reads_it(store):
    (store.path / "store.json").write_text('{"format": 4, "rememberai": "3.1", "tables": []}')
    with pytest.raises(StoreError, match=r"format 4; .* reads up to 3\. .*3\.1"):
        MemoryStore.open(store.path)


def test_a_table_that_is_gone_or_another_s_is_a_store_error(tmp_path, store):
    other = make(tmp_path / "other", dimension=5)
    table = store.path / "photos.lance"
    table.rename(tmp_path / "away")
    with pytest.raises(StoreError, match="restore"):
        MemoryStore.open(store.path)
    (other.path / "photos.lance").rename(table)
    with pytest.raises(StoreError, match="do not fit each other"):
        MemoryStore.open(store.path)


def test_the_model_is_checked(store):
    store.check_model("model@1", DIMENSION)
    for model_id, dimension in (("model@2", DIMENSION), ("model@1", 5)):
        with pytest.raises(ModelMismatchError, match="model@1") as refused:
            store.check_model(model_id, dimension)
        assert model_id in str(refused.value)


# --- write -----------------------------------------------------------------------------------


def test_what_is_written_is_read_now_and_after_reopening(store):
    table = rows(["b", "a", "c"], album="x", latitude=1.5, width=3)
    store.upsert(table)
    expected = {row["photo_id"]: row for row in table.to_pylist()}
    assert content(store) == content(MemoryStore.open(store.path)) == expected
    assert len(store) == 3


def test_writing_the_same_again_changes_nothing(store):
    store.upsert(rows(["a", "b"]))
    before = content(store)
    store.upsert(rows(["a", "b"]))
    store.upsert(rows(["b"]))
    assert content(store) == content(MemoryStore.open(store.path)) == before


def test_a_known_photo_is_replaced_as_a_whole(store):
    store.upsert(rows(["a", "b"], caption="old", album="x"))
    b = content(store)["b"]
    store.upsert(rows(["a", "c"], seed=1, caption="new"))
    assert content(store)["a"] == rows(["a"], seed=1, caption="new").to_pylist()[0]
    assert content(store)["b"] == b
    assert sorted(content(store)) == ["a", "b", "c"]


def test_each_write_makes_a_higher_version(store):
    versions = [store.version]
    for _ in range(3):
        store.upsert(rows(["a"]))
        versions.append(store.version)
    assert versions == sorted(set(versions))
    assert MemoryStore.open(store.path).version == versions[-1]


def test_rows_may_lack_a_vector(store):
    drafts = [{"photo_id": "a"}, {"photo_id": "b", "caption": "a cat"}, {"photo_id": "c"}]
    store.upsert(to_table(drafts, np.ones((1, DIMENSION), np.float32)))
    silent = np.empty((0, DIMENSION), np.float32)
    store.upsert(to_table([{"photo_id": i} for i in "de"], silent))
    assert [row["vector"] for row in content(store).values()] == [None, [1] * 4, None, None, None]
    ids, vectors = store.vectors()
    assert ids.tolist() == ["b"]
    np.testing.assert_array_equal(vectors, np.ones((1, DIMENSION)))


def test_writing_no_rows_is_no_error(store):
    store.upsert(rows(["a"]))
    store.upsert(empty_rows())
    assert sorted(content(MemoryStore.open(store.path))) == ["a"]


def with_vector(value) -> pa.Table:
    vectors = np.ones((2, DIMENSION), np.float32)
    vectors[1, 2] = value
    return to_table([{"photo_id": i, "memory": "words"} for i in "az"], vectors)


REFUSED = {
    "twins": rows(["z", "z"]),
    "no id": rows(["z", None]),
    "NaN": with_vector(np.nan),
    "infinity": with_vector(np.inf),
    "another dimension": to_table([{"photo_id": "z", "memory": "x"}], np.ones((1, 5), np.float32)),
    "a vector without a text source": rows(["z"]).set_column(
        rows(["z"]).schema.get_field_index("text_source"), "text_source", pa.array([None], "string")
    ),
    "no ids": rows(["z"]).drop_columns(["photo_id"]),
    "no memory": rows(["a"]).drop_columns(["memory"]),
    "more columns": rows(["z"]).append_column("mood", pa.array(["fine"])),
    "another type": rows(["z"]).set_column(4, "width", pa.array(["wide"])),
}


@pytest.mark.parametrize("table", REFUSED.values(), ids=REFUSED)
def test_rows_that_do_not_fit_are_refused_and_nothing_is_changed(store, table):
    store.upsert(rows(["a", "b"]))
    before, version = content(store), store.version
    with pytest.raises(InputError):
        store.upsert(table)
    assert content(store) == before
    assert MemoryStore.open(store.path).version == version


@pytest.mark.parametrize("table", [None, {"photo_id": ["z"]}, rows(["z"]).to_batches()[0], []])
def test_what_is_no_table_is_refused(store, table):
    for write in (store.append, store.upsert, store.update):
        with pytest.raises(InputError, match=r"a pyarrow\.Table was wanted"):
            write(table)


def test_a_full_disk_is_a_store_error_and_loses_nothing(store):
    resource = pytest.importorskip("resource", reason="without it no write can be made to fail")
    store.upsert(rows(["a", "b"]))
    before = content(store)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for size in (0, 100, 1000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
            with pytest.raises(StoreError, match="disk has room"):
                store.upsert(rows(["a", "c"], seed=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert content(store) == content(MemoryStore.open(store.path)) == before
    store.upsert(rows(["c"]))
    assert content(MemoryStore.open(store.path)) == before | content_of(["c"])


def content_of(ids) -> dict:
    return {row["photo_id"]: row for row in rows(ids).to_pylist()}


# --- read ------------------------------------------------------------------------------------


def test_rows_are_read_in_the_order_of_their_ids_whatever_the_writes(store):
    rng = np.random.default_rng(0)
    ids = [f"{i:03}" for i in rng.permutation(60)]
    for start in range(0, 60, 20):
        store.upsert(rows(ids[start : start + 20]))
    store.upsert(rows(ids[::7], seed=1))
    assert store.read()["photo_id"].to_pylist() == sorted(ids)
    found, vectors = store.vectors()
    assert found.tolist() == sorted(ids)
    stored = {i: row["vector"] for i, row in content(store).items()}
    np.testing.assert_array_equal(vectors, [stored[i] for i in found])
    assert vectors.flags.c_contiguous


def test_columns_expressions_and_conditions(store):
    store.upsert(rows(["a", "b", "c"], latitude=2.0))
    store.upsert(rows(["b"], latitude=-1.0, album="it's"))
    assert store.read(["name"]).column_names == ["photo_id", "name"]
    assert set(store.read(["name", "photo_id"]).column_names) == {"photo_id", "name"}
    assert store.read([], where="latitude < 0")["photo_id"].to_pylist() == ["b"]
    assert store.read(["name"], where="album = 'it''s'")["name"].to_pylist() == ["b"]
    for columns in ({"twice": "latitude * 2"}, MappingProxyType({"twice": "latitude * 2"})):
        assert store.read(columns).to_pydict() == {
            "photo_id": ["a", "b", "c"],
            "twice": [4.0, -2.0, 4.0],
        }
    assert store.read(where="photo_id = 'zz'").num_rows == 0


@pytest.mark.parametrize("bad", [{"where": "("}, {"where": "nope = 1"}, {"columns": ["nope"]}])
def test_a_condition_that_can_t_be_read_is_the_caller_s_error(store, bad):
    with pytest.raises(ValueError, match=r"nope|parsing"):
        store.read(**bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"where": "width / 0 = 1"},
        {"where": "CAST(name AS INT) > 1"},
        {"where": "name = $1"},
        {"columns": {"x": "width / 0"}},
        {"columns": {"x": "repeat(name, 99999999999)"}},
        {"columns": {"x": "to_timestamp(name)"}},
    ],
    ids=str,
)
def test_an_expression_that_fails_is_told_from_a_damaged_file(store, bad):
    store.append(rows(["a", "b"], width=3))
    with pytest.raises(InputError, match="can't be read") as told:
        store.read(**bad)
    assert ".rs:" not in str(told.value)  # where in another's source is no word for people
    with pytest.raises(InputError, match="can't be read"):
        list(store.scan(**bad))
    (file,) = (store.path / "photos.lance" / "data").glob("*")
    data = bytearray(file.read_bytes())
    data[len(data) // 2 :] = bytes([255]) * (len(data) - len(data) // 2)
    file.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        MemoryStore.open(store.path).read(**bad)


ODD = ["o'k", "''", 'a"b', "back\\slash", "new\nline", "--x", ";", "한글", "%_", "a\0b", "", " "]


def test_ids_and_texts_with_any_characters_are_found(store):
    store.upsert(rows([*ODD, "plain"]))
    found = store.read_rows([*ODD, "absent'"])
    assert sorted(found) == sorted(ODD)
    for i, row in found.items():
        assert row["memory"] == f"about {i}"
        assert "vector" not in row
    texts = [f"about {i}" for i in ODD]
    vectors = store.vectors_of_texts([*texts, "about absent"])
    assert sorted(vectors) == sorted(texts)
    for i in ODD:
        np.testing.assert_array_equal(vectors[f"about {i}"], rows([i])["vector"][0].values)


def test_no_ids_and_no_texts_find_nothing(store):
    store.upsert(rows(["a"]))
    assert store.read_rows([]) == {}
    assert store.vectors_of_texts([]) == {}


@pytest.mark.parametrize("ids", ["ab", [1], ["a", None], 5], ids=str)
def test_what_is_no_collection_of_ids_finds_nothing_by_chance(store, ids):
    for known in (False, True):
        store.append(rows(["a", "b"]))  # by whose end the store remembers its ids
        opened = store if known else MemoryStore.open(store.path)
        for read in (opened.read_rows, opened.vectors):
            with pytest.raises(InputError, match="collection of photo ids"):
                read(ids)


def test_the_vector_belongs_to_the_words_that_count(store):
    vectors = np.arange(12, dtype=np.float32).reshape(3, DIMENSION)
    drafts = [
        {"photo_id": "0", "memory": "written", "caption": "seen"},
        {"photo_id": "1", "caption": "captioned"},
        {"photo_id": "2", "memory": "", "caption": "beside an empty memory"},
        {"photo_id": "3", "memory": ""},
    ]
    store.upsert(to_table(drafts, vectors))
    asked = ["written", "seen", "captioned", "beside an empty memory", ""]
    found = store.vectors_of_texts(asked)
    assert {text: vector[0] for text, vector in found.items()} == {
        "written": 0,
        "captioned": 4,
        "beside an empty memory": 8,
    }


def test_thousands_of_texts_are_looked_up_at_once(store):
    ids = [f"photo's {i}" for i in range(3000)]
    store.upsert(rows(ids))
    texts = [f"about {i}" for i in ids]
    found = store.vectors_of_texts([*texts, *texts, "never seen"])
    assert sorted(found) == sorted(texts)
    table = store.read(["memory", "vector"])
    expected = np.stack(table["vector"].to_numpy())
    np.testing.assert_array_equal(
        np.stack([found[text] for text in table["memory"].to_pylist()]), expected
    )
    assert len(store.read_rows(ids)) == 3000


# --- artifacts -------------------------------------------------------------------------------


def test_an_artifact_is_read_as_it_was_written(store):
    table = pa.table({"event": ["한글", None], "n": [1, 2]})
    assert store.read_artifact("seeds") is None
    store.replace_artifact("seeds", table)
    assert store.read_artifact("seeds").equals(table)
    store.replace_artifact("seeds", table.slice(1))
    assert MemoryStore.open(store.path).read_artifact("seeds").equals(table.slice(1))
    assert store.read_artifact("others") is None
    assert pc.sum(store.read_artifact("seeds")["n"]).as_py() == 2


@pytest.mark.parametrize("name", ["../seeds", "a/b", "..", "", "/seeds", "a\\b", "a\0"], ids=ascii)
def test_an_artifact_lies_in_the_store_s_folder(tmp_path, store, name):
    before = sorted(tmp_path.rglob("*"))
    table = pa.table({"x": [1]})
    for act in (
        lambda: store.replace_artifact(name, table),
        lambda: store.change_artifact(name, lambda _: table),
        lambda: store.read_artifact(name),
        lambda: store.artifact_digest(name),
    ):
        with pytest.raises(InputError, match="letters, digits"):
            act()
    assert sorted(tmp_path.rglob("*")) == before


def test_two_who_change_an_artifact_lose_nothing(store):
    def more(table, name):
        return pa.table({"name": [*(table["name"].to_pylist() if table else []), name]})

    def slowly(table):
        other.start()
        other.join(0.2)
        return more(table, "one")

    other = threading.Thread(
        target=MemoryStore.open(store.path).change_artifact,
        args=["seeds", lambda table: more(table, "other")],
    )
    store.change_artifact("seeds", slowly)
    other.join()
    assert store.read_artifact("seeds")["name"].to_pylist() == ["one", "other"]


def test_an_altered_artifact_is_a_store_error(store):
    store.replace_artifact("seeds", pa.table({"x": np.arange(40)}))
    (path,) = store.path.glob("seeds*")
    data = path.read_bytes()
    for size in (0, 1, 31, 32, 33, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(StoreError, match="altered"):
            store.read_artifact("seeds")
    for position in range(0, len(data), 5):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(StoreError, match="altered"):
            store.read_artifact("seeds")


def test_the_size_is_that_of_all_files(store):
    before = store.size_bytes()
    (store.path / "index").mkdir()
    (store.path / "index" / "x").write_bytes(b"x" * 1000)
    assert store.size_bytes() == before + 1000


# --- the ids that a writer remembers ---------------------------------------------------------


def test_a_writer_does_not_read_the_table_again_for_each_append(store, monkeypatch):
    store.append(rows(["a"]))
    read = []
    to_table = lance.LanceDataset.to_table
    monkeypatch.setattr(
        lance.LanceDataset, "to_table", lambda *a, **k: (read.append(k), to_table(*a, **k))[1]
    )
    for ids, new in ((["b", "a"], 1), (["b", "c"], 1), (["a", "b", "c"], 0)):
        assert store.append(rows(ids)) == new
        assert store.upsert_unless_changed(rows([f"{ids} {new}"]), {}) == []
    assert store.upsert_unless_changed(rows(["c", "e"], seed=1), {}) == ["c"]
    assert store.read_rows(["f", "g"]) == {}
    assert read == []
    assert set(store.read_rows(["c", "f", "b"])) == {"b", "c"}


def test_what_a_writer_remembers_is_not_what_another_writer_left(store):
    store.append(rows(["a", "b"]))
    other = MemoryStore.open(store.path)
    other.append(rows(["c"]))
    other.delete(["a"])
    assert set(store.read_rows(["a", "b", "c"])) == {"a", "b"}  # as of its own version
    assert store.append(rows(["a", "b", "c"])) == 1
    assert other.append(rows(["d"])) == 1
    assert set(content(MemoryStore.open(store.path))) == {"a", "b", "c", "d"}


def test_a_writer_remembers_its_own_changes(store):
    store.append(rows(["a", "b"]))
    assert store.delete(["a"]) == 1
    assert store.append(rows(["a", "b"])) == 1
    store.upsert(rows(["b"], seed=1, updated=datetime(2022, 1, 1, tzinfo=UTC)))
    assert store.upsert_unless_changed(rows(["b"]), {"b": THEN}) == ["b"]
    store.compact()
    assert store.append(rows(["a", "b", "c"])) == 1
    for i in range(80):  # more parts than are kept apart
        assert store.append(rows([f"more {i}", f"more {i - 1}"])) == (2 if i == 0 else 1)
    assert len(store) == len(content(store)) == 84


def test_what_a_writer_keeps_of_the_files_does_not_grow_with_their_number(store, monkeypatch):
    opened = []
    look = lance.dataset
    monkeypatch.setattr(
        lance, "dataset", lambda *a, **k: opened.append(look(*a, **k)) or opened[-1]
    )
    for i in range(40):
        store.append(rows([str(i)]))
    assert len(store.read_rows([str(i) for i in range(40)])) == 40  # each lies in another file
    assert 0 < opened[-1].session().size_bytes() < 1.1 * 2**20
