"""Picture features from files, decoding included: ONNX Runtime against torch.

Both read the same files through the library's own decoding, which works ahead of the network.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai.captioning import DecodedAhead
from rememberai.embedders import EfficientNetEmbedder
from rememberai.photos.metadata import file_id

if TYPE_CHECKING:
    from benchmarks._records import Record

NAME = "image_features"
ARMS = ("ONNX Runtime", "torch")


def main(argv: list[str] | None = None) -> None:
    """Embed the same files by turns."""
    parser = arguments(__doc__, n=616, repeats=3, threads=2)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder with coco_photos")
    source.add_argument("--synthetic", action="store_true", help="made-up pictures instead")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        if options.synthetic:
            files = made_up(Path(folder), 32)
        else:
            files = sorted((options.data / "coco_photos").glob("*.jpg"))
        paths = [Path(folder) / f"photo-{i}.jpg" for i in range(options.n)]
        for i, path in enumerate(paths):
            path.symlink_to(files[i % len(files)].resolve())
        settings = {
            "n": options.n,
            "files": "made up, 640x480" if options.synthetic else "coco_photos, 384 px",
            "threads": options.threads,
        }
        run = Run(NAME, settings, folder=options.records)
        _measure(run, options, [str(path) for path in paths])
    print(table(run.records))


def made_up(folder: Path, n: int) -> list[Path]:
    """Write smooth noise as JPEG files."""
    from PIL import Image

    random = np.random.default_rng(0)
    paths = []
    for i in range(n):
        small = Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8))
        path = folder / f"{i}.jpg"
        small.resize((640, 480)).save(path, quality=90)
        paths.append(path)
    return paths


def table(records: list[Record]) -> str:
    """Write medians, and the fastest repeat."""
    rows = []
    for arm in ARMS:
        found = figures(of_arm(records, what=arm), "photos_per_second")
        rows.append([arm, f"{median(found):.0f}", f"{max(found):.0f}"])
    return markdown(["EfficientNet-lite0, 224 px", "photos/s", "fastest repeat"], rows)


def _measure(run: Run, options: argparse.Namespace, paths: list[str]) -> None:
    import torch

    torch.set_num_threads(options.threads)
    embedders = {arm: EfficientNetEmbedder(threads=options.threads) for arm in ARMS}
    # What is chosen where ONNX Runtime is not installed.
    embedders["torch"].__dict__["_run"] = embedders["torch"]._network.features
    ids = {path: file_id(Path(path)) for path in paths}  # by which a store has them
    for embedder in embedders.values():
        _embed(embedder, dict(list(ids.items())[:32]))
    for repeat in range(options.repeats):
        found = {}
        for arm in ARMS[:: -1 if repeat % 2 else 1]:
            start = perf_counter()
            found[arm] = _embed(embedders[arm], ids)
            seconds = perf_counter() - start
            run.add(
                {"what": arm},
                repeat,
                {"seconds": seconds, "photos_per_second": len(paths) / seconds},
                threads=options.threads,
            )
        if not np.allclose(*found.values(), atol=1e-3):
            raise SystemExit("the two gave different features")


def _embed(embedder: EfficientNetEmbedder, ids: dict[str, str]) -> np.ndarray:
    paths, found = list(ids), []
    with DecodedAhead(paths, embedder, ids) as decoded:
        for start in range(0, len(paths), decoded.at_once):
            opened = [decoded.take(path) for path in paths[start : start + decoded.at_once]]
            images = [image for image in opened if not isinstance(image, str)]
            found.append(embedder.encode_images(images))
    return np.concatenate(found)


if __name__ == "__main__":
    main()
