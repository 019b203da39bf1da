"""The map of many photos against umap-learn alone, with the same seed and parameters.

The texts' vectors are drawn from clusters, see `_mixture`. Both run in one thread, by turns.
"""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import EventMap
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks._records import Record

NAME = "event_map"
_DIMENSION, _CLUSTERS, _NEIGHBORS = 384, 300, 15
_ARMS = {
    "umap-learn": "umap-learn alone",
    "EventMap": "`EventMap.fit`",
    "neighbors": "the same, exact neighbours given",
    "knn": "these neighbours, looked for by FAISS",
    "transform": "`EventMap.transform`, a tenth as many again",
    "theirs": "`UMAP.transform` of the same",
}


def main(argv: list[str] | None = None) -> None:
    """Fit by turns; what does not belong to the bar is measured once."""
    options = arguments(__doc__, n=50_000, repeats=2).parse_args(argv)
    settings = {"n": options.n, "dimension": _DIMENSION, "repeats": options.repeats}
    run = Run(NAME, settings, folder=options.records)
    mixture = Mixture(_DIMENSION, _CLUSTERS, 0)
    vectors, new = mixture.draw(options.n, 1)[0], mixture.draw(options.n // 10, 2)[0]
    umap_learn().fit(vectors[:5_000]).transform(new[:100])  # so that all is compiled
    for repeat in range(options.repeats):
        theirs = timed(run, "umap-learn", repeat, partial(umap_learn().fit, vectors))
        mine = timed(run, "EventMap", repeat, partial(EventMap().fit, vectors))
    timed(run, "theirs", 0, partial(theirs.transform, new))
    timed(run, "transform", 0, partial(mine.transform, new))
    known = timed(run, "knn", 0, partial(knn, vectors, vectors, _NEIGHBORS, "cosine"))
    timed(run, "neighbors", 0, partial(EventMap().fit, vectors, neighbors=known))
    print(table(run.records))


def umap_learn() -> Any:
    """Make umap-learn's own with the parameters of a new `EventMap`."""
    import umap

    return umap.UMAP(
        n_neighbors=_NEIGHBORS, min_dist=0.1, metric="cosine", random_state=0, n_jobs=1
    )


def timed(run: Run, arm: str, repeat: int, work: Callable[[], Any]) -> Any:
    """Keep how long work took by the clock and on the processor, and give what it made."""
    clock, processor = perf_counter(), process_time()
    made = work()
    found = {"seconds": perf_counter() - clock, "cpu_seconds": process_time() - processor}
    run.add({"what": arm}, repeat, found, threads=1, seed=0)
    return made


def table(records: list[Record]) -> str:
    """Write the medians, and the ratio that the bar is about."""
    rows = []
    for arm, said in _ARMS.items():
        some = of_arm(records, what=arm)
        if some:
            seconds, cpu = (median(figures(some, name)) for name in ("seconds", "cpu_seconds"))
            rows.append([said, f"{seconds:.1f}", f"{cpu:.1f}"])
    pairs = [
        figures(of_arm(records, what=arm), "cpu_seconds") for arm in ("EventMap", "umap-learn")
    ]
    ratio = paired_ratio(*pairs)
    return markdown(["", "s", "s of processor"], rows) + (
        f"\n\n`EventMap` takes {ratio:.2f} times the processor time of umap-learn (bar: 1.10)."
    )


if __name__ == "__main__":
    main()
