"""Events that last: kept in the store, corrected by people, and found anew when photos come."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from makers import (
    SAMPLE,
    ColourCaptioner,
    Ticks,
    WordsEmbedder,
    picture,
    remember,
    words_alone,
)

from rememberai import EventAssigner, InputError, RememberAI
from rememberai.checking import check
from rememberai.discovery import Timeline
from rememberai.events import naming
from rememberai.store.schema import to_table

THEMES = {
    "sea": "waves sand swimming seagull",
    "cake": "candles birthday cake presents",
    "snow": "snowman sledge frozen gloves",
}
SEEDS = {name: [f"{words} seed{i}" for i in range(5)] for name, words in THEMES.items()}


def texts(theme: str, *numbers: int) -> list[str]:
    return [f"{THEMES[theme]} story{theme}{i}" for i in numbers]


@pytest.fixture
def book(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone(*(text for theme in THEMES for text in texts(theme, *range(6)))))
    return book


def again(book) -> RememberAI:
    """Open the store as another process would."""
    return RememberAI.open(book.store.path, embedder=WordsEmbedder())


def test_finding_tells_how_many_events_were_assigned(book):
    ticks = Ticks()
    assert book.discover(progress=ticks)
    assert ticks.stages() == {"clustering": 48}  # numbers of clusters to try
    book.learn_events(
        {theme: texts(theme, 0, 1, 2) for theme in THEMES}, progress=(learn := Ticks())
    )
    assert learn.stages() == {"reading": 9, "learning": 9}  # parts of what is learned
    book.discover(3, progress=(ticks := Ticks()))
    assert ticks.stages() == {"clustering": 10, "learning": 9, "assigning": 3}  # 10 iterations


def words_of(book, photo_ids) -> set[str]:
    rows = book.store.read_rows(list(photo_ids))
    return {rows[photo_id]["memory"] for photo_id in photo_ids}


def event_of(book, theme: str, found=None):
    """The event that most photos of a theme are in."""
    found = found or again(book).events.read()
    return max(found, key=lambda e: sum(THEMES[theme] in t for t in words_of(book, e.photo_ids)))


def photo(book, text: str) -> str:
    rows = again(book).store.read(["memory"])
    return rows.filter(pc.equal(rows["memory"], text))["photo_id"][0].as_py()


def members(found) -> dict[int, set[str]]:
    return {event.event_id: set(event.photo_ids) for event in found}


def column(book, name: str) -> dict[str, object]:
    """The values of a column by the photos' words."""
    rows = again(book).store.read(["memory", name])
    return dict(zip(rows["memory"].to_pylist(), rows[name].to_pylist(), strict=True))


def test_before_the_first_discovery_there_is_nothing_to_read_or_correct(book):
    assert book.events.read() is None
    for correct in (
        lambda: book.events.rename(0, "x"),
        lambda: book.events.merge([0, 1]),
        lambda: book.events.accept(0),
    ):
        with pytest.raises(InputError, match="call discover first"):
            correct()
    with pytest.raises(InputError, match="there is no event 0; there are none"):
        book.events.explain(0)


def test_what_was_found_is_read_by_others_as_it_was_found(book):
    book.learn_events(SEEDS)
    found = book.discover(3)
    assert again(book).events.read() == found
    assert sorted(event.event_id for event in found) == [0, 1, 2]
    assert not any(event.named or event.accepted for event in found)


def test_events_keep_their_ids_when_photos_are_added(book):
    before = book.discover(3)
    ids = {theme: event_of(book, theme).event_id for theme in THEMES}
    added = words_alone(*texts("snow", *range(6, 20)), *texts("cake", 6), name="later")
    book.add_album(added)
    new = again(book).events.read()
    assert members(new) == members(before)
    assert words_of(book, new.new) == {*texts("snow", *range(6, 20)), *texts("cake", 6)}
    assert new.noise == ()
    found = book.discover(3)
    assert found.new == ()
    assert {theme: event_of(book, theme).event_id for theme in THEMES} == ids
    assert [len(event.photo_ids) for event in found] == [20, 7, 6]
    book.add_album(words_alone(*(f"lamp desk ink paper story{i}" for i in range(6)), name="new"))
    assert {event.event_id for event in book.discover(4)} == {0, 1, 2, 3}
    assert {theme: event_of(book, theme).event_id for theme in THEMES} == ids


def test_an_id_is_never_used_again(book):
    book.discover(3)
    book.events.merge([0, 2])
    new = book.events.split(0, texts_ids(book, texts("sea", 0, 1)))
    assert new == 3
    book.events.merge([0, 3])
    assert book.events.split(0, texts_ids(book, texts("sea", 0, 1))) == 4
    book.discover(3)
    assert set(members(again(book).events.read())) >= {0, 1, 4}
    assert not set(members(again(book).events.read())) & {2, 3}


def texts_ids(book, wanted: list[str]) -> list[str]:
    return [photo(book, text) for text in wanted]


def test_a_name_by_a_person_stays_through_all_that_comes(book):
    book.discover(3)
    snow = event_of(book, "snow").event_id
    book.events.rename(snow, "  The winter of\u0000 1985\n")
    book.add_album(words_alone(*texts("snow", *range(6, 9)), name="later"))
    for found in (again(book).events.read(), again(book).discover(2), book.discover()):
        (named,) = [event for event in found if event.named]
        assert (named.event_id, named.title) == (snow, "The winter of 1985")
        assert words_of(book, named.photo_ids) >= set(texts("snow", *range(6)))


def test_merged_events_stay_together(book):
    book.discover(3)
    sea, cake = event_of(book, "sea"), event_of(book, "cake")
    book.events.rename(cake.event_id, "Cakes")
    assert book.events.merge([sea.event_id, cake.event_id]) == sea.event_id
    for found in (again(book).events.read(), again(book).discover(3), book.discover()):
        whole = members(found)[sea.event_id]
        assert whole == {*sea.photo_ids, *cake.photo_ids}
        assert cake.event_id not in members(found)
        assert event_of(book, "sea", found).title == "Cakes"


def test_split_events_stay_apart(book):
    book.discover(3)
    sea = event_of(book, "sea")
    leaving = texts_ids(book, texts("sea", 0, 3))
    new = book.events.split(sea.event_id, leaving)
    for found in (again(book).events.read(), again(book).discover(3), book.discover()):
        assert members(found)[new] == set(leaving)
        assert members(found)[sea.event_id] == set(sea.photo_ids) - set(leaving)


def test_a_single_photo_may_be_an_event(book):
    book.discover(3)
    sea = event_of(book, "sea")
    new = book.events.split(sea.event_id, sea.photo_ids[:1])
    assert members(again(book).discover(3))[new] == set(sea.photo_ids[:1])


def test_a_moved_photo_stays_where_it_was_put(book):
    book.discover(3)
    sea, cake = event_of(book, "sea"), event_of(book, "cake")
    (stray,) = texts_ids(book, texts("sea", 2))
    book.events.move([stray], cake.event_id)
    book.add_album(words_alone(*texts("sea", *range(6, 20)), name="later"))
    (late,) = texts_ids(book, texts("sea", 7))
    book.events.move({late}, cake.event_id)
    assert late not in again(book).events.read().new
    for found in (again(book).events.read(), again(book).discover(3), book.discover()):
        assert members(found)[cake.event_id] == {*cake.photo_ids, stray, late}
        assert set(sea.photo_ids) - {stray} <= members(found)[sea.event_id]


def test_an_event_that_is_left_empty_is_gone(book):
    book.discover(3)
    sea, cake = event_of(book, "sea"), event_of(book, "cake")
    book.events.move(sea.photo_ids, cake.event_id)
    assert sea.event_id not in members(again(book).events.read())
    with pytest.raises(InputError, match=f"no event {sea.event_id}; there are"):
        book.events.rename(sea.event_id, "gone")


def test_noise_can_be_put_in_an_event(book):
    book.add_album(words_alone("one odd thing alone", name="odd"))
    found = book.discover(4)
    (odd,) = found.noise
    book.events.move([odd], 0)
    assert again(book).events.read().noise == ()
    assert odd in members(again(book).discover(4))[0]


def test_deleted_photos_are_gone_and_the_rest_stays(book):
    book.discover(3)
    sea = event_of(book, "sea")
    book.events.rename(sea.event_id, "By the sea")
    again(book).delete(sea.photo_ids[:2])
    for found in (again(book).events.read(), again(book).discover(3)):
        assert members(found)[sea.event_id] == set(sea.photo_ids[2:])
    again(book).delete(sea.photo_ids[2:])
    found = book.discover(2)
    assert sea.event_id not in members(found)
    assert not any(event.named for event in found)
    for ask in (book.events.accept, again(book).events.explain):
        with pytest.raises(InputError, match=f"no event {sea.event_id}"):
            ask(sea.event_id)


@pytest.mark.parametrize(
    ("correct", "message"),
    [
        (lambda events, _: events.rename(9, "x"), "there is no event 9; there are 0, 1, 2"),
        (lambda events, _: events.rename("0", "x"), "there is no event '0'"),
        (lambda events, _: events.rename(0, " \t"), "a title needs words"),
        (lambda events, _: events.merge([1]), "two events or more"),
        (lambda events, _: events.merge([1, 1]), "two events or more"),
        (lambda events, _: events.merge([]), "two events or more"),
        (lambda events, _: events.merge([0, 7]), "no event 7"),
        (lambda events, own: events.split(0, own), "leave one in it"),
        (lambda events, _: events.split(0, []), "collection of photo ids"),
        (lambda events, own: events.split(0, own[0]), "collection of photo ids"),
        (lambda events, own: events.split(1, own[:1]), "event 1 has no photo"),
        (lambda events, own: events.split(5, own), "no event 5"),
        (lambda events, own: events.move(own, 5), "no event 5"),
        (lambda events, _: events.move(["nobody"], 0), "'nobody' is none; write a memory"),
        (lambda events, own: events.move(own[0], 0), "collection of photo ids"),
        (lambda events, _: events.accept(0), "event 0 is assigned to no learned event"),
        (lambda events, _: events.reject(0), "event 0 is assigned to no learned event"),
    ],
)
def test_what_can_not_be_is_refused_and_changes_nothing(book, correct, message):
    before = book.discover(3)
    own = next(event.photo_ids for event in before if event.event_id == 0)
    with pytest.raises(InputError, match=message):
        correct(book.events, list(own))
    assert again(book).events.read() == before


def test_a_photo_without_words_is_in_no_event(book, tmp_path):
    book.discover(3)
    picture(tmp_path / "a" / "red.png")
    (silent,) = book.add_folder(tmp_path / "a").with_status("waiting")
    assert book.events.read().new == ()
    with pytest.raises(InputError, match="write a memory of it first"):
        book.events.move([silent.photo_id], 0)


def test_what_the_assigner_says_can_be_searched_by(book):
    book.learn_events(SEEDS)
    found = book.discover(3)
    for theme in THEMES:
        event = event_of(book, theme, found)
        assert event.known_event == theme
        assert 0.5 < event.confidence <= 1
        hits = again(book).search("story", k=30, where=f"event_assigned = '{theme}'")
        assert {hit.photo_id for hit in hits} == set(event.photo_ids)
        sure = f"event_assigned = '{theme}' AND event_confidence > 0.5"
        assert len(again(book).search("story", k=30, where=sure)) == 6
    assert set(column(book, "event_given").values()) == {None}


def test_nothing_is_written_when_nothing_changed(book):
    book.learn_events(SEEDS)
    first = book.discover(3)
    version = book.store.version
    assert book.discover(3) == first
    book.events.rename(0, "a name")
    assert again(book).store.version == version


def test_a_correction_is_told_of_the_photos_that_it_concerns_alone(book):
    book.learn_events(SEEDS)
    book.discover(3)
    before = column(book, "updated")
    sea, cake = event_of(book, "sea"), event_of(book, "cake")
    moved = texts("sea", 0)
    book.events.move(texts_ids(book, moved), cake.event_id)
    assert column(book, "event_assigned")[moved[0]] == event_of(book, "cake").known_event
    after = column(book, "updated")
    touched = {text for text in after if after[text] != before[text]}
    assert touched & set(texts("snow", *range(6))) == set()
    assert moved[0] in touched
    assert sea.event_id in members(again(book).events.read())


def test_an_accepted_event_is_given(book):
    book.learn_events(SEEDS)
    book.discover(3)
    snow = event_of(book, "snow")
    book.events.accept(snow.event_id)
    event = event_of(book, "snow")
    assert (event.accepted, event.known_event, event.confidence) == (True, "snow", 1.0)
    assert {hit.photo_id for hit in book.search("x", 30, where="event_given = 'snow'")} == set(
        snow.photo_ids
    )
    book.learn_events({"hill": ["a hill far away"]}, replace_all=True)
    again(book).discover(3)
    event = event_of(book, "snow")
    assert (event.accepted, event.known_event) == (True, "snow")


def test_photos_that_join_an_accepted_event_were_given_by_nobody(book):
    book.learn_events(SEEDS)
    book.discover(3)
    book.events.accept(event_of(book, "snow").event_id)
    book.add_album(words_alone(*texts("snow", 6), name="later"))
    book.discover(3)
    (late,) = texts("snow", 6)
    assert (column(book, "event_assigned")[late], column(book, "event_given")[late]) == (
        "snow",
        None,
    )
    book.events.accept(event_of(book, "snow").event_id)
    assert column(book, "event_given")[late] == "snow"


def test_a_photo_that_leaves_an_accepted_event_is_no_longer_given(book):
    book.learn_events(SEEDS)
    book.discover(3)
    snow, cake = event_of(book, "snow"), event_of(book, "cake")
    book.events.accept(snow.event_id)
    book.events.move(snow.photo_ids[:1], cake.event_id)
    given = again(book).store.read(["event_given"], where="event_given IS NOT NULL")
    assert set(given["photo_id"].to_pylist()) == set(snow.photo_ids[1:])


def test_what_a_person_gave_by_other_means_stays(book):
    book.learn_events(SEEDS)
    odd = photo(book, "waves sand swimming seagull storysea0")
    book.store.update(pa.table({"photo_id": [odd], "event_given": ["regatta"]}))
    book.discover(3)
    book.events.merge([0, 1])
    assert column(book, "event_given")["waves sand swimming seagull storysea0"] == "regatta"


def test_a_rejected_event_is_not_assigned_again(book):
    book.learn_events(SEEDS)
    book.discover(3)
    snow = event_of(book, "snow").event_id
    book.events.accept(snow)
    book.events.reject(snow)
    for _ in range(2):
        event = event_of(book, "snow")
        assert (event.known_event, event.confidence, event.accepted) == (None, None, False)
        assert event.rejected == ("snow",)
        assert {e.rejected for e in again(book).events.read() if e.event_id != snow} == {()}
        assert column(book, "event_assigned")[texts("snow", 0)[0]] is None
        assert set(column(book, "event_given").values()) == {None}
        again(book).discover(3)
    new = book.events.split(snow, event.photo_ids[:2])
    assert {e.event_id: e.known_event for e in again(book).events.read()}[new] is None


@pytest.mark.parametrize("correct", ["accept", "reject"])
def test_what_was_said_of_an_assignment_is_taken_back(book, correct):
    book.learn_events(SEEDS)
    book.discover(3)
    before = event_of(book, "snow")
    getattr(book.events, correct)(before.event_id)
    assert event_of(book, "snow") != before
    again(book).events.reconsider(before.event_id)
    assert event_of(book, "snow") == before
    assert set(column(book, "event_given").values()) == {None}
    with pytest.raises(InputError, match="no event 9"):
        book.events.reconsider(9)


def test_an_album_is_not_assigned_to_what_its_photos_were_rejected_of(book, tmp_path):
    album = tmp_path / "album"
    for i in range(4):
        picture(album / f"{i}.png", (40 * i, 0, 0))
    told = dict(zip("0123456789", texts("snow", *range(10)), strict=True))
    remember(album, **{name: told[name] for name in "0123"})
    book.learn_events(SEEDS)
    book.add_folder(album)
    book.discover(3)
    assert book.assign(album).event == "snow"
    book.events.reject(event_of(book, "snow").event_id)
    answer = again(book).assign(album)
    assert (answer.event, answer.doubt.code, answer.ranking[0][0]) == (None, "rejected", "snow")
    assert "a person said" in answer.reason
    for n in (5, 8):  # four of as many: most of five, half of eight
        for i in range(4, n):
            picture(album / f"{i}.png", (0, 30 * i, 0))
        remember(album, **{name: told[name] for name in "012345678"[:n]})
        assert book.assign(album).event == (None if n == 5 else "snow")
    book.events.reconsider(event_of(book, "snow").event_id)
    assert book.assign(album).event == "snow"


def test_labels_weigh_half_of_memories(tmp_path, monkeypatch):
    """In what is asked about an album, and in what explains an event of the same photos."""
    seen = []

    def assign_album(assigner, vectors, texts=None, weights=None, of=EventAssigner.assign_album):
        seen.append(dict(zip(texts, weights, strict=True)))
        return of(assigner, vectors, texts, weights)

    monkeypatch.setattr(EventAssigner, "assign_album", assign_album)
    captioner = ColourCaptioner()
    captioner.text_source = "label"
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder(), captioner=captioner)
    for i in range(3):
        picture(tmp_path / "album" / f"{i}.png", (40 * i, 0, 0))
    (memory,) = texts("snow", 0)
    remember(tmp_path / "album", **{"0": memory})
    book.learn_events(SEEDS)
    book.add_folder(tmp_path / "album")
    book.discover(1)
    book.events.explanations()
    book.assign(tmp_path / "album")
    expected = {memory: 1.0, "colour 40-0-0": 0.5, "colour 80-0-0": 0.5}
    assert len(seen) == 3
    assert all(weights == expected for weights in seen)


def test_who_holds_the_events_reads_the_photos_once_until_others_change_them(book, monkeypatch):
    read = []
    monkeypatch.setattr(
        Timeline, "of", lambda *given, of=Timeline.of: read.append(given) or of(*given)
    )
    book.learn_events(SEEDS)
    held = book.events
    held.discover(3)
    held.move(texts_ids(book, texts("sea", 0)), event_of(book, "cake").event_id)
    held.accept(event_of(book, "snow").event_id)
    read.clear()
    assert held.read() == again(book).events.read()
    assert len(read) == 1  # by the other
    other = again(book)
    other.add_album(words_alone(*texts("snow", 6), name="later"))
    other.write_memory(texts_ids(book, texts("sea", 0))[0], "a new memory")
    book.store.refresh()
    assert held.read() == again(book).events.read()
    other.write_memory(texts_ids(other, texts("snow", 6))[0], "another memory")
    held.rename(0, "a name")  # on top of what others wrote
    assert held.read() == again(book).events.read()


def test_of_texts_only_the_new_ones_are_looked_at(book, monkeypatch):
    book.events.discover(3)
    looked_at = []
    monkeypatch.setattr(
        naming, "_read", lambda text, read=naming._read: looked_at.append(text) or read(text)
    )
    book.write_memory(texts_ids(book, texts("sea", 0))[0], "a new memory")
    found = book.events.read()
    assert looked_at == ["a new memory"]
    assert found == again(book).events.read()  # which looks at all of them
    assert len(looked_at) == 19


def test_accepted_photos_may_become_seeds(book):
    book.learn_events({name: seeds[:2] for name, seeds in SEEDS.items()})
    book.discover(3)
    snow = event_of(book, "snow")
    book.events.accept(snow.event_id, learn=True, progress=(ticks := Ticks()))
    assert ticks.stages()["learning"] == 9
    seeds = book._learned.seeds().to_pylist()
    taught = {seed["text"] for seed in seeds if seed["album"] == f"event {snow.event_id}"}
    assert taught == words_of(book, snow.photo_ids)
    assert book.info().seeds == 6 + len(taught)


def test_an_event_is_explained_by_its_own_photos(book):
    assert book.discover(3)
    assert book.events.explain(0) is None
    book.learn_events(SEEDS)
    cake = event_of(book, "cake", book.discover(3))
    answer = book.events.explain(cake.event_id)
    assert answer.event == "cake"
    assert abs(answer.probability - cake.confidence) < 1e-6
    assert answer.telling_photos[0].position < len(cake.photo_ids) == answer.n_photos
    with pytest.raises(InputError, match="no event 8"):
        book.events.explain(8)


def test_events_of_like_content_share_a_kind(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    for words in THEMES.values():
        for year in ("one two three", "four five six", "seven eight nine"):
            book.add_album(
                words_alone(*(f"{words} {words} {year} {i}" for i in range(4)), name=year)
            )
    found = book.discover(9)
    kinds = {event.kind: set() for event in found}
    for event in found:
        kinds[event.kind] |= {" ".join(t.split()[:4]) for t in words_of(book, event.photo_ids)}
    assert len(found) == 9
    assert sorted(map(len, kinds.values())) == [1, 1, 1]


def test_an_event_away_from_home_is_of_a_trip(tmp_path):
    rows = [
        {
            "photo_id": f"{day}-{i}",
            "memory": f"{THEMES['sea' if day in (4, 5) else 'cake']} {day} {i}",
            "taken": datetime(2024, 6, day, 10 + i),
            "taken_confidence": "local",
            "latitude": 48.1 if day in (4, 5) else 52.5,
            "longitude": 11.6 if day in (4, 5) else 13.4,
        }
        for day in range(1, 9)
        for i in range(3)
    ]
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    vectors = WordsEmbedder().encode([row["memory"] for row in rows])
    book.store.append(to_table(rows, vectors))
    book.discover(2)
    assert (event_of(book, "sea").trip, event_of(book, "cake").trip) == (0, None)


_WORKER = """
import sys
sys.path[:0] = [sys.argv[2]]
from makers import WordsEmbedder
from rememberai import RememberAI
book = RememberAI.open(sys.argv[1], embedder=WordsEmbedder())
for number in range(8):
    book.events.rename(int(sys.argv[3]), f"round {number} of {sys.argv[3]}")
    photo = book.events.read().events[0].photo_ids[0]
    new = book.events.split(int(sys.argv[3]), [sys.argv[4]])
    book.events.merge([int(sys.argv[3]), new])
"""


def test_processes_that_correct_at_once_lose_nothing(book):
    before = book.discover(3)
    here = __file__.rpartition("/")[0]
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                _WORKER,
                str(book.store.path),
                here,
                str(event.event_id),
                event.photo_ids[0],
            ],
            stderr=subprocess.PIPE,
        )
        for event in before
    ]
    assert [worker.communicate()[1].decode() for worker in workers] == [""] * 3
    after = book.events.read()
    assert members(after) == members(before)
    assert {event.title for event in after} == {f"round 7 of {i}" for i in range(3)}
    assert book.events.split(0, members(before)[0].copy().pop().split()) == 3 + 3 * 8


def test_threads_that_correct_at_once_lose_nothing(book):
    before = members(book.discover(3))
    photos = sorted(before[1] | before[2])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda photo_id: book.events.move([photo_id], 0), photos))
    assert members(again(book).events.read()) == {0: before[0].union(photos)}


def test_a_correction_during_a_discovery_is_kept(book, monkeypatch):
    from rememberai import found

    book.discover(3)
    real = found.cluster

    def corrected_meanwhile(*given):
        monkeypatch.setattr(found, "cluster", real)
        other = again(book)
        other.events.rename(0, "meanwhile")
        other.add_album(words_alone("waves of snow", name="late"))
        other.events.move([photo(book, "waves of snow")], 0)
        return real(*given)

    monkeypatch.setattr(found, "cluster", corrected_meanwhile)
    book.discover(3)
    (event,) = [event for event in again(book).events.read() if event.named]
    assert event.title == "meanwhile"
    assert photo(book, "waves of snow") in event.photo_ids


def test_events_outlive_a_change_of_model(book):
    class Other(WordsEmbedder):
        model_id = "other@1"

    before = book.discover(3)
    book.events.rename(0, "kept")
    book.reembed(Other())
    reopened = RememberAI.open(book.store.path, embedder=Other())
    assert members(reopened.events.read()) == members(before)
    assert [e.title for e in reopened.discover(3) if e.named] == ["kept"]


def test_check_reads_the_events(book):
    book.discover(3)
    path = book.store.path / "events.table"
    assert {o.item: o.status for o in check(book.store.path).outcomes}["events.table"] == "done"
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    (flaw,) = [o for o in check(book.store.path).outcomes if o.item == "events.table"]
    assert flaw.status == "waiting"
    check(book.store.path, repair=True)
    assert again(book).events.read() is None
    assert len(book.discover(3)) == 3


def test_the_sample_album_keeps_its_events(sample_store, minilm, tmp_path):
    """Real sentences and a real model: half of the photos first, then the other half."""
    from rememberai import Album

    album = Album.from_folder(SAMPLE / "year")
    half = [photo for photo in album.photos if photo.memory][::2]
    book = RememberAI.create(tmp_path / "s", embedder=minilm)
    book.add_album(Album(album.name, tuple(half), ()))
    first = book.discover()
    book.events.rename(first.events[0].event_id, "Mine")
    book.add_folder(SAMPLE / "year")
    second = members(book.discover())
    shared = [
        len(second.get(i, set()) & photos) / len(photos) for i, photos in members(first).items()
    ]
    assert sum(shared) / len(shared) > 0.7
    assert second[first.events[0].event_id] >= set(first.events[0].photo_ids)
    assert [e.title for e in book.events.read() if e.named] == ["Mine"]


def test_what_is_kept_of_an_event_is_what_its_explanation_says(sample_store, tmp_path):
    book = RememberAI.open(shutil.copytree(sample_store, tmp_path / "sample"))
    found = book.discover()
    answers = book.events.explanations()
    assert any(event.known_event for event in found)
    for event in found:
        answer = answers[event.event_id]
        assert event.known_event == answer.event
        if answer.event is not None:
            assert event.confidence == pytest.approx(answer.probability, abs=1e-6)
