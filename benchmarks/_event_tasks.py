"""The tasks of the events benchmark: each adds its records to a run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _event_arms as arms
from benchmarks._records import ROOT
from rememberai import AlbumClusterer, EventAssigner, EventPrototypes
from rememberai.events import AlbumFinder, Stories

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks._event_data import Labelled, Told, Vectors
    from benchmarks._records import Record, Run
    from benchmarks.events_memex import Split


def albums_arm(
    split: Split, metric: str, *, selection: str, n: int, method: str, names: bool
) -> Record:
    """Fit on a split of albums, and answer for those asked."""
    labels = np.array(split.events)
    view, known = arms.view_of(metric, split.vectors, labels)
    assigner = EventAssigner(EventPrototypes(n, selection=selection, metric=known), method=method)
    described = {event: view(vector[None])[0] for event, vector in split.names.items()}
    told = described if names else None
    assigner.fit(view(split.vectors), split.events, descriptions=told, groups=split.groups)
    answers = [assigner.assign_album(view(album.vectors)) for album in split.asked]
    hits = [a.ranking[0][0] == b.event for a, b in zip(answers, split.asked, strict=True)]
    return arms.judged(hits, [album.user for album in split.asked])


def texts_arm(
    texts: Labelled, fold: int, metric: str, *, selection: str, n: int, method: str
) -> Record:
    """Fit on four fifths of the texts, and answer for the rest one by one."""
    train, test = folded(len(texts.labels), fold)
    view, known = arms.view_of(metric, texts.vectors[train], texts.labels[train])
    assigner = EventAssigner(EventPrototypes(n, selection=selection, metric=known), method=method)
    words = [[texts.texts[i] for i in rows] for rows in (train, test)]
    assigner.fit(view(texts.vectors[train]), texts.labels[train].tolist(), words[0])
    found = assigner.assign(view(texts.vectors[test]), words[1]).probabilities.argmax(axis=1)
    return arms.judged(np.array(assigner.events_)[found] == texts.labels[test], [])


def folded(n: int, fold: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Part n rows into the training and the test rows of one of five folds."""
    mixed = np.random.default_rng(0).permutation(n)
    return np.delete(mixed, np.s_[fold::5]), mixed[fold::5]


def prototypes_grid(run: Run, splits: Sequence[Split], texts: Labelled, folds: int) -> None:
    """Cross metric, selection and number; the kernel vote alone, so that prototypes show."""
    for metric in arms.METRICS:
        for selection in arms.SELECTIONS:
            some: dict[str, Any] = {"selection": selection, "method": "kernel"}
            for seed, split in enumerate(splits):
                figures = {
                    str(n): albums_arm(split, metric, n=n, names=False, **some)
                    for n in arms.NUMBERS
                }
                run.add({"task": "grid", "data": "memex", "metric": metric, **some}, seed, figures)
            for fold in range(folds):
                figures = {
                    str(n): texts_arm(texts, fold, metric, n=n, **some) for n in arms.NUMBERS
                }
                run.add(
                    {"task": "grid", "data": "happydb", "metric": metric, **some}, fold, figures
                )


def sweep(run: Run, encoder: str, splits: Sequence[Split], texts: Labelled, folds: int) -> None:
    """Vary one factor at a time around the default: metric, selection, number, method, names."""
    base: dict[str, Any] = {
        "metric": "cosine",
        "selection": "likelihood",
        "n": 10,
        "method": "fused",
    }
    for arm in _around(base):
        for names in (True, False):
            for seed, split in enumerate(splits):
                what = {"task": "sweep", "data": "memex", "encoder": encoder, "names": names, **arm}
                run.add(what, seed, albums_arm(split, names=names, **arm), seed=seed)
        for fold in range(folds):
            what = {"task": "sweep", "data": "happydb", "encoder": encoder, **arm}
            run.add(what, fold, texts_arm(texts, fold, **arm))


def _around(base: Record) -> Iterator[Record]:
    yield base
    levels: dict[str, Sequence[Any]] = {
        "metric": arms.METRICS,
        "selection": arms.SELECTIONS,
        "n": arms.NUMBERS,
        "method": arms.METHODS,
    }
    for factor, values in levels.items():
        for value in values:
            if value != base[factor]:
                yield {**base, factor: value}


def clusters(run: Run, name: str, texts: Labelled) -> None:
    """Cluster texts with their number known, as it was before refinement, and unknown."""
    k = len(np.unique(texts.labels))
    made = {
        "known k": AlbumClusterer(k, min_size=1),
        "known k, not refined": AlbumClusterer(k, min_size=1, refine=False),
        "unknown k": AlbumClusterer(min_size=1),
        "known k, l2": AlbumClusterer(k, min_size=1, metric="l2"),
    }
    for arm, clusterer in made.items():
        start = perf_counter()
        labels = clusterer.fit(texts.vectors).labels_
        seconds = perf_counter() - start
        figures = {**arms.cluster_scores(labels, texts.labels), "seconds": seconds}
        run.add({"task": "clusters", "data": name, "arm": arm}, 0, figures)


def stories(run: Run, encoder: str, told: Told) -> None:
    """Ask of each story, with the others at hand, which album it belongs to."""
    names = np.array(told.albums)
    albums, own = np.unique(names, return_inverse=True)
    n = len(names)
    finder = AlbumFinder().fit(Stories(told.vectors, told.sentences, told.story_of), told.albums)
    asked = Stories(told.vectors, told.sentences, told.story_of)
    found = {"AlbumFinder": finder.distances(asked, themselves=np.arange(n))}
    sums = np.eye(len(albums))[own].T @ told.vectors
    sizes = np.bincount(own)
    means = sums / sizes[:, None]
    others = (sums[own] - told.vectors) / (sizes[own] - 1)[:, None]  # a story is not its own
    for arm, distance in (("mean, cosine", _cosine), ("mean, raw L2", _euclidean)):
        distances = distance(told.vectors[:, None], means[None])
        distances[np.arange(n), own] = distance(told.vectors, others)
        found[arm] = distances
    for arm, distances in found.items():
        ranks = (distances < distances[np.arange(n), own][:, None]).sum(axis=1)
        figures = {
            f"@{k}": arms.judged(ranks < k, own.tolist() if k == 1 else []) for k in (1, 5, 10)
        }
        run.add({"task": "stories", "encoder": encoder, "arm": arm}, 0, figures)


def _cosine(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    similar = np.einsum("...d,...d->...", a, b)
    return 1 - similar / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def _euclidean(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    squares = (a**2).sum(axis=-1) + (b**2).sum(axis=-1)
    return np.sqrt(np.maximum(squares - 2 * np.einsum("...d,...d->...", a, b), 0))


def pairs(
    run: Run, encoder: str, first: Vectors, second: Vectors, scores: NDArray[np.float64]
) -> None:
    """Correlate distances of sentences with how similar people found them (Spearman)."""
    from scipy.stats import spearmanr

    both = np.concatenate([first, second])
    centre = both.mean(axis=0)
    figures: Record = {}
    for name, move in (("", 0), ("centred ", centre)):
        a, b = first - move, second - move
        figures[f"{name}cosine"] = float(spearmanr(-_cosine(a, b), scores)[0])
        figures[f"{name}raw L2"] = float(spearmanr(-np.linalg.norm(a - b, axis=1), scores)[0])
    lengths = np.linalg.norm(both, axis=1)
    figures |= {"shortest": float(lengths.min()), "longest": float(lengths.max())}
    run.add({"task": "pairs", "data": "korsts", "encoder": encoder}, 0, figures)


def shuffles(run: Run, split: Split, texts: Labelled, times: int) -> None:
    """Shuffle the input many times, with one thread and with two, and collect the answers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.npz"
        album = split.asked[0].vectors
        np.savez(
            path, seeds=split.vectors, events=split.events, album=album, texts=texts.vectors[:500]
        )
        for threads in (1, 2):
            number = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks._event_tasks", str(path), str(times)],
                cwd=ROOT,
                env={**os.environ, **number},
                capture_output=True,
                text=True,
                check=True,
            )
            run.add({"task": "shuffles"}, threads - 1, json.loads(done.stdout), threads=threads)


def digests(path: Path, times: int) -> list[str]:
    """Learn, answer and cluster from shuffled input; one digest of the answers each time."""
    given = np.load(path)
    found = []
    for seed in range(times):
        random = np.random.default_rng(seed)
        rows, photos, points = (
            random.permutation(len(given[name])) for name in ("seeds", "album", "texts")
        )
        assigner = EventAssigner().fit(given["seeds"][rows], given["events"][rows].tolist())
        answer = assigner.assign_album(given["album"][photos])
        labels = np.empty((3, len(points)), int)
        made = AlbumClusterer(20), AlbumClusterer(), AlbumClusterer(refine=False)
        for own, clusterer in zip(labels, made, strict=True):
            own[points] = clusterer.fit(given["texts"][points]).labels_
        chosen = np.sort(rows[assigner.prototypes_.positions_])
        told = (answer.event, [event for event, _ in answer.ranking], round(answer.probability, 6))
        digest = hashlib.sha256(repr((told, labels.tolist(), chosen.tolist())).encode())
        found.append(digest.hexdigest()[:16])
    return found


if __name__ == "__main__":
    everything = digests(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"digests": sorted(set(everything)), "times": len(everything)}))
