"""Answers by words and by pictures, fused: what each adds, and what one of them does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rememberai import EventAssigner
from rememberai.events import AnswerFusion

EVENTS = ["beach", "concert", "wedding"]


def photos(random, events, clear):
    """Vectors around each event's own direction."""
    centres = np.eye(8)[[EVENTS.index(event) for event in events]]
    return (clear * centres + random.normal(size=(len(events), 8))).astype(np.float32)


@pytest.fixture
def made():
    random = np.random.default_rng(2)
    truth = [*EVENTS] * 30
    return truth, photos(random, truth, 2.0), photos(random, truth, 2.0), random


def pairs(n):
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def test_left_out_probabilities_are_those_of_an_assigner_without_the_seed(made):
    truth, vectors, _, random = made
    order = random.permutation(len(truth))
    whole = EventAssigner().fit(vectors, truth)
    other = EventAssigner().fit(vectors[order], [truth[i] for i in order])
    np.testing.assert_allclose(other.left_out_, whole.left_out_[order], atol=1e-9)
    np.testing.assert_allclose(whole.left_out_.sum(axis=1), 1)
    alone = EventAssigner().fit(vectors, truth, groups=truth)  # each event in one album
    assert np.isnan(alone.left_out_).all()


def test_two_answers_are_better_than_either(made):
    truth, words, pictures, random = made
    by_words, by_looks = (EventAssigner().fit(v, truth) for v in (words, pictures))
    fusion = AnswerFusion().fit(by_words, by_looks, pairs(len(truth)), truth)
    assert (fusion.fusion_.weights_ > 0).all()
    asked = [*EVENTS] * 100
    told, seen = photos(random, asked, 2.0), photos(random, asked, 2.0)
    right = {"words": 0, "pictures": 0, "both": 0}
    for event, one, other in zip(asked, told, seen, strict=True):
        answers = by_words.assign_album(one[None]), by_looks.assign_album(other[None])
        both = fusion.fuse(*answers)
        assert sum(share for _, share in both.ranking) == pytest.approx(1)
        assert both.ranking[0][1] == both.probability
        for name, answer in zip(right, (*answers, both), strict=True):
            right[name] += answer.ranking[0][0] == event
    assert right["both"] > max(right["words"], right["pictures"])


def test_left_out_probabilities_are_those_by_words_as_well(made):
    truth, _, _, random = made
    vectors = random.normal(size=(len(truth), 8))  # they tell nothing
    texts = [f"{event} day" for event in truth]
    told, silent = EventAssigner().fit(vectors, truth, texts), EventAssigner().fit(vectors, truth)
    own = [told.events_.index(event) for event in truth]
    assert (told.left_out_.argmax(axis=1) == own).mean() > 0.8
    assert (silent.left_out_.argmax(axis=1) == own).mean() < 0.6


def test_an_event_without_pictures_is_left_to_the_words(made):
    truth, words, pictures, random = made
    seen = [i for i, event in enumerate(truth) if event != "wedding"]
    by_words = EventAssigner().fit(words, truth)
    by_looks = EventAssigner().fit(pictures[seen], [truth[i] for i in seen])
    rows = np.column_stack((seen, np.arange(len(seen))))
    fusion = AnswerFusion().fit(by_words, by_looks, rows, [truth[i] for i in seen])
    assert fusion.events_ == EVENTS
    said = by_words.assign_album(8 * np.eye(8, dtype=np.float32)[[2]])
    both = fusion.fuse(said, by_looks.assign_album(photos(random, ["beach"], 3.0)))
    assert (said.event, both.event) == ("wedding", "wedding")
    # Of the events that the pictures know, they tell which.
    doubtful = by_words.assign_album(np.float32([[4, 4, 0, 0, 0, 0, 0, 0]]))
    for event in ("beach", "concert"):
        look = by_looks.assign_album(photos(random, [event] * 20, 3.0))
        assert fusion.fuse(doubtful, look).ranking[0][0] == event


def test_without_photos_that_have_both_each_weighs_alike(made):
    truth, words, pictures, _ = made
    by_words, by_looks = (EventAssigner().fit(v, truth) for v in (words, pictures))
    fusion = AnswerFusion().fit(by_words, by_looks, np.empty((0, 2)), [])
    assert fusion.fusion_.weights_.tolist() == [0.5, 0.5]


def test_that_it_is_known_has_the_mean_of_both_log_odds(made):
    truth, words, pictures, random = made
    by_words, by_looks = (EventAssigner().fit(v, truth) for v in (words, pictures))
    fusion = AnswerFusion().fit(by_words, by_looks, pairs(len(truth)), truth)
    near = photos(random, ["beach"] * 3, 2.0)
    said, seen = by_words.assign_album(near), by_looks.assign_album(near)
    for one, other, both in ((0.9, 0.5, 0.75), (0.2, 0.8, 0.5), (1.0, 0.01, 0.5)):
        found = fusion.fuse(replace(said, known=one), replace(seen, known=other))
        assert found.known == pytest.approx(both)  # nothing is surer than 0.99


def test_an_album_is_unknown_when_it_is_so_to_both(made):
    truth, *_, random = made
    words, pictures = (photos(random, truth, 6.0) for _ in range(2))
    by_words, by_looks = (EventAssigner().fit(v, truth) for v in (words, pictures))
    fusion = AnswerFusion().fit(by_words, by_looks, pairs(len(truth)), truth)
    far = np.float32([[0, 0, 0, 0, 0, 0, 0, -9]])
    near = photos(random, ["beach"] * 9, 6.0)
    unknown = by_words.assign_album(far), by_looks.assign_album(far)
    known = by_words.assign_album(near), by_looks.assign_album(near)
    assert [answer.event for answer in (*unknown, *known)] == [None, None, "beach", "beach"]
    both = fusion.fuse(*unknown)
    assert (both.event, both.reason) == (None, unknown[0].reason)
    for answers in ((unknown[0], known[1]), (known[0], unknown[1]), known):
        both = fusion.fuse(*answers)
        assert (both.event, both.reason) == (both.ranking[0][0], "")
