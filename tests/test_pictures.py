"""A book whose photos are found by what they look like."""

from __future__ import annotations

import numpy as np
import pytest
from makers import WordsEmbedder, picture, reason_of, remember, statuses, words_alone
from PIL import Image

from rememberai import RememberAI, pictures
from rememberai.checking import check
from rememberai.errors import InputError, ModelError
from rememberai.pictures import vectors_of_photos
from rememberai.records import quiet


class ColourEmbedder:
    """The mean colour of a picture; remembers how many it was given."""

    model_id = "colours@1"
    dimension = 3

    def __init__(self):
        self.seen = 0

    def encode_images(self, images):
        self.seen += len(images)
        means = [np.asarray(image).mean(axis=(0, 1)) + 1 for image in images]
        return np.array(means, np.float32).reshape(-1, 3)


COLOURS = {"a": "red", "b": "green", "c": "blue", "d": "darkred"}


@pytest.fixture
def folder(tmp_path):
    for stem, colour in COLOURS.items():
        picture(tmp_path / "album" / f"{stem}.png", colour)
    return tmp_path / "album"


@pytest.fixture
def book(tmp_path, folder):
    remember(folder, a="a fire")
    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder())
    book.add_folder(folder)
    return book


def test_pictures_are_embedded_once_and_found_by_their_likes(book, folder, tmp_path):
    model, ticks = ColourEmbedder(), []
    report = book.embed_images(model, progress=lambda *tick: ticks.append(tick))
    assert statuses(report) == {f"{stem}.png": "done" for stem in COLOURS}
    assert ticks == [("seeing", 4, 4)]
    names = [hit.name for hit in book.search_image(folder / "a.png", 2)]
    assert names == ["a.png", "d.png"]
    (first, *_) = book.search_image(picture(tmp_path / "new.png", "blue"))
    assert (first.name, first.compared, first.text) == ("c.png", "picture", "")
    assert first.distance == pytest.approx(0, abs=1e-6)
    ids = [outcome.photo_id for outcome in report.outcomes]
    assert ids == sorted(ids)
    picture(folder / "e.png", "white")
    book.add_folder(folder)
    assert statuses(book.embed_images()) == {"e.png": "done"}
    assert model.seen == 7  # five photos, and two that were asked for
    assert book.search_image(folder / "e.png", 1, where="name < 'e'")[0].name != "e.png"


def test_a_file_that_was_edited_since_is_not_seen_for_the_old_photo(book, folder):
    picture(folder / "b.png", "white")
    report = book.embed_images(ColourEmbedder())
    assert statuses(report) == {
        "a.png": "done",
        "b.png": "failed",
        "c.png": "done",
        "d.png": "done",
    }
    assert reason_of(report, "b.png").endswith("holds another photo by now; add its folder again")
    book.add_folder(folder)
    assert statuses(book.embed_images()) == {"b.png": "done"}
    hits = book.search_image(folder / "b.png", 9)
    assert sorted(hit.name for hit in hits) == ["a.png", "b.png", "c.png", "d.png"]
    assert (hits[0].name, hits[0].distance) == ("b.png", pytest.approx(0, abs=1e-6))


def test_a_large_picture_is_asked_for_as_it_was_embedded(tmp_path):
    class Looks(ColourEmbedder):
        side = 100

        def encode_images(self, images):
            sizes.update(image.size for image in images)
            return super().encode_images(images)

    sizes: set[tuple[int, int]] = set()
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), np.uint8)
    (tmp_path / "album").mkdir()
    Image.fromarray(noise).save(tmp_path / "album" / "large.jpg")
    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder(), image_embedder=Looks())
    book.add_folder(tmp_path / "album")
    book.embed_images()
    (hit,) = book.search_image(tmp_path / "album" / "large.jpg")
    assert hit.distance == 0
    assert sizes == {(500, 375)}


def test_who_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    class Stops(ColourEmbedder):
        def encode_images(self, images):
            if self.seen == 32:
                raise KeyboardInterrupt
            return super().encode_images(images)

    monkeypatch.setattr(pictures, "_WRITTEN", 16)
    for i in range(40):
        picture(tmp_path / "album" / f"{i}.png", (i, 0, 0))
    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder())
    book.add_folder(tmp_path / "album")
    with pytest.raises(KeyboardInterrupt):
        book.embed_images(Stops())
    model = ColourEmbedder()
    assert len(book.embed_images(model).outcomes) == model.seen == 8


def test_a_file_that_is_gone_is_an_outcome_and_tried_again(book, folder):
    data = (folder / "b.png").read_bytes()
    (folder / "b.png").unlink()
    report = book.embed_images(ColourEmbedder())
    assert (report.count("done"), report.count("failed")) == (3, 1)
    assert "b.png" in reason_of(report, "b.png")
    (folder / "b.png").write_bytes(data)
    assert statuses(book.embed_images()) == {"b.png": "done"}


def test_words_alone_have_no_picture_that_could_not_be_read(book):
    book.embed_images(ColourEmbedder())
    photos = words_alone("we swam in the sea").photos
    assert vectors_of_photos(book.store, "vector_2", ColourEmbedder(), photos, quiet) == ({}, {})


def test_where_no_file_can_be_read_each_is_an_outcome(book, folder):
    class Needs(ColourEmbedder):
        def encode_images(self, images):
            assert len(images)
            return super().encode_images(images)

    for file in folder.glob("*.png"):
        file.write_bytes(b"broken")
    assert set(statuses(book.embed_images(Needs())).values()) == {"failed"}


def test_the_model_is_kept_in_the_store(book, folder):
    book.embed_images(ColourEmbedder())
    again = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    assert [hit.name for hit in again.search("fire", 1)] == ["a.png"]  # words alone
    with pytest.raises(ModelError, match="image_embedder="):
        again.search_image(folder / "a.png")
    again = RememberAI.open(
        book.store.path, embedder=WordsEmbedder(), image_embedder=ColourEmbedder()
    )
    assert again.search_image(folder / "b.png", 1)[0].name == "b.png"
    assert again.info().models == ("words@1", "colours@1")


def test_without_an_embedder_the_way_out_is_told(book, folder):
    for call in (book.embed_images, lambda: book.search_image(folder / "a.png")):
        with pytest.raises(InputError, match=r"embed"):
            call()


def test_vectors_that_do_not_fit_are_refused(book):
    class Wrong(ColourEmbedder):
        def encode_images(self, images):
            return super().encode_images(images)[1:]

    with pytest.raises(InputError, match="must be one a picture"):
        book.embed_images(Wrong())


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_picture_whose_vector_can_t_be_searched_stops_no_other(book, folder, value):
    class Blind(ColourEmbedder):
        def encode_images(self, images):
            vectors = super().encode_images(images)
            vectors[vectors[:, 2] > 200] = value  # a blue one
            return vectors

    report = book.embed_images(Blind())
    assert statuses(report) == {
        "a.png": "done",
        "b.png": "done",
        "c.png": "failed",
        "d.png": "done",
    }
    assert "can't be searched" in reason_of(report, "c.png")
    assert statuses(book.embed_images(ColourEmbedder())) == {"c.png": "done"}


def test_each_index_is_checked_and_mended(book, folder):
    book.embed_images(ColourEmbedder())
    book.search("fire")
    book.search_image(folder / "a.png")
    path = book.store.path
    assert {"index", "index-vector_2"} <= {o.item for o in check(path).with_status("done")}
    for file in (path / "index-vector_2").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert "index-vector_2" in {o.item for o in check(path).with_status("waiting")}
    check(path, repair=True)
    assert not (path / "index-vector_2").exists()
    assert check(path).count("failed") == 0
    book.search_image(folder / "a.png")


def test_a_text_finds_a_drawing_that_nobody_described(tmp_path, trained_clip):
    import towers

    random = np.random.default_rng(11)
    for kind in towers.KINDS:
        path = tmp_path / "album" / f"{'-'.join(kind)}.png"
        path.parent.mkdir(exist_ok=True)
        towers.drawing(*kind, random).save(path)
    book = RememberAI.create(
        tmp_path / "b", embedder=WordsEmbedder(), image_embedder=str(trained_clip)
    )
    book.add_folder(tmp_path / "album")
    assert book.search("a red disc") == []
    book.embed_images()
    again = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    for either in (book, again):
        found = [either.search(towers.said(*kind), 1)[0] for kind in towers.KINDS]
        assert {hit.compared for hit in found} == {"picture"}
        right = [
            hit.name == f"{'-'.join(k)}.png" for hit, k in zip(found, towers.KINDS, strict=True)
        ]
        assert np.mean(right) > 0.8
