"""A store in a bucket of an S3 server that runs on this machine."""

from __future__ import annotations

import threading
import urllib.request
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from makers import WordsEmbedder
from store_rows import DIMENSION, content, make, rows

from rememberai import Album, MemoryStore, RememberAI
from rememberai.errors import InputError, ModelMismatchError, StoreError
from rememberai.store import models, writing
from rememberai.store.schema import to_table


@pytest.fixture(scope="module")
def server():
    """Give the address of an S3 server with an empty bucket."""
    moto = pytest.importorskip("moto.server", reason="the S3 server of the extra `test` is absent")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT"))
    yield address
    running.stop()


@pytest.fixture
def options(server, monkeypatch, tmp_path) -> dict[str, str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return {
        "aws_access_key_id": "me",
        "aws_secret_access_key": "secret",
        "aws_region": "us-east-1",
        "aws_endpoint": server,
        "allow_http": "true",
    }


@pytest.fixture
def uri(request) -> str:
    return f"s3://bucket/{request.node.name}.memories"


@pytest.fixture
def store(uri, options) -> MemoryStore:
    return make(uri, storage_options=options, embedder="name")


@pytest.mark.parametrize("place", ["nosuch://bucket/s", "http://127.0.0.1:1/s"])
def test_a_place_that_lance_does_not_know_is_refused(place):
    for act in (make, MemoryStore.open, MemoryStore.exists):
        with pytest.raises(InputError, match=r"no place of an object store: .*scheme"):
            act(place)


def test_what_is_written_is_read_now_and_after_reopening(store, uri, options, tmp_path):
    assert store.append(rows(["a", "b", "c"])) == 3
    assert store.append(rows(["c", "d"], seed=1)) == 1
    store.upsert(rows(["b", "e"], seed=2))
    store.upsert(rows([]))
    store.update(pa.table({"photo_id": ["a"], "event_given": ["party"]}))
    assert store.delete(["d", "never"]) == 1
    expected = {
        **{r["photo_id"]: r for r in rows(["a", "c"]).to_pylist()},
        **{r["photo_id"]: r for r in rows(["b", "e"], seed=2).to_pylist()},
    }
    expected["a"]["event_given"] = "party"
    opened = MemoryStore.open(uri, storage_options=options)
    for each in (store, opened):
        found = content(each)
        assert found["a"].pop("updated") is not None
        assert found == {
            i: {k: v for k, v in expected[i].items() if (i, k) != ("a", "updated")}
            for i in expected
        }
        assert each.vectors()[0].tolist() == ["a", "b", "c", "e"]
    assert (opened.model_id, opened.embedder, opened.place) == ("model@1", "name", uri)
    assert opened.stamp == store.stamp
    assert opened.size_bytes() > 0
    assert opened.path.is_relative_to(tmp_path / "cache")
    assert not list(tmp_path.rglob("*.lance"))


def test_a_store_is_never_made_over_another(store, uri, options):
    with pytest.raises(StoreError, match="is a store already"):
        make(uri, storage_options=options)
    with pytest.raises(StoreError, match="is no store"):
        MemoryStore.open(f"{uri}.not", storage_options=options)
    with pytest.raises(InputError, match="give the folder"):
        make(f"file://{uri}")
    with pytest.raises(InputError, match="storage options"):
        make("folder", storage_options=options)


def test_versions_snapshots_compaction_and_artifacts(store, uri, options):
    for number in range(4):
        store.append(rows([str(number)]))
    old, before = store.version, content(store)
    store.delete(["0"])
    assert [each.version for each in store.versions()] == list(range(1, store.version + 1))
    assert content(store.snapshot(old)) == before
    after = content(store)
    store.compact(keep=timedelta(0))
    assert content(MemoryStore.open(uri, storage_options=options)) == content(store) == after
    with pytest.raises(StoreError):
        store.snapshot(old)
    table = pa.table({"x": [1]})
    assert store.read_artifact("seeds") is None
    store.change_artifact("seeds", lambda was: table if was is None else was)
    assert MemoryStore.open(uri, storage_options=options).read_artifact("seeds").equals(table)


def test_another_model_is_switched_to(store, uri, options):
    store.append(rows(["a", "b"]))
    late = MemoryStore.open(uri, storage_options=options)
    column = store.add_model("second", 3)
    store.fill(column, store.pending(column), np.ones((2, 3)))
    store.switch_model(column)
    opened = MemoryStore.open(uri, storage_options=options)
    assert (opened.model_id, opened.vectors()[1].tolist()) == ("second", [[1] * 3] * 2)
    assert late.vectors()[1].shape == (2, DIMENSION)
    with pytest.raises(ModelMismatchError):
        late.append(rows(["c"]))


def test_a_photo_written_during_the_switch_is_pending_and_harms_nothing(store, uri, options):
    store.append(rows(["a", "b"]))
    column = store.add_model("second", 3)
    store.fill(column, store.pending(column), np.ones((2, 3)))
    late = MemoryStore.open(uri, storage_options=options)
    with late._writing() as change:
        store.switch_model(column)
        late._insert(change, rows(["0"]))
    opened = MemoryStore.open(uri, storage_options=options)
    assert opened.vectors()[0].tolist() == ["a", "b"]
    assert opened.vectors_of_texts(["about 0", "about a"]).keys() == {"about a"}
    assert opened.pending(column)["photo_id"].to_pylist() == ["0"]
    opened.fill(column, opened.pending(column), np.ones((1, 3)))
    assert opened.vectors()[0].tolist() == ["0", "a", "b"]


def test_writers_at_once_lose_and_double_nothing(store, uri, options):
    names, count = "abc", 4
    failures: list[BaseException] = []

    def write(name: str) -> None:
        mine = MemoryStore.open(uri, storage_options=options)
        for number in range(count):
            try:
                mine.append(rows([f"{name}{number}", f"shared{number}"]))
            except BaseException as error:
                failures.append(error)

    writers = [threading.Thread(target=write, args=[name]) for name in names]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert failures == []
    expected = [f"{name}{number}" for name in [*names, "shared"] for number in range(count)]
    assert sorted(content(MemoryStore.open(uri, storage_options=options))) == sorted(expected)


@pytest.mark.parametrize("verb", ["update", "fill"])
def test_what_was_read_is_not_written_on_top_of_another_s_change(
    store, uri, options, monkeypatch, verb
):
    store.append(rows(["a", "b"]))
    column = store.add_model("model@2", 2)
    waiting = store.pending(column)
    other = MemoryStore.open(uri, storage_options=options)
    verbs = {
        "update": lambda: store.update(pa.table({"photo_id": ["a"], "album": ["ours"]})),
        "fill": lambda: store.fill(column, waiting, np.ones((2, 2))),
    }
    put = writing.put
    with monkeypatch.context() as patch:

        def between(change, rows, **how):
            patch.undo()  # once
            other.update(pa.table({"photo_id": ["a"], "album": ["theirs"]}))
            put(change, rows, **how)

        patch.setattr(writing, "put", between)
        patch.setattr(models, "put", between)
        with pytest.raises(StoreError, match="another writer"):
            verbs[verb]()
    assert content(MemoryStore.open(uri, storage_options=options))["a"]["album"] == "theirs"


def test_the_parquet_of_a_folder_is_imported(store, tmp_path):
    folder = make(tmp_path / "s")
    folder.append(rows(["a", "b"]))
    folder.append(to_table([{"photo_id": "mute"}], np.empty((0, DIMENSION), np.float32)))
    folder.export_parquet(tmp_path / "x.parquet")
    assert store.import_parquet(tmp_path / "x.parquet") == 3
    assert store.import_parquet(tmp_path / "x.parquet") == 0
    assert content(store) == content(folder)


@pytest.fixture
def by_environment(options, monkeypatch):
    """Say by the environment how the server is reached."""
    for key in ("aws_access_key_id", "aws_secret_access_key", "aws_region", "aws_endpoint"):
        monkeypatch.setenv(key.upper(), options[key])
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")


@pytest.mark.usefixtures("by_environment")
def test_a_book_lives_there_as_in_a_folder(uri):
    book = RememberAI.create(uri, embedder=WordsEmbedder())
    book.add_album(Album.from_texts(["waves and sand", "candles on a cake"], name="a"))
    book.learn_events({"sea": ["waves", "sand"], "birthday": ["cake", "candles"]})
    again = RememberAI.open(uri, embedder=WordsEmbedder())
    assert again.search("sand and waves", k=1)[0].text == "waves and sand"
    assert again.assign(["sand"]).ranking[0][0] == "sea"
    info = again.info()
    assert (info.path, info.photos, info.seeds) == (uri, 2, 4)
    book.delete([again.search("sand", k=1)[0].photo_id])
    reopened = RememberAI.open(uri, embedder=WordsEmbedder())
    assert [hit.text for hit in reopened.search("sand")] == ["candles on a cake"]


@pytest.mark.usefixtures("by_environment")
def test_events_are_found_and_corrected(uri):
    book = RememberAI.create(uri, embedder=WordsEmbedder())
    texts = ["waves and sand", "sand and waves", "candles on a cake", "cake and candles"]
    book.add_album(Album.from_texts(texts, name="a"))
    book.learn_events({"sea": ["waves", "sand"], "birthday": ["cake", "candles"]})
    book.discover(2)
    book.events.rename(0, "Mine")
    book.events.move(book.events.read().events[1].photo_ids[:1], 0)
    again = RememberAI.open(uri, embedder=WordsEmbedder())
    for events in (again.events.read(), again.discover(2)):
        assert {e.event_id: (e.title == "Mine", len(e.photo_ids)) for e in events} == {
            0: (True, 3),
            1: (False, 1),
        }
    again.events.reject(1)
    assert [event.known_event for event in book.events.read()][1] is None
