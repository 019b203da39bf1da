"""Several processes write to a store while others read it; run as a process, one of them.

Every append is an album of its own, whose name tells its writer and its number; so an album of
another size than `SIZE` is a torn or a doubled append. A writer says a word for each append that
was acknowledged. A reader opens the store again and again until a file tells it to stop, and says
in the end what it saw. All say "open" when they are there, and go on when they are told to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from store_rows import rows

from rememberai.store import MemoryStore

SIZE = 5
_STOP = "stop"


@dataclass(frozen=True)
class Crowd:
    """What became of it.

    Attributes
    ----------
    acknowledged
        The albums whose appends were acknowledged.
    seen
        For each reader the numbers of whole appends that its reads found, in order.
    faults
        What a reader saw that must not be, and how a process failed.
    """

    acknowledged: list[str]
    seen: list[list[int]]
    faults: list[str]


def run_crowd(path: Path, *, writers: int, appends: int, readers: int) -> Crowd:
    """Let processes loose on a store, and wait for them."""
    stop = path.parent / _STOP
    writing = [_start("write", str(path), f"writer-{i}", str(appends)) for i in range(writers)]
    reading = [_start("read", str(path), str(stop)) for _ in range(readers)]
    for process in (*writing, *reading):
        assert process.stdout.readline() == "open\n"
    for process in (*reading, *writing):
        process.stdin.write("go\n")
        process.stdin.flush()
    acknowledged = [line for p in writing for line in p.communicate()[0].splitlines()]
    stop.touch()
    reports = [json.loads(process.communicate()[0]) for process in reading]
    stop.unlink()
    faults = [f"{p.args} ended {p.returncode}" for p in (*writing, *reading) if p.returncode]
    faults += [fault for report in reports for fault in report["faults"]]
    seen = [report["seen"] for report in reports]
    return Crowd(acknowledged, seen, faults)


def albums(store: MemoryStore) -> Counter[str]:
    """Count the rows of each append."""
    return Counter(store.read(["album"])["album"].to_pylist())


def _start(*words: str) -> subprocess.Popen:
    command = [sys.executable, __file__, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _begin() -> None:
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _write(path: str, name: str, count: str) -> None:
    store = MemoryStore.open(path)
    _begin()
    for number in range(int(count)):
        album = f"{name}-{number}"
        store.append(rows([f"{album}-{i}" for i in range(SIZE)], album=album))
        sys.stdout.write(album + "\n")
        sys.stdout.flush()


def _read(path: str, stop: str) -> None:
    first = MemoryStore.open(path)
    held = albums(first)
    _begin()
    before: set[str] = set()
    seen: list[int] = []
    faults: list[str] = []
    stopped = False
    while not stopped:
        stopped = Path(stop).exists()  # and then once more
        store = MemoryStore.open(path)
        found = albums(store)
        faults += [f"{album} has {n} rows" for album, n in found.items() if n != SIZE]
        faults += [f"{album} is gone" for album in before - set(found)]
        if len(store.vectors()[0]) != found.total() or albums(first) != held:
            faults.append("an open store changed")
        before = set(found)
        seen.append(len(found))
    sys.stdout.write(json.dumps({"seen": seen, "faults": faults}))


if __name__ == "__main__":
    {"write": _write, "read": _read}[sys.argv[1]](*sys.argv[2:])
