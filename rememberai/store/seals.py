"""Checksums of the table's files, which Lance writes once and never changes.

A line of the file ``checksums`` is a file's SHA-256, its size, and its name below the table's
folder. What is listed was flushed to the disk before.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai.records import untold
from rememberai.store.durable import sync_file, sync_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import BinaryIO

    from rememberai.records import Tick

CHECKSUMS = "checksums"
_LINE = re.compile(rb"([0-9a-f]{64}) ([0-9]{1,19}) ([^\n]+)\n")
_FLUSHED_AT_ONCE = 8  # a journal takes what is flushed together at the price of one
HINT = "latest_version_hint.json"  # the one file that Lance rewrites; nothing relies on it


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file was when it was published."""

    digest: str
    size: int

    def flaw(self, path: Path) -> str | None:
        """Say in which way a file is not what it was; None when it is, byte for byte."""
        if flaw := self.flaw_of_size(path):
            return flaw
        try:
            return None if _digest(path) == self.digest else "its content was altered"
        except FileNotFoundError:
            return "it is missing"

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
        self._guard = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._known: dict[str, Seal] = {}
        self._end = 0  # of what was read
        self._last = b""  # the line before it, by which a file that was replaced is noticed
        self._damaged = 0

    @cached_property
    def _beside(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_FLUSHED_AT_ONCE, "flush")

    def known(self) -> dict[str, Seal]:
        """Read the seals by the name of the file below the table's folder."""
        with self._guard:
            try:
                with self._path.open("rb") as file:
                    self._read(file)
            except FileNotFoundError:
                self._forget()
            return self._known

    def damaged(self) -> int:
        """Count the lines that were altered; what crashed in the middle of a line is not one."""
        self.known()
        return self._damaged

    def unsealed(self) -> set[str]:
        """Name the files of the table that have no seal, by their names below its folder."""
        known = self.known()
        return {name for name in names_below(self._table) if name not in known}

    def _read(self, file: BinaryIO) -> None:
        """Read the lines that were added since the last time."""
        file.seek(self._end - len(self._last))
        if file.read(len(self._last)) != self._last:
            self._forget()
            file.seek(0)
        data = file.read()
        for written in re.findall(rb"[^\n]*\n", data):
            if line := _LINE.fullmatch(written):
                digest, size, name = line.groups()
                self._known[os.fsdecode(name)] = Seal(digest.decode(), int(size))
            else:
                self._damaged += 1
            self._end += len(written)
            self._last = written

    def add(self, besides: Container[str] = (), tick: Tick = untold) -> None:
        """Flush the files of the table that have no seal yet, and all folders, and seal them.

        Parameters
        ----------
        besides
            Files that get none: nobody knows whether they are still what was written.
        tick
            Called as ``tick(done, total)`` with the files that are flushed and hashed.
        """
        new = sorted(self.unsealed())
        flushed = [self._beside.submit(sync_file, self._table / name) for name in new]
        flushed += [
            self._beside.submit(sync_folder, Path(each)) for each, _, _ in os.walk(self._table)
        ]
        seals = {}
        try:
            for number, name in enumerate(new):
                tick(number, len(new))
                if name not in besides and not name.endswith(HINT):
                    path = self._table / name
                    seals[name] = Seal(_digest(path), path.stat().st_size)
        finally:
            wait(flushed)
        for each in flushed:
            each.result()
        tick(len(new), len(new))
        if seals:
            self._append(seals)

    def forget_absent(self) -> None:
        """Drop the seals of files that are there no more."""
        there = set(names_below(self._table))
        kept = {name: seal for name, seal in self.known().items() if name in there}
        write_atomically(self._path, b"".join(map(_line, kept, kept.values())))

    def _append(self, seals: dict[str, Seal]) -> None:
        is_new = not self._path.exists()
        with self._path.open("ab") as file:
            file.truncate(self._end)  # a line that a crash cut short
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
