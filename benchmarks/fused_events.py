"""Kinds of real photographs told by their words, their pictures, and both.

The kind of a photo of COCO is the supercategory (Lin et al., ECCV 2014) of most of the kinds of
objects that stand in it, people left out; photos with two such are left out. Its words are one
person's caption, its picture's vector is EfficientNet's. Each fifth of the photos is asked for, one
by one, of an assigner by each, and of both fused, that the others have taught.
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
from rememberai.events import AnswerFusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "fused_events"
ARMS = ("caption", "picture", "both")
_FOLDS = 5
_LEAST = 5  # photos of a kind, one a fold
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
    parser = arguments(__doc__, captions=5, seed=0)
    parser.add_argument("--data", type=Path, required=True, help="folder with coco_photos")
    options = parser.parse_args(argv)
    photos = options.data / "coco_photos"
    rows = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    rows, kinds = of_common_kinds(rows)
    settings = {"photos": len(rows), "kinds": len(set(kinds)), "folds": _FOLDS}
    run = Run(NAME, settings, folder=options.records)
    images = [Image.open(photos / row["file"]) for row in rows]
    seen = EfficientNetEmbedder(threads=1).encode_images(images)
    sbert = SentenceEmbedder(offline=True, device="cpu")
    folds = np.random.default_rng(options.seed).permutation(len(rows)) % _FOLDS
    for repeat in range(options.captions):
        said = sbert.encode([row["captions"][repeat] for row in rows])
        found = _asked(said, seen, np.array(kinds), folds)
        for arm in ARMS:
            run.add({"what": arm}, repeat, found[arm], seed=options.seed)
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
    return markdown(["known of the photos", "accuracy", "spread", "log loss"], rows)


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
