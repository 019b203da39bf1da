"""Every choice that the index makes for its user, each in one place, by what was measured.

Lists and graphs are never asked among filtered rows: where the filter follows the clusters and the
query does not, they found less than half of the true neighbours, however many lists were probed and
even when 200 candidates were measured. So an answer with a filter is exact in every kind of index.
The benchmarks `index_kinds` and `index_filters` measure both sides of each choice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rememberai._faiss import PRODUCTS_FROM
from rememberai.errors import InputError
from rememberai.index import gpu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rememberai.index.knn import Device

Kind = Literal["flat", "ivf", "hnsw"]
Quantizer = Literal["sq8", "pq", "rabitq"]

OFFERED: Mapping[str, tuple[Quantizer | None, ...]] = {
    "flat": (None,),
    "ivf": (None, "sq8", "pq", "rabitq"),
    "hnsw": (None, "sq8"),
}
FLAT_UP_TO = 250_000  # rows; a single query takes 4 ms there, and every answer is exact
_FLAT_ON_GPU = 2**32  # bytes of float32; 1,000 queries over 2**20 rows of 384 take 22 ms there
SKETCH_FROM = 8_192  # rows; below, FAISS scans them in less than 1 ms
SKETCH_AFTER = 32  # scans of all rows for one query; they take longer than making the sketch
COPY_FROM = 8_192  # rows; below, a CPU answers a query before a GPU is spoken to
LISTS_FROM = 4_096  # rows; below, there is nothing to train lists or a graph on
_SHARE_OF_MEMORY = 0.25


@dataclass(frozen=True)
class Choice:
    """A kind of index, and why it."""

    kind: Kind
    quantizer: Quantizer | None
    reason: str


def choose(
    kind: str,
    quantizer: str | None,
    n: int,
    dimension: int,
    memory: int | None,
    device: Device = "cpu",
) -> Choice:
    """Choose the kind of index for n rows.

    Parameters
    ----------
    kind, quantizer
        What the user asked for; ``"auto"`` leaves it open.
    memory
        Of the machine, in bytes; None when unknown.
    device
        Where rows are compared.
    """
    if kind != "auto":
        if n < LISTS_FROM and kind != "flat":
            return Choice("flat", None, f"{kind} was asked for, from {LISTS_FROM:,} rows on")
        return Choice(kind, quantizer, "asked for")  # type: ignore[arg-type]
    size = 4 * n * dimension
    if device == "gpu" and size <= _FLAT_ON_GPU:
        return Choice("flat", None, "exact search is fast on the GPU")
    tight = memory is not None and size > _SHARE_OF_MEMORY * memory
    if (n <= FLAT_UP_TO and not tight) or n < LISTS_FROM:
        return Choice("flat", None, f"exact search is fast up to {FLAT_UP_TO:,} rows")
    why = (
        f"the vectors would take {size / 2**30:.1f} GiB, more than a quarter of the memory"
        if tight
        else f"exact search is slow beyond {FLAT_UP_TO:,} rows"
    )
    if dimension % 4 or dimension < 32:
        return Choice("ivf", "sq8", f"{why}; a product quantiser needs a dimension of 32, 36, ...")
    return Choice("ivf", "pq", f"{why}; answers are measured anew from the stored vectors")


def check_kind(kind: str, quantizer: str | None, dimension: int) -> None:
    """Raise InputError unless such an index is offered."""
    if kind == "auto" and quantizer is None:
        return
    if kind not in ("auto", *OFFERED):
        wanted = ", ".join(map(repr, ("auto", *OFFERED)))
        raise InputError(f"kind must be one of {wanted}; {kind!r} came")
    if kind == "auto":
        raise InputError(
            f"with the quantizer {quantizer!r} name the kind, such as 'ivf'; 'auto' came"
        )
    if quantizer not in OFFERED[kind]:
        wanted = ", ".join(map(repr, OFFERED[kind]))
        raise InputError(f"quantizer of {kind!r} must be one of {wanted}; {quantizer!r} came")
    if quantizer == "pq" and dimension % 4:
        raise InputError(f"'pq' needs a dimension divisible by 4; it is {dimension}. Take 'sq8'")


def choose_device(wanted: Literal["auto", "cpu", "gpu"]) -> Device:
    """Choose where batches are scanned; raise InputError where that can't be."""
    if wanted not in ("auto", "cpu", "gpu"):
        raise InputError(f'device must be "auto", "cpu" or "gpu"; {wanted!r} came')
    there = wanted != "cpu" and gpu.there()
    if wanted == "gpu" and not there:
        raise InputError('device "gpu" needs faiss-gpu and a GPU that it sees; take "auto"')
    return "gpu" if there else "cpu"


def memory_of_machine() -> int | None:
    """Read the physical memory in bytes; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def worth_sketching(n: int, dimension: int) -> bool:
    """Tell whether few queries gain from a sketch; FAISS sums squares of bytes in 32 bits."""
    return n >= SKETCH_FROM and dimension <= 2**14


def covers_up_to(covered: int) -> int:
    """Tell up to how many rows a sketch or lists leave those behind them to the exact scan."""
    return covered + max(16_384, covered // 32)


def saved_by_sketch(n_queries: int, dimension: int, k: int, n_allowed: int, n: int) -> float:
    """Tell what a sketch saves, by what it saves a query of all rows; 0 or less: scan the allowed.

    The scan copies the allowed rows out of all once, the sketch steps over the others with each
    query; both are exact. The costs are in nanoseconds, measured with 384 dimensions.
    """
    if k > 256:
        return 0
    size = dimension / 384
    each, several = 60 * n_queries, 160 + 4 * n_queries  # by FAISS's loops; by a product
    by_row = min(each, several) if n_queries * dimension >= PRODUCTS_FROM else each
    if n_allowed == n:
        return (by_row - 25 * n_queries) / (60 - 25)
    sketch = n_queries * (4 * n + 120 * size * n_allowed)
    return ((600 + by_row) * size * n_allowed - sketch) / (60 * size * n)
