"""Text to photo on real photographs: one person's caption finds the photo that another described.

The arms differ in what is known of the photos: a classifier's label, another person's caption, the
picture, or several of these. For the pictures there is no model here whose texts lie in their
space, so a ridge regression from EfficientNet features to MiniLM vectors is learned on the captions
of other photos (five folds; its penalty by leave-one-out within them). What is known of both is
pooled as in the library's search: both count alike, or as learned from the kinds (see
`fused_events`) of the photos of the other folds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean, pstdev
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks._records import Run, arguments, figures, markdown, of_arm
from benchmarks.fused_events import of_common_kinds
from rememberai import SentenceEmbedder, VectorIndex
from rememberai.balance import balance
from rememberai.captioners import LabelCaptioner
from rememberai.embedders import EfficientNetEmbedder
from rememberai.fusion import Space, standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "text_to_photo"
ARMS = (
    "label",
    "picture",
    "label and picture",
    "label and picture, weighed by seeds",
    "caption",
    "caption and picture",
    "caption and picture, weighed by seeds",
    "caption and spoilt picture",
    "caption and spoilt picture, weighed by seeds",
    "caption of half, picture of all",
)
_K = 10
_FOLDS = 5
_PENALTIES = np.geomspace(1e-2, 1e2, 13)
_WEIGHED = ", weighed by seeds"
_NOISE = 4.0  # added to the vectors of spoilt pictures, whose length is 1


def main(argv: list[str] | None = None) -> None:
    """Ask by each of the five captions in turn."""
    parser = arguments(__doc__, seed=0)
    parser.add_argument("--data", type=Path, required=True, help="folder with coco_photos")
    options = parser.parse_args(argv)
    photos = options.data / "coco_photos"
    rows = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    settings = {"photos": len(rows), "k": _K, "folds": _FOLDS}
    run = Run(NAME, settings, folder=options.records)
    _measure(run, options, photos, rows)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write the recall for each arm, its mean and spread over the five people who ask."""
    chance = records[0]["settings"]["k"] / records[0]["settings"]["photos"]
    rows = [["chance", f"{chance:.2f}", "", f"{1 / records[0]['settings']['photos']:.3f}"]]
    for arm in ARMS:
        found = of_arm(records, what=arm)
        ten, one = figures(found, "recall@10"), figures(found, "recall@1")
        rows.append([arm, f"{mean(ten):.2f}", f"{pstdev(ten):.3f}", f"{mean(one):.2f}"])
    return markdown(["known of the photos", "recall@10", "spread", "recall@1"], rows)


def _measure(
    run: Run, options: argparse.Namespace, photos: Path, rows: list[dict[str, Any]]
) -> None:
    sbert = SentenceEmbedder(offline=True, device="cpu")
    images = [Image.open(photos / row["file"]) for row in rows]
    labels = [caption.text for caption in LabelCaptioner().caption(images)]
    labelled = np.array([bool(label) for label in labels])
    said = sbert.encode(labels)  # of "" too, which `labelled` leaves out
    features = EfficientNetEmbedder(threads=1).encode_images(images)
    captions = np.stack([sbert.encode([row["captions"][i] for row in rows]) for i in range(5)])
    seen = mapped(features, captions.mean(axis=0), options.seed)
    half = np.random.default_rng(options.seed).permutation(len(rows)) < len(rows) // 2
    kinds = _kinds(rows)
    noise = np.random.default_rng(options.seed).normal(size=seen.shape)
    spoilt = (_unit(seen) + _NOISE * _unit(noise)).astype(np.float32)
    everyone = np.ones(len(rows), bool)
    for asked in range(5):
        own, other = captions[asked], captions[(asked + 1) % 5]
        known: dict[str, list[tuple[NDArray[np.float32], NDArray[np.bool_]]]] = {
            "label": [(said, labelled)],
            "picture": [(seen, everyone)],
            "caption": [(other, everyone)],
        }
        known["label and picture"] = known["label"] + known["picture"]
        known["caption and picture"] = known["caption"] + known["picture"]
        known["caption and spoilt picture"] = [*known["caption"], (spoilt, everyone)]
        known["caption of half, picture of all"] = [(other, half), *known["picture"]]
        for arm in ARMS:
            spaces = known[arm.removesuffix(_WEIGHED)]
            weights: list[tuple[float, float]] | list[None] = [None] * len(rows)
            if arm.endswith(_WEIGHED):
                weights = learned_weights(spaces, kinds, options.seed)
            places = np.array([place(i, own[i], spaces, weights[i]) for i in range(len(rows))])
            recall = {f"recall@{k}": float((places < k).mean()) for k in (1, _K)}
            run.add({"what": arm}, asked, recall, seed=options.seed)


def mapped(
    features: NDArray[np.float32], texts: NDArray[np.float32], seed: int
) -> NDArray[np.float32]:
    """Predict each photo's text vector from its features, by what other photos taught."""
    unit = _unit(features)
    fold = _folds(len(unit), seed)
    found = np.empty_like(texts)
    for left in range(_FOLDS):
        train = fold != left
        middle, centre = unit[train].mean(axis=0), texts[train].mean(axis=0)
        x, y = unit[train] - middle, texts[train] - centre
        kernel = x @ x.T
        scale = float(np.trace(kernel)) / len(x)
        solved = []
        for penalty in _PENALTIES * scale:
            inverse = np.linalg.inv(kernel + penalty * np.eye(len(x)))
            weights = inverse @ y
            # Leave-one-out residuals of ridge regression, in closed form.
            loss = float(((weights / np.diag(inverse)[:, None]) ** 2).sum())
            solved.append((loss, weights))
        weights = min(solved, key=lambda each: each[0])[1]
        found[~train] = (unit[~train] - middle) @ x.T @ weights + centre
    return found


def learned_weights(
    known: list[tuple[NDArray[np.float32], NDArray[np.bool_]]], kinds: NDArray[Any], seed: int
) -> list[tuple[float, float]]:
    """Learn for each photo how much its words and picture count, from those of other folds."""
    (said, there), (seen, _) = known
    unit_said, unit_seen = _unit(said), _unit(seen)
    fold = _folds(len(kinds), seed)
    found = []
    for left in range(_FOLDS):
        seeds = np.flatnonzero((fold != left) & there & (kinds != ""))
        spaces = (1 - unit_said[seeds] @ unit[seeds].T for unit in (unit_said, unit_seen))
        apart = ~np.eye(len(seeds), dtype=bool)
        found.append(balance(*spaces, kinds[seeds].tolist(), apart))
    return [found[own] for own in fold]


def _kinds(rows: list[dict[str, Any]]) -> NDArray[Any]:
    """Name the kind of each photo; empty where it has none."""
    some, kinds = of_common_kinds(rows)
    named = dict(zip((row["file"] for row in some), kinds, strict=True))
    return np.array([named.get(row["file"], "") for row in rows])


def _unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _folds(n: int, seed: int) -> NDArray[np.intp]:
    return np.random.default_rng(seed).permutation(n) % _FOLDS


def place(
    photo: int,
    query: NDArray[np.float32],
    known: list[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    weights: tuple[float, float] | None = None,
) -> int:
    """Tell at which place a photo is found, from 0; ties count against it."""
    queries = []
    for vectors, there in known:
        index = VectorIndex(vectors.shape[1])
        index.add([f"{i:03}" for i in np.flatnonzero(there)], vectors[there])
        queries.append((Space(index), query))
    _, scores = standing(queries, len(known[0][0]), None, weights)
    own = scores.get(f"{photo:03}", -np.inf)
    return sum(score >= own for score in scores.values()) - (f"{photo:03}" in scores)


if __name__ == "__main__":
    main()
