"""What a store keeps when its writer is killed, when the power fails, and when many write at once.

The check and the processes are those of the tests (tests/store). A loss of power is simulated from
a record of the system calls of a writer; see tests/store/power_loss.py for what a disk may forget.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from subprocess import PIPE, Popen
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks._records import ROOT, Run, arguments, markdown

if TYPE_CHECKING:
    from benchmarks._records import Record

NAME = "durability"
TESTS = ROOT / "tests" / "store"
_STEPS = 20
_KINDS = ("lost", "wrong", "unusable")


def main(argv: list[str] | None = None) -> None:
    """Kill, cut the power, and let a crowd write."""
    parser = arguments(__doc__, kills=200, losses=50, writers=3, appends=50, readers=3, seed=0)
    options = parser.parse_args(argv)
    sys.path.insert(0, str(TESTS))
    logging.getLogger("rememberai.store").setLevel(logging.ERROR)  # what was set aside is expected
    settings = {key: value for key, value in vars(options).items() if key != "records"}
    run = Run(NAME, settings, folder=options.records)
    arms = {
        "kill -9 within a write": lambda: kill(options.kills, options.seed),
        "loss of power": lambda: lose_power(options.losses, options.seed, deaf=False),
        "control: loss of power, all flushes ignored": lambda: lose_power(
            options.losses, options.seed, deaf=True
        ),
        f"{options.writers} writers, {options.readers} readers": lambda: crowd(
            options.writers, options.appends, options.readers
        ),
    }
    for what, measure in arms.items():
        start = perf_counter()
        figures = measure()
        run.add(
            {"what": what}, 0, {**figures, "seconds": perf_counter() - start}, seed=options.seed
        )
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write what was tried and what went wrong."""
    rows = []
    for record in records:
        found = record["figures"]
        wrong = [str(found.get(kind, "")) for kind in (*_KINDS, "doubled", "torn")]
        counts = [f"{found[key]:,}" for key in ("times", "acknowledged")]
        reads = f"{found['reads']:,}" if "reads" in found else ""
        rows.append([record["arm"]["what"], *counts, reads, *wrong, f"{found['seconds']:.0f}"])
    header = ["", "times", "writes acknowledged", "reads", "lost rows", "wrong rows"]
    header += ["does not open", "doubled", "torn", "seconds"]
    return markdown(header, rows)


def kill(times: int, seed: int) -> Record:
    """Kill a writer between two acknowledgements, each time another store's."""
    from power_loss_writer import allowed, problem

    chance = random.Random(seed)
    tally: Counter[str] = Counter(dict.fromkeys((*_KINDS, "acknowledged", "interrupted"), 0))
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s"
            said = _killed(path, chance)
            tally["acknowledged"] += max(0, len(said) - 1)
            tally["interrupted"] += len(said) <= _STEPS
            tally[problem(path, allowed(said)).partition(":")[0]] += 1
    return {"times": times, **_without_none(tally)}


def _killed(path: Path, chance: random.Random) -> list[str]:
    """Run a writer, kill it at a random moment within a write, and list what it said."""
    script = str(TESTS / "power_loss_writer.py")
    command = [sys.executable, script, str(path), "0", str(_STEPS)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        process.stdout.readline()
        process.stdin.write("go\n")
        process.stdin.flush()
        said, marks = [], [perf_counter()]
        for _ in range(chance.randrange(1, _STEPS)):
            said.append(process.stdout.readline().strip())
            marks.append(perf_counter())
        time.sleep(chance.random() * (marks[-1] - marks[-2]))  # about one write's time
        process.kill()
        return said + process.stdout.read().splitlines()


def lose_power(times: int, seed: int, *, deaf: bool) -> Record:
    """Record a writer, and check what is left of its store at many moments."""
    from power_loss import Disk, losses, moments, said
    from power_loss_trace import record
    from power_loss_writer import allowed, problem

    tally: Counter[str] = Counter(dict.fromkeys(_KINDS, 0))
    script = str(TESTS / "power_loss_writer.py")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "written"
        root.mkdir()
        events = record([sys.executable, script, str(root / "s"), "0", str(_STEPS)], root)
        heard = [event for event in events if not (deaf and event.what == "sync")]
        acknowledged = 0
        cuts = zip(moments(heard, times, seed), losses(times, seed), strict=True)
        for number, (cut, loss) in enumerate(cuts):
            left = Path(folder) / str(number)
            words = said(heard[:cut])
            acknowledged += max(0, len(words) - 1)
            Disk(root, heard[:cut]).after_loss(left, loss)
            tally[problem(left / "s", allowed(words)).partition(":")[0]] += 1
    return {"times": times, "acknowledged": acknowledged, **_without_none(tally)}


def crowd(writers: int, appends: int, readers: int) -> Record:
    """Let processes write and read at once, and count what is there in the end."""
    from crowd import SIZE, albums, run_crowd
    from store_rows import make

    from rememberai import MemoryStore

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        make(path)
        done = run_crowd(path, writers=writers, appends=appends, readers=readers)
        found = albums(MemoryStore.open(path))
        failed = sum(" ended " in fault for fault in done.faults)  # processes
        return {
            "times": writers * appends,
            "acknowledged": len(done.acknowledged),
            "lost": sum(found[album] < SIZE for album in done.acknowledged),
            "doubled": sum(n > SIZE for n in found.values()),
            "torn": len(done.faults) - failed,
            "unusable": failed,
            "reads": sum(map(len, done.seen)),
            "faults": done.faults,
        }


def _without_none(tally: Counter[str]) -> Record:
    return {key: count for key, count in tally.items() if key}


if __name__ == "__main__":
    main()
