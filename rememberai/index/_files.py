"""The folder of a saved index: files under fresh names, and the manifest that publishes them.

A file is written once and never changed, so those who have it mapped are not disturbed. Its SHA-256
stands in the manifest. Once it was read in full and found right, the size, the times and the number
of its inode are noted, and it is read again only when they differ, or after a restart of the
machine: no program can set the time of a file's last change (`ctime`). What this does not see is a
disk that loses bits by itself; `verify` reads everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from rememberai.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    Entry = dict[str, Any]
    Manifest = dict[str, Any]

FORMAT = 2
MANIFEST = "manifest.json"
_NOTES = "verified.json"
_DRAFT = "index-draft"  # no suffix of anybody else, who may name files by their checksums, too
_OURS = re.compile(rf"[0-9a-f]{{32}}\.(faiss|rows|arrow|dead|{_DRAFT})")
_AHEAD = 2  # steps, two for each piece of a file, that nobody waits for yet
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TICK_NS = 50_000_000  # coarser than the clock of any file system that has `ctime`
ADVICE = "build the index anew"


class Folder:
    """The folder of a saved index."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._lock = FileLock(self.path / ".lock")
        self._written: dict[str, list[int]] = {}  # the state of each file when it was written

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other writers out of it; its holder may lock it again."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._lock:
            yield

    def write(self, suffix: str, fill: Callable[[Callable[[Any], Any]], Any]) -> Entry:
        """Write a file, and give its name and checksum.

        Parameters
        ----------
        fill
            Is given a function that takes the next bytes, which must stay as they are: they are
            written and hashed later, beside the making of those that follow.
        """
        name = f"{uuid.uuid4().hex}.{suffix}"
        digest = hashlib.sha256()
        try:
            with (
                (self.path / name).open("wb") as file,
                ThreadPoolExecutor(1) as writing,
                ThreadPoolExecutor(1) as hashing,
            ):
                begun: deque[Future[Any]] = deque()

                def finish(kept: int) -> None:
                    while len(begun) > kept:
                        begun.popleft().result()

                def write(data: Any) -> int:
                    finish(_AHEAD)
                    begun.append(writing.submit(file.write, data))
                    begun.append(hashing.submit(digest.update, data))
                    return memoryview(data).nbytes

                fill(write)
                finish(0)
                file.flush()
                self._written[name] = _state_of(os.fstat(file.fileno()))
        except BaseException:
            (self.path / name).unlink(missing_ok=True)
            raise
        return {"name": name, "sha256": digest.hexdigest()}

    def publish(self, manifest: Manifest) -> Manifest:
        """Make the files of a manifest the index, and remove those that it does not name."""
        manifest = {"format": FORMAT, **manifest}
        manifest["sha256"] = _seal(manifest)
        draft = self.path / f"{uuid.uuid4().hex}.{_DRAFT}"
        draft.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        named = {entry["name"]: entry["sha256"] for entry in entries(manifest)}
        now, notes = time.time_ns(), self._notes()
        kept = {name: notes[name] for name in named if name in notes}  # whatever became of them
        new = {
            name: [now, named[name], *state]
            for name, state in self._written.items()
            if name in named and state == self._state(name)
        }
        self._note(kept | new)
        draft.replace(self.path / MANIFEST)
        for path in self.path.iterdir():
            if _OURS.fullmatch(path.name) and path.name not in named:
                path.unlink(missing_ok=True)
        return manifest

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises
        ------
        StoreError
            It is absent, was altered, or is of another format.
        """
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(f"{path} is no index manifest ({error}); {ADVICE}") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise StoreError(f"{path} is no index manifest of format {FORMAT}; {ADVICE}")
        if manifest.get("sha256") != _seal(manifest):
            raise StoreError(f"{path} was altered; {ADVICE}")
        try:
            names = [entry["name"] for entry in entries(manifest)]
            if all(_OURS.fullmatch(name) for name in names):
                return manifest
        except (KeyError, TypeError) as error:
            raise StoreError(f"{path} lacks {error}; {ADVICE}") from error
        raise StoreError(f"{path} names files that are not of an index; {ADVICE}")

    def confirm(self, manifest: Manifest, *, read_all: bool = False) -> None:
        """Compare the files with their checksums.

        Parameters
        ----------
        read_all
            Also read files that were found right before and look untouched since.

        Raises
        ------
        StoreError
            A file is missing, truncated or altered.
        """
        noted = {} if read_all else self._noted()
        now, states = time.time_ns(), {}
        for entry in entries(manifest):
            name = entry["name"]
            states[name] = [entry["sha256"], *self._state(name)]
            if noted.get(name) != states[name]:
                noted.pop(name, None)
                if self._sha256(name) != entry["sha256"]:
                    raise StoreError(f"{self.path / name} was truncated or altered; {ADVICE}")
        if noted.keys() != states.keys():
            self._note({name: [now, *state] for name, state in states.items()})

    def _state(self, name: str) -> list[int]:
        path = self.path / name
        with _named(path):
            return _state_of(path.stat())

    def _sha256(self, name: str) -> str:
        with _named(self.path / name), (self.path / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _noted(self) -> dict[str, list[Any]]:
        """Give the checksum and the state that were noted of each file and can be relied on."""
        try:
            # A file that changed in the moment of the note could change again within a clock tick.
            return {
                name: note[1:]
                for name, note in self._notes().items()
                if note[0] - note[4] > _TICK_NS
            }
        except (TypeError, IndexError):
            return {}

    def _notes(self) -> dict[str, list[Any]]:
        """Read when each file was noted since the machine started, its checksum and its state."""
        try:
            notes = json.loads((self.path / _NOTES).read_text(encoding="utf-8"))
            there = notes["boot"] is not None and notes["boot"] == _boot()
            return dict(notes["files"]) if there else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _note(self, files: dict[str, list[Any]]) -> None:
        if _boot() is None:
            return
        draft = self.path / f"{uuid.uuid4().hex}.{_DRAFT}"
        with contextlib.suppress(OSError):  # a folder that can't be written: read in full each time
            draft.write_text(json.dumps({"boot": _boot(), "files": files}), encoding="utf-8")
            draft.replace(self.path / _NOTES)


def verify(path: str | os.PathLike[str]) -> None:
    """Read all files of a saved index and compare them with their checksums.

    Raises
    ------
    StoreError
        A file is missing, truncated or altered; the message names it.
    """
    folder = Folder(path)
    folder.confirm(folder.manifest(), read_all=True)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} can't be read ({error}); {ADVICE}") from error


def _state_of(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def entries(manifest: Manifest) -> Iterator[Entry]:
    """List what a manifest tells of each file."""
    for segment in manifest["segments"]:
        yield segment["rows"]
        yield segment["ids"]
    for role in ("dead", "sketch", "lists"):
        if manifest[role] is not None:
            yield manifest[role]


def _seal(manifest: Manifest) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _boot() -> str | None:
    """Tell this start of the machine from others; a loss of power may have taken data."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return None
