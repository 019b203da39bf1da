"""Search among some of the vectors: `VectorIndex` against lists with a selector, by selectivity."""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai import VectorIndex
from rememberai._faiss import import_faiss
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "index_filters"
SHARES = (0.5, 0.1, 0.02, 0.005, 0.001)
FOLLOWS = ("chance", "clusters")
ARMS = ("VectorIndex", "lists with a selector")
_PROBED, _MEASURED = 64, 200


def main(argv: list[str] | None = None) -> None:
    """Ask by turns, for each share of the vectors and each way to choose them."""
    parser = arguments(
        __doc__, n=1_000_000, queries=100, k=10, dimension=384, clusters=4_000, repeats=3, seed=0,
        singles=20, threads=2,
    )  # fmt: skip
    options = parser.parse_args(argv)
    names = ("n", "queries", "k", "dimension", "clusters", "singles")
    run = Run(NAME, {name: getattr(options, name) for name in names}, folder=options.records)
    import_faiss().omp_set_num_threads(options.threads)
    mixture = Mixture(options.dimension, options.clusters, options.seed)
    vectors, of = mixture.draw(options.n, 0)
    queries, _ = mixture.draw(options.queries, 1)
    index = VectorIndex(options.dimension, kind="flat")
    index.add(np.arange(options.n), vectors)
    lists = _lists(vectors)
    random = np.random.default_rng([options.seed, 2])
    chances, kept = random.random(options.n), random.permutation(options.clusters)
    for share in SHARES:
        masks = {
            "chance": chances < share,
            "clusters": np.isin(of, kept[: max(1, round(share * options.clusters))]),
        }
        for follows, mask in masks.items():
            searches = {
                ARMS[0]: _ours(index, mask, options.k),
                ARMS[1]: _selecting(lists, vectors, mask, options.k),
            }
            truth = _exact(queries, vectors, mask, options.k)
            for repeat in range(options.repeats):
                for arm in ARMS[:: 1 if repeat % 2 else -1]:
                    measured = _measure(searches[arm], queries, truth, options)
                    about: Record = {"share": share, "follows": follows, "what": arm}
                    run.add(about, repeat, measured, threads=options.threads, seed=options.seed)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write medians over the repeats."""
    rows = []
    for follows in FOLLOWS:
        for share in SHARES:
            row = [f"{100 * share:g}%, by {follows}"]
            for what in ARMS:
                arm = of_arm(records, share=share, follows=follows, what=what)
                row += [
                    f"{median(figures(arm, 'recall')):.3f}",
                    f"{1000 * median(figures(arm, 'single_p50')):.1f}",
                    f"{1000 * median(figures(arm, 'batch')):.0f}",
                ]
            rows.append(row)
    header = ["allowed"]
    for what in ("", "selector: "):
        header += [f"{what}recall@10{'' if what else ', bar 0.99'}", f"{what}one query ms"]
        header += [f"{what}batch ms"]
    return markdown(header, rows)


def _ours(
    index: VectorIndex, mask: NDArray[np.bool_], k: int
) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    return lambda queries: index.search(queries, k, filter=mask).ids


def _lists(vectors: NDArray[np.float32]) -> Any:
    faiss = import_faiss()
    n_lists = round(len(vectors) ** 0.5)
    index = faiss.index_factory(vectors.shape[1], f"IVF{n_lists},PQ{vectors.shape[1] // 4}x4fs")
    index.train(vectors[:: max(1, len(vectors) // (64 * n_lists))])
    index.add(vectors)
    return index


def _selecting(
    lists: Any, vectors: NDArray[np.float32], mask: NDArray[np.bool_], k: int
) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """Let the lists choose candidates among the allowed rows, and measure them."""
    faiss = import_faiss()
    bits = np.packbits(mask, bitorder="little")
    selector = faiss.IDSelectorBitmap(bits)
    settings = faiss.SearchParametersIVF(sel=selector, nprobe=min(_PROBED, lists.nlist))

    def search(queries: NDArray[np.float32]) -> NDArray[Any]:
        found = lists.search(queries, _MEASURED, params=settings)[1]
        products = np.einsum("qd,qkd->qk", queries, vectors[np.maximum(found, 0)])
        products[found < 0] = -np.inf
        order = np.argsort(-products, axis=1)[:, :k]
        ids: NDArray[Any] = np.take_along_axis(found, order, 1)
        return ids

    search.keeps = bits  # type: ignore[attr-defined]  # the selector looks into them
    return search


def _exact(
    queries: NDArray[np.float32], vectors: NDArray[np.float32], mask: NDArray[np.bool_], k: int
) -> NDArray[np.int64]:
    allowed = np.flatnonzero(mask)
    found: NDArray[np.int64] = allowed[
        knn(queries, vectors[allowed], min(k, len(allowed)), "cosine")[1]
    ]
    return found


def _measure(
    search: Callable[[NDArray[np.float32]], NDArray[Any]],
    queries: NDArray[np.float32],
    truth: NDArray[np.int64],
    options: argparse.Namespace,
) -> Record:
    singles = []
    for i in range(options.singles):
        start = perf_counter()
        search(queries[i : i + 1])
        singles.append(perf_counter() - start)
    start = perf_counter()
    found = search(queries)
    batch = perf_counter() - start
    hits = [np.isin(b, a).mean() for a, b in zip(found, truth, strict=True)]
    return {"recall": float(np.mean(hits)), "single_p50": median(singles), "batch": batch}


if __name__ == "__main__":
    main()
