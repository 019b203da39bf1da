"""A store's folder: how its files are read, replaced, locked, and how its table is opened."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from rememberai.errors import StoreError
from rememberai.records import untold
from rememberai.store import recovery
from rememberai.store.durable import sync_folder, write_atomically
from rememberai.store.lance_errors import lance_errors, said
from rememberai.store.manifest import MANIFEST, Manifest, read_manifest
from rememberai.store.seals import Seals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    import pyarrow as pa
    from filelock import FileLock

    from rememberai.records import Tick

_log = logging.getLogger(__name__)
TABLE = "photos.lance"
_WRITE = "write"
_WRITER_KEEPS = 2**20  # bytes of what files say of themselves; a run of many writes makes many


class LocalFiles:
    """The files of a store in a folder of this machine.

    A version of the table counts when store.json names it, after all its files were flushed and
    sealed; whoever writes holds a lock.

    Attributes
    ----------
    place
        The folder, for people to read.
    table
        The folder of the Lance table.
    seals
        The checksums of the table's files.
    """

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)
        self.table = root / TABLE
        self.seals = Seals(self.table)
        self._locks: dict[str, FileLock] = {}
        self._opened_by = os.getpid()
        self._unvouched: set[str] = set()

    def create(self, schema: pa.Schema, manifest: Manifest) -> None:
        """Make an empty store, which is there as a whole or not at all.

        Raises
        ------
        StoreError
            Something is there already, or nothing can be written there.
        """
        import lance

        if self.read(MANIFEST) is not None:
            raise StoreError(f"{self.place} is a store already; open it, or name a new folder")
        root = self.root.resolve()  # where a link leads
        draft = LocalFiles(root.with_name(f".store.{uuid.uuid4().hex}"))  # never too long
        try:
            if root.exists() and (not root.is_dir() or any(root.iterdir())):
                raise StoreError(f"{self.place} is not empty; name a new folder for the store")
            root.parent.mkdir(parents=True, exist_ok=True)
            draft.publish(lance.write_dataset(schema.empty_table(), str(draft.table)))
            manifest.write(draft)
            if root.exists():
                root.rmdir()
            draft.root.rename(root)
            sync_folder(root.parent)
        except OSError as error:
            raise StoreError(
                f"{self.place} can't be made: {said(error)}; name a place where you may write and "
                "where there is room"
            ) from error
        finally:
            shutil.rmtree(draft.root, ignore_errors=True)

    def read(self, name: str) -> bytes | None:
        """Read a file; None when it is not there.

        Raises
        ------
        StoreError
            It is there and can't be read.
        """
        path = self.root / name
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise StoreError(
                f"{path} can't be read by you ({error}); copy the store to where it can",
                code="store-rights",
                fields={"place": self.place},
            ) from error
        except (OSError, ValueError) as error:  # the latter of a name with a null character
            raise StoreError(f"{path} can't be read: {error}") from error

    def write(self, name: str, data: bytes) -> None:
        """Replace a file so that a reader finds the old bytes or the new ones, on the disk."""
        write_atomically(self.root / name, data)

    @contextlib.contextmanager
    def lock(self, name: str = _WRITE) -> Iterator[None]:
        """Hold a lock that other processes respect; its holder may take it again.

        Raises
        ------
        StoreError
            Nothing may be written here, or not by a process that was forked from the one that
            opened the store.
        """
        if os.getpid() != self._opened_by:
            raise StoreError(
                f"{self.place} was opened before this process was forked; open it here anew"
            )
        lock = self._lock(name)
        try:
            lock.acquire()
        except OSError as error:
            raise StoreError(
                f"{self.place} can't be written to here ({error}); copy it to where it can",
                code="store-rights",
                fields={"place": self.place},
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _lock(self, name: str) -> FileLock:
        from filelock import FileLock

        if name not in self._locks:
            self._locks[name] = FileLock(self.root / f".{name}.lock")
        return self._locks[name]

    def opened(self, published: int) -> Any:
        """Open a published version of the table, whose files must be there in their full size.

        Raises
        ------
        StoreError
            They are not.
        """
        dataset = recovery.open_version(self.table, published)
        seals = self.seals.known()
        for name in recovery.parts(dataset):
            if name in seals and (flaw := seals[name].flaw_of_size(self.table / name)):
                raise StoreError(
                    f"{self.table / name} was damaged: {flaw}; restore the store's folder, or "
                    "this file, from a backup. `rememberai check` tells what else is wrong",
                    code="store-damaged",
                    fields={"file": str(self.table / name)},
                )
        return dataset

    published = opened

    @contextlib.contextmanager
    def abandoned(self, published: int) -> Iterator[bool]:
        """Tell whether a crashed writer left a version unpublished, and hold the lock if so."""
        if not self._is_ahead(published):
            yield False
            return
        lock = self._lock(_WRITE)
        try:
            lock.acquire(timeout=0)
        except OSError as error:  # a writer is at work, or nothing may be written here
            _log.info("%s is read as it was published: %s", self.place, error)
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def newest(self, published: int) -> Any:
        """Open the newest version that is whole; the caller holds the write lock."""
        sealed = read_manifest(self).format > 1
        if self._is_ahead(published):
            seals = self.seals if sealed else None
            dataset = recovery.newest_whole_version(self.table, published, seals)
            self.seals.forget_absent()  # the number of a version that was set aside is used again
        else:
            dataset = recovery.open_version(self.table, published, _WRITER_KEEPS)
        # What has no seal before this write gets none by it: its line was lost, or a writer.
        there = self.seals.unsealed() if sealed else ()
        self._unvouched = {name for name in there if not name.startswith(recovery.TRANSACTIONS)}
        return dataset

    def publish(self, dataset: Any, tick: Tick = untold) -> int:
        """Flush and seal what was written; returns the version that store.json is to name."""
        self.seals.add(self._unvouched, tick)
        return int(dataset.version)

    def clean(self, dataset: Any, older_than: timedelta) -> int:
        """Delete what only older versions need; returns the bytes; the caller holds the lock."""
        with lance_errors(self.table):
            freed = dataset.cleanup_old_versions(older_than, delete_unverified=True)
        self.seals.forget_absent()
        return int(freed.bytes_removed)

    def size(self) -> int:
        """Sum the bytes of all files."""
        return sum(file.stat().st_size for file in self.root.rglob("*") if file.is_file())

    def _is_ahead(self, published: int) -> bool:
        return any(version > published for version in recovery.versions(self.table))
