"""Going over to another model: resumable, without a pause for readers, seeds and all."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from makers import Ticks, WordsEmbedder

from rememberai import Album, ModelMismatchError, RememberAI

pytest.importorskip("faiss")
pytest.importorskip("lance")
SEEDS = {"sea": ["waves and sand", "a swim in the sea"], "cake": ["candles on a cake", "sugar"]}


class Other(WordsEmbedder):
    """Another model: longer vectors, and it may give up after some texts."""

    model_id = "other@1"
    dimension = 32

    def __init__(self, stop_after=None):
        super().__init__(lambda vectors: vectors[:, :32] + vectors[:, 32:])
        self.stop_after = stop_after

    def encode(self, texts):
        if self.stop_after is not None and len(self.seen) + len(texts) > self.stop_after:
            raise KeyboardInterrupt
        self.dimension = 64
        try:
            return super().encode(texts)
        finally:
            self.dimension = 32


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setattr("rememberai.reembed._BATCH", 8)
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    texts = [f"word{i} word{i + 1} here" for i in range(30)]
    book.add_album(Album.from_texts(texts, name="a", references=[f"t{i}" for i in range(30)]))
    book.learn_events(SEEDS)
    book.search("word1")
    return book


def test_search_and_events_are_those_of_a_store_made_with_the_new_model(book, tmp_path):
    made = RememberAI.create(tmp_path / "new", embedder=Other())
    texts = [f"word{i} word{i + 1} here" for i in range(30)]
    made.add_album(Album.from_texts(texts, name="a", references=[f"t{i}" for i in range(30)]))
    made.learn_events(SEEDS)
    assert book.reembed(Other()) == 30
    opened = RememberAI.open(book.store.path, embedder=Other())
    for switched in (book, opened):
        assert switched.info().model_id == "other@1"
        assert set(switched.info().models) == {"other@1", "words@1"}
        found, expected = (b.search("word7 word8", k=30) for b in (switched, made))
        assert [hit.distance for hit in found] == pytest.approx([hit.distance for hit in expected])
        answer, wanted = (b.assign(["sugar and candles"]) for b in (switched, made))
        assert dict(answer.ranking) == pytest.approx(dict(wanted.ranking))
        assert (answer.event, switched.info().seeds) == (wanted.event, 4)
        assert switched._learned.table().to_pylist() == made._learned.table().to_pylist()


def test_each_stage_is_told_the_rows_as_soon_as_the_model_is_there(book):
    ticks, model = Ticks(), Other()
    loaded = []

    def told(*tick):
        ticks(*tick)
        loaded.append((tick, len(model.seen)))

    assert book.reembed(model, progress=told) == 30
    n_seeds = book._learned.table().num_rows
    assert ticks.stages() == {"model": 1, "embedding": 30, "seeds": n_seeds}
    assert loaded[:3] == [(("model", 0, 1), 0), (("model", 1, 1), 1), (("embedding", 0, 30), 1)]


def test_a_run_that_was_stopped_goes_on_where_it_was(book):
    with pytest.raises(KeyboardInterrupt):
        book.reembed(Other(stop_after=20))
    assert RememberAI.open(book.store.path, embedder=WordsEmbedder()).search("word3 word4")
    rest = Other()
    assert RememberAI.open(book.store.path, embedder=WordsEmbedder()).reembed(rest) == 14
    assert len([text for text in rest.seen if text.startswith("word")]) == 14
    assert len(RememberAI.open(book.store.path, embedder=Other()).search("word1", k=99)) == 30


def test_who_has_the_store_open_reads_on_and_may_not_write(book):
    reader = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    before = reader.search("word5 word6", k=5)
    book.reembed(Other())
    assert reader.search("word5 word6", k=5) == before
    assert reader.assign(["waves"]).ranking[0][0] == "sea"
    with pytest.raises(ModelMismatchError, match="open it again"):
        reader.add_album(Album.from_texts(["late"], name="b"))
    with pytest.raises(ModelMismatchError):
        RememberAI.open(book.store.path, embedder=WordsEmbedder())


@pytest.mark.parametrize("moment", ["word0 word1 here", "sugar"], ids=["words", "seeds"])
def test_photos_that_another_adds_meanwhile_are_embedded_too(book, moment):
    class Meanwhile(Other):
        added = False

        def encode(self, texts):
            if not self.added and moment in texts:
                self.added = True
                other = RememberAI.open(book.store.path, embedder=WordsEmbedder())
                other.add_album(Album.from_texts(["a late photo"], name="b"))
            return super().encode(texts)

    assert book.reembed(Meanwhile()) == 31
    assert book.search("a late photo", k=1)[0].text == "a late photo"


def test_seeds_that_another_learns_meanwhile_are_not_lost(book):
    class Meanwhile(Other):
        def encode(self, texts):
            if "sugar" in texts:
                learner.start()
                learner.join(0.3)
            return super().encode(texts)

    refused = []

    def learn() -> None:
        try:
            other.learn_events({"walk": ["boots", "a path"]})
        except ModelMismatchError as error:
            refused.append(error)

    other = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    learner = threading.Thread(target=learn)
    book.reembed(Meanwhile())
    learner.join()
    learned = RememberAI.open(book.store.path, embedder=Other()).info().seeds
    assert learned == (4 if refused else 6)


def test_the_same_model_again_changes_nothing(book):
    before = book.search("word1", k=5)
    assert book.reembed(WordsEmbedder()) == 0
    assert book.search("word1", k=5) == before
    assert book.info().models == ("words@1",)


def test_and_back_again(book):
    before = book.search("word1", k=5)
    book.reembed(Other())
    assert book.reembed(WordsEmbedder()) == 0
    assert book.search("word1", k=5) == before
    vectors = book.store.vectors()[1]
    assert np.isfinite(vectors).all()
    assert vectors.shape == (30, 64)
