"""Kinds of real photographs told by their words, their pictures, and both.

The kind of a photo of COCO is the supercategory (Lin et al., ECCV 2014) of most of the kinds of
objects that stand in it, people left out; photos with two such are left out. Its words are one
person's caption, its picture's vector is EfficientNet's. Each fifth of the photos is asked for, one
by one, of an assigner by each, and of both fused, that the others have taught.

Then events are found by the words of half of all photos, and each other photo is put by its picture
alone, by an assigner that the first half's pictures have taught, into one of them: the right one is
that whose centre is nearest to its words, which only the benchmark knows.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import mean, pstdev
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai import EventAssigner, SentenceEmbedder
from rememberai.embedders import EfficientNetEmbedder
from rememberai.events import AlbumClusterer, AnswerFusion
from rememberai.events.kmeans import centroids_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "fused_events"
ARMS = ("caption", "picture", "both")
_FOLDS = 5
_LEAST = 5  # photos of a kind, one a fold
_SURE = (0.0, 0.5, 0.8, 0.9)
SUPERCATEGORIES = {
    "vehicle": "bicycle, car, motorcycle, airplane, bus, train, truck, boat",
    "outdoor": "traffic light, fire hydrant, stop sign, parking meter, bench",
    "animal": "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "accessory": "backpack, umbrella, handbag, tie, suitcase",
    "sports": "frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, "
    "skateboard, surfboard, tennis racket",
    "kitchen": "bottle, wine glass, cup, fork, knife, spoon, bowl",
    "food": "banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake",
    "furniture": "chair, couch, potted plant, bed, dining table, toilet",
    "electronic": "tv, laptop, mouse, remote, keyboard, cell phone",
    "appliance": "microwave, oven, toaster, sink, refrigerator",
    "indoor": "book, clock, vase, scissors, teddy bear, hair drier, toothbrush",
}


def main(argv: list[str] | None = None) -> None:
    """Ask by each of the five captions in turn."""
    parser = arguments(__doc__, captions=5, halves=8, few_events=6, seed=0)
    parser.add_argument("--data", type=Path, required=True, help="folder with coco_photos")
    options = parser.parse_args(argv)
    photos = options.data / "coco_photos"
    rows = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    everything = rows
    rows, kinds = of_common_kinds(rows)
    settings = {"photos": len(rows), "kinds": len(set(kinds)), "folds": _FOLDS}
    settings |= {"all_photos": len(everything), "halves": options.halves}
    run = Run(NAME, settings, folder=options.records)
    images = [Image.open(photos / row["file"]) for row in rows]
    embedder = EfficientNetEmbedder(threads=1)
    seen = embedder.encode_images(images)
    sbert = SentenceEmbedder(offline=True, device="cpu")
    folds = np.random.default_rng(options.seed).permutation(len(rows)) % _FOLDS
    for repeat in range(options.captions):
        said = sbert.encode([row["captions"][repeat] for row in rows])
        found = _asked(said, seen, np.array(kinds), folds)
        for arm in ARMS:
            run.add({"what": arm}, repeat, found[arm], seed=options.seed)
    _find(run, options, everything, (sbert, embedder))
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write the accuracy of each arm, its mean and spread over the captions of five people."""
    rows = []
    for arm in ARMS:
        some = of_arm(records, what=arm)
        right, losses = figures(some, "accuracy"), figures(some, "log_loss")
        rows.append(
            [arm, f"{100 * mean(right):.1f}%", f"{100 * pstdev(right):.1f}", f"{mean(losses):.3f}"]
        )
    told = markdown(["known of the photos", "accuracy", "spread", "log loss"], rows)
    return f"{told}\n\n{_found(records)}" if of_arm(records, what="found") else told


def _found(records: list[Record]) -> str:
    """Write how many wordless photos their pictures put into found events, and how many rightly."""
    rows = []
    found = of_arm(records, what="found")
    for events, sure in dict.fromkeys((r["arm"]["events"], r["arm"]["sure"]) for r in found):
        some = of_arm(found, events=events, sure=sure)
        names = ("events", "put", "right", "chance", "other words")
        n, put, right, chance, other = (mean(figures(some, name)) for name in names)
        shares = [f"{100 * share:.0f}%" for share in (put, right / (put or 1), chance, other)]
        rows.append([f"{n:.0f} ({events})", f"{sure:.1f}", *shares])
    header = ["found events", "least probability", "put into one", "of these rightly"]
    return markdown([*header, "all into the largest", "by another's words"], rows)


def _find(
    run: Run, options: Any, rows: list[dict[str, Any]], models: tuple[SentenceEmbedder, Any]
) -> None:
    """Put wordless photos into few found events, and into as many as are found by themselves."""
    photos = options.data / "coco_photos"
    seen = models[1].encode_images([Image.open(photos / row["file"]) for row in rows])
    for half in range(options.halves):
        captions = [[row["captions"][(half + i) % 5] for row in rows] for i in (0, 1)]
        said = np.stack([models[0].encode(texts) for texts in captions])
        for n_events in (options.few_events, "auto"):
            for sure, found in _put(said, seen, n_events, half).items():
                arm = {"what": "found", "events": n_events, "sure": sure}
                run.add(arm, half, found, seed=half)


def _put(
    said: NDArray[np.float32], seen: NDArray[np.float32], n_events: Any, seed: int
) -> dict[float, Record]:
    """Put half of the photos into events that the words of the others make."""
    silent = np.random.default_rng(seed).permutation(len(seen)) % 2 == 0
    words = said / np.linalg.norm(said, axis=-1, keepdims=True)
    labels = AlbumClusterer(n_events, refine=False).fit(words[0, ~silent]).labels_
    there = np.flatnonzero(~silent)[labels >= 0]
    labels = labels[labels >= 0]
    right, other = (
        (each[silent] @ centroids_of(words[0, there], labels, "cosine").T).argmax(1)
        for each in words
    )
    assigner = EventAssigner().fit(seen[there], [f"{label:03d}" for label in labels])
    best = [assigner.assign_album(each[None]).ranking[0] for each in seen[silent]]
    hits = np.array([int(event) for event, _ in best]) == right
    sure = np.array([share for _, share in best])
    both = {
        "events": len(set(labels.tolist())),
        "chance": float((right == np.bincount(labels).argmax()).mean()),
        "other words": float((other == right).mean()),
    }
    return {
        least: both
        | {"put": float((sure >= least).mean()), "right": float((hits & (sure >= least)).mean())}
        for least in _SURE
    }


def of_common_kinds(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Select the photos whose kind is known and not rare, and name their kinds."""
    above = {name: kind for kind, names in SUPERCATEGORIES.items() for name in names.split(", ")}
    kinds = []
    for row in rows:
        counts = Counter(above[name] for name in row["objects"] if name in above).most_common(2)
        tied = len(counts) == 2 and counts[0][1] == counts[1][1]
        kinds.append(counts[0][0] if counts and not tied else "")
    common = {kind for kind, n in Counter(kinds).items() if kind and n >= _LEAST}
    some = [(row, kind) for row, kind in zip(rows, kinds, strict=True) if kind in common]
    return [row for row, _ in some], [kind for _, kind in some]


def _asked(
    said: NDArray[np.float32],
    seen: NDArray[np.float32],
    kinds: NDArray[Any],
    folds: NDArray[np.intp],
) -> dict[str, Record]:
    right: dict[str, list[bool]] = {arm: [] for arm in ARMS}
    losses: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for fold in range(_FOLDS):
        asked, own = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        taught = kinds[own].tolist()
        by_words, by_looks = (EventAssigner().fit(space[own], taught) for space in (said, seen))
        pairs = np.repeat(np.arange(len(own))[:, None], 2, axis=1)
        fusion = AnswerFusion().fit(by_words, by_looks, pairs, taught)
        for i in asked:
            words, looks = (
                by_words.assign_album(said[i][None]),
                by_looks.assign_album(seen[i][None]),
            )
            for arm, answer in zip(ARMS, (words, looks, fusion.fuse(words, looks)), strict=True):
                right[arm].append(answer.ranking[0][0] == kinds[i])
                losses[arm].append(-float(np.log(max(dict(answer.ranking)[kinds[i]], 1e-12))))
    return {arm: {"accuracy": mean(right[arm]), "log_loss": mean(losses[arm])} for arm in ARMS}


if __name__ == "__main__":
    main()
