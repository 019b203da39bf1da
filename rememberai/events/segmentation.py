"""Occasions and trips within one person's timeline, and vectors moved towards their occasion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import prepare
from rememberai.errors import InputError
from rememberai.events.kmeans import canonical_order

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_AROUND = 10  # pauses on each side that make up the local mean
_RATIO = np.log(17)  # a pause so many times the local mean divides; both of Platt et al.
_MINUTE, _NIGHT, _DAY = 60.0, 8 * 3600.0, 24 * 3600.0
_SIDE = 5  # photos on each side of a pause whose content is compared
_SPOT, _AWAY, _FAR = 1.0, 50.0, 100.0  # km
_TRIP_PAUSE = np.timedelta64(7, "D")
_EARTH = 6371.0  # km


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A timeline in two levels.

    Attributes
    ----------
    occasions
        (n,) occasion of each photo from 0, in the order of their first photos' times; those
        without a time come last.
    trips
        (n,) trip of each photo from 0, in the order of time; -1 at home, or where no place tells.
    home
        Latitude and longitude in degrees, to a tenth, of the place of most days; None when no
        photo has both a time and a place.
    """

    occasions: NDArray[np.intp]
    trips: NDArray[np.intp]
    home: tuple[float, float] | None


def segment(
    times: ArrayLike | None, places: ArrayLike | None = None, vectors: ArrayLike | None = None
) -> Segmentation:
    """Part one person's photos into occasions, and find the trips among these.

    A pause divides when its logarithm exceeds the mean over the ten pauses on each side by log 17
    (a pause counts as a minute at least and as a day at most), and always when it is longer than
    eight hours. Up to a factor e more or less the pause alone leaves it in doubt: there the limit
    is shifted by the distance between the places on its two sides, against one kilometre, and by
    the cosine distance between the mean vectors of five photos on each side, against its mean over
    the timeline. Photos that no chain of steps below 100 km connects are of different occasions: a
    flight, or two clocks. Clocks are taken as they are, no time zone is assumed.

    Photos without a time form an occasion with those in steps below one kilometre, and join the
    occasion that was there if only one was; without a place, each is an occasion of its own. Their
    content decides nothing: of the undated sentences of a person with eight albums, 58% were most
    similar to their own album's mean.

    A trip is a run of occasions with most places more than 50 km from home, without a pause longer
    than a week; occasions without a place belong to it between two that do.

    Parameters
    ----------
    times
        (n,) datetime64 or datetimes, what the clock showed; NaT or None where unknown. A datetime's
        time zone is left out. None for all, as for the other two, when no time is known.
    places
        (n, 2) latitude and longitude in degrees; a row with NaN is unknown.
    vectors
        (n, dimension) what the photos show or tell; a row with NaN is unknown.

    Raises
    ------
    InputError
        Arrays of another shape, no times, no numbers, or no degrees.

    References
    ----------
    Platt, Czerwinski and Field, "PhotoTOC: automatic clustering for browsing personal photographs",
    PCM 2003; Cooper et al., "Temporal event clustering for digital photo collections", TOMM 2005.
    """
    clock, where, shown = _checked(times, places, vectors)
    order = _timeline(clock, where, shown)
    dated = order[: np.count_nonzero(~np.isnat(clock))]
    runs = _runs(clock[dated], where[dated], shown[dated])
    occasions = np.empty(len(clock), np.intp)
    occasions[dated] = _apart(runs, where[dated])
    _place_undated(occasions, dated, order[len(dated) :], where)
    home = _home(clock[dated], where[dated])
    trips = np.full(len(clock), -1, np.intp)
    if home is not None:
        away = _trips(occasions[dated], clock[dated], _distance(where[dated], np.array(home)))
        known = occasions < len(away)
        trips[known] = away[occasions[known]]
    return Segmentation(occasions, trips, home)


def blend(vectors: NDArray[np.float32], groups: NDArray[np.intp]) -> NDArray[np.float32]:
    """Move each vector two thirds of the way to the mean of its group.

    One photo's words tell little of its occasion ("Grandma laughed so hard she cried"); those of
    the photos around it tell more.

    Parameters
    ----------
    vectors, groups
        (n, dimension) float32 and (n,) group numbers from 0, each with a member.
    """
    order = canonical_order(vectors)  # a sum's last digits depend on the order of its terms
    order = order[np.argsort(groups[order], kind="stable")]
    sizes = np.bincount(groups)
    members = np.split(vectors[order], np.cumsum(sizes)[:-1])
    # A fifth of the time of np.add.reduceat.
    sums = np.array([group.sum(axis=0, dtype=np.float64) for group in members])
    means = (sums / sizes[:, None]).astype(np.float32)
    return (vectors + 2 * means[groups]) / np.float32(3)


def _checked(
    times: ArrayLike | None, places: ArrayLike | None, vectors: ArrayLike | None
) -> tuple[NDArray[np.datetime64], Floats, NDArray[np.float32]]:
    """Give times, and places and vectors in which a row that is not wholly known is NaN."""
    given = [each for each in (times, places, vectors) if each is not None]
    try:
        n = len(np.atleast_1d(given[0])) if given else 0
        where = np.full((n, 2), np.nan) if places is None else np.array(places, np.float64)
        shown = np.full((n, 1), np.nan) if vectors is None else np.asarray(vectors)
        finite = np.isfinite(shown)
    except (TypeError, ValueError) as error:
        raise InputError(f"places and vectors must be rows of numbers: {error}") from error
    clock = np.full(n, "NaT", "datetime64[us]") if times is None else _clock(times)
    if clock.ndim != 1 or where.shape != (n, 2) or shown.ndim != 2 or len(shown) != n:
        raise InputError(
            "every photo needs one time, one row of latitude and longitude and one vector; times, "
            f"places and vectors of the shapes {clock.shape}, {where.shape} and {shown.shape} came"
        )
    where[~np.isfinite(where).all(axis=1)] = np.nan
    if (np.abs(where) > (90, 180)).any():
        raise InputError("places must be degrees, latitude before longitude; some are out of range")
    unit = np.full(shown.shape, np.nan, np.float32)
    known = finite.all(axis=1) & shown.any(axis=1)
    unit[known] = prepare(shown[known], "cosine")
    return clock, where + 0.0, unit


def _clock(times: ArrayLike) -> NDArray[np.datetime64]:
    """Read what clocks showed."""
    array = np.asarray(times)
    if array.dtype.kind == "O":
        shown = [t.replace(tzinfo=None) if isinstance(t, datetime) else t for t in array.flat]
        array = np.array(shown, object).reshape(array.shape)
    try:
        if array.size and array.dtype.kind not in "MO":
            raise TypeError(f"dtype {array.dtype}")
        return array.astype("datetime64[us]")
    except (TypeError, ValueError) as error:
        raise InputError(f"times must be datetime64 or datetimes: {error}") from error


def _timeline(
    clock: NDArray[np.datetime64], where: Floats, shown: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Order photos by time, then place, then content, whatever their order was; NaT is last."""
    rank = np.empty(len(clock), np.intp)
    rank[canonical_order(shown)] = np.arange(len(clock))
    ticks = np.where(np.isnat(clock), np.iinfo(np.int64).max, clock.view(np.int64))
    return np.lexsort((rank, where[:, 1], where[:, 0], ticks))


def _runs(
    clock: NDArray[np.datetime64], where: Floats, shown: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Part the timeline where a pause divides, and number the runs."""
    pauses: Floats = np.diff(clock) / np.timedelta64(1, "s")
    logs = np.log(np.clip(pauses, _MINUTE, _DAY))
    limits = np.minimum(_local_mean(logs) + _RATIO, np.log(_NIGHT))
    shift = np.clip(_place_evidence(where) + _content_evidence(shown), -1, 1)
    divides = (pauses > _NIGHT) | (logs + shift > limits)
    return np.cumsum(np.r_[False, divides])[: len(clock)]


def _local_mean(values: Floats) -> Floats:
    sums = np.r_[0, np.cumsum(values)]
    here = np.arange(len(values))
    low, high = np.maximum(here - _AROUND, 0), np.minimum(here + _AROUND + 1, len(values))
    means: Floats = (sums[high] - sums[low]) / (high - low)
    return means


def _place_evidence(where: Floats) -> Floats:
    """Give each pause the log of the km over it, from -1 to 1; 0 where a place is unknown."""
    jumps = np.maximum(_distance(where[1:], where[:-1]), 1e-3)
    evidence: Floats = np.nan_to_num(np.clip(np.log(jumps / _SPOT), -1, 1))
    return evidence


def _content_evidence(shown: NDArray[np.float32]) -> Floats:
    """Give each pause half the standard score of the distance over it; 0 where it is unknown."""
    n = len(shown)
    padded = np.pad(np.where(np.isnan(shown), 0, shown), ((_SIDE - 1, _SIDE - 1), (0, 0)))
    sums = np.zeros((n + _SIDE - 1, shown.shape[1]), np.float32)
    for step in range(_SIDE):
        sums += padded[step : step + len(sums)]
    before, after = sums[: max(n - 1, 0)], sums[_SIDE:]
    lengths = np.linalg.norm(sums, axis=1)
    scale = lengths[: len(before)] * lengths[_SIDE:]
    known = scale > 0
    if not known.any():
        return np.zeros(len(scale))
    apart = 1 - np.einsum("nd,nd->n", before, after)[known] / scale[known]
    evidence = np.zeros(len(scale))
    evidence[known] = (apart - apart.mean()) / (2 * max(apart.std(), 1e-6))
    return evidence


def _apart(runs: NDArray[np.intp], where: Floats) -> NDArray[np.intp]:
    """Part runs into photos that a chain of short steps connects, and number these occasions.

    A photo without a place goes with the one before it that has one.
    """
    parts = np.zeros(len(runs), np.intp)
    known = np.flatnonzero(~np.isnan(where[:, 0]))
    far = _distance(where[known[1:]], where[known[:-1]]) > _FAR
    far &= runs[known[1:]] == runs[known[:-1]]
    for run in np.unique(runs[known[1:][far]]):
        members = np.flatnonzero(runs == run)
        placed = ~np.isnan(where[members, 0])
        linked = _linked(where[members[placed]], _FAR)
        parts[members] = linked[np.maximum(np.cumsum(placed) - 1, 0)]
    keys = runs * (parts.max(initial=0) + 1) + parts
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _place_undated(
    occasions: NDArray[np.intp], dated: NDArray[np.intp], undated: NDArray[np.intp], where: Floats
) -> None:
    """Fill in the occasions of photos without a time."""
    new = int(occasions[dated].max(initial=-1)) + 1
    placed = undated[~np.isnan(where[undated, 0])]
    groups = _linked(where[placed], _SPOT)
    spots = dated[np.argsort(where[dated, 0])]  # unknown ones last
    north = where[spots, 0]
    for group in np.unique(groups):
        members = placed[groups == group]
        there: set[int] = set()
        for member in members:
            some = spots[slice(*np.searchsorted(north, _band(where[member, 0], _SPOT)))]
            near = _distance(where[some], where[member]) <= _SPOT
            there.update(occasions[some[near]].tolist())
            if len(there) > 1:
                break
        occasions[members] = there.pop() if len(there) == 1 else new
        new = max(new, int(occasions[members[0]]) + 1)
    alone = undated[np.isnan(where[undated, 0])]
    occasions[alone] = new + np.arange(len(alone))


def _linked(places: Floats, km: float) -> NDArray[np.intp]:
    """Group places that steps of at most so many km connect."""
    cells, cell = np.unique(places, axis=0, return_inverse=True)
    groups = np.full(len(cells), -1, np.intp)
    low, high = np.searchsorted(cells[:, 0], _band(cells[:, 0], km))
    for start in range(len(cells)):
        front = [start] if groups[start] < 0 else []
        while front:
            here = front.pop()
            some = slice(low[here], high[here])
            near = (groups[some] < 0) & (_distance(cells[some], cells[here]) <= km)
            groups[some][near] = start
            front += (low[here] + np.flatnonzero(near)).tolist()
    return groups[cell.ravel()]


def _band(north: Floats, km: float) -> tuple[Floats, Floats]:
    """Give the latitudes between which lies all that is so near."""
    reach = np.degrees(km / _EARTH) + 1e-6  # for the last digits
    return north - reach, north + reach


def _home(clock: NDArray[np.datetime64], where: Floats) -> tuple[float, float] | None:
    """Find the place around which photos were taken on most days; of equals that of most itself."""
    known = ~np.isnan(where[:, 0])
    if not known.any():
        return None
    cells, cell = np.unique(np.round(where[known], 1) + 0.0, axis=0, return_inverse=True)
    day = clock[known].astype("datetime64[D]").view(np.int64)
    cell, day = np.unique(np.column_stack([cell.ravel(), day]), axis=0).T
    ends = np.r_[0, np.cumsum(np.bincount(cell))]
    around = np.empty(len(cells), np.intp)
    for row in np.unique(cells[:, 0]):
        here = slice(*np.searchsorted(cells[:, 0], [row, row + 0.05]))
        some = slice(*np.searchsorted(cells[:, 0], _band(row, _AWAY)))
        seen_in = slice(ends[some.start], ends[some.stop])
        days, place = np.unique(day[seen_in], return_inverse=True)
        seen = np.zeros((len(days), some.stop - some.start), np.float32)
        seen[place, cell[seen_in] - some.start] = 1
        near = _distance(cells[some, None], cells[None, here]) <= _AWAY
        around[here] = (seen @ near.astype(np.float32) > 0).sum(axis=0)
    best = np.lexsort((-np.diff(ends), -around))[0]
    return float(cells[best, 0]), float(cells[best, 1])


def _trips(
    occasions: NDArray[np.intp], clock: NDArray[np.datetime64], from_home: Floats
) -> NDArray[np.intp]:
    """Give each occasion that has a time its trip, or -1."""
    n = int(occasions.max()) + 1
    known = np.bincount(occasions, ~np.isnan(from_home), n)
    away = np.bincount(occasions, from_home > _AWAY, n)
    first, last = np.full(n, clock.max()), np.full(n, clock.min())
    np.minimum.at(first, occasions, clock)
    np.maximum.at(last, occasions, clock)
    trips = np.full(n, -1, np.intp)
    trip, before = -1, -1
    for here in np.flatnonzero(known):
        if 2 * away[here] <= known[here]:
            before = -1
            continue
        if before < 0 or first[here] - last[before] > _TRIP_PAUSE:
            trip, before = trip + 1, int(here)
        trips[before : here + 1] = trip
        before = int(here)
    return trips


def _distance(a: Floats, b: Floats) -> Floats:
    """Measure great circles in km between degrees (haversine)."""
    (south, west), (north, east) = (np.moveaxis(np.radians(x), -1, 0) for x in (a, b))
    half = np.sin((north - south) / 2) ** 2
    half = half + np.cos(south) * np.cos(north) * np.sin((east - west) / 2) ** 2
    km: Floats = 2 * _EARTH * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return km
