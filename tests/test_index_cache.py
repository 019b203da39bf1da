"""The index beside a store: caught up, built anew, and always that of the table."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pytest
from makers import WordsEmbedder

from rememberai import Album, RememberAI, VectorIndex, index_cache
from rememberai.index._files import Folder
from rememberai.index_cache import cached_index
from rememberai.store import MemoryStore
from rememberai.store.schema import to_table

pytest.importorskip("faiss")
pytest.importorskip("lance")


def texts(start, stop):
    return [f"word{i} word{i + 1} number {i}" for i in range(start, stop)]


def add(book, start, stop, name="a"):
    names = [f"{name}{i}" for i in range(start, stop)]
    return book.add_album(Album.from_texts(texts(start, stop), name=name, references=names))


@pytest.fixture
def book(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    add(book, 0, 100)
    book.search("word1")
    return book


@pytest.fixture
def embedded(monkeypatch):
    """The ids that reach an index, and the builds from nothing."""
    seen: dict[str, list] = {"built": [], "changed": []}
    build, upsert = VectorIndex.build, VectorIndex.upsert

    def watched(folder, dimension, batches, **rest):
        batches = [(ids.to_pylist(), vectors.copy()) for ids, vectors in batches]
        seen["built"].extend(i for ids, _ in batches for i in ids)
        return build(folder, dimension, batches, **rest)

    monkeypatch.setattr(VectorIndex, "build", watched)
    monkeypatch.setattr(
        VectorIndex, "upsert", lambda self, i, v: (seen["changed"].extend(i), upsert(self, i, v))[1]
    )
    return seen


def fits(store) -> None:
    """An index is right when it has the table's ids and vectors, and no other."""
    index = cached_index(MemoryStore.open(store.path))
    ids, vectors = store.vectors()
    assert sorted(index.ids.tolist()) == ids.tolist()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(index.reconstruct(ids), unit, atol=1e-6)


def test_it_is_loaded_when_nothing_changed(book, embedded):
    fits(book.store)
    assert embedded == {"built": [], "changed": []}


def test_new_photos_are_added_to_it_and_the_others_left_alone(book, embedded):
    for start in (100, 103, 106):
        report = add(book, start, start + 3)
        fits(book.store)
        new = {outcome.photo_id for outcome in report.outcomes}
        assert (set(embedded["changed"]), embedded["built"]) == (new, [])
        embedded["changed"].clear()
        fits(book.store)  # what was caught up is kept
        assert embedded["changed"] == []


def test_the_index_of_another_model_of_that_name_is_built_anew(tmp_path):
    store = MemoryStore.create(tmp_path / "s", model_id="same", dimension=4)
    drafts = [{"photo_id": f"{i}", "memory": f"about {i}"} for i in range(9)]
    store.append(to_table(drafts, np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)))
    fits(store)
    column = store.add_model("same", 3)
    store.fill(column, store.pending(column), np.random.default_rng(1).normal(size=(9, 3)))
    store.switch_model(column)
    fits(store)
    fits(store)


def test_a_deleted_photo_leaves_it(book, embedded):
    gone = book.store.vectors()[0][:3].tolist()
    assert book.delete([*gone, "not there"]) == 3
    fits(book.store)
    assert embedded == {"built": [], "changed": []}
    assert not {hit.photo_id for hit in book.search("word1", k=100)} & set(gone)


def test_other_words_replace_the_vector(book, embedded):
    store = book.store
    ids, vectors = store.vectors()
    table = store.read(where=f"photo_id = '{ids[5]}'")
    other = pa.FixedSizeListArray.from_arrays(pa.array(vectors[50]), vectors.shape[1])
    place = table.schema.get_field_index("vector")
    store.upsert(table.set_column(place, table.schema.field("vector"), other))
    fits(store)
    assert (embedded["changed"], embedded["built"]) == ([ids[5]], [])


def test_a_photo_deleted_and_written_again_with_another_vector(book):
    store = book.store
    ids, vectors = store.vectors()
    table = store.read(where=f"photo_id = '{ids[5]}'")
    store.delete([ids[5]])
    other = pa.FixedSizeListArray.from_arrays(pa.array(vectors[50]), vectors.shape[1])
    place = table.schema.get_field_index("vector")
    store.append(table.set_column(place, table.schema.field("vector"), other))
    fits(store)


def test_of_many_changed_rows_only_those_with_another_vector_are_written(
    book, embedded, monkeypatch
):
    monkeypatch.setattr(index_cache, "_AT_ONCE", 10)
    store = book.store
    ids, vectors = store.vectors()
    new = {outcome.photo_id for outcome in add(book, 100, 103).outcomes}
    table = store.read(where=f"photo_id = '{ids[5]}'")
    store.delete([ids[5], ids[6]])
    other = pa.FixedSizeListArray.from_arrays(pa.array(vectors[50]), vectors.shape[1])
    place = table.schema.get_field_index("vector")
    store.append(table.set_column(place, table.schema.field("vector"), other))
    given = pa.table({"photo_id": ids[40:90], "event_given": ["a walk"] * 50})
    before = store.vector_places()
    store.update(given)
    store.compact()  # which moves all rows
    assert not before["_rowaddr"].equals(store.vector_places()["_rowaddr"])
    fits(store)
    assert (set(embedded["changed"]), embedded["built"]) == ({ids[5], *new}, [])
    embedded["changed"].clear()
    fits(store)
    assert embedded == {"built": [], "changed": []}


def test_when_most_changed_it_is_built_anew(book, embedded):
    add(book, 100, 200)
    fits(book.store)
    assert (len(embedded["built"]), embedded["changed"]) == (200, [])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda index: shutil.rmtree(index),
        lambda index: (index / "manifest.json").write_text("{}"),
        lambda index: (index / "rows.table").unlink(),
        lambda index: (index / "rows.table").write_bytes(b""),
        lambda index: (index / "rows.table").write_bytes(
            (index / "rows.table").read_bytes()[:-9] + b"something"
        ),
        lambda index: next(index.glob("*.rows")).write_bytes(b"short"),
    ],
    ids=["deleted", "manifest", "no rows", "empty rows", "altered rows", "truncated"],
)
@pytest.mark.parametrize("stale", [False, True])
def test_whatever_happened_to_it_the_answers_stay_right(book, spoil, stale):
    if stale:
        add(book, 100, 103)
    spoil(book.store.path / "index")
    fits(book.store)


def test_the_index_of_an_older_time_is_brought_forward(book, tmp_path):
    shutil.copytree(book.store.path / "index", tmp_path / "old")
    add(book, 100, 110)
    book.delete(book.store.vectors()[0][:5].tolist())
    book.search("word1")
    shutil.rmtree(book.store.path / "index")
    shutil.copytree(tmp_path / "old", book.store.path / "index")
    fits(book.store)


def test_the_index_of_another_history_is_not_taken_for_an_older_one(book, tmp_path):
    """Two histories with a row that was changed at the same time, and lies at the same place."""
    shutil.copytree(book.store.path, tmp_path / "backup")
    stores = [book.store, MemoryStore.open(tmp_path / "backup")]
    ids, vectors = book.store.vectors()
    table = book.store.read(where=f"photo_id = '{ids[5]}'")
    table = table.set_column(0, table.schema.field(0), pa.array(["new"]))
    place = table.schema.get_field_index("vector")
    for store, of in zip(stores, (50, 60), strict=True):
        other = pa.FixedSizeListArray.from_arrays(pa.array(vectors[of]), vectors.shape[1])
        store.append(table.set_column(place, table.schema.field("vector"), other))
        fits(store)
    assert stores[0].vector_places().equals(stores[1].vector_places())
    shutil.rmtree(stores[1].path / "index")
    shutil.copytree(stores[0].path / "index", stores[1].path / "index")
    fits(stores[1])


def test_a_folder_that_cannot_be_written_costs_no_answer(book):
    shutil.rmtree(book.store.path / "index")
    (book.store.path / "index").write_text("no folder")
    assert book.search("word1 word2 number 1", k=1)[0].text == "word1 word2 number 1"
    fits(book.store)


@pytest.mark.parametrize("stale", [False, True])
def test_an_index_that_is_deleted_while_it_is_saved_costs_no_answer(book, monkeypatch, stale):
    if stale:
        add(book, 100, 103)
    else:
        shutil.rmtree(book.store.path / "index")
    publish = Folder.publish

    def deleted(self, manifest):
        for path in self.path.glob("*.rows"):
            path.unlink()
        return publish(self, manifest)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "publish", deleted)
        fits(book.store)
    fits(book.store)


def test_equal_words_come_in_the_order_of_their_ids_whatever_the_history(tmp_path):
    def answers(name, order):
        book = RememberAI.create(tmp_path / name, embedder=WordsEmbedder())
        for reference in order:
            album = Album.from_texts(["the same words"], name="w", references=[reference])
            book.add_album(album)
            book.search("warm up")
        assert book.search("same words", k=1) == book.search("same words", k=4)[:1]
        assert book.search("same words", k=3) == book.search("same words", k=4)[:3]
        return [hit.photo_id for hit in book.search("same words", k=4)]

    assert answers("one", "abcd") == answers("two", "dbca") == sorted(answers("one3", "cabd"))


@pytest.mark.parametrize("k", [1, 2, 5, 30])
def test_where_an_answer_ends_among_equals_the_lowest_ids_are_in_it(tmp_path, k):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    for start in (20, 0):  # which the index knows in this order
        add(book, start, start + 20, name="near")
    told = ["the same words"] * 40
    book.add_album(Album.from_texts(told, name="w", references=[f"{i}" for i in range(40)]))
    hits = book.search("the same words", k)
    ids = sorted(book.store.read([], where="album = 'w'")["photo_id"].to_pylist())
    assert [hit.photo_id for hit in hits] == ids[:k]


# --- filters -------------------------------------------------------------------------------------


def test_a_condition_searches_among_some(book):
    add(book, 0, 50, name="b")
    found = book.search("word7 word8 number 7", k=60, where="album = 'b'")
    assert len(found) == 50
    assert {hit.name[0] for hit in found} == {"b"}
    assert found[0].text == "word7 word8 number 7"
    assert book.search("word7", where="album = 'nowhere'") == []


def test_the_filtered_answer_is_that_of_brute_force(book):
    ids, vectors = book.store.vectors()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    query = WordsEmbedder().encode(["word7 word9 number 12"])[0]
    allowed = set(book.store.read([], where="memory LIKE '%number 1%'")["photo_id"].to_pylist())
    apart = 1 - unit @ (query / np.linalg.norm(query))
    nearest = sorted((a, i) for a, i in zip(apart, ids, strict=True) if i in allowed)[:5]
    hits = book.search("word7 word9 number 12", k=5, where="memory LIKE '%number 1%'")
    assert [hit.distance for hit in hits] == pytest.approx([a for a, _ in nearest], abs=1e-5)
