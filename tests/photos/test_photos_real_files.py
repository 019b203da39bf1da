"""Real camera files, read side by side with ExifRead."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pictures import outcome_of, photo_of
from PIL import Image

from rememberai.photos import Album, open_image
from rememberai.records import Report


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "exif"


@pytest.fixture(scope="module")
def album(folder):
    return Album.from_folder(folder)


def test_every_file_is_kept_and_named(album, folder):
    files = sorted(path.name for path in folder.iterdir())
    assert [outcome.item for outcome in album.outcomes] == files
    assert [photo.name for photo in album.photos] == files
    assert Report(album.outcomes).count("done") == len(files) == 43
    assert [outcome.photo_id for outcome in album.outcomes] == [p.photo_id for p in album.photos]


def test_ids_and_sizes(album, folder):
    for photo in album.photos:
        content = (folder / photo.name).read_bytes()
        assert photo.photo_id == hashlib.blake2b(content, digest_size=16).hexdigest()
        assert photo.path == str(folder.absolute() / photo.name)
        with Image.open(folder / photo.name) as image:  # all of them lie upright
            assert (photo.width, photo.height) == image.size


def test_forty_are_dated_and_none_has_an_invented_offset(album):
    undated = {p.name for p in album.photos if p.taken.confidence == "file"}
    assert undated == {"PaintTool_sample.jpg", "olympus-d320l.jpg", "sony-powershota5.jpg"}
    assert Counter(p.taken.confidence for p in album.photos) == {"local": 40, "file": 3}
    assert all(p.taken.offset_minutes is None for p in album.photos if p.name not in undated)
    assert all("no capture time" in outcome_of(album, name).reason for name in undated)


def test_times_are_those_that_exifread_reads(album, folder):
    exifread = pytest.importorskip("exifread")
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    compared = 0
    for photo in album.photos:
        with (folder / photo.name).open("rb") as file:
            tags = exifread.process_file(file, details=False)
        keys = ("EXIF DateTimeOriginal", "EXIF DateTimeDigitized", "Image DateTime")
        times = [datetime.strptime(str(tags[k]), "%Y:%m:%d %H:%M:%S") for k in keys if k in tags]
        times = [time for time in times if time <= tomorrow]
        if times:
            assert photo.taken.local == times[0], photo.name
            compared += 1
    assert compared == 40


def test_places_are_those_that_exifread_reads(album, folder):
    exifread = pytest.importorskip("exifread")
    found = 0
    for photo in album.photos:
        with (folder / photo.name).open("rb") as file:
            tags = exifread.process_file(file, details=False)
        expected = exifread.utils.get_gps_coords(tags)
        if not expected:
            assert photo.place is None, photo.name
            continue
        assert (photo.place.latitude, photo.place.longitude) == pytest.approx(expected, abs=1e-9)
        found += 1
    assert found == 10
    assert photo_of(album, "Kodak_CX7530.jpg").place.latitude < 0  # south of the equator


def test_only_the_person_is_quoted_never_the_camera(album):
    memories = {p.name: p.memory for p in album.photos if p.memory}
    assert list(memories) == ["long_description.jpg"]
    memory = memories["long_description.jpg"]
    assert memory.origin == "xmp"
    assert memory.text.startswith("Operation Mountain Viper put the soldiers of A Company")


def test_odd_ones_are_reported(album):
    assert "clock ever set" in outcome_of(album, "sanyo-vpcg250.jpg").reason
    assert "GPS time" in outcome_of(album, "DSCN0010.jpg").reason  # its GPS date is a day ahead
    assert "2026" in outcome_of(album, "WWL_(Polaroid)_ION230.jpg").reason


def test_all_of_them_open(album):
    for photo in album.photos:
        image = open_image(photo.path)
        assert image.mode == "RGB"
        assert image.size == (photo.width, photo.height)
        small = open_image(photo.path, at_least=100)
        assert min(100, *image.size) <= min(small.size) < 200


def test_reading_twice_gives_the_same(album, folder):
    assert Album.from_folder(folder) == album
