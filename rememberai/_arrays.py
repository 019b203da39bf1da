"""Checks at the public door for arrays of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric

_CACHED = 2**18  # values that stay near the CPU from one step to the next
_LARGEST = 5e18  # vectors of this length are 1e19 apart at most, and (1e19)^2 fits in float32


def check_vectors(
    vectors: ArrayLike, *, dimension: int | None = None, name: str = "vectors"
) -> NDArray[np.float32]:
    """Return vectors as (n, dimension) float32, C-contiguous and finite.

    Raises
    ------
    InputError
        Another shape, no numbers, or a value that is NaN or infinite in float32.
    """
    try:
        array = np.asarray(vectors)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"dtype {array.dtype}")
        with np.errstate(over="ignore"):  # an overflow becomes inf and is named below
            array = np.asarray(array, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} must be an (n, dimension) array of real numbers: {error}"
        ) from error
    if array.ndim != 2 or array.shape[1] != (dimension or max(array.shape[1], 1)):
        wanted = "dimension" if dimension is None else dimension
        raise InputError(f"{name} must have the shape (n, {wanted}); {array.shape} came")
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise InputError(f"{name} must be finite; NaN or infinity in {_rows(~finite)}")
    return array


def check_metric(metric: Metric) -> None:
    """Raise InputError unless the metric is one that RememberAI knows."""
    if metric not in ("cosine", "l2"):
        raise InputError(f'metric must be "cosine" or "l2"; {metric!r} came')


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
    array = check_vectors(vectors, dimension=dimension, name=name)
    if metric == "l2":
        too_large = np.abs(array).max(axis=1, initial=0) > _LARGEST / max(array.shape[1], 1) ** 0.5
        if too_large.any():
            raise InputError(
                f"{name} must be scaled down under the l2 metric: a squared distance would not fit "
                f"in float32; too large in {_rows(too_large)}"
            )
        return array
    unit = np.empty_like(array)
    zero = np.zeros(len(array), bool)
    step = max(1, _CACHED // max(array.shape[1], 1))
    for start in range(0, len(array), step):
        some = slice(start, start + step)
        zero[some] = _to_unit_length(array[some], unit[some])
    if zero.any():
        raise InputError(
            f"{name} must not be zero under the cosine metric, since a zero vector has no "
            f"direction; zero in {_rows(zero)}"
        )
    return unit


def _to_unit_length(vectors: NDArray[np.float32], out: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Write unit vectors into `out`, and mark those that are zero and have none."""
    # Scaled by the largest entry first, so that no square overflows or vanishes.
    largest = np.abs(vectors, out=out).max(axis=1, keepdims=True, initial=0)
    zero: NDArray[np.bool_] = largest[:, 0] == 0
    np.divide(vectors, np.where(largest == 0, 1, largest), out=out)
    lengths = np.sqrt(np.einsum("nd,nd->n", out, out))
    out /= np.where(zero, 1, lengths)[:, None]
    return zero


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
