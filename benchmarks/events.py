"""The science of events: metrics, prototypes, assignment, clusters and stories, all on real texts.

One run compares the ways to choose and to vote with each other, the encoders, and other systems on
the same vectors (``--python`` is an interpreter that has BERTopic and EVoC).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _event_tables, _event_unknown
from benchmarks import _event_tasks as tasks
from benchmarks._event_data import Encodings, read_pairs, read_stories, read_texts
from benchmarks._event_peers import CLUSTERERS, LEARNERS
from benchmarks._records import Run, arguments, of_another_python
from benchmarks.events_memex import FILE, name_vectors, read_albums, split_by_user
from rememberai import SentenceEmbedder, UniversalEmbedder

if TYPE_CHECKING:
    from benchmarks._event_data import Labelled

NAME = "events"
SETS = ("cluster_tweet", "cluster_stackoverflow", "banking77_train")
TASKS = ("grid", "sweep", "unknown", "clusters", "stories", "pairs", "shuffles", "peers")
table = _event_tables.table


def main(argv: list[str] | None = None) -> None:
    """Embed once, then run the tasks asked for, all by default."""
    parser = arguments(
        __doc__,
        splits=5,
        unknown_splits=100,
        folds=2,
        shuffles=100,
        most_texts=20_000,
        most_of_use=3_000,
        most_of_peers=5_000,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--cache", type=Path, help="folder in which vectors are kept")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--encoders", nargs="+", default=["MiniLM", "USE"])
    parser.add_argument("--plots", type=Path, help="folder for plots; needs matplotlib")
    options = parser.parse_args(argv)
    names = ("splits", "folds", "shuffles", "most_texts", "most_of_use", "most_of_peers")
    run = Run(NAME, {name: getattr(options, name) for name in names}, folder=options.records)
    for encoder in options.encoders:
        embedder = SentenceEmbedder(offline=True) if encoder == "MiniLM" else UniversalEmbedder()
        _of_encoder(run, encoder, Encodings(embedder, options.cache), options)
    print(table(run.records))
    if options.plots:
        _event_tables.plot(run.records, options.plots)


def _of_encoder(run: Run, encoder: str, encodings: Encodings, options: Any) -> None:
    """Run the tasks that are for every encoder, and for the first the others as well."""
    wanted, data = options.tasks, options.data
    first = encoder == options.encoders[0]
    most = options.most_texts if encoder == "MiniLM" else options.most_of_use
    if "pairs" in wanted:
        tasks.pairs(run, encoder, *read_pairs(data, encodings))
    if {"grid", "sweep", "unknown", "shuffles"} & set(wanted):
        albums = read_albums(data / FILE, encodings)
        names = name_vectors(albums, encodings)
        splits = [split_by_user(albums, names, seed, 2) for seed in range(options.splits)]
        happy = read_texts(data, "happydb_concepts", encodings, most)
        if "sweep" in wanted:
            tasks.sweep(run, encoder, splits, happy, options.folds)
        if first and "grid" in wanted:
            tasks.prototypes_grid(run, splits, happy, options.folds)
        if first and "unknown" in wanted:
            _event_unknown.unknown(run, encodings, albums, names, options.unknown_splits)
            _event_unknown.unknown_texts(run, encodings, happy, options.splits)
        if first and "shuffles" in wanted:
            tasks.shuffles(run, splits[0], happy, options.shuffles)
    if not first:
        return
    if "stories" in wanted:
        tasks.stories(run, encoder, read_stories(data, encodings))
    if "clusters" in wanted:
        for name in SETS:
            tasks.clusters(run, name, read_texts(data, name, encodings, most))
    if "peers" in wanted:
        few = min(most, options.most_of_peers)
        for name in SETS:
            texts = read_texts(data, name, encodings, few)
            _peers(run, name, texts, list(CLUSTERERS), None, options.python)
        happy = read_texts(data, "happydb_concepts", encodings, few)
        for fold in range(options.folds):
            _peers(run, "happydb", happy, list(LEARNERS), fold, options.python)


def _peers(
    run: Run, name: str, texts: Labelled, systems: list[str], fold: int | None, python: str
) -> None:
    """Give the same vectors to each system in a process of its own."""
    train = np.array([], int) if fold is None else tasks.folded(len(texts.labels), fold)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.npz"
        np.savez(
            path,
            vectors=texts.vectors,
            labels=texts.labels,
            train=train,
            texts=np.array(texts.texts),
        )
        for system in systems:
            found = of_another_python(python, "benchmarks._event_peers", [system, str(path)])
            task = "peer clusters" if fold is None else "peer learners"
            run.add({"task": task, "data": name, "system": system}, fold or 0, found)


if __name__ == "__main__":
    main()
