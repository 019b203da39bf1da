"""Walking through an album's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rememberai.errors import InputError
from rememberai.photos.images import EXTENSIONS
from rememberai.photos.memories import FILE_NAMES
from rememberai.photos.names import folded
from rememberai.records import Outcome

if TYPE_CHECKING:
    from rememberai.records import Status

_IGNORED = frozenset({"@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_SIDECARS = (".json", ".xmp")
_STORE = frozenset({"store.json", "photos.lance"})  # what a MemoryStore's folder holds


@dataclass(slots=True)
class Findings:
    """What lies in a folder, by paths below it with forward slashes.

    Attributes
    ----------
    files
        For each folder, the names of its files, by their `folded` form.
    outcomes
        What was skipped or could not be read.
    """

    pictures: list[str] = field(default_factory=list)
    memory_files: list[str] = field(default_factory=list)
    sidecars: list[str] = field(default_factory=list)
    files: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


def look_through(root: Path) -> Findings:
    """List what lies in a folder and the folders below it, except for hidden ones and stores.

    Raises
    ------
    InputError
        There is no such folder, or it can't be read.
    """
    try:
        os.fspath(root).encode()
        with os.scandir(root):
            pass
    except UnicodeEncodeError as error:
        shown = os.fsencode(root).decode("utf-8", "replace")
        raise InputError(f"the folder's path {shown} is not in UTF-8; rename it") from error
    except FileNotFoundError as error:
        raise InputError(f"a folder of photos was wanted, but {root} does not exist") from error
    except NotADirectoryError as error:
        raise InputError(
            f"a folder of photos was wanted, but {root} is a file; give the folder it lies in"
        ) from error
    except OSError as error:
        raise InputError(f"the folder {root} can't be read ({error}); check it") from error
    findings = Findings()
    true_root = root.resolve()
    pending = [""]
    while pending:
        folder = pending.pop()
        files = findings.files.setdefault(folder, {})
        try:
            with os.scandir(root / folder) as entries:
                found = list(entries)
            if folder and {entry.name for entry in found} >= _STORE:
                continue
            for entry in found:
                _sort_in(entry, folder, true_root, findings, files, pending)
        except OSError as error:
            reason = f"this folder can't be read ({error.strerror}); check its permissions"
            findings.outcomes.append(Outcome(folder, "failed", reason))
    for names in (findings.pictures, findings.memory_files, findings.sidecars):
        names.sort()
    return findings


def find_beside(photo: str, name: str, files: dict[str, set[str]]) -> str | None:
    """Find a file in a photo's folder, in upper or lower case, composed or decomposed.

    Where another photo's name differs in that alone, only the name as given is taken.

    Parameters
    ----------
    files
        The names of all files in the folder, the photo's too, by their `folded` form.
    """
    written = files.get(folded(name), set())
    if name in written:
        return name
    return min(written, default=None) if len(files[folded(photo)]) == 1 else None


def _sort_in(
    entry: os.DirEntry[str],
    folder: str,
    true_root: Path,
    findings: Findings,
    files: dict[str, set[str]],
    pending: list[str],
) -> None:
    if entry.name.startswith(".") or entry.name in _IGNORED:
        return
    name = f"{folder}/{entry.name}" if folder else entry.name
    problem = _problem(entry, true_root)
    if problem:
        shown = os.fsencode(name).decode("utf-8", "replace")
        findings.outcomes.append(Outcome(shown, *problem))
    elif entry.is_dir():
        pending.append(name)
    else:
        files.setdefault(folded(entry.name), set()).add(entry.name)
        suffix = PurePosixPath(entry.name).suffix.lower()
        if suffix in EXTENSIONS:
            findings.pictures.append(name)
        elif entry.name.lower() in FILE_NAMES:
            findings.memory_files.append(name)
        elif suffix in _SIDECARS:
            findings.sidecars.append(name)
        else:
            findings.outcomes.append(Outcome(name, "skipped", "not a photo"))


def _problem(entry: os.DirEntry[str], true_root: Path) -> tuple[Status, str] | None:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return "failed", "its name is not in UTF-8; rename it"
    path = Path(entry.path)
    if entry.is_symlink():
        if path.is_dir():
            return "skipped", "a link to a folder; such links are not followed"
        if not Path(os.path.realpath(path)).is_relative_to(true_root):
            return "skipped", "a link to a file outside of the album; copy the file into it"
        if not path.is_file():
            return "failed", "a link that leads nowhere; remove it or restore the file"
    elif not (entry.is_dir() or entry.is_file()):
        return "skipped", "not a photo"  # a socket, a pipe, a device
    return None
