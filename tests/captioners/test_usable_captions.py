from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rememberai.captioners import base, describe
from rememberai.captioners.base import checked
from rememberai.errors import InputError
from rememberai.records import Caption


def usable(text):
    return checked(Caption(text, "m@1")).text


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
        "aaaaaaaaaaaaaa",
        "hahahahahahahaha",
        "고양이고양이고양이고양이고양이고양이고양이고양이",
        "I'm sorry, but I can't help with that.",
        "I’m unable to view images.",
        "Sorry, I cannot describe this picture.",
        "As an AI language model, I do not see pictures",
        "I cannot see any image.",
        "Unfortunately, I can't view the picture.",
        "I'm just an AI and have no eyes",
        "I won't describe people.",
        "My apologies, but I have no picture.",
        "I must decline to describe this.",
        "I’m not comfortable describing that.",
        "I can't determine what this is.",
        "Unable to describe this image.",
        "Cannot identify the photo",
        "There is no image provided.",
        "No picture was attached, please try again.",
        "Please provide an image.",
        "It seems that you haven't uploaded an image yet.",
        "You did not provide a photo",
        "N/A",
        "None.",
        "unknown",
        "<unk>",
    ],
)
def test_nothing_usable(text):
    said = checked(Caption(text, "m@1", confidence=-0.1, seconds=0.5))
    assert (said.text, said.confidence, said.seconds) == ("", None, 0.5)
    assert said.reason.startswith("the captioner ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog", "a dog"),
        ("  two  dogs\nrun ", "two dogs run"),
        ("bye bye bye", "bye bye bye"),
        ("a sign says hahahahahahaha", "a sign says hahahahahahaha"),
        ("a big dog and a big cat and a small bird", "a big dog and a big cat and a small bird"),
        ("생일 케이크", "생일 케이크"),
        ("a sorry dog sits beside an AI exhibit", "a sorry dog sits beside an AI exhibit"),
        ("no image of a saint is without gold", "no image of a saint is without gold"),
        ("I can see two men on a bench", "I can see two men on a bench"),
        ("none of the dogs look up", "none of the dogs look up"),
        ("an unknown man", "an unknown man"),
        ("a sign that says I can't see", "a sign that says I can't see"),
        ("a sign with 1000000000 on it", "a sign with 1000000000 on it"),
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


class Says:
    model_id = "says@1"

    def __init__(self, *answers):
        self.answers = list(answers)

    def caption(self, images):
        return self.answers


def test_plain_strings_and_captions_become_checked_captions():
    own = Caption("a  dog", "other@2", confidence=-0.5, seconds=2.0)
    silent = Caption("", "other@2", reason="too dark")
    said = describe(Says(" a cat\x00 ", "no no no no", own, silent), [None] * 4)
    assert [caption.text for caption in said] == ["a cat", "", "a dog", ""]
    assert [caption.model_id for caption in said] == ["says@1", "says@1", "other@2", "other@2"]
    assert said[0].confidence is None
    assert said[0].seconds >= 0
    assert "went in circles" in said[1].reason
    assert (said[2].confidence, said[2].seconds, said[2].reason) == (-0.5, 2.0, "")
    assert said[3].reason == "too dark"


def test_texts_may_come_in_a_tuple_and_share_the_time_that_they_took(monkeypatch):
    monkeypatch.setattr(base, "perf_counter", itertools.count().__next__)
    captioner = Says()
    captioner.answers = ("a dog", "a cat")
    said = describe(captioner, [None] * 2)
    assert [(caption.text, caption.seconds) for caption in said] == [("a dog", 0.5), ("a cat", 0.5)]


@pytest.mark.parametrize("answers", [[], ["a", "b"], [None], [b"a"]])
def test_a_captioner_must_say_one_thing_a_picture(answers):
    with pytest.raises(InputError, match="one str or Caption a picture"):
        describe(Says(*answers), [None])
