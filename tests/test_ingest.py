"""Photos into the store: what is written once, what replaces what, and what waits."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pytest
from makers import (
    SAMPLE,
    ColourCaptioner,
    WordsEmbedder,
    picture,
    reason_of,
    remember,
    rows_of,
    statuses,
    tiny_captioner,
    words_alone,
)

from rememberai import Album, InputError, RememberAI


@pytest.fixture
def words():
    return WordsEmbedder()


@pytest.fixture
def folder(tmp_path):
    """Three pictures; the red one and the green one are remembered."""
    for colour in ("red", "green", "blue"):
        picture(tmp_path / "album" / f"{colour}.png", colour)
    remember(tmp_path / "album", red="the red boat", green="a green meadow")
    return tmp_path / "album"


@pytest.fixture
def book(tmp_path, words):
    return RememberAI.create(tmp_path / "book.memories", embedder=words)


def rows_by_id(book):
    return {row["photo_id"]: row for row in book.store.read().to_pylist()}


def vector_of(book, name):
    return np.array(rows_of(book)[name]["vector"], np.float32)


# --- the same again ------------------------------------------------------------------------------


def test_adding_twice_changes_nothing(book, folder, words):
    first = book.add_folder(folder)
    assert statuses(first) == {"blue.png": "waiting", "green.png": "done", "red.png": "done"}
    assert "no text yet" in reason_of(first, "blue.png")
    before, version, seen = rows_of(book), book.store.version, len(words.seen)
    again = book.add_folder(folder)
    assert statuses(again) == {"blue.png": "waiting", "green.png": "skipped", "red.png": "skipped"}
    assert "no text yet" in reason_of(again, "blue.png")
    assert "stored already" in reason_of(again, "red.png")
    assert rows_of(book) == before
    assert book.store.version == version
    assert len(words.seen) == seen


def test_the_sample_album_twice_changes_nothing(book):
    book.add_folder(SAMPLE / "year")
    version, before = book.store.version, rows_of(book)
    again = book.add_folder(SAMPLE / "year")
    assert str(again) == "18 waiting, 49 skipped"
    assert book.store.version == version
    assert rows_of(book) == before


def test_every_input_has_its_row_in_the_report(book):
    album = Album.from_folder(SAMPLE / "year")
    report = book.add_album(album)
    assert [o.item for o in report.outcomes] == [o.item for o in album.outcomes]
    stored = rows_of(book)
    for outcome in report.outcomes:
        assert stored[outcome.item]["photo_id"] == outcome.photo_id
        assert (stored[outcome.item]["vector"] is None) == (outcome.status == "waiting")


def test_nothing_is_embedded_twice(book, folder, words):
    remember(folder, red="the same words", green="the same words", blue="other words")
    book.add_folder(folder)
    assert sorted(words.seen) == ["other words", "the same words"]
    book.add_album(words_alone("the same words", "new words", name="later"))
    assert sorted(words.seen) == ["new words", "other words", "the same words"]
    again = WordsEmbedder()
    reopened = RememberAI.open(book.store.path, embedder=again)
    reopened.add_album(words_alone("new words", "newest words", name="third"))
    assert again.seen == ["newest words"]
    assert np.array_equal(vector_of(book, "red.png"), vector_of(book, "green.png"))


def test_a_copy_under_another_name_is_the_same_photo(book, folder):
    book.add_folder(folder)
    shutil.copy(folder / "red.png", folder.parent / "elsewhere.png")
    other = folder.parent / "other"
    other.mkdir()
    shutil.copy(folder / "red.png", other / "renamed.png")
    report = book.add_folder(other)
    assert statuses(report) == {"renamed.png": "skipped"}
    assert len(book) == 3
    assert rows_of(book)["red.png"]["path"] == str(folder / "red.png")


def test_duplicates_within_a_folder_are_stored_once(book, folder):
    shutil.copy(folder / "blue.png", folder / "zz-copy.png")
    report = book.add_folder(folder)
    assert statuses(report)["zz-copy.png"] == "skipped"
    assert "the same photo as blue.png" in reason_of(report, "zz-copy.png")
    assert len(book) == 3


# --- what replaces what --------------------------------------------------------------------------


def test_a_memory_written_later_replaces_the_caption(book, folder, words, monkeypatch):
    book.add_folder(folder)
    book.caption(ColourCaptioner())
    assert rows_of(book)["blue.png"]["text_source"] == "caption"
    added = rows_of(book)["blue.png"]["added"]
    remember(folder, red="the red boat", green="a green meadow", blue="the deep blue sea")
    embedded, encode = [], words.encode
    with monkeypatch.context() as patch:
        patch.setattr(words, "encode", lambda texts: embedded.extend(texts) or encode(texts))
        report = book.add_folder(folder)
    assert embedded == ["the deep blue sea"]  # no other photo is embedded anew
    assert statuses(report)["blue.png"] == "done"
    assert "memory is new" in reason_of(report, "blue.png")
    row = rows_of(book)["blue.png"]
    assert (row["memory"], row["text_source"]) == ("the deep blue sea", "memory")
    assert (row["caption"], row["captioner"]) == ("colour 0-0-255", "colour@1")
    assert row["memory_origin"] == "file"
    assert row["added"] == added
    assert row["updated"] > added
    assert np.array_equal(vector_of(book, "blue.png"), words.encode(["the deep blue sea"])[0])
    assert book.search("the deep blue sea", k=1)[0].text_source == "memory"
    assert (book.info().memories, book.info().captions) == (3, 0)


def test_a_memory_that_was_edited_replaces_the_old_one(book, folder, words):
    book.add_folder(folder)
    remember(folder, red="the red lighthouse", green="a green meadow")
    report = book.add_folder(folder)
    assert statuses(report) == {"blue.png": "waiting", "green.png": "skipped", "red.png": "done"}
    assert np.array_equal(vector_of(book, "red.png"), words.encode(["the red lighthouse"])[0])


def test_a_memory_that_is_gone_from_the_folder_stays_in_the_store(book, folder):
    book.add_folder(folder)
    (folder / "memories.jsonl").unlink()
    book.add_folder(folder)
    assert rows_of(book)["red.png"]["memory"] == "the red boat"


def test_a_moved_folder_gets_its_new_paths(book, folder, words):
    book.add_folder(folder)
    seen = len(words.seen)
    moved = folder.rename(folder.parent / "moved")
    report = book.add_folder(moved)
    assert statuses(report) == {"blue.png": "waiting", "green.png": "done", "red.png": "done"}
    assert "moved" in reason_of(report, "red.png")
    assert "no text yet" in reason_of(report, "blue.png")
    rows = rows_of(book)
    assert {row["path"] for row in rows.values()} == {str(moved / name) for name in rows}
    assert {row["album"] for row in rows.values()} == {"moved"}
    assert len(words.seen) == seen
    assert len(book) == 3
    version = book.store.version
    book.add_folder(moved)
    assert book.store.version == version


def test_photos_that_changed_places_get_their_new_paths(book, folder):
    """As when the photos of a folder are numbered anew."""
    book.add_folder(folder)
    for old, new in (("red", "spare"), ("green", "red"), ("blue", "green"), ("spare", "blue")):
        (folder / f"{old}.png").rename(folder / f"{new}.png")
    remember(folder, blue="the red boat", red="a green meadow")
    report = book.add_folder(folder)
    assert all("moved" in reason_of(report, f"{stem}.png") for stem in ("red", "green", "blue"))
    assert {name: row["memory"] for name, row in rows_of(book).items()} == {
        "blue.png": "the red boat",
        "red.png": "a green meadow",
        "green.png": None,
    }
    assert {row["path"] for row in rows_of(book).values()} == set(map(str, folder.glob("*.png")))
    book.caption(ColourCaptioner())
    assert rows_of(book)["green.png"]["caption"] == "colour 0-0-255"


def test_a_photo_is_not_taken_for_the_one_that_was_written_over_it(book, folder):
    book.add_folder(folder)
    old = {row["name"]: row["photo_id"] for row in rows_of(book).values()}
    content = (folder / "red.png").read_bytes()
    (folder / "memories.jsonl").unlink()
    for stem in ("red", "blue"):
        picture(folder / f"{stem}.png", "white" if stem == "red" else "yellow")
    assert statuses(book.add_folder(folder)) == {
        "blue.png": "waiting",
        "green.png": "skipped",
        "red.png": "waiting",
    }
    captioner = ColourCaptioner()
    assert len(book.caption(captioner).outcomes) == 2
    rows = rows_by_id(book)
    assert captioner.seen == 2
    assert len(rows) == 5
    kept, gone = rows[old["red.png"]], rows[old["blue.png"]]
    assert (kept["memory"], kept["path"]) == ("the red boat", None)
    assert (gone["caption"], gone["path"]) == (None, None)
    assert len({row["path"] for row in rows.values() if row["path"]}) == 3
    (folder / "back.png").write_bytes(content)
    book.add_folder(folder)
    assert rows_by_id(book)[old["red.png"]]["path"] == str(folder / "back.png")


def words_in(folder, **texts):
    """Make an album of words alone, with references and in a folder below, and one line without."""
    rows = [{"photo": name, "text": text} for name, text in texts.items()]
    for place in (folder, folder / "more"):
        place.mkdir(parents=True)
        content = "\n".join(map(json.dumps, [*rows, {"text": f"a line in {place.name}"}]))
        (place / "memories.jsonl").write_text(content, encoding="utf-8")
    return folder


def test_words_alone_in_a_moved_folder_are_those_that_are_stored(book, tmp_path, words):
    old = words_in(tmp_path / "old" / "it's (2024)", a="the cake", b="the song")
    book.add_folder(old)
    assert len(book) == 6  # the same words in two folders are two photos
    before, seen = rows_by_id(book), len(words.seen)
    (tmp_path / "new").mkdir()
    new = old.rename(tmp_path / "new" / old.name)
    for _ in range(2):
        report = book.add_folder(new)
        assert {outcome.status for outcome in report.outcomes} == {"skipped"}
        assert {outcome.photo_id for outcome in report.outcomes} == set(before)
        assert (rows_by_id(book), len(words.seen)) == (before, seen)


def test_words_alone_are_found_again_after_another_system_wrote_their_names(book, tmp_path):
    for form, place in (("NFD", "mac"), ("NFC", "windows")):
        folder = words_in(tmp_path / place / normalize(form, "Café"), a="the cake")
        (folder / "more").rename(folder / normalize(form, "Été"))
        report = book.add_folder(folder)
        assert len(book) == 4
    assert {outcome.status for outcome in report.outcomes} == {"skipped"}


def test_other_words_in_a_moved_folder_are_new(book, tmp_path):
    old = words_in(tmp_path / "old" / "trip", a="the cake", b="the song")
    book.add_folder(old)
    words_in(tmp_path / "new" / "trip", a="the cake", b="another song")
    assert book.add_folder(tmp_path / "new" / "trip").count("done") == 2  # "b", in both folders
    words_in(tmp_path / "other", a="the cake", b="the song")
    assert book.add_folder(tmp_path / "other").count("done") == 6
    # A reference whose words were rewritten where it lies is still the same photo.
    (old / "memories.jsonl").write_text('{"photo": "a", "text": "the cakes"}', encoding="utf-8")
    assert "its memory is new" in reason_of(book.add_folder(old), "memories.jsonl, line 1")


def test_the_same_words_in_another_folder_of_an_album_are_a_photo_of_their_own(book, tmp_path):
    line = '{"photo": "a", "text": "the cake"}'
    for n, place in enumerate((tmp_path / "trip", tmp_path / "trip" / "more"), start=1):
        place.mkdir()
        (place / "memories.jsonl").write_text(line, encoding="utf-8")
        book.add_folder(tmp_path / "trip")
        assert len(book) == n


def test_words_that_are_stored_stay_themselves_when_another_album_has_the_same(book, tmp_path):
    for place, text in (("old", "the cake"), ("new", "the song"), ("new", "the cake")):
        (tmp_path / place / "trip").mkdir(parents=True, exist_ok=True)
        line = json.dumps({"photo": "a", "text": text})
        (tmp_path / place / "trip" / "memories.jsonl").write_text(line, encoding="utf-8")
        book.add_folder(tmp_path / place / "trip")
    own = [
        Album.from_folder(tmp_path / place / "trip").photos[0].photo_id for place in ("old", "new")
    ]
    assert set(rows_by_id(book)) == set(own)
    for place, photo_id in zip(("old", "new"), own, strict=True):
        (outcome,) = book.add_folder(tmp_path / place / "trip").outcomes
        assert outcome.photo_id == photo_id


# --- captions ------------------------------------------------------------------------------------


def caption_at_create(tmp_path, words, captioner, folder):
    book = RememberAI.create(tmp_path / "s", embedder=words, captioner=captioner)
    return book, book.add_folder(folder)


def caption_at_open(tmp_path, words, captioner, folder):
    RememberAI.create(tmp_path / "s", embedder=words)
    book = RememberAI.open(tmp_path / "s", embedder=words, captioner=captioner)
    return book, book.add_folder(folder)


def caption_by_adding_again(tmp_path, words, captioner, folder):
    RememberAI.create(tmp_path / "s", embedder=words).add_folder(folder)
    book = RememberAI.open(tmp_path / "s", embedder=words, captioner=captioner)
    return book, book.add_folder(folder)


def caption_later(tmp_path, words, captioner, folder):
    book = RememberAI.create(tmp_path / "s", embedder=words)
    book.add_folder(folder)
    return book, book.caption(captioner)


@pytest.mark.parametrize(
    "way", [caption_at_create, caption_at_open, caption_by_adding_again, caption_later]
)
def test_only_what_has_no_memory_is_captioned_and_only_once(tmp_path, words, folder, way):
    captioner = ColourCaptioner()
    book, report = way(tmp_path, words, captioner, folder)
    assert statuses(report)["blue.png"] == "done"
    assert captioner.seen == 1
    row = rows_of(book)["blue.png"]
    assert (row["caption"], row["captioner"]) == ("colour 0-0-255", "colour@1")
    assert row["text_source"] == "caption"
    assert np.array_equal(vector_of(book, "blue.png"), words.encode(["colour 0-0-255"])[0])
    assert rows_of(book)["red.png"]["caption"] is None
    version = book.store.version
    assert book.caption(captioner).outcomes == ()
    book.captioner = captioner
    book.add_folder(folder)
    assert captioner.seen == 1
    assert book.store.version == version


def test_captioning_needs_a_captioner(book, folder):
    book.add_folder(folder)
    with pytest.raises(InputError, match="a captioner is needed"):
        book.caption()


@pytest.mark.parametrize("nothing", ["", "  \n"])
def test_a_captioner_that_says_nothing_leaves_the_photo_waiting(book, folder, nothing):
    def kept():
        rows = book.store.read(["name", "outcome"]).to_pylist()
        return {row["name"]: row["outcome"] for row in rows}

    book.add_folder(folder)
    assert "no memory and no captioner" in kept()["blue.png"]
    silent = ColourCaptioner(lambda captions: [nothing] * len(captions))
    report = book.caption(silent)
    assert statuses(report) == {"blue.png": "waiting"}
    assert "said nothing usable" in reason_of(report, "blue.png")
    assert "said nothing usable" in kept()["blue.png"]
    version = book.store.version
    book.caption(silent)
    assert book.store.version == version
    assert statuses(book.caption(ColourCaptioner())) == {"blue.png": "done"}
    assert set(kept().values()) == {None}


def test_a_picture_that_vanished_or_broke_waits_and_the_others_go_on(book, folder):
    for colour in ("pink", "black", "white"):
        picture(folder / f"{colour}.png", colour)
    book.add_folder(folder)
    (folder / "blue.png").unlink()
    (folder / "pink.png").write_bytes((folder / "pink.png").read_bytes()[:60])
    report = book.caption(ColourCaptioner())
    assert statuses(report) == {
        "black.png": "done",
        "blue.png": "waiting",
        "pink.png": "waiting",
        "white.png": "done",
    }
    assert str(folder / "blue.png") in reason_of(report, "blue.png")
    assert "copy it again" in reason_of(report, "pink.png")
    assert rows_of(book)["white.png"]["caption"] == "colour 255-255-255"


def test_captions_stay_with_their_pictures_over_many_at_once(book, tmp_path):
    colours = {f"p{i:03}": (i, 255 - i, 7 * i % 256) for i in range(150)}
    for name, colour in colours.items():
        picture(tmp_path / "many" / f"{name}.png", colour)
    book.add_folder(tmp_path / "many")
    for gone in ("p003", "p017", "p090"):
        (tmp_path / "many" / f"{gone}.png").unlink()
    book.caption(ColourCaptioner())
    rows = rows_of(book)
    for name, colour in colours.items():
        wanted = (
            None if name in ("p003", "p017", "p090") else f"colour {'-'.join(map(str, colour))}"
        )
        assert rows[f"{name}.png"]["caption"] == wanted


@pytest.mark.parametrize(
    "answer",
    [
        lambda captions: captions[:-1],
        lambda captions: [*captions, "more"],
        lambda captions: [None] * len(captions),
        lambda captions: "a" * len(captions),
        lambda captions: None,
    ],
)
def test_a_captioner_that_breaks_its_word_is_named(book, folder, answer):
    book.add_folder(folder)
    before = rows_of(book)
    with pytest.raises(InputError, match=r"'colour@1' must return a list with one str or Caption"):
        book.caption(ColourCaptioner(answer))
    assert rows_of(book) == before


def test_a_caption_with_half_a_character_is_mended(book, folder):
    book.add_folder(folder)
    book.caption(ColourCaptioner(lambda captions: ["half \ud83d of it\x1b[2J"] * len(captions)))
    assert rows_of(book)["blue.png"]["caption"] == "half ? of it[2J"


def test_captions_made_before_a_failure_are_kept(book, tmp_path):
    for i in range(100):
        picture(tmp_path / "many" / f"{i:03}.png", (i, i, 9))
    book.add_folder(tmp_path / "many")
    captioner = ColourCaptioner()

    def fail_after_64(captions):
        if captioner.seen > 64:
            raise MemoryError
        return captions

    captioner.answer = fail_after_64
    with pytest.raises(MemoryError):
        book.caption(captioner)
    reopened = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    assert reopened.info().captions == 64
    rest = ColourCaptioner()
    reopened.caption(rest)
    assert rest.seen == 36
    assert reopened.info().waiting == 0


def test_a_real_captioner_by_its_folder(book, folder, tmp_path):
    model = tiny_captioner(tmp_path)
    from tiny_captioners import WORDS

    book.add_folder(folder)
    report = book.caption(str(model))
    row = rows_of(book)["blue.png"]
    if report.outcomes[0].status == "done":
        assert row["captioner"].startswith("tiny-git@")
        assert set(row["caption"].split()) <= set(WORDS)
    else:  # an untrained model may go in circles
        assert "went in circles" in report.outcomes[0].reason


# --- texts ---------------------------------------------------------------------------------------


def test_a_memory_of_100_000_characters_is_split_and_says_so(tmp_path, minilm):
    text = "We walked along the river and talked about the years. " * 1852
    assert len(text) > 100_000
    book = RememberAI.create(tmp_path / "s", embedder=minilm)
    report = book.add_album(Album.from_texts([text[:100_000], "short"], name="n"))
    assert [o.status for o in report.outcomes] == ["done", "done"]
    long, short = (o.reason for o in report.outcomes)
    assert "embedded in" in long
    assert "pieces" in long
    assert short == ""
    (hit,) = book.search("walking along the river, talking about the years", k=1)
    assert len(hit.text) == len(text[:100_000].strip())
    assert hit.distance < 0.5


def test_words_alone_are_an_album(book):
    texts, references = ["a b", "c d"], ["https://photos.example/1", "https://photos.example/2"]
    report = book.add_album(Album.from_texts(texts, name="web", references=references))
    assert report.count("done") == 2
    (hit,) = book.search("c d", k=1)
    assert (hit.name, hit.path, hit.text_source) == (references[1], None, "memory")
    assert (
        book.add_album(Album.from_texts(texts, name="other", references=references)).count(
            "skipped"
        )
        == 2
    )
    assert book.caption(ColourCaptioner()).outcomes == ()


def test_a_text_only_folder_is_an_album(book):
    report = book.add_folder(SAMPLE / "query_unknown")
    assert report.count("done") == len(report.outcomes) == 5
    assert book.info().memories == 5


def test_remarks_of_reading_and_of_storing_stand_together(book, folder):
    os.utime(folder / "blue.png", (1e9, 1e9))
    reason = reason_of(book.add_folder(folder), "blue.png")
    assert "no text yet" in reason
    assert "capture time" in reason


# --- broken off ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_after_a_break_the_same_call_goes_on(tmp_path, fault):
    texts = [f"memory number {i}" for i in range(2500)]

    def fail_in_the_second_batch(vectors):
        if len(embedder.seen) > 1024:
            raise fault
        return vectors

    embedder = WordsEmbedder(fail_in_the_second_batch)
    book = RememberAI.create(tmp_path / "s", embedder=embedder)
    with pytest.raises(fault):
        book.add_album(Album.from_texts(texts, name="many"))
    again = WordsEmbedder()
    reopened = RememberAI.open(tmp_path / "s", embedder=again)
    assert len(reopened) == 1024
    assert reopened.info().memories == 1024
    report = reopened.add_album(Album.from_texts(texts, name="many"))
    assert (report.count("skipped"), report.count("done")) == (1024, 2500 - 1024)
    assert sorted(again.seen) == sorted(texts[1024:])
    assert sorted(row["memory"] for row in rows_of(reopened).values()) == sorted(texts)
    assert reopened.search(texts[7], k=1)[0].distance == pytest.approx(0, abs=1e-6)


# --- progress ------------------------------------------------------------------------------------


def test_progress_counts_up_to_all(tmp_path, words):
    for i in range(80):
        picture(tmp_path / "many" / f"{i:03}.png", (i, i, 9))
    remember(tmp_path / "many", **{f"{i:03}": f"words {i}" for i in range(60)})
    book = RememberAI.create(tmp_path / "s", embedder=words, captioner=ColourCaptioner())
    calls = []
    book.add_folder(tmp_path / "many", progress=lambda *call: calls.append(call))
    assert {stage for stage, _, _ in calls} == {"reading", "captioning", "embedding"}
    for stage in ("reading", "captioning", "embedding"):
        done = [(n, total) for s, n, total in calls if s == stage]
        assert done == sorted(done)
        assert done[-1] == (80, 80)


def test_progress_of_captioning_alone(book, folder):
    book.add_folder(folder)
    calls = []
    book.caption(ColourCaptioner(), progress=lambda *call: calls.append(call))
    assert calls == [("captioning", 1, 1)]


# --- memories written by hand --------------------------------------------------------------------


def test_a_memory_written_by_hand_counts_from_now_on(book, folder, words):
    book.captioner = ColourCaptioner()
    book.add_folder(folder)
    before = rows_of(book)
    words.seen.clear()
    said = book.write_memory(before["blue.png"]["photo_id"], " our blue  tent\r\n", author="Mia")
    assert (said.item, said.status) == ("blue.png", "done")
    assert words.seen == ["our blue  tent"]
    row = rows_of(RememberAI.open(book.store.path, embedder=words))["blue.png"]
    assert (row["memory"], row["memory_author"], row["memory_origin"], row["text_source"]) == (
        "our blue  tent",
        "Mia",
        "given",
        "memory",
    )
    assert row["caption"] == before["blue.png"]["caption"]
    assert datetime.fromisoformat(row["memory_written"]).tzinfo is not None
    np.testing.assert_array_equal(row["vector"], words.encode(["our blue  tent"])[0])
    assert book.search("our blue tent", k=1)[0].name == "blue.png"
    after = rows_of(book)
    assert {name: after[name] for name in ("red.png", "green.png")} == {
        name: before[name] for name in ("red.png", "green.png")
    }


def test_a_photo_that_waited_for_words_waits_no_more(book, folder):
    book.add_folder(folder)
    assert rows_of(book)["blue.png"]["outcome"]
    book.write_memory(rows_of(book)["blue.png"]["photo_id"], "our tent")
    assert rows_of(book)["blue.png"]["outcome"] is None
    assert book.info().waiting == 0


def test_a_memory_written_by_hand_stays_when_the_folder_is_added_again(book, folder):
    remember(folder, red="what the file says")
    book.add_folder(folder)
    photo_id = rows_of(book)["red.png"]["photo_id"]
    book.write_memory(photo_id, "what I say", author="Mia")
    before = rows_of(book)
    for said in ("what the file says", "what the file says by now"):
        remember(folder, red=said)
        (skipped,) = (o for o in book.add_folder(folder).outcomes if o.photo_id == photo_id)
        assert skipped.status == "skipped"
        assert "written by hand stays" in skipped.reason
    assert rows_of(book) == before
    book.write_memory(photo_id, "what I say now")
    assert rows_of(book)["red.png"]["memory"] == "what I say now"


def test_a_memory_without_words_or_photo_is_refused(book, folder):
    book.add_folder(folder)
    before = rows_of(book)
    for text in ("", " \n\t", "\ufeff"):
        with pytest.raises(InputError, match="a memory needs words"):
            book.write_memory(before["red.png"]["photo_id"], text)
    with pytest.raises(InputError, match="no photo 'nobody'"):
        book.write_memory("nobody", "words")
    assert rows_of(book) == before


def test_a_memory_is_written_of_what_another_process_just_changed(book, folder, words):
    book.add_folder(folder)
    other = RememberAI.open(book.store.path, embedder=words)
    photo_id = rows_of(book)["red.png"]["photo_id"]

    class Meanwhile(WordsEmbedder):
        def encode(self, texts):
            if not self.seen:
                other.store.update(pa.table({"photo_id": [photo_id], "event_given": ["regatta"]}))
            return super().encode(texts)

    RememberAI.open(book.store.path, embedder=Meanwhile()).write_memory(photo_id, "mine")
    row = rows_of(RememberAI.open(book.store.path, embedder=words))["red.png"]
    assert (row["memory"], row["event_given"]) == ("mine", "regatta")
