"""Run as a process: make or open a store and change it step by step; and the check of what is left.

It says "made" or "open", then the number of each step when its method has returned: that is the
acknowledgement. By turns there are two batches, a deletion, and a compaction that drops all it can.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from store_rows import make

from rememberai.errors import StoreError
from rememberai.store import MemoryStore
from rememberai.store.schema import to_table

DIMENSION = 1024  # a vector fills a block of the disk


def made(path: str | Path) -> MemoryStore:
    return make(path, dimension=DIMENSION)


def batch(number: int) -> pa.Table:
    """Lay out three new rows, and three that every batch replaces."""
    ids = [f"new-{number}-{i}" for i in range(3)] + [f"changed-{i}" for i in range(3)]
    return _rows(ids, number)


def _rows(ids: list[str], number: int) -> pa.Table:
    drafts = [{"photo_id": i, "name": i, "memory": i, "album": str(number)} for i in ids]
    random = np.random.default_rng(number)
    return to_table(drafts, random.random((len(ids), DIMENSION), np.float32))


def content(*tables) -> dict[str, tuple]:
    """Key what matters of each row by its photo id, of tables written one after the other."""
    return {
        row["photo_id"]: (row["album"], row["memory"], tuple(row["vector"]))
        for table in tables
        for row in table.to_pylist()
    }


def take_step(store: MemoryStore, number: int) -> None:
    if number % 4 == 2:
        store.delete(_deleted(number))
    elif number % 4 == 3:
        store.compact(keep=timedelta(0))
    else:
        store.upsert(batch(number))


def _deleted(number: int) -> list[str]:
    return [f"new-{number - 1}-0", f"new-{number - 2}-1"]


def after(steps: int) -> dict[str, tuple]:
    """Tell what a store holds after some steps."""
    held: dict[str, tuple] = {}
    for number in range(steps):
        if number % 4 == 2:
            held = {key: row for key, row in held.items() if key not in _deleted(number)}
        elif number % 4 != 3:
            held |= content(batch(number))
    return held


def allowed(said: list[str]) -> list[dict[str, tuple] | None]:
    """List what a store may hold when its writer had said this much; None: there is no store.

    That is what was acknowledged, or that and the whole of the next step.
    """
    return [after(len(said) - 1), after(len(said))] if said else [None, {}]


def problem(path: Path, contents: list[dict[str, tuple] | None]) -> str:
    """Tell what is wrong with a store that should hold one of these and be writable, or ""."""
    if None in contents and not path.exists():
        made(path)
    try:
        store = MemoryStore.open(path)
        found = read(store)
        if found not in contents:
            lost = sorted(set(contents[0] or {}) - set(found))
            differing = [key for key in found if all(found[key] != c.get(key) for c in contents)]
            return f"lost: {lost}" if lost else f"wrong: {differing}"
        more = _rows(["more"], 99)
        store.upsert(more)
        if read(MemoryStore.open(path)) != {**found, **content(more)}:
            return "wrong: after a further write"
    except StoreError as error:
        return f"unusable: {error}"
    return ""


def read(store: MemoryStore) -> dict[str, tuple]:
    """Read a store as `content` lays tables out."""
    vector_of = {i: tuple(vector.tolist()) for i, vector in zip(*store.vectors(), strict=True)}
    read = store.read(["album", "memory"]).to_pylist()
    if len(read) != len(vector_of):
        raise StoreError(f"{len(read)} rows and {len(vector_of)} vectors")
    return {r["photo_id"]: (r["album"], r["memory"], vector_of[r["photo_id"]]) for r in read}


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main(path: str, first: str, last: str) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:  # so that imports and threads are there
        made(f"{elsewhere}/s").upsert(batch(0))
    say("ready")
    sys.stdin.readline()
    if Path(path).exists():
        store = MemoryStore.open(path)
        say("open")
    else:
        store = made(path)
        say("made")
    for number in range(int(first), int(last)):
        take_step(store, number)
        say(str(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
