"""What a loss of power may leave of a folder: a disk that forgets all that was not flushed.

It is the worst that POSIX allows. A file has what it had when it was last flushed, and of later
writes none, all, the first few (the last of them torn), any of them, zeros in their place, or all
but a block: a disk writes the blocks of a file in what order it likes. A folder has the names that
it had when it was last flushed, and of later changes none, all, the first few, or any of them.
Neither flush does anything for the other: not a file's for its name, nor a folder's for what is in
it or for its own name. A rename within a folder is one change.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

KINDS = ("none", "all", "first", "any")
OF_DATA = (*KINDS, "zeros", "blocks")
BLOCK = 4096


@dataclass(frozen=True)
class Event:
    """A change to a folder, a flush, or a line that the process wrote to its standard output.

    Attributes
    ----------
    what
        open (to make or empty), write, truncate, mkdir, rename, link, unlink, rmdir, sync,
        sync all, say.
    at
        The place of a write, the size after a truncation, whether opening empties.
    """

    what: str
    path: str = ""
    other: str = ""
    data: bytes = b""
    at: int = 0


@dataclass
class File:
    """A file: what is flushed, and the writes since; an empty write at a place truncates there."""

    flushed: bytes = b""
    later: list[tuple[int, bytes]] = field(default_factory=list)

    def flush(self) -> None:
        self.flushed, self.later = _written(self.flushed, self.later), []

    def left(self, how: str, chance: random.Random) -> bytes:
        """Give what a loss of power leaves."""
        if how == "blocks":
            return self._left_in_blocks(chance)
        later = _some(self.later, how, chance)
        if how == "zeros":
            later = [(at, bytes(len(data))) for at, data in self.later]
        elif how == "first" and later:
            at, data = later[-1]
            later[-1] = (at, data[: chance.randrange(len(data) + 1)] or b"\0")
        return _written(self.flushed, later)

    def _left_in_blocks(self, chance: random.Random) -> bytes:
        """Leave the file in its full size, one block of every other file as it was flushed."""
        now = bytearray(_written(self.flushed, self.later))
        before = self.flushed[: len(now)].ljust(len(now), b"\0")
        if now and chance.random() < 0.5:
            at = chance.randrange(0, len(now), BLOCK)
            now[at : at + BLOCK] = before[at : at + BLOCK]
        return bytes(now)


@dataclass
class Folder:
    """A folder: its names now, those that are flushed, and the changes since."""

    names: dict[str, File | Folder] = field(default_factory=dict)
    flushed: dict[str, File | Folder] = field(default_factory=dict)
    later: list[dict[str, File | Folder | None]] = field(default_factory=list)

    def change(self, changes: dict[str, File | Folder | None]) -> None:
        """Set names, or remove those that are None."""
        self.names = _named(self.names, [changes])
        self.later.append(changes)

    def flush(self) -> None:
        self.flushed, self.later = self.names, []


@dataclass(frozen=True)
class Loss:
    """What of the changes to names and to data, if not flushed, survives, and a seed.

    Attributes
    ----------
    names, data
        One of `KINDS`, and one of `OF_DATA`."""

    names: str
    data: str
    seed: int = 0


def losses(count: int, seed: int) -> list[Loss]:
    """Draw ways in which power may be lost, the kinds by turns."""
    kinds = [(names, data) for names in KINDS for data in OF_DATA]
    chance = random.Random(f"kinds {seed}")
    chance.shuffle(kinds)
    return [Loss(*kinds[i % len(kinds)], chance.randrange(2**32)) for i in range(count)]


def moments(events: list[Event], count: int, seed: int) -> list[int]:
    """Draw numbers of events after which power fails: a third just after an acknowledgement."""
    chance = random.Random(f"moments {seed}")
    acknowledged = [i + 1 for i, event in enumerate(events) if event.what == "say"]
    return [
        chance.choice(acknowledged) if chance.random() < 1 / 3 else chance.randrange(len(events))
        for _ in range(count)
    ]


def said(events: list[Event]) -> list[str]:
    """List the lines that a process wrote."""
    return b"".join(event.data for event in events if event.what == "say").decode().splitlines()


class Disk:
    """A disk on which events happen below a folder.

    Parameters
    ----------
    root
        The folder that the events are about; it is not read.
    start
        A folder with what was there at first, all of it flushed; None for nothing.
    """

    def __init__(self, root: Path, events: Iterable[Event] = (), start: Path | None = None) -> None:
        self.root = root.resolve()
        self.top = _flushed(start) if start else Folder()
        for event in events:
            self.happen(event)

    def happen(self, event: Event) -> None:
        """Change the disk as the event did."""
        path = self._parts(event.path) if event.path else ()
        match event.what:
            case "say":
                return
            case "sync all":
                self._flush_all(self.top)
            case "sync":
                self._find(path).flush()
            case "open":
                folder = self._find(path[:-1])
                if path[-1] not in folder.names:
                    folder.change({path[-1]: File()})
                elif event.at:
                    folder.names[path[-1]].later.append((0, b""))
            case "write" if event.data:
                self._find(path).later.append((event.at, event.data))
            case "truncate":
                self._find(path).later.append((event.at, b""))
            case "mkdir":
                self._find(path[:-1]).change({path[-1]: Folder()})
            case "unlink" | "rmdir":
                self._find(path[:-1]).change({path[-1]: None})
            case "rename" | "link":
                self._name_again(path, self._parts(event.other), keep=event.what == "link")

    def after_loss(self, target: Path, loss: Loss) -> None:
        """Write into a new folder what is left when the power fails now."""
        self._write(self.top, target, loss, random.Random(loss.seed), {})

    def _name_again(self, old: tuple[str, ...], new: tuple[str, ...], *, keep: bool) -> None:
        source, target = self._find(old[:-1]), self._find(new[:-1])
        node = source.names[old[-1]]
        if target.names.get(new[-1]) is node:
            return
        gone = {} if keep else {old[-1]: None}
        if source is target:
            source.change({**gone, new[-1]: node})
            return
        target.change({new[-1]: node})
        if gone:
            source.change(gone)

    def _parts(self, path: str) -> tuple[str, ...]:
        return PurePosixPath(path).relative_to(self.root).parts

    def _find(self, parts: tuple[str, ...]) -> File | Folder:
        node = self.top
        for part in parts:
            node = node.names[part]
        return node

    def _flush_all(self, node: File | Folder) -> None:
        node.flush()
        for child in getattr(node, "names", {}).values():
            self._flush_all(child)

    def _write(
        self,
        folder: Folder,
        target: Path,
        loss: Loss,
        chance: random.Random,
        written: dict[int, Path],
    ) -> None:
        target.mkdir()
        changes = _some(folder.later, loss.names, chance)
        for name, node in _named(folder.flushed, changes).items():
            path = target / name
            if isinstance(node, Folder):
                self._write(node, path, loss, chance, written)
            elif id(node) in written:
                os.link(written[id(node)], path)
            else:
                path.write_bytes(node.left(loss.data, chance))
                written[id(node)] = path


def _flushed(folder: Path) -> Folder:
    names = {
        path.name: _flushed(path) if path.is_dir() else File(path.read_bytes())
        for path in folder.iterdir()
    }
    return Folder(names, names)


def _some(changes: list, how: str, chance: random.Random) -> list:
    if how == "first":
        return changes[: chance.randrange(len(changes) + 1)]
    if how == "any":
        return [change for change in changes if chance.random() < 0.5]
    return list(changes) if how == "all" else []


def _written(content: bytes, writes: list[tuple[int, bytes]]) -> bytes:
    result = bytearray(content)
    for at, data in writes:
        result.extend(bytes(max(0, at - len(result))))
        result[at : at + len(data) if data else None] = data
    return bytes(result)


def _named(names: dict, changes: list[dict]) -> dict:
    result = dict(names)
    for change in changes:
        result |= change
    return {name: node for name, node in result.items() if node is not None}
