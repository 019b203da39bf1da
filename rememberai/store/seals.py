"""Checksums of the table's files, which Lance writes once and never changes.

A line of the file ``checksums`` is a file's SHA-256, its size, and its name below the table's
folder. What is listed was flushed to the disk before.
"""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai.store.durable import sync_file, sync_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKSUMS = "checksums"
_LINE = re.compile(rb"([0-9a-f]{64}) ([0-9]{1,19}) ([^\n]+)\n")
HINT = "latest_version_hint.json"  # the one file that Lance rewrites; nothing relies on it


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file was when it was published."""

    digest: str
    size: int

    def flaw(self, path: Path) -> str | None:
        """Say in which way a file is not what it was; None when it is, byte for byte."""
        return self.flaw_of_size(path) or (
            None if _digest(path) == self.digest else "its content was altered"
        )

    def flaw_of_size(self, path: Path) -> str | None:
        """Say whether a file is missing or of another size, without reading it."""
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return "it is missing"
        return (
            None if size == self.size else f"it has {size} bytes; it was written with {self.size}"
        )


class Seals:
    """The checksums of a store's table.

    Parameters
    ----------
    table
        The table's folder; the file of the checksums lies beside it.
    """

    def __init__(self, table: Path) -> None:
        self._table = table
        self._path = table.with_name(CHECKSUMS)
        self._known: dict[str, Seal] = {}
        self._end = 0
        self._file = 0

    def known(self) -> dict[str, Seal]:
        """Read the seals by the name of the file below the table's folder."""
        if not self._path.exists():
            self._known, self._end = {}, 0
            return self._known
        with self._path.open("rb") as file:
            number = os.fstat(file.fileno()).st_ino
            if number != self._file or os.fstat(file.fileno()).st_size < self._end:
                self._known, self._end, self._file = {}, 0, number
            file.seek(self._end)
            data = file.read()
        start = 0
        while line := _LINE.match(data, start):  # a line that a crash cut short ends the list
            digest, size, name = line.groups()
            self._known[os.fsdecode(name)] = Seal(digest.decode(), int(size))
            start = line.end()
        self._end += start
        return self._known

    def add(self) -> None:
        """Flush every file of the table that has no seal yet, and all folders, and seal them."""
        known = self.known()
        new = [name for name in names_below(self._table) if name not in known]
        with ThreadPoolExecutor(1) as beside:
            flushed = beside.submit(self._flush, new)
            seals = {
                name: Seal(_digest(path := self._table / name), path.stat().st_size)
                for name in new
                if not name.endswith(HINT)
            }
            flushed.result()
        if seals:
            self._append(seals)

    def forget_absent(self) -> None:
        """Drop the seals of files that are there no more."""
        there = set(names_below(self._table))
        kept = {name: seal for name, seal in self.known().items() if name in there}
        write_atomically(self._path, b"".join(map(_line, kept, kept.values())))

    def _flush(self, names: list[str]) -> None:
        for name in names:
            sync_file(self._table / name)
        for folder, _, _ in os.walk(self._table):
            sync_folder(Path(folder))

    def _append(self, seals: dict[str, Seal]) -> None:
        is_new = not self._path.exists()
        with self._path.open("ab") as file:
            file.truncate(self._end)
            file.write(b"".join(map(_line, seals, seals.values())))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self._path.parent)


def _line(name: str, seal: Seal) -> bytes:
    return f"{seal.digest} {seal.size} ".encode() + os.fsencode(name) + b"\n"


def names_below(table: Path) -> Iterator[str]:
    """List the files below a folder by their names below it, with forward slashes."""
    for folder, _, names in os.walk(table):
        below = Path(folder).relative_to(table).as_posix()
        yield from (name if below == "." else f"{below}/{name}" for name in names)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
