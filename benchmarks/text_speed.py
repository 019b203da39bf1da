"""Embedding short captions: the library, in 32 and in 8 bits, against sentence-transformers.

Also what 8 bits cost: neighbours that change, and the answers of the event benchmarks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, median, stdev
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from benchmarks import events_memex
from benchmarks._event_data import Encodings, read_texts
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from benchmarks.add_texts import captions, load_by_hand
from rememberai import SentenceEmbedder
from rememberai.embedders import products

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks._records import Record

    Vectors = NDArray[np.float32]

NAME = "text_speed"
BY_HAND, OURS, IN_8_BITS = "encode, defaults", "RememberAI", "RememberAI, int8"
WITHOUT_AMX = "RememberAI, as without AMX"
ARMS = (BY_HAND, OURS, WITHOUT_AMX, IN_8_BITS)
_NEAREST = 10
_METHODS = ("RememberAI, cosine", "all seeds, plain k-NN")
_TASKS = {"memex": "albums of memex", "happydb": "texts of happydb"}


def main(argv: list[str] | None = None) -> None:
    """Embed the same captions by turns, then ask what was lost."""
    parser = arguments(__doc__, n=1000, repeats=5, splits=5, most_texts=4000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--cache", type=Path, help="folder in which vectors are kept")
    options = parser.parse_args(argv)
    names = ("n", "repeats", "splits", "most_texts")
    run = Run(NAME, {name: getattr(options, name) for name in names}, folder=options.records)
    embedders = {
        OURS: SentenceEmbedder(offline=True, device="cpu"),
        IN_8_BITS: SentenceEmbedder(offline=True, device="cpu", precision="int8"),
    }
    with mock.patch.object(products, "_has_amx", return_value=False):
        embedders[WITHOUT_AMX] = SentenceEmbedder(offline=True, device="cpu")
        embedders[WITHOUT_AMX].encode(["a cake"])
    _measure(run, options, embedders)
    for what in (OURS, IN_8_BITS):
        embedder = embedders[what]
        _judge(run, what, Encodings(embedder, options.cache), options)
    print(table(run.records))


def _measure(run: Run, options: argparse.Namespace, embedders: dict[str, Any]) -> None:
    import torch

    texts = captions(options.data, options.n)
    model = load_by_hand()
    arms: dict[str, Callable[[], Vectors]] = {
        BY_HAND: lambda: model.encode(texts, show_progress_bar=False),
        **{what: lambda e=e: e.encode(texts) for what, e in embedders.items()},
    }
    wanted = arms[BY_HAND]()
    for what in embedders:
        run.add({"what": what, "task": "vectors"}, 0, _likeness(wanted, arms[what]()))
    for threads in options.threads:
        torch.set_num_threads(threads)
        for repeat in range(options.repeats):
            for what in list(arms)[:: -1 if repeat % 2 else 1]:
                cpu, wall = process_time(), perf_counter()
                arms[what]()
                found = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
                run.add({"what": what, "task": "speed"}, repeat, found, threads=threads)


def _likeness(wanted: Vectors, found: Vectors) -> Record:
    cosines = (wanted * found).sum(axis=1)
    kept = [set(a) & set(b) for a, b in zip(_nearest(wanted), _nearest(found), strict=True)]
    return {
        "least_cosine": float(cosines.min()),
        "mean_cosine": float(cosines.mean()),
        "kept": mean(len(both) / _NEAREST for both in kept),
    }


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    return np.argpartition(-likeness, _NEAREST, axis=1)[:, :_NEAREST]


def _judge(run: Run, what: str, encodings: Encodings, options: argparse.Namespace) -> None:
    """Answer which event an album is, and which concept a text tells of."""
    albums = events_memex.read_albums(options.data / events_memex.FILE, encodings)
    names = events_memex.name_vectors(albums, encodings)
    happy = read_texts(options.data, "happydb_concepts", encodings, options.most_texts)
    for seed in range(options.splits):
        split = events_memex.split_by_user(albums, names, seed, 2)
        for method in _METHODS:
            found = events_memex.judge(split, events_memex.METHODS[method](split, seed))
            arm = {"what": what, "task": "memex", "method": method}
            run.add(arm, seed, {"accuracy": found["accuracy"]}, seed=seed)
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        model = KNeighborsClassifier(_NEAREST, metric="cosine", algorithm="brute")
        hits = cross_val_score(model, happy.vectors, happy.labels, cv=folds)
        arm = {"what": what, "task": "happydb", "method": f"plain k-NN, k = {_NEAREST}"}
        run.add(arm, seed, {"accuracy": float(hits.mean())}, seed=seed)


def table(records: list[Record]) -> str:
    """Write what a caption costs, how near the vectors are, and what is answered with them."""
    return f"{_speeds(records)}\n\n{_vectors(records)}\n\n{_answers(records)}"


def _speeds(records: list[Record]) -> str:
    rows = []
    speeds = of_arm(records, task="speed")
    for threads in sorted({record["threads"] for record in speeds}):
        some = [record for record in speeds if record["threads"] == threads]
        for what in ARMS:
            row = [what, str(threads)]
            for kind in ("cpu", "wall"):
                by_hand = figures(of_arm(some, what=BY_HAND), kind)
                found = figures(of_arm(some, what=what), kind)
                row += [f"{median(found):.2f}", f"{paired_ratio(by_hand, found):.2f}x"]
            rows.append(row)
    return markdown(["", "threads", "CPU s", "as fast", "wall s", "as fast"], rows)


def _vectors(records: list[Record]) -> str:
    rows = []
    for what in ARMS[1:]:
        (record,) = of_arm(records, what=what, task="vectors")
        found = record["figures"]
        cosines = [f"{found[name]:.7f}" for name in ("least_cosine", "mean_cosine")]
        rows.append([what, *cosines, f"{found['kept']:.1%}"])
    return markdown(["", "least cosine", "mean cosine", f"of the {_NEAREST} nearest kept"], rows)


def _answers(records: list[Record]) -> str:
    rows = []
    judged = [record for record in records if record["arm"]["task"] in _TASKS]
    for task, method in dict.fromkeys((r["arm"]["task"], r["arm"]["method"]) for r in judged):
        both = [
            figures(of_arm(judged, what=what, task=task, method=method), "accuracy")
            for what in (OURS, IN_8_BITS)
        ]
        changes = [b - a for a, b in zip(*both, strict=True)]
        spread = f" (sd {stdev(changes) * 100:.2f})" if len(changes) > 1 else ""
        row = [f"{_TASKS[task]}, {method}", *(f"{mean(some):.2%}" for some in both)]
        rows.append([*row, f"{mean(changes) * 100:+.2f} points{spread}"])
    return markdown(["accuracy", "float32", "int8", "change"], rows)


if __name__ == "__main__":
    main()
