"""The table of record: every photo's words, vector, time and place."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_metric
from rememberai._version import __version__
from rememberai.errors import InputError, ModelMismatchError, StoreError
from rememberai.store import recovery
from rememberai.store.durable import sync_folder, sync_tree, write_atomically
from rememberai.store.lance_errors import lance_errors
from rememberai.store.schema import column_matrix, table_schema

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.records import Metric

_log = logging.getLogger(__name__)
FORMAT = 1
_MANIFEST = "store.json"
_TABLE = "photos.lance"
_DIGEST = hashlib.sha256().digest_size


class MemoryStore:
    """A folder with the table of record; made by `create`, reopened by `open`.

    A write is acknowledged when its method returns: by then its files are synced to disk and the
    new version is published by an atomic rename. Several processes may write at once; what a store
    reads is the version that it opened or wrote last.

    Attributes
    ----------
    path
        The store's folder.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], dataset: Any) -> None:
        self.path = path
        self._manifest = manifest
        self._dataset = dataset
        self._synced: set[tuple[str, int, int]] = set()

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        model_id: str,
        dimension: int,
        metric: Metric = "cosine",
        embedder: str | None = None,
    ) -> Self:
        """Make an empty store.

        Parameters
        ----------
        path
            A folder that is absent or empty.
        model_id, dimension, metric
            What made the vectors, their length, and how they are compared.
        embedder
            The name by which the embedder can be loaded again; None for a caller's own object.

        Raises
        ------
        InputError
            The dimension is below 1, or the metric is unknown.
        StoreError
            Something is there already.
        """
        import lance

        check_metric(metric)
        if dimension < 1:
            raise InputError(f"dimension must be at least 1; {dimension} came")
        root = Path(path).expanduser().absolute()
        if (root / _MANIFEST).exists():
            raise StoreError(f"{root} is a store already; open it, or name a new folder")
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise StoreError(f"{root} is not empty; name a new folder for the store")
        root.parent.mkdir(parents=True, exist_ok=True)
        draft = root.with_name(f".{root.name}.{uuid.uuid4().hex}")
        try:
            lance.write_dataset(table_schema(dimension).empty_table(), str(draft / _TABLE))
            sync_tree(draft, set())
            manifest = {
                "format": FORMAT,
                "rememberai": __version__,
                "model": {"id": model_id, "dimension": dimension, "embedder": embedder},
                "metric": metric,
                "version": 1,
            }
            write_atomically(draft / _MANIFEST, _dump(manifest))
            if root.exists():
                root.rmdir()
            draft.rename(root)
            sync_folder(root.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.open(root)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store, and bring it to the newest version that is whole.

        Raises
        ------
        StoreError
            There is no store, or one that a newer RememberAI wrote, or its table can't be read.
        """
        root = Path(path).expanduser().absolute()
        manifest = _read_manifest(root)
        dataset, version = recovery.newest_whole_version(root / _TABLE, manifest["version"])
        if not dataset.schema.equals(table_schema(manifest["model"]["dimension"])):
            raise StoreError(
                f"the table in {root} and its {_MANIFEST} do not fit each other; one of them was "
                "altered: restore the folder from a backup"
            )
        store = cls(root, manifest, dataset)
        if version != manifest["version"]:
            store._publish()
        return store

    @property
    def model_id(self) -> str:
        """The model that made the vectors."""
        return str(self._manifest["model"]["id"])

    @property
    def embedder(self) -> str | None:
        """The name by which the embedder can be loaded, if it has one."""
        name = self._manifest["model"]["embedder"]
        return None if name is None else str(name)

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._manifest["model"]["dimension"])

    @property
    def metric(self) -> Metric:
        """How vectors are compared."""
        metric: Metric = self._manifest["metric"]
        return metric

    @property
    def version(self) -> int:
        """The published version of the table; every write makes a higher one."""
        return int(self._manifest["version"])

    @property
    def _table_path(self) -> Path:
        return self.path / _TABLE

    def __len__(self) -> int:
        return int(self._dataset.count_rows())

    def check_model(self, model_id: str, dimension: int) -> None:
        """Raise ModelMismatchError unless this model made the store's vectors."""
        if (model_id, dimension) != (self.model_id, self.dimension):
            raise ModelMismatchError(
                f"the vectors in {self.path} were made by {self.model_id!r} (dimension "
                f"{self.dimension}); {model_id!r} (dimension {dimension}) came. Open the store "
                "with that first model, or make a new store and add the photos to it"
            )

    def upsert(self, rows: pa.Table) -> None:
        """Write whole rows: new photo ids are inserted, known ones replaced.

        Parameters
        ----------
        rows
            Every column of `schema.table_schema`, in its order; photo ids must be distinct,
            vectors finite, and there where there is a text source, and only there.

        Raises
        ------
        InputError
            The rows are not like that; nothing is written.
        StoreError
            The disk is full or can't be written; what was acknowledged before is still there.
        """
        self._check(rows)
        with lance_errors(self._table_path):
            self._dataset.checkout_latest()
            merge = self._dataset.merge_insert("photo_id")
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)
            self._publish()

    def read(
        self, columns: Sequence[str] | Mapping[str, str] | None = None, where: str | None = None
    ) -> pa.Table:
        """Read rows in the order of their photo ids.

        Parameters
        ----------
        columns
            Column names, or new names with SQL expressions; None reads all. The photo id always
            comes along.
        where
            A SQL condition on the columns.
        """
        chosen: Any = columns
        if isinstance(columns, Mapping):
            chosen = {"photo_id": "photo_id", **columns}
        elif columns is not None:
            chosen = ["photo_id", *(name for name in columns if name != "photo_id")]
        with lance_errors(self._table_path):
            table = self._dataset.to_table(columns=chosen, filter=where)
        return table.sort_by("photo_id")

    def read_rows(self, photo_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read some photos' rows without their vectors, keyed by photo id."""
        if not photo_ids or not len(self):
            return {}
        columns = [name for name in self._dataset.schema.names if name != "vector"]
        with lance_errors(self._table_path):
            table = self._dataset.to_table(columns=columns, filter=_is_in("photo_id", photo_ids))
        return {row["photo_id"]: row for row in table.to_pylist()}

    def vectors(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Read all photos that have words.

        Returns
        -------
        tuple
            (n,) object array of photo ids, sorted, and (n, dimension) float32 vectors.
        """
        return self._vectors("text_source IS NOT NULL")

    def vectors_of_texts(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Look up the vectors of texts that were embedded before; texts never seen are left out."""
        if not texts or not len(self):
            return {}
        wanted = pa.array(texts, pa.string())
        photo_of: dict[str, str] = {}
        with lance_errors(self._table_path):
            scanner = self._dataset.scanner(
                columns=["photo_id", "memory", "caption", "text_source"],
                filter="text_source IS NOT NULL",
            )
            for batch in scanner.to_batches():
                by_hand = pc.equal(batch["text_source"], "memory")
                text = pc.if_else(by_hand, batch["memory"], batch["caption"])
                found = pc.is_in(text, value_set=wanted)
                ids = batch["photo_id"].filter(found)
                photo_of.update(zip(text.filter(found).to_pylist(), ids.to_pylist(), strict=True))
        if not photo_of:
            return {}
        vector_of = dict(zip(*self._vectors(_is_in("photo_id", photo_of.values())), strict=True))
        return {text: vector_of[photo_id] for text, photo_id in photo_of.items()}

    def change_artifact(self, name: str, change: Callable[[pa.Table | None], pa.Table]) -> None:
        """Replace what is kept under a name by what `change` makes of it, one process at a time."""
        from filelock import FileLock

        with FileLock(self.path / f".{name}.lock"):
            self.write_artifact(name, change(self.read_artifact(name)))

    def artifact_digest(self, name: str) -> bytes | None:
        """Tell the content kept under a name from any other; None for nothing."""
        path = self.path / f"{name}.table"
        if not path.exists():
            return None
        with path.open("rb") as file:
            return file.read(_DIGEST)

    def write_artifact(self, name: str, table: pa.Table) -> None:
        """Keep a small table beside the photos under a name, such as the learned events.

        The file is the SHA-256 of an Arrow file, then that file.
        """
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        data = sink.getvalue().to_pybytes()
        write_atomically(self.path / f"{name}.table", hashlib.sha256(data).digest() + data)

    def read_artifact(self, name: str) -> pa.Table | None:
        """Read what `write_artifact` kept, or None.

        Raises
        ------
        StoreError
            The file was truncated or altered.
        """
        path = self.path / f"{name}.table"
        if not path.exists():
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error}") from error
        digest, data = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(data).digest() != digest:
            raise StoreError(f"{path} was truncated or altered; learn or write it anew")
        return pa.ipc.open_file(data).read_all()

    def size_bytes(self) -> int:
        """Sum the bytes of the store's files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def _vectors(self, where: str) -> tuple[NDArray[Any], NDArray[np.float32]]:
        with lance_errors(self._table_path):
            table = self._dataset.to_table(columns=["photo_id", "vector"], filter=where)
        order = pc.sort_indices(table["photo_id"])
        return table["photo_id"].take(order).to_numpy(), column_matrix(table["vector"])[order]

    def _check(self, rows: pa.Table) -> None:
        schema = table_schema(self.dimension)
        if not rows.schema.equals(schema):
            wanted, came = (
                ", ".join(f"{field.name} {field.type}" for field in s)
                for s in (schema, rows.schema)
            )
            raise InputError(f"rows must have the columns {wanted}; {came} came")
        ids = rows["photo_id"]
        if ids.null_count or pc.count_distinct(ids).as_py() != len(ids):
            raise InputError("photo ids in one write must be distinct, and none may be missing")
        if not rows["vector"].is_null().equals(rows["text_source"].is_null()):
            raise InputError("a row must have both a text source and a vector, or neither")
        if not np.isfinite(pc.list_flatten(rows["vector"]).to_numpy()).all():
            raise InputError("vectors must be finite; NaN or infinity came")

    def _publish(self) -> None:
        sync_tree(self._table_path, self._synced)
        self._manifest = {**self._manifest, "version": self._dataset.version}
        # Another process may have published its later version in the meantime.
        if self.version > _read_manifest(self.path)["version"]:
            write_atomically(self.path / _MANIFEST, _dump(self._manifest))
        _log.debug("published version %d of %s", self.version, self.path)


def _is_in(column: str, values: Iterable[str]) -> str:
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})"


def _dump(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1).encode()


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / _MANIFEST
    if not path.exists():
        raise StoreError(
            f"{root} is no store (there is no {_MANIFEST} in it); name the folder of a store, or "
            "create one there"
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        known = manifest["format"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"{path} can't be read or was altered ({error!r})") from error
    if known != FORMAT:
        raise StoreError(
            f"{root} has the format {known}; this RememberAI reads {FORMAT}. Install the version "
            f"that wrote it ({manifest.get('rememberai')}) or a newer one"
        )
    model = manifest.get("model")
    sound = (
        isinstance(model, dict)
        and isinstance(model.get("id"), str)
        and isinstance(model.get("embedder", 0), str | None)
        and _is_count(model.get("dimension"))
        and _is_count(manifest.get("version"))
        and manifest.get("metric") in ("cosine", "l2")
    )
    if not sound:
        raise StoreError(f"{path} was altered: a field is absent or is not what it should be")
    return manifest


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < 2**31
