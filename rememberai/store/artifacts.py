"""Small tables beside the photos, such as the learned seeds, each with its checksum.

A file is the SHA-256 of an Arrow file, then that file.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from rememberai.errors import InputError, StoreError
from rememberai.store.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGEST = hashlib.sha256().digest_size
SUFFIX = ".table"
_NAME = re.compile(r"[\w-]+")


class Artifacts(Handle):
    """The part of a store that keeps small tables by their names."""

    def read_artifact(self, name: str) -> pa.Table | None:
        """Read what is kept under a name, or None.

        Raises
        ------
        InputError
            The name has other signs than letters, digits, - and _; so in all these methods.
        StoreError
            The file was truncated or altered.
        """
        content = self._files.read(_file_of(name))
        if content is None:
            return None
        return unpacked(content, f"{self._files.place}/{name}{SUFFIX}")

    def artifact_digest(self, name: str) -> bytes | None:
        """Tell the content kept under a name from any other; None for nothing."""
        content = self._files.read(_file_of(name))
        return None if content is None else content[:_DIGEST]

    def change_artifact(self, name: str, change: Callable[[pa.Table | None], pa.Table]) -> None:
        """Replace what is kept under a name by what `change` makes of it, one process at a time.

        Raises
        ------
        StoreError
            What is kept was truncated or altered; `replace_artifact` does not need it.
        ModelMismatchError
            The store was switched to another model since it was opened.
        """
        self._refuse_frozen()
        _file_of(name)
        with self._files.lock(name):
            self._keep(name, change(self.read_artifact(name)))

    def replace_artifact(self, name: str, table: pa.Table) -> None:
        """Keep a small table under a name, whatever was kept there, damaged or not.

        Raises
        ------
        ModelMismatchError
            The store was switched to another model since it was opened.
        """
        self._refuse_frozen()
        _file_of(name)
        with self._files.lock(name):
            self._keep(name, table)

    def _keep(self, name: str, table: pa.Table) -> None:
        """Write a table whose vectors may be of this handle's model, unless that was left."""
        with self._files.lock():  # who switches the model holds it, too
            self._unswitched()
            self._files.write(_file_of(name), packed(table))


def _file_of(name: str) -> str:
    """Name the file of an artifact; raise InputError where it might lie outside of the store."""
    if not _NAME.fullmatch(name):
        raise InputError(f"a name of letters, digits, - and _ was wanted; {name!r:.100} came")
    return f"{name}{SUFFIX}"


def packed(table: pa.Table) -> bytes:
    """Write a table with its checksum."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    return b"".join((hashlib.sha256(data).digest(), data))


def unpacked(content: bytes, name: str) -> pa.Table:
    """Read what `packed` wrote; raise StoreError when it was truncated or altered."""
    digest, data = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(data).digest() != digest:
        raise StoreError(
            f"{name} was truncated or altered; learn or write it anew",
            code="store-damaged",
            fields={"file": name},
        )
    return pa.ipc.open_file(data).read_all()
