"""What is known of one picture file: its own metadata and its sidecars, put together."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from PIL.ExifTags import Base

from rememberai.errors import ImageError
from rememberai.photos.folders import find_beside
from rememberai.photos.images import EXTENSIONS, Picture, inspect, unchanged
from rememberai.photos.places import gps_place
from rememberai.photos.takeout import Sidecar, find_sidecar
from rememberai.photos.text import clean, decode, decode_comment, decode_utf16, is_boilerplate
from rememberai.photos.times import capture_time
from rememberai.photos.xmp import Xmp, parse_xmp
from rememberai.records import Memory, MemoryOrigin, Photo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_NAMES_OF_THE_CAMERA = (Base.Make, Base.Model, Base.Software, Base.Copyright, Base.Artist)


def words_id(text: str) -> str:
    """Hash the reference of a photo without a file: BLAKE2b-128 in hex."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def file_id(path: Path) -> str:
    """Hash the bytes of a picture file: BLAKE2b-128 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def read_photo(
    path: Path, name: str, files: dict[str, set[str]], given: Memory | None, now: datetime
) -> tuple[Photo, list[str], set[str]]:
    """Read one picture file.

    Parameters
    ----------
    path
        The file.
    name
        Its path below the album's folder.
    files
        The names of all files in its folder by their casefolded form; its sidecars are looked
        for among them.
    given
        Its memory from a memory file, which wins over all others.
    now
        The present, in UTC without a time zone.

    Returns
    -------
    tuple of Photo, list of str and set of str
        The photo, remarks for its outcome, and the names of the sidecars that belong to it.

    Raises
    ------
    ImageError
        It can't be read, it changes meanwhile, or it is damaged and has no memory that would be
        worth keeping.
    MissingExtraError
        See `rememberai.photos.open_image`.
    """
    with unchanged(path):
        picture, photo_id = inspect(path), file_id(path)
    remarks = list(picture.remarks)
    used: set[str] = set()
    sidecar, takeout = find_sidecar(path.name, files, path.parent) or (None, Sidecar())
    if sidecar:
        used.add(sidecar)
    if takeout.problem:
        remarks.append(takeout.problem)
    packets = [*_sidecar_xmp(path, files, used, remarks), _xmp(picture.xmp, remarks)]
    memory = given or _found_memory(path.name, picture, takeout, packets, remarks)
    if picture.damage and memory is None:
        raise ImageError(
            f"{path} is damaged ({picture.damage}) and has no memory; copy it again from where it "
            "came"
        )
    if picture.damage:
        remarks.append(f"the picture is damaged ({picture.damage}), kept for its memory")
    if picture.format != EXTENSIONS[path.suffix.lower()]:
        remarks.append(f"named {path.suffix}, but really a {picture.format} picture")
    taken, about_time = capture_time(
        picture.exif,
        xmp=[time for packet in packets for time in packet.times],
        takeout=takeout.taken,
        modified=path.stat().st_mtime,
        now=now,
    )
    place, about_place = gps_place(picture.exif.gps)
    remarks += [*about_time, *([about_place] if about_place else [])]
    photo = Photo(
        photo_id=photo_id,
        name=name,
        path=str(path),
        width=picture.width,
        height=picture.height,
        taken=taken,
        place=place or takeout.place,
        memory=memory,
    )
    return photo, remarks, used


def _sidecar_xmp(
    path: Path, files: dict[str, set[str]], used: set[str], remarks: list[str]
) -> Iterator[Xmp]:
    for wanted in (f"{path.name}.xmp", f"{path.stem}.xmp"):
        name = find_beside(path.name, wanted, files)
        if name is None:
            continue
        used.add(name)
        try:
            packet = (path.parent / name).read_bytes()
        except OSError as error:
            remarks.append(f"the sidecar {name} can't be read ({error}); ignored")
        else:
            yield _xmp(packet, remarks)


def _xmp(packet: bytes, remarks: list[str]) -> Xmp:
    try:
        return parse_xmp(packet)
    except ValueError as error:
        remarks.append(f"{error}; ignored")
        return Xmp()


def _found_memory(
    file_name: str,
    picture: Picture,
    takeout: Sidecar,
    packets: list[Xmp],
    remarks: list[str],
) -> Memory | None:
    names = [_as_text(picture.exif.main.get(tag)) for tag in _NAMES_OF_THE_CAMERA]
    names += [f"{names[0]} {names[1]}", file_name, PurePosixPath(file_name).stem]
    for origin, text, guess in _texts(picture, takeout, packets):
        words = clean(text)
        if not words or is_boilerplate(words, names):
            continue
        if guess:
            remarks.append(f"its {origin} memory was read as {guess}: check the letters")
        return Memory(words, origin)
    return None


def _texts(
    picture: Picture, takeout: Sidecar, packets: list[Xmp]
) -> Iterator[tuple[MemoryOrigin, str, str | None]]:
    """Give every text that may be a memory, the most trusted first, with a guessed encoding."""
    yield "takeout", takeout.description, None
    for packet in packets:
        yield "xmp", packet.description, None
    yield "iptc", *decode(picture.iptc_caption)
    main, big_endian = picture.exif.main, picture.exif.big_endian
    yield "exif", *decode(_raw(main.get(Base.ImageDescription)))
    comment = picture.exif.photo.get(Base.UserComment, main.get(Base.UserComment))
    yield "exif", *decode_comment(_raw(comment), big_endian=big_endian)
    for tag in (Base.XPComment, Base.XPTitle):
        yield "exif", decode_utf16(_raw(main.get(tag)), big_endian=False), None


def _raw(value: Any) -> bytes:
    """Give a tag's bytes back; Pillow decodes EXIF strings as Latin-1, whatever they are."""
    if isinstance(value, str):
        return value.encode("latin-1", "replace")
    if isinstance(value, tuple) and all(isinstance(v, int) and 0 <= v < 256 for v in value):
        return bytes(value)
    return value if isinstance(value, bytes) else b""


def _as_text(value: Any) -> str:
    return decode(_raw(value))[0]
