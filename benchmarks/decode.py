"""Decode JPEGs of 12 million pixels and scale them to 256: time on one core, and error.

The error is the root of the mean square against the whole picture scaled with Lanczos in floating
point: on the numbers as they are stored, and in linear light. The JPEGs are made from the photos of
the data; with `--photos` those of a folder, of six million pixels on, are decoded as they are.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from statistics import mean, median
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai._optional import require
from rememberai.photos import open_image, open_scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from benchmarks._records import Record

    Way = Callable[[Path], Image.Image | None]

NAME = "decode"
SAVED: dict[str, Any] = {f"quality {quality}": {"quality": quality} for quality in (75, 85, 92, 95)}
SAVED["progressive, quality 85"] = {"quality": 85, "progressive": True}
BEFORE, SIDE = (4000, 3000), 256
LARGE = 6_000_000  # pixels of a photo that counts
NAIVE = "Image.open().convert().resize()"
OURS, AVERAGED = f"open_scaled({SIDE})", f"open_image(at_least={SIDE})"
BY_PILLOW = f"open_image(at_least={2 * SIDE}), scaled by Pillow"
FLOOR = "reading the codes alone: an eighth, grey"
_LANCZOS = Image.Resampling.LANCZOS


def main(argv: list[str] | None = None) -> None:
    """Decode each picture in each way by turns."""
    parser = arguments(__doc__, pictures=3, repeats=5, seed=0)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--photos", type=Path, help="folder of large JPEGs of cameras")
    options = parser.parse_args(argv)
    settings = {"pictures": options.pictures}
    own = sorted(options.photos.rglob("*.jpg")) if options.photos else []
    if options.photos and not own:
        parser.error(f"a folder with JPEGs was wanted; {options.photos} has none")
    if own:
        settings["photos"] = options.photos.name
    run = Run(NAME, settings, folder=options.records)
    require("torch")  # which then scales, as beside a model

    def measure(path: Path, about: Record) -> None:
        for what, repeat, found in _measure(path, options.repeats):
            run.add({"what": what, **about}, repeat, found, threads=1, seed=options.seed)

    photos = sorted((options.data / "coco_photos").glob("*.jpg"))
    cases = itertools.product({"many photos": _many, "one, noisy": _one}.items(), SAVED.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.jpg"
        for (kind, make), (how, saved) in cases:
            for number in range(options.pictures):
                random = np.random.default_rng([options.seed, number])
                make(photos, random).save(path, **saved)
                measure(path, {"kind": f"{kind}, {how}", "picture": number})
        for photo in own:
            shutil.copyfile(photo, path)
            with Image.open(path) as image:
                if image.width * image.height < LARGE:
                    continue
                kind = "progressive" if "progressive" in image.info else "baseline"
                measure(path, {"kind": f"cameras', {kind}", "picture": photo.name})
                if kind == "progressive":  # as a camera writes it, with the same numbers
                    again = Path(folder) / "again.jpg"
                    image.save(again, quality="keep", progressive=False)
                    measure(again, {"kind": "of these as baseline", "picture": photo.name})
    print(table(run.records))


def _measure(path: Path, repeats: int) -> Iterator[tuple[str, int, Record]]:
    with Image.open(path) as image:
        scale = SIDE / min(image.size)
        after = round(scale * image.width), round(scale * image.height)
    references = _references(path, after)
    ways = dict(_ways(after))
    for repeat in range(repeats):
        for what in list(ways)[:: 1 if repeat % 2 else -1]:
            start = process_time()
            small = ways[what](path)
            found: Record = {"seconds": process_time() - start}
            if small is not None:
                found |= {name: _error(small, other) for name, other in references.items()}
            yield what, repeat, found | {"megabytes": path.stat().st_size / 1e6}


def table(records: list[Record]) -> str:
    """Write medians of time and means of error over pictures and repeats."""
    rows = []
    known = dict.fromkeys(r["arm"]["what"] for r in records)
    for kind in dict.fromkeys(r["arm"]["kind"] for r in records):
        naive = _ordered(records, kind=kind, what=NAIVE)
        size = mean(figures(naive, "megabytes"))
        n = len({record["arm"]["picture"] for record in naive})
        main = NAIVE, BY_PILLOW, AVERAGED, OURS
        for what in sorted(known, key=main.__contains__, reverse=True):
            arm = _ordered(records, kind=kind, what=what)
            faster = paired_ratio(figures(naive, "seconds"), figures(arm, "seconds"))
            errors = [
                "" if what == FLOOR else f"{mean(figures(arm, name)):.2f}"
                for name in ("as_stored", "linear_light")
            ]
            rows.append([
                f"{n} {kind}, {size:.1f} MB: {what}",
                f"{1000 * median(figures(arm, 'seconds')):.0f}",
                f"{faster:.1f}×",
                *errors,
            ])  # fmt: skip
    header = ["", "ms", "faster, bar 4×", "error as stored", "error in linear light"]
    return markdown(header, rows)


def _ordered(records: list[Record], **arm: Any) -> list[Record]:
    """Select an arm's records, so that those of two arms stand side by side."""
    return sorted(of_arm(records, **arm), key=lambda r: (r["arm"]["picture"], r["repeat"]))


def _ways(after: tuple[int, int]) -> Iterator[tuple[str, Way]]:
    yield NAIVE, lambda path: Image.open(path).convert("RGB").resize(after)
    yield OURS, lambda path: open_scaled(path, SIDE)
    yield BY_PILLOW, lambda path: open_image(path, at_least=2 * SIDE).resize(after, _LANCZOS)
    yield AVERAGED, lambda path: open_image(path, at_least=SIDE).resize(after, _LANCZOS)
    yield FLOOR, _floor
    yield "open_image() whole", lambda path: open_image(path).resize(after, _LANCZOS)
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        print("without simplejpeg, which is not installed")
    else:
        yield (
            "simplejpeg at twice the size",
            lambda path: Image.fromarray(
                decode_jpeg(
                    path.read_bytes(), min_width=2 * after[0], min_height=2 * after[1], min_factor=1
                )
            ).resize(after, _LANCZOS),
        )
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    try:
        import pyvips
    except ImportError:
        print("without pyvips, which is not installed")
    else:
        pyvips.cache_set_max(0)
        yield "pyvips thumbnail", lambda path: _vips(pyvips, path, after)


def _floor(path: Path) -> None:
    """Decode as little as libjpeg can: every code is read, and one value in 64 is computed."""
    with Image.open(path) as image:
        image.draft("L", (1, 1))
        image.load()


def _vips(pyvips: Any, path: Path, after: tuple[int, int]) -> Image.Image:
    image = pyvips.Image.thumbnail(str(path), after[0], height=after[1], size="force")
    return Image.fromarray(image.numpy())


def _many(photos: list[Path], random: np.random.Generator) -> Image.Image:
    """Lay photos side by side, each pixel of them a pixel: as sharp as a picture can be."""
    large = Image.new("RGB", BEFORE)
    chosen = random.permutation(len(photos))
    for place in range(88):
        photo = open_image(photos[chosen[place % len(chosen)]]).resize((384, 384))
        large.paste(photo, (384 * (place % 11), 384 * (place // 11)))
    return large


def _one(photos: list[Path], random: np.random.Generator) -> Image.Image:
    """Enlarge a photo and add the noise of a sensor."""
    photo = open_image(photos[random.integers(len(photos))]).resize(BEFORE, _LANCZOS)
    noisy = np.asarray(photo, np.float32)
    noisy = noisy + random.normal(0, 4, (*noisy.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _references(path: Path, after: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
    def scaled(picture: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        bands = picture.astype(np.float32).transpose(2, 0, 1)
        return np.stack([Image.fromarray(b).resize(after, _LANCZOS) for b in bands], axis=-1)

    with Image.open(path) as image:
        stored = np.asarray(image.convert("RGB"), np.float32) / 255
    light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    small = scaled(light).clip(0, 1)
    back = np.where(small <= 0.0031308, 12.92 * small, 1.055 * small ** (1 / 2.4) - 0.055)
    return {"as_stored": 255 * scaled(stored), "linear_light": (255 * back).astype(np.float32)}


def _error(small: Image.Image, reference: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((np.asarray(small, np.float32) - reference) ** 2)))


if __name__ == "__main__":
    main()
