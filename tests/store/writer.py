"""Run as a process: append to a store until done or killed, naming each acknowledged write."""

from __future__ import annotations

import sys

from store_rows import rows

from rememberai.store import MemoryStore


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main(path: str, name: str, count: str) -> None:
    store = MemoryStore.open(path)
    say("open")
    sys.stdin.readline()  # all writers start together
    for number in range(int(count)):
        # A new row, a row that all writers write, and one that is replaced again and again.
        ids = [f"{name}-{number}", f"shared-{number}", f"{name}-last"]
        store.upsert(rows(ids, caption=str(number)))
        say(str(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
