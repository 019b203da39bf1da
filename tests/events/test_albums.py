"""Which album a story belongs to, against sums written out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import unit

from rememberai import InputError, RememberAIError
from rememberai.events import albums as module
from rememberai.events.albums import AlbumFinder, Stories


def made(seed=0, n_albums=6, per_album=4, n_sentences=3, dimension=12):
    random = np.random.default_rng(seed)
    topics = random.normal(size=(n_albums, dimension))
    albums = np.repeat(np.arange(n_albums), per_album)
    lengths = random.integers(1, n_sentences + 1, len(albums))
    story_of = np.repeat(np.arange(len(albums)), lengths)
    sentences = topics[albums[story_of]] + random.normal(size=(len(story_of), dimension)) + 2
    vectors = topics[albums] + random.normal(size=(len(albums), dimension)) + 2
    return vectors, sentences, story_of, albums.astype(str)


def by_hand(vectors, sentences, story_of, albums, n_neighbors):
    """Leave-one-out distances by loops, in float64."""
    whole, parts = unit(vectors - vectors.mean(0)), unit(sentences - sentences.mean(0))
    n, names = len(vectors), sorted(set(albums))
    similar = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            pairs = parts[story_of == i] @ parts[story_of == j].T
            best = (pairs.max(axis=1).mean() + pairs.max(axis=0).mean()) / 2
            similar[i, j] = (whole[i] @ whole[j] + best) / 2
    to = np.array(
        [
            [
                np.mean([similar[i, j] for j in range(n) if albums[j] == name and j != i])
                for name in names
            ]
            for i in range(n)
        ]
    )
    near = [np.sort(to[albums != name, k])[-n_neighbors:].mean() for k, name in enumerate(names)]
    return 1 - to + np.array(near) / 2


@pytest.mark.parametrize("at_once", [1, 50, 2**24])
@pytest.mark.parametrize("n_neighbors", [1, 3, 100])
def test_distances_are_those_of_the_definition(monkeypatch, at_once, n_neighbors):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    vectors, sentences, story_of, albums = made()
    stories = Stories(vectors, sentences, story_of)
    finder = AlbumFinder(n_neighbors=n_neighbors).fit(stories, albums)
    found = finder.distances(stories, themselves=np.arange(len(vectors)))
    assert finder.albums_ == sorted(set(albums))
    expected = by_hand(vectors, sentences, story_of, albums, n_neighbors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_most_stories_find_their_album():
    vectors, sentences, story_of, albums = made(dimension=40)
    stories = Stories(vectors, sentences, story_of)
    finder = AlbumFinder().fit(stories, albums)
    found = finder.distances(stories, themselves=np.arange(len(vectors))).argmin(axis=1)
    assert np.mean(np.array(finder.albums_)[found] == albums) > 0.9


def test_the_order_of_stories_and_sentences_does_not_matter():
    vectors, sentences, story_of, albums = made()
    random = np.random.default_rng(1)
    order, mixed = random.permutation(len(vectors)), random.permutation(len(sentences))
    again = Stories(vectors[order], sentences[mixed], np.argsort(order)[story_of[mixed]])
    asked = Stories(*made(seed=5)[:3])
    first = AlbumFinder().fit(Stories(vectors, sentences, story_of), albums).distances(asked)
    second = AlbumFinder().fit(again, albums[order]).distances(asked)
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_a_text_of_one_sentence_needs_no_sentences():
    vectors, _, _, albums = made()
    n = len(vectors)
    alone = AlbumFinder().fit(Stories(vectors), albums).distances(Stories(vectors[:3]))
    same = Stories(vectors, vectors, np.arange(n))
    twice = AlbumFinder().fit(same, albums).distances(Stories(vectors[:3]))
    np.testing.assert_array_equal(alone, twice)


def test_length_and_a_common_offset_tell_nothing():
    vectors, _, _, albums = made()
    asked = vectors[:5] + 0.3
    one = AlbumFinder().fit(Stories(vectors), albums).distances(Stories(asked))
    moved = AlbumFinder().fit(Stories(7 * vectors - 3), albums).distances(Stories(7 * asked - 3))
    np.testing.assert_allclose(one, moved, atol=1e-5)


def test_one_album_and_one_story():
    finder = AlbumFinder().fit(Stories(np.eye(3)), ["a"] * 3)
    assert finder.distances(Stories(np.eye(3)[:2])).shape == (2, 1)
    lone = AlbumFinder().fit(Stories(np.eye(3)), ["a", "b", "c"])
    found = lone.distances(Stories(np.eye(3)), themselves=[0, 1, 2])
    assert np.isinf(np.diag(found)).all()
    assert np.isfinite(found[~np.eye(3, dtype=bool)]).all()


def test_what_does_not_fit_is_refused():
    eye = np.eye(3)
    with pytest.raises(RememberAIError, match="call fit first"):
        AlbumFinder().distances(Stories(eye))
    finder = AlbumFinder().fit(Stories(eye), ["a", "b", "c"])
    for stories, albums, match in (
        (Stories(eye), ["a"], "every story needs one album"),
        (Stories(np.empty((0, 3))), [], "there must be a story"),
        (Stories(eye, eye, [0, 1, 1]), ["a"] * 3, "each story must have one"),
        (Stories(eye, eye, [0, 1]), ["a"] * 3, "each sentence must be of one story"),
        (Stories(eye, np.eye(4), [0, 1, 2, 2]), ["a"] * 3, "shape"),
        (Stories(eye, eye), ["a"] * 3, "go together"),
        (Stories(eye, story_of=[0, 1, 2]), ["a"] * 3, "go together"),
    ):
        with pytest.raises(InputError, match=match):
            AlbumFinder().fit(stories, albums)
    for n_neighbors in (0, 2.5):
        with pytest.raises(InputError, match="n_neighbors"):
            AlbumFinder(n_neighbors=n_neighbors).fit(Stories(eye), ["a", "b", "c"])
    with pytest.raises(InputError, match="shape"):
        finder.distances(Stories(np.eye(4)))
    for themselves in ([0, 1], [0, 1, 3], [-2, 0, 1], [0.0, 1.0, 2.0], list("abc")):
        with pytest.raises(InputError, match="themselves"):
            finder.distances(Stories(eye), themselves=themselves)
