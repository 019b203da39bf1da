from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rememberai.captioners.base import usable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ". . .",
        "a a a a",
        "the dog dog dog dog",
        "a dog and a dog and a dog and",
        "on the on the on the",
    ],
)
def test_nothing_usable(text):
    assert usable(text) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog", "a dog"),
        ("  two  dogs\nrun ", "two dogs run"),
        ("bye bye bye", "bye bye bye"),
        ("a big dog and a big cat and a small bird", "a big dog and a big cat and a small bird"),
        ("생일 케이크", "생일 케이크"),
    ],
)
def test_usable_captions_are_only_tidied(text, expected):
    assert usable(text) == expected


@given(
    st.lists(st.sampled_from("abcdef"), unique=True, min_size=1, max_size=6),
    st.lists(st.sampled_from("uvw"), unique=True, max_size=3),
    st.integers(4, 6),
)
def test_any_phrase_in_circles_is_refused(phrase, before, times):
    assert usable(" ".join(before + phrase * times)) == ""


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1))
def test_captions_without_a_repeated_word_are_kept(words):
    assert usable("  ".join(words)) == " ".join(words)
