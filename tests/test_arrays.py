"""Vectors are checked at the door, and measured from differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rememberai._arrays import check_metric, check_vectors, pair_distances, prepare
from rememberai.errors import InputError

LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize(
    "given_as",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]], np.int64),
        np.array([[1, 2], [3, 4]], np.uint8),
        np.array([[1, 2], [3, 4]], np.float16),
        np.array([[1, 2], [3, 4]], np.float64, order="F"),
        np.array([[1, 9, 2], [3, 9, 4]], ">f4")[:, ::2],
    ],
)
def test_any_real_numbers_become_contiguous_float32(given_as):
    array = check_vectors(given_as)
    assert array.dtype == np.float32
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "abc",
        [["a", "b"]],
        [[1, 2], [3]],
        [[None, 1]],
        np.ones((2, 2), bool),
        np.ones((2, 2), object),
        np.ones((2, 2), complex),
        np.zeros((2, 2), "datetime64[s]"),
        [[10**400, 1]],
    ],
    ids=str,
)
def test_what_is_no_array_of_real_numbers_is_refused(bad):
    with pytest.raises(InputError, match=r"seeds must be an .* array of real numbers"):
        check_vectors(bad, name="seeds")


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 2, 2), (2, 4), (0, 4), (2, 0)], ids=str)
def test_another_shape_is_refused_with_both_shapes(shape):
    with pytest.raises(InputError) as refused:
        check_vectors(np.zeros(shape), dimension=3)
    assert "(n, 3)" in str(refused.value)
    assert str(shape) in str(refused.value)


def test_no_vectors_of_the_right_length_are_fine():
    assert check_vectors(np.empty((0, 3)), dimension=3).shape == (0, 3)
    assert prepare(np.empty((0, 3)), "cosine").shape == (0, 3)
    assert prepare(np.empty((0, 3)), "l2").shape == (0, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e39])
def test_what_is_not_finite_in_float32_is_refused_by_row(bad):
    vectors = np.ones((9, 2))
    vectors[[1, 4], 1] = bad
    with pytest.raises(InputError, match=r"2 of 9 rows \(1, 4\)"):
        check_vectors(vectors)


def test_a_long_list_of_bad_rows_is_cut():
    with pytest.raises(InputError, match=r"9 of 9 rows \(0, 1, 2, 3, 4, \.\.\.\)"):
        check_vectors(np.full((9, 2), np.nan))


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_known_metrics_pass(metric):
    check_metric(metric)


@pytest.mark.parametrize("metric", ["Cosine", "euclidean", "ip", "", None, 1, []])
def test_other_metrics_are_named_and_refused(metric):
    with pytest.raises(InputError, match='"cosine" or "l2"'):
        check_metric(metric)


def test_the_caller_s_array_is_never_changed():
    vectors = np.array([[3, 4], [6, 8]], np.float32)
    prepare(vectors, "cosine")
    prepare(vectors, "l2")
    np.testing.assert_array_equal(vectors, [[3, 4], [6, 8]])


@pytest.mark.parametrize("row", [[0, 0, 0], [-0.0, 0, 0], [1e-300, 0, 0]])
def test_a_zero_vector_has_no_direction(row):
    with pytest.raises(InputError, match=r"zero in 1 of 2 rows \(1\)"):
        prepare([[1, 0, 0], row], "cosine")
    np.testing.assert_array_equal(prepare([row], "l2"), [[0, 0, 0]])


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e-20, 1, 1e20, LARGEST])
def test_the_largest_and_smallest_vectors_get_unit_length(scale):
    unit = prepare(np.array([[1, 1, 0, 1]]) * scale, "cosine")
    np.testing.assert_allclose(unit, np.array([[1, 1, 0, 1]]) / np.sqrt(3), rtol=1e-6)


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-LARGEST, LARGEST, width=32),
    )
)
def test_cosine_vectors_are_the_unit_vectors_of_float64(vectors):
    rows = vectors[np.abs(vectors).max(axis=1) > 0]
    exact = rows.astype(np.float64)
    exact /= np.abs(exact).max(axis=1, keepdims=True)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    prepared = prepare(rows, "cosine")
    np.testing.assert_allclose(prepared, exact, atol=1e-6)
    # A vector is prepared alike in every company, so that it is 0 apart from itself.
    for row, unit in zip(rows, prepared, strict=True):
        np.testing.assert_array_equal(prepare(row[None], "cosine")[0], unit)


@pytest.mark.parametrize("value", [1e19, -1e19, LARGEST])
def test_l2_vectors_whose_squared_distance_overflows_are_refused(value):
    with pytest.raises(InputError, match=r"too large in 1 of 2 rows \(1\)"):
        prepare([[1, 1], [value, 0]], "l2")


def test_the_largest_l2_vectors_are_measured():
    a = prepare(np.array([[2.4e18] * 4]), "l2")
    distance = pair_distances(a, -a, "l2")
    np.testing.assert_allclose(distance, [2 * 2 * 2.4e18], rtol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_pair_distances_match_float64_along_any_leading_axes(metric):
    rng = np.random.default_rng(0)
    a = prepare(rng.normal(size=(12, 7)), metric).reshape(3, 4, 7)
    b = prepare(rng.normal(size=(3, 7)), metric)[:, None]
    x, y = a.astype(np.float64), b.astype(np.float64)
    exact = 1 - (x * y).sum(-1) if metric == "cosine" else np.linalg.norm(x - y, axis=-1)
    measured = pair_distances(a, b, metric)
    assert measured.dtype == np.float32
    np.testing.assert_allclose(measured, exact, atol=1e-6)
    np.testing.assert_array_equal(pair_distances(a, a, metric), np.zeros((3, 4)))


def test_near_unit_vectors_keep_their_digits():
    a, b = prepare([[1, 0], [1, 1e-5]], "cosine")
    np.testing.assert_allclose(pair_distances(a, b, "cosine"), 0.5e-10, rtol=1e-3)
