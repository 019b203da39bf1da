"""Progressive JPEGs: the scans that a small picture needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES, _PROGRESSIVE, _SCAN, _END = 0xDB, 0xC2, 0xDA, 0xD9
_AFTER_CODES = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the next marker that is none of theirs
_FINE = 6  # the first of a block's 64 waves, in zigzag order, that is shorter than half a block
_MAY_LACK, _COLOUR_MAY_LACK = 2, 1  # lowest bits
_LAST_GUESSED = 9  # of the waves that libjpeg guesses where they were not sent


class _Segment(NamedTuple):
    marker: int
    start: int
    says: bytes
    end: int  # with the codes that follow a scan's header


def without_detail(data: bytes) -> bytes:
    """Leave out the scans of a progressive JPEG that hardly show when it is small.

    Decoded at a quarter or an eighth and scaled down further, a picture shows each block's mean and
    the leading bits of its longest waves. These stay, and of colour the leading bits of all waves.

    Parameters
    ----------
    data
        A file. One that is not progressive, is cut short or damaged, or is parted into scans in a
        way that would lose more, comes back as it is.
    """
    try:
        parts = list(_segments(data))
        frame = next(each.says for each in parts if each.marker == _PROGRESSIVE)
        fine = [each for each in parts if each.marker == _SCAN and _is_fine(each.says, frame[6])]
        tables = [place for each in parts for place in _quantisers(each, frame[8])]
    except (IndexError, StopIteration, ValueError):
        return data
    kept = bytearray(data)
    for place in tables if fine else ():
        # Guessing takes long, and a quantiser of 0 keeps libjpeg from it.
        kept[place] = 0
    for each in reversed(fine):
        del kept[each.start : each.end]
    return bytes(kept)


def _segments(data: bytes) -> Iterator[_Segment]:
    start = 2
    while data[start + 1] != _END:
        if data[start] != 0xFF:
            raise ValueError("no marker where one was wanted")
        if data[start + 1] == 0xFF:  # may be repeated
            start += 1
            continue
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        says = data[start + 4 : end]
        if data[start + 1] == _SCAN:
            after = _AFTER_CODES.search(data, end)
            if after is None:
                raise ValueError("cut short")
            end = after.start()
        yield _Segment(data[start + 1], start, says, end)
        start = end


def _is_fine(scan: bytes, luma: int) -> bool:
    """Tell whether a scan holds short waves or lowest bits alone.

    Raises
    ------
    ValueError
        It lacks so many bits that those to come will be missed.
    """
    first, _, bits = scan[1 + 2 * scan[0] :]
    before, lacking = divmod(bits, 16)
    fine = first > 0 and (before > 0 or first >= _FINE)
    if first and not fine and lacking > (_MAY_LACK if scan[1] == luma else _COLOUR_MAY_LACK):
        raise ValueError("too coarse without the scans to come")
    return fine


def _quantisers(segment: _Segment, table: int) -> Iterator[int]:
    """Find in the file the bytes by which a table quantises the last guessed wave."""
    says = segment.says if segment.marker == _TABLES else b""
    at = 0
    while at < len(says):
        size = 1 + (says[at] >> 4)  # bytes
        if says[at] & 15 == table:
            first = segment.start + 5 + at + size * _LAST_GUESSED
            yield from range(first, first + size)
        at += 1 + 64 * size
