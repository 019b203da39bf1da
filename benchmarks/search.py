"""Exact search over many vectors: `VectorIndex` against raw FAISS, its BLAS set right or not."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from statistics import mean, median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._records import ROOT, Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import VectorIndex
from rememberai._faiss import import_faiss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks._records import Record
    from rememberai.records import Metric

NAME = "search"
METRICS: tuple[Metric, ...] = ("cosine", "l2")
INSTALLED = "raw FAISS as installed"
FALLBACK = "raw FAISS with the kernel for unknown CPUs"
_KERNELS: dict[str, str | None] = {INSTALLED: None}
if platform.machine() in ("x86_64", "AMD64"):
    _KERNELS[FALLBACK] = "Prescott"  # which its OpenBLAS takes Intel CPUs newer than itself for
_FEW = 32  # queries, about as many as an album has photos
_CHECKED = 100  # queries whose neighbours are compared with float64 brute force


def main(argv: list[str] | None = None) -> None:
    """Search by turns with both, for each metric and number of threads."""
    parser = arguments(__doc__, queries=1_000, k=10, dimension=384, repeats=7, seed=0, singles=100)
    parser.add_argument("--n", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--installed", help=argparse.SUPPRESS)  # the metric, in a child process
    options = parser.parse_args(argv)
    if options.installed:
        print(json.dumps(_as_installed(options, options.installed)))
        return
    names = ("n", "queries", "k", "dimension", "singles")
    settings = {name: getattr(options, name) for name in names}
    run = Run(NAME, settings, folder=options.records)
    for n in options.n:
        base, queries = _vectors(options, n)
        for metric in METRICS:
            _measure(run, options, metric, base, queries)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write medians, and the ratio within a repeat."""
    cases = {(r["arm"]["n"], r["arm"]["metric"], r["threads"]): None for r in records}
    rows = [
        _row(f"{n:,} rows, {metric}, {threads} thread{'s' * (threads > 1)}", alike)
        for n, metric, threads in cases
        if (alike := [r for r in of_arm(records, n=n, metric=metric) if r["threads"] == threads])
    ]
    header = ["", "raw FAISS s", "`VectorIndex` s", "ratio, bar 1.05", "of minima", "of CPU time"]
    header += ["recall", "times faster than as installed (queries with other neighbours)"]
    header += ["times faster than with the kernel for unknown CPUs, bar 3"]
    header += ["raw, one query ms", "`VectorIndex`, one query ms", "ratio, bar 0.6"]
    header += [f"{_FEW} queries, as installed ms", f"`VectorIndex`, {_FEW} queries ms"]
    return markdown(header, rows)


def _row(case: str, records: list[Record]) -> list[str]:
    arms = [of_arm(records, what=what) for what in ("raw FAISS", "VectorIndex")]
    raw, ours = (figures(arm, "batch") for arm in arms)
    raw_cpu, cpu = (figures(arm, "batch_cpu") for arm in arms)
    raw_one, one = (figures(arm, "single_p50") for arm in arms)
    return [
        case,
        f"{median(raw):.3f}",
        f"{median(ours):.3f}",
        f"{paired_ratio(ours, raw):.3f}",
        f"{min(ours) / min(raw):.3f}",
        f"{paired_ratio(cpu, raw_cpu):.3f}",
        f"{arms[1][0]['figures']['recall']:.3f}",
        *(_times_faster(of_arm(records, what=what), ours) for what in (INSTALLED, FALLBACK)),
        f"{1000 * median(raw_one):.1f}",
        f"{1000 * median(one):.1f}",
        f"{paired_ratio(one, raw_one):.2f}",
        *(_few(of_arm(records, what=what)) for what in (INSTALLED, "VectorIndex")),
    ]


def _few(records: list[Record]) -> str:
    return f"{1000 * median(figures(records, 'few')):.1f}"


def _times_faster(other: list[Record], ours: list[float]) -> str:
    if not other:
        return ""
    differing = max(figures(other, "differing"))
    return f"{paired_ratio(figures(other, 'batch'), ours):.1f} ({differing})"


def _measure(
    run: Run,
    options: argparse.Namespace,
    metric: Metric,
    base: NDArray[np.float32],
    queries: NDArray[np.float32],
) -> None:
    faiss = import_faiss()
    ids = np.array([f"photo-{i:07d}" for i in range(len(base))], dtype=object)
    index = VectorIndex(base.shape[1], metric=metric, kind="flat")
    index.add(ids, base)
    raw, raw_queries = _raw(metric, base), _prepared(metric, queries)
    k = options.k
    arms: dict[str, Callable[[NDArray[np.float32]], Any]] = {
        "raw FAISS": lambda x: raw.search(x, k),
        "VectorIndex": lambda x: index.search(x, k),
    }
    given = {"raw FAISS": raw_queries, "VectorIndex": queries}
    exact = _brute_force(_prepared(metric, base), raw_queries[:_CHECKED], k)
    for threads in options.threads:
        faiss.omp_set_num_threads(threads)
        found = index.search(queries, k).ids
        _check_same(found, ids[raw.search(raw_queries, k)[1]])
        recall = np.mean([np.isin(a, ids[b]).mean() for a, b in zip(found, exact, strict=False)])
        for repeat in range(options.repeats):
            seconds: dict[str, list[float]] = {arm: [] for arm in arms}
            cpu: dict[str, list[float]] = {arm: [] for arm in arms}
            forth = list(arms)[:: 1 if repeat % 2 else -1]
            for arm in (*forth, *reversed(forth)):  # there and back: no arm is always the first
                before = process_time()
                seconds[arm].append(_seconds(arms[arm], given[arm]))
                cpu[arm].append(process_time() - before)
            for arm in arms:
                measured = {
                    "batch": mean(seconds[arm]),
                    "batch_cpu": mean(cpu[arm]),
                    "single_p50": median(
                        _seconds(arms[arm], given[arm][i : i + 1]) for i in range(options.singles)
                    ),
                    "few": _seconds(arms[arm], given[arm][:_FEW]),
                    "recall": float(recall),
                }
                about: Record = {"n": len(base), "metric": metric, "what": arm}
                run.add(about, repeat, measured, threads=threads, seed=options.seed)
        for repeat in range(options.repeats):  # apart, since another process takes the caches
            for what, core in _KERNELS.items():
                measured = _child(options, len(base), metric, threads, core)
                pairs = zip(measured.pop("neighbours"), _sorted_positions(found, ids), strict=True)
                measured["differing"] = sum(theirs != ours for theirs, ours in pairs)
                about = {"n": len(base), "metric": metric, "what": what}
                run.add(about, repeat, measured, threads=threads, seed=options.seed)


def _vectors(
    options: argparse.Namespace, n: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(options.seed)
    base = random.standard_normal((n, options.dimension), dtype=np.float32)
    return base, random.standard_normal((options.queries, options.dimension), dtype=np.float32)


def _child(
    options: argparse.Namespace, n: int, metric: Metric, threads: int, core: str | None
) -> Record:
    """Search with FAISS in a process that names its BLAS a kernel, or leaves it the choice."""
    command = [sys.executable, "-m", f"benchmarks.{NAME}", "--installed", metric]
    command += ["--n", str(n)]
    for name in ("queries", "k", "dimension", "seed"):
        command += [f"--{name}", str(getattr(options, name))]
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    if core is not None:
        environment["OPENBLAS_CORETYPE"] = core
    done = subprocess.run(
        [*command, "--threads", str(threads)],
        cwd=ROOT,
        env={**environment, "REMEMBERAI_BLAS_FIX": "0"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: Record = json.loads(done.stdout)
    return measured


def _as_installed(options: argparse.Namespace, metric: Metric) -> Record:
    import_faiss().omp_set_num_threads(options.threads[0])
    base, queries = _vectors(options, options.n[0])
    raw, queries = _raw(metric, base), _prepared(metric, queries)
    found = raw.search(queries, options.k)[1]
    batch = _seconds(lambda x: raw.search(x, options.k), queries)
    few = _seconds(lambda x: raw.search(x, options.k), queries[:_FEW])
    return {"batch": batch, "few": few, "neighbours": np.sort(found, axis=1).tolist()}


def _sorted_positions(found: NDArray[Any], ids: NDArray[Any]) -> list[list[int]]:
    positions = {name: i for i, name in enumerate(ids.tolist())}
    return [sorted(positions[name] for name in row) for row in found.tolist()]


def _raw(metric: Metric, base: NDArray[np.float32]) -> Any:
    faiss = import_faiss()
    make = faiss.IndexFlatIP if metric == "cosine" else faiss.IndexFlatL2
    index = make(base.shape[1])
    index.add(_prepared(metric, base))
    return index


def _prepared(metric: Metric, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    if metric == "l2":
        return vectors
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _brute_force(
    base: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> NDArray[np.intp]:
    """Find the k nearest in float64; the Euclidean order is that of the cosine on unit vectors."""
    exact = base.astype(np.float64)
    products = queries.astype(np.float64) @ exact.T
    return np.argsort((exact**2).sum(axis=1) - 2 * products, axis=1)[:, :k]


def _check_same(ours: NDArray[Any], raw: NDArray[Any]) -> None:
    differing = sum(set(a) != set(b) for a, b in zip(ours, raw, strict=True))
    if differing:
        raise SystemExit(f"{differing} of {len(ours)} queries found other neighbours than FAISS")


def _seconds(function: Callable[[NDArray[np.float32]], Any], queries: NDArray[np.float32]) -> float:
    start = perf_counter()
    function(queries)
    return perf_counter() - start


if __name__ == "__main__":
    main()
