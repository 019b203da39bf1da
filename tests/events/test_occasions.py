"""Occasions, and vectors moved towards them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai.events.occasions import blend, occasions

HOURS = np.timedelta64(8, "h")


def times(*values) -> np.ndarray:
    return np.array([v if v is None else f"2024-05-{v}" for v in values], "datetime64[us]")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        (["01T10:00"], [0]),
        ([None], [0]),
        ([None, None, None], [0, 1, 2]),
        (["01T10:00", "01T10:00"], [0, 0]),
        (["01T10:00", "01T18:00"], [0, 0]),  # exactly the gap
        (["01T10:00", "01T18:00:00.000001"], [0, 1]),
        (["01T10:00", "01T17:00", "02T00:00"], [0, 0, 0]),  # a chain may last longer than the gap
        (["03T10:00", "01T10:00", "02T10:00", "01T11:00"], [2, 0, 1, 0]),
        (["02T10:00", None, "01T10:00", None], [1, 2, 0, 3]),
    ],
)
def test_a_pause_longer_than_the_gap_begins_an_occasion(given, expected):
    assert occasions(times(*given), HOURS).tolist() == expected


@given(
    minutes=st.lists(st.none() | st.integers(0, 6000), max_size=40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_occasions_are_those_of_a_walk_through_time(minutes, seed):
    start = datetime(2024, 1, 1)
    moments = [None if m is None else start + timedelta(minutes=m) for m in minutes]
    found = occasions(np.array(moments, "datetime64[us]"), HOURS)
    known = sorted((moment, i) for i, moment in enumerate(moments) if moment is not None)
    expected, number, last = {}, -1, None
    for moment, i in known:
        number += last is None or moment - last > timedelta(hours=8)
        expected[i], last = number, moment
    for i, moment in enumerate(moments):
        if moment is None:
            number += 1
            expected[i] = number
    assert found.tolist() == [expected[i] for i in range(len(moments))]


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), n_groups=st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_blend_is_two_thirds_of_the_way_to_the_mean(seed, n, n_groups):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, 5)) * 10.0 ** random.integers(-9, 9)
    vectors = vectors.astype(np.float32)
    groups = np.unique(random.integers(n_groups, size=n), return_inverse=True)[1]
    found = blend(vectors, groups)
    assert found.dtype == np.float32
    for i in range(n):
        members = [vectors[j].astype(np.float64) for j in range(n) if groups[j] == groups[i]]
        expected = vectors[i] / 3 + 2 / 3 * sum(members) / len(members)
        np.testing.assert_allclose(found[i], expected, rtol=1e-5, atol=1e-6 * np.abs(vectors).max())
    order = random.permutation(n)
    np.testing.assert_array_equal(blend(vectors[order], groups[order]), found[order])


def test_the_order_is_of_no_account_to_the_last_bit():
    # In float64, (1 + 2^-60) - 1 is 0 and (1 - 1) + 2^-60 is not.
    column = np.array([[1], [2**-60], [-1], [0]], np.float32)
    found = [
        blend(column[list(order)], np.zeros(4, np.intp))[np.argsort(order)].tolist()
        for order in permutations(range(4))
    ]
    assert all(each == found[0] for each in found)


def test_a_photo_alone_stays_where_it_is_and_no_photos_stay_none():
    vectors = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_allclose(blend(vectors, np.array([0, 1])), vectors, rtol=1e-6)
    assert blend(np.empty((0, 3), np.float32), np.empty(0, np.intp)).shape == (0, 3)
