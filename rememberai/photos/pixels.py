"""Decoded pixels as viewers show them: 8 bits, on white, sRGB, upright."""

from __future__ import annotations

import io
import sys
from collections.abc import Hashable
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageCms

from rememberai._optional import require

# How EXIF's orientation is undone.
_TURNS: dict[Hashable, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UP = 1 + 1e-12  # since torch rounds the size down
_CACHED = 1 << 14  # pixels of a strip whose 16-bit numbers stay in a core's cache


def reduction(size: tuple[int, int], at_least: int | None) -> int:
    """Give the largest whole number by which the shorter side can be reduced to no less."""
    return max(min(size) // at_least, 1) if at_least else 1


def as_shown(image: Image.Image, factor: int = 1, averaged: int = 1) -> Image.Image:
    """Convert a loaded picture to RGB as a viewer shows it, not turned yet.

    Parameters
    ----------
    image
        Of any mode; a profile is read from its ``info``.
    factor
        The picture is reduced by so much.
    averaged
        Each pixel is the mean of so many times so many already.
    """
    profile = image.info.get("icc_profile")
    image = _reducible(image)
    if factor > 1:
        image = image.reduce(factor)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    to_srgb = _to_srgb(profile, image.mode) if isinstance(profile, bytes) and profile else None
    image = to_srgb.apply(image) if to_srgb else image
    image = image if image.mode == "RGB" else image.convert("RGB")
    return _sharpened(image, averaged * factor)


def turned(image: Image.Image, orientation: Hashable) -> Image.Image:
    """Turn a picture upright by EXIF's number; anything but 2 to 8 means that it is."""
    turn = _TURNS.get(orientation)
    return image.transpose(turn) if turn is not None else image


def scaled(image: Image.Image, size: tuple[int, int], covered: tuple[float, float]) -> Image.Image:
    """Scale an RGB picture down with Lanczos.

    torch takes a third of Pillow's time, and one number in 250 differs by 1. It is not loaded only
    for that.

    Parameters
    ----------
    covered
        How far the picture reaches into its last column and row, in pixels from 0.
    """
    if sys.modules.get("torch") is None or not _has_lanczos():
        return image.resize(size, Image.Resampling.LANCZOS, box=(0, 0, *covered))
    torch = require("torch")  # waits while another thread loads it
    planes = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    by = [_UP * after / before for after, before in zip(size, covered, strict=True)]
    small = torch.nn.functional.interpolate(
        planes, scale_factor=by[::-1], mode="lanczos", antialias=True
    )
    result = Image.fromarray(small[0].permute(1, 2, 0).numpy())
    result.info = image.info
    return result


@cache
def _has_lanczos() -> bool:
    torch = require("torch")
    one = torch.zeros(1, 1, 1, 1, dtype=torch.uint8)
    try:
        torch.nn.functional.interpolate(one, size=(1, 1), mode="lanczos", antialias=True)
    except (NotImplementedError, ValueError):  # before torch 2.13
        return False
    return True


def _sharpened(image: Image.Image, averaged: int) -> Image.Image:
    """Give fine detail the contrast back that it loses when pixels are averaged.

    The mean over a square of n pixels a side takes from a picture (1 - 1/n²)/24 of its second
    difference, in each direction, and terms of the fourth order. The outermost pixels stay.
    """
    lost = round((1 - 1 / averaged**2) / 24 * 512)  # at most 21, so that 16 bits hold all
    if not lost:
        return image
    before = np.asarray(image)
    after = before.copy()
    rows = max(_CACHED // image.width, 1)
    for top in range(1, image.height - 1, rows):
        near = before[top - 1 : top + rows + 1].astype(np.int16)
        here = near[1:-1, 1:-1]
        change = 4 * here
        for beside in (near[:-2, 1:-1], near[2:, 1:-1], near[1:-1, :-2], near[1:-1, 2:]):
            change -= beside
        change *= lost
        change += 256
        change >>= 9
        change += here
        after[top : top + len(change), 1:-1] = change.clip(0, 255)
    sharpened = Image.fromarray(after)
    sharpened.info = image.info
    return sharpened


def _reducible(image: Image.Image) -> Image.Image:
    """Convert modes whose numbers can't be averaged, or have more than 8 bits."""
    if image.mode in ("F", "I"):
        return _stretched(image)
    if image.mode.startswith("I"):  # 16 bits, which plain conversion would clip to white
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data:  # also one colour of an RGB picture, named transparent
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _stretched(image: Image.Image) -> Image.Image:
    """Scale fractions, or whole numbers of 32 bits, to 8 bits, as viewers do.

    Fractions from 0 to 1 go from black to white; other numbers from the least to the greatest that
    is finite. What is no number is black.
    """
    numbers = np.asarray(image, np.float64)
    finite = numbers[np.isfinite(numbers)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if image.mode == "F" and least >= 0 and most <= 1:
        least, most = 0.0, 1.0
    shown = (numbers - least) * (255 / (most - least or 1.0))
    grey = Image.fromarray(np.nan_to_num(shown.clip(0, 255)).round().astype(np.uint8))
    grey.info = image.info
    return grey


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Make the way from a profile to sRGB; None where there is nothing to do or it is damaged."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError):
        return None
