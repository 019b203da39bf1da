"""Occasions and trips in timelines that were made, and vectors moved towards their occasion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import numpy as np
import pytest
from blobs import same_partition
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import InputError
from rememberai.events import segmentation
from rememberai.events.segmentation import blend, segment

START = np.datetime64("2024-05-01T10:00", "us")
HOME, SEA, CITY = (51.46, -2.59), (50.26, -5.05), (37.57, 126.98)


def minutes(*values) -> np.ndarray:
    return np.array(
        [
            np.datetime64("NaT") if v is None else START + np.timedelta64(round(60 * v), "s")
            for v in values
        ],
        "datetime64[us]",
    )


def hours(*values) -> np.ndarray:
    return minutes(*(v if v is None else 60 * v for v in values))


def occasions(*arrays) -> list[int]:
    return segment(*arrays).occasions.tolist()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([0], [0]),
        ([None], [0]),
        ([0, 0], [0, 0]),
        ([0, 8], [0, 0]),  # a lone pause has no others to be long against
        ([0, 8.001], [0, 1]),
        ([0, 7, 14, 21], [0, 0, 0, 0]),  # a chain may last longer than the limit
        ([40, 0, 20, 1], [2, 0, 1, 0]),
        ([20, None, 0], [1, 2, 0]),
    ],
)
def test_a_pause_of_more_than_eight_hours_divides(given, expected):
    assert occasions(hours(*given)) == expected


def test_a_night_at_one_place_divides_too():
    times = hours(0, 7, 14, 23, 30)  # a stay joins, but not over more than eight hours
    assert occasions(times, [HOME] * 5) == [0, 0, 0, 1, 1]


def test_a_pause_is_long_or_short_against_those_around_it():
    """The same forty minutes divide a wedding from the dinner, and not a walk through a day."""
    dense = [i * 1.5 for i in range(30)]
    party = minutes(*dense, *(dense[-1] + 40 + i for i in range(30)))
    assert occasions(party) == [0] * 30 + [1] * 30
    walk = minutes(*(40 * i for i in range(12)))
    assert occasions(walk) == [0] * 12


def test_the_limit_is_seventeen_times_the_local_mean():
    for pause, parts in ((16.0, 1), (17.5, 2)):
        # Ten pauses of three minutes on each side; the one in the middle is in the mean as well.
        steps = np.r_[np.full(10, 3.0), 0, np.full(10, 3.0)]
        steps[10] = 3 * pause ** (21 / 20)
        assert len(set(occasions(minutes(0, *np.cumsum(steps))))) == parts


def test_a_burst_counts_as_a_minute():
    burst = minutes(*(i / 60 for i in range(20)), 10, *(10 + i / 60 for i in range(20)))
    assert set(occasions(burst)) == {0}


def test_a_move_divides_a_doubtful_pause_and_a_stay_joins_it():
    pauses = [*range(0, 30, 3), *range(27 + 40, 97, 3)]  # 40 minutes: short of 17 times 3
    times = minutes(*pauses)
    here = np.tile(HOME, (len(pauses), 1))
    moved = here.copy()
    moved[10:] += 0.1
    assert set(occasions(times)) == set(occasions(times, here)) == {0}
    assert occasions(times, moved) == [0] * 10 + [1] * (len(pauses) - 10)
    longer = minutes(*range(0, 30, 3), *range(27 + 90, 147, 3))
    assert len(set(occasions(longer))) == 2
    assert len(set(occasions(longer, here))) == 1
    much_longer = minutes(*range(0, 30, 3), *range(27 + 300, 357, 3))
    assert len(set(occasions(much_longer, here))) == 2


def test_other_content_divides_a_doubtful_pause():
    times = minutes(*range(0, 30, 3), *range(27 + 40, 97, 3))
    random = np.random.default_rng(0)
    other = np.r_[np.tile([1.0, 0, 0], (10, 1)), np.tile([0, 1.0, 0], (10, 1))]
    other += 0.1 * random.normal(size=other.shape)
    same = np.array([1.0, 0, 0]) + 0.1 * random.normal(size=other.shape)
    assert occasions(times, None, other) == [0] * 10 + [1] * 10
    assert occasions(times, None, same) == [0] * 20
    other[::2] = np.nan  # half of them without words
    assert occasions(times, None, other) == [0] * 10 + [1] * 10
    assert occasions(times, None, np.full((20, 3), np.nan)) == occasions(times)


def test_place_and_content_together_shift_the_limit_no_farther_than_one():
    """A pause of twelve minutes is e squared short of the limit, forty are not even e."""
    for pause, parts in ((12, 1), (40, 2)):
        times = minutes(*range(0, 30, 3), *range(27 + pause, 57 + pause, 3))
        places = np.r_[np.tile(HOME, (10, 1)), np.tile(HOME, (10, 1)) + 0.1]
        other = np.repeat(np.eye(2), 10, axis=0)
        assert len(set(occasions(times, places, other))) == parts


def test_a_flight_divides_and_clocks_that_interleave_do_not_mix():
    """Seoul until 14:00, then Bristol, where it is earlier: by the clock the two overlap."""
    times = minutes(*range(0, 240, 10), *range(-120, 120, 10))
    places = np.r_[np.tile(CITY, (24, 1)), np.tile(HOME, (24, 1))]
    assert occasions(times, places) == [1] * 24 + [0] * 24
    places[5] = places[30] = np.nan  # these go with the photo before them by the clock
    assert set(occasions(times, places)) == {0, 1}


def test_a_drive_is_one_occasion():
    times = minutes(*range(0, 200, 10))
    road = np.c_[np.linspace(48, 53, 20), np.full(20, 2.0)]  # 550 km in steps of 29
    assert set(occasions(times, road)) == {0}


def fortnight():
    """Home, two weeks at the sea with nights, home again, and two days in a city abroad."""
    times, places, days = [], [], []
    for day in range(60):
        place = SEA if 20 <= day < 34 else CITY if day in (50, 51) else HOME
        for photo in range(6):
            times.append(24 * day + 0.3 * photo)
            places.append(place)
            days.append(day)
    return hours(*times), np.array(places), np.array(days)


def test_a_trip_is_a_run_of_occasions_away_from_home():
    times, places, days = fortnight()
    found = segment(times, places)
    assert found.home == (51.5, -2.6)
    assert found.occasions.tolist() == days.tolist()
    expected = np.where((days >= 20) & (days < 34), 0, np.where((days == 50) | (days == 51), 1, -1))
    assert found.trips.tolist() == expected.tolist()
    places[days == 25] = np.nan  # a day without a place in the midst of a trip
    places[days == 34] = np.nan  # and one after it
    assert segment(times, places).trips.tolist() == expected.tolist()


def test_home_is_the_place_of_most_days_not_of_most_photos():
    times = hours(0, 24, 48, *(72 + 0.1 * i for i in range(50)))
    places = np.r_[np.tile(HOME, (3, 1)), np.tile(CITY, (50, 1))]
    found = segment(times, places)
    assert found.home == (51.5, -2.6)
    assert found.trips.tolist() == [-1] * 3 + [0] * 50


def test_an_occasion_of_which_half_is_at_home_is_no_trip():
    near = (HOME[0] + 0.8, HOME[1])  # 89 km: a step that connects
    times = hours(0, 24, 48, 72, 72.1, 96, 96.1, 96.2)
    places = [HOME, HOME, HOME, HOME, near, HOME, near, near]
    assert segment(times, places).trips.tolist() == [-1] * 5 + [0] * 3


def test_photos_of_one_time_stand_in_the_order_of_their_places():
    places = np.array([HOME, SEA, CITY, HOME, SEA, CITY, (51.47, -2.6), (50.27, -5.06)])
    times = np.full(8, START)
    first = segment(times, places)
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(8)
        assert occasions(times[order], places[order]) == first.occasions[order].tolist()


def test_of_places_near_to_as_many_days_home_is_that_of_most_days_itself():
    south = np.array([(51.3, -2.6)] * 2 + [(51.5, -2.6)] * 3)  # 22 km apart
    assert segment(hours(*range(0, 120, 24)), south).home == (51.5, -2.6)
    assert segment(hours(*range(0, 120, 24)), south[::-1] * (-1, 1)).home == (-51.5, -2.6)


def test_a_photo_before_all_places_of_its_run_goes_with_the_first():
    places = [(np.nan, np.nan), HOME, CITY, (np.nan, np.nan), HOME, CITY]
    assert occasions(minutes(*range(6)), places) == [0, 0, 1, 1, 0, 1]


def test_two_stays_with_a_week_between_are_two_trips():
    days = [0, 1, 2, 3, 4, 5, 20, 21, 30, 31]
    places = np.r_[np.tile(HOME, (6, 1)), np.tile(CITY, (4, 1))]
    assert segment(hours(*(24 * d for d in days)), places).trips.tolist() == [-1] * 6 + [0, 0, 1, 1]


def test_the_date_line_and_the_pole_are_no_border():
    times = minutes(*range(0, 60, 3))
    fiji = np.c_[np.full(20, -16.8), np.where(np.arange(20) % 2, 179.99, -179.99)]
    pole = np.c_[np.full(20, 89.99), np.linspace(-180, 180, 20)]
    assert set(occasions(times, fiji)) == set(occasions(times, pole)) == {0}
    assert segment(times, fiji).trips.tolist() == [-1] * 20


def test_without_a_time_the_place_decides_where_only_one_occasion_was_there():
    times = hours(0, 0.1, 24, 24.1, 48, 48.1, None, None, None, None, None)
    places = np.array([HOME, HOME, SEA, SEA, HOME, HOME, SEA, HOME, CITY, CITY, (np.nan, np.nan)])
    # The sea was visited once, home twice, the city never; of the last nothing is known.
    found = segment(times, places)
    assert found.occasions[:6].tolist() == [0, 0, 1, 1, 2, 2]
    assert found.occasions[6] == 1
    assert found.occasions[7] not in (0, 1, 2)
    assert found.occasions[8] == found.occasions[9]
    assert len(set(found.occasions[[0, 2, 4, 7, 8, 10]].tolist())) == 6
    assert found.trips[[2, 3, 6]].tolist() == [0, 0, 0]
    assert found.trips[[0, 7, 8, 9, 10]].tolist() == [-1] * 5


def test_without_any_time_or_place_each_photo_stands_alone():
    found = segment(np.full(4, "NaT", "datetime64[us]"), None, np.ones((4, 3)))
    assert sorted(found.occasions.tolist()) == [0, 1, 2, 3]
    assert found.trips.tolist() == [-1] * 4
    assert found.home is None


@given(seed=st.integers(0, 10_000), n=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_photos_does_not_matter(seed, n):
    random = np.random.default_rng(seed)
    pauses = np.exp(random.uniform(-2, 8, size=n))
    times = minutes(*np.cumsum(pauses))
    times[random.random(n) < 0.2] = "NaT"
    places = np.array([HOME, SEA, CITY])[random.integers(3, size=n)]
    places = places + random.normal(size=(n, 2)) * 0.01
    places[random.random(n) < 0.3] = np.nan
    vectors = random.normal(size=(n, 4))
    vectors[random.random(n) < 0.2] = np.nan
    first = segment(times, places, vectors)
    order = random.permutation(n)
    again = segment(times[order], places[order], vectors[order])
    assert again.home == first.home
    assert again.trips.tolist() == first.trips[order].tolist()
    known = ~(np.isnat(times) & np.isnan(places[:, 0]) & np.isnan(vectors[:, 0]))[order]
    assert again.occasions[known].tolist() == first.occasions[order][known].tolist()
    assert same_partition(again.occasions, first.occasions[order])
    assert sorted(set(first.occasions.tolist())) == list(range(len(set(first.occasions.tolist()))))


def test_any_of_the_three_may_be_missing():
    times, places = hours(0, 1, 30, 31), [HOME, HOME, SEA, SEA]
    assert occasions(times) == [0, 0, 1, 1]
    assert occasions(None, places) == [1, 1, 0, 0]  # the southern one first
    assert sorted(occasions(None, None, np.eye(4))) == [0, 1, 2, 3]
    assert occasions(None) == []


def test_clocks_are_taken_as_they_are_whatever_zone_a_datetime_names():
    """By their instants the second would come before the first, and the third eight hours later."""
    seoul = timezone(timedelta(hours=9))
    clock = datetime(2024, 5, 1, 10)
    times = [clock.replace(tzinfo=UTC), clock.replace(hour=12, tzinfo=seoul), None, clock]
    assert occasions(times) == occasions(hours(0, 2, None, 0)) == [0, 0, 1, 0]


def test_what_is_near_is_near_all_over_the_world():
    """Home and steps against all pairs: at the poles, and on both sides of the antimeridian."""
    random = np.random.default_rng(0)
    for _ in range(8):
        centres = np.column_stack([random.uniform(-90, 90, 6), random.choice([-180, 0, 180], 6)])
        places = centres[random.integers(6, size=40)] + random.normal(size=(40, 2)) * 0.4
        places = np.clip(places, (-90, -180), (90, 180))
        days = random.integers(20, size=40)
        found = segment(START + days * np.timedelta64(1, "D"), places)
        cells = np.unique(places.round(1) + 0.0, axis=0)
        seen = [
            {
                day
                for day, place in zip(days, places.round(1), strict=True)
                if kilometres(place, cell) <= 50
            }
            for cell in cells
        ]
        home = [len(seen[i]) for i in range(len(cells)) if tuple(cells[i]) == found.home]
        assert home == [max(map(len, seen))]
        assert same_partition(segment(None, places).occasions, chains(places, 1))


def test_distances_are_those_of_great_circles():
    random = np.random.default_rng(0)
    a, b = (random.uniform((-90, -180), (90, 180), (50, 2)) for _ in range(2))
    exact = [kilometres(p, q) for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(segmentation._distance(a, b), exact, rtol=1e-9)


def kilometres(a, b) -> float:
    """The angle between unit vectors in space, on a globe of 6,371 km."""
    north, east = np.radians([a, b]).T
    x, y, z = np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)
    chord = ((x[0] - x[1]) ** 2 + (y[0] - y[1]) ** 2 + (z[0] - z[1]) ** 2) ** 0.5
    return 2 * 6371 * float(np.arcsin(min(chord / 2, 1)))


def chains(places, km) -> list[int]:
    """Which places steps of so many km connect: the least of their numbers, passed on and on."""
    label = list(range(len(places)))
    near = [[kilometres(p, q) <= km for q in places] for p in places]
    for _ in places:
        label = [min(b for b, close in zip(label, row, strict=True) if close) for row in near]
    return label


@pytest.mark.parametrize(
    "times", [[1, 2], [1.5, 2.5], ["2024-05-01T10:00+09:00", "x"], [START, "noon"]]
)
def test_what_is_no_time_is_refused(times):
    with pytest.raises(InputError, match="times must be datetime64"):
        segment(times)


@pytest.mark.parametrize("rows", [[["a", "b"]] * 2, [(1.0, 2.0), (3.0,)]])
def test_what_is_no_number_is_refused(rows):
    for arrays in ((None, rows), (None, None, rows)):
        with pytest.raises(InputError, match="must be rows of numbers"):
            segment(*arrays)


@pytest.mark.parametrize(
    "arrays",
    [
        (hours(0, 1), [HOME]),
        (hours(0, 1), [(91.0, 0.0), HOME]),
        (hours(0, 1), [(0.0, 181.0), HOME]),
        (hours(0, 1), None, np.ones((3, 2))),
        (hours(0, 1), None, np.ones(2)),
        (hours(0, 1)[None],),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays):
    with pytest.raises(InputError, match=r"every photo needs|must be degrees"):
        segment(*arrays)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), n_groups=st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_blend_is_two_thirds_of_the_way_to_the_mean(seed, n, n_groups):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, 5)) * 10.0 ** random.integers(-9, 9)
    vectors = vectors.astype(np.float32)
    groups = np.unique(random.integers(n_groups, size=n), return_inverse=True)[1]
    found = blend(vectors, groups)
    assert found.dtype == np.float32
    for i in range(n):
        members = [vectors[j].astype(np.float64) for j in range(n) if groups[j] == groups[i]]
        expected = vectors[i] / 3 + 2 / 3 * sum(members) / len(members)
        np.testing.assert_allclose(found[i], expected, rtol=1e-5, atol=1e-6 * np.abs(vectors).max())
    order = random.permutation(n)
    np.testing.assert_array_equal(blend(vectors[order], groups[order]), found[order])


def test_the_order_is_of_no_account_to_the_last_bit():
    # In float64, (1 + 2^-60) - 1 is 0 and (1 - 1) + 2^-60 is not.
    column = np.array([[1], [2**-60], [-1], [0]], np.float32)
    found = [
        blend(column[list(order)], np.zeros(4, np.intp))[np.argsort(order)].tolist()
        for order in permutations(range(4))
    ]
    assert all(each == found[0] for each in found)


def test_a_photo_alone_stays_where_it_is_and_no_photos_stay_none():
    vectors = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_allclose(blend(vectors, np.array([0, 1])), vectors, rtol=1e-6)
    assert blend(np.empty((0, 3), np.float32), np.empty(0, np.intp)).shape == (0, 3)
