"""The map of many photos against umap-learn alone, with the same seed and parameters.

The texts' vectors are drawn from clusters, see `_mixture`. Both run in one thread, by turns.
"""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import EventMap, VectorIndex
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "event_map"
_DIMENSION, _CLUSTERS, _NEIGHBORS = 384, 300, 15
_JUDGED = 2_000  # rows whose neighbours are compared with the true ones
_ARMS = {
    "umap-learn": "umap-learn alone",
    "EventMap": "`EventMap.fit`",
    "neighbors": "the same, exact neighbours given",
    "knn": "these neighbours, looked for by FAISS",
    "nn-descent": "the same, looked for by umap-learn's NN-descent",
    "auto": "the same, from the index that a store keeps",
    "hnsw": "the same, from a graph (HNSW) that is there",
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
    look_for_neighbors(run, vectors, known[1])
    print(table(run.records))


def look_for_neighbors(run: Run, vectors: NDArray[np.float32], exact: NDArray[np.int64]) -> None:
    """Time the ways to the neighbours that UMAP begins with, and tell what each of them finds."""
    from umap.umap_ import nearest_neighbors

    sample = np.random.default_rng(0).permutation(len(vectors))[:_JUDGED]

    def recall(found: NDArray[np.int64]) -> dict[str, float]:
        shared = [len(set(found[i]) & set(exact[i])) for i in sample]
        return {"recall": float(np.mean(shared)) / _NEIGHBORS}

    descent = partial(
        nearest_neighbors,
        *(vectors, _NEIGHBORS, "cosine", {}, False),
        random_state=np.random.RandomState(0),
        n_jobs=1,
    )
    timed(run, "nn-descent", 0, lambda: descent()[0], recall)
    for kind in ("auto", "hnsw"):
        index = VectorIndex(_DIMENSION, kind=kind)
        index.add(np.arange(len(vectors)), vectors)
        index.search(vectors[:1], k=_NEIGHBORS)  # it is there, and trained
        timed(run, kind, 0, lambda index=index: index.search(vectors, k=_NEIGHBORS).ids, recall)


def umap_learn() -> Any:
    """Make umap-learn's own with the parameters of a new `EventMap`."""
    import umap

    return umap.UMAP(
        n_neighbors=_NEIGHBORS, min_dist=0.1, metric="cosine", random_state=0, n_jobs=1
    )


def timed(
    run: Run,
    arm: str,
    repeat: int,
    work: Callable[[], Any],
    judge: Callable[[Any], dict[str, float]] = lambda _: {},
) -> Any:
    """Keep how long work took by the clock and on the processor, and give what it made."""
    clock, processor = perf_counter(), process_time()
    made = work()
    found = {"seconds": perf_counter() - clock, "cpu_seconds": process_time() - processor}
    found |= judge(made)
    run.add({"what": arm}, repeat, found, threads=1, seed=0)
    return made


def table(records: list[Record]) -> str:
    """Write the medians, and the ratio that the bar is about."""
    rows = []
    for arm, said in _ARMS.items():
        some = of_arm(records, what=arm)
        if some:
            seconds, cpu = (median(figures(some, name)) for name in ("seconds", "cpu_seconds"))
            if "recall" in some[0]["figures"]:
                said += f", of which {median(figures(some, 'recall')):.3f} are true"
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
