"""Words as they are found in files: decoding, cleaning, and telling a person from a camera."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What cameras and programs write into caption fields, case-folded.
_BOILERPLATE = frozenset(
    {
        "ascii",
        "camera",
        "dcim",
        "default",
        "digital camera",
        "exif_jpeg_picture",
        "exif jpeg",
        "image description",
        "intel(r) jpeg library",
        "jpeg",
        "no title",
        "none",
        "null",
        "screenshot",
        "sony dsc",
        "unknown",
        "untitled",
        "user comments",
    }
)
_MAKERS = (
    "agfa|canon|casio|epson|fuji|fujifilm|hp|jvc|kodak|konica|konica minolta|kyocera|leica|minolta|"
    "nikon|olympus|panasonic|pentax|polaroid|ricoh|samsung|sanyo|sony|toshiba"
)
_PROGRAMS = (
    "adobe|canva|gimp|imagemagick|lightroom|paint|photoshop|picasa|picsart|polarr|snapseed|vsco"
)
_MACHINE_WORDS = re.compile(
    rf"(?:the )?(?:{_MAKERS})(?: (?:digital (?:still )?camera|dsc))?"
    rf"|(?:created|edited|made|processed) (?:by|in|using|with) (?:the )?(?:{_PROGRAMS})\b.*"
    r"|file (?:source|written by) \S+.*"
    r"|(?:lead technologies inc|creator: gd-jpeg|optimized by jpegmini)\b.*"
    r'|charset="?\w+"?'
    r"|[0-9a-f-]{16,}"  # a hash or a UUID
    r"|\S+\.(?:jpe?g|png|webp|tiff?|hei[cf]|gif|bmp|dng|nef|cr[23w]|arw|orf|rw2|raf|pef|mov|mp4)"
    r"|(?:_?img|img|_?dsc[fn]?|dscn|dscf|imgp|pict|pxl|mvc|sam|p|gopr)[_-]?\d[\d_-]*",
    re.DOTALL,
)
_CHARSET_LABEL = re.compile(r'\s*charset="?\w+"?[\s,;:]*', re.IGNORECASE)


def clean(text: str) -> str:
    """Normalise to NFC and line feeds, without control characters and outer blanks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    # A lone surrogate can be neither stored nor embedded.
    return unicodedata.normalize("NFC", kept.encode("utf-8", "replace").decode()).strip()


def decode(raw: bytes) -> tuple[str, str | None]:
    """Decode bytes of unknown encoding: UTF-8, else Korean, else Western European.

    Returns
    -------
    tuple of str and str or None
        The text, and the encoding where it had to be guessed.
    """
    raw = raw.strip(b"\0")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(raw)
    except UnicodeDecodeError:
        pass
    else:
        # A field's size limit may cut the last character of a UTF-8 text in two.
        if not decoder.getstate()[0] or not text.isascii():
            return text, None
    korean = raw.decode("cp949", "replace")
    if "\ufffd" not in korean and any("가" <= c <= "힣" for c in korean):
        return korean, "cp949"
    return raw.decode("cp1252", "replace"), "cp1252"


def decode_utf16(raw: bytes, *, big_endian: bool) -> str:
    """Decode UTF-16 whose byte order is not sure: the order that gives more ASCII, then the hint.

    The marks between words are ASCII in nearly every language.
    """
    raw = raw[: len(raw) // 2 * 2]
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    order = ("utf-16-be", "utf-16-le") if big_endian else ("utf-16-le", "utf-16-be")
    readings = [raw.decode(encoding, "replace") for encoding in order]
    return max(readings, key=lambda text: sum(c.isascii() for c in text) - text.count("\ufffd"))


def decode_comment(raw: bytes, *, big_endian: bool) -> tuple[str, str | None]:
    """Decode an EXIF UserComment, whose first eight bytes name its character set.

    Returns
    -------
    tuple of str and str or None
        The text, and the encoding where it had to be guessed.
    """
    charset, body = raw[:8].strip(b"\0 ").upper(), raw[8:]
    if charset == b"UNICODE":
        return decode_utf16(body, big_endian=big_endian), None
    if charset == b"JIS":
        for encoding in ("iso2022_jp", "shift_jis"):
            try:
                return body.strip(b"\0").decode(encoding), encoding
            except UnicodeDecodeError:
                continue
    text, guess = decode(body if charset in (b"ASCII", b"JIS", b"") else raw)
    return _CHARSET_LABEL.sub("", text, count=1) if _CHARSET_LABEL.match(text) else text, guess


def is_boilerplate(text: str, names: Iterable[str] = ()) -> bool:
    """Tell whether a cleaned text came from a camera or a program, not from a person.

    Parameters
    ----------
    names
        Texts that say nothing here: the camera's make and model, the software, the file's name.
    """
    folded = " ".join(text.casefold().split())
    if not any(_is_word_sign(c) for c in folded):
        return True
    if folded in _BOILERPLATE or _MACHINE_WORDS.fullmatch(folded):
        return True
    if folded in {" ".join(clean(name).casefold().split()) for name in names}:
        return True
    return folded[0] in "{[" and _is_json(text)


def _is_word_sign(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("L") or category == "So"  # emoji are words too


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
