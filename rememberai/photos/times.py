"""When a photo was taken, and how sure that is; an offset is read or derived, never assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from PIL.ExifTags import GPS, Base

from rememberai.records import CaptureTime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rememberai.photos.images import Exif

_STAMP = re.compile(
    r"(\d{4})[:./-](\d{1,2})[:./-](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d*)?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_EPOCH = datetime(1970, 1, 1)
_FIRST_YEAR = 1826  # the first photograph
_MAX_OFFSET = 14 * 60
_EXIF_STAMPS = (  # name, value, its offset; the best first
    ("DateTimeOriginal", Base.DateTimeOriginal, Base.OffsetTimeOriginal),
    ("DateTimeDigitized", Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    ("DateTime", Base.DateTime, Base.OffsetTime),
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it was written.

    Attributes
    ----------
    zone
        The offset as written (``"+09:00"``, ``"Z"``), or empty.
    day_only
        No clock was written; ``local`` is then midnight.
    """

    local: datetime
    zone: str = ""
    day_only: bool = False


def now_utc() -> datetime:
    """Give the present moment in UTC, without a time zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def parse_stamp(value: Any, now: datetime) -> Stamp:
    """Read an EXIF or ISO 8601 time.

    Raises
    ------
    ValueError
        It is blank, no time, before the first photograph, or more than a day after `now` (UTC).
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    text = text.strip("\0 \t\r\n")
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time" if text.strip(": 0") else "blank")
    *parts, zone = match.groups()
    try:
        local = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{text!r} is no time") from error
    if local.year < _FIRST_YEAR:
        raise ValueError(f"{text!r} is before the first photograph")
    if local > now + timedelta(days=1):
        raise ValueError(f"{text!r} is in the future")
    return Stamp(local, zone or "", day_only=match[4] is None)


def parse_offset(value: Any) -> int | None:
    """Read ``"+09:00"`` as minutes east of UTC; None for anything else, or over 14 hours."""
    match = _OFFSET.fullmatch(str(value).strip("\0 "))
    if match is None or int(match[3]) > 59:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > _MAX_OFFSET:
        return None
    return -minutes if match[1] == "-" else minutes


def from_timestamp(seconds: Any) -> datetime | None:
    """Turn seconds since 1970 into a UTC time without a time zone; None for what is no time."""
    try:
        return _EPOCH + timedelta(seconds=int(seconds))
    except (TypeError, ValueError, OverflowError):
        return None


def derive_offset(local: datetime, instant: datetime) -> int | None:
    """Derive the offset from a clock and a UTC instant, when their distance can be one.

    Offsets are multiples of 15 minutes of at most 14 hours; two minutes are granted to the clock.
    """
    minutes = (local - instant).total_seconds() / 60
    nearest = round(minutes / 15) * 15
    fits = abs(minutes - nearest) <= 2 and abs(nearest) <= _MAX_OFFSET
    return nearest if fits else None


def gps_instant(gps: dict[int, Any]) -> datetime | None:
    """Read the GPS date and time, which are in UTC."""
    try:
        year, month, day = (int(part) for part in re.split("[:/-]", str(gps[GPS.GPSDateStamp])))
        hours, minutes, seconds = (float(part) for part in gps[GPS.GPSTimeStamp])
        clock = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return datetime(year, month, day) + clock
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


def capture_time(
    exif: Exif,
    *,
    xmp: Iterable[tuple[str, str]] = (),
    takeout: datetime | None = None,
    modified: float,
    now: datetime,
) -> tuple[CaptureTime, list[str]]:
    """Choose the best time among all that a photo carries.

    Parameters
    ----------
    xmp
        Names and values of XMP times, the best first.
    takeout
        The UTC instant of a Google Takeout sidecar.
    modified
        The file's modification time, in seconds since 1970.
    now
        The present, in UTC without a time zone; later times are nonsense.

    Returns
    -------
    tuple of CaptureTime and list of str
        The time, and remarks on what was ignored or looks odd.
    """
    remarks: list[str] = []
    stamps = _readable(
        [
            (f"EXIF {name}", exif.photo.get(tag, exif.main.get(tag)))
            for name, tag, _ in _EXIF_STAMPS
        ],
        now,
        remarks,
    )
    offsets = [
        parse_offset(exif.photo.get(tag, exif.main.get(tag)))
        for name, _, tag in _EXIF_STAMPS
        if stamps and stamps.get(f"EXIF {name}") == next(iter(stamps.values()))
    ]
    _compare_with_last_change(stamps, remarks)
    stamps |= _readable([(f"XMP {name}", value) for name, value in xmp], now, remarks)
    if stamps:
        source, stamp = next(iter(stamps.items()))
        if stamp.day_only:
            remarks.append(f"{source} gives the day alone")
        elif stamp.local.timetuple()[1:6] == (1, 1, 0, 0, 0):
            remarks.append(f"{source} is a New Year's midnight: was the camera's clock ever set?")
        written = next((offset for offset in offsets if offset is not None), None)
        return _with_offset(stamp, written, gps_instant(exif.gps), takeout, remarks), remarks
    if takeout is not None:
        return CaptureTime(takeout, 0, "utc"), remarks
    remarks.append("no capture time found; the file's own time is used")
    return CaptureTime(from_timestamp(modified) or _EPOCH, 0, "file"), remarks


def _readable(
    values: Iterable[tuple[str, Any]], now: datetime, remarks: list[str]
) -> dict[str, Stamp]:
    stamps = {}
    for name, value in values:
        if value is None:
            continue
        try:
            stamps[name] = parse_stamp(value, now)
        except ValueError as error:
            remarks.append(f"{name} ignored: {error}")
    return stamps


def _compare_with_last_change(stamps: dict[str, Stamp], remarks: list[str]) -> None:
    changed = stamps.get("EXIF DateTime")
    source, first = next(iter(stamps.items()), ("", None))
    if changed and first and first.local > changed.local + timedelta(days=1):
        remarks.append(
            f"{source} says {first.local:%Y-%m-%d}, but the file was last changed "
            f"{changed.local:%Y-%m-%d}: one of the two is wrong"
        )


def _with_offset(
    stamp: Stamp,
    written: int | None,
    gps: datetime | None,
    takeout: datetime | None,
    remarks: list[str],
) -> CaptureTime:
    if stamp.zone == "Z":
        return CaptureTime(stamp.local, 0, "utc")
    known = parse_offset(stamp.zone)
    if known is None:
        known = written
    if known is None and gps is not None and not stamp.day_only:
        known = derive_offset(stamp.local, gps)
        if known is None:
            remarks.append("the GPS time is no whole offset away from the camera's clock")
    if known is None and takeout is not None and not stamp.day_only:
        # Takeout writes a clock of unknown zone as if it were UTC: a zero says nothing.
        known = derive_offset(stamp.local, takeout) or None
    return CaptureTime(stamp.local, known, "local" if known is None else "offset")
