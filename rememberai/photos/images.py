"""Pictures: opened with care, turned upright once, and looked at as cheaply as can be."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image, ImageOps, IptcImagePlugin, UnidentifiedImageError
from PIL.ExifTags import IFD, Base

from rememberai._optional import require
from rememberai.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

EXTENSIONS = {
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
# What Pillow and libheif raise on damaged files.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_IPTC_CAPTION = (2, 120)


@dataclass(frozen=True, slots=True)
class Exif:
    """EXIF tags by number: the main, the photo and the GPS directory."""

    main: dict[int, Any] = field(default_factory=dict)
    photo: dict[int, Any] = field(default_factory=dict)
    gps: dict[int, Any] = field(default_factory=dict)
    big_endian: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture file says about itself.

    Attributes
    ----------
    format
        One of the values of `EXTENSIONS`, whatever the file is called.
    width, height
        Pixels, upright.
    xmp, iptc_caption
        As embedded, undecoded.
    damage
        Why the picture can't be decoded in full, or empty.
    remarks
        What could not be read of the metadata.
    """

    format: str
    width: int
    height: int
    exif: Exif
    xmp: bytes
    iptc_caption: bytes
    damage: str
    remarks: tuple[str, ...]


def open_image(path: str | os.PathLike[str], *, side: int | None = None) -> Image.Image:
    """Decode a picture: RGB, upright, transparent parts white.

    Parameters
    ----------
    side
        So many pixels each way are enough: a JPEG is decoded at the least scale that gives them.

    Raises
    ------
    ImageError
        The file can't be read, is no JPEG, PNG, WebP, TIFF or HEIC picture, is damaged, or claims
        more pixels than ``PIL.Image`` allows.
    MissingExtraError
        It is a HEIC picture and the extra ``heif`` is not installed.
    """
    with _opened(path) as image:
        if side is not None:
            image.draft("RGB", (side, side))
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):  # plain conversion would clip 16 bits to white
            upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            white = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(white, upright)
        return upright.convert("RGB")


def inspect(path: str | os.PathLike[str]) -> Picture:
    """Read a picture's metadata, and decode it once at the cheapest scale to find damage.

    Raises
    ------
    ImageError
        Not even its header can be read.
    MissingExtraError
        It is a HEIC picture and the extra ``heif`` is not installed.
    """
    with _opened(path) as image:
        name = "JPEG" if image.format == "MPO" else str(image.format)
        size = image.size
        if name == "JPEG":
            image.draft("L", (1, 1))
        damage = ""
        try:
            image.load()
        except _DAMAGE as error:
            damage = str(error) or type(error).__name__
        remarks: list[str] = []
        exif = _exif(image, remarks)
        if name == "TIFF":
            size = image.size  # Pillow turns TIFF upright itself
        elif exif.main.get(Base.Orientation) in (5, 6, 7, 8):
            size = size[::-1]
        xmp = image.info.get("xmp", b"")
        return Picture(
            format=name,
            width=size[0],
            height=size[1],
            exif=exif,
            xmp=xmp if isinstance(xmp, bytes) else str(xmp).encode("utf-8", "replace"),
            iptc_caption=_attempt(lambda: _iptc_caption(image), b"", "IPTC", remarks),
            damage=damage,
            remarks=tuple(remarks),
        )


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """Open without decoding; what goes wrong within the block is an ImageError too."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file, warnings.catch_warnings():  # noqa: PTH123
            warnings.simplefilter("ignore")
            start = file.read(12)
            if not start:
                raise ImageError(f"{name} is empty; copy it again from where it came")
            formats: tuple[str, ...] = _FORMATS
            if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
                require("pillow_heif").register_heif_opener()
                formats = ("HEIF",)
            file.seek(0)
            with Image.open(file, formats=formats) as image:
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is no readable JPEG, PNG, WebP, TIFF or HEIC picture; open it in a viewer and "
            "save it again, or copy it again from where it came"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large: {error} Save a smaller copy of it") from error
    except _DAMAGE as error:
        what = "check its permissions" if isinstance(error, PermissionError) else "copy it again"
        raise ImageError(f"{name} can't be read ({error}); {what}") from error


def _exif(image: Image.Image, remarks: list[str]) -> Exif:
    exif = _attempt(image.getexif, Image.Exif(), "EXIF", remarks)
    return Exif(
        main=_attempt(lambda: dict(exif), {}, "EXIF", remarks),
        photo=_attempt(lambda: exif.get_ifd(IFD.Exif), {}, "EXIF", remarks),
        gps=_attempt(lambda: exif.get_ifd(IFD.GPSInfo), {}, "GPS", remarks),
        big_endian=exif.endian == ">",
    )


def _iptc_caption(image: Image.Image) -> bytes:
    caption = (IptcImagePlugin.getiptcinfo(image) or {}).get(_IPTC_CAPTION) or b""  # type: ignore[arg-type]
    return b"\n".join(caption) if isinstance(caption, list) else caption


def _attempt(read: Callable[[], _T], default: _T, what: str, remarks: list[str]) -> _T:
    try:
        return read()
    except _DAMAGE as error:
        remark = f"its {what} data is damaged ({type(error).__name__}) and was not read"
        if remark not in remarks:
            remarks.append(remark)
        return default
