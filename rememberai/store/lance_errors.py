"""Lance's many ways to say that a file can't be read or written, as one error."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from rememberai.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SOURCE = re.compile(r",? ?\S+\.rs:\d+(:\d+)?")  # where in Lance's own code
_SIGNS = (OSError, OverflowError, RuntimeError, pa.ArrowInvalid)


@contextlib.contextmanager
def lance_errors(table: Path | str, *signs: type[Exception]) -> Iterator[None]:
    """Raise StoreError for what Lance raises on files, and for the `signs` given."""
    try:
        yield
    except BaseException as error:
        # A panic of Lance's Rust derives from BaseException, in a module that can't be imported.
        panic = type(error).__module__ == "pyo3_runtime"
        if not (panic or isinstance(error, (*_SIGNS, *signs))):
            raise
        if "concurrent writers" in str(error):
            raise StoreError(
                f"another writer changed the same rows of {table} at the same moment; nothing was "
                f"written here, write again ({said(error)})",
                code="store-busy",
            ) from error
        if isinstance(error, PermissionError):
            raise StoreError(
                f"{table} can't be read or written by you ({said(error)}); copy the store to where "
                "it can",
                code="store-rights",
                fields={"place": str(table)},
            ) from error
        if "Not found" in str(error):
            raise StoreError(
                f"{table} lacks a file: {said(error)}. If `compact` deleted the version that was "
                "read, open the store again; else restore the store's folder from a backup"
            ) from error
        raise StoreError(
            f"{table} can't be read or written: {said(error)}. Where the disk has room and the "
            "rights suffice, a file is damaged: restore the store's folder from a backup"
        ) from error


def said(error: BaseException) -> str:
    """Give what Lance says, without where in its own source it says it."""
    return _SOURCE.sub("", str(error)).rstrip(". ")
