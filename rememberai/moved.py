"""What lies elsewhere by now: words alone of a moved folder, photos whose files hold others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING
from unicodedata import normalize

import pyarrow as pa

from rememberai.photos.names import folded
from rememberai.store.reading import is_in

if TYPE_CHECKING:
    from rememberai.photos import Album
    from rememberai.store import MemoryStore


def part_from_files(store: MemoryStore, album: Album) -> None:
    """Take the paths from stored photos in whose files an album has other photos.

    The one that was there was overwritten, renamed, or is on another medium; without its path it is
    never taken for the other, and when an album has it again it gets its new one.
    """
    now = {photo.path: photo.photo_id for photo in album.photos if photo.path}
    if not now:
        return
    with store.holding():  # so that nobody deletes one of them meanwhile
        store.refresh()
        parted = [
            photo_id
            for batch in store.scan(["photo_id", "path"], where="path IS NOT NULL")
            for photo_id, path in zip(
                *(batch[i].to_pylist() for i in ("photo_id", "path")), strict=True
            )
            if now.get(path, photo_id) != photo_id
        ]
        store.update(pa.table({"photo_id": parted, "path": pa.nulls(len(parted), pa.string())}))


def found_again(store: MemoryStore, album: Album) -> Album:
    """Give words alone the ids by which the store has them.

    The id of words alone is of their folder. Those that the store does not know by theirs are taken
    for stored ones of an album of the same name with the same reference (or line, where there is
    none) and the same words, which the album does not have otherwise.
    """
    alone = {
        p.photo_id: (folded(p.name), p.memory.text) for p in album.photos if not p.path and p.memory
    }
    there: dict[tuple[str, str], list[str]] = defaultdict(list)
    if alone:
        where = f"path IS NULL AND {is_in('album', _written(album.name))}"
        for row in store.read(["photo_id", "name", "memory"], where).to_pylist():
            if row["photo_id"] not in alone:
                there[folded(row["name"]), row["memory"]].append(row["photo_id"])
    candidates = [photo_id for photo_id, key in alone.items() if key in there]
    if not candidates:
        return album
    known = store.read_rows(candidates)
    ids = {
        photo_id: there[alone[photo_id]].pop(0)
        for photo_id in candidates
        if photo_id not in known and there[alone[photo_id]]
    }
    return replace(
        album,
        photos=tuple(replace(p, photo_id=ids.get(p.photo_id, p.photo_id)) for p in album.photos),
        outcomes=tuple(
            replace(o, photo_id=ids.get(o.photo_id or "", o.photo_id)) for o in album.outcomes
        ),
    )


def _written(name: str) -> set[str]:
    """Give a name as it is, composed and decomposed."""
    return {name, normalize("NFC", name), normalize("NFD", name)}
