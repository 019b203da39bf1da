"""How long events take to find, to teach and to tell, against FAISS alone."""

from __future__ import annotations

from itertools import product
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import EventAssigner, EventPrototypes
from rememberai._faiss import import_faiss
from rememberai.events.kmeans import kmeans
from rememberai.events.selections import SELECTIONS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks._records import Record
    from rememberai.records import Metric

    Vectors = NDArray[np.float32]
    Arms = dict[str, Callable[[], Any]]

NAME = "events_speed"
METRICS: tuple[Metric, ...] = ("cosine", "l2")
RAW, OURS = "FAISS", "RememberAI"
FEWER, SAMPLED = "RememberAI, a fifth fewer iterations", "FAISS on its sample of 256 a cluster"
KNN, VOTE = "`faiss.knn` alone", "the vote"
# Clusters that the points of k-means are drawn from: so few that k-means goes on to improve, since
# FAISS leaves out the iterations that would change nothing.
_MIXED = 10
_EACH = 10  # prototypes of an event
# 0.1 s on a machine where `faiss.knn` finds the nearest of 620 to 10,000 photos in 32 ms.
_BAR = 0.1 / 0.032


def main(argv: list[str] | None = None) -> None:
    """Time by turns k-means, the choice of prototypes, and the vote."""
    parser = arguments(
        __doc__,
        n=100_000,
        dimension=384,
        k=100,
        iterations=25,
        events=62,
        photos=10_000,
        repeats=5,
        seed=0,
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(argv)
    names = ("n", "dimension", "k", "iterations", "events", "photos")
    settings = {name: getattr(options, name) for name in names}
    run = Run(NAME, settings, folder=options.records)
    import_faiss()  # so that its threads are limited too
    for threads in options.threads:
        with threadpool_limits(threads):
            _vote(run, options, threads)
            _prototypes(run, options, threads)
            _kmeans(run, options, threads)
    print(table(run.records))


def _kmeans(run: Run, options: argparse.Namespace, threads: int) -> None:
    points = Mixture(options.dimension, _MIXED, options.seed).draw(options.n, 1)[0]
    most = options.iterations
    for metric in METRICS:
        arms: Arms = {
            RAW: lambda m=metric: _by_faiss(points, options, m, len(points)),
            OURS: lambda m=metric: _by_the_library(points, options, m, most),
            FEWER: lambda m=metric: _by_the_library(points, options, m, most - most // 5),
            SAMPLED: lambda m=metric: _by_faiss(points, options, m, 256),
        }
        for repeat, (arm, seconds, centroids) in _by_turns(arms, options.repeats):
            squares = import_faiss().knn(points, centroids, 1)[0]
            found = {"seconds": seconds, "error": float(squares.mean(dtype=np.float64))}
            what = {"task": "k-means", "metric": metric, "what": arm}
            run.add(what, repeat, found, threads=threads, seed=options.seed)


def _by_faiss(points: Vectors, options: argparse.Namespace, metric: Metric, most: int) -> Vectors:
    found = import_faiss().Kmeans(
        options.dimension,
        options.k,
        niter=options.iterations,
        spherical=metric == "cosine",
        max_points_per_centroid=most,
    )
    found.train(points)
    centroids: Vectors = found.centroids
    return centroids


def _by_the_library(
    points: Vectors, options: argparse.Namespace, metric: Metric, most: int
) -> Vectors:
    return kmeans(
        points, options.k, metric=metric, n_init=1, max_iter=most, random_state=options.seed
    )[0]


def _prototypes(run: Run, options: argparse.Namespace, threads: int) -> None:
    mixture = Mixture(options.dimension, options.events, options.seed)
    seeds, of = mixture.draw(options.n, 1)
    photos = mixture.draw(options.photos, 2)[0]
    events = [f"event {i}" for i in of.tolist()]
    faiss, n = import_faiss(), _EACH * options.events
    arms: Arms = {
        selection: lambda s=selection: EventPrototypes(_EACH, selection=s).fit(seeds, events)
        for selection in SELECTIONS
    } | {KNN: lambda: faiss.knn(photos, seeds[:n], _EACH, faiss.METRIC_INNER_PRODUCT)}
    for repeat, (selection, seconds, _) in _by_turns(arms, options.repeats):
        what = {"task": "prototypes", "what": selection}
        run.add(what, repeat, {"seconds": seconds}, threads=threads, seed=options.seed)


def _vote(run: Run, options: argparse.Namespace, threads: int) -> None:
    mixture = Mixture(options.dimension, options.events, options.seed)
    seeds, of = mixture.draw(50 * options.events, 1)
    photos = mixture.draw(options.photos, 2)[0]
    events = [f"event {i}" for i in of.tolist()]
    teach = EventPrototypes(selection="centroid")
    by_vote = EventAssigner(teach, method="kernel").fit(seeds, events)
    by_all = EventAssigner(teach).fit(seeds, events)
    vote: Any = by_vote.opinions_.opinions_["vote"]
    prototypes = by_vote.prototypes_.vectors_
    faiss = import_faiss()
    arms: Arms = {
        KNN: lambda: faiss.knn(photos, prototypes, vote.k, faiss.METRIC_INNER_PRODUCT),
        VOTE: lambda: vote.probabilities(photos),
        "`assign`, the vote alone": lambda: by_vote.assign(photos),
        "`assign`, all opinions": lambda: by_all.assign(photos),
    }
    for repeat, (arm, seconds, _) in _by_turns(arms, 4 * options.repeats):
        what = {"task": "vote", "what": arm, "prototypes": len(prototypes)}
        run.add(what, repeat, {"seconds": seconds}, threads=threads, seed=options.seed)


def _by_turns(arms: Arms, repeats: int) -> Any:
    """Time each arm once a repeat, the other way round every second time; the first is thrown away.

    Yields
    ------
    tuple
        The number of the repeat, and the arm's name, its seconds and what it gave.
    """
    for repeat in range(-1, repeats):
        for arm in list(arms)[:: -1 if repeat % 2 else 1]:
            start = perf_counter()
            given = arms[arm]()
            seconds = perf_counter() - start
            if repeat >= 0:
                yield repeat, (arm, seconds, given)


def table(records: list[Record]) -> str:
    """Write medians, and the ratios within a repeat."""
    numbers = sorted({r["threads"] for r in records})
    both = product(numbers, METRICS)
    clusters = [row for threads, metric in both for row in _rows(records, threads, metric)]
    told = [row for threads in numbers for row in _rows(records, threads)]
    chosen = [
        [selection] + [text for threads in numbers for text in _choice(records, threads, selection)]
        for selection in (*SELECTIONS, KNN)
    ]
    header = [f"{each}, {unit}" for each in numbers for unit in ("s", "ratio")]
    parts = [
        "K-means:",
        markdown(["", "s", "ratio to FAISS, bar 1.1", "mean squared error"], clusters),
        "Prototypes of all seeds, by threads: seconds (bar 0.1), and times `faiss.knn` (0.1 s is "
        f"{_BAR:.1f} times where that takes 32 ms):",
        markdown(["selection", *header], chosen),
        "Photos told by the prototypes' vote:",
        markdown(["", "ms", "ratio to `faiss.knn`, bar 1.4"], told),
    ]
    return "\n\n".join(parts)


def _of(records: list[Record], threads: int, **arm: Any) -> list[Record]:
    return [r for r in of_arm(records, **arm) if r["threads"] == threads]


def _choice(records: list[Record], threads: int, selection: str) -> list[str]:
    """Write the median seconds of a selection, and their ratio to those of the search."""
    some = _of(records, threads, task="prototypes")
    seconds = figures(of_arm(some, what=selection), "seconds")
    search = figures(of_arm(some, what=KNN), "seconds")
    return [f"{median(seconds):.3f}", f"{median(seconds) / median(search):.1f}"]


def _rows(records: list[Record], threads: int, metric: Metric | None = None) -> list[list[str]]:
    """Make the rows of k-means under a metric, or of the vote."""
    where: Record = {"metric": metric, "task": "k-means"} if metric else {"task": "vote"}
    some = _of(records, threads, **where)
    arms = list(dict.fromkeys(r["arm"]["what"] for r in sorted(some, key=lambda r: r["repeat"])))
    alone = figures(of_arm(some, what=RAW if metric else KNN), "seconds")
    rows = []
    for arm in arms:
        these = of_arm(some, what=arm)
        seconds = figures(these, "seconds")
        name = ", ".join(filter(None, [arm, metric, f"{threads} thread{'s' * (threads > 1)}"]))
        row = [name, f"{median(seconds) if metric else 1000 * median(seconds):.3g}"]
        row.append(f"{paired_ratio(seconds, alone):.2f}")
        rows.append(row + ([f"{median(figures(these, 'error')):.4f}"] if metric else []))
    return rows


if __name__ == "__main__":
    main()
