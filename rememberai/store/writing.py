"""Writing rows: each method is one version of the table, published when it returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rememberai.errors import InputError
from rememberai.records import quiet
from rememberai.store.lance_errors import lance_errors
from rememberai.store.reading import Reader, in_arrow, is_in
from rememberai.store.schema import VECTOR, WORDS, check_rows, check_table, dated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rememberai.records import Progress
    from rememberai.store.handle import Change

_DAY = timedelta(days=1)
_ROWS_AT_ONCE = 2048  # Lance lays parts out while it writes others
_ROWS_OF_A_FILE = 2**16  # once gathered; Lance moves so many vectors in a third of a second
_NO_TIME, _EVER = timedelta(microseconds=1), timedelta(days=100_000)  # what Lance can subtract
_CHUNKS = 64  # of ids in memory; each costs a little in every look
_KEPT_BY_THE_STORE = {"photo_id", "added", "updated"}


class Writer(Reader):
    """The writing part of a store."""

    def append(self, rows: pa.Table) -> int:
        """Insert the rows whose photo ids are new, and leave the others alone.

        Parameters
        ----------
        rows
            See `upsert`.

        Returns
        -------
        int
            How many were inserted; of the same rows again, none.

        Raises
        ------
        InputError, ModelMismatchError, StoreError
            See `upsert`.
        """
        check_rows(rows, self._schema, self.metric)
        rows = dated(rows)
        with self._writing() as change:
            known = _known_ids(change, rows["photo_id"])
            if len(known):
                rows = rows.filter(pc.invert(pc.is_in(rows["photo_id"], value_set=known)))
            return self._insert(change, rows) if len(rows) else 0

    def upsert(self, rows: pa.Table) -> None:
        """Write whole rows: new photo ids are inserted, known ones replaced.

        Other models' vectors of the words that are replaced are dropped, and so `pending` again;
        those of pictures stay.

        Parameters
        ----------
        rows
            Every column of `schema.table_schema`, in its order; photo ids must be distinct,
            vectors finite, not zero under the cosine metric, not too large for squared distances
            under l2, and there where there is a text source, and only there. Where `added` or
            `updated` is null it is now.

        Raises
        ------
        InputError
            The rows are not like that; nothing is written.
        ModelMismatchError
            The store was switched to another model since it was opened.
        StoreError
            The disk is full or can't be written; what was acknowledged before is still there.
        """
        check_rows(rows, self._schema, self.metric)
        rows = dated(rows)
        if not len(rows):
            return
        with self._writing() as change:
            if len(_known_ids(change, rows["photo_id"])) or not self._files.exclusive:
                put(change, self._stored(change, rows))
            else:
                self._insert(change, rows)

    def upsert_unless_changed(
        self, rows: pa.Table, before: Mapping[str, datetime | None]
    ) -> list[str]:
        """Write whole rows, but none of a photo that somebody else has changed meanwhile.

        Parameters
        ----------
        rows
            See `upsert`.
        before
            By photo id, the `updated` of the row as it was read; a photo that the store did not
            have is left out.

        Returns
        -------
        list of str
            The photo ids that were changed, deleted or inserted meanwhile, and so not written.

        Raises
        ------
        InputError, ModelMismatchError, StoreError
            See `upsert`.
        """
        check_rows(rows, self._schema, self.metric)
        rows = dated(rows)
        with self._writing() as change:
            now = _last_changes(change, rows["photo_id"])
            ids = rows["photo_id"].to_pylist()
            ours = [(i in now, now.get(i)) == (i in before, before.get(i)) for i in ids]
            whole = rows.filter(pa.array(ours, pa.bool_()))
            if len(whole) and (before or not self._files.exclusive):
                put(change, self._stored(change, whole))
            elif len(whole):
                self._insert(change, whole)
        return [photo_id for photo_id, written in zip(ids, ours, strict=True) if not written]

    def update(self, table: pa.Table) -> None:
        """Change some columns of some photos; every other value stays.

        Parameters
        ----------
        table
            The photo ids, distinct, and the columns to change, but not `added` and `updated`, which
            the store sets. Who changes the words gives memory, caption, text_source and vector, so
            that they fit each other; other models' vectors are dropped then, and so `pending`.

        Raises
        ------
        InputError
            A photo id is not in the store, or the columns are not as described; nothing is
            written.
        ModelMismatchError, StoreError
            See `upsert`.
        """
        changes = self._changes(table)
        ids = changes["photo_id"].to_pylist()
        if not ids:
            return
        with self._writing() as change:
            rows = change.dataset.to_table(filter=is_in("photo_id", ids))
            if unknown := sorted(set(ids).difference(rows["photo_id"].to_pylist())):
                raise InputError(
                    f"{len(unknown)} of {len(ids)} photo ids are not in the store "
                    f"({', '.join(unknown[:5])}); nothing was changed"
                )
            order = pc.index_in(rows["photo_id"], value_set=changes["photo_id"])
            now = pa.scalar(datetime.now(UTC), rows.schema.field("updated").type)
            given = changes.take(order).append_column("updated", pa.repeat(now, len(rows)))
            put(change, self._stored(change, given, rows), again=False)

    def delete(self, photo_ids: Collection[str]) -> int:
        """Delete photos; ids that are not in the store are passed over.

        Returns
        -------
        int
            How many were deleted.

        Raises
        ------
        InputError
            A single text came, or an id that is no text.
        ModelMismatchError, StoreError
            See `upsert`.
        """
        asked = in_arrow(photo_ids)
        with self._writing() as change:
            known = _known_ids(change, asked)
            if len(known):
                change.dataset.delete(is_in("photo_id", known.to_pylist()))
                change.known = None
        return len(known)

    def compact(self, *, keep: timedelta = _DAY, progress: Progress = quiet) -> int:
        """Gather small files into large ones, and delete what only old versions need.

        Parameters
        ----------
        keep
            Versions of this age and younger stay, so that who reads one of them can go on and
            `snapshot` opens it. Older snapshots are gone, and who still reads one gets a
            StoreError. The published version always stays.
        progress
            Called as ``progress(stage, done, total)``; the stages are "deleting", of 2, before and
            after the others, "gathering", of the rows that are moved, and "publishing", of the
            files that are flushed and hashed.

        Returns
        -------
        int
            Bytes that were freed. Files that were gathered just now are freed by a later call.

        Raises
        ------
        InputError
            `keep` is no timedelta.
        ModelMismatchError, StoreError
            See `upsert`.
        """
        if not isinstance(keep, timedelta):
            raise InputError(f"keep must be a timedelta; {keep!r:.100} came")
        keep = min(max(keep, _NO_TIME), _EVER)
        with lance_errors(self._files.table), self._files.lock():
            with self._writing():  # what a crash left is published or set aside
                pass
            progress("deleting", 0, 2)
            freed = self._files.clean(self._dataset, keep)  # first, since gathering needs room
            progress("deleting", 1, 2)
            with self._writing() as change:
                change.tick = partial(progress, "publishing")
                _gather(change.dataset, progress)
            freed += self._files.clean(self._dataset, keep)
            progress("deleting", 2, 2)
        return freed

    def _insert(self, change: Change, rows: pa.Table) -> int:
        """Insert rows whose ids are new, unless somebody else may be inserting them just now."""
        stored = self._stored(change, rows)
        if self._files.exclusive:
            change.dataset.insert(stored.to_reader(_ROWS_AT_ONCE))
            if change.known is not None:
                new = stored.select(change.known.column_names).cast(change.known.schema)
                change.known = _in_few_chunks(pa.concat_tables([change.known, new]))
            return len(stored)
        change.known = None
        merge = change.dataset.merge_insert("photo_id").when_not_matched_insert_all()
        # Old versions of Lance notice twins only where rows may be updated too.
        merge = merge.when_matched_update_all("source.photo_id != target.photo_id")
        return int(merge.execute(stored)["num_inserted_rows"])

    def _stored(self, change: Change, given: pa.Table, before: pa.Table | None = None) -> pa.Table:
        """Lay rows out as the table has them; other models have no vectors of new words yet.

        Parameters
        ----------
        before
            The same rows as they are, whose other columns stay; None for whole rows, of which only
            the vectors of pictures stay: a photo's id names its content.
        """
        names, schema = given.column_names, change.dataset.schema
        columns = {self._column if name == VECTOR else name: given[name] for name in names}
        seen = [name for name, model in change.manifest.models.items() if model.of == "image"]
        if before is not None:
            others = set(before.column_names).difference(self._schema.names, seen) | {VECTOR}
            dropped = others if VECTOR in names else set()
            kept = [name for name in before.column_names if name not in dropped]
            columns = {name: before[name] for name in kept} | columns
        elif seen:
            wanted = is_in("photo_id", given["photo_id"].to_pylist())
            known = change.dataset.to_table(columns=["photo_id", *seen], filter=wanted)
            place = pc.index_in(given["photo_id"], value_set=known["photo_id"])
            columns |= {name: known[name].take(place) for name in seen}
        for field in schema:
            if field.name not in columns:  # as large as if they were there
                columns[field.name] = pa.nulls(len(given), field.type)
        return pa.table([columns[field.name] for field in schema], schema=schema)

    def _changes(self, table: pa.Table) -> pa.Table:
        """Check a table of changes, and bring it to the types of the store."""
        check_table(table)
        names = set(table.column_names) - {"photo_id"}
        allowed = set(self._schema.names) - _KEPT_BY_THE_STORE
        twice = len(set(table.column_names)) < table.num_columns
        if "photo_id" not in table.column_names or not names or names - allowed or twice:
            raise InputError(
                f"a table with photo_id and some of the columns {', '.join(sorted(allowed))} was "
                f"wanted; the columns {', '.join(table.column_names)} came"
            )
        if (words := names.intersection(WORDS)) and len(words) < len(WORDS):
            raise InputError(
                f"the columns {', '.join(WORDS)} change together; only {', '.join(words)} came"
            )
        wanted = pa.schema([field for field in self._schema if field.name in table.column_names])
        try:
            changes = table.select(wanted.names).cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            raise InputError(f"the columns must have the types {wanted}: {error}") from error
        check_rows(changes, wanted, self.metric)
        return changes


def _known(change: Change) -> pa.Table:
    """Tell which photos a table has, and when each was last changed."""
    if change.known is None:
        change.known = change.dataset.to_table(columns=["photo_id", "updated"])
    return change.known


def _known_ids(change: Change, photo_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Select those of some photo ids that a table has."""
    ids = _known(change)["photo_id"]
    return ids.filter(pc.is_in(ids, value_set=photo_ids.combine_chunks()))


def _last_changes(change: Change, photo_ids: pa.ChunkedArray) -> dict[str, datetime | None]:
    """Tell when those of some photos were last changed that a table has."""
    rows = _known(change)
    rows = rows.filter(pc.is_in(rows["photo_id"], value_set=photo_ids.combine_chunks()))
    return dict(zip(rows["photo_id"].to_pylist(), rows["updated"].to_pylist(), strict=True))


def _in_few_chunks(table: pa.Table) -> pa.Table:
    return table.combine_chunks() if table["photo_id"].num_chunks > _CHUNKS else table


def _gather(dataset: Any, progress: Progress) -> None:
    """Gather small files into large ones, as Lance plans it, in tasks of less than a second."""
    from lance.optimize import Compaction

    tasks = Compaction.plan(dataset, {"target_rows_per_fragment": _ROWS_OF_A_FILE}).tasks
    if not tasks:
        return
    rows = [sum(part.num_rows for part in task.fragments) for task in tasks]
    progress("gathering", 0, sum(rows))
    written = []
    for task, done in zip(tasks, accumulate(rows), strict=True):
        written.append(task.execute(dataset))
        progress("gathering", done, sum(rows))
    Compaction.commit(dataset, written)


def put(change: Change, rows: pa.Table, *, again: bool = True) -> None:
    """Replace or insert whole rows.

    Parameters
    ----------
    again
        Whether Lance may do so on top of another writer's change to the same rows, which is wrong
        for rows that were read before that change.
    """
    merge = change.dataset.merge_insert("photo_id")
    merge = merge.when_matched_update_all().when_not_matched_insert_all()
    change.known = None
    (merge if again else merge.conflict_retries(0)).execute(rows)
