"""Parquet: the way out of a store for other tools, and into another store."""

from __future__ import annotations

import contextlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai.errors import InputError
from rememberai.records import quiet
from rememberai.store.durable import sync_file, sync_folder
from rememberai.store.migration import new_since
from rememberai.store.schema import VECTOR, spread
from rememberai.store.writing import Writer

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from rememberai.records import Progress

_KEY = b"rememberai"
_COUNT = b"rememberai rows"
_ROWS = 65_536  # rows in memory at a time


class Transfer(Writer):
    """The part of a store that writes and reads Parquet files."""

    def export_parquet(self, path: str | os.PathLike[str], *, progress: Progress = quiet) -> int:
        """Write all rows, with their vectors, into one Parquet file.

        The model is kept in the file's metadata. A file that is there is replaced when the new one
        is whole. Rows come in no order that means something.

        Parameters
        ----------
        path
            The file.
        progress
            Called as ``progress("writing", done, total)`` with the rows.

        Returns
        -------
        int
            The number of rows.

        Raises
        ------
        InputError
            The file can't be written, or would lie among the store's own files.
        """
        import pyarrow.parquet as pq

        target = Path(path).expanduser().absolute()
        if target.resolve().is_relative_to(self.path.resolve()):
            raise InputError(f"{target} is in the store's own folder; name a file outside of it")
        draft = target.parent / f".export.{uuid.uuid4().hex}"  # a name that is never too long
        said = {"model": self.model_id, "dimension": self.dimension}
        schema = _in_parquet(self._schema).with_metadata({_KEY: json.dumps(said).encode()})
        rows, total = 0, len(self)
        try:
            with pq.ParquetWriter(
                draft, schema, compression="zstd", write_page_checksum=True
            ) as writer:
                for batch in self.scan(batch_size=_ROWS):
                    writer.write_batch(_loosened(batch, schema))
                    rows += len(batch)
                    progress("writing", rows, total)
                writer.add_key_value_metadata({_COUNT: str(rows).encode()})
            sync_file(draft)
            draft.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise InputError(f"{target} can't be written: {error}; name another file") from error
        finally:
            with contextlib.suppress(OSError):  # where none could be made, either
                draft.unlink(missing_ok=True)
        return rows

    def import_parquet(self, path: str | os.PathLike[str], *, progress: Progress = quiet) -> int:
        """Append the rows of a file that `export_parquet` wrote; what is there already stays.

        Each 65,536 rows are one write: who is stopped starts again, and what was written is
        passed over.

        Parameters
        ----------
        path
            The file.
        progress
            Called as ``progress("adding", done, total)`` with the rows.

        Returns
        -------
        int
            How many rows were new.

        Raises
        ------
        InputError
            The file can't be read, was altered, or `export_parquet` did not write it.
        ModelMismatchError
            Another model made its vectors.
        """
        import pyarrow.parquet as pq

        source = Path(path).expanduser()
        try:
            with pq.ParquetFile(source, page_checksum_verification=True) as file:
                schema = file.schema_arrow
                said = _model_said(schema)
                if said is not None:
                    self.check_model(*said)
                if said is None or not schema.equals(_as_exported(self._schema, schema.names)):
                    raise InputError(
                        f"{source} has other columns than those that this RememberAI exports; "
                        "export it again with this version"
                    )
                new = done = 0
                for batch in file.iter_batches(_ROWS):
                    batch.validate(full=True)
                    new += self.append(_tightened(batch, self._schema, source))
                    done += len(batch)
                    progress("adding", done, file.metadata.num_rows)
                wanted = (file.metadata.metadata or {}).get(_COUNT)
                if wanted is not None and wanted != str(done).encode():
                    raise InputError(
                        f"{source} was altered: it was written with another number of rows than "
                        f"{done}, which were read; restore it, or export it again"
                    )
                return new
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{source} can't be read as a Parquet file: {error}") from error


def _model_said(schema: pa.Schema) -> tuple[str, int] | None:
    """Read which model made a file's vectors, and their length; None if it does not say so."""
    try:
        said = json.loads((schema.metadata or {}).get(_KEY, b"null"))
    except (ValueError, RecursionError):
        return None
    if not (isinstance(said, dict) and isinstance(said.get("model"), str)):
        return None
    return (said["model"], said["dimension"]) if type(said.get("dimension")) is int else None


def _in_parquet(schema: pa.Schema) -> pa.Schema:
    """Give vectors a type without a length: lists of one length with nulls fail in old Arrows."""
    place = schema.get_field_index(VECTOR)
    return schema.set(place, pa.field(VECTOR, pa.list_(pa.float32())))


def _as_exported(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    """Give the schema of an export, perhaps by the format before, of which a file has the names."""
    later = {name for name in new_since(2) if name not in names}
    return pa.schema([field for field in _in_parquet(schema) if field.name not in later])


def _loosened(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    vectors = batch[VECTOR]
    spoken = vectors.is_valid().to_numpy(zero_copy_only=False)
    offsets = pa.array(
        np.concatenate([[0], np.cumsum(spoken)]) * vectors.type.list_size, pa.int32()
    )
    lists = pa.ListArray.from_arrays(offsets, vectors.flatten(), mask=vectors.is_null())
    columns = [lists if field.name == VECTOR else batch[field.name] for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _tightened(batch: pa.RecordBatch, schema: pa.Schema, source: Path) -> pa.Table:
    lists, size = batch[VECTOR], schema.field(VECTOR).type.list_size
    if pc.any(pc.not_equal(pc.list_value_length(lists), size)).as_py():
        raise InputError(f"{source} has vectors of another length than {size}; export it again")
    flat = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    vectors = spread(flat, lists.is_valid().to_numpy(zero_copy_only=False))
    there = set(batch.schema.names)
    columns = [
        vectors
        if field.name == VECTOR
        else batch[field.name]
        if field.name in there
        else pa.nulls(len(batch), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
