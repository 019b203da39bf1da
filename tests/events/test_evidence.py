"""What an answer rests on: telling photos and telling words, counted by hand."""

from __future__ import annotations

import numpy as np

from rememberai.events.evidence import EventWords, distinct_words, telling_photos


def test_the_photos_with_the_largest_part_come_first():
    parts = np.array([0.1, 0.3, 0.05, 0.3, 0.2, 0.04, 0.01])
    places = np.array([6, 5, 4, 3, 2, 1, 0])
    found = telling_photos(parts, places)
    assert [photo.position for photo in found] == [5, 3, 2, 6, 4]  # of equals the first
    assert [photo.weight for photo in found] == [0.3, 0.3, 0.2, 0.1, 0.05]


def test_last_digits_do_not_decide_which_photo_comes_first():
    found = telling_photos(np.array([0.3, 0.3 + 1e-13]), np.array([4, 7]))
    assert [photo.position for photo in found] == [4, 7]


def test_words_are_distinct_and_can_tell():
    assert distinct_words("The cake, the CAKE and grandma's boat") == ["boat", "cake", "grandma"]
    assert distinct_words("졸업식 졸업식 사진") == ["사진", "졸업식"]


def test_words_tell_by_the_part_of_the_seeds_that_are_the_events():
    seeds = [["cake", "candles"], ["cake"], ["cake", "boat"], ["boat"], ["sail"]]
    counted = EventWords(seeds, ["party", "party", "sea", "sea", "sea"])
    album = [["cake", "sail"], ["candles", "boat"], ["never"]]
    # cake: 0.5 * 2 / 4, candles: 0.3 * 1 / 2
    assert counted.telling(album, np.array([0.5, 0.3, 0.2]), "party") == ("cake", "candles")
    # sail: 0.5 * 1 / 2; boat: 0.3 * 2 / 3; cake: 0.5 * 1 / 4
    assert counted.telling(album, np.array([0.5, 0.3, 0.2]), "sea") == ("sail", "boat", "cake")
    assert counted.telling(album, np.array([0.1, 0.9, 0.0]), "party") == ("candles", "cake")


def test_a_word_that_was_met_once_proves_little():
    counted = EventWords([["once"], *[["often"]] * 4], ["party"] * 4 + ["sea"])
    assert counted.telling([["once", "often"]], np.ones(1), "party") == ("often", "once")
