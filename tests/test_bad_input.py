"""Bad input, end to end: it is named with what to do, and nothing already stored is lost."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from makers import SAMPLE, WordsEmbedder, picture, remember, words_alone

from rememberai import InputError, ModelMismatchError, RememberAI, StoreError
from rememberai.opening import embedder_of

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def store(shell, tmp_path) -> Path:
    """A store with two memories and two events, made from the shell."""
    folder = tmp_path / "before"
    picture(folder / "cake.png", "pink")
    picture(folder / "sea.png", "blue")
    remember(folder, cake="Blowing out the candles", sea="A long day at the beach")
    seeds = {"birthday": ["a birthday cake", "presents"], "beach": ["a swim", "sand and waves"]}
    rows = [{"event": event, "text": text} for event, texts in seeds.items() for text in texts]
    (tmp_path / "seeds.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert shell("add", tmp_path / "s", folder).status == 0
    assert shell("learn", tmp_path / "s", tmp_path / "seeds.jsonl").status == 0
    return tmp_path / "s"


@pytest.fixture
def whole(shell, store):
    """After the test all that was stored before is still there, and answers."""
    yield
    info = json.loads(shell("info", store, "--json").out)
    assert info["photos"] >= 2
    assert info["events"] == ["beach", "birthday"]
    for text in ("Blowing out the candles", "A long day at the beach"):
        (hit,) = json.loads(shell("search", store, text, "-k", 1, "--json").out)
        assert hit["text"] == text
        assert hit["distance"] < 1e-5
    done = shell("assign", store, store.parent / "before", "--json")
    assert json.loads(done.out)["n_photos"] == 2


@pytest.fixture
def folder(tmp_path):
    """A folder with one good photo beside which the bad ones are laid."""
    picture(tmp_path / "new" / "good.png", "green")
    remember(tmp_path / "new", good="A green meadow")
    return tmp_path / "new"


def added(shell, store, folder) -> tuple[int, dict[str, tuple[str, str]]]:
    done = shell("add", store, folder, "--json")
    rows = json.loads(done.out)["outcomes"]
    return done.status, {row["item"]: (row["status"], row["reason"]) for row in rows}


def bomb(path: Path) -> None:
    """A PNG whose header claims 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def truncated(path: Path) -> None:
    picture(path)
    path.write_bytes(path.read_bytes()[:-40])


BAD_FILES = {
    "text.jpg": (lambda path: path.write_text("Dear diary"), "no readable JPEG"),
    "empty.png": (lambda path: path.write_bytes(b""), "is empty"),
    "truncated.png": (truncated, "copy it again"),
    "bomb.png": (bomb, "too large"),
    "noise.webp": (lambda path: path.write_bytes(bytes(range(256)) * 40), "no readable"),
}


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_and_the_good_ones_go_on(shell, store, folder, name):
    write, reason = BAD_FILES[name]
    write(folder / name)
    status, rows = added(shell, store, folder)
    assert status == 3
    assert rows["good.png"][0] == "done"
    assert rows[name][0] == "failed"
    assert reason in rows[name][1]
    assert str(folder / name) in rows[name][1]


@pytest.mark.usefixtures("whole")
def test_a_folder_of_nothing_but_bad_files_fails(shell, store, tmp_path):
    (tmp_path / "new").mkdir()
    for name, (write, _) in BAD_FILES.items():
        write(tmp_path / "new" / name)
    status, rows = added(shell, store, tmp_path / "new")
    assert status == 1
    assert {row[0] for row in rows.values()} == {"failed"}


@pytest.mark.usefixtures("whole")
def test_an_empty_folder(shell, store, tmp_path):
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    done = shell("add", store, tmp_path / "empty")
    assert done.status == 1
    assert "give the folder that your photos lie in" in done.err


@pytest.mark.usefixtures("whole")
def test_a_memory_of_100_000_characters(store):
    text = ("The years went by. " * 6000)[:100_000].strip()
    book = RememberAI.create(store.parent / "other", embedder=WordsEmbedder())
    picture(store.parent / "long" / "long.png", "black")
    remember(store.parent / "long", long=text)
    assert book.add_folder(store.parent / "long").count("done") == 1
    assert book.search("years", k=1)[0].text == text


@pytest.mark.usefixtures("whole")
def test_a_memory_file_that_names_absent_photos(shell, store, folder):
    remember(folder, good="A green meadow", absent="Nobody knows this one")
    status, rows = added(shell, store, folder)
    assert status == 3
    assert rows["good.png"][0] == "done"
    assert rows["memories.jsonl, line 2"][0] == "failed"
    assert "absent.png" in rows["memories.jsonl, line 2"][1]


@pytest.mark.usefixtures("whole")
def test_duplicate_photos(shell, store, folder):
    (folder / "twin.png").write_bytes((folder / "good.png").read_bytes())
    (folder / "old.png").write_bytes((store.parent / "before" / "cake.png").read_bytes())
    status, rows = added(shell, store, folder)
    assert status == 0
    assert rows["twin.png"] == ("skipped", "the same photo as good.png")
    assert rows["old.png"][0] == "skipped"
    assert json.loads(shell("info", store, "--json").out)["photos"] == 3


@pytest.mark.skipif(ROOT, reason="root may read everything")
@pytest.mark.usefixtures("whole")
def test_a_folder_without_permission(shell, store, folder):
    picture(folder / "locked" / "a.png")
    (folder / "locked").chmod(0)
    try:
        status, rows = added(shell, store, folder)
        alone = shell("add", store, folder / "locked")
    finally:
        (folder / "locked").chmod(0o700)
    assert status == 3
    assert rows["locked"][0] == "failed"
    assert "permissions" in rows["locked"][1]
    assert alone.status == 1
    assert "can't be read" in alone.err


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_place_where_nothing_may_be_written(shell, tmp_path, folder):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = shell("add", tmp_path / "locked" / "s", folder)
    assert done.status == 1
    assert done.err.startswith("Error: ")
    assert len(done.err.splitlines()) == 1


@pytest.mark.usefixtures("whole")
def test_a_store_made_with_another_model(shell, store, folder):
    with pytest.raises(ModelMismatchError, match="rememberai reembed"):
        RememberAI.open(store, embedder=WordsEmbedder())
    done = shell("add", store, folder, "--embedder", "use-multilingual")
    assert done.status == 1
    assert "rememberai reembed" in done.err


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "no JSON", '{"format": 99}'])
def test_a_store_that_is_no_store(shell, tmp_path, content):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "diary.txt").write_text("dear")
    if content is not None:
        (tmp_path / "s" / "store.json").write_text(content)
    for command in ("info", "discover"):
        done = shell(command, tmp_path / "s")
        assert done.status == 1
        assert len(done.err.splitlines()) == 1
        assert str(tmp_path / "s") in done.err
    assert shell("add", tmp_path / "s", SAMPLE / "query").status == 1
    assert (tmp_path / "s" / "diary.txt").read_text() == "dear"


def test_a_store_whose_table_is_gone_or_spoilt(shell, store):
    for manifest in (store / "photos.lance" / "_versions").iterdir():
        manifest.write_bytes(b"spoilt")
    with pytest.raises(StoreError, match="from a backup"):
        RememberAI.open(store)
    done = shell("search", store, "cake")
    assert done.status == 1
    assert "backup" in done.err


def test_an_event_with_one_seed_and_fewer_prototypes_than_votes(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.learn_events({"cake": ["candles"]})
    answer = book.assign(["candles", "something else"])
    assert answer.ranking == (("cake", 1.0),)
    assert len(answer.nearest) == 1


@pytest.mark.usefixtures("whole")
def test_an_empty_album(shell, store, tmp_path):
    (tmp_path / "empty").mkdir()
    assert shell("assign", store, tmp_path / "empty").status == 1
    picture(tmp_path / "silent" / "gray.png", "gray")
    done = shell("assign", store, tmp_path / "silent")
    assert done.status == 1
    assert "write memories or caption it" in done.err


def test_a_path_is_no_album(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    with pytest.raises(InputError, match="add_folder a path; 'holiday' came"):
        book.add_album("holiday")


def test_vectors_that_are_nan(tmp_path):
    good = WordsEmbedder()
    book = RememberAI.create(tmp_path / "s", embedder=good)
    book.add_album(words_alone("Blowing out the candles"))

    def one_nan(vectors):
        vectors[-1, 3] = np.nan
        return vectors

    bad = RememberAI.open(tmp_path / "s", embedder=WordsEmbedder(one_nan))
    album = words_alone("one", "two", "Blowing out the candles", name="more")
    report = bad.add_album(album)
    assert [outcome.status for outcome in report.outcomes] == ["done", "failed", "done"]
    failed = report.outcomes[1]
    assert (failed.item, failed.photo_id) == ("text 2", album.photos[1].photo_id)
    assert "NaN or infinity" in failed.reason
    assert {row["memory"] for row in bad.store.read(["memory"]).to_pylist()} == {
        "one",
        "Blowing out the candles",
    }
    with pytest.raises(InputError, match="NaN or infinity"):
        bad.write_memory(album.photos[0].photo_id, "three")
    assert bad.add_album(words_alone("four", name="alone")).count("failed") == 1
    good_again = RememberAI.open(tmp_path / "s", embedder=good).add_album(album)
    assert [outcome.status for outcome in good_again.outcomes] == ["skipped", "done", "skipped"]


def test_vectors_of_another_length_than_the_model_says(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder(lambda v: v[:, :-1]))
    with pytest.raises(InputError, match="shape"):
        book.add_album(words_alone("one", "two"))
    short = RememberAI.open(tmp_path / "s", embedder=WordsEmbedder(lambda v: v[:-1]))
    with pytest.raises(InputError, match="for 2 came 1"):
        short.add_album(words_alone("one", "two"))
    assert len(short) == 0


def test_vectors_of_zeros(tmp_path):
    def first_zero(vectors):
        vectors[0] = 0
        return vectors

    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder(first_zero))
    report = book.add_album(words_alone("b", "a", "c"))
    assert [outcome.status for outcome in report.outcomes] == ["done", "failed", "done"]
    assert "direction" in report.outcomes[1].reason


def test_the_store_is_as_it_was_after_a_broken_model(tmp_path):
    good = WordsEmbedder()
    book = RememberAI.create(tmp_path / "s", embedder=good)
    book.add_album(words_alone("Blowing out the candles"))
    bad = RememberAI.open(tmp_path / "s", embedder=WordsEmbedder(lambda v: v * np.nan))
    assert bad.add_album(words_alone("one", "two", name="more")).count("failed") == 2
    again = RememberAI.open(tmp_path / "s", embedder=good)
    assert [hit.text for hit in again.search("candles", k=5)] == ["Blowing out the candles"]


WRONG = {
    "search": (lambda book: book.search(None), r"a text \(str\) to search for was wanted; None"),
    "write_memory": (
        lambda book: book.write_memory(book.store.read()["photo_id"][0].as_py(), 5),
        "a memory needs words; 5 came",
    ),
    "reembed": (lambda book: book.reembed(5), "an object with encode, dimension, model_id; 5 came"),
    "embed_images": (
        lambda book: book.embed_images(WordsEmbedder()),
        "which has no encode_images",
    ),
    "caption": (lambda book: book.caption(5), "which has no caption, model_id"),
    "merge": (lambda book: book.events.merge(3), "ids of two events or more were wanted; 3 came"),
    "rename": (
        lambda book: [book.discover(1), book.events.rename([1], "a")],
        r"there is no event \[1\]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_of_another_type_is_named(tmp_path, name):
    do, message = WRONG[name]
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone("a day at the beach", "a cake"))
    with pytest.raises(InputError, match=message):
        do(book)
    assert len(book.search("a cake")) == 2


@pytest.mark.parametrize("model", [5, object(), Path("model")])
def test_no_store_is_made_for_what_is_no_model(tmp_path, model):
    for name in ("embedder", "captioner", "image_embedder"):
        with pytest.raises(InputError, match="a model was wanted: its folder or name"):
            RememberAI.create(tmp_path / "s", **{"embedder": WordsEmbedder(), name: model})
    assert not (tmp_path / "s").exists()


def test_a_model_is_not_loaded_to_see_whether_it_is_one():
    class Lazy(WordsEmbedder):
        asked = 0

        @property
        def dimension(self):
            type(self).asked += 1
            return 64

    assert isinstance(embedder_of(Lazy(), offline=True), Lazy)
    assert not Lazy.asked
