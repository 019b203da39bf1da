"""The map kept in a store: what stays, what is placed, and when all is laid out anew."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from makers import Ticks, WordsEmbedder

from rememberai import Album, EventMap, InputError, RememberAI, RememberAIWarning

pytest.importorskip("lance")
pytest.importorskip("umap")

SUBJECTS = ("dogs in the garden", "snow on the mountain", "grandmother bakes a cake")


def add(book, start, stop):
    names = [f"p{i}" for i in range(start, stop)]
    texts = [f"{SUBJECTS[i % 3]} word{i} word{i + 1}" for i in range(start, stop)]
    report = book.add_album(Album.from_texts(texts, name="a", references=names))
    return [outcome.photo_id for outcome in report.outcomes]


@pytest.fixture
def book(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    add(book, 0, 60)
    return book


@pytest.fixture
def fits(monkeypatch):
    """How many vectors were laid out, each time that they were."""
    seen = []
    fit = EventMap.fit
    monkeypatch.setattr(
        EventMap, "fit", lambda self, v, **k: (seen.append(len(v)), fit(self, v))[1]
    )
    return seen


def places(book):
    found = book.map()
    assert found.method == "umap"
    assert found.photo_ids.tolist() == book.store.vectors()[0].tolist()
    assert np.isfinite(found.places).all()
    return dict(zip(found.photo_ids.tolist(), map(tuple, found.places.tolist()), strict=True))


def test_it_is_laid_out_once_and_then_read(book, fits):
    before = places(book)
    again = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    assert places(again) == before
    assert fits == [60]
    again.map(progress=(ticks := Ticks()))
    assert ticks.seen == [("map", 1, 1)]
    laid_out = EventMap().fit_transform(book.store.vectors()[1])
    np.testing.assert_array_equal(laid_out, [before[i] for i in sorted(before)])


def test_new_photos_are_placed_and_the_others_stay(book, fits):
    before = places(book)
    new = add(book, 60, 75)
    after = places(book)
    assert {i: after[i] for i in before} == before
    assert set(after) - set(before) == set(new)
    assert fits == [60]
    assert places(RememberAI.open(book.store.path, embedder=WordsEmbedder())) == after


def test_it_does_not_matter_how_often_it_was_asked_between(book, tmp_path, fits):
    other = RememberAI.create(tmp_path / "other", embedder=WordsEmbedder())
    add(other, 0, 60)
    for each in (book, other):
        places(each)
    add(book, 60, 75)
    for start in range(60, 75, 5):
        add(other, start, start + 5)
        places(other)
    assert places(book) == places(other)
    assert fits == [60, 60]


def test_once_many_are_new_all_is_laid_out_anew(book, fits):
    places(book)
    add(book, 60, 80)
    places(book)
    assert fits == [60]
    add(book, 80, 90)  # 30 of 90
    places(book)
    assert fits == [60, 90]
    add(book, 90, 100)
    places(book)
    assert fits == [60, 90]


def test_deleted_photos_leave_it_and_nothing_moves(book, fits):
    before = places(book)
    gone = sorted(before)[:40]
    book.delete(gone)
    assert places(book) == {i: place for i, place in before.items() if i not in gone}
    assert fits == [60]


def test_a_photo_whose_words_changed_is_placed_anew(book, fits):
    before = places(book)
    rows = book.store.read()
    changed, like = rows["photo_id"][0].as_py(), rows["photo_id"][1].as_py()
    row = rows.slice(1, 1)
    book.store.upsert(row.set_column(0, rows.schema.field(0), rows["photo_id"].slice(0, 1)))
    after = places(book)
    assert after[changed] == before[like] != before[changed]
    assert fits == [60]


def test_another_seed_or_model_is_another_map(book, fits):
    before = places(book)
    assert book.map(random_state=1).places.tolist() != [list(before[i]) for i in sorted(before)]

    class Other(WordsEmbedder):
        model_id = "words@2"

    book.reembed(Other(lambda vectors: vectors[:, ::-1].copy()))
    places(book)
    assert fits == [60, 60, 60]


def test_a_damaged_map_is_made_anew(book, fits):
    before = places(book)
    path = book.store.path / "map.table"
    path.write_bytes(path.read_bytes()[:-20])
    assert places(book) == before
    assert places(book) == before
    assert fits == [60, 60]


def test_an_older_version_has_its_photos_in_the_map_that_is_kept_and_keeps_none(book, fits):
    store, older = book.store, book.store.pinned()
    add(book, 60, 90)
    book.store = older
    alone = places(book)
    assert not (store.path / "map.table").exists()
    book.store = store
    kept = places(book)
    book.store = older
    assert places(book) == {i: kept[i] for i in alone}
    assert fits == [60, 90]


def test_pca_is_not_kept(book, fits, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "umap", None)
        with pytest.warns(RememberAIWarning, match="PCA"):
            assert book.map().method == "pca"
    assert not (book.store.path / "map.table").exists()
    before = places(book)
    monkeypatch.setitem(sys.modules, "umap", None)
    add(book, 60, 65)
    after = places(book)  # placing takes no umap-learn
    assert {i: after[i] for i in before} == before


def test_a_store_without_words_has_no_map(tmp_path):
    with pytest.raises(InputError, match="no photo has words"):
        RememberAI.create(tmp_path / "s", embedder=WordsEmbedder()).map()
