"""A second model beside the first: nothing is lost, nobody waits, no vector is of other words."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from store_rows import DIMENSION, content, make, rows

from rememberai import MemoryStore
from rememberai.errors import InputError, ModelMismatchError, StoreError
from rememberai.store.schema import to_table, vector_array

WIDE = 3


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    store = make(tmp_path / "s", embedder="first")
    store.append(rows(["a", "b", "c"]))
    store.append(to_table([{"photo_id": "silent"}], np.empty((0, DIMENSION), np.float32)))
    return store


def embed(texts) -> np.ndarray:
    """The second model: each text has its own vector."""
    seeds = [[7, *text.encode()] for text in texts]
    return np.array([np.random.default_rng(s).normal(size=WIDE) for s in seeds], np.float32)


def fill_all(store: MemoryStore, column: str) -> int:
    count = 0
    while len(batch := store.pending(column, 2)):
        count += store.fill(column, batch, embed(batch["text"].to_pylist()))
    return count


def assert_second_model_s(store: MemoryStore) -> None:
    assert (store.model_id, store.dimension, store.embedder) == ("second", WIDE, "two")
    store.check_model("second", WIDE)
    with pytest.raises(ModelMismatchError, match="second"):
        store.check_model("model@1", DIMENSION)
    ids, vectors = store.vectors()
    texts = {i: row["memory"] or row["caption"] for i, row in content(store).items()}
    assert ids.tolist() == sorted(i for i, text in texts.items() if text)
    np.testing.assert_array_equal(vectors, embed([texts[i] for i in ids]))
    found = store.vectors_of_texts([texts[i] for i in ids])
    np.testing.assert_array_equal([found[texts[i]] for i in ids], vectors)
    np.testing.assert_array_equal(
        np.array([row["vector"] for row in content(store).values() if row["vector"]]), vectors
    )


def test_a_store_is_switched_over_batch_by_batch(store):
    before, stamp = content(store), store.stamp
    column = store.add_model("second", WIDE, "two")
    assert column == "vector_2"
    assert content(store) == before
    assert store.pending(column).to_pylist() == [
        {"photo_id": i, "text": f"about {i}"} for i in "abc"
    ]
    assert len(store.pending(column, 2)) == 2
    assert fill_all(store, column) == 3
    assert (store.model_id, content(store)) == ("model@1", before)
    store.switch_model(column)
    for opened in (store, MemoryStore.open(store.path)):
        assert_second_model_s(opened)
        assert opened.vector_column == column
        assert opened.stamp != stamp
    words = [{name: row[name] for name in row if name != "vector"} for row in before.values()]
    after = [
        {name: row[name] for name in row if name != "vector"} for row in content(store).values()
    ]
    assert after == words


def test_adding_a_model_again_gives_its_column(store):
    column = store.add_model("second", WIDE)
    version = store.version
    assert MemoryStore.open(store.path).add_model("second", WIDE) == column
    assert store.add_model("model@1", DIMENSION) == "vector"
    assert store.version == MemoryStore.open(store.path).version == version
    assert store.add_model("second", WIDE + 1) == "vector_3"
    assert list(store.models) == ["vector", "vector_2", "vector_3"]


def test_who_is_stopped_goes_on_from_there(store):
    column = store.add_model("second", WIDE, "two")
    batch = store.pending(column, 1)
    store.fill(column, batch, embed(batch["text"].to_pylist()))
    again = MemoryStore.open(store.path)
    assert again.add_model("second", WIDE, "two") == column
    assert len(again.pending(column)) == 2
    assert fill_all(again, column) == 2
    again.switch_model(column)
    assert_second_model_s(again)


def test_switching_is_refused_while_photos_are_pending(store):
    column = store.add_model("second", WIDE)
    fill_all(store, column)
    store.append(rows(["late"]))
    with pytest.raises(StoreError, match="1 photos have no vector"):
        store.switch_model(column)
    assert MemoryStore.open(store.path).model_id == "model@1"
    assert store.pending(column)["photo_id"].to_pylist() == ["late"]


def words(photo_id: str, text: str) -> pa.Table:
    return pa.table(
        {
            "photo_id": [photo_id],
            "memory": [text],
            "caption": pa.array([None], pa.string()),
            "text_source": ["memory"],
            "vector": vector_array(np.ones((1, DIMENSION), np.float32)),
        }
    )


def test_words_that_change_meanwhile_are_pending_again(store):
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    other = MemoryStore.open(store.path)
    other.upsert(rows(["a"], seed=1))
    other.update(words("b", "other words"))
    other.update(pa.table({"photo_id": ["c"], "album": ["moved"]}))
    store = MemoryStore.open(store.path)
    assert sorted(store.pending(column)["photo_id"].to_pylist()) == ["a", "b"]
    fill_all(store, column)
    store.switch_model(column)
    assert_second_model_s(store)


def test_a_vector_is_never_given_to_words_that_came_after_it_was_made(store):
    column = store.add_model("second", WIDE, "two")
    batch = store.pending(column)
    vectors = embed(batch["text"].to_pylist())
    other = MemoryStore.open(store.path)
    other.update(words("b", "other words"))
    other.delete(["c"])
    other.upsert(
        to_table([{"photo_id": "a"}], np.empty((0, DIMENSION), np.float32))
    )  # its words are gone
    other.append(rows(["d"]))
    assert store.fill(column, batch, vectors) == 0
    assert sorted(store.pending(column)["photo_id"].to_pylist()) == ["b", "d"]
    fill_all(store, column)
    store.switch_model(column)
    assert_second_model_s(store)


def test_who_has_the_store_open_reads_on_and_writes_no_more(store):
    reader, before = MemoryStore.open(store.path), content(store)
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    reader.append(rows(["d"]))  # a second model takes nothing from the first one's writers
    fill_all(MemoryStore.open(store.path), column)
    MemoryStore.open(store.path).switch_model(column)
    expected = before | {"d": rows(["d"]).to_pylist()[0]}
    assert (reader.model_id, content(reader)) == ("model@1", expected)
    assert len(reader.vectors()[0]) == 4
    for write in (
        lambda: reader.append(rows(["e"])),
        lambda: reader.upsert(rows(["a"])),
        lambda: reader.delete(["a"]),
    ):
        with pytest.raises(ModelMismatchError, match="open it again"):
            write()
    assert (reader.model_id, content(reader)) == ("model@1", expected)
    assert_second_model_s(MemoryStore.open(store.path))


def test_writing_goes_on_in_the_new_model_and_the_way_back_is_open(store):
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    store.switch_model(column)
    added = to_table([{"photo_id": "d", "memory": "dd"}], embed(["dd"]))
    assert store.append(added) == 1
    store.upsert(added)
    changed = to_table([{"photo_id": "a", "caption": "aa"}], embed(["aa"]))
    store.upsert(changed)
    store.update(pa.table({"photo_id": ["b"], "album": ["x"]}))
    assert_second_model_s(MemoryStore.open(store.path))
    assert store.pending("vector").to_pylist() == [
        {"photo_id": "a", "text": "aa"},
        {"photo_id": "d", "text": "dd"},
    ] or sorted(store.pending("vector")["photo_id"].to_pylist()) == ["a", "d"]
    batch = store.pending("vector")
    store.fill("vector", batch, np.ones((2, DIMENSION)))
    store.switch_model("vector")
    again = MemoryStore.open(store.path)
    assert again.model_id == "model@1"
    assert again.vectors()[1].tolist()[0] == [1] * DIMENSION
    np.testing.assert_array_equal(again.vectors()[1][1], rows(["b"])["vector"][0].values)


def test_a_dropped_model_is_gone_and_its_space_with_compaction(store):
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    with pytest.raises(InputError, match="active"):
        store.drop_model("vector")
    store.switch_model(column)
    store.drop_model("vector")
    for opened in (store, MemoryStore.open(store.path)):
        assert list(opened.models) == [column]
        assert_second_model_s(opened)
    store.append(to_table([{"photo_id": "d", "memory": "dd"}], embed(["dd"])))
    store.compact()
    assert_second_model_s(MemoryStore.open(store.path))
    third = store.add_model("model@1", DIMENSION)
    assert third == "vector_3" or third == "vector"


def test_who_reads_by_a_model_that_was_dropped_reads_on(store):
    reader, before = MemoryStore.open(store.path), content(store)
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    store.switch_model(column)
    store.append(to_table([{"photo_id": "d", "memory": "dd"}], embed(["dd"])))
    reader.refresh()
    assert (reader.model_id, len(reader), len(reader.vectors()[0])) == ("model@1", 5, 3)
    store.drop_model("vector")
    reader.refresh()
    assert reader.model_id == "model@1"
    assert {i: row for i, row in content(reader).items() if i != "d"} == before


def test_a_model_may_have_vectors_of_words_and_of_pictures(store):
    words, pictures = store.add_model("both", WIDE), store.add_model("both", WIDE, of="image")
    assert words != pictures
    assert store.add_model("both", WIDE, of="image") == pictures
    with pytest.raises(InputError, match="of pictures"):
        store.switch_model(pictures)


def test_only_vectors_that_are_there_have_a_place(store):
    column = store.add_model("second", WIDE)
    batch = store.pending(column, 2)
    store.fill(column, batch, embed(batch["text"].to_pylist()))
    view = store.pinned(column)
    filled = batch["photo_id"].to_pylist()
    assert sorted(view.vector_places()["photo_id"].to_pylist()) == filled
    assert view.vectors()[0].tolist() == filled
    assert sorted(store.vector_places()["photo_id"].to_pylist()) == ["a", "b", "c"]


def test_what_can_t_be_is_refused(store):
    column = store.add_model("second", WIDE)
    batch = store.pending(column)
    with pytest.raises(InputError, match="at least 1"):
        store.add_model("third", 0)
    for given in ({"model_id": None}, {"embedder": 3}, {"of": "sound"}, {"dimension": 2**31}):
        with pytest.raises(InputError, match="came"):
            store.add_model(**{"model_id": "third", "dimension": 3} | given)
    assert list(MemoryStore.open(store.path).models) == ["vector", column]
    for vectors in (np.ones((3, WIDE + 1)), np.ones((2, WIDE)), np.full((3, WIDE), np.nan)):
        with pytest.raises(InputError):
            store.fill(column, batch, vectors)
    for call in (
        lambda: store.pending("vector_9"),
        lambda: store.fill("vector_9", batch, np.ones((3, WIDE))),
        lambda: store.switch_model("vector_9"),
        lambda: store.drop_model("1; DROP"),
    ):
        with pytest.raises(InputError, match="no column"):
            call()
    assert len(store.pending(column)) == 3


def test_old_versions_are_read_with_the_model_of_their_time(store):
    old, before = store.version, content(store)
    column = store.add_model("second", WIDE, "two")
    fill_all(store, column)
    store.switch_model(column)
    snapshot = store.snapshot(old)
    assert (snapshot.model_id, content(snapshot)) == ("model@1", before)
    assert_second_model_s(store.snapshot(store.version))
    store.drop_model("vector")
    with pytest.raises(StoreError, match="no vectors of a model"):
        store.snapshot(old)


def test_a_store_whose_active_vectors_are_gone_is_refused(store):
    path = store.path / "store.json"
    fields = json.loads(path.read_text())
    fields["models"]["vector_2"] = fields["models"]["vector"]
    path.write_text(json.dumps(fields | {"active": "vector_2"}))
    with pytest.raises(StoreError, match="do not fit each other"):
        MemoryStore.open(store.path)


def test_the_vector_of_a_picture_stays_when_its_words_change(store):
    column = store.add_model("second", WIDE, of="image")
    vectors = embed("ab")
    assert store.fill(column, pa.table({"photo_id": ["a", "b"]}), vectors) == 2
    store.upsert(rows(["c", "b", "a", "new"], seed=1))
    store.update(words("a", "other words"))
    seen, there = MemoryStore.open(store.path).pinned(column).vectors()
    assert seen.tolist() == ["a", "b"]
    np.testing.assert_array_equal(there, vectors)


def crashed(store: MemoryStore, change) -> MemoryStore:
    """Undo the last thing that a change does: the replacement of store.json."""
    manifest = (store.path / "store.json").read_bytes()
    change()
    (store.path / "store.json").write_bytes(manifest)
    return MemoryStore.open(store.path)


def test_a_crash_between_the_column_and_its_model_leaves_a_store_that_works(store):
    before = content(store)
    again = crashed(store, lambda: store.add_model("second", WIDE))
    assert content(again) == before
    again.append(rows(["d"]))
    column = again.add_model("second", WIDE, "two")
    fill_all(again, column)
    again.switch_model(column)
    assert_second_model_s(MemoryStore.open(store.path))


def test_a_crash_between_dropping_a_column_and_its_model_leaves_a_store_that_works(store):
    column = store.add_model("second", WIDE)
    before = content(store)
    again = crashed(store, lambda: store.drop_model(column))
    assert content(again) == before
    assert list(again.models) == ["vector"]
    again.append(rows(["d"]))
    fields = json.loads((store.path / "store.json").read_text())
    assert list(fields["models"]) == ["vector"]
    assert fill_all(again, again.add_model("second", WIDE)) == 4


def test_who_has_the_model_from_before_keeps_no_artifacts_any_more(store):
    old = MemoryStore.open(store.path)
    table = pa.table({"x": [1]})
    column = store.add_model("second", 3)
    old.replace_artifact(f"seeds-{column}", table)  # as before a switch
    texts = store.pending(column)
    store.fill(column, texts, np.ones((len(texts), 3)))
    store.switch_model(column)
    for act in (
        old.replace_artifact,
        lambda name, table: old.change_artifact(name, lambda _: table),
    ):
        with pytest.raises(ModelMismatchError, match="was switched to the model 'second'"):
            act("seeds", table)
    assert store.read_artifact("seeds") is None
    store.replace_artifact("seeds", table)


def test_seeds_of_a_model_that_was_dropped_are_never_another_one_s(store):
    first = store.add_model("second", 3)
    store.replace_artifact(f"seeds-{first}", pa.table({"x": [1]}))
    store.drop_model(first)
    assert store.read_artifact(f"seeds-{store.add_model('third', 3)}") is None
