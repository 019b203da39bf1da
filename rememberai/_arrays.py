"""Checks at the public door for arrays of vectors."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import SupportsFloat, SupportsIndex

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_PLAIN = 1e-20, 1e30  # squared lengths, in between which no square that counts was lost
_LARGEST = 5e18  # vectors of this length are 1e19 apart at most, and (1e19)^2 fits in float32
WANTED: Mapping[Metric, str] = {
    "cosine": "not be zero under the cosine metric, since a zero vector has no direction",
    "l2": "be scaled down under the l2 metric: a squared distance would not fit in float32",
}
_FLAW = {"cosine": "zero", "l2": "too large"}


def whole_number(value: SupportsIndex, name: str) -> int:
    """Return a whole number, of NumPy too, as an int; raise InputError for anything else."""
    try:
        return operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be a whole number; {value!r} came") from None


def check_count(value: SupportsIndex, name: str, least: int = 1) -> int:
    """Return a whole number as an int; raise InputError when it is too small."""
    count = whole_number(value, name)
    if count < least:
        raise InputError(f"{name} must be at least {least}; {value} came")
    return count


def check_risk(value: SupportsFloat) -> float:
    """Return a risk as a float; raise InputError unless it is a number between 0 and 1."""
    risk = _number(value)
    if not 0 < risk < 1:
        raise InputError(f"max_risk must be above 0 and below 1; {value!r:.100} came")
    return risk


def check_distance(value: SupportsFloat) -> float:
    """Return a distance as a float; raise InputError unless it is a number from 0 on."""
    distance = _number(value)
    if not distance >= 0:
        raise InputError(f"distance must be a number, 0 or more; {value!r:.100} came")
    return distance


def _number(value: SupportsFloat) -> float:
    """Return a number as a float; NaN for what is none, a text of one among it."""
    if isinstance(value, (str, bytes)):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def check_vectors(
    vectors: ArrayLike, *, dimension: int | None = None, name: str = "vectors"
) -> NDArray[np.float32]:
    """Return vectors as (n, dimension) float32, C-contiguous and finite.

    Raises
    ------
    InputError
        Another shape, no numbers, or a value that is NaN or infinite in float32.
    """
    return _with_squares(vectors, dimension, name)[0]


def _with_squares(
    vectors: ArrayLike, dimension: int | None, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Check vectors, and give their squared lengths too, which may overflow."""
    try:
        array = np.asarray(vectors)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"dtype {array.dtype}")
        with np.errstate(over="ignore"):  # an overflow becomes inf and is named below
            array = np.asarray(array, dtype=np.float32, order="C")
    except (TypeError, ValueError, RuntimeError) as error:  # the last of a tensor with gradients
        raise InputError(
            f"{name} must be an (n, dimension) array of real numbers: {error}"
        ) from error
    if array.ndim != 2 or array.shape[1] != (dimension or max(array.shape[1], 1)):
        wanted = "dimension" if dimension is None else dimension
        raise InputError(f"{name} must have the shape (n, {wanted}); {array.shape} came")
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("nd,nd->n", array, array)
    if not np.isfinite(squares).all():
        finite = np.isfinite(array).all(axis=1)
        if not finite.all():
            raise InputError(f"{name} must be finite; NaN or infinity in {_rows(~finite)}")
    return array, squares


def check_metric(metric: Metric) -> None:
    """Raise InputError unless the metric is one that RememberAI knows."""
    if metric not in ("cosine", "l2"):
        raise InputError(f'metric must be "cosine" or "l2"; {metric!r} came')


def check_for_metric(
    vectors: ArrayLike, metric: Metric, *, dimension: int | None = None, name: str = "vectors"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Check vectors as `prepare` does, leave them, and give their squared lengths.

    These may overflow, or vanish, under the cosine metric.
    """
    array, squares = _with_squares(vectors, dimension, name)
    wrong = incomparable(array, squares, metric)
    if wrong.any():
        raise InputError(f"{name} must {WANTED[metric]}; {_FLAW[metric]} in {_rows(wrong)}")
    return array, squares


def incomparable(
    vectors: NDArray[np.float32], squares: NDArray[np.float32], metric: Metric
) -> NDArray[np.bool_]:
    """Mark those of (n, dimension) finite vectors that are not as the metric wants them.

    Parameters
    ----------
    squares
        Their squared lengths, which may have overflowed, or vanished.
    """
    if metric == "cosine":
        zero: NDArray[np.bool_] = squares == 0  # a tiny one's square vanishes too
        zero[zero] = ~vectors[zero].any(axis=1)
        return zero
    most = _LARGEST / max(vectors.shape[1], 1) ** 0.5
    too_large: NDArray[np.bool_] = ~(squares <= most**2)
    too_large[too_large] = np.abs(vectors[too_large]).max(axis=1, initial=0) > most
    return too_large


def prepare(
    vectors: ArrayLike, metric: Metric, *, dimension: int | None = None, name: str = "vectors"
) -> NDArray[np.float32]:
    """Check vectors and, for the cosine metric, bring each to unit length.

    Raises
    ------
    InputError
        As `check_vectors`; or a zero vector, whose direction is unknown, under the cosine metric;
        or entries so large that a squared distance overflows under l2.
    """
    array, squares = check_for_metric(vectors, metric, dimension=dimension, name=name)
    if metric == "l2":
        return array
    plain = (squares > _PLAIN[0]) & (squares < _PLAIN[1])
    unit: NDArray[np.float32] = np.divide(array, np.sqrt(np.where(plain, squares, 1))[:, None])
    if not plain.all():
        unit[~plain] = _to_unit_length(array[~plain])
    return unit


def _to_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    # Scaled by the largest entry first, so that no square overflows or vanishes.
    scaled: NDArray[np.float32] = vectors / np.abs(vectors).max(axis=1, keepdims=True)
    scaled /= np.sqrt(np.einsum("nd,nd->n", scaled, scaled))[:, None]
    return scaled


def pair_distances(
    a: NDArray[np.float32], b: NDArray[np.float32], metric: Metric
) -> NDArray[np.float32]:
    """Measure the distance between prepared vectors that are paired along the leading axes.

    From differences, so that equal vectors are exactly 0 apart and near ones keep their digits:
    for unit vectors 1 - cos = |a - b|^2 / 2.
    """
    difference = a - b
    squared: NDArray[np.float32] = np.einsum("...d,...d->...", difference, difference)
    return (squared / 2 if metric == "cosine" else np.sqrt(squared)).astype(np.float32, copy=False)


def _rows(mask: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(mask)
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return f"{len(rows)} of {len(mask)} rows ({shown})"
