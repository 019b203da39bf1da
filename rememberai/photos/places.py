"""Where a photo was taken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PIL.ExifTags import GPS

from rememberai.records import Place

if TYPE_CHECKING:
    from collections.abc import Mapping


def valid_place(latitude: Any, longitude: Any) -> Place | None:
    """Make a place of two numbers in degrees, unless they are out of range or exactly 0, 0."""
    try:
        north, east = float(latitude), float(longitude)
    except (TypeError, ValueError, ArithmeticError):
        return None
    if not (math.isfinite(north) and math.isfinite(east)) or (north == 0 and east == 0):
        return None
    if abs(north) > 90 or abs(east) > 180:
        return None
    return Place(north, east)


def gps_place(gps: Mapping[int, Any]) -> tuple[Place | None, str | None]:
    """Read the place from an EXIF GPS directory.

    Returns
    -------
    tuple of Place or None, and str or None
        The place, and what is wrong where there are coordinates but they give no place.
    """
    latitude, longitude = gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLongitude)
    if latitude is None and longitude is None:
        return None, None
    place = valid_place(
        _degrees(latitude, gps.get(GPS.GPSLatitudeRef), "NS"),
        _degrees(longitude, gps.get(GPS.GPSLongitudeRef), "EW"),
    )
    return place, None if place else "the GPS position is no place on earth, or 0, 0; ignored"


def _degrees(value: Any, reference: Any, signs: str) -> float | None:
    letter = reference.decode("latin-1") if isinstance(reference, bytes) else str(reference)
    sign = {signs[0]: 1.0, signs[1]: -1.0}.get(letter.strip("\0 ").upper()[:1])
    parts = value if isinstance(value, tuple) else (value,)
    if sign is None or not 1 <= len(parts) <= 3:
        return None
    try:
        return sign * math.fsum(float(part) / 60.0**power for power, part in enumerate(parts))
    except (TypeError, ValueError, ArithmeticError):
        return None
