"""A store at a URI, such as s3://bucket/family.memories: Lance reaches it, and nothing is locked.

Object stores replace an object as a whole and keep it once it is there, so every version that
Lance committed is whole, and the newest one is the published one. Of writers that commit at the
same moment Lance lets one try again on top of the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rememberai.errors import InputError, StoreError
from rememberai.records import untold
from rememberai.store.lance_errors import lance_errors, said
from rememberai.store.manifest import MANIFEST, Manifest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import timedelta

    import pyarrow as pa

    from rememberai.records import Tick

_TABLE = "photos.lance"
# With it Lance notices that two writers insert the same photo at once, and lets one try again.
_KEY = {"lance-schema:unenforced-primary-key": "true"}


class RemoteFiles:
    """The files of a store at a URI.

    Parameters
    ----------
    uri
        The store's folder.
    options
        What Lance needs to get there (``aws_region``, ``aws_endpoint``, ...); None leaves it to the
        environment.

    Attributes
    ----------
    root
        A folder of this machine that keeps what can be made again, such as the index.
    """

    exclusive = False

    def __init__(self, uri: str, options: dict[str, str] | None) -> None:
        self.place = uri.rstrip("/")
        self.table = f"{self.place}/{_TABLE}"
        self.options = options
        caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        name = hashlib.blake2b(self.place.encode(), digest_size=16).hexdigest()
        self.root = Path(caches).expanduser() / "rememberai" / name

    def create(self, schema: pa.Schema, manifest: Manifest) -> None:
        """Make an empty store.

        Raises
        ------
        StoreError
            Something is there already, or it can't be reached.
        """
        import lance

        if self.read(MANIFEST) is not None:
            raise StoreError(f"{self.place} is a store already; open it, or name a new place")
        key = schema.field("photo_id")
        key = key.with_metadata({**(key.metadata or {}), **_KEY})
        table = schema.set(schema.get_field_index("photo_id"), key).empty_table()
        with lance_errors(self.table):
            lance.write_dataset(table, self.table, storage_options=self.options)
        manifest.write(self)

    def read(self, name: str) -> bytes | None:
        """Read an object; None when it is not there."""
        with lance_errors(self.place), tempfile.TemporaryDirectory() as folder:
            session = self._session()
            if not session.contains(name):
                return None
            session.download_file(name, f"{folder}/object")
            return Path(folder, "object").read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Replace an object."""
        with lance_errors(self.place), tempfile.TemporaryDirectory() as folder:
            Path(folder, "object").write_bytes(data)
            self._session().upload_file(f"{folder}/object", name)

    def lock(self, name: str = "") -> AbstractContextManager[Any]:  # noqa: ARG002
        """Give nothing to hold: there are no locks."""
        return contextlib.nullcontext()

    def opened(self, version: int | None) -> Any:
        """Open a version of the table; None for the newest."""
        import lance

        with lance_errors(self.table, ValueError):
            return lance.dataset(self.table, version=version, storage_options=self.options)

    def published(self, version: int) -> Any:  # noqa: ARG002
        """Open the newest version, whatever store.json says."""
        return self.opened(None)

    newest = published

    def abandoned(self, version: int) -> AbstractContextManager[bool]:  # noqa: ARG002
        """Tell that no version waits to be published."""
        return contextlib.nullcontext(False)

    def publish(self, dataset: Any, tick: Tick = untold) -> int:  # noqa: ARG002
        """Do nothing: what is committed is published. store.json always names version 1."""
        tick(1, 1)
        return 1

    def clean(self, dataset: Any, older_than: timedelta) -> int:
        """Delete what only older versions need; what may be a writer's at work stays a week."""
        with lance_errors(self.table):
            return int(dataset.cleanup_old_versions(older_than).bytes_removed)

    def size(self) -> int:
        """Sum the bytes of the table's data files, as far as the manifest tells."""
        files = (f for fragment in self.opened(None).get_fragments() for f in fragment.data_files())
        return sum(file.file_size_bytes or 0 for file in files)

    def _session(self) -> Any:
        from lance.file import LanceFileSession

        try:
            return LanceFileSession(self.place, storage_options=self.options)
        except ValueError as error:
            raise InputError(
                f"{self.place} is no place of an object store: {said(error)}"
            ) from error
