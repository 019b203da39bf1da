from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import outcome_of, save, takeout, xmp_packet
from PIL.ExifTags import GPS, Base

from rememberai.photos import Album
from rememberai.photos.times import derive_offset, from_timestamp, parse_offset, parse_stamp
from rememberai.records import CaptureTime, Place

NOON = datetime(2024, 5, 18, 12, 0, 5)
NOON_EXIF = "2024:05:18 12:00:05"
NOW = datetime(2025, 1, 1)


def read(folder, **options):
    """Save one picture, read its album, and give the photo and its outcome."""
    save(folder / "a.jpg", **options)
    album = Album.from_folder(folder)
    return album.photos[0], outcome_of(album, "a.jpg")


def utc_gps(date, *clock):
    return {GPS.GPSDateStamp: date, GPS.GPSTimeStamp: tuple(float(part) for part in clock)}


def stamp_seconds(instant):
    return str(int((instant - datetime(1970, 1, 1)).total_seconds()))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"photo": {Base.DateTimeOriginal: NOON_EXIF}}, CaptureTime(NOON, None, "local")),
        (
            {"photo": {Base.DateTimeOriginal: NOON_EXIF, Base.OffsetTimeOriginal: "+09:00"}},
            CaptureTime(NOON, 540, "offset"),
        ),
        (
            {"photo": {Base.DateTimeOriginal: NOON_EXIF, Base.OffsetTimeOriginal: "-03:30"}},
            CaptureTime(NOON, -210, "offset"),
        ),
        (  # the zone of a later edit says nothing about the capture
            {
                "main": {Base.DateTime: "2024:06:01 00:00:09"},
                "photo": {Base.DateTimeOriginal: NOON_EXIF, Base.OffsetTime: "-08:00"},
            },
            CaptureTime(NOON, None, "local"),
        ),
        (  # but the zone of a tag that shows the same clock does
            {
                "main": {Base.DateTime: NOON_EXIF},
                "photo": {Base.DateTimeOriginal: NOON_EXIF, Base.OffsetTime: "+02:00"},
            },
            CaptureTime(NOON, 120, "offset"),
        ),
        ({"photo": {Base.DateTimeDigitized: NOON_EXIF}}, CaptureTime(NOON, None, "local")),
        ({"main": {Base.DateTime: NOON_EXIF}}, CaptureTime(NOON, None, "local")),
        (
            {
                "main": {Base.DateTime: "2024:07:01 01:01:01"},
                "photo": {
                    Base.DateTimeDigitized: NOON_EXIF,
                    Base.DateTimeOriginal: "0000:00:00 00:00:00",
                },
            },
            CaptureTime(NOON, None, "local"),
        ),
        (
            {
                "photo": {Base.DateTimeOriginal: NOON_EXIF},
                "gps": utc_gps("2024:05:18", 3, 1, 30),
            },
            CaptureTime(NOON, 540, "offset"),
        ),
        (
            {
                "photo": {Base.DateTimeOriginal: NOON_EXIF},
                "gps": utc_gps("2024:05:18", 6, 15, 0),
            },
            CaptureTime(NOON, 345, "offset"),  # Nepal
        ),
        (
            {
                "photo": {Base.DateTimeOriginal: NOON_EXIF},
                "gps": utc_gps("2024:05:18", 3, 5, 0),
            },
            CaptureTime(NOON, None, "local"),  # five minutes off is no offset
        ),
        (
            {
                "photo": {Base.DateTimeOriginal: NOON_EXIF},
                "gps": utc_gps("2024:05:17", 12, 0, 0),
            },
            CaptureTime(NOON, None, "local"),  # 24 hours is no offset either
        ),
    ],
)
def test_exif_times(tmp_path, tags, expected):
    photo, _ = read(tmp_path, **tags)
    assert photo.taken == expected


def test_a_photo_without_fault_has_no_remark(tmp_path):
    _, outcome = read(tmp_path, photo={Base.DateTimeOriginal: NOON_EXIF})
    assert (outcome.status, outcome.reason) == ("done", "")


@pytest.mark.parametrize(
    "nonsense",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        " ",
        "2024:02:30 10:00:00",
        "yesterday",
        "1825:12:31 23:59:59",
        "9999:01:01 00:00:00",
        "2024:05:18 25:00:00",
    ],
)
def test_nonsense_is_ignored_and_reported(tmp_path, nonsense):
    picture = save(tmp_path / "a.jpg", photo={Base.DateTimeOriginal: nonsense})
    os.utime(picture, (1_700_000_000, 1_700_000_000))
    album = Album.from_folder(tmp_path)
    assert album.photos[0].taken == CaptureTime(datetime(2023, 11, 14, 22, 13, 20), 0, "file")
    assert "EXIF DateTimeOriginal ignored" in album.outcomes[0].reason
    assert album.outcomes[0].status == "done"


def test_takeout_gives_the_offset_of_a_local_time(tmp_path):
    seoul = {"timestamp": stamp_seconds(NOON - timedelta(hours=9))}
    takeout(tmp_path / "a.jpg.json", photoTakenTime=seoul)
    photo, _ = read(tmp_path, photo={Base.DateTimeOriginal: NOON_EXIF})
    assert photo.taken == CaptureTime(NOON, 540, "offset")


def test_takeout_that_took_the_clock_for_utc_gives_no_offset(tmp_path):
    takeout(tmp_path / "a.jpg.json", photoTakenTime={"timestamp": stamp_seconds(NOON)})
    photo, _ = read(tmp_path, photo={Base.DateTimeOriginal: NOON_EXIF})
    assert photo.taken == CaptureTime(NOON, None, "local")


def test_takeout_alone_gives_the_instant(tmp_path):
    takeout(tmp_path / "a.jpg.json", photoTakenTime={"timestamp": stamp_seconds(NOON)})
    assert read(tmp_path)[0].taken == CaptureTime(NOON, 0, "utc")


@pytest.mark.parametrize("timestamp", ["0", 0, None, "soon", "9" * 30, [1], "-1e5"])
def test_takeout_nonsense_is_no_time(tmp_path, timestamp):
    takeout(tmp_path / "a.jpg.json", photoTakenTime={"timestamp": timestamp})
    assert read(tmp_path)[0].taken.confidence == "file"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"exif_DateTimeOriginal": "2024-05-18T12:00:05+09:00"}, CaptureTime(NOON, 540, "offset")),
        ({"photoshop_DateCreated": "2024-05-18T12:00:05.25"}, CaptureTime(NOON, None, "local")),
        ({"xmp_CreateDate": "2024-05-18T12:00:05Z"}, CaptureTime(NOON, 0, "utc")),
        (
            {"xmp_CreateDate": "2024-06-01T00:00:01", "photoshop_DateCreated": "2024-05-18"},
            CaptureTime(datetime(2024, 5, 18), None, "local"),
        ),
    ],
)
def test_xmp_times_come_before_takeout(tmp_path, attributes, expected):
    takeout(tmp_path / "a.jpg.json", photoTakenTime={"timestamp": "5"})
    assert read(tmp_path, xmp=xmp_packet(**attributes))[0].taken == expected


def test_exif_time_comes_before_xmp(tmp_path):
    xmp = xmp_packet(exif_DateTimeOriginal="2020-01-02T03:04:05+01:00")
    photo, _ = read(tmp_path, main={Base.DateTime: NOON_EXIF}, xmp=xmp)
    assert photo.taken == CaptureTime(NOON, None, "local")


def test_a_day_without_a_clock_is_said(tmp_path):
    _, outcome = read(tmp_path, xmp=xmp_packet(photoshop_DateCreated="2024-05-18"))
    assert "the day alone" in outcome.reason


def test_a_capture_after_the_last_change_is_said(tmp_path):
    stamps = {Base.DateTimeOriginal: "2024:05:18 12:00:05"}
    _, outcome = read(tmp_path, main={Base.DateTime: "2008:07:31 17:32:06"}, photo=stamps)
    assert "one of the two is wrong" in outcome.reason


def degrees(value):
    minutes, degree = (abs(value) % 1) * 60, float(int(abs(value)))
    return degree, float(int(minutes)), (minutes % 1) * 60


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(37.5665, 126.978), (-33.8688, 151.2093), (40.7128, -74.006), (-22.9068, -43.1729)],
)
def test_gps_in_every_hemisphere(tmp_path, latitude, longitude):
    photo, _ = read(
        tmp_path,
        gps={
            GPS.GPSLatitudeRef: "N" if latitude > 0 else "S",
            GPS.GPSLatitude: degrees(latitude),
            GPS.GPSLongitudeRef: "E" if longitude > 0 else "W",
            GPS.GPSLongitude: degrees(longitude),
        },
    )
    assert (photo.place.latitude, photo.place.longitude) == pytest.approx((latitude, longitude))
    takeout(tmp_path / "a.jpg.json", geoData={"latitude": -1.5, "longitude": 36.0})
    assert Album.from_folder(tmp_path).photos[0].place == photo.place


@pytest.mark.parametrize(
    ("latitude", "longitude", "reference"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "N"),
        ((91.0, 0.0, 0.0), (10.0, 0.0, 0.0), "N"),
        ((10.0, 0.0, 0.0), (181.0, 0.0, 0.0), "N"),
        ((10.0, 0.0, 0.0), (20.0, 0.0, 0.0), ""),
    ],
)
def test_gps_nonsense_is_no_place_and_takeout_steps_in(tmp_path, latitude, longitude, reference):
    gps = {
        GPS.GPSLatitudeRef: reference,
        GPS.GPSLatitude: latitude,
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: longitude,
    }
    photo, outcome = read(tmp_path, gps=gps)
    assert photo.place is None
    assert "GPS position" in outcome.reason
    takeout(tmp_path / "a.jpg.json", geoData={"latitude": -1.5, "longitude": 36.0})
    assert Album.from_folder(tmp_path).photos[0].place == Place(-1.5, 36.0)
    takeout(tmp_path / "a.jpg.json", geoData={"latitude": 0.0, "longitude": 0.0})
    assert Album.from_folder(tmp_path).photos[0].place is None


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.datetimes().map(str)))
def test_parsing_a_time_gives_a_time_or_a_value_error(value):
    try:
        stamp = parse_stamp(value, NOW)
    except ValueError:
        return
    assert datetime(1826, 1, 1) <= stamp.local <= NOW + timedelta(days=1)


@given(st.datetimes(datetime(1826, 1, 1), NOW), st.sampled_from(["%Y:%m:%d %H:%M:%S", "iso"]))
def test_a_written_time_is_read_back(moment, form):
    text = moment.isoformat() if form == "iso" else moment.strftime(form)
    assert parse_stamp(text, NOW).local == moment.replace(microsecond=0)


@given(st.integers(-56, 56), st.floats(-115, 115), st.datetimes(datetime(1900, 1, 1), NOW))
def test_an_offset_is_derived_through_a_clock_that_is_a_little_off(quarters, drift, instant):
    local = instant + timedelta(minutes=15 * quarters, seconds=drift)
    assert derive_offset(local, instant) == 15 * quarters


@pytest.mark.parametrize("seconds", [121, 7 * 60, 779, 14 * 3600 + 900])
def test_a_clock_that_is_further_off_gives_no_offset(seconds):
    assert derive_offset(NOW + timedelta(seconds=seconds), NOW) is None
    assert derive_offset(NOW - timedelta(seconds=seconds), NOW) is None


def test_a_day_ahead_of_utc_is_no_future():
    assert parse_stamp(f"{NOW + timedelta(hours=14):%Y:%m:%d %H:%M:%S}", NOW).zone == ""
    with pytest.raises(ValueError, match="in the future"):
        parse_stamp(f"{NOW + timedelta(hours=25):%Y:%m:%d %H:%M:%S}", NOW)


def test_a_day_without_a_clock_has_no_offset_from_the_gps(tmp_path):
    gps = {GPS.GPSDateStamp: "2024:05:18", GPS.GPSTimeStamp: (3.0, 0.0, 0.0)}
    photo, _ = read(tmp_path, main={Base.DateTime: "2024:05:18"}, gps=gps)
    assert photo.taken == CaptureTime(datetime(2024, 5, 18), None, "local")


@given(st.text())
def test_parsing_an_offset_never_raises(text):
    minutes = parse_offset(text)
    assert minutes is None or abs(minutes) <= 14 * 60


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("+00:00", 0),
        ("-00:30", -30),
        ("+14:00", 840),
        ("+14:15", None),
        ("Z", None),
        ("+01:75", None),
    ],
)
def test_offsets(text, minutes):
    assert parse_offset(text) == minutes


def test_seconds_out_of_all_bounds_are_no_time():
    assert from_timestamp(10**20) is None
    assert from_timestamp(-1) == datetime(1969, 12, 31, 23, 59, 59)
