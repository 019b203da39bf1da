"""A store and its index: sound ones pass, every flaw is named, what can be mended is."""

from __future__ import annotations

import shutil

import pytest
from makers import Ticks, WordsEmbedder

from rememberai import Album, RememberAI, VectorIndex
from rememberai.checking import check
from rememberai.store import MemoryStore

pytest.importorskip("faiss")
pytest.importorskip("lance")


@pytest.fixture
def book(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(Album.from_texts([f"word{i} here" for i in range(40)], name="a"))
    book.learn_events({"sea": ["waves"], "cake": ["candles"]})
    return book


def rows(report) -> dict[str, tuple[str, str]]:
    return {outcome.item: (outcome.status, outcome.reason) for outcome in report.outcomes}


def flip(path, place) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_sound_store_passes(book):
    assert rows(check(book.store.path))["index"] == (
        "done",
        "there is none yet; the next search builds it",
    )
    book.search("word1")
    report = check(book.store.path)
    assert report.count("done") == len(report.outcomes)
    assert rows(report)["index"][1] == "40 vectors, the same as in the table"
    assert rows(report)["seeds.table"] == ("done", f"{len(book._learned.table())} rows")


def test_a_check_tells_how_far_it_is(book):
    book.delete([book.store.read(["photo_id"])["photo_id"][0].as_py()])
    book.search("word1")
    ticks = Ticks()
    check(book.store.path, progress=ticks)
    sealed = (book.store.path / "checksums").read_text().count("\n")
    assert ticks.stages() == {"rows": 40, "files": sealed, "index": 39}


@pytest.mark.parametrize("place", [-5, 0])
def test_a_flipped_bit_in_the_index_is_found_and_mended(book, place):
    book.search("word1")
    (vectors,) = (book.store.path / "index").glob("*.rows")
    flip(vectors, place)
    status, reason = rows(check(book.store.path))["index"]
    assert status == "waiting"
    assert vectors.name in reason
    assert rows(check(book.store.path, repair=True))["index"][0] == "done"
    again = RememberAI.open(book.store.path, embedder=WordsEmbedder())
    assert again.search("word7 here", k=1)[0].text == "word7 here"
    assert rows(check(book.store.path))["index"][1].startswith("40 vectors")


@pytest.mark.parametrize("way", ["a link", "a file"])
def test_an_index_that_is_no_folder_is_taken_away(book, tmp_path, way):
    book.search("word1")
    index = book.store.path / "index"
    shutil.move(index, tmp_path / "elsewhere")
    if way == "a link":
        index.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        assert not check(book.store.path).with_status("failed", "waiting")
        next(index.glob("*.rows")).write_bytes(b"short")
    else:
        index.write_text("no folder")
    assert check(book.store.path).count("waiting") == 1
    assert not check(book.store.path, repair=True).with_status("failed", "waiting")
    assert not index.is_symlink()
    assert not index.exists()
    assert (tmp_path / "elsewhere" / "manifest.json").exists()


def test_an_index_of_an_earlier_version_is_said_so(book):
    book.search("word1")
    book.add_album(Album.from_texts(["one more"], name="b"))
    assert "of an earlier version" in rows(check(book.store.path))["index"][1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ids, vectors: (ids, vectors[::-1]), "other vectors than the table"),
        (lambda ids, vectors: (["other", *ids[1:]], vectors), "other vectors than the table"),
        (lambda ids, vectors: (ids[1:], vectors[1:]), "other vectors than the table"),
        (
            lambda ids, vectors: ([*ids, "more"], [*vectors, vectors[0]]),
            "has 41 vectors, the table 40",
        ),
    ],
    ids=["vectors", "an id", "fewer", "more"],
)
def test_an_index_with_other_vectors_than_the_table_is_found(book, change, said):
    store = MemoryStore.open(book.store.path)
    index = VectorIndex(store.dimension)
    index.add(*change(*store.vectors()))
    index.save(store.path / "index", model_id=store.model_id, built_from=store.stamp)
    status, reason = rows(check(store.path))["index"]
    assert (status, said in reason) == ("waiting", True)
    check(store.path, repair=True)
    assert not (store.path / "index").exists()


def test_the_index_of_a_model_that_was_dropped_is_taken_away(book):
    book.search("word1")
    other = book.store.path / "index-vector_9"
    shutil.copytree(book.store.path / "index", other)
    status, reason = rows(check(book.store.path))[other.name]
    assert (status, "has dropped" in reason) == ("waiting", True)
    assert not check(book.store.path, repair=True).with_status("failed", "waiting")
    assert not other.exists()


def test_a_flipped_bit_in_the_photos_is_found(book):
    (data,) = (book.store.path / "photos.lance" / "data").glob("*.lance")
    flip(data, 100)
    report = check(book.store.path)
    assert report.count("failed") >= 1
    assert any(data.name in item for item in rows(report))


def test_what_is_no_store_is_said_so(tmp_path):
    report = check(tmp_path / "nothing")
    assert report.outcomes[0].status == "failed"


def test_a_check_changes_nothing(book):
    book.search("word1")
    path = book.store.path
    manifest = (path / "store.json").read_bytes()
    book.add_album(Album.from_texts(["one more"], name="b"))
    (path / "store.json").write_bytes(manifest)  # as a crash before publishing leaves it

    def state():
        files = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
        files.pop(path / "index" / "verified.json")  # where the index notes what it read
        return files

    before = state()
    assert "index" in rows(check(path))
    assert state() == before


def test_vectors_that_can_t_be_searched_are_a_flaw_and_no_crash(book):
    book.search("word1")
    store = book.store
    with store._writing() as change:
        zero = "[" + ", ".join(["0.0"] * store.dimension) + "]"
        change.dataset.update({"vector": zero}, "memory = 'word3 here'")
    index = VectorIndex.load(store.path / "index")
    index.save(store.path / "index", model_id=store.model_id, built_from=store.stamp)
    report = check(store.path)
    assert any("vector of zeros" in outcome.reason for outcome in report.with_status("failed"))
    assert "can't be searched" in rows(report)["index"][1]
