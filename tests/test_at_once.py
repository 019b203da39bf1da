"""Several hands on one store: what one wrote, another never undoes."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest
from makers import ColourCaptioner, WordsEmbedder, picture, remember

from rememberai import Album, InputError, ModelMismatchError, RememberAI

pytest.importorskip("faiss")
pytest.importorskip("lance")


@pytest.fixture
def folder(tmp_path):
    for colour in ("red", "blue", "green"):
        picture(tmp_path / "photos" / f"{colour}.png", colour)
    return tmp_path / "photos"


@pytest.fixture
def book(tmp_path):
    return RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())


def another(book) -> RememberAI:
    return RememberAI.open(book.store.path, embedder=WordsEmbedder())


def row(book, name) -> dict:
    (found,) = another(book).store.read(where=f"name = '{name}'").to_pylist()
    return found


class Meanwhile(ColourCaptioner):
    """Something happens while it looks at the pictures for the first time."""

    def __init__(self, happens):
        super().__init__()
        self.happens = happens

    def caption(self, images):
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().caption(images)


def give_event(book, name) -> None:
    other = another(book)
    (photo_id,) = other.store.read([], where=f"name = '{name}'")["photo_id"].to_pylist()
    other.store.update(pa.table({"photo_id": [photo_id], "event_given": ["birthday"]}))


def test_a_memory_that_was_written_while_captioning_stays(book, folder):
    book.add_folder(folder)

    def write_a_memory():
        remember(folder, red="my red kite")
        assert another(book).add_folder(folder).count("done") == 1

    book.caption(Meanwhile(write_a_memory))
    red = row(book, "red.png")
    assert (red["memory"], red["text_source"]) == ("my red kite", "memory")
    assert row(book, "blue.png")["text_source"] == "caption"
    assert another(book).search("my red kite", k=1)[0].text == "my red kite"


def test_a_photo_that_was_deleted_while_captioning_does_not_come_back(book, folder):
    book.add_folder(folder)

    def delete():
        other = another(book)
        other.delete(other.store.read([], where="name = 'red.png'")["photo_id"].to_pylist())

    report = book.caption(Meanwhile(delete))
    assert len(another(book)) == 2
    assert [o.reason for o in report.outcomes if o.item == "red.png"] == [
        "it was deleted meanwhile"
    ]


def test_later_batches_pass_over_what_others_deleted_or_wrote_about(book, folder, monkeypatch):
    monkeypatch.setattr("rememberai.ingest._CAPTIONED", 1)
    book.add_folder(folder)
    first, second, third = book.store.read(["name"]).to_pylist()

    def change_the_rest():
        another(book).delete([second["photo_id"]])
        remember(folder, **{third["name"].removesuffix(".png"): "my own words"})
        (folder / second["name"]).unlink()
        another(book).add_folder(folder)

    captioner = Meanwhile(change_the_rest)
    report = book.caption(captioner)
    assert [outcome.item for outcome in report.outcomes] == [first["name"]]
    assert captioner.seen == 1
    assert row(book, third["name"])["text_source"] == "memory"
    assert len(another(book)) == 2


def test_an_event_that_was_given_while_captioning_stays(book, folder):
    book.add_folder(folder)
    book.caption(Meanwhile(lambda: give_event(book, "red.png")))
    red = row(book, "red.png")
    assert (red["event_given"], red["text_source"]) == ("birthday", "caption")


def test_adding_through_a_handle_from_before_undoes_nothing(book, folder):
    other = another(book)
    other.add_folder(folder)
    other.caption(ColourCaptioner())
    give_event(book, "red.png")
    captions = [row(book, f"{name}.png")["caption"] for name in ("red", "blue", "green")]
    report = book.add_folder(folder)
    assert report.count("skipped") == 3
    assert row(book, "red.png")["event_given"] == "birthday"
    assert [row(book, f"{name}.png")["caption"] for name in ("red", "blue", "green")] == captions


def test_adding_beside_another_with_a_captioner_keeps_both_parts(book, folder):
    def add_with_memory():
        remember(folder, red="my red kite")
        another(book).add_folder(folder)

    album = Album.from_folder(folder)
    book.captioner = Meanwhile(add_with_memory)
    book.add_album(album)
    assert row(book, "red.png")["memory"] == "my red kite"
    assert row(book, "blue.png")["text_source"] == "caption"
    assert len(another(book)) == 3


def test_threads_search_while_another_adds_and_deletes(book):
    book.add_album(Album.from_texts([f"word{i} here" for i in range(60)], name="a"))
    fresh = another(book)
    problems: list[BaseException] = []
    stop = threading.Event()

    def search():
        try:
            while not stop.is_set():
                assert len(fresh.search("word1 word2", k=20)) == 20
                fresh.search("word3", k=5, where="album = 'a'")
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(12):
        fresh.add_album(Album.from_texts([f"more{i} here"], name="b"))
        fresh.delete(fresh.store.read([], where="album = 'b'")["photo_id"].to_pylist()[:1])
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_switch_by_hand_never_compares_two_models(book):
    class Other(WordsEmbedder):
        model_id = "other@1"

    book.add_album(Album.from_texts(["waves", "cake"], name="a"))
    book.reembed(Other())
    book.store.switch_model("vector")
    with pytest.raises(ModelMismatchError, match="reembed"):
        book.search("waves")


def test_seeds_that_are_learned_during_a_reembedding_are_kept(book):
    class Other(WordsEmbedder):
        model_id = "other@1"
        taught = False

        def encode(self, texts):
            if not self.taught:
                self.taught = True
                another(book).learn_events({"snow": ["skis and a sledge"]})
            return super().encode(texts)

    book.add_album(Album.from_texts(["waves", "cake"], name="a"))
    book.learn_events({"sea": ["waves and sand"]})
    book.reembed(Other())
    assert set(book.info().events) == {"sea", "snow"}


def test_one_id_instead_of_several_is_refused(book):
    with pytest.raises(InputError, match="collection of photo ids"):
        book.delete("abc")
