from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rememberai.embedders.texts import Pieces, checked, cut, split

words = st.lists(st.text("abc.!? \n가。", min_size=1, max_size=6), max_size=40)


@given(words, st.integers(1, 9))
def test_pieces_join_to_the_text_and_keep_the_limit(tokens, limit):
    text = "".join(tokens)
    starts = np.cumsum([0, *map(len, tokens)]).tolist()[: len(tokens)]
    pieces = cut(text, starts, limit)
    assert "".join(pieces) == text
    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    assert set(ends[:-1]) <= set(starts)
    for begin, end in zip([0, *ends], ends, strict=False):
        assert sum(begin <= start < end for start in starts) <= limit


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 5))
def test_many_tokens_of_one_character_still_come_to_an_end(starts, limit):
    text = "x" * 31
    pieces = cut(text, sorted(starts), limit)
    assert "".join(pieces) == text
    assert all(pieces)


def test_a_sentence_end_wins_over_a_later_word_end():
    text = "one two three. four five six"
    starts = [0, 4, 8, 13, 15, 20, 25]
    assert cut(text, starts, 6) == ["one two three. ", "four five six"]


def test_a_word_end_wins_over_the_middle_of_a_word():
    assert cut("ab cd efgh", [0, 3, 6, 7, 8, 9], 4) == ["ab cd ", "efgh"]


def test_an_early_sentence_end_does_not_waste_the_room():
    text = "a. " + "b " * 20
    starts = [0, 1, *range(3, 43, 2)]
    assert [len(piece.split()) for piece in cut(text, starts, 10)] == [9, 10, 2]


def test_pooling_by_hand():
    pieces = split(
        ["long", "short"], lambda text: [("lo", 3), ("ng", 1)] if text[1] == "o" else [(text, 1)]
    )
    assert pieces.texts == ["lo", "ng", "short"]
    vectors = np.array([[4, 0], [0, 8], [5, 5]], dtype=np.float32)
    np.testing.assert_array_equal(pieces.pool(vectors, normalise=False), [[3, 2], [5, 5]])
    expected = np.array([[3, 2] / np.sqrt(13), [5, 5]])
    np.testing.assert_allclose(pieces.pool(vectors, normalise=True), expected, rtol=1e-6)


def test_pieces_that_cancel_out_give_no_nan():
    pieces = Pieces(["a", "b"], np.array([1, 1]), np.array([2]))
    vectors = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    np.testing.assert_array_equal(pieces.pool(vectors, normalise=True), [[0, 0]])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_checked_texts_are_the_texts(texts):
    assert checked(texts) == texts
