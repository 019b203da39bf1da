"""Near-duplicates, bursts and their faces."""

from __future__ import annotations

import sys
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from rememberai.photos import Burst, bursts, find_bursts, open_image
from rememberai.photos.bursts import ALIKE, APART, near_duplicates, sharpness, sketch


def drawing(seed: int, size=(240, 180)) -> Image.Image:
    """A picture of its own: smooth patches of colour with some texture."""
    random = np.random.default_rng(seed)
    patches = Image.fromarray(random.integers(0, 256, (5, 6, 3)).astype(np.uint8))
    image = np.asarray(patches.resize(size, Image.Resampling.BICUBIC), np.float32)
    image = image + random.normal(0, 12, (size[1], size[0], 1))
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


COPIES = {
    "same": lambda image: image,
    "smaller": lambda image: image.resize((80, 60)),
    "cropped": lambda image: image.crop((12, 9, 228, 171)),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "turned": lambda image: image.rotate(4, Image.Resampling.BICUBIC),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_alike_and_another_picture_is_not(copy):
    mine, others = sketch(COPIES[copy](drawing(0))), [sketch(drawing(seed)) for seed in range(9)]
    alike = np.array([mine @ other for other in others])
    assert alike[0] >= ALIKE
    assert alike[1:].max() < ALIKE


def test_a_sketch_has_length_one_and_one_of_a_blank_picture_is_zero():
    found = sketch(drawing(1))
    assert (found.shape, found.dtype) == ((bursts.DIMENSION,), np.float32)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    assert not sketch(Image.new("RGB", (30, 20), "navy")).any()


def test_edges_and_colours_both_count():
    grey = drawing(2).convert("L").convert("RGB")
    bands = drawing(2).split()
    swapped = Image.merge("RGB", (bands[2], bands[0], bands[1]))
    whole = sketch(drawing(2))
    assert whole @ sketch(grey) < 0.999
    assert whole @ sketch(swapped) < whole @ sketch(grey)
    assert whole @ sketch(drawing(2).transpose(Image.Transpose.FLIP_LEFT_RIGHT)) < ALIKE


@pytest.mark.parametrize("eighth", np.arange(-8, 8) / 2)
def test_edges_of_every_direction_count(eighth):
    """Slopes of grey, of which two differ by 4 degrees."""

    def slope(degrees):
        across, down = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        y, x = np.mgrid[-60:60, -60:60]
        return sketch(Image.fromarray((127 + across * x + down * y).astype(np.uint8)))

    edges = 6 * 6 * 8  # before the colours
    first, second = (slope(45 * eighth + turn)[:edges] for turn in (-2, 2))
    assert first @ second > 0.95 * first @ first > 0.3


def test_real_photos_and_their_copies(shared_data):
    files = sorted((shared_data / "coco_photos").glob("*.jpg"))[::4]
    photos = [open_image(file, at_least=180) for file in files]
    mine = np.stack([sketch(photo) for photo in photos])
    for name, copy in COPIES.items():
        if name in ("cropped", "smaller"):
            continue
        alike = np.stack([sketch(copy(photo)) for photo in photos]) @ mine.T >= ALIKE
        assert np.diag(alike).mean() >= 0.9, name
        assert np.diag(alike).sum() >= 0.99 * alike.sum(), name


# Sharpness


def test_the_sharper_is_told_whatever_its_brightness_and_size():
    image = drawing(3, (800, 600))
    blurred = image.filter(ImageFilter.GaussianBlur(1.5))
    assert sharpness(image) > 2 * sharpness(blurred)
    assert sharpness(image) > 2 * sharpness(image.resize((200, 150)).resize((800, 600)))
    assert sharpness(image) > sharpness(image.resize((200, 150)))
    dim = image.point(lambda value: value * 0.5)
    assert sharpness(dim) == pytest.approx(sharpness(image), rel=0.05)
    assert sharpness(Image.new("RGB", (30, 20), "navy")) == 0


@pytest.mark.parametrize("size", [(60000, 1), (1, 60000), (1, 1), (2, 3)])
def test_a_strip_is_not_scaled_to_billions_of_pixels(size, monkeypatch):
    sizes = []
    resize = Image.Image.resize

    def watched(self, size, *rest, **options):
        sizes.append(size)
        assert size[0] * size[1] <= 2**23
        return resize(self, size, *rest, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    random = np.random.default_rng(0)
    strip = Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8))
    assert np.isfinite(sharpness(strip))
    assert np.isfinite(sketch(strip)).all()
    assert sizes


# Grouping


def rows(angles) -> np.ndarray:
    """Points on a circle: those less than acos(ALIKE) = 45.6 degrees apart are near."""
    angles = np.radians(angles)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def groups(*arguments) -> list[list[int]]:
    return [group.tolist() for group in near_duplicates(*arguments)]


def test_groups_are_stars_around_the_one_that_has_most():
    assert groups(rows([0, 30, 60, 180, 190, 270])) == [[0, 1, 2], [3, 4]]
    # 0 and 80 are not near; 40 is near both, 120 and 80 too: of equals the first is a centre.
    assert groups(rows([0, 40, 80, 120])) == [[0, 1, 2]]
    assert groups(rows([0, 90, 180])) == []
    assert groups(np.empty((0, 2), np.float32)) == []
    assert groups(np.zeros((5, 2), np.float32)) == []  # blank pictures


@pytest.mark.parametrize("dated", [False, True])
def test_groups_are_those_of_a_plain_search(dated):
    random = np.random.default_rng(0)
    points = random.normal(size=(1300, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[:1000] = points[0]  # more than a block
    near = points @ points.T >= ALIKE
    seconds = random.uniform(0, 4 * APART, len(points)) if dated else None
    if seconds is not None:
        near &= np.abs(seconds[:, None] - seconds) <= APART
    found = near_duplicates(points, seconds)
    owner = np.full(len(points), -1)
    for number, group in enumerate(found):
        assert len(group) > 1
        assert (owner[group] == -1).all()
        owner[group] = number
        assert near[group][:, group].all(axis=1).any()  # one is near all
    left = np.flatnonzero(owner < 0)
    assert not np.triu(near[np.ix_(left, left)], 1).any()


def page(seed: int, tint: str, ink: str = "black") -> Image.Image:
    """Lines of words on paper, as long as chance will have it."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (600, 800), tint)
    draw = ImageDraw.Draw(image)
    for top in range(40, 760, 24):
        words = ["".join(random.choice(list("abdegimnorstu"), n)) for n in random.integers(2, 9, 9)]
        draw.text((40, top), " ".join(words)[: random.integers(40, 60)], ink, font_size=16)
    return image


@pytest.mark.parametrize(
    ("tint", "ink"), [("white", "black"), ("beige", "navy"), ("#203040", "white")]
)
def test_pages_that_say_other_things_are_no_burst(tmp_path, tint, ink):
    pages = [page(seed, tint, ink) for seed in range(8)]
    sketches = np.array([sketch(image) for image in pages])
    assert (sketches @ sketches.T).min() > ALIKE  # all alike at a glance
    copies = [
        pages[0].resize((300, 400), Image.Resampling.LANCZOS),
        pages[0].rotate(1, Image.Resampling.BICUBIC, fillcolor=tint),
    ]
    paths = [str(tmp_path / f"{i}.jpg") for i in range(10)]
    for path, image in zip(paths, [*pages, *copies], strict=True):
        image.save(path, quality=60)
    assert [burst.members for burst in find_bursts(paths)] == [
        (0, 8, 9),
        *((i,) for i in range(1, 8)),
    ]


def test_a_page_is_mostly_of_one_grey():
    assert bursts.is_page(page(0, "white"))
    assert bursts.is_page(Image.new("RGB", (90, 40), "navy"))
    assert not bursts.is_page(drawing(0))
    assert not bursts.is_page(Image.linear_gradient("L").convert("RGB"))


def test_a_page_and_a_photo_are_compared_as_photos():
    points = rows([0, 20, 40])
    assert groups(points, None, np.array([True, True, True])) == []
    assert groups(points, None, np.array([True, False, True])) == [[0, 1, 2]]
    assert groups(rows([0, 5]), None, np.array([True, True])) == [[0, 1]]


def test_thousands_alike_take_a_bit_a_pair():
    random = np.random.default_rng(1)
    points = 1 + random.normal(scale=0.1, size=(4000, 16)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    tracemalloc.start()
    try:
        found = groups(points)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [list(range(4000))]
    assert peak < 64 * 2**20  # 8 million pairs, of two numbers each, would be twice that


def test_photos_known_to_be_an_hour_apart_are_not_alike():
    points = rows([0, 1, 2, 3])
    assert groups(points, np.array([0, 3500, 7200, 20000])) == [[0, 1]]
    assert groups(points, np.array([0, 3500, 7200, np.nan])) == [[0, 1, 2, 3]]  # all like the last
    assert groups(points, np.array([0, 3601, 7300, 11000])) == []
    assert groups(points, np.full(4, np.nan)) == [[0, 1, 2, 3]]
    assert groups(points[:2], np.array([0, APART])) == [[0, 1]]


# Files


@pytest.fixture
def files(tmp_path):
    """Three of one scene, the second of them sharp; two others, one broken, one without a file."""
    scene = drawing(4, (600, 450))
    for name, image in {
        "0-blurred.jpg": scene.filter(ImageFilter.GaussianBlur(2)),
        "1-other.jpg": drawing(5),
        "2-sharp.jpg": scene,
        "3-small.png": scene.resize((150, 112)),
        "4-another.jpg": drawing(6),
    }.items():
        image.save(tmp_path / name)
    (tmp_path / "5-broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return [*map(str, sorted(tmp_path.iterdir())), None]


def test_bursts_stand_once_with_the_sharpest_as_their_face(files):
    ticks = []
    found = find_bursts(files, progress=lambda done, total: ticks.append((done, total)))
    assert found == (Burst(2, (0, 2, 3)), *(Burst(row, (row,)) for row in (1, 4, 5, 6)))
    assert ticks == [(number, 7) for number in range(1, 8)]
    assert find_bursts([]) == ()


def test_a_picture_that_needs_an_extra_is_alone(files, monkeypatch):
    Path(files[5]).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert find_bursts(files)[0] == Burst(2, (0, 2, 3))


def test_the_order_of_the_files_is_of_no_account(tmp_path, monkeypatch):
    """A chain in which either of two may be the centre."""
    monkeypatch.setattr(bursts, "DIMENSION", 2)
    monkeypatch.setattr(bursts, "is_page", lambda image: False)
    monkeypatch.setattr(bursts, "sketch", lambda image: rows([image.getpixel((0, 0))[0]])[0])
    for angle in (0, 40, 80, 120):
        Image.new("L", (8, 8), angle).save(tmp_path / f"{angle:03}.png")
    paths = sorted(map(str, tmp_path.iterdir()))
    assert find_bursts(paths) == (Burst(0, (0, 1, 2)), Burst(3, (3,)))
    assert find_bursts(paths[::-1]) == (Burst(0, (0,)), Burst(3, (1, 2, 3)))


def test_times_part_scenes_that_look_the_same(files):
    start = datetime(2024, 5, 18, 12)
    times = [start, None, start + timedelta(hours=2), start + timedelta(minutes=50), *[None] * 3]
    assert find_bursts(files, times)[:2] == (Burst(0, (0, 3)), Burst(1, (1,)))
    assert find_bursts(files, [None] * 7) == find_bursts(files)
