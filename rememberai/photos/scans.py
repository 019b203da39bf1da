"""Progressive JPEGs: the scans that a small picture needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES, _PROGRESSIVE, _SCAN, _END = 0xDB, 0xC2, 0xDA, 0xD9
_AFTER_CODES = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the next marker that is none of theirs
_FINE = 6  # the first of a block's 64 waves, in zigzag order, that is shorter than half a block
_MAY_LACK = 16  # of a wave's number, 8 for each level between its crest and a pixel's mean
_LAST_GUESSED = 9  # of the waves that libjpeg guesses where they were not sent


class _Segment(NamedTuple):
    marker: int
    start: int
    says: bytes
    end: int  # with the codes that follow a scan's header


class _Table(NamedTuple):
    place: int  # of its first number in the file
    size: int  # bytes of each
    numbers: list[int]  # by which the waves are quantised


class _Scan(NamedTuple):
    component: int
    first: int  # wave; 0 is the block's mean
    last: int
    before: int  # lowest bits that were missing, or 0 when all were
    lacking: int


def without_detail(data: bytes) -> bytes:
    """Leave out the scans of a progressive JPEG that hardly show when it is small.

    Decoded at a quarter or an eighth and scaled down further, a picture shows each block's mean and
    the leading bits of its longest waves. These stay, and of colour the leading bits of all waves.

    Parameters
    ----------
    data
        A file. One that is not progressive, is cut short or damaged, or whose lowest bits are worth
        so much that they show, comes back as it is: most are of quality 80 or less.
    """
    try:
        return _without(data)
    except (IndexError, KeyError, StopIteration, ValueError):
        return data


def _without(data: bytes) -> bytes:
    segments = list(_segments(data))
    frame = next(each.says for each in segments if each.marker == _PROGRESSIVE)
    named = {name: t for each in segments if each.marker == _TABLES for name, t in _tables(each)}
    tables = {
        component: named[name] for component, name in zip(frame[6::3], frame[8::3], strict=True)
    }
    scans = [(each, _scan(each.says)) for each in segments if each.marker == _SCAN]
    fine = []
    for each, scan in scans:
        worth = max(tables[scan.component].numbers[1:_FINE]) << scan.lacking
        if scan.first and (scan.before or scan.first >= _FINE):
            fine.append((each, scan))
        elif scan.first and worth > _MAY_LACK:
            return data
    kept = bytearray(data)
    luma = tables[frame[6]]
    if any(
        tables[scan.component] is luma
        and not scan.before
        and scan.first <= _LAST_GUESSED <= scan.last
        for _, scan in fine
    ):
        # Guessing takes long, and a quantiser of 0 keeps libjpeg from it.
        start = luma.place + luma.size * _LAST_GUESSED
        kept[start : start + luma.size] = bytes(luma.size)
    for each, _ in reversed(fine):
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


def _scan(says: bytes) -> _Scan:
    first, last, bits = says[1 + 2 * says[0] :]
    return _Scan(says[1], first, last, *divmod(bits, 16))


def _tables(segment: _Segment) -> Iterator[tuple[int, _Table]]:
    """Give each table's name, where it stands, and its numbers."""
    says, at = segment.says, 0
    while at < len(says):
        size = 1 + (says[at] >> 4)
        end = at + 1 + 64 * size
        numbers = [int.from_bytes(says[i : i + size]) for i in range(at + 1, end, size)]
        yield says[at] & 15, _Table(segment.start + 4 + at + 1, size, numbers)
        at = end
