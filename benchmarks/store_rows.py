"""Rows with metadata and given vectors into a store, against pylance and FAISS by hand.

Then a larger store is opened in fresh processes, up to the first answer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from benchmarks._mixture import Mixture
from benchmarks._records import ROOT, Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai._faiss import import_faiss
from rememberai.index_cache import cached_index
from rememberai.store import MemoryStore
from rememberai.store.schema import table_schema, vector_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "store_rows"
_MODEL = "benchmark@1"
_BATCH = 10_000
_CLUSTERS = 1_000


def main(argv: list[str] | None = None) -> None:
    """Add by turns with both, then build a large store and open it again and again."""
    parser = arguments(__doc__, n=100_000, n_open=1_000_000, dimension=384, repeats=7, seed=0)
    parser.add_argument("--opened", help=argparse.SUPPRESS)  # the store, in a child process
    options = parser.parse_args(argv)
    if options.opened:
        print(json.dumps(first_answer(Path(options.opened))))
        return
    names = ("n", "n_open", "dimension", "seed")
    settings = {name: getattr(options, name) for name in names}
    run = Run(NAME, settings, folder=options.records)
    vectors, _ = Mixture(options.dimension, _CLUSTERS, options.seed).draw(options.n, 1)
    with tempfile.TemporaryDirectory() as folder:
        batches = list(rows(vectors))
        ways = {"by hand": by_hand, "by hand, kept": kept_by_hand, "RememberAI": with_the_library}
        for repeat in range(options.repeats):
            for way, add in ways.items():
                start = perf_counter()
                parts = add(Path(folder, f"{way} {repeat}"), batches)
                found = {"seconds": perf_counter() - start, **parts}
                shutil.rmtree(Path(folder, f"{way} {repeat}"))
                run.add({"what": "add", "way": way}, repeat, found)
        store = Path(folder, "large")
        _fill(store, options)
        for repeat in range(options.repeats):
            found = _in_child(store)
            run.add({"what": "open"}, repeat, found, peak=found["peak"])
    print(table(run.records))


def rows(vectors: NDArray[np.float32], first: int = 0) -> Iterator[pa.Table]:
    """Lay vectors out as rows of a store, batch by batch, with made-up metadata."""
    schema = table_schema(vectors.shape[1])
    now = datetime.now(UTC)
    for start in range(0, len(vectors), _BATCH):
        some = vectors[start : start + _BATCH]
        numbers = range(first + start, first + start + len(some))
        columns = {
            "photo_id": [f"{number:032x}" for number in numbers],
            "album": [f"album {number // 100}" for number in numbers],
            "name": [f"IMG_{number}.jpg" for number in numbers],
            "taken": [datetime(2020, 1, 1) + timedelta(minutes=7 * n) for n in numbers],
            "latitude": [40 + number % 1000 / 100 for number in numbers],
            "longitude": [number % 1800 / 10 for number in numbers],
            "memory": [f"what somebody wrote about photo {number}" for number in numbers],
            "text_source": ["memory"] * len(some),
            "added": [now] * len(some),
            "updated": [now] * len(some),
        }
        arrays = [
            vector_array(some)
            if field.name == "vector"
            else pa.array(columns.get(field.name, [None] * len(some)), field.type)
            for field in schema
        ]
        yield pa.Table.from_arrays(arrays, schema=schema)


def by_hand(folder: Path, batches: list[pa.Table]) -> Record:
    """Append to a Lance dataset, and put unit vectors into a flat FAISS index that is saved."""
    import lance

    faiss = import_faiss()
    folder.mkdir()
    index = None
    for batch in batches:
        lance.write_dataset(batch, str(folder / "table.lance"), mode="append")
        vectors = batch["vector"].combine_chunks().flatten().to_numpy().reshape(len(batch), -1)
        index = index or faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    faiss.write_index(index, str(folder / "index.faiss"))
    return {}


def kept_by_hand(folder: Path, batches: list[pa.Table]) -> Record:
    """Do the same, but flush each append, note checksums, and read the vectors from the table."""
    import lance

    faiss = import_faiss()
    folder.mkdir()
    table, kept = folder / "table.lance", set()
    for batch in batches:
        lance.write_dataset(batch, str(table), mode="append")
        for path in {path for path in table.rglob("*") if path.is_file()} - kept:
            _flush(path)
            kept.add(path)
        for path in (table, *(path for path in table.rglob("*") if path.is_dir())):
            _flush(path)
    index = None
    for batch in lance.dataset(str(table)).to_batches(columns=["photo_id", "vector"]):
        vectors = batch["vector"].flatten().to_numpy().reshape(len(batch), -1)
        index = index or faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    faiss.write_index(index, str(folder / "index.faiss"))
    _flush(folder / "index.faiss")
    return {}


def _flush(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
    number = os.open(path, os.O_RDONLY)
    os.fsync(number)
    os.close(number)


def with_the_library(folder: Path, batches: list[pa.Table]) -> Record:
    """Append to a store, durably, and let it keep its index."""
    start = perf_counter()
    store = MemoryStore.create(
        folder, model_id=_MODEL, dimension=batches[0]["vector"].type.list_size
    )
    for batch in batches:
        store.append(batch)
    stored = perf_counter()
    cached_index(store)
    return {"store": stored - start, "index": perf_counter() - stored}


def _fill(folder: Path, options: argparse.Namespace) -> None:
    """Make the large store, its index, and a query that is drawn like its vectors."""
    mixture = Mixture(options.dimension, _CLUSTERS, options.seed)
    store = MemoryStore.create(folder, model_id=_MODEL, dimension=options.dimension)
    for number, first in enumerate(range(0, options.n_open, 10 * _BATCH)):
        vectors, _ = mixture.draw(min(10 * _BATCH, options.n_open - first), 2 + number)
        for batch in rows(vectors, first):
            store.append(batch)
    cached_index(store)
    np.save(folder / "query.npy", mixture.draw(1, 0)[0])


def _in_child(store: Path) -> Record:
    command = [sys.executable, "-m", "benchmarks.store_rows", "--opened", str(store)]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: Record = json.loads(answer.stdout)
    return found


def first_answer(folder: Path) -> Record:
    """Open a store and search once; the libraries are loaded before the clock starts."""
    import lance  # noqa: F401 - see above

    from benchmarks._records import memory_mib

    import_faiss()
    query = np.load(folder / "query.npy")
    before, start = memory_mib("VmRSS"), perf_counter()
    store = MemoryStore.open(folder)
    opened = perf_counter()
    index = cached_index(store)
    loaded = perf_counter()
    ids = index.search(query, 10).ids[0].tolist()
    searched = perf_counter()
    if len(store.read_rows(ids)) != len(ids):
        raise SystemExit("the index names photos that the table has not")
    return {
        "seconds": perf_counter() - start,
        "open": opened - start,
        "index": loaded - opened,
        "search": searched - loaded,
        "photos": len(store),
        "kind": index.explain(),
        "base": before,
        "peak": memory_mib("VmHWM"),
    }


def table(records: list[Record]) -> str:
    """Write medians; the ratio is taken within a repeat."""
    ways = ("by hand", "by hand, kept", "RememberAI")
    hand, kept, ours = (of_arm(records, what="add", way=way) for way in ways)
    seconds = [figures(arm, "seconds") for arm in (hand, ours)]
    safe = figures(kept, "seconds")
    count = records[0]["settings"]["n"]
    adding = markdown(
        [f"adding {count:,} rows", "median s", "ratio"],
        [
            ["pylance and FAISS by hand", f"{median(seconds[0]):.2f}", ""],
            [
                "by hand, flushed, with checksums, the index made from the table",
                f"{median(safe):.2f}",
                f"{paired_ratio(safe, seconds[0]):.2f}",
            ],
            [
                "RememberAI",
                f"{median(seconds[1]):.2f} (bar 3)",
                f"{paired_ratio(seconds[1], seconds[0]):.2f} (bar 1.15)",
            ],
            ["RememberAI against that", "", f"{paired_ratio(seconds[1], safe):.2f}"],
            ["of RememberAI: store", f"{median(figures(ours, 'store')):.2f}", ""],
            ["of RememberAI: index", f"{median(figures(ours, 'index')):.2f}", ""],
        ],
    )
    opened = of_arm(records, what="open")
    middle: Callable[[str], str] = lambda name: f"{median(figures(opened, name)):.3f}"  # noqa: E731
    first = opened[0]["figures"]
    opening = markdown(
        [f"a store of {first['photos']:,} photos", "median s"],
        [
            ["to its first answer", f"{middle('seconds')} (bar 0.3)"],
            ["of that: opening the store", middle("open")],
            ["of that: mapping the index", middle("index")],
            ["of that: searching", middle("search")],
            ["of that: reading the ten rows", f"{_rest(opened):.3f}"],
        ],
    )
    growth = max(r["figures"]["peak"] - r["figures"]["base"] for r in opened)
    return (
        f"{adding}\n\n{opening}\n\nIts index: {first['kind']}. Peak memory over that of the loaded "
        f"libraries: {growth:.0f} MiB."
    )


def _rest(records: list[Record]) -> float:
    parts = ("open", "index", "search")
    return median(
        r["figures"]["seconds"] - sum(r["figures"][part] for part in parts) for r in records
    )


if __name__ == "__main__":
    main()
