"""Decoding: the scale asked for, colours, several pictures in a file, and what can go wrong."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from contextlib import nullcontext

import numpy as np
import pytest
from pictures import outcome_of, save
from PIL import Image, ImageCms, features

from rememberai.errors import ImageError, InputError, MissingExtraError
from rememberai.photos import Album, images, metadata, open_image, open_scaled
from rememberai.photos.pixels import scaled


def pixels(image) -> np.ndarray:
    return np.asarray(image, np.float32)


def scene(size=(400, 300)) -> Image.Image:
    """A smooth picture, different in each corner."""
    y, x = np.mgrid[0 : 1 : size[1] * 1j, 0 : 1 : size[0] * 1j]
    waves = 0.5 + 0.2 * np.sin(9 * x + 4 * y)
    return Image.fromarray((255 * np.stack([x, y, waves], -1)).astype(np.uint8))


AVIF = "avif" in features.modules and features.check("avif")
FORMATS = {
    "a.jpg": {"quality": 95},
    "progressive.jpg": {"quality": 95, "progressive": True},
    "a.png": {},
    "a.webp": {"lossless": True},
    "a.tif": {},
    "a.bmp": {},
    "a.gif": {"interlace": 0},
    "a.avif": {"quality": 95},
    "a.heic": {"quality": 95},
}


def write(path, image=None, **options):
    image = scene() if image is None else image
    if path.suffix == ".avif" and not AVIF:
        pytest.skip("this Pillow can't read AVIF")
    if path.suffix == ".heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("at_least", [25, 37, 75, 149, 150, 151, 999])
def test_the_shorter_side_keeps_what_was_asked_for_and_not_twice_that(tmp_path, name, at_least):
    path = write(tmp_path / name, **FORMATS[name])
    full, small = open_image(path), open_image(path, at_least=at_least)
    assert (full.size, small.mode) == ((400, 300), "RGB")
    if at_least > 150:
        assert small.size == full.size
    else:
        assert at_least <= min(small.size) < 2 * at_least
        assert max(small.size) / min(small.size) == pytest.approx(4 / 3, abs=1.5 / min(small.size))
    reference = full.resize(small.size, Image.Resampling.BOX)
    limit = 8 if name.endswith(".gif") else 3  # 256 colours
    assert np.abs(pixels(small) - pixels(reference)).mean() < limit


def test_a_jpeg_is_scaled_while_it_is_decoded(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jpg")
    loaded = []
    monkeypatch.setattr(
        images, "as_shown", lambda image, *_: loaded.append(image.size) or image.copy()
    )
    open_image(path, at_least=70)
    assert loaded == [(100, 75)]


@pytest.mark.parametrize("n", [2, 4])
def test_what_a_jpeg_decodes_to_at_a_half_or_a_quarter_stays_as_it_is(tmp_path, n):
    path = write(tmp_path / "a.jpg", scene((960, 480)), quality=95)
    with Image.open(path) as image:
        image.draft(None, (480 // n, 480 // n))
        decoded = pixels(image)
    assert decoded.shape == (480 // n, 960 // n, 3)
    np.testing.assert_array_equal(pixels(open_image(path, at_least=480 // n)), decoded)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("n", [8, 24])
def test_detail_keeps_its_contrast_where_pixels_are_averaged(tmp_path, name, n):
    waves = np.cos(2 * np.pi * (np.arange(960) + 0.5) / (4 * n) - np.pi / 4)
    picture = Image.fromarray(np.rint(128 + 100 * np.tile(waves, (480, 1))).astype(np.uint8))
    path = write(tmp_path / name, picture.convert("RGB"), **FORMATS[name])
    means = np.asarray(picture, float).reshape(480 // n, n, 960 // n, n).mean(axis=(1, 3))
    small = pixels(open_image(path, at_least=480 // n))[2:-2, 2:-2, 0]
    assert small.shape == (480 // n - 4, 960 // n - 4)
    assert np.ptp(means) == pytest.approx(180, abs=1)  # of 200 that there are
    assert np.ptp(small) == pytest.approx(195, abs=2)


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 9), (9, 2), (3, 3), (500, 375), (31, 900), (20000, 4)]
)
def test_contrast_is_given_back_as_arithmetic_without_limits_has_it(tmp_path, size):
    """The darkest and brightest pixels side by side are the most that there is to compute."""
    random = np.random.default_rng(0)
    means = random.choice([0.0, 1.0, 128.0, 255.0], (*size[::-1], 3))
    large = means.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    write(tmp_path / "a.png", Image.fromarray(large))
    found = pixels(open_image(tmp_path / "a.png", at_least=min(size)))
    beside = means[:-2, 1:-1] + means[2:, 1:-1] + means[1:-1, :-2] + means[1:-1, 2:]
    expected = means.copy()
    expected[1:-1, 1:-1] += (4 * means[1:-1, 1:-1] - beside) * (1 - 1 / 2**2) / 24
    assert np.abs(found - expected.clip(0, 255)).max() <= 0.5


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_small_one_is_upright_too(tmp_path, name):
    stored = scene().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x112] = 6
    write(tmp_path / name, stored, exif=exif)
    small = open_image(tmp_path / name, at_least=50)
    assert small.width > small.height
    reference = scene().resize(small.size, Image.Resampling.BOX)
    assert np.abs(pixels(small) - pixels(reference)).mean() < 3


@pytest.mark.parametrize("at_least", [0, -3, 2.5, "9"])
def test_no_pixels_are_refused(tmp_path, at_least):
    with pytest.raises(InputError, match="at_least must be"):
        open_image(save(tmp_path / "a.jpg"), at_least=at_least)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("turned", [1, 6])
def test_scaled_the_shorter_side_is_as_long_as_was_asked_for(tmp_path, name, turned):
    if name in ("a.gif", "a.bmp", "a.heic", "a.avif") and turned != 1:
        pytest.skip("no EXIF there, or the format turns by other means")
    image = scene((1200, 905))
    exif = Image.Exif()
    exif[0x112] = turned
    path = write(tmp_path / name, image, **FORMATS[name], **({"exif": exif} if turned > 1 else {}))
    small = open_scaled(path, 100)
    assert small.size == ((133, 100) if turned == 1 else (100, 133))
    reference = open_image(path).resize(small.size, Image.Resampling.LANCZOS)
    assert np.abs(pixels(small) - pixels(reference)).mean() < (4 if name == "a.gif" else 1)
    assert open_scaled(path, 905).size == open_scaled(path, 5000).size == open_image(path).size


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("size", [(37, 23), (1, 1), (503, 9)])
def test_scaled_with_torch_and_without(monkeypatch, loaded, size):
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torch", torch if loaded else None)
    noise = np.random.default_rng(0).integers(0, 256, (401, 503, 3), dtype=np.uint8)
    reference = [
        np.asarray(Image.fromarray(band).resize(size, Image.Resampling.LANCZOS))
        for band in noise.transpose(2, 0, 1).astype(np.float32)
    ]
    error = pixels(scaled(Image.fromarray(noise), size, (503, 401))) - np.stack(reference, -1).clip(
        0, 255
    )
    assert np.sqrt((error**2).mean()) < 0.5  # each direction rounds


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("turned", range(1, 9))
def test_scaled_nothing_moves_where_the_last_pixels_stand_for_less(
    tmp_path, monkeypatch, loaded, turned
):
    """At a quarter, 401 columns are 101, of which the last is a quarter as wide."""
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torch", torch if loaded else None)
    exif = Image.Exif()
    exif[0x112] = turned
    path = write(tmp_path / "a.jpg", scene((401, 401)), quality=95, exif=exif)
    small = pixels(open_scaled(path, 50))
    reference = pixels(open_image(path).resize((50, 50), Image.Resampling.LANCZOS))
    assert np.abs((small - reference).mean(axis=0)).mean() < 0.4
    assert np.abs((small - reference).mean(axis=1)).mean() < 0.4


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize(
    "size", [(97, 97), (25, 25), (10, 10), (65, 65), (32, 97), (17, 52), (1, 9)]
)
def test_scaled_tiny_pictures_have_the_size_asked_for_too(tmp_path, monkeypatch, loaded, size):
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torch", torch if loaded else None)
    path = write(tmp_path / "a.jpg", scene(size), quality=95)
    for side in range(1, min(size)):
        small = open_scaled(path, side)
        scale = side / min(size)
        assert small.size == (round(scale * size[0]), round(scale * size[1]))
        reference = open_image(path).resize(small.size, Image.Resampling.LANCZOS)
        assert side < 4 or np.abs(pixels(small) - pixels(reference)).mean() < 6


def test_scaling_while_another_thread_loads_torch(tmp_path):
    pytest.importorskip("torch")
    write(tmp_path / "a.jpg", scene((200, 150)))
    lines = [
        "import threading",
        "from rememberai.photos import open_scaled",
        "done = threading.Event()",
        "def scale():",
        "    while True:",
        f"        assert open_scaled({str(tmp_path / 'a.jpg')!r}, 50).size == (67, 50)",
        "        if done.is_set():",
        "            break",
        "thread = threading.Thread(target=scale)",
        "thread.start()",
        "import torch",
        "done.set()",
        "thread.join()",
        "print('whole')",
    ]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "whole", "")


@pytest.mark.parametrize("side", [0, -3, 2.5, "9", None])
def test_no_side_is_refused(tmp_path, side):
    with pytest.raises(InputError, match="side must be"):
        open_scaled(save(tmp_path / "a.jpg"), side)


# Colours


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for number in range(struct.unpack_from(">I", profile, 128)[0]):
        at = 132 + 12 * number
        places[bytes(profile[at : at + 4])] = at + 4
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    kept = bytes(profile[red : red + 8])
    profile[red : red + 8] = profile[green : green + 8]
    profile[green : green + 8] = kept
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "RGBs".encode("utf-16-be"))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
def test_a_profile_is_applied(tmp_path, name):
    path = write(tmp_path / name, Image.new("RGB", (32, 32), (200, 30, 90)),
                 icc_profile=swapped_profile())  # fmt: skip
    assert pixels(open_image(path, at_least=8))[3, 3] == pytest.approx([30, 200, 90], abs=5)


def test_a_profile_is_applied_beneath_transparent_parts(tmp_path):
    image = Image.new("RGBA", (32, 32), (200, 30, 90, 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 32))
    path = write(tmp_path / "a.png", image, icc_profile=swapped_profile())
    found = pixels(open_image(path))
    assert found[5, 5] == pytest.approx([255, 255, 255], abs=1)
    assert found[5, 30] == pytest.approx([30, 200, 90], abs=3)


@pytest.mark.parametrize("at_least", [None, 100, 30])
def test_a_small_one_tells_of_its_colours_too(tmp_path, at_least):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, image in (("a.jpg", scene()), ("a.tif", scene().convert("F"))):
        path = write(tmp_path / name, image, icc_profile=srgb)
        assert open_image(path, at_least=at_least).info["icc_profile"] == srgb


def test_a_damaged_profile_or_one_of_another_kind_is_passed_over(tmp_path):
    grey = Image.new("L", (32, 32), 90)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"nonsense", swapped_profile()[:200], srgb):
        path = write(tmp_path / "a.jpg", grey, icc_profile=profile)
        assert pixels(open_image(path))[3, 3] == pytest.approx([90, 90, 90], abs=2)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_is_not_inverted(tmp_path, name):
    """Adobe's JPEGs hold CMYK inverted, TIFFs do not."""
    path = write(tmp_path / name, Image.new("CMYK", (32, 32), (0, 255, 255, 0)))
    for at_least in (None, 8):
        found = pixels(open_image(path, at_least=at_least))[2, 2]
        assert found == pytest.approx([255, 0, 0], abs=12)


DEEP = {
    "grey.png": Image.new("I;16", (32, 32), 0x8000),
    "grey.tif": Image.new("I;16", (32, 32), 0x8000),
    "bits.png": Image.new("1", (32, 32), 1),
    "clear.png": Image.new("LA", (32, 32), (10, 0)),
}


@pytest.mark.parametrize(("name", "grey"), list(zip(DEEP, (128, 128, 255, 255), strict=True)))
def test_every_depth_of_grey(tmp_path, name, grey):
    path = write(tmp_path / name, DEEP[name])
    for at_least in (None, 8):
        found = pixels(open_image(path, at_least=at_least))
        assert (found == grey).all()


RAMP = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)
NUMBERS = {  # with the least and the greatest that are shown
    "fractions": (RAMP, 0, 1),
    "few fractions": (0.25 + RAMP / 2, 0, 1),
    "wide": (RAMP * 5000 - 1000, -1000, 4000),
    "tiny": (RAMP * 1e-3 - 1e-4, -1e-4, 9e-4),
    "32 bits": ((RAMP * 2e9).astype(np.int32), 0, 2e9),
    "32 bits below zero": ((RAMP * 2000 - 500).astype(np.int32), -500, 1500),
}


@pytest.mark.parametrize(("numbers", "least", "most"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_without_bounds_are_scaled_as_viewers_do(tmp_path, numbers, least, most):
    path = write(tmp_path / "a.tif", Image.fromarray(numbers))
    expected = 255 * (numbers.astype(float) - least) / (most - least)
    found = open_image(path)
    assert found.mode == "RGB"
    np.testing.assert_allclose(pixels(found), np.stack([expected] * 3, -1), atol=0.51)
    small = pixels(open_image(path, at_least=8))
    assert small.shape == (8, 11, 3)
    assert small.mean() == pytest.approx(expected.mean(), abs=3)


def test_what_is_no_number_is_left_out(tmp_path):
    numbers, expected = 5000 * RAMP, 255 * RAMP
    numbers[5, :3], expected[5, :3] = (np.nan, np.inf, -np.inf), (0, 255, 0)
    found = open_image(write(tmp_path / "a.tif", Image.fromarray(numbers)))
    np.testing.assert_allclose(pixels(found)[..., 0], expected, atol=0.51)


@pytest.mark.parametrize(("number", "grey"), [(np.nan, 0), (0.5, 128), (1, 255), (7, 0)])
def test_numbers_that_are_all_the_same(tmp_path, number, grey):
    numbers = np.full((8, 8), number, np.float32)
    found = open_image(write(tmp_path / "a.tif", Image.fromarray(numbers)))
    assert (pixels(found) == grey).all()


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_16_bits_of_grey_go_from_0_to_65535(tmp_path, mode):
    numbers = (RAMP * 65535).astype(">u2" if mode.endswith("B") else "<u2")
    path = tmp_path / "a.tif"
    write(path, Image.frombytes(mode, (32, 24), numbers.tobytes()))
    np.testing.assert_allclose(pixels(open_image(path))[..., 0], numbers // 256, atol=1)


def test_16_bits_with_a_transparent_grey_and_16_bits_of_colour(tmp_path):
    write(tmp_path / "a.png", DEEP["grey.png"], transparency=0x4000)
    assert open_image(tmp_path / "a.png").getpixel((3, 3)) == (128, 128, 128)
    rows = b"".join(b"\0" + struct.pack(">3H", 0x8000, 0x1000, 0xFFFF) * 4 for _ in range(4))
    (tmp_path / "deep.png").write_bytes(png(4, 4, 16, 2, rows))
    assert open_image(tmp_path / "deep.png").getpixel((1, 1)) == (128, 16, 255)


def png(width, height, bits, colour, rows) -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)]
    chunks += [b"IDAT" + zlib.compress(rows), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_palettes_with_a_transparent_colour(tmp_path, name):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(0, (0, 0, 16, 32))
    path = write(tmp_path / name, image, transparency=0)
    for at_least in (None, 8):
        found = open_image(path, at_least=at_least)
        assert found.getpixel((0, 0)) == (255, 255, 255)
        assert found.getpixel((found.width - 1, 0)) == (200, 100, 50)


def test_a_palette_whose_every_pixel_has_its_own_transparency(tmp_path):
    image = Image.new("PA", (32, 32))
    image.putpalette([10, 20, 30])
    image.putalpha(Image.new("L", (32, 32), 51))  # a fifth
    path = write(tmp_path / "a.tif", image)
    assert Image.open(path).mode == "PA"
    for at_least in (None, 8):
        found = open_image(path, at_least=at_least).getpixel((3, 3))
        assert found == pytest.approx((206, 208, 210), abs=1)


def test_a_transparent_colour_is_none_that_its_neighbours_get(tmp_path):
    colours = np.full((32, 32, 3), (200, 0, 0), np.uint8)
    colours[::2] = (0, 0, 255)
    path = write(tmp_path / "a.png", Image.fromarray(colours), transparency=(0, 0, 255))
    whole = pixels(open_image(path))
    assert (whole[0, 0] == 255).all()
    assert (whole[1, 0] == (200, 0, 0)).all()
    small = pixels(open_image(path, at_least=16))[5, 5]
    assert small[0] > 200
    assert small[2] == small[1] > 100  # white, not blue, shines through


# Several pictures in a file


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.apng", "a.mpo", "a.jpg", "a.tif"])
def test_the_first_of_several(tmp_path, name):
    first, second = (Image.new("RGB", (64, 48), colour) for colour in ("red", "blue"))
    form = {"a.jpg": "MPO", "a.apng": "PNG"}.get(name)
    first.save(tmp_path / name, form, save_all=True, append_images=[second])
    album = Album.from_folder(tmp_path)
    assert [(o.status, o.reason.count("really")) for o in album.outcomes] == [("done", 0)]
    for at_least in (None, 12):
        red, _, blue = open_image(tmp_path / name, at_least=at_least).getpixel((5, 5))
        assert red > 200 > 60 > blue


@pytest.mark.parametrize("name", ["a.avif", "a.heic", "a.gif", "a.bmp"])
def test_other_formats_are_photos_and_upright(tmp_path, name):
    exif = Image.Exif()
    exif[0x112] = 6
    options = {"exif": exif.tobytes()} if name in ("a.avif", "a.heic") else {}
    write(tmp_path / name, **options)
    size = (300, 400) if options else (400, 300)
    photo = Album.from_folder(tmp_path).photos[0]
    assert (photo.width, photo.height) == size
    assert open_image(tmp_path / name).size == size


def test_a_heic_picture_is_known_by_its_other_brand(tmp_path):
    content = write(tmp_path / "a.heic").read_bytes()
    end = int.from_bytes(content[:4])
    brands = b"mif1" * ((end - 16) // 4)
    (tmp_path / "a.heic").write_bytes(content[:8] + b"mif1\0\0\0\0" + brands + content[end:])
    assert open_image(tmp_path / "a.heic").size == (400, 300)


def test_an_avif_picture_is_known_by_any_of_its_brands(tmp_path, monkeypatch):
    content = write(tmp_path / "a.avif").read_bytes()
    assert content[8:12] == b"avif"
    assert b"mif1" in content[16:40]
    (tmp_path / "a.heic").write_bytes(content[:8] + b"mif1" + content[12:])
    assert open_image(tmp_path / "a.heic").size == (400, 300)
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(MissingExtraError, match=r'pip install "pillow>=11.3"'):
        open_image(tmp_path / "a.heic")


# Damage


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.bmp", "a.gif"])
@pytest.mark.parametrize("at_least", [None, 60])
def test_a_truncated_picture_is_read_as_far_as_it_goes_if_asked(tmp_path, name, at_least):
    path = write(tmp_path / name, **FORMATS[name])
    whole = open_image(path, at_least=at_least)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    with pytest.raises(ImageError, match="can't be read"):
        open_image(path, at_least=at_least)
    part = open_image(path, at_least=at_least, partial=True)
    assert part.size == whole.size
    quarter = part.height // 4
    there, lost = slice(quarter), slice(-quarter, None)
    if name == "a.bmp":  # stored from the bottom up
        there, lost = lost, there
    assert np.abs(pixels(part)[there] - pixels(whole)[there]).mean() < 1
    assert pixels(part)[lost].std(axis=(0, 1)).max() == 0  # blank


@pytest.mark.parametrize("name", ["a.jpg", "progressive.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("partial", [False, True])
def test_a_picture_of_which_nothing_is_left_fails(tmp_path, name, partial):
    path = write(tmp_path / name, **FORMATS[name])
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\xff\xda") if name.endswith(".jpg") else 45])
    with pytest.raises(ImageError):
        open_image(path, partial=partial)


@pytest.mark.parametrize("start", [b"MM\0+", b"XX\0*"])
@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_damaged_exif_hides_no_picture(tmp_path, name, start):
    exif = Image.Exif()
    exif[0x10E] = "words"
    content = write(tmp_path / name, exif=exif).read_bytes()
    (tmp_path / name).write_bytes(content.replace(b"MM\0*", start))
    assert content.count(b"MM\0*") == 1
    assert open_image(tmp_path / name).size == (400, 300)


@pytest.mark.parametrize("error", [MemoryError, AssertionError, AttributeError, EOFError, KeyError,
    RuntimeError, SyntaxError, TypeError, ZeroDivisionError, struct.error, zlib.error])  # fmt: skip
def test_whatever_a_decoder_raises_is_of_the_file(tmp_path, monkeypatch, error):
    def decode(*_):
        raise error("such luck")

    monkeypatch.setattr(images, "as_shown", decode)
    with pytest.raises(ImageError, match=r"a\.jpg can't be read .*such luck"):
        open_image(save(tmp_path / "a.jpg"))


def appended(path):
    with path.open("ab") as file:
        file.write(b"more")


def overwritten(path):
    content, times = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1000))


def replaced(path):
    times = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [appended, overwritten, replaced])
@pytest.mark.parametrize("reader", ["open_image", "from_folder"])
def test_a_file_that_changes_while_it_is_read_is_an_outcome(tmp_path, monkeypatch, reader, change):
    path = save(tmp_path / "a.jpg")
    save(tmp_path / "b.jpg", seed=1)
    module, name = (images, "as_shown") if reader == "open_image" else (metadata, "inspect")
    really = getattr(module, name)

    def meanwhile(*arguments):
        if module is images or arguments[0] == path:
            change(path)
        return really(*arguments)

    monkeypatch.setattr(module, name, meanwhile)
    if module is images:
        with pytest.raises(ImageError, match="changed while it was read"):
            open_image(path)
        return
    album = Album.from_folder(tmp_path)
    assert "changed while it was read" in outcome_of(album, "a.jpg").reason
    assert [photo.name for photo in album.photos] == ["b.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no links and pipes here")
def test_pipes_loops_and_folders_named_like_pictures(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    save(tmp_path / "folder.jpg/a.jpg")
    found = {}

    def read():
        for name in ("pipe.jpg", "loop.jpg", "folder.jpg"):
            with pytest.raises(ImageError) as error:
                open_image(tmp_path / name)
            found[name] = str(error.value)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout=30)
    assert not reader.is_alive()
    assert found["pipe.jpg"].endswith(
        "pipe.jpg is a folder, a pipe or a device; give a picture file"
    )
    assert "a folder" in found["folder.jpg"]
    assert "can't be read" in found["loop.jpg"]
    album = Album.from_folder(tmp_path)
    assert [photo.name for photo in album.photos] == ["folder.jpg/a.jpg"]


def test_warnings_are_as_before_in_whatever_order_pictures_are_closed(tmp_path):
    path = save(tmp_path / "a.jpg")
    before = list(warnings.filters)
    first, second = images._opened(path), images._opened(path)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert warnings.filters == before


@pytest.mark.parametrize("factor", [0.6, 0.4])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch, factor):
    buffer = io.BytesIO()
    scene().save(buffer, "GIF")
    (tmp_path / "a.gif").write_bytes(buffer.getvalue())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(factor * 400 * 300))
    expected = pytest.raises(ImageError, match="too large") if factor < 0.5 else nullcontext()
    with warnings.catch_warnings(), expected:
        warnings.simplefilter("error")
        open_image(tmp_path / "a.gif", at_least=10)
