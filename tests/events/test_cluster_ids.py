"""Clusters keep their ids when photos are added, and ids are not used again."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs

from rememberai import AlbumClusterer, InputError
from rememberai.events.stable import keep_ids

pytest.importorskip("faiss")


def ids_of(found):
    return np.where(found.labels_ >= 0, np.append(found.ids_, -1)[found.labels_], -1)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_ids_stay_when_a_cluster_arrives_and_another_overtakes(metric):
    vectors, truth = blobs(4, [10, 20, 30, 25], 16)
    old = truth < 3
    first = AlbumClusterer(3, metric=metric).fit(vectors[old])
    before = np.full(len(vectors), -1)
    before[old] = ids_of(first)
    rows = np.r_[np.flatnonzero(truth == 0), np.flatnonzero(truth > 0), np.flatnonzero(truth == 0)]
    rows = np.r_[rows, rows[:10], rows[:10]]  # blob 0 is now the largest
    previous = before[rows]
    previous[len(vectors) :] = -1
    again = AlbumClusterer(4, metric=metric).fit(
        vectors[rows], previous=previous, next_id=first.next_id_
    )
    after = ids_of(again)
    known = previous >= 0
    np.testing.assert_array_equal(after[known], previous[known])
    assert set(after[truth[rows] == 3]) == {3}
    assert again.next_id_ == 4


def test_the_largest_part_keeps_the_id_and_ids_are_not_used_again():
    previous = np.array([5, 5, 5, 5, 5, 7, 7, -1, 2])
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 2, -1])
    ids, following = keep_ids(labels, previous, 9)
    # Cluster 1 shares two rows with each of 5 and 7, but 5 goes to cluster 0, which shares three.
    assert ids.tolist() == [5, 7, 9]
    assert following == 10


def test_of_two_parts_the_larger_keeps_the_id_though_its_cluster_is_smaller():
    labels, previous = np.array([0] * 9 + [1] * 3), np.array([-1] * 8 + [5, 5, 5, 5])
    assert keep_ids(labels, previous, 6)[0].tolist() == [6, 5]


def test_without_earlier_ids_clusters_are_numbered_as_they_come():
    found = AlbumClusterer(3).fit(blobs(3, 10)[0])
    assert found.ids_.tolist() == [0, 1, 2]
    assert found.next_id_ == 3
    later = AlbumClusterer(3).fit(blobs(3, 10)[0], next_id=3)
    assert later.ids_.tolist() == [3, 4, 5]


def test_a_forgotten_next_id_is_above_all_earlier_ids():
    found = AlbumClusterer(2).fit(blobs(2, 10)[0], previous=[8] * 10 + [-1] * 10)
    assert sorted(found.ids_) == [8, 9]


@pytest.mark.parametrize("next_id", [-1, 2.5, None])
def test_a_next_id_is_a_number_above_ids(next_id):
    with pytest.raises(InputError, match="next_id must be"):
        AlbumClusterer(2).fit(blobs(2, 10)[0], next_id=next_id)


@pytest.mark.parametrize("previous", [[1, 2], [0.5] * 20, [[1]] * 20])
def test_earlier_ids_must_pair_up(previous):
    with pytest.raises(InputError, match="previous must be one whole number a row"):
        AlbumClusterer(2).fit(blobs(2, 10)[0], previous=previous)
