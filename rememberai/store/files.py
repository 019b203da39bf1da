"""The files of a store, wherever it lies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai.errors import InputError
from rememberai.store.local import LocalFiles
from rememberai.store.remote import RemoteFiles

if TYPE_CHECKING:
    import os

Files = LocalFiles | RemoteFiles
_UNKNOWN_TO_LANCE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def files_at(path: str | os.PathLike[str], options: dict[str, str] | None = None) -> Files:
    """Find the files of a store by its folder or URI."""
    if isinstance(path, str) and "://" in path:
        if path.startswith("file://"):
            raise InputError(f"{path} is on this machine; give the folder itself")
        return RemoteFiles(path, options)
    if options is not None:
        raise InputError("storage options are for a store at a URI; a folder came")
    folder = Path(path).expanduser().absolute()
    if _UNKNOWN_TO_LANCE.search(str(folder)):
        raise InputError(
            "a path in UTF-8 without control characters, such as a tab, was wanted; "
            f"{str(folder)!r} came: rename it"
        )
    return LocalFiles(folder)
