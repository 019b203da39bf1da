"""Every kind of `VectorIndex` over many vectors: recall, speed, build time, memory, opening."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._mixture import Mixture
from benchmarks._records import ROOT, Run, arguments, figures, markdown, memory_mib, of_arm
from rememberai import VectorIndex
from rememberai._faiss import import_faiss
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "index_kinds"
RAW = "raw FAISS, IVF PQx4fs + SQ8"
OURS = "ivf pq"
_PROBED, _REFINED = 16, 20
_SETTINGS = (8, 20), (16, 20), (16, 40), (32, 80)  # of raw FAISS: lists probed, k_factor


def main(argv: list[str] | None = None) -> None:
    """Build, save, and search each kind in a process of its own."""
    parser = arguments(
        __doc__, n=1_000_000, queries=1_000, k=10, dimension=384, clusters=4_000, repeats=3, seed=0,
        singles=100, threads=2,
    )  # fmt: skip
    parser.add_argument(
        "--kinds",
        nargs="+",
        default=["flat", "ivf pq", "ivf rabitq", "ivf sq8", RAW],
        help="kind and quantiser; 'hnsw sq8' builds on one thread, for many minutes",
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        _child(options, *options.child)
        return
    names = ("n", "queries", "k", "dimension", "clusters", "singles")
    run = Run(NAME, {name: getattr(options, name) for name in names}, folder=options.records)
    with tempfile.TemporaryDirectory() as folder:
        _save_truth(options, Path(folder))
        for kind in options.kinds:
            _measure(run, options, kind, Path(folder))
        if {OURS, RAW} <= set(options.kinds):
            measured = _in_a_process(options, RAW, "turns", Path(folder))
            peak = measured.pop("peak_mib")
            about: Record = {"kind": RAW, "step": "turns"}
            run.add(about, 0, measured, threads=options.threads, seed=options.seed, peak=peak)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write medians over the repeats."""
    kinds = list(dict.fromkeys(record["arm"]["kind"] for record in records))
    size = records[0]["settings"]["n"] * records[0]["settings"]["dimension"] * 4 / 2**20
    rows = []
    for kind in kinds:
        arm = of_arm(records, kind=kind)
        built = figures(of_arm(arm, step="build"), "seconds")
        searched = of_arm(arm, step="search")
        needed = median(figures(searched, "needed_mib"))
        rows.append(
            [
                kind,
                f"{built[0]:.0f}",
                f"{median(figures(searched, 'recall')):.3f}",
                f"{median(figures(searched, 'batch_per_second')):,.0f}",
                f"{1000 * median(figures(searched, 'single_p50')):.2f}",
                f"{needed:,.0f}",
                f"{needed / size:.2f}",
                f"{median(figures(searched, 'open')):.3f}",
            ]
        )
    for record in of_arm(records, step="turns"):
        rows += [_turns_row(name, record["figures"]) for name in record["figures"]]
    header = ["", "built in s", "recall@10", "queries/s", "one query ms", "memory MiB"]
    header += ["of float32", "open to first answer s, bar 0.3"]
    return markdown(header, rows)


def _turns_row(name: str, turns: Record) -> list[str]:
    """Write the recall and the rate of one way of searching, and its rate against ours."""
    speed = turns[name]["n_queries"] / median(turns[name]["seconds"])
    pairs = zip(turns[OURS]["seconds"], turns[name]["seconds"], strict=True)
    ratio = median(ours / other for ours, other in pairs)
    told = f"{speed:,.0f} ({ratio:.2f} of ours)"
    return [f"by turns: {name}", "", f"{turns[name]['recall']:.3f}", told, "", "", "", ""]


def _save_truth(options: argparse.Namespace, folder: Path) -> None:
    """Find the true neighbours part by part."""
    mixture = Mixture(options.dimension, options.clusters, options.seed)
    queries, _ = mixture.draw(options.queries, 1)
    distances = np.empty((len(queries), 0), np.float32)
    found = np.empty((len(queries), 0), np.int64)
    start = 0
    for part, _ in mixture.parts(options.n, 0):
        near, positions = knn(queries, part, min(options.k, len(part)), "cosine")
        distances = np.hstack([distances, near])
        found = np.hstack([found, start + positions])
        order = np.argsort(distances, axis=1, kind="stable")[:, : options.k]
        distances = np.take_along_axis(distances, order, 1)
        found = np.take_along_axis(found, order, 1)
        start += len(part)
    np.save(folder / "truth.npy", found)


def _measure(run: Run, options: argparse.Namespace, kind: str, folder: Path) -> None:
    for step, repeats in (("build", 1), ("search", options.repeats)):
        for repeat in range(repeats):
            measured = _in_a_process(options, kind, step, folder)
            peak = measured.pop("peak_mib")
            about: Record = {"kind": kind, "step": step}
            run.add(about, repeat, measured, threads=options.threads, seed=options.seed, peak=peak)


def _in_a_process(options: argparse.Namespace, kind: str, step: str, folder: Path) -> Record:
    command = [sys.executable, "-m", f"benchmarks.{NAME}", "--kinds", kind]
    for name in ("n", "queries", "k", "dimension", "clusters", "seed", "singles", "repeats"):
        command += [f"--{name}", str(getattr(options, name))]
    command += ["--threads", str(options.threads), "--child", step, str(folder)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    measured: Record = json.loads(done.stdout)
    return measured


def _child(options: argparse.Namespace, step: str, folder: str) -> None:
    import_faiss().omp_set_num_threads(options.threads)
    (kind,) = options.kinds
    place = _place(folder, kind)
    work = {"build": _build, "search": _search, "turns": _turns}[step]
    measured = work(options, kind, place, Path(folder))
    print(json.dumps({**measured, "peak_mib": memory_mib("VmHWM")}))


def _place(folder: str | Path, kind: str) -> Path:
    return Path(folder, kind.replace(" ", "-").replace(",", ""))


def _build(options: argparse.Namespace, kind: str, place: Path, folder: Path) -> Record:  # noqa: ARG001
    mixture = Mixture(options.dimension, options.clusters, options.seed)
    vectors, _ = mixture.draw(options.n, 0)
    start = perf_counter()
    if kind == RAW:
        index = _raw(options, vectors)
        measured = {"seconds": perf_counter() - start}
        import_faiss().write_index(index, str(place))
        return measured
    name, _, quantizer = kind.partition(" ")
    ours = VectorIndex(options.dimension, kind=name, quantizer=quantizer or None)  # type: ignore[arg-type]
    ours.add(np.arange(options.n), vectors)
    explained = ours.explain()  # makes the lists
    measured = {"seconds": perf_counter() - start}
    start = perf_counter()
    ours.save(place)
    return {**measured, "save": perf_counter() - start, "explained": explained}


def _search(options: argparse.Namespace, kind: str, place: Path, folder: Path) -> Record:
    faiss = import_faiss()
    mixture = Mixture(options.dimension, options.clusters, options.seed)
    queries, _ = mixture.draw(options.queries, 1)
    before = _resident()
    if kind != RAW:
        VectorIndex.load(place)  # whoever opened it before has read and noted its files
    start = perf_counter()
    if kind == RAW:
        raw = faiss.read_index(str(place))
        raw.k_factor = _REFINED
        faiss.extract_index_ivf(raw.base_index).nprobe = _PROBED
        mapped = 0.0

        def search(some: NDArray[np.float32]) -> NDArray[Any]:
            found: NDArray[Any] = raw.search(some, options.k)[1]
            return found
    else:
        index = VectorIndex.load(place)
        mapped = _mapped_mib(place, kind)

        def search(some: NDArray[np.float32]) -> NDArray[Any]:
            return index.search(some, options.k).ids

    search(queries[:1])
    opened = perf_counter() - start
    start = perf_counter()
    found = search(queries)
    batch = perf_counter() - start
    singles = [_seconds(search, queries[i : i + 1]) for i in range(options.singles)]
    truth = np.load(folder / "truth.npy")
    hits = [np.isin(a, b).mean() for a, b in zip(found, truth, strict=True)]
    return {
        "open": opened,
        "batch_per_second": len(queries) / batch,
        "single_p50": median(singles),
        "recall": float(np.mean(hits)),
        "needed_mib": _resident() - before + mapped,
    }


def _turns(options: argparse.Namespace, kind: str, place: Path, folder: Path) -> Record:  # noqa: ARG001
    """Search ours and raw FAISS's by turns: one process, the same disturbances."""
    queries, _ = Mixture(options.dimension, options.clusters, options.seed).draw(options.queries, 1)
    truth = np.load(folder / "truth.npy")
    ours, raw = VectorIndex.load(_place(folder, OURS)), import_faiss().read_index(str(place))
    lists = import_faiss().extract_index_ivf(raw.base_index)
    measured: Record = {}
    for _ in range(1 + 3 * options.repeats):  # the first warms up
        for name in (OURS, *_SETTINGS):
            if name != OURS:
                lists.nprobe, raw.k_factor = name
            start = perf_counter()
            if name == OURS:
                found = ours.search(queries, options.k).ids
            else:
                found = raw.search(queries, options.k)[1]
            seconds = perf_counter() - start
            told = name if name == OURS else "raw FAISS, {} probed, {} refined".format(*name)
            arm = measured.setdefault(told, {"seconds": [], "n_queries": len(queries)})
            arm["seconds"].append(seconds)
            arm["recall"] = float(
                np.mean([np.isin(*pair) for pair in zip(found, truth, strict=True)])
            )
    for arm in measured.values():
        del arm["seconds"][0]
    return measured


def _raw(options: argparse.Namespace, vectors: NDArray[np.float32]) -> Any:
    faiss = import_faiss()
    n_lists = round(options.n**0.5)
    codes = f"IVF{n_lists},PQ{options.dimension // 4}x4fs,Refine(SQ8)"
    index = faiss.index_factory(options.dimension, codes, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[:: max(1, len(vectors) // (64 * n_lists))])
    index.add(vectors)
    return index


def _mapped_mib(place: Path, kind: str) -> float:
    """Count the files that every search reads through: the rows of a flat index, or the lists.

    Rows that are measured anew are not counted: they stay on disk, read where they are needed.
    """
    manifest = json.loads((place / "manifest.json").read_text())
    if kind == "flat":
        entries = [segment["rows"] for segment in manifest["segments"]] + [manifest["sketch"]]
    else:
        entries = [manifest["lists"]]
    return sum((place / entry["name"]).stat().st_size for entry in entries if entry) / 2**20


def _resident() -> float:
    return memory_mib("RssAnon") or 0.0


def _seconds(search: Any, queries: NDArray[np.float32]) -> float:
    start = perf_counter()
    search(queries)
    return perf_counter() - start


if __name__ == "__main__":
    main()
