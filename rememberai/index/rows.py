"""The stored vectors: in memory or memory-mapped, in few pieces, only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Sized

    from numpy.typing import NDArray

T = TypeVar("T", bound="Sized")

_BLOCK_BYTES = 2**26


def starts_of(pieces: Sequence[Sized]) -> NDArray[np.int64]:
    """Give where each piece starts, and behind them where the last ends."""
    return np.cumsum([0, *map(len, pieces)], dtype=np.int64)


def in_pieces(
    starts: NDArray[np.int64], positions: NDArray[np.int64]
) -> Iterator[tuple[int, Any, NDArray[np.int64]]]:
    """Sort positions by piece: its number, which positions lie in it, and where in it."""
    if len(starts) == 2:
        yield 0, slice(None), positions
        return
    pieces = np.searchsorted(starts, positions, side="right") - 1
    for piece in np.unique(pieces):
        where = np.flatnonzero(pieces == piece)
        yield int(piece), where, positions[where] - starts[piece]


def with_few_pieces(pieces: Sequence[T], more: T, joined: Callable[[list[T]], T]) -> tuple[T, ...]:
    """Append a piece, joined with those before it that are not twice as long.

    So the number of pieces grows as the logarithm of the rows, and each row is copied as often.
    """
    kept, small = list(pieces), [more]
    while kept and len(kept[-1]) < 2 * sum(map(len, small)):
        small.insert(0, kept.pop())
    return (*kept, more if len(small) == 1 else joined(small))


@dataclass(frozen=True)
class Rows:
    """Vectors prepared for the metric; a change gives other Rows that share their memory.

    Attributes
    ----------
    pieces
        (n_i, dimension) float32 arrays, C-contiguous.
    """

    dimension: int
    pieces: tuple[NDArray[np.float32], ...] = ()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return starts_of(self.pieces)

    def __getitem__(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copy the vectors at positions of any shape."""
        if len(self.pieces) == 1:
            return self.pieces[0][positions]
        found = np.empty((positions.size, self.dimension), np.float32)
        for piece, where, local in in_pieces(self._starts, positions.ravel()):
            found[where] = self.pieces[piece][local]
        return found.reshape(*positions.shape, self.dimension)

    def views(self, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """View a range of rows piece by piece, each with the position where it starts."""
        for first, piece in zip(self._starts.tolist(), self.pieces, strict=False):
            low, high = max(start - first, 0), min(stop - first, len(piece))
            if low < high:
                yield first + low, piece[low:high]

    @property
    def n_in_block(self) -> int:
        """How many vectors make a block, of which a copy takes little memory."""
        return max(1, _BLOCK_BYTES // (4 * self.dimension))

    def blocks(
        self, start: int, stop: int, n: int | None = None
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """View a range of rows in blocks of up to n, each with the position where it starts."""
        step = n or self.n_in_block
        for first, view in self.views(start, stop):
            for low in range(0, len(view), step):
                yield first + low, view[low : low + step]


class Growing:
    """The end of the rows in memory, with room for more.

    What is added lies behind what older Rows view, so nobody who reads them sees a change.
    """

    def __init__(self) -> None:
        self._buffer = np.empty((0, 0), np.float32)

    def appended(self, rows: Rows, more: NDArray[np.float32]) -> Rows:
        """Give rows with more behind them; only for the Rows that this gave last, or others.

        A block or more is a piece of its own, which belongs to the rows from now on.
        """
        last = rows.pieces[-1] if rows.pieces else None
        full = last is None or last.base is not self._buffer or len(last) >= rows.n_in_block
        if full or len(more) >= rows.n_in_block:
            self._buffer = more
            return Rows(rows.dimension, (*rows.pieces, more[:]))
        assert last is not None  # noqa: S101
        used, needed = len(last), len(last) + len(more)
        if needed > len(self._buffer):
            room = np.empty((max(needed, 2 * used), rows.dimension), np.float32)
            room[:used] = last
            self._buffer = room
        self._buffer[used:needed] = more
        return Rows(rows.dimension, (*rows.pieces[:-1], self._buffer[:needed]))
