"""A process's hold on a store: what it reads, and the way of every change to the disk."""

from __future__ import annotations

import contextlib
import copy
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rememberai.errors import ModelMismatchError, StoreError
from rememberai.records import untold
from rememberai.store.lance_errors import lance_errors
from rememberai.store.manifest import Manifest, VectorModel, read_manifest
from rememberai.store.schema import fits, table_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Self

    from rememberai.records import Metric, Tick
    from rememberai.store.files import Files

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Change:
    """What a writer is about to publish: the manifest, and the table that it writes to.

    Attributes
    ----------
    transaction
        What made the table's version; read once, since Lance lets nobody else use the dataset
        meanwhile.
    known
        The photo_id and updated of all rows, if somebody read them; whoever changes rows sees to it
        or forgets it. Reading them opens every part of the table.
    tick
        Called as ``tick(done, total)`` with the files that are flushed and hashed.
    """

    manifest: Manifest
    dataset: Any
    transaction: str | None = None
    known: pa.Table | None = None
    tick: Tick = untold


class Handle:
    """The part of a store that knows its files, its model and its version.

    Parameters
    ----------
    files
        Where the store lies.
    manifest, dataset
        What store.json said, and the version of the table that is read.
    column
        The vectors that are read, of a model of the manifest.
    frozen
        Nothing may be written.
    """

    def __init__(
        self,
        files: Files,
        manifest: Manifest,
        dataset: Any,
        column: str,
        *,
        frozen: bool = False,
    ) -> None:
        self._files = files
        # One assignment replaces both, so that a thread that reads never sees half of a change.
        self._seen = self._view(manifest.of_table(dataset.schema.names), dataset)
        self._column = column
        self._frozen = frozen
        if not fits(dataset.schema, column, self.dimension):
            raise StoreError(
                f"the table in {files.place} and its store.json do not fit each other; one of "
                "them was altered: restore the folder from a backup"
            )

    @property
    def path(self) -> Path:
        """The store's folder; of a store at a URI one on this machine for what is only a cache."""
        return self._files.root

    @property
    def place(self) -> str:
        """The store's folder or URI, for people to read."""
        return self._files.place

    @property
    def model_id(self) -> str:
        """The model that made the vectors."""
        return self._model.id

    @property
    def embedder(self) -> str | None:
        """The name by which the embedder can be loaded, if it has one."""
        return self._model.embedder

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._model.dimension

    @property
    def models(self) -> Mapping[str, VectorModel]:
        """Every model that the store has vectors of, by their column."""
        return dict(self._seen.manifest.models)

    @property
    def vector_column(self) -> str:
        """The column of the vectors that are read."""
        return self._column

    @property
    def metric(self) -> Metric:
        """How vectors are compared."""
        return self._seen.manifest.metric

    @property
    def format(self) -> int:
        """The version of the layout, as docs/format.md tells of it."""
        return self._seen.manifest.format

    @property
    def version(self) -> int:
        """The version of the table that is read; every write makes a higher one."""
        return int(self._dataset.version)

    @property
    def stamp(self) -> str:
        """What no other content has: two histories of a store may share a version, not a stamp.

        It also names the column of the vectors.
        """
        seen = self._seen
        if seen.transaction is None:
            raise StoreError(f"version {seen.dataset.version} of {self.place} has no origin")
        return f"{seen.transaction} {self._column}"

    def stamp_at(self, version: int) -> str | None:
        """Give the stamp that a version from before had; None where it is gone, or had none."""
        if not 0 < version <= self.version:
            return None
        try:
            transaction = self._view(self._seen.manifest, self._files.opened(version)).transaction
        except StoreError:
            return None
        return transaction and f"{transaction} {self._column}"

    def pinned(self, column: str | None = None) -> Self:
        """Give a view of what is read now, for reading only, whatever is written meanwhile.

        Parameters
        ----------
        column
            The vectors that it reads, of one of `models`; those read here where None.
        """
        view = copy.copy(self)
        view._frozen = True
        view._column = column or self._column
        return view

    def holding(self, artifact: str | None = None) -> AbstractContextManager[Any]:
        """Keep others from changing an artifact, or, without a name, from writing to the table."""
        return self._files.lock() if artifact is None else self._files.lock(artifact)

    def __len__(self) -> int:
        return int(self._dataset.count_rows())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.place}>"

    def check_model(self, model_id: str, dimension: int) -> None:
        """Raise ModelMismatchError unless this model made the store's vectors."""
        if (model_id, dimension) != (self.model_id, self.dimension):
            raise ModelMismatchError(
                f"the vectors in {self._files.place} were made by {self.model_id!r} (dimension "
                f"{self.dimension}); {model_id!r} (dimension {dimension}) came. Open the store "
                "with that first model; `rememberai reembed` goes over to another one"
            )

    @property
    def _dataset(self) -> Any:
        return self._seen.dataset

    @property
    def _model(self) -> VectorModel:
        return self._seen.manifest.models[self._column]

    @property
    def _schema(self) -> pa.Schema:
        return table_schema(self.dimension)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Change]:
        """Hold the lock, give the newest version to write to, and publish what was made of it."""
        self._refuse_frozen()
        with lance_errors(self._files.table), self._files.lock():
            before = self._unswitched()
            dataset = self._files.newest(before.version)
            change = self._view(before.of_table(dataset.schema.names), dataset)
            if change.transaction == self._seen.transaction is not None:
                change.known = self._seen.known
            yield change
            after = change.manifest
            if change.dataset.version != before.version:
                after = replace(after, version=self._files.publish(change.dataset, change.tick))
            if after != before:
                after.write(self._files)
                _log.debug("published version %d of %s", after.version, self._files.place)
            self._seen = replace(self._view(after, change.dataset), known=change.known)
        pa.default_memory_pool().release_unused()  # else each write leaves it larger

    def _unswitched(self) -> Manifest:
        """Read store.json; raise ModelMismatchError when its active model is another one by now."""
        manifest = read_manifest(self._files)
        active = manifest.models[manifest.active]
        if (manifest.active, active) != (self._column, self._model):
            raise ModelMismatchError(
                f"{self._files.place} was switched to the model {active.id!r} since it was opened "
                f"here with {self.model_id!r}; open it again",
                code="store-switched",
            )
        return manifest

    def _view(self, manifest: Manifest, dataset: Any) -> Change:
        with lance_errors(self._files.table):
            transaction = dataset.read_transaction(dataset.version)
        return Change(manifest, dataset, transaction.uuid if transaction else None)

    def _refuse_frozen(self) -> None:
        if self._frozen:
            raise StoreError(
                f"this is version {self.version} of {self._files.place} as it was, which can't be "
                "written to; open the store itself"
            )
