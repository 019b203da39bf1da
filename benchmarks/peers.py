"""100,000 vectors with metadata: RememberAI beside Chroma, LanceDB, txtai, usearch, milvus-lite.

Every system is filled in a process of its own, and read in another. Vectors and queries are drawn
independently from one mixture of Gaussians; the right answers are NumPy's. The peers are not
dependencies of the library: give the interpreter of an environment that has them (``--python``),
and the library in it or on its path; a system that is not installed there is told as absent.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _peer_systems
from benchmarks._mixture import Mixture
from benchmarks._peer_systems import SYSTEMS, Rows
from benchmarks._records import Run, arguments, markdown, memory_mib, of_another_python

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "peers"
SELECTIVITIES = {"album-a": 0.1, "album-b": 0.02, "album-c": 0.005}
_GAUSSIANS = 500


def main(argv: list[str] | None = None) -> None:
    """Run each system; with ``--phase`` be the process that fills or reads one."""
    parser = arguments(
        __doc__, n=100_000, queries=1_000, filtered=100, k=10, dimension=384, repeats=1, seed=0
    )
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--phase", choices=["fill", "read"], help="what this very process does")
    parser.add_argument("--data", type=Path, help="folder of the vectors, with --phase")
    parser.add_argument("--folder", type=Path, help="the system's folder, with --phase")
    options = parser.parse_args(argv)
    if options.phase:
        phase = fill if options.phase == "fill" else read
        print(json.dumps(phase(options.systems[0], options.data, options.folder, options.k)))
        return
    names = ("n", "queries", "filtered", "k", "dimension")
    settings = {name: getattr(options, name) for name in names}
    run = Run(NAME, settings, folder=options.records)
    for repeat in range(options.repeats):
        with tempfile.TemporaryDirectory() as place:
            data = Path(place) / "data"
            make_data(data, settings, options.seed + repeat)
            for system in options.systems:
                folder = Path(place) / system
                folder.mkdir()
                found = _measure(system, options.python, data, folder, options.k)
                run.add(
                    {"what": system},
                    repeat,
                    found,
                    seed=options.seed + repeat,
                    peak=found.get("peak"),
                )
    print(table(run.records))


def make_data(folder: Path, settings: Record, seed: int) -> None:
    """Draw vectors and queries, give the vectors albums, and find the right answers."""
    folder.mkdir()
    n, count, dimension = (settings[name] for name in ("n", "queries", "dimension"))
    mixture = Mixture(dimension, _GAUSSIANS, seed)
    vectors, queries = (mixture.draw(m, draw)[0] for draw, m in enumerate((n, count)))
    albums = np.full(n, "album-z")
    order = np.random.default_rng(seed).permutation(n)
    start = 0
    for album, share in SELECTIVITIES.items():
        end = start + max(settings["k"], round(share * n))
        albums[order[start:end]] = album
        start = end
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "queries.npy", queries)
    np.save(folder / "albums.npy", albums)
    everyone = np.arange(n)
    np.save(folder / "all.npy", _exact(vectors, everyone, queries, settings["k"]))
    for album in SELECTIVITIES:
        members = np.flatnonzero(albums == album)
        asked = queries[: settings["filtered"]]
        np.save(folder / f"{album}.npy", _exact(vectors, members, asked, settings["k"]))


def table(records: list[Record]) -> str:
    """Write medians over the repeats; recall stands behind each time."""
    rows = []
    for system in dict.fromkeys(record["arm"]["what"] for record in records):
        found = [r["figures"] for r in records if r["arm"]["what"] == system]
        if absent := [figures["absent"] for figures in found if "absent" in figures]:
            rows.append([system, f"absent: {absent[0]}", *[""] * 10])
            continue
        middle = {
            key: median(figures[key] for figures in found)
            for key, value in found[0].items()
            if isinstance(value, int | float)
        }
        rows.append(
            [
                system,
                f"{middle['ingest']:.1f}",
                f"{1000 * middle['p50']:.2f}",
                f"{1000 * middle['p99']:.2f}",
                f"{middle['recall']:.3f}",
                f"{middle['batch_rate']:,.0f} ({middle['batch_recall']:.3f})",
                *(_filtered(middle, album) for album in SELECTIVITIES),
                f"{1000 * middle['reopen']:.0f}",
                f"{1000 * middle['imports']:.0f}",
                f"{middle['disk'] / 2**20:.0f}",
            ]
        )
    header = ["", "ingest s", "p50 ms", "p99 ms", "recall@10", "queries/s in a batch (recall)"]
    header += [f"filter {share:.1%}, ms (recall)" for share in SELECTIVITIES.values()]
    return markdown([*header, "reopen to first answer ms", "its imports ms", "MiB on disk"], rows)


def fill(system: str, data: Path, folder: Path, _: int) -> Record:
    """Store everything."""
    kind = SYSTEMS[system](folder)
    rows = Rows(data)
    _peer_systems.use_vectors(rows, np.load(data / "queries.npy"))
    seconds, _ = _timed(lambda: kind.ingest(rows))
    return {"ingest": seconds, "peak": memory_mib("VmHWM")}


def read(system: str, data: Path, folder: Path, k: int) -> Record:
    """Open, and search one by one, in one batch, and within albums."""
    imports, kind = _timed(lambda: SYSTEMS[system](folder))
    queries = np.load(data / "queries.npy")
    _peer_systems.use_vectors(Rows(data), queries)

    def first_answer() -> Any:
        kind.open()
        return kind.search(queries[0], k)

    reopen, _ = _timed(first_answer)
    seconds, found = zip(*(_timed(lambda q=q: kind.search(q, k)) for q in queries), strict=True)
    batch, together = _timed(lambda: kind.batch(queries, k))
    exact = np.load(data / "all.npy")
    figures = {
        "imports": imports,
        "reopen": reopen,
        "p50": float(np.percentile(seconds, 50)),
        "p99": float(np.percentile(seconds, 99)),
        "recall": _recall(found, exact),
        "batch_rate": len(queries) / batch,
        "batch_recall": _recall(together, exact),
        "peak_of_reading": memory_mib("VmHWM"),
        "versions": {name: version(name) for name in kind.packages},
    }
    if hasattr(kind, "filtered"):
        for album in SELECTIVITIES:
            exact = np.load(data / f"{album}.npy")
            asked = queries[: len(exact)]
            measured = [_timed(lambda q=q: kind.filtered(q, k, album)) for q in asked]  # noqa: B023
            figures[f"{album} p50"] = median(seconds for seconds, _ in measured)
            figures[f"{album} recall"] = _recall([ids for _, ids in measured], exact)
    return figures


def _measure(system: str, python: str, data: Path, folder: Path, k: int) -> Record:
    filled = _child(python, "fill", system, data, folder, k)
    if "absent" in filled:
        return filled
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {**filled, "disk": disk, **_child(python, "read", system, data, folder, k)}


def _child(python: str, phase: str, system: str, data: Path, folder: Path, k: int) -> Record:
    command = ["--phase", phase, "--systems", system, "--data", str(data)]
    command += ["--folder", str(folder), "--k", str(k)]
    return of_another_python(python, "benchmarks.peers", command)


def _exact(
    vectors: NDArray[Any], members: NDArray[Any], queries: NDArray[Any], k: int
) -> NDArray[Any]:
    """Find the positions of the k members nearest to each query."""
    chosen = vectors[members]
    nearest = [np.argsort(-(chosen @ query), kind="stable")[:k] for query in queries]
    positions: NDArray[Any] = members[np.stack(nearest)]
    return positions


def _recall(found: Sequence[Sequence[str]], exact: NDArray[Any]) -> float:
    """Count how many of the exact neighbours were found."""
    hits = sum(
        len({int(i.partition("-")[2]) for i in ids}.intersection(right.tolist()))
        for ids, right in zip(found, exact, strict=True)
    )
    return hits / exact.size


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = perf_counter()
    result = function()
    return perf_counter() - start, result


def _filtered(middle: Record, album: str) -> str:
    if f"{album} p50" not in middle:
        return "no filter"
    return f"{1000 * middle[f'{album} p50']:.1f} ({middle[f'{album} recall']:.3f})"


if __name__ == "__main__":
    main()
