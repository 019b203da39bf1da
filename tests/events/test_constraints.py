"""The user's merges and splits: every pair is obeyed, or the contradiction is named."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import AlbumClusterer, InputError

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]


def fit(vectors, k, metric="cosine", **pairs):
    return AlbumClusterer(k, metric=metric, min_size=1).fit(vectors, **pairs)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_all_pairs_are_obeyed_in_any_order(metric, seed, k):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(30, 4))
    wanted = random.integers(0, 6, 30)  # some division, so that the pairs agree with each other
    pairs = random.integers(0, 30, size=(25, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    together = wanted[pairs[:, 0]] == wanted[pairs[:, 1]]
    must, cannot = pairs[together], pairs[~together]
    found = fit(vectors, k, metric, must_link=must, cannot_link=cannot)
    labels = found.labels_
    assert (labels[must[:, 0]] == labels[must[:, 1]]).all()
    assert (labels[cannot[:, 0]] != labels[cannot[:, 1]]).all()
    assert (np.bincount(labels) > 0).all()
    order = random.permutation(30)
    place = np.argsort(order)
    again = fit(vectors[order], k, metric, must_link=place[must], cannot_link=place[cannot])
    np.testing.assert_array_equal(again.labels_, labels[order])
    np.testing.assert_array_equal(again.centroids_, found.centroids_)


def test_pairs_that_already_hold_change_nothing():
    vectors, truth = blobs(3, 12)
    plain = fit(vectors, 3)
    bound = fit(vectors, 3, must_link=[[0, 5], [12, 20]], cannot_link=[[0, 12], [12, 30]])
    np.testing.assert_array_equal(bound.labels_, plain.labels_)
    assert same_partition(bound.labels_, truth)


@given(seed=st.integers(0, 10_000), k=st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_pairs_that_hold_change_nothing_however_the_clusters_lie(seed, k):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(30, 4))
    plain = fit(vectors, k)
    pairs = random.integers(0, 30, size=(25, 2))
    together = plain.labels_[pairs[:, 0]] == plain.labels_[pairs[:, 1]]
    bound = fit(vectors, k, must_link=pairs[together], cannot_link=pairs[~together])
    np.testing.assert_array_equal(bound.labels_, plain.labels_)


@pytest.mark.parametrize("row", [0, 7, 19])
def test_a_row_that_is_parted_from_several_leaves_them(row):
    vectors, truth = blobs(2, 20)
    others = [i for i in range(20) if i != row][::4]
    found = fit(vectors, 2, cannot_link=[[row, other] for other in others])
    moved = truth.copy()
    moved[row] = 1
    assert same_partition(found.labels_, moved)


def test_no_more_clusters_are_opened_than_the_most_bound_ask_for():
    """Of four in a row, two clusters are enough, unless both ends stay where they are."""
    vectors, _ = blobs(2, 10)
    found = fit(vectors, 2, cannot_link=[[1, 3], [3, 5], [5, 7]])
    assert found.n_clusters_ == 2
    assert found.labels_[1] == found.labels_[5] != found.labels_[3] == found.labels_[7]


def test_links_reach_through_others():
    vectors, _ = blobs(3, 8)
    found = fit(vectors, 3, must_link=[[0, 8], [8, 16]])
    assert found.labels_[0] == found.labels_[8] == found.labels_[16]
    with pytest.raises(InputError, match="rows 0 and 16 are a cannot_link pair"):
        fit(vectors, 3, must_link=[[0, 8], [8, 16]], cannot_link=[[0, 16]])


def test_copies_that_can_not_be_together_open_clusters():
    found = fit([[1.0, 2.0]] * 3, 1, cannot_link=[[0, 1], [1, 2], [0, 2]])
    assert sorted(found.labels_) == [0, 1, 2]
    assert found.n_clusters_ == 3


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ({"must_link": [[0, 9]]}, "row 9; rows go from 0 to 3"),
        ({"must_link": [[-1, 0]]}, "row -1"),
        ({"cannot_link": [[0, 1, 2]]}, r"\(m, 2\) array"),
        ({"cannot_link": [[0.0, 1.0]]}, r"\(m, 2\) array"),
        ({"cannot_link": [[0, 1], [2]]}, r"\(m, 2\) array of rows; \[\[0, 1\], \[2\]\] came"),
        ({"cannot_link": [[2, 2]]}, "rows 2 and 2"),
    ],
)
def test_pairs_that_are_none(pairs, says):
    with pytest.raises(InputError, match=says):
        fit(np.eye(4), 2, **pairs)
