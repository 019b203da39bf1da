"""Reading rows: all at once, batch by batch, by photo id, or their vectors alone."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_count
from rememberai.errors import InputError, StoreError
from rememberai.store.handle import Handle
from rememberai.store.lance_errors import lance_errors, said
from rememberai.store.schema import VECTOR, column_matrix, with_vectors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Columns = Sequence[str] | Mapping[str, str] | None


_LARGEST_BATCH = 2**32 - 1  # Lance counts in 32 bits
_BRACKETS = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|[()]", re.DOTALL)


class Reader(Handle):
    """The reading part of a store."""

    def read(self, columns: Columns = None, where: str | None = None) -> pa.Table:
        """Read rows in the order of their photo ids.

        Parameters
        ----------
        columns
            Column names, or new names with SQL expressions; None reads all that `upsert` writes.
            The photo id always comes along, and ``vector`` is the active model's.
        where
            A SQL condition on the columns, but ``vector``: in a condition it is the first model's.

        Raises
        ------
        InputError
            An expression can't be read, or names a column that is not there.
        """
        with self._asked(columns, where):
            table = self._dataset.to_table(
                columns=self._chosen(columns), filter=_whole_condition(where)
            )
        return table.sort_by("photo_id")

    def scan(
        self, columns: Columns = None, where: str | None = None, *, batch_size: int = 8192
    ) -> Iterator[pa.RecordBatch]:
        """Read rows batch by batch, in no order that means something.

        All batches are of the version that the store has when the first one is asked for.

        Parameters
        ----------
        columns, where
            See `read`.
        batch_size
            The most rows in a batch.

        Raises
        ------
        InputError
            As `read`, when the first batch is asked for; or batch_size is below 1.
        """
        batch_size = min(check_count(batch_size, "batch_size"), _LARGEST_BATCH)
        with self._asked(columns, where):
            scanner = self._dataset.scanner(
                columns=self._chosen(columns),
                filter=_whole_condition(where),
                batch_size=batch_size,
            )
            yield from scanner.to_batches()

    def read_rows(self, photo_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Read some photos' rows without their vectors, keyed by photo id.

        Raises
        ------
        InputError
            A single text came, or an id that is no text.
        """
        seen = self._seen
        asked = in_arrow(photo_ids)
        if seen.known is not None:
            asked = asked.filter(pc.is_in(asked, value_set=seen.known["photo_id"]))
        if not len(asked) or not len(self):
            return {}
        columns = _without_vector(self._schema)
        with lance_errors(self._files.table):
            wanted = is_in("photo_id", asked.to_pylist())
            table = seen.dataset.to_table(columns=columns, filter=wanted)
        return {row["photo_id"]: row for row in table.to_pylist()}

    def vectors(
        self, photo_ids: Collection[str] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Read the vectors of the photos that have words, all or some.

        Parameters
        ----------
        photo_ids
            Those wanted; ids that are not in the store, or have no words, are passed over.

        Returns
        -------
        tuple
            (n,) object array of photo ids, sorted, and (n, dimension) float32 vectors.

        Raises
        ------
        InputError
            A single text came, or an id that is no text.
        """
        if photo_ids is None:
            return self._vectors(None)
        return self._vectors(is_in("photo_id", in_arrow(photo_ids).to_pylist()))

    def vector_batches(
        self, batch_size: int = 4096
    ) -> Iterator[tuple[pa.RecordBatch, NDArray[np.float32]]]:
        """Read all photos that have words, batch by batch, in no order that means something.

        Returns
        -------
        iterator of tuple
            n rows of `vector_places`, and their (n, dimension) float32 vectors.
        """
        with lance_errors(self._files.table):
            scanner = self._dataset.scanner(
                columns=["photo_id", "updated", self._column],
                filter=self._is_spoken,
                with_row_address=True,
                batch_size=batch_size,
            )
            for batch in scanner.to_batches():
                there = with_vectors(batch, self._column)
                yield there.drop_columns([self._column]), column_matrix(there[self._column])

    def vector_places(self) -> pa.Table:
        """Tell of every vector when its row was changed, and where it lies in the table.

        A vector of which both are the same in two versions is the same.

        Returns
        -------
        pyarrow.Table
            photo_id, updated, and _rowaddr, in no order that means something.
        """
        # Under the lock no words are written without a vector of the active model, so none is read.
        sure = self._files.exclusive and self._column == self._seen.manifest.active
        with lance_errors(self._files.table):
            return self._dataset.to_table(
                columns=["photo_id", "updated"],
                filter=self._is_spoken if sure else self._has_vector,
                with_row_address=True,
            )

    def vectors_of_texts(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Look up the vectors of texts that were embedded before; texts never seen are left out."""
        if not texts or not len(self):
            return {}
        wanted = pa.array(texts, pa.string())
        photo_of: dict[str, str] = {}
        with lance_errors(self._files.table):
            scanner = self._dataset.scanner(
                columns=["photo_id", "memory", "caption", "text_source"],
                filter="text_source IS NOT NULL",
            )
            for batch in scanner.to_batches():
                text = text_that_counts(batch)
                found = pc.is_in(text, value_set=wanted)
                ids = batch["photo_id"].filter(found)
                photo_of.update(zip(text.filter(found).to_pylist(), ids.to_pylist(), strict=True))
        if not photo_of:
            return {}
        vector_of = dict(zip(*self.vectors(list(photo_of.values())), strict=True))
        return {text: vector_of[i] for text, i in photo_of.items() if i in vector_of}

    @property
    def _is_spoken(self) -> str | None:
        """The condition without which a row has no vector; None for pictures."""
        return "text_source IS NOT NULL" if self._model.of == "text" else None

    @property
    def _has_vector(self) -> str:
        # Without a vector they are pending, see `ModelColumns`.
        there = f"{self._column} IS NOT NULL"
        return there if self._is_spoken is None else f"{self._is_spoken} AND {there}"

    def _vectors(self, where: str | None) -> tuple[NDArray[Any], NDArray[np.float32]]:
        condition = self._has_vector if where is None else f"{self._has_vector} AND {where}"
        with lance_errors(self._files.table):
            table = self._dataset.to_table(columns=["photo_id", self._column], filter=condition)
        order = pc.sort_indices(table["photo_id"])
        ids = table["photo_id"].take(order).to_numpy()
        return ids, column_matrix(table[self._column])[order]

    def _chosen(self, columns: Columns) -> list[str] | dict[str, str]:
        """Give the columns as Lance knows them; `vector` may have another name in the table."""
        given = self._schema.names if columns is None else _texts(columns)
        if isinstance(given, dict):
            return {"photo_id": "photo_id", **given}
        names = ["photo_id", *given]
        if VECTOR in names and self._column != VECTOR:
            return {name: self._column if name == VECTOR else name for name in names}
        return list(dict.fromkeys(names))

    @contextlib.contextmanager
    def _asked(self, columns: Columns, where: str | None) -> Iterator[None]:
        try:
            with lance_errors(self._files.table):
                try:
                    yield
                except (pa.ArrowInvalid, RuntimeError) as error:  # a division by 0, a placeholder,
                    # or a damaged file
                    if not self._can_be_read():
                        raise
                    raise InputError(said(error)) from error
        except ValueError as error:
            asked = [f"the columns {columns}"] if columns else []
            asked += [f"the condition {where!r}"] if where is not None else []
            names = ", ".join(_without_vector(self._schema))
            hint = ", times as timestamp '2024-06-01'" if "Timestamp" in str(error) else ""
            raise InputError(
                f"{' and '.join(asked)} can't be read: {said(error)}. Write names and SQL "
                f"conditions on the columns {names}{hint}"
            ) from error

    def _can_be_read(self) -> bool:
        """Tell whether all that an expression might look at is whole, so that the fault is its."""
        try:
            with lance_errors(self._files.table):
                for _ in self._dataset.scanner(columns=self._chosen(None)).to_batches():
                    pass
        except StoreError:
            return False
        return True


def _without_vector(schema: pa.Schema) -> list[str]:
    return [name for name in schema.names if name != VECTOR]


def _texts(columns: Sequence[str] | Mapping[str, str]) -> list[str] | dict[str, str]:
    """Copy names of columns, or with expressions; raise InputError unless all are texts."""
    if not isinstance(columns, str):
        with contextlib.suppress(TypeError):
            given = dict(columns) if isinstance(columns, Mapping) else list(columns)
            texts = [*given, *given.values()] if isinstance(given, dict) else given
            if all(isinstance(text, str) for text in texts):
                return given
    raise InputError("they are not texts, several as in a list")


def _whole_condition(where: str | None) -> str | None:
    """Put a condition in brackets, because Lance passes over what stands behind one."""
    if where is None:
        return None
    if not isinstance(where, str):
        raise InputError(f"a SQL condition is a string; {type(where).__name__} came")
    depth = 0
    for sign in _BRACKETS.findall(where):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            raise InputError("a bracket is closed that was not opened")
    return f"({where}\n)"


def in_arrow(photo_ids: Collection[str]) -> pa.ChunkedArray:
    """Lay photo ids out for Arrow; raise InputError unless they are a collection of texts."""
    if not isinstance(photo_ids, str):
        with contextlib.suppress(TypeError, ValueError):
            ids = pa.chunked_array([list(photo_ids)], pa.string())
            if not ids.null_count:
                return ids
    raise InputError(f"a collection of photo ids was wanted; {photo_ids!r:.100} came")


def is_in(column: str, values: Iterable[str]) -> str:
    """Write a SQL condition: the column has one of these values."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})" if quoted else "false"


def text_that_counts(rows: pa.RecordBatch | pa.Table) -> pa.Array:
    """Give the words that the vectors are of; null without words."""
    by_hand = pc.equal(rows["text_source"], "memory")
    return pc.if_else(by_hand, rows["memory"], rows["caption"])
