"""Albums: photos that belong together, gathered from a folder or from words alone."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rememberai.errors import ImageError, InputError, MissingExtraError
from rememberai.photos.folders import Findings, look_through
from rememberai.photos.images import EXTENSIONS
from rememberai.photos.memories import FILE_NAMES, Row, is_uri, read_rows
from rememberai.photos.metadata import read_photo, words_id
from rememberai.photos.names import Names
from rememberai.photos.text import clean
from rememberai.photos.times import now_utc
from rememberai.records import Memory, Outcome, Photo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Album:
    """An ordered set of photos that belong together.

    Attributes
    ----------
    name
        The folder's name, or the one given.
    photos
        Each photo once, in the order of the inputs.
    outcomes
        What became of each input, with the reason: files by their path below the folder, then the
        rows of memory files. Memory rows and sidecars that gave a picture its memory are
        not listed on their own.
    """

    name: str
    photos: tuple[Photo, ...]
    outcomes: tuple[Outcome, ...]

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Album:
        """Read all photos in a folder and below it, with their memories.

        A memory comes from the nearest ``memories.jsonl`` or ``memories.csv`` (columns photo,
        text, author, date), else from a Google Takeout sidecar, else from XMP or IPTC, else from
        EXIF. A folder with a memory file but without pictures is an album of words alone.

        Parameters
        ----------
        folder
            The folder; ``~`` is understood.
        progress
            Called after each picture with the number of pictures done and their total.

        Raises
        ------
        InputError
            The folder can't be read, or holds neither photos nor memories.
        """
        root = Path(os.path.abspath(Path(folder).expanduser()))  # noqa: PTH100 - links stay
        findings = look_through(root)
        rows = _Rows(root, findings)
        if not findings.pictures and not rows.results:
            raise InputError(_nothing_found(root, findings))
        collection = _Collection()
        used: set[str] = set()
        now = now_utc()
        for number, name in enumerate(findings.pictures, start=1):
            parent = _parent(name)
            row = rows.for_picture.get(name)
            given = row.memory if row else None
            try:
                photo, remarks, sidecars = read_photo(
                    root / name, name, findings.files[parent], given, now
                )
            except (ImageError, MissingExtraError, OSError) as error:
                collection.outcomes.append(Outcome(name, "failed", str(error)))
            else:
                collection.add(name, photo, remarks)
                used.update(_join(parent, sidecar) for sidecar in sidecars)
            if progress is not None:
                progress(number, len(findings.pictures))
        collection.outcomes += findings.outcomes
        collection.outcomes += [
            Outcome(name, "skipped", "not a photo, and no photo beside it uses it")
            for name in findings.sidecars
            if name not in used
        ]
        collection.outcomes.sort(key=lambda outcome: outcome.item)
        for item, result in rows.results:
            if isinstance(result, Photo):
                collection.add(item, result)
            else:
                collection.outcomes.append(result)
        return collection.album(cls, root.name or str(root))

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], *, name: str, references: Iterable[str] | None = None
    ) -> Album:
        """Make an album of words alone, for photos that live elsewhere.

        Parameters
        ----------
        texts
            One memory a photo.
        name
            The album's name; with the reference it makes the photo's id.
        references
            Where each photo lives (a URI, a path, a number of your own), one a text. Without
            them the text stands for its photo.

        Raises
        ------
        InputError
            There are no texts, or not as many references as texts.
        """
        if isinstance(texts, str) or not (given := list(texts)):
            raise InputError("texts must be one string or more in a list, one memory a photo")
        known = [""] * len(given) if references is None else list(references)
        if len(known) != len(given):
            raise InputError(
                f"{len(given)} texts came with {len(known)} references; give one reference a text"
            )
        collection = _Collection()
        for number, (text, reference) in enumerate(zip(given, known, strict=True), start=1):
            item = reference or f"text {number}"
            words = clean(text) if isinstance(text, str) else ""
            if words:
                memory = Memory(words, "given")
                collection.add(item, _words_alone(name, reference, item, memory))
            elif isinstance(text, str):
                collection.outcomes.append(Outcome(item, "skipped", "no words in it"))
            else:
                reason = f"a string was wanted, but {type(text).__name__} came"
                collection.outcomes.append(Outcome(item, "failed", reason))
        return collection.album(cls, name)


@dataclass(slots=True)
class _Collection:
    """Photos by their id: the first of each is kept, and no memory is lost."""

    outcomes: list[Outcome] = field(default_factory=list)
    _photos: dict[str, Photo] = field(default_factory=dict)
    _heirs: dict[str, str] = field(default_factory=dict)  # photo_id -> whose memory it took

    def add(self, item: str, photo: Photo, remarks: Iterable[str] = ()) -> None:
        kept = self._photos.setdefault(photo.photo_id, photo)
        if kept is photo:
            self.outcomes.append(Outcome(item, "done", "; ".join(remarks), photo.photo_id))
            return
        reason = f"the same photo as {kept.name}"
        if kept.memory is None and photo.memory is not None:
            self._photos[photo.photo_id] = replace(kept, memory=photo.memory)
            self._heirs[photo.photo_id] = item
            reason += ", which took over its memory"
        elif kept.memory and photo.memory and kept.memory.text != photo.memory.text:
            reason += ", but with other words, which were not kept; put both into one memory"
        self.outcomes.append(Outcome(item, "skipped", reason, photo.photo_id))

    def album(self, make: type[Album], name: str) -> Album:
        outcomes = [
            replace(outcome, reason="; ".join(filter(None, (outcome.reason, f"memory of {heir}"))))
            if outcome.status == "done" and (heir := self._heirs.get(outcome.photo_id or ""))
            else outcome
            for outcome in self.outcomes
        ]
        for outcome in outcomes:
            if outcome.status == "failed":
                logger.warning("%s: %s", outcome.item, outcome.reason)
        logger.info("album %s: %d photos of %d inputs", name, len(self._photos), len(outcomes))
        return make(name, tuple(self._photos.values()), tuple(outcomes))


class _Rows:
    """The rows of all memory files, each led to its picture, to words alone or to an outcome.

    Attributes
    ----------
    for_picture
        The row that gives each picture its memory: the one in the nearest folder.
    results
        By item, in the order of files and lines: photos of words alone, and outcomes.
    """

    def __init__(self, root: Path, findings: Findings) -> None:
        self.for_picture: dict[str, Row] = {}
        self._root = root
        self._pictures = Names(findings.pictures)
        results: list[tuple[str, int, Photo | Outcome]] = []
        for file in sorted(findings.memory_files, key=_nearness):
            folder = _parent(file)
            alone = not any(name.startswith(_join(folder, "")) for name in findings.pictures)
            for line, row in read_rows(root / file, file):
                result = self._settle(row, folder, alone) if isinstance(row, Row) else row
                if result is not None:
                    results.append((file, line, result))
        results.sort(key=lambda result: result[:2])
        self.results = [(f"{file}, line {line}", result) for file, line, result in results]

    def _settle(self, row: Row, folder: str, alone: bool) -> Photo | Outcome | None:
        if not row.memory.text:
            return Outcome(row.item, "skipped", "no words in it")
        if alone or (row.photo and is_uri(row.photo)):
            scope = (self._root / folder).as_posix()
            return _words_alone(scope, row.photo or "", row.item, row.memory)
        if row.photo is None:
            return Outcome(row.item, "failed", "names no photo; fill in the column 'photo'")
        picture = self._pictures.find(_join(folder, row.photo))
        if picture is None:
            reason = (
                f"there is no photo {row.photo!r}; correct the name, add the photo, or move the "
                "row into a memory file in a folder of its own to keep it as words alone"
            )
            return Outcome(row.item, "failed", reason)
        first = self.for_picture.setdefault(picture, row)
        if first is row:
            return None
        reason = f"{picture} has its memory from {first.item}"
        if first.memory.text != row.memory.text:
            reason += "; put both texts into that row to keep them"
        return Outcome(row.item, "skipped", reason)


def _words_alone(scope: str, reference: str, item: str, memory: Memory) -> Photo:
    key = reference if is_uri(reference) else f"{scope}/{reference or memory.text}"
    return Photo(words_id(key), reference or item, memory=memory)


def _nothing_found(root: Path, findings: Findings) -> str:
    unread = "".join(
        f"; {outcome.item}: {outcome.reason}"
        for outcome in findings.outcomes
        if outcome.status == "failed"
    )
    return (
        f"{root} holds neither photos ({', '.join(sorted(EXTENSIONS))}) nor memories "
        f"({' or '.join(FILE_NAMES)} with at least one row), nor does any folder in it{unread}; "
        "give the folder that your photos lie in"
    )


def _nearness(memory_file: str) -> tuple[int, int, str]:
    name = PurePosixPath(memory_file).name.lower()
    return -memory_file.count("/"), FILE_NAMES.index(name), memory_file


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
