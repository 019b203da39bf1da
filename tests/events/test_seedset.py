"""Seeds in order: sums, groups and batches against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai._arrays import prepare
from rememberai.events import EventAssigner
from rememberai.events.seedset import SeedSet, in_batches

pytest.importorskip("faiss")


def made(order, groups):
    vectors = np.random.default_rng(0).normal(size=(8, 3))
    vectors[5] = vectors[1]  # a copy of the same event
    vectors[6] = vectors[2]  # and one of another
    truth = np.array([0, 0, 1, 1, 0, 0, 0, 1])
    return SeedSet.sorted(
        prepare(vectors[order], "l2"), truth[order], [groups[i] for i in order], 2, "l2"
    )


def test_sums_do_not_depend_on_the_order():
    groups = [None] * 8
    first, again = (made(order, groups) for order in (np.arange(8), np.arange(8)[::-1]))
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.truth, again.truth)
    np.testing.assert_array_equal(first.groups, again.groups)
    np.testing.assert_array_equal(first.means(), again.means())
    expected = [first.vectors[first.truth == i].mean(axis=0) for i in range(2)]
    np.testing.assert_allclose(first.means(), expected, atol=1e-6)
    assert first.counts().tolist() == [5, 3]


def test_seeds_are_judged_without_their_group_or_their_copies():
    seeds = made(np.arange(8), ["a", None, None, "a", None, None, None, "b"])
    group = dict(zip(seeds.rows.tolist(), seeds.groups.tolist(), strict=True))
    together = {(i, j) for i in range(8) for j in range(i) if group[i] == group[j]}
    assert together == {(3, 0), (5, 1)}
    given = dict(zip(seeds.rows.tolist(), seeds.given.tolist(), strict=True))
    assert [i for i in range(8) if given[i]] == [0, 3, 7]
    part = dict(zip(seeds.rows.tolist(), seeds.parts().tolist(), strict=True))
    assert part[0] != part[3]  # of one album, but of two events
    assert part[1] == part[5]


@pytest.mark.parametrize("most", [1, 4, 100])
def test_batches_hold_each_group_whole_once(most):
    groups = np.random.default_rng(1).integers(0, 9, 40)
    batches = list(in_batches(groups, most))
    found = [rows for batch in batches for rows in batch]
    assert sorted(groups[rows[0]] for rows in found) == sorted(set(groups.tolist()))
    for rows in found:
        assert rows.tolist() == np.flatnonzero(groups == groups[rows[0]]).tolist()
    assert all(batch.size <= most or len(batch) == 1 for batch in batches)


def test_a_seed_is_judged_when_its_event_has_another_group():
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    truth = np.array([0, 0, 0, 1, 1, 2])
    groups = ["a", "a", "b", "c", "c", None]  # event 1 has one group, event 2 one seed
    seeds = SeedSet.sorted(vectors, truth, groups, 3, "l2")
    assert seeds.judged().tolist() == (seeds.truth == 0).tolist()
    assert [sorted(seeds.rows[album].tolist()) for album in seeds.albums()] == [[0, 1], [2]]


def test_events_of_one_album_each_are_told_apart_all_the_same():
    """Without its album no event is left to be found, so the seeds can't say how sure to be."""
    rng = np.random.default_rng(0)
    centres = 5 * np.eye(3, 8)
    truth = np.repeat(np.arange(3), 10)
    vectors = centres[truth] + rng.standard_normal((30, 8))
    events = [f"event {i}" for i in truth]
    assigner = EventAssigner().fit(vectors, events, groups=events)
    album = assigner.assign_album(centres[1] + rng.standard_normal((6, 8)))
    assert album.event == "event 1"
    assert 0.8 < album.probability < 0.99
