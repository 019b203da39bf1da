"""Near-duplicates: transformed copies of real photos told from other photos, and the face of each.

The threshold of every way is chosen on half of the photos and judged on the other half; that of the
library is fixed.
"""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path
from statistics import mean
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai.photos import open_image
from rememberai.photos.bursts import ALIKE, find_bursts, is_page, near_duplicates, sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record

    Way = Callable[[Sequence[Image.Image]], NDArray[np.float32]]

NAME = "near_duplicates"
_PRECISE = 0.995  # precision on the half that chooses, for 0.99 on the other
_PROBES = [  # an angle, and percentages off the left, the top, the right and the bottom
    (angle, *sides)
    for angle in (-4, 0, 4)
    for sides in ((0,) * 4, (5,) * 4, *np.diag([10] * 4).tolist())
]


def main(argv: list[str] | None = None) -> None:
    """Describe all copies once for each way, then choose and judge on several halvings."""
    parser = arguments(__doc__, photos=154, splits=5, seed=0)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    options = parser.parse_args(argv)
    files = sorted((options.data / "coco_photos").glob("*.jpg"))[: options.photos]
    settings = {"photos": len(files), "copies": len(COPIES), "splits": options.splits}
    run = Run(NAME, settings, folder=options.records)
    photos = [open_image(file) for file in files]
    copies = [[copy(photo) for copy in COPIES.values()] for photo in photos]
    pages = np.array(
        [list(map(is_page, [photo, *some])) for photo, some in zip(photos, copies, strict=True)]
    )
    random = np.random.default_rng(options.seed)
    halvings = [np.array_split(random.permutation(len(photos)), 2) for _ in range(options.splits)]
    for what, (way, probes) in _ways().items():
        start = process_time()
        of_photos = np.stack([way(_probed(p) if probes else [p]) for p in photos])
        of_copies = np.stack([way(some) for some in copies])
        spent = (process_time() - start) / (of_photos.size + of_copies.size) * of_photos.shape[-1]
        alike = np.einsum("pcd,qkd->kpcq", of_copies, of_photos).max(axis=0)
        for repeat, (chooses, judges) in enumerate(halvings):
            found = {"ms": 1000 * spent, "dimension": of_photos.shape[-1]}
            found |= _judge(alike[judges][:, :, judges], _choose(alike[chooses][:, :, chooses]))
            run.add({"what": what}, repeat, found, threads=1, seed=options.seed)
            if what == OURS:
                found = _judge(alike[judges][:, :, judges], ALIKE)
                found |= _grouped(of_photos[judges], of_copies[judges], pages[judges])
                run.add({"what": FIXED}, repeat, found, threads=1, seed=options.seed)
    judges = halvings[0][1]
    run.add({"what": "face"}, 0, _faces([photos[i] for i in judges]), threads=1, seed=options.seed)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write means over the halvings."""
    rows = []
    for what in dict.fromkeys(record["arm"]["what"] for record in records):
        if what == "face":
            continue
        arm = of_arm(records, what=what)
        recall, precision = (figures(arm, name) for name in ("recall", "precision"))
        by_copy = {copy: mean(f[copy] for f in figures(arm, "by_copy")) for copy in COPIES}
        worst = min(by_copy, key=lambda copy: by_copy[copy])
        rows.append([
            what,
            f"{mean(figures(arm, 'threshold')):.2f}",
            f"{100 * mean(recall):.1f}%",
            f"{100 * mean(precision):.1f}%",
            f"{100 * min(recall):.1f} and {100 * min(precision):.1f}%",
            f"{worst}, {by_copy[worst]:.0%}",
            f"{mean(figures(arm, 'ms')):.1f}" if "ms" in arm[0]["figures"] else "",
        ])  # fmt: skip
    header = ["", "similarity", "recall, bar 90%", "precision, bar 99%", "worst half", "worst copy"]
    fixed = of_arm(records, what=FIXED)
    together, pure = (mean(figures(fixed, f"grouped_{name}")) for name in ("recall", "precision"))
    found = of_arm(records, what="face")[0]["figures"]
    faces = ", ".join(f"{name} {count}" for name, count in found["faces"].items())
    return (
        markdown([*header, "ms a picture"], rows)
        + f"\n\nGrouped by the library, photos and copies together, {together:.1%} of the pairs of "
        f"one photo are in one group, and {pure:.1%} of the pairs in a group are of one photo. Of "
        f"{found['photos']} photos, each beside {len(SPOILT)} spoilt copies of it, "
        f"{found['grouped']:.0%} of the copies are grouped with it; the faces: {faces}."
    )


# Copies


def _jpeg(photo: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _cropped(photo: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """Cut percentages off the sides."""
    width, height = photo.width / 100, photo.height / 100
    return photo.crop((
        round(left * width), round(top * height),
        round(photo.width - right * width), round(photo.height - bottom * height),
    ))  # fmt: skip


def _turned(photo: Image.Image, angle: float) -> Image.Image:
    """Turn within the frame, with black corners."""
    return photo.rotate(angle, Image.Resampling.BICUBIC)


def _straightened(photo: Image.Image, angle: float) -> Image.Image:
    """Turn, then cut the corners off."""
    share = 50 * np.tan(np.radians(abs(angle)))
    sides = share * photo.height / photo.width, share * photo.width / photo.height
    return _cropped(_turned(photo, angle), *(2 * [round(side + 0.5) for side in sides]))


def _shrunk(photo: Image.Image, factor: float) -> Image.Image:
    return photo.resize((round(photo.width * factor), round(photo.height * factor)))


def _lit(photo: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(photo).enhance(factor)


def _all_at_once(photo: Image.Image) -> Image.Image:
    return _jpeg(_shrunk(_lit(_straightened(_cropped(photo, 5, 5, 5, 5), 2), 1.2), 0.5), 40)


def _moved(photo: Image.Image) -> Image.Image:
    kernel = [0.2 if 10 <= place < 15 else 0 for place in range(25)]
    return photo.filter(ImageFilter.Kernel((5, 5), kernel, 1))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half the size": partial(_shrunk, factor=0.5),
    "a third of the size": partial(_shrunk, factor=1 / 3),
    "5% off each side": lambda photo: _cropped(photo, 5, 5, 5, 5),
    "10% off the left": lambda photo: _cropped(photo, 10, 0, 0, 0),
    "10% off the bottom": lambda photo: _cropped(photo, 0, 0, 0, 10),
    "10% off left and top": lambda photo: _cropped(photo, 10, 10, 0, 0),
    "JPEG quality 40": partial(_jpeg, quality=40),
    "darker": partial(_lit, factor=0.7),
    "brighter": partial(_lit, factor=1.3),
    "turned by 3": partial(_turned, angle=3),
    "turned by -5": partial(_turned, angle=-5),
    "straightened by 3": partial(_straightened, angle=3),
    "straightened by -5": partial(_straightened, angle=-5),
    "all at once": _all_at_once,
}
SPOILT: dict[str, Callable[[Image.Image], Image.Image]] = {
    "blurred": lambda photo: photo.filter(ImageFilter.GaussianBlur(1)),
    "moved": _moved,
    "halved": partial(_shrunk, factor=0.5),
    "compressed": partial(_jpeg, quality=40),
}


# Ways to compare


OURS, FIXED = "sketch", "sketch, the library's threshold"


def _ways() -> dict[str, tuple[Way, bool]]:
    """Name each way, with whether it compares a copy with turned and cropped photos as well."""
    ways: dict[str, tuple[Way, bool]] = {
        "DCT hash (pHash), 64 bits": (_each(_dct_hash), False),
        "the same, 18 probes": (_each(_dct_hash), True),
        "gradient hash (dHash), 64 bits": (_each(_gradient_hash), False),
        "grey 8 x 8, correlation": (_each(_thumbnail), False),
        OURS: (_each(sketch), False),
    }
    try:
        from rememberai._efficientnet import EfficientNet

        ways["EfficientNet-lite0, cosine"] = (_features(EfficientNet()), False)
    except ImportError as error:
        print(f"without EfficientNet: {error}")
    return ways


def _each(describe: Callable[[Image.Image], NDArray[Any]]) -> Way:
    return lambda pictures: np.stack([describe(picture) for picture in pictures])


def _probed(photo: Image.Image) -> list[Image.Image]:
    return [_turned(_cropped(photo, *sides), angle) for angle, *sides in _PROBES]


def _grey(picture: Image.Image, width: int, height: int) -> NDArray[np.float64]:
    return np.asarray(picture.convert("L").resize((width, height), Image.Resampling.LANCZOS), float)


def _dct_hash(picture: Image.Image) -> NDArray[np.float32]:
    """Signs whose inner product is 1 - 2 h / 64 for a Hamming distance h."""
    k = np.arange(32)
    waves = np.cos(np.pi * (2 * k + 1) * k[:8, None] / 64)
    low = (waves @ _grey(picture, 32, 32) @ waves.T).ravel()
    return (np.where(low > np.median(low[1:]), 1, -1) / 8).astype(np.float32)


def _gradient_hash(picture: Image.Image) -> NDArray[np.float32]:
    return (np.where(np.diff(_grey(picture, 9, 8)).ravel() > 0, 1, -1) / 8).astype(np.float32)


def _thumbnail(picture: Image.Image) -> NDArray[np.float32]:
    grey = _grey(picture, 8, 8).ravel()
    grey -= grey.mean()
    return (grey / max(np.linalg.norm(grey), 1e-9)).astype(np.float32)


def _features(network: Any) -> Way:
    def describe(pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = network.features(pictures)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return describe


# Judging; alike is (photos of the copies, copies, photos)


def _sides(alike: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = np.arange(len(alike))
    others = np.ones(alike.shape, bool)
    others[rows, :, rows] = False
    return alike[rows, :, rows], alike[others]


def _choose(alike: NDArray[np.float32]) -> float:
    """Take the lowest threshold that is precise enough."""
    own, others = (np.sort(side.ravel()) for side in _sides(alike))
    levels = np.unique(own)
    hits = len(own) - np.searchsorted(own, levels)
    wrong = len(others) - np.searchsorted(others, levels)
    return float(levels[np.argmax(hits >= _PRECISE * (hits + wrong))])


def _judge(alike: NDArray[np.float32], threshold: float) -> Record:
    own, others = _sides(alike)
    hits, wrong = own >= threshold, int(np.count_nonzero(others >= threshold))
    return {
        "threshold": threshold,
        "recall": float(hits.mean()),
        "precision": float(hits.sum() / max(hits.sum() + wrong, 1)),
        "by_copy": dict(zip(COPIES, hits.mean(axis=0).tolist(), strict=True)),
        "wrong": wrong,
        "pairs": int(others.size),
        "highest_of_others": float(others.max()),
    }


def _grouped(
    of_photos: NDArray[np.float32], of_copies: NDArray[np.float32], pages: NDArray[np.bool_]
) -> Record:
    every = np.concatenate([of_photos, of_copies], axis=1)
    owner = np.repeat(np.arange(len(every)), every.shape[1])
    together = same = 0
    for group in near_duplicates(every.reshape(len(owner), -1), pages=pages.ravel()):
        counts = np.bincount(owner[group])
        together += len(group) * (len(group) - 1) // 2
        same += int((counts * (counts - 1) // 2).sum())
    possible = len(every) * every.shape[1] * (every.shape[1] - 1) // 2
    return {"grouped_recall": same / possible, "grouped_precision": same / max(together, 1)}


def _faces(photos: Sequence[Image.Image]) -> Record:
    """Put photos among spoilt copies of themselves and see which is chosen."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, photo in enumerate(photos):
            for name, copy in {"a": lambda photo: photo, **SPOILT}.items():
                paths.append(f"{folder}/{number:03}-{name}.png")
                copy(photo).save(paths[-1])
        bursts = find_bursts(paths)
    each = len(SPOILT) + 1
    with_photo = [burst for burst in bursts if any(row % each == 0 for row in burst.members)]
    return {
        "photos": len(photos),
        "grouped": sum(len(burst.members) - 1 for burst in with_photo) / len(photos) / len(SPOILT),
        "faces": {
            name: sum(burst.face % each == kind for burst in with_photo)
            for kind, name in enumerate(["the photo itself", *SPOILT])
        },
    }


if __name__ == "__main__":
    main()
