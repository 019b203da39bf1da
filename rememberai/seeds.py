"""Seeds: texts and photos whose event is known; read, and given words and vectors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from rememberai.errors import InputError
from rememberai.photos import Album
from rememberai.photos.memories import BadRowError, below, records
from rememberai.photos.names import folded
from rememberai.photos.text import clean
from rememberai.records import Outcome, quiet
from rememberai.store.schema import vector_array
from rememberai.words import is_path, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rememberai.captioners import Captioner
    from rememberai.records import Photo, Progress
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

    SeedItems = Iterable[str | Path]
    SeedSource = str | os.PathLike[str] | Mapping[str, SeedItems]
    Role = Literal["seed", "name", "description", "occasion"]


_NO_WORDS = "the photo has no words; write a memory or caption it first"


@dataclass(frozen=True, slots=True)
class Seed:
    """A text, or photos by their path, of a known event; or a text that describes the event.

    Attributes
    ----------
    item
        Its name in outcomes.
    role
        What it is for the event.
    photo
        A picture file, or a folder of them.
    root
        The folder whose memory files may speak of the photo.
    album
        The album or person that it comes from; seeds of one are judged without each other.
    """

    item: str
    event: str
    text: str | None = None
    photo: Path | None = None
    root: Path | None = None
    role: Role = "seed"
    album: str | None = None


def read_seeds(source: SeedSource) -> Iterator[Seed | Outcome]:
    """Read seeds one by one; a row that can't be used comes as a failed outcome.

    Parameters
    ----------
    source
        A ``.jsonl`` or ``.csv`` file with the columns `event`, and `text` or else `photo` (a path
        relative to the file's folder, which it may not leave), or `description` (of the event), or
        a seed and a description; `album`, that the seed comes from, may stand beside it. Or a
        dictionary from an event's name to its texts (str) and photos (pathlib.Path to a picture, or
        to a folder of them).

    Raises
    ------
    InputError
        The file can't be read, or is neither.
    """
    if isinstance(source, Mapping):
        for event, items in source.items():
            several = isinstance(items, Iterable) and not isinstance(items, str)
            for number, item in enumerate(items if several else [items], 1):
                yield _from_item(f"{event} {number}", event, item)
        return
    path = Path(source).expanduser() if isinstance(source, (str, os.PathLike)) else None
    if path is None or path.suffix.lower() not in (".jsonl", ".csv"):
        raise InputError(f"seeds must be a .jsonl or .csv file or a dictionary; {source} came")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the seeds {path} can't be read as UTF-8 text: {error}") from error
    folder = _absolute(path.parent)
    for line, row in records(content, path.suffix.lower()):
        yield from _from_row(f"{path.name}, line {line}", row, folder)


def read_descriptions(descriptions: Mapping[str, str]) -> Iterator[Seed | Outcome]:
    """Read a dictionary from an event's name to a text that describes the event."""
    for event, value in descriptions.items():
        item = f"{event}, description"
        name, text = _words(event), _words(value)
        if name and text:
            yield Seed(item, name, text=text, role="description")
        else:
            yield Outcome(item, "failed", f"a description is a text (str); {value!r} came")


def _from_item(item: str, event: object, value: object) -> Seed | Outcome:
    name = _words(event)
    if not name:
        return Outcome(item, "failed", f"an event has a name (str); {event!r} came")
    if (text := _words(value)) and is_path(text):
        return Outcome(item, "failed", f"{text!r} is a path: give it as pathlib.Path({text!r})")
    if text:
        return Seed(item, name, text=text)
    if isinstance(value, Path):
        path = _absolute(value.expanduser())
        return Seed(str(value), name, photo=path, root=path if path.is_dir() else path.parent)
    return Outcome(item, "failed", f"a seed is a text (str) or a photo (Path); {value!r} came")


def _from_row(item: str, row: Any, folder: Path) -> Iterator[Seed | Outcome]:
    def failed(why: str) -> Outcome:
        return Outcome(item, "failed", why)

    if isinstance(row, BadRowError):
        yield failed(str(row))
        return
    if not isinstance(row, dict):
        yield failed("no row of the form {event, text} or {event, photo}")
        return
    event, text, photo, description, album = (
        _words(row.get(key)) for key in ("event", "text", "photo", "description", "album")
    )
    if not event:
        yield failed("the event has no name; write one in the column 'event'")
        return
    if description:
        yield Seed(item, event, text=description, role="description")
    if text:
        yield Seed(item, event, text=text, album=album or None)
    elif photo:
        try:
            yield Seed(item, event, photo=folder / below(photo), root=folder, album=album or None)
        except BadRowError as error:
            yield failed(str(error))
    elif not description:
        yield failed("there is neither a text nor a photo; write one of them")


def _words(value: object) -> str:
    """Tidy a text as memories are, so that equal words are equal; empty for what is no text."""
    return clean(value) if isinstance(value, str) else ""


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - without "..", and links stay, as in albums


class SeedWords:
    """Finds the words of seeds, and their photos; each folder of photos is read once."""

    def __init__(self, store: MemoryStore, captioner: Captioner | None) -> None:
        self._store = store
        self._captioner = captioner
        self._albums: dict[Path, Album] = {}

    def __call__(self, seed: Seed) -> list[tuple[str, Photo | None]]:
        """List the texts of a seed, each with its photo; a photo without words has ``""``.

        Raises
        ------
        InputError
            The photo can't be read.
        """
        if seed.text is not None:
            return [(seed.text, None)]
        root, photo = Path(str(seed.root)), Path(str(seed.photo))
        if root not in self._albums:
            self._albums[root] = Album.from_folder(root)
        album = self._albums[root]
        found = _at(album, root, photo)
        ids = {o.photo_id for o in found if o.photo_id}
        if not ids:
            said = [o.reason for o in found if root / o.item == photo]
            raise InputError(said[0] if said else f"there is no photo at {photo}; mend the path")
        photos = [p for p in album.photos if p.photo_id in ids]
        words = words_of(self._store, self._captioner, photos)
        return [(text, photo) for (text, _), photo in zip(words, photos, strict=True)]


def _at(album: Album, root: Path, photo: Path) -> list[Outcome]:
    """List what an album says of a file or folder; if it has none so written, of one like it."""
    for as_written in (str, folded):
        place = as_written(str(photo))
        found = [
            outcome
            for outcome in album.outcomes
            if PurePath(as_written(str(root / outcome.item))).is_relative_to(place)
        ]
        if found:
            return found
    return []


@dataclass(frozen=True, slots=True)
class SeenSeed:
    """A photo of a known event, its words if it has any, and its album."""

    event: str
    text: str
    photo: Photo
    album: str | None


def seed_table(
    words: SeedWords,
    embed: TextEmbedding,
    seeds: Iterable[Seed | Outcome],
    *,
    seeing: bool = False,
    progress: Progress = quiet,
) -> tuple[pa.Table, list[SeenSeed], list[Outcome]]:
    """Give each seed its words and vector.

    Parameters
    ----------
    seeing
        Whether a photo without words can be used.
    progress
        Called as ``progress(stage, done, total)``; the stages are "reading" and "embedding".

    Returns
    -------
    tuple
        A table of event, text, role, album and vector; the seeds that are picture files; and the
        outcomes of those that can't be used.
    """
    rows: list[tuple[str, str, Role, str | None]] = []
    seen: list[SeenSeed] = []
    failed: list[Outcome] = []
    given = list(seeds)
    for number, seed in enumerate(given, 1):
        progress("reading", number, len(given))
        if isinstance(seed, Outcome):
            failed.append(seed)
            continue
        try:
            found = words(seed)
        except InputError as error:
            failed.append(Outcome(seed.item, "failed", str(error)))
            continue
        pictures = [
            SeenSeed(seed.event, text, photo, seed.album)
            for text, photo in found
            if photo is not None and photo.path
        ]
        spoken = [(seed.event, text, seed.role, seed.album) for text, _ in found if text]
        if not spoken and not (seeing and pictures):
            failed.append(Outcome(seed.item, "failed", _NO_WORDS))
        rows += spoken
        seen += pictures
    events, texts, roles, albums = zip(*rows, strict=True) if rows else ((),) * 4
    return rows_of(events, texts, roles, albums, embed, progress), seen, failed


def rows_of(
    events: Sequence[str],
    texts: Sequence[str],
    roles: Sequence[Role],
    albums: Sequence[str | None],
    embed: TextEmbedding,
    progress: Progress = quiet,
) -> pa.Table:
    """Lay seeds out as a table with their vectors."""
    columns = {"event": events, "text": texts, "role": roles, "album": albums}
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    return pa.table(arrays | {"vector": vector_array(embed(texts, progress))})
