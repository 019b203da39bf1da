"""The table of record: every photo's words, vector, time and place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from rememberai._arrays import check_count, check_metric, whole_number
from rememberai.errors import StoreError
from rememberai.store.artifacts import Artifacts
from rememberai.store.files import Files, files_at
from rememberai.store.lance_errors import lance_errors
from rememberai.store.manifest import (
    FIRST_COLUMN,
    FORMAT,
    MANIFEST,
    Manifest,
    VectorModel,
    read_manifest,
)
from rememberai.store.migration import upgrade
from rememberai.store.models import ModelColumns, has_all_vectors
from rememberai.store.schema import schema_of_table
from rememberai.store.transfer import Transfer

if TYPE_CHECKING:
    import os
    from datetime import datetime
    from typing import Self

    from rememberai.records import Metric


@dataclass(frozen=True, slots=True)
class StoreVersion:
    """A version of a store's table, and when it was written."""

    version: int
    written: datetime


class MemoryStore(ModelColumns, Transfer, Artifacts):
    """The table of record in a folder or at a URI; made by `create`, reopened by `open`.

    A write is acknowledged when its method returns: by then its files are synced to disk and the
    new version is published by an atomic rename. Writers, in this process or in others, wait for
    each other; readers wait for nobody, and read the version that they opened or wrote last.

    At a URI nobody waits: writers of the same rows at the same moment try again on top of each
    other, and where that can't be done one gets a StoreError and writes again.
    """

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        model_id: str,
        dimension: int,
        metric: Metric = "cosine",
        embedder: str | None = None,
        storage_options: dict[str, str] | None = None,
    ) -> Self:
        """Make an empty store.

        Parameters
        ----------
        path
            A folder that is absent or empty, or a URI such as ``s3://bucket/family.memories``.
        model_id, dimension, metric
            What made the vectors, their length, and how they are compared.
        embedder
            The name by which the embedder can be loaded again; None for a caller's own object.
        storage_options
            What Lance needs to reach the URI (``aws_region``, ``aws_endpoint``, ...); None leaves
            it to the environment.

        Raises
        ------
        InputError
            What was said of the model is not like that, or the metric is unknown.
        StoreError
            Something is there already, or nothing can be written there.
        """
        check_metric(metric)
        dimension = check_count(dimension, "dimension")
        models = {FIRST_COLUMN: VectorModel(model_id, dimension, embedder)}
        manifest = Manifest(models, FIRST_COLUMN, metric, version=1)
        files_at(path, storage_options).create(schema_of_table(dimension), manifest)
        return cls.open(path, storage_options=storage_options)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, storage_options: dict[str, str] | None = None
    ) -> Self:
        """Open a store, and bring it to the newest version that is whole.

        A store of an earlier format is brought to this one.

        Parameters
        ----------
        path, storage_options
            See `create`.

        Raises
        ------
        StoreError
            There is no store, or one that a newer RememberAI wrote, or its table can't be read.
        """
        files = files_at(path, storage_options)
        manifest, dataset = _published(files)
        store = cls(files, manifest, dataset, manifest.active)
        with files.abandoned(manifest.version) as is_left:
            if is_left:
                with store._writing():
                    pass
        return store

    @classmethod
    def exists(
        cls, path: str | os.PathLike[str], *, storage_options: dict[str, str] | None = None
    ) -> bool:
        """Tell whether there is a store; see `create` for the parameters."""
        return files_at(path, storage_options).read(MANIFEST) is not None

    def refresh(self) -> None:
        """Read what others published since, with the same model."""
        manifest, dataset = _published(self._files)
        if self._column in manifest.models:
            self._seen = self._view(manifest.of_table(dataset.schema.names), dataset)

    def snapshot(self, version: int) -> Self:
        """Open a version of the table as it was, for reading only.

        The vectors are those of the active model where that version has them all, else those of
        another model that has. `compact` deletes old versions.

        Raises
        ------
        InputError
            The version is no whole number.
        StoreError
            That version is gone, or is older than the format or every model of the store.
        """
        version = whole_number(version, "version")
        manifest = self._seen.manifest
        newest = self._newest_published().version
        if not 0 < version <= newest:
            raise StoreError(
                f"{self._files.place} has no version {version}; the newest is {newest}"
            )
        try:
            dataset = self._files.opened(version)
        except StoreError as error:
            if version in {each.version for each in self.versions()}:
                raise
            raise StoreError(
                f"version {version} of {self._files.place} is there no more; `compact` deletes "
                "old versions, and `versions` lists those that are left"
            ) from error
        texts = (column for column, model in manifest.models.items() if model.of == "text")
        columns = (manifest.active, *texts)
        with lance_errors(self._files.table):
            whole = (c for c in columns if has_all_vectors(dataset, c, manifest.models[c]))
            column = next(whole, None)
        if column is None:
            raise StoreError(
                f"version {version} of {self._files.place} has no vectors of a model that the "
                "store still knows"
            )
        return type(self)(self._files, manifest, dataset, column, frozen=True)

    def versions(self) -> tuple[StoreVersion, ...]:
        """List the published versions that `snapshot` may open, the oldest first."""
        newest = self._newest_published()
        with lance_errors(self._files.table):
            listed = newest.versions()
        return tuple(
            StoreVersion(each["version"], each["timestamp"].astimezone(UTC))
            for each in sorted(listed, key=lambda each: int(each["version"]))
            if each["version"] <= newest.version
        )

    def size_bytes(self) -> int:
        """Sum the bytes of the store's files."""
        return self._files.size()

    def _newest_published(self) -> Any:
        return self._files.published(read_manifest(self._files).version)


def _published(files: Files) -> tuple[Manifest, Any]:
    """Read store.json and open the version that it names."""
    manifest = read_manifest(files)
    if manifest.format < FORMAT:
        manifest = upgrade(files)
    try:
        return manifest, files.published(manifest.version)
    except StoreError:
        now = read_manifest(files)
        if now.version == manifest.version:
            raise
        return now, files.published(now.version)  # `compact` deleted the other one in between
