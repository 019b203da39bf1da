"""What an index holds at one moment: searched by many threads, changed by none."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rememberai.errors import InputError
from rememberai.index import gpu
from rememberai.index.choice import (
    COPY_FROM,
    Choice,
    covers_up_to,
    saved_by_sketch,
    worth_sketching,
)
from rememberai.index.gpu import OnGpu
from rememberai.index.ids import Ids, id_array
from rememberai.index.knn import measure, nearest_of, rounded_away, scan, within
from rememberai.index.lists import Lists
from rememberai.index.rows import Rows
from rememberai.index.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from rememberai.index.knn import Device, Found
    from rememberai.records import Metric

    Filter = NDArray[np.bool_] | Sequence[bool] | Collection[str] | Collection[int]


@dataclass(frozen=True)
class Snapshot:
    """Rows, their ids, which of them were removed, and what finds them faster.

    Attributes
    ----------
    dead
        One mark for each row; None while no row was removed.
    sketch, lists, copy
        They cover the first rows; the others are scanned. The copy lies on a GPU.
    unsketched
        At how many rows a sketch was last found to prove too little.
    """

    metric: Metric
    rows: Rows
    ids: Ids = dataclasses.field(default_factory=Ids)
    dead: NDArray[np.bool_] | None = None
    sketch: Sketch | None = None
    lists: Lists | None = None
    copy: OnGpu | None = None
    unsketched: int = 0

    def __len__(self) -> int:
        return len(self.rows) - self.n_dead

    @cached_property
    def n_dead(self) -> int:
        """How many rows were removed, but are still there."""
        return 0 if self.dead is None else int(self.dead.sum())

    @cached_property
    def living(self) -> NDArray[np.bool_] | None:
        """One mark for each row that was not removed; None when all are there."""
        return None if self.dead is None else ~self.dead

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Where the rows lie that were not removed, in the order of adding."""
        return np.arange(len(self.rows)) if self.living is None else np.flatnonzero(self.living)

    def rows_of(self, ids: pa.Array) -> NDArray[np.int64]:
        """Give where the ids lie that are there."""
        marked = self.ids.among(ids)
        return np.flatnonzero(marked if self.living is None else marked & self.living)

    def places_of(self, distinct: pa.Array) -> NDArray[np.int64]:
        """Give where each of some distinct ids lies; -1 for those that are not there."""
        wanted = self.ids.places_in(distinct)
        if self.dead is not None:
            wanted[self.dead] = -1
        rows = np.flatnonzero(wanted >= 0)
        places = np.full(len(distinct), -1)
        places[wanted[rows]] = rows
        return places

    def allowed(self, filter: Filter | None) -> NDArray[np.bool_] | None:
        """Mark the rows that may be found; None stands for all of them.

        Raises
        ------
        InputError
            A mask of another length, or ids of another type.
        """
        if filter is None:
            return self.living
        if isinstance(filter, (str, bytes)) or not isinstance(filter, Iterable):
            raise InputError(f"a filter is a mask or a collection of ids; {filter!r:.100} came")
        if isinstance(filter, (pa.Array, pa.ChunkedArray)) and pa.types.is_boolean(filter.type):
            if filter.null_count:
                raise InputError(f"a mask must be booleans; {filter.null_count} of it are null")
            filter = filter.to_numpy(zero_copy_only=False)
        given = filter if isinstance(filter, (np.ndarray, list, tuple)) else list(filter)
        if len(given) and isinstance(given[0], (bool, np.bool_)):
            mask = np.asarray(given)
            if mask.dtype != bool or mask.shape != (len(self),):
                raise InputError(
                    f"a mask must be {len(self)} booleans, one for each id; {mask.dtype} of the "
                    f"shape {mask.shape} came"
                )
            allowed = np.zeros(len(self.rows), bool)
            allowed[self.positions[mask]] = True
            return allowed
        ids = id_array(given)
        if len(ids) and len(self) and ids.type != self.ids.type:
            raise InputError(f"ids of a filter must be {self.ids.type} here; {ids.type} came")
        marked = self.ids.among(ids)
        return marked if self.living is None else marked & self.living

    def within(
        self, queries: NDArray[np.float32], distance: float, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Find all allowed rows within a distance, the closest first.

        Returns
        -------
        tuple
            Where those of each query start, and positions and distances of all.
        """
        hits = list(within(queries, self.rows, distance, self.metric, allowed=allowed))
        query, positions, distances = (
            np.concatenate([np.empty(0, kind), *parts])
            for kind, parts in zip(
                (np.int64, np.int64, np.float32),
                zip(*hits, strict=True) if hits else ((),) * 3,
                strict=True,
            )
        )
        order = np.lexsort((positions, distances, query))
        starts = np.searchsorted(query[order], np.arange(len(queries) + 1))
        return starts, positions[order], distances[order]

    def missed(self, n_queries: int, k: int, allowed: NDArray[np.bool_] | None) -> float:
        """Tell what a sketch would save `nearest` if there were one; see `saved_by_sketch`."""
        if self.sketch is not None or not self._can_be_sketched():
            return 0
        if self.lists is not None and allowed is self.living:
            return 0
        return self._saved(n_queries, k, allowed)

    def _saved(self, n_queries: int, k: int, allowed: NDArray[np.bool_] | None) -> float:
        n = len(self.rows)
        n_allowed = n if allowed is None else int(allowed.sum())
        return saved_by_sketch(n_queries, self.rows.dimension, k, n_allowed, n)

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | None,
        device: Device,
    ) -> Found:
        """Find the k nearest of the allowed rows, of which there are at least k."""
        if self.lists is not None and allowed is self.living:
            found = self.lists.nearest(queries, k, self.rows, self.metric, allowed)
            return self._with_tail(len(self.lists), found, queries, k, allowed, device)
        if self.copy is not None and allowed is self.living and k + self.n_dead <= gpu.MOST:
            found = self._by_copy(self.copy, queries, k)
            return self._with_tail(len(self.copy), found, queries, k, allowed, device)
        if self.sketch is not None and self._saved(len(queries), k, allowed) > 0:
            found = self.sketch.nearest(queries, k, self.rows, self.metric, allowed)
            return self._with_tail(len(self.sketch), found, queries, k, allowed, device)
        return scan(queries, self.rows, k, self.metric, allowed=allowed, device=device)

    def _by_copy(self, copy: OnGpu, queries: NDArray[np.float32], k: int) -> Found:
        """Find the k nearest of the living rows that are copied, exactly."""
        width = min(k + self.n_dead, len(copy))
        scores, found = copy.search(queries, width)
        distances = measure(queries, self.rows, found, self.metric)
        doubtful = rounded_away(scores, distances) if self.metric == "l2" else ()
        if self.dead is not None:
            gone = self.dead[found]
            distances[gone], found[gone] = np.inf, -1
        distances, found = nearest_of(distances, found, min(k, width))
        if len(doubtful):
            covered = np.arange(len(self.rows)) < len(copy)
            covered &= True if self.living is None else self.living
            anew = scan(queries[doubtful], self.rows, k, self.metric, allowed=covered)
            distances[doubtful], found[doubtful] = anew
        return distances, found

    def _with_tail(
        self,
        covered: int,
        head: Found,
        queries: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | None,
        device: Device,
    ) -> Found:
        """Add what lies behind the rows covered; scan all where lists came back with too few."""
        if covered < len(self.rows):
            tail = scan(
                queries, self.rows, k, self.metric, start=covered, allowed=allowed, device=device
            )
            distances = np.hstack([head[0], tail[0]])
            head = nearest_of(distances, np.hstack([head[1], tail[1]]), k)
        distances, found = head
        short = np.flatnonzero((found < 0).any(axis=1))
        if len(short):
            anew = scan(queries[short], self.rows, k, self.metric, allowed=allowed, device=device)
            distances[short], found[short] = anew
        return distances, found

    def appended(self, rows: Rows, ids: Ids) -> Snapshot:
        """Give what it is with the rows and ids that continue its own."""
        dead = self.dead
        if dead is not None:
            dead = np.concatenate([dead, np.zeros(len(rows) - len(dead), bool)])
        return dataclasses.replace(self, rows=rows, ids=ids, dead=dead)

    def without(self, positions: NDArray[np.int64]) -> Snapshot:
        """Give what it is without the rows at these positions."""
        if not len(positions):
            return self
        dead = np.zeros(len(self.rows), bool) if self.dead is None else self.dead.copy()
        dead[positions] = True
        return dataclasses.replace(self, dead=dead)

    def compacted(self) -> Snapshot:
        """Give what it is with the removed rows left out."""
        if self.living is None:
            return self
        kept = self.positions
        rows = Rows(self.rows.dimension, (self.rows[kept],) if len(kept) else ())
        return Snapshot(self.metric, rows, self.ids.kept(self.living))

    def accelerated(self, choice: Choice) -> Snapshot:
        """Give what it is with the lists that a choice asks for, made or grown; so its sketch.

        Making lists takes so long that a sketch is made beside; without lists `sketched` makes it.
        """
        lists = self._lists(choice)
        with_lists = dataclasses.replace(self, lists=lists)
        return with_lists if lists is None and self.sketch is None else with_lists.sketched()

    def _lists(self, choice: Choice) -> Lists | None:
        old, rows = self.lists, self.rows
        if choice.kind == "flat":
            return None
        if old is None or (old.kind, old.quantizer) != (choice.kind, choice.quantizer):
            return Lists.of(rows, choice.kind, choice.quantizer)
        return old.extended(rows) if len(rows) > covers_up_to(len(old)) else old

    def lacks_copy(self) -> bool:
        """Tell whether a GPU should have a copy of the rows, or a new one."""
        n = len(self.rows)
        if self.lists is not None or not n >= COPY_FROM:
            return False
        return self.copy is None or n > covers_up_to(len(self.copy))

    def copied(self) -> Snapshot:
        """Give what it is with a copy of all rows on the GPU; MemoryError where it has no room."""
        return dataclasses.replace(self, copy=OnGpu.of(self.rows, self.metric))

    def sketched(self) -> Snapshot:
        """Give what it is with a sketch, made or grown, unless one proves too little."""
        old, rows = self.sketch, self.rows
        if old is not None:
            if len(rows) <= covers_up_to(len(old)):
                return self
            return dataclasses.replace(self, sketch=old.extended(rows))
        if not self._can_be_sketched():
            return self
        sketch = Sketch.of(rows)
        if sketch.proves(rows, self.metric):
            return dataclasses.replace(self, sketch=sketch)
        return dataclasses.replace(self, unsketched=len(rows))

    def _can_be_sketched(self) -> bool:
        n = len(self.rows)
        return worth_sketching(n, self.rows.dimension) and n >= 2 * self.unsketched
