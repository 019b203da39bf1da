"""The map of vectors: against PCA, umap-learn and scikit-learn, in any order, with new ones."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from makers import Ticks

from rememberai import EventMap, InputError, MissingExtraError, RememberAIWarning
from rememberai._arrays import prepare
from rememberai.events.kmeans import canonical_order
from rememberai.index.knn import knn

ALBUM = 400


def blobs(n, dimension=16, n_blobs=6, seed=0):
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(n_blobs, dimension))
    labels = random.integers(n_blobs, size=n)
    vectors = centres[labels] + 0.4 * random.normal(size=(n, dimension))
    return vectors.astype(np.float32), labels


@pytest.fixture(scope="module")
def vectors():
    pytest.importorskip("umap")
    array = blobs(ALBUM)[0]
    array[50:80] = array[7]  # more copies than neighbours
    return array


@pytest.fixture(scope="module")
def fitted(vectors):
    return EventMap().fit(vectors)


@pytest.fixture
def without_umap(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_umap_keeps_neighbours_better_than_pca_on_real_texts(shared_data, minilm):
    pytest.importorskip("umap")
    from sklearn.manifold import trustworthiness

    lines = (shared_data / "cluster_tweet.jsonl").read_text("utf-8").splitlines()[:500]
    texts = minilm.encode([json.loads(line)["text"] for line in lines])
    event_map = EventMap(random_state=3).fit(texts)
    centred = unit(texts) - unit(texts).mean(axis=0)
    pca = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    by_umap, by_pca = (
        trustworthiness(texts, picture, n_neighbors=10, metric="cosine")
        for picture in (event_map.embedding_, pca)
    )
    assert event_map.method_ == "umap"
    assert by_umap > 0.9 > by_pca


def test_it_is_the_picture_of_umap_learn_itself(vectors, fitted):
    import umap

    points = prepare(vectors, "cosine")
    rows = np.unique(vectors, axis=0, return_index=True)[1]
    rows = rows[canonical_order(points[rows])]
    theirs = umap.UMAP(random_state=0, metric="cosine", n_jobs=1, init="pca")
    theirs = theirs.fit_transform(points[rows])
    np.testing.assert_array_equal(fitted.embedding_[rows], theirs)


def test_its_epochs_are_counted_once_the_neighbours_are_known_and_change_nothing(vectors, fitted):
    counted = EventMap().fit(vectors, progress=(ticks := Ticks()))
    assert ticks.seen[0] == ("map", 0, 1)
    assert len(ticks.seen) > 4
    assert ticks.stages() == {"map": 500}  # of up to 10,000 vectors
    np.testing.assert_array_equal(counted.embedding_, fitted.embedding_)


def test_where_umap_learn_writes_no_bar_the_end_is_told(monkeypatch):
    layouts = pytest.importorskip("umap.layouts")
    monkeypatch.setattr(layouts, "tqdm", lambda epochs, **_: epochs)  # a notebook's has no file
    EventMap(n_neighbors=8).fit(blobs(20)[0], progress=(ticks := Ticks()))
    assert ticks.stages() == {"map": 1}


def test_pca_counts_nothing():
    EventMap().fit(blobs(5)[0], progress=(ticks := Ticks()))
    assert ticks.stages() == {"map": 1}


def apart(picture):
    """How far points are from each other on the average."""
    return float(np.linalg.norm(picture[:, None] - picture[None], axis=2).mean())


def test_the_order_of_the_input_and_a_second_fit_change_nothing(vectors, fitted):
    order = np.random.default_rng(1).permutation(len(vectors))
    again = EventMap()
    for _ in range(2):
        again.fit(vectors[order])
        np.testing.assert_array_equal(again.embedding_, fitted.embedding_[order])
    assert not np.array_equal(EventMap(random_state=1).fit_transform(vectors), fitted.embedding_)


def test_equal_vectors_share_a_place_and_others_do_not(vectors, fitted):
    assert fitted.embedding_.shape == (ALBUM, 2)
    assert fitted.embedding_.dtype == np.float32
    assert np.isfinite(fitted.embedding_).all()
    assert len(np.unique(fitted.embedding_, axis=0)) == len(np.unique(vectors, axis=0))
    assert (fitted.embedding_[50:80] == fitted.embedding_[7]).all()


def test_new_vectors_come_near_to_their_own_and_known_ones_stay(vectors, fitted):
    before = fitted.embedding_.copy()
    labels = blobs(ALBUM)[1]
    labels[50:80] = labels[7]
    new, theirs = blobs(100, seed=5)
    places = fitted.transform(new)
    to_all = np.linalg.norm(places[:, None] - before, axis=2)
    assert (labels[to_all.argmin(axis=1)] == theirs).mean() > 0.95
    np.testing.assert_array_equal(fitted.transform(vectors), before)
    np.testing.assert_array_equal(fitted.embedding_, before)


def test_the_place_of_a_new_vector_does_not_depend_on_its_company(fitted):
    new = blobs(40, seed=6)[0]
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new[::-1])[::-1], together)
    np.testing.assert_array_equal(np.vstack([fitted.transform(v[None]) for v in new]), together)


def test_a_near_copy_lies_near_its_original(vectors, fitted):
    copies = vectors + 1e-5 * np.random.default_rng(2).normal(size=vectors.shape)
    moved = np.linalg.norm(fitted.transform(copies) - fitted.embedding_, axis=1)
    assert np.median(moved) < apart(fitted.embedding_) / 10


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_a_stray_neighbour_does_not_pull_a_point_between_two_groups(metric):
    from rememberai.report.event_map import place_among

    known = np.vstack([np.eye(8, dtype=np.float32)[:2] for _ in range(5)])
    known += np.float32(0.001) * np.arange(10, dtype=np.float32)[:, None]
    picture = np.float32([[0, 0], [100, 0]] * 5)
    new = np.float32([[1, 0.1, 0, 0, 0, 0, 0, 0]])
    places = place_among(new, known, picture, 7, metric)
    np.testing.assert_allclose(places, [[0, 0]])


def test_umap_takes_the_neighbours_it_is_given(vectors, monkeypatch):
    from umap import umap_

    def refuse(*_, **__):
        raise AssertionError("the neighbours were looked for")

    once = np.unique(unit(vectors), axis=0)
    order = np.random.default_rng(3).permutation(len(once))
    known = knn(once, once, 20, "cosine")
    monkeypatch.setattr(umap_, "nearest_neighbors", refuse)
    monkeypatch.setattr(umap_, "pairwise_distances", refuse)
    event_map = EventMap().fit(once, neighbors=known)
    assert event_map.method_ == "umap"
    mixed = once[order]
    other = EventMap().fit(mixed, neighbors=knn(mixed, mixed, 15, "cosine"))
    np.testing.assert_array_equal(other.embedding_, event_map.embedding_[order])
    wrong = known[1][::-1]
    mistaken = EventMap().fit(once, neighbors=(known[0], wrong))
    assert not np.array_equal(mistaken.embedding_, event_map.embedding_)
    np.testing.assert_array_equal(event_map.transform(once), event_map.embedding_)


def test_of_some_thousand_vectors_the_exact_neighbours_are_taken(vectors, fitted, monkeypatch):
    from umap import umap_

    from rememberai.report import event_map as module

    once = np.unique(vectors, axis=0)
    given = EventMap(metric="l2").fit(once, neighbors=knn(once, once, 15, "l2")).embedding_
    monkeypatch.setattr(module, "_SEARCHED", 100)
    with monkeypatch.context() as patch:
        patch.setattr(umap_, "nearest_neighbors", None)  # nobody looks for them
        mine = EventMap(metric="l2").fit(once, progress=(ticks := Ticks())).embedding_
    np.testing.assert_array_equal(mine, given)
    assert ticks.stages() == {"map": 500, "neighbors": len(once)}

    def without_faiss(*_, **__):
        raise MissingExtraError

    monkeypatch.setattr(module, "nearest_of_each", without_faiss)
    np.testing.assert_array_equal(EventMap().fit(vectors).embedding_, fitted.embedding_)


def test_umap_lays_out_numbers_and_points_on_a_line():
    pytest.importorskip("umap")
    numbers = np.random.default_rng(0).permutation(np.linspace(1, 2, 60, dtype=np.float32))
    for line in (numbers[:, None], numbers[:, None] * np.float32([3, -4, 0])):
        event_map = EventMap(metric="l2", n_neighbors=5).fit(line)
        assert event_map.method_ == "umap"
        assert np.isfinite(event_map.embedding_).all()


def test_neighbours_that_are_too_few_are_looked_for(vectors, fitted):
    """Twenty neighbours of a vector with thirty copies are only one."""
    prepared = unit(vectors)
    known = knn(prepared, prepared, 20, "cosine")
    np.testing.assert_array_equal(
        EventMap().fit(vectors, neighbors=known).embedding_, fitted.embedding_
    )
    whole = EventMap().fit(vectors, neighbors=knn(prepared, prepared, 60, "cosine"))
    assert whole.method_ == "umap"
    assert (whole.embedding_[50:80] == whole.embedding_[7]).all()


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_without_umap_it_is_pca_and_says_so(metric, without_umap):
    vectors = 3 + blobs(100)[0]
    with pytest.warns(RememberAIWarning, match=r"PCA.*rememberai\[map\]"):
        event_map = EventMap(metric=metric).fit(np.vstack([vectors, vectors[:40]]))
    assert event_map.method_ == "pca"
    points = unit(vectors) if metric == "cosine" else vectors
    centred = points - points.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    mine, theirs = event_map.embedding_[:100], left[:, :2] * sizes[:2]
    signs = np.sign((mine * theirs).sum(axis=0))
    np.testing.assert_allclose(mine, theirs * signs, atol=1e-4)
    new = blobs(10, seed=4)[0]
    np.testing.assert_allclose(
        event_map.transform(np.vstack([vectors[:5], new]))[:5], mine[:5], atol=1e-6
    )
    with pytest.warns(RememberAIWarning):
        turned = EventMap(metric=metric).fit(vectors[::-1])
    np.testing.assert_allclose(turned.embedding_[::-1], mine, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 15])
def test_as_few_as_the_neighbours_are_laid_out_by_pca_without_a_word(n, recwarn):
    vectors = np.repeat(blobs(n)[0], 3, axis=0)
    event_map = EventMap().fit(vectors)
    assert event_map.method_ == "pca"
    assert event_map.embedding_.shape == (3 * n, 2)
    assert len(np.unique(event_map.embedding_, axis=0)) == n
    assert not recwarn.list


def test_one_more_than_the_neighbours_makes_a_umap():
    pytest.importorskip("umap")
    assert EventMap(n_neighbors=8).fit(blobs(9)[0]).method_ == "umap"


def test_numbers_on_a_line_have_no_second_direction(without_umap):
    with pytest.warns(RememberAIWarning):
        picture = EventMap(metric="l2").fit_transform(np.arange(20.0)[:, None])
    np.testing.assert_allclose(picture, np.c_[np.arange(20) - 9.5, np.zeros(20)], atol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "vectors", "message"),
    [
        ({}, np.empty((0, 3)), "at least one vector"),
        ({"metric": "cosin"}, np.ones((3, 3)), "metric"),
        ({"n_neighbors": 1}, np.ones((3, 3)), "n_neighbors"),
        ({"min_dist": -0.1}, np.ones((3, 3)), "min_dist"),
        ({}, np.zeros((3, 3)), "zero"),
        ({}, [[1.0, np.nan]], "finite"),
    ],
)
def test_bad_input_is_refused(parameters, vectors, message):
    with pytest.raises(InputError, match=message):
        EventMap(**parameters).fit(vectors)


def test_neighbours_and_new_vectors_must_fit():
    vectors = blobs(10)[0]
    with pytest.raises(InputError, match="shape"):
        EventMap().fit(vectors, neighbors=(np.zeros((10, 3)), np.zeros((10, 4), int)))
    with pytest.raises(InputError, match="from 0 to 9"):
        EventMap().fit(vectors, neighbors=(np.zeros((10, 3)), np.full((10, 3), 10)))
    with pytest.raises(InputError, match="call fit"):
        EventMap().transform(vectors)
    with pytest.raises(InputError, match="16"):
        EventMap().fit(vectors).transform(vectors[:, :5])
