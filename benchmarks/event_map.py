"""The map of many photos against umap-learn alone, with the same seed and parameters.

The texts' vectors are drawn from clusters, see `_mixture`. UMAP runs in one thread, FAISS in all;
what is compared is the time of the processor. In a process of its own, as on the command line,
numba has to compile what is used; elsewhere all is compiled before. With `--data` the pictures of
real captions and memories are judged: by how many of the fifteen nearest texts are among the
fifteen, and the hundred, nearest points, and by the rank correlation of the distances of pairs.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks._event_data import rows_of
from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import EventMap, SentenceEmbedder, VectorIndex
from rememberai.events.kmeans import canonical_order
from rememberai.index.knn import knn
from rememberai.report.neighbors import nearest_of_each

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
    "umap-learn, new": "umap-learn alone, in a process of its own",
    "EventMap, new": "`EventMap.fit`, in a process of its own",
    "neighbors": "`EventMap.fit`, exact neighbours given",
    "knn": "these neighbours, looked for by FAISS",
    "cells": "the same, looked for by `EventMap`",
    "nn-descent": "the same, looked for by umap-learn's NN-descent",
    "auto": "the same, from the index that a store keeps",
    "hnsw": "the same, from a graph (HNSW) that is there",
    "transform": "`EventMap.transform`, a tenth as many again",
    "theirs": "`UMAP.transform` of the same",
}
_KEPT = {
    "kept_in_15": "of 15 nearest among 15",
    "kept_in_100": "among 100",
    "rank_correlation": "rank correlation of distances",
}


def main(argv: list[str] | None = None) -> None:
    """Fit by turns; what does not belong to the bar is measured once."""
    parser = arguments(__doc__, n=50_000, repeats=2)
    parser.add_argument("--data", type=Path, help="folder of the real data")
    parser.add_argument("--most-texts", type=int, help="an even part of the real texts")
    options = parser.parse_args(argv)
    settings = {"n": options.n, "dimension": _DIMENSION, "repeats": options.repeats}
    run = Run(NAME, settings, folder=options.records)
    mixture = Mixture(_DIMENSION, _CLUSTERS, 0)
    vectors, new = mixture.draw(options.n, 1)[0], mixture.draw(options.n // 10, 2)[0]
    for repeat in range(options.repeats):
        for arm in ("umap-learn", "EventMap"):
            run.add({"what": f"{arm}, new"}, repeat, by_itself(arm, options.n), threads=1, seed=0)
    umap_learn().fit(vectors[:5_000]).transform(new[:100])  # so that all is compiled
    for repeat in range(options.repeats):
        theirs = timed(run, "umap-learn", repeat, partial(umap_learn().fit, vectors))
        mine = timed(run, "EventMap", repeat, partial(EventMap().fit, vectors))
    timed(run, "theirs", 0, partial(theirs.transform, new))
    timed(run, "transform", 0, partial(mine.transform, new))
    known = timed(run, "knn", 0, partial(knn, vectors, vectors, _NEIGHBORS, "cosine"))
    timed(run, "neighbors", 0, partial(EventMap().fit, vectors, neighbors=known))
    look_for_neighbors(run, vectors, known[1])
    if options.data is not None:
        judge_pictures(run, real_vectors(options.data, options.most_texts))
    print(table(run.records))


def by_itself(arm: str, n: int) -> Record:
    """Lay vectors out in a new process, and give the times that it took to import and to fit."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_fitted_there, arm, n).result()


def _fitted_there(arm: str, n: int) -> Record:
    vectors = Mixture(_DIMENSION, _CLUSTERS, 0).draw(n, 1)[0]
    return times(lambda: (umap_learn() if arm == "umap-learn" else EventMap()).fit(vectors))[1]


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
    order = canonical_order(vectors)

    def cells() -> NDArray[np.intp]:
        found = np.empty_like(exact)
        found[order] = order[nearest_of_each(vectors[order], _NEIGHBORS, "cosine")[0]]
        return found

    timed(run, "cells", 0, cells, recall)
    for kind in ("auto", "hnsw"):
        index = VectorIndex(_DIMENSION, kind=kind)
        index.add(np.arange(len(vectors)), vectors)
        index.search(vectors[:1], k=_NEIGHBORS)  # it is there, and trained
        timed(run, kind, 0, lambda index=index: index.search(vectors, k=_NEIGHBORS).ids, recall)


def real_vectors(data: Path, most: int | None) -> NDArray[np.float32]:
    """Embed the captions and memories of the real data, each once."""
    rows = rows_of(data / "coco_val2017_minus_karpathy_captions.jsonl")
    texts = {row["caption"] for row in rows}
    texts |= {row["text"] for row in rows_of(data / "happydb_concepts.jsonl")}
    some = sorted(texts)[:: 1 if most is None else -(-len(texts) // most)]
    vectors: NDArray[np.float32] = np.unique(SentenceEmbedder(offline=True).encode(some), axis=0)
    return vectors


def judge_pictures(run: Run, vectors: NDArray[np.float32]) -> None:
    """Lay real vectors out in each way, and tell what the pictures keep."""
    random = np.random.default_rng(0)
    sample = random.permutation(len(vectors))[:_JUDGED]
    nearest = knn(vectors[sample], vectors, _NEIGHBORS + 1, "cosine")[1][:, 1:]
    a, b = random.integers(len(vectors), size=(2, 10 * _JUDGED))
    true = 1 - np.einsum("nd,nd->n", vectors[a], vectors[b])

    def kept(picture: NDArray[np.float32]) -> dict[str, float]:
        seen = knn(picture[sample], picture, min(101, len(picture)), "l2")[1][:, 1:]
        near = (seen[:, :, None] == nearest[:, None]).any(axis=2)
        found = {f"kept_in_{n}": near[:, :n].sum() / nearest.size for n in (_NEIGHBORS, 100)}
        apart = np.linalg.norm(picture[a] - picture[b], axis=1)
        return found | {"rank_correlation": float(spearmanr(true, apart)[0])}

    for said, layout in (
        ("umap-learn, from eigenvectors", umap_learn(init="spectral")),
        ("umap-learn, from PCA", umap_learn()),
        ("`EventMap`", EventMap()),
    ):
        timed(run, said, 0, partial(layout.fit_transform, vectors), kept, of="picture")


def umap_learn(init: str = "pca") -> Any:
    """Make umap-learn's own with the parameters of a new `EventMap`."""
    import umap

    return umap.UMAP(
        n_neighbors=_NEIGHBORS, min_dist=0.1, metric="cosine", init=init, random_state=0, n_jobs=1
    )


def timed(
    run: Run,
    arm: str,
    repeat: int,
    work: Callable[[], Any],
    judge: Callable[[Any], dict[str, float]] = lambda _: {},
    of: str = "what",
) -> Any:
    """Keep how long work took by the clock and on the processor, and give what it made."""
    made, found = times(work)
    run.add({of: arm}, repeat, found | judge(made), threads=1, seed=0)
    return made


def times(work: Callable[[], Any]) -> tuple[Any, Record]:
    """Give what work made, and how long it took."""
    clock, processor = perf_counter(), process_time()
    made = work()
    return made, {"seconds": perf_counter() - clock, "cpu_seconds": process_time() - processor}


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
    ratios = [_ratio(records, of) for of in ("", ", new")]
    return markdown(["", "s", "s of processor"], rows) + (
        f"\n\n`EventMap` takes {ratios[0]:.2f} times the processor time of umap-learn (bar: 1.10), "
        f"and {ratios[1]:.2f} times in a process of its own." + _of_pictures(records)
    )


def _of_pictures(records: list[Record]) -> str:
    rows = [
        [record["arm"]["picture"], *(f"{record['figures'][name]:.3f}" for name in _KEPT)]
        for record in records
        if "picture" in record["arm"]
    ]
    return f"\n\n{markdown(['pictures of real texts', *_KEPT.values()], rows)}" if rows else ""


def _ratio(records: list[Record], of: str) -> float:
    arms = (of_arm(records, what=arm + of) for arm in ("EventMap", "umap-learn"))
    return paired_ratio(*(figures(arm, "cpu_seconds") for arm in arms))


if __name__ == "__main__":
    main()
