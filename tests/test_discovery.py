"""From clusters to events, on stores of plain words."""

from __future__ import annotations

import os
from datetime import datetime

import numpy as np
import pytest
from makers import WordsEmbedder, exif_picture, picture, remember, words_alone

from rememberai import InputError, RememberAI
from rememberai.corrections import KeptEvent, KeptEvents
from rememberai.discovery import Timeline, _telling, cluster
from rememberai.events.naming import Terms

THEMES = {
    "sea": "waves sand swimming seagull",
    "cake": "candles birthday cake presents",
    "snow": "snowman sledge frozen gloves",
}
TEXTS = [f"{words} story{i}" for words in THEMES.values() for i in range(6)]


@pytest.fixture
def book(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone(*TEXTS))
    return book


def themes(book, event):
    texts = {row["photo_id"]: row["memory"] for row in book.store.read().to_pylist()}
    return {" ".join(texts[i].split()[:4]) for i in event.photo_ids}


def test_themes_are_found(book):
    found = book.discover(3)
    assert [len(event.photo_ids) for event in found] == [6, 6, 6]
    assert sorted(map(repr, (themes(book, event) for event in found))) == sorted(
        repr({words}) for words in THEMES.values()
    )
    assert found.noise == ()


def test_no_event_mixes_themes_when_their_number_is_found_by_itself(book):
    found = book.discover()
    assert len(found) >= 3
    assert all(len(themes(book, event)) == 1 for event in found)


def test_titles_tell_the_themes_apart_and_have_no_date_without_times(book):
    for event in book.discover(3):
        (theme,) = themes(book, event)
        named = event.title.casefold().replace(" and ", " ").replace(",", "").split()
        assert set(named) & set(theme.split())
        assert set(named) <= {*theme.split(), "story"}
        assert "·" not in event.title
        assert (event.first, event.last) == (None, None)


def test_known_events_are_named_when_some_were_learned(book):
    assert {event.known_event for event in book.discover(3)} == {None}
    book.learn_events(
        {name: [f"{words} seed{i}" for i in range(5)] for name, words in THEMES.items()}
    )
    for event in book.discover(3):
        (theme,) = themes(book, event)
        assert THEMES[event.known_event] == theme


def test_one_cluster_holds_all(book):
    (event,) = book.discover(1)
    assert len(event.photo_ids) == len(TEXTS)
    assert len(event.representatives) == 5


@pytest.mark.parametrize("n_clusters", [0, -1, 19, "many", 2.5, None])
def test_a_number_that_can_not_be_is_refused(book, n_clusters):
    with pytest.raises(InputError, match="n_clusters must be from 1 to the number of vectors, 18"):
        book.discover(n_clusters)


def test_nothing_has_words(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    with pytest.raises(InputError, match="no photo has words yet"):
        book.discover()
    picture(tmp_path / "a" / "red.png")
    book.add_folder(tmp_path / "a")
    with pytest.raises(InputError, match="no photo has words yet"):
        book.discover()


@pytest.mark.parametrize(
    ("n", "n_clusters"), [(1, "auto"), (1, 1), (2, "auto"), (2, 2), (3, "auto"), (4, 4)]
)
def test_a_handful_of_photos_is_no_trouble(tmp_path, n, n_clusters):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone(*TEXTS[:n]))
    found = book.discover(n_clusters)
    assert sum(len(event.photo_ids) for event in found) + len(found.noise) == n


def test_photos_without_words_take_no_part(book, tmp_path):
    before = book.discover()
    picture(tmp_path / "a" / "red.png")
    book.add_folder(tmp_path / "a")
    assert book.discover() == before


def test_photos_lie_two_thirds_of_the_way_to_their_occasion(tmp_path):
    """Two words of three are the other's too; without times each is an occasion of its own."""
    vectors = {}
    for folder, clocks in (("dated", ["08:00", "08:10", "20:00"]), ("undated", [None] * 3)):
        for number, clock in enumerate(clocks):
            time = clock and f"2020:05:03 {clock}:00"
            exif_picture(tmp_path / folder / f"p{number}.png", (number, 0, 0), time)
        remember(tmp_path / folder, p0="waves", p1="candles", p2="sledge")
        book = RememberAI.create(tmp_path / f"{folder} s", embedder=WordsEmbedder())
        book.add_folder(tmp_path / folder)
        names = {row["photo_id"]: row["name"] for row in book.store.read().to_pylist()}
        photos = Timeline.of(book.store)
        vectors[folder] = {names[i]: v for i, v in zip(photos.rows, photos.vectors, strict=True)}
    plain, moved = vectors["undated"], vectors["dated"]
    pair = plain["p0.png"], plain["p1.png"]
    for one, other, name in ((*pair, "p0.png"), (*pair[::-1], "p1.png")):
        expected = one / 3 + (one + other) / 3
        np.testing.assert_allclose(moved[name], expected / np.linalg.norm(expected), atol=1e-6)
    np.testing.assert_allclose(moved["p2.png"], plain["p2.png"], atol=1e-6)


def test_the_words_of_photos_near_the_centre_come_first(book):
    """Each word is in two photos; by the alphabet the apple would lead."""
    texts = ["zebra", "zebra", "apple", "apple"]
    photos = Timeline({}, np.eye(4), np.zeros(4, int), Terms.of(texts), "cosine")
    away = np.array([0.1, 0.1, 0.5, 0.5], np.float32)
    assert _telling(photos, np.zeros(4, int), away, 1) == [["zebra", "apple"]]
    assert _telling(photos, np.zeros(4, int), away[::-1], 1) == [["apple", "zebra"]]


def test_times_order_photos_and_a_file_time_dates_nothing(tmp_path):
    names = ("late", "early", "middle", "undated")
    clocks = dict(
        zip(
            names,
            ("2020:05:03 20:00:00", "2020:05:03 08:00:00", "2020:05:03 12:00:00"),
            strict=False,
        )
    )
    for number, name in enumerate(names):
        path = exif_picture(tmp_path / "a" / f"{name}.png", (number, 0, 0), clocks.get(name))
        os.utime(path, (1e9, 1e9))  # in 2001, before all
    remember(tmp_path / "a", **{name: f"the same party {name}" for name in names})
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_folder(tmp_path / "a")
    (event,) = book.discover(1)
    rows = {row["photo_id"]: row["name"] for row in book.store.read().to_pylist()}
    assert [rows[i] for i in event.photo_ids] == [
        "early.png",
        "middle.png",
        "late.png",
        "undated.png",
    ]
    assert (event.first, event.last) == (datetime(2020, 5, 3, 8), datetime(2020, 5, 3, 20))
    assert event.title.endswith("· 3 May 2020")


# --- clusters and the events of before -----------------------------------------------------------


def on_a_line(**places: float) -> Timeline:
    """Photos at places of a line, by their ids."""
    vectors = np.array(list(places.values()), np.float32)[:, None]
    trips = np.full(len(places), -1)
    return Timeline({i: {} for i in places}, vectors, trips, Terms.of([]), "l2")


def kept(settled: dict[int, str], others: dict[int, str]) -> KeptEvents:
    """Events of photos with ids of one letter."""
    events = {
        i: KeptEvent(
            frozenset(settled.get(i, "") + others.get(i, "")), frozenset(settled.get(i, ""))
        )
        for i in {*settled, *others}
    }
    return KeptEvents(events, next_id=10)


def found(photos: Timeline, before: KeptEvents, n: int) -> dict[int, str]:
    events = cluster(photos, before, n).events
    return {i: "".join(sorted(event.photos)) for i, event in sorted(events.items())}


def test_a_new_photo_joins_the_nearest_of_the_settled_events_in_its_cluster():
    photos = on_a_line(a=0, b=0.1, c=0.2, d=1, e=1.1, n=0.9, m=0.3, y=50, z=51)
    before = kept({0: "abc", 1: "de"}, {2: "yz"})
    assert found(photos, before, 2) == {0: "abcm", 1: "den", 2: "yz"}


def test_a_cluster_goes_by_the_event_that_most_of_its_photos_were_in():
    photos = on_a_line(a=0, b=0.1, c=0.2, s=0.15, n=0.3, t=50, u=50.1)
    before = kept({1: "stu"}, {0: "abc"})
    assert found(photos, before, 2) == {0: "abcn", 1: "stu"}


def test_many_new_photos_join_the_event_of_the_few_that_are_settled():
    photos = on_a_line(s=0, t=0.1, a=0.2, b=0.3, c=0.4, d=0.5, y=50, z=51)
    before = kept({1: "st"}, {2: "yz"})
    assert found(photos, before, 2) == {1: "abcdst", 2: "yz"}


def test_a_photo_that_joined_a_settled_event_may_leave_it_and_does_not_take_its_id():
    photos = on_a_line(a=0, c=0.1, e=50, f=50.1, b=50.2, g=100, h=100.1, i=100.2)
    before = kept({0: "ac"}, {0: "b", 1: "efghi"})
    assert found(photos, before, 3) == {0: "ac", 1: "ghi", 10: "bef"}


def test_photos_that_joined_a_settled_event_leave_it_when_they_are_a_cluster_of_their_own():
    photos = on_a_line(a=0, b=0.1, c=0.2, m=10, n=10.1, o=10.2, y=50, z=51)
    before = kept({0: "abc"}, {1: "mno", 2: "yz"})
    coarse = cluster(photos, before, 2)
    assert {i: "".join(sorted(e.photos)) for i, e in coarse.events.items()} == {
        0: "abcmno",
        2: "yz",
    }
    assert found(photos, coarse, 3) == {0: "abc", 2: "yz", 10: "mno"}


def test_noise_and_new_photos_have_no_id_to_give():
    photos = on_a_line(a=0, b=0.1, c=50, d=50.1, n=100)
    before = KeptEvents({3: KeptEvent(frozenset("ab"))}, frozenset("cd"), 10)
    after = cluster(photos, before, 3)
    assert (after.noise, after.next_id) == ({"n"}, 11)
    assert set(after.events) == {3, 10}
