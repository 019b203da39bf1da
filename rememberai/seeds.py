"""Seeds: texts and photos whose event is known; read, given words and vectors, and merged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rememberai.errors import InputError
from rememberai.photos import Album
from rememberai.photos.memories import BadRowError, records
from rememberai.photos.text import clean
from rememberai.records import Outcome
from rememberai.store.schema import column_matrix, vector_array
from rememberai.words import is_path, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rememberai.captioners import Captioner
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

    SeedItems = Iterable[str | Path]
    SeedSource = str | os.PathLike[str] | Mapping[str, SeedItems]


@dataclass(frozen=True, slots=True)
class Seed:
    """A text, or photos by their path, of a known event.

    Attributes
    ----------
    item
        Its name in outcomes.
    photo
        A picture file, or a folder of them.
    root
        The folder whose memory files may speak of the photo.
    """

    item: str
    event: str
    text: str | None = None
    photo: Path | None = None
    root: Path | None = None


def read_seeds(source: SeedSource) -> Iterator[Seed | Outcome]:
    """Read seeds one by one; a row that can't be used comes as a failed outcome.

    Parameters
    ----------
    source
        A ``.jsonl`` or ``.csv`` file with the columns `event`, and `text` or `photo` (a path
        relative to the file's folder, which it may not leave); or a dictionary from an event's name
        to its texts (str) and photos (pathlib.Path to a picture, or to a folder of them).

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
        yield _from_row(f"{path.name}, line {line}", row, folder)


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


def _from_row(item: str, row: Any, folder: Path) -> Seed | Outcome:
    if isinstance(row, BadRowError):
        return Outcome(item, "failed", str(row))
    if not isinstance(row, dict):
        return Outcome(item, "failed", "no row of the form {event, text} or {event, photo}")
    event, text, photo = (_words(row.get(key)) for key in ("event", "text", "photo"))
    if not event:
        return Outcome(item, "failed", "the event has no name; write one in the column 'event'")
    if text:
        return Seed(item, event, text=text)
    if not photo:
        return Outcome(item, "failed", "there is neither a text nor a photo; write one of them")
    relative = PurePosixPath(photo.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts:
        return Outcome(item, "failed", f"the photo {photo!r} lies outside the folder of the seeds")
    return Seed(item, event, photo=folder / relative, root=folder)


def _words(value: object) -> str:
    """Tidy a text as memories are, so that equal words are equal; empty for what is no text."""
    return clean(value) if isinstance(value, str) else ""


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - without "..", and links stay, as in albums


class SeedWords:
    """Finds the words of seeds; each folder of photos is read once."""

    def __init__(self, store: MemoryStore, captioner: Captioner | None) -> None:
        self._store = store
        self._captioner = captioner
        self._albums: dict[Path, Album] = {}

    def __call__(self, seed: Seed) -> list[str]:
        """List the texts of a seed.

        Raises
        ------
        InputError
            The photo can't be read, or has no words.
        """
        if seed.text is not None:
            return [seed.text]
        root, photo = Path(str(seed.root)), Path(str(seed.photo))
        if root not in self._albums:
            self._albums[root] = Album.from_folder(root)
        album = self._albums[root]
        below = [o for o in album.outcomes if (root / o.item).is_relative_to(photo)]
        ids = {o.photo_id for o in below if o.photo_id}
        if not ids:
            said = [o.reason for o in below if root / o.item == photo]
            raise InputError(said[0] if said else f"there is no photo at {photo}; mend the path")
        photos = [p for p in album.photos if p.photo_id in ids]
        texts = [text for text in words_of(self._store, self._captioner, photos) if text]
        if not texts:
            raise InputError("the photo has no words; write a memory or caption it first")
        return texts


def seed_table(
    words: SeedWords, embed: TextEmbedding, seeds: Iterable[Seed | Outcome]
) -> tuple[pa.Table, list[Outcome]]:
    """Give each seed its words and vector.

    Returns
    -------
    tuple
        A table of event, text and vector, and the outcomes of the seeds that can't be used.
    """
    failed: list[Outcome] = []
    events: list[str] = []
    texts: list[str] = []
    for seed in seeds:
        if isinstance(seed, Outcome):
            failed.append(seed)
            continue
        try:
            found = words(seed)
        except InputError as error:
            failed.append(Outcome(seed.item, "failed", str(error)))
            continue
        events += [seed.event] * len(found)
        texts += found
    columns = {"event": pa.array(events, pa.string()), "text": pa.array(texts, pa.string())}
    return pa.table(columns | {"vector": vector_array(embed(texts))}), failed


def known_vectors(
    store: MemoryStore, seeds: pa.Table | None, texts: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Look up the vectors of texts that were embedded before, for photos or for these seeds."""
    found = store.vectors_of_texts(texts)
    if seeds is not None:
        wanted = set(texts)
        pairs = zip(seeds["text"].to_pylist(), column_matrix(seeds["vector"]), strict=True)
        found |= {text: vector for text, vector in pairs if text in wanted}
    return found


def merge_seeds(before: pa.Table | None, added: pa.Table) -> pa.Table:
    """Join two tables of seeds; the same text of the same event stands once."""
    table = added if before is None else pa.concat_tables([before, added])
    pairs = list(zip(table["event"].to_pylist(), table["text"].to_pylist(), strict=True))
    first = {pair: row for row, pair in reversed(list(enumerate(pairs)))}
    return table.take(pa.array(sorted(first.values()), pa.int64()))
