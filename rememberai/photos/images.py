"""Pictures: opened with care, turned upright once, and looked at as cheaply as can be."""

from __future__ import annotations

import os
import stat
import struct
import threading
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from PIL import Image, IptcImagePlugin, UnidentifiedImageError, features
from PIL.ExifTags import IFD, Base

from rememberai._arrays import check_count
from rememberai._optional import require
from rememberai.errors import ImageError, MissingExtraError
from rememberai.photos.pixels import as_shown, reduction, scaled, turned
from rememberai.photos.scans import without_detail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

EXTENSIONS = {
    ".apng": "PNG",
    ".avif": "AVIF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".mpo": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
# What Pillow and libheif raise on damaged files.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
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
_BLOCK = 8  # pixels a side, of a JPEG
_READ = 1 << 17  # bytes at once: libjpeg is slower on the last 3,000 of what it is given


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


def open_image(
    path: str | os.PathLike[str], *, at_least: int | None = None, partial: bool = False
) -> Image.Image:
    """Decode a picture: RGB in sRGB, upright, transparent parts white; of several the first.

    Parameters
    ----------
    at_least
        How many pixels the shorter side must keep, when it has that many; what is more may be left
        out. A JPEG is then decoded at a half, a quarter or an eighth, and of a progressive one of
        high quality what shows there, which is several times faster. Ask for twice the size that
        you will scale to: scaled with Lanczos it comes out as the full picture does, within a level
        or so; see `open_scaled`. The size itself takes a fifth less, and aliases where a photo is
        sharp. Where pixels are averaged, fine detail is given the contrast back that it loses so.
    partial
        Take a damaged picture as far as it can be read; the rest is blank. Progressive JPEG, WebP,
        HEIC and AVIF can't be read in part.

    Raises
    ------
    ImageError
        The file can't be read, changes meanwhile, is no JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC or
        AVIF picture, is damaged, or claims more pixels than ``PIL.Image`` allows.
    InputError
        ``at_least`` is no whole number, or less than 1.
    MissingExtraError
        It is a HEIC picture and the extra ``heif`` is not installed, or an AVIF picture and this
        Pillow can't read those.
    """
    if at_least is not None:
        at_least = check_count(at_least, "at_least")
    decoded = _decoded(path, at_least, partial=partial)
    return turned(decoded.image, decoded.orientation)


def open_scaled(path: str | os.PathLike[str], side: int) -> Image.Image:
    """Decode a picture as `open_image` does, scaled down with Lanczos.

    Where torch is loaded already it scales, in a third of Pillow's time; one number in 250 then
    differs by 1.

    Parameters
    ----------
    side
        Pixels of the shorter side; a smaller picture keeps its size.

    Raises
    ------
    ImageError, InputError, MissingExtraError
        See `open_image`; ``side`` is no whole number, or less than 1.
    """
    side = check_count(side, "side")
    image, orientation, (width, height), shrunk = _decoded(path, 2 * side)
    scale = side / min(width, height)
    if scale < 1:
        size = round(scale * width), round(scale * height)
        image = scaled(image, size, (width / shrunk, height / shrunk))
    return turned(image, orientation)


class _Decoded(NamedTuple):
    image: Image.Image  # as shown, not turned yet
    orientation: Any
    size: tuple[int, int]  # of the whole picture
    shrunk: int  # so many of its pixels a side are one


def _decoded(
    path: str | os.PathLike[str], at_least: int | None, *, partial: bool = False
) -> _Decoded:
    with _opened(path) as image:
        size = image.size
        scale = 1
        if at_least is not None:
            image.draft(None, (at_least, at_least))
            scale = _draft_of(size, image.size)
            if scale > 2 and image.info.get("progressive"):
                less = without_detail(Path(path).read_bytes())
                image.fp = BytesIO(less)  # type: ignore[attr-defined]
        try:
            image.load()
        except _DAMAGE:
            image.tile = []  # type: ignore[attr-defined]  # what was decoded so far stays
            if not partial or image.getbbox() is None:
                raise
        if image.format == "TIFF":
            size = image.size  # Pillow turns TIFF upright itself
        orientation = _attempt(lambda: image.getexif().get(Base.Orientation), None, "EXIF", [])
        factor = reduction(image.size, at_least)
        averaged = _BLOCK if scale == _BLOCK else 1  # at an eighth a pixel is the mean of a block
        return _Decoded(as_shown(image, factor, averaged), orientation, size, scale * factor)


def _draft_of(size: tuple[int, int], decoded: tuple[int, int]) -> int:
    """Tell at which part a JPEG is decoded, by its size and that."""
    parts = (n for n in (1, 2, 4) if tuple(-(-each // n) for each in size) == decoded)
    return next(parts, _BLOCK)


def inspect(path: str | os.PathLike[str]) -> Picture:
    """Read a picture's metadata, and decode it once at the cheapest scale to find damage.

    Raises
    ------
    ImageError
        Not even its header can be read, or the file changes meanwhile.
    MissingExtraError
        See `open_image`.
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
        return Picture(
            format=name,
            width=size[0],
            height=size[1],
            exif=exif,
            xmp=image.info.get("xmp", b""),
            iptc_caption=_attempt(lambda: _iptc_caption(image), b"", "IPTC", remarks),
            damage=damage,
            remarks=tuple(remarks),
        )


@contextmanager
def unchanged(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise an ImageError when a file changes within the block."""
    before = Path(path).stat()
    try:
        yield
    finally:
        after = Path(path).stat()
        if any(
            getattr(after, name) != getattr(before, name)
            for name in ("st_ino", "st_size", "st_mtime_ns")
        ):
            raise ImageError(f"{os.fspath(path)} changed while it was read; try again")


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """Open without decoding; what goes wrong within the block is an ImageError too."""
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # opening a pipe would wait for its writer
            raise ImageError(f"{name} is a folder, a pipe or a device; give a picture file")
        with open(path, "rb") as file, unchanged(path), _QUIET:  # noqa: PTH123
            start = file.read(64)
            if not start:
                raise ImageError(f"{name} is empty; copy it again from where it came")
            with Image.open(file, formats=_formats(start)) as image:
                image.decodermaxblock = _READ
                xmp = image.info.get("xmp", b"")
                if not isinstance(xmp, bytes):  # in a TIFF it may be, and then Pillow stumbles
                    image.info["xmp"] = str(xmp).encode("latin-1", "replace")
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is no readable JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC or AVIF picture; open it "
            "in a viewer and save it again, or copy it again from where it came"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large: {error} Save a smaller copy of it") from error
    except _DAMAGE as error:
        what = "check its permissions" if isinstance(error, PermissionError) else "copy it again"
        raise ImageError(f"{name} can't be read ({error}); {what}") from error


def _formats(start: bytes) -> tuple[str, ...]:
    """List the formats that a file may have by its first 64 bytes, and make Pillow ready."""
    if start[4:8] != b"ftyp":
        return _FORMATS
    end = min(int.from_bytes(start[:4]), len(start))
    brands = {start[i : i + 4] for i in (8, *range(16, end, 4))}
    if brands & _AVIF_BRANDS:
        if "avif" not in features.modules or not features.check("avif"):
            raise MissingExtraError(
                "this is an AVIF picture, which the installed Pillow can't read. "
                'Install one that can with: pip install "pillow>=11.3"'
            )
        return ("AVIF",)
    if brands & _HEIF_BRANDS:
        require("pillow_heif").register_heif_opener()
        return ("HEIF",)
    return _FORMATS


class _Quiet:
    """Silences the warnings of Pillow while any thread is within the block.

    `warnings.catch_warnings` alone restores the filters in the order in which threads leave, which
    may leave them silenced for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._kept = warnings.catch_warnings()
                self._kept.__enter__()
                warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif|rememberai\.photos)\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._kept.__exit__(None, None, None)


_QUIET = _Quiet()


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
