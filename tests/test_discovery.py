"""From clusters to events, on stores of plain words."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from makers import WordsEmbedder, exif_picture, picture, remember, words_alone

from rememberai import InputError, RememberAI

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
