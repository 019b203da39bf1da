"""Progressive JPEGs without the scans that a small picture does not show."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rememberai.errors import ImageError
from rememberai.photos import open_image
from rememberai.photos.scans import without_detail


def drawn(size=(803, 613), seed=0, mode="RGB") -> Image.Image:
    """Shapes of all sizes and the noise of a sensor."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: size[1], : size[0]]
    waves = [
        np.sin(2 * np.pi * (x * a + y * b) / size[0]) for a, b in random.integers(1, 90, (9, 2))
    ]
    bands = np.stack([np.sum(waves[i::3], axis=0) for i in range(3)], -1)
    bands = 128 + 25 * bands + random.normal(0, 5, bands.shape)
    return Image.fromarray(bands.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg(image=None, **options) -> bytes:
    made = io.BytesIO()
    options = {"quality": 90, "progressive": True} | options
    (drawn() if image is None else image).save(made, "JPEG", **options)
    return made.getvalue()


def decoded(data: bytes, mode=None, at_least=1) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        image.draft(mode, (at_least, at_least))
        return np.asarray(image, np.float64)


def rms(a, b) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


KINDS = {
    "plain": {},
    "every colour in full": {"subsampling": 0},
    "colours in quarters": {"subsampling": 2},
    "restart markers": {"restart_marker_blocks": 7},
    "fine": {"quality": 97},
    "two-byte tables": {"qtables": [[3] * 63 + [300]] * 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_means_of_blocks_stay_and_most_codes_go(kind):
    whole = jpeg(**KINDS[kind])
    less = without_detail(whole)
    assert len(less) < 0.6 * len(whole)
    np.testing.assert_array_equal(decoded(less, "L"), decoded(whole, "L"))


@pytest.mark.parametrize("kind", KINDS)
def test_one_wave_of_brightness_is_quantised_by_0_and_so_none_is_guessed(kind):
    tables = []
    for data in (jpeg(**KINDS[kind]), without_detail(jpeg(**KINDS[kind]))):
        with Image.open(io.BytesIO(data)) as image:
            tables.append({name: np.array(table) for name, table in image.quantization.items()})
    before, after = tables
    changed = np.flatnonzero(before[0] != after[0])
    assert len(changed) == 1
    assert after[0][changed] == 0
    assert np.array_equal(before[1], after[1])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("quality", [85, 90, 97])
def test_scaled_down_the_picture_is_the_same_but_for_a_level_or_so(tmp_path, mode, quality):
    path = tmp_path / "a.jpg"
    image = drawn((1600, 1200), mode=mode)
    path.write_bytes(jpeg(image, quality=quality))
    with Image.open(path) as file:
        whole = np.asarray(file.convert("RGB").resize((100, 75), Image.Resampling.LANCZOS), float)
    small = open_image(path, at_least=150).resize((100, 75), Image.Resampling.LANCZOS)
    assert rms(np.asarray(small, float), whole) < 1.2
    assert len(without_detail(path.read_bytes())) < 0.6 * path.stat().st_size


def test_of_what_is_decoded_at_a_half_or_whole_nothing_is_left_out(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    for at_least in (None, 613, 307, 300):
        found = np.asarray(open_image(path, at_least=at_least))
        np.testing.assert_array_equal(found, decoded(path.read_bytes(), None, at_least or 9999))


def coarser(data: bytes) -> bytes:
    """The same with 3 bits to come where there were 2, in the first scan of brightness."""
    said = b"\xff\xda\x00\x08\x01\x01\x00\x01\x05"
    assert data.count(said + b"\x02") == 1
    return data.replace(said + b"\x02", said + b"\x03")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda\x00\x02\x01",
        jpeg(progressive=False),
        jpeg()[:-2],
        jpeg()[:-3000],
        coarser(jpeg()),
        *(jpeg(quality=quality) for quality in (1, 20, 50, 75)),  # lowest bits are worth much
    ],
)
def test_what_is_otherwise_comes_back_as_it_is(data):
    assert without_detail(data) == data


def test_one_that_is_cut_short_is_damaged_whatever_it_is_wanted_for(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg()[:-3000])
    with pytest.raises(ImageError, match="truncated"):
        open_image(path, at_least=100)


def test_what_follows_the_picture_stays():
    whole = jpeg()
    assert without_detail(whole + b"\xff\xd8 more") == without_detail(whole) + b"\xff\xd8 more"


def test_damage_ends_in_a_file_and_never_in_an_error():
    whole = jpeg(drawn((120, 90)))
    random = np.random.default_rng(0)
    for _ in range(2000):
        data = bytearray(whole)
        for at in random.integers(len(data), size=random.integers(1, 4)):
            data[at] = random.integers(256)
        cut = data[: random.integers(len(data))]
        assert len(without_detail(bytes(data))) <= len(data)
        assert len(without_detail(bytes(cut))) <= len(cut)


def test_the_first_of_several_pictures_in_a_file(tmp_path):
    drawn().save(tmp_path / "a.mpo", save_all=True, append_images=[drawn(seed=1)], progressive=True)
    (tmp_path / "a.jpg").write_bytes(jpeg(quality=75))
    found, expected = (
        np.asarray(open_image(tmp_path / f"a.{e}", at_least=100)) for e in ("mpo", "jpg")
    )
    np.testing.assert_array_equal(found, expected)
