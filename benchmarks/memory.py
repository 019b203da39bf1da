"""Memory for adding many short texts in batches, each case in a process of its own.

The library's own part is measured with an embedder that makes vectors from a hash of the text, so
that no model stands in its way; further cases add as many texts with the real MiniLM, and embed the
same ones with sentence-transformers by hand, to show what the model itself takes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._records import ROOT, Run, arguments, markdown, memory_mib
from benchmarks.add_texts import load_by_hand, made_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "memory"
_STEPS = 10


@dataclass(frozen=True)
class Case:
    """What a child process does.

    Attributes
    ----------
    way
        "hash" or "MiniLM": a book with that embedder; "by hand": the model alone.
    n
        How many texts.
    albums
        In how many parts; memory is read after each.
    """

    way: str
    n: int
    albums: int


class HashEmbedder:
    """Makes a vector of 384 signs from the BLAKE2b hash of a text."""

    model_id = "benchmark-hash@1"
    dimension = 384

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; returns (n, 384) float32."""
        digests = b"".join(
            hashlib.blake2b(text.encode(), digest_size=48).digest() for text in texts
        )
        bits = np.unpackbits(np.frombuffer(digests, np.uint8)).reshape(-1, self.dimension)
        return (bits.astype(np.float32) - 0.5) / np.float32(self.dimension**0.5 / 2)


def main(argv: list[str] | None = None) -> None:
    """Run each case in a fresh process; with ``--case`` be that process."""
    parser = arguments(__doc__, n=100_000, n_model=100_000, repeats=1)
    parser.add_argument("--case", help="a case as JSON, measured in this very process")
    options = parser.parse_args(argv)
    if options.case:
        print(json.dumps(measure(Case(**json.loads(options.case)))))
        return
    cases = {
        "in 10 albums, hash embedder": Case("hash", options.n, _STEPS),
        "in one album, hash embedder": Case("hash", options.n, 1),
        "in 10 albums, MiniLM": Case("MiniLM", options.n_model, _STEPS),
        "in 10 parts, MiniLM alone by hand": Case("by hand", options.n_model, _STEPS),
    }
    settings = {"n": options.n, "n_model": options.n_model}
    run = Run(NAME, settings, folder=options.records)
    for repeat in range(options.repeats):
        for what, case in cases.items():
            found = _in_child(case)
            run.add({"what": what, **vars(case)}, repeat, found, threads=1, peak=found["peak"])
    print(table(run.records))


def measure(case: Case) -> Record:
    """Add the texts, and read this process's memory before, between and after."""
    texts = made_up(case.n)
    if case.way == "by hand":
        model = load_by_hand()
        model.encode(texts[:256])
        return _grow(case, texts, lambda some: model.encode(some, batch_size=64))
    from rememberai import Album, RememberAI, SentenceEmbedder

    with tempfile.TemporaryDirectory() as folder:
        minilm = SentenceEmbedder(offline=True, device="cpu")
        embedder = minilm if case.way == "MiniLM" else HashEmbedder()
        embedder.encode(texts[:256])
        book = RememberAI.create(Path(folder) / "book", embedder=embedder)
        found = _grow(
            case, texts, lambda some: book.add_album(Album.from_texts(some, name=some[0]))
        )
        if len(book) != case.n:
            raise SystemExit(f"{len(book)} of {case.n} texts were stored")
        book.search(texts[0], k=10)
        return found | {"peak_with_search": memory_mib("VmHWM")}


def _grow(case: Case, texts: list[str], add: Callable[[list[str]], object]) -> Record:
    found: Record = {"base": memory_mib("VmRSS"), "now": [], "seconds": []}
    step = case.n // case.albums
    for start in range(0, case.n, step):
        before = perf_counter()
        add(texts[start : start + step])
        found["seconds"].append(round(perf_counter() - before, 2))
        gc.collect()
        found["now"].append(memory_mib("VmRSS"))
    return found | {"peak": memory_mib("VmHWM")}


def table(records: list[Record]) -> str:
    """Write base, peak and growth; growth is the slope over the second half of the albums."""
    rows = []
    for what in dict.fromkeys(record["arm"]["what"] for record in records):
        arm = [record for record in records if record["arm"]["what"] == what]
        worst = max(arm, key=lambda record: record["figures"]["peak"])
        found, case = worst["figures"], worst["arm"]
        searched = found.get("peak_with_search")
        now = found["now"]
        rows.append(
            [
                f"{case['n']:,} texts {what}",
                f"{found['base']:.0f}",
                f"{now[0]:.0f}",
                f"{now[-1]:.0f}",
                f"{found['peak']:.0f}",
                _growth(now, case),
                f"{searched:.0f}" if searched else "",
                f"{mean(sum(record['figures']['seconds']) for record in arm):.1f}",
            ]
        )
    header = ["MiB", "before", "after the first part", "after the last", "peak"]
    header += ["growth per 10,000 texts", "peak with a first search", "seconds"]
    return markdown(header, rows)


def _growth(now: Sequence[float], case: Record) -> str:
    """Fit the second half of the parts; a few thousand texts are too few to see a slope."""
    if case["albums"] < _STEPS or case["n"] < 10_000 * _STEPS:
        return ""
    later = now[len(now) // 2 :]
    texts = np.arange(len(later)) * case["n"] / case["albums"]
    slope = np.polynomial.polynomial.polyfit(texts / 10_000, later, 1)[1]
    return f"{slope:+.1f}"


def _in_child(case: Case) -> Record:
    command = [sys.executable, "-m", "benchmarks.memory", "--case", json.dumps(vars(case))]
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Record = json.loads(answer.stdout)
    return found


if __name__ == "__main__":
    main()
