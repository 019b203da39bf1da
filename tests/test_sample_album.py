"""The sample album: the committed files are what its script draws, and they fit together."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageChops, ImageOps, ImageStat

from rememberai.photos import Album

EXAMPLES = Path(__file__).parent.parent / "examples"
SAMPLE = EXAMPLES / "sample_album"
PICTURES = sorted(path.relative_to(SAMPLE).as_posix() for path in SAMPLE.rglob("*.jpg"))
IFDS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


@pytest.fixture(scope="module")
def script():
    """The drawing script as a module; examples/ is no package."""
    spec = importlib.util.spec_from_file_location(
        "make_sample_album", EXAMPLES / "make_sample_album.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def redrawn(script, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redrawn")
    script.main(folder)
    return folder


def tags(path):
    with Image.open(path) as image:
        exif = image.getexif()
        pointers = {int(ifd) for ifd in IFDS}
        main = {tag: value for tag, value in exif.items() if tag not in pointers}
        return main, *(dict(exif.get_ifd(ifd)) for ifd in IFDS)


def rows_of(folder):
    """The rows of the memory file in one folder, read without the library."""
    found = []
    for path in folder.glob("memories.jsonl"):
        found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for path in folder.glob("memories.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def seeds():
    lines = (SAMPLE / "seeds.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def plain(text):
    return " ".join(re.findall(r"\w+", text.lower()))


def test_script_draws_exactly_the_committed_files(redrawn):
    made = {p.relative_to(redrawn).as_posix() for p in redrawn.rglob("*") if p.is_file()}
    sidecars = {p.relative_to(SAMPLE).as_posix() for p in SAMPLE.rglob("*.jpg.json")}
    assert made == set(PICTURES) | sidecars
    for name in sidecars:
        assert (redrawn / name).read_bytes() == (SAMPLE / name).read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_redrawn_with_the_same_exif(redrawn, name):
    assert tags(redrawn / name) == tags(SAMPLE / name)
    with Image.open(SAMPLE / name) as committed, Image.open(redrawn / name) as again:
        assert committed.size == again.size
        difference = ImageStat.Stat(ImageChops.difference(committed, again))
    assert max(difference.mean) < 2.0  # encoders and resampling differ a little by version
    assert max(difference.rms) < 5.0


def test_drawing_does_not_depend_on_what_was_drawn_before(script):
    shots = script.SHOTS[::9]
    forwards = [script.draw(shot).tobytes() for shot in shots]
    backwards = [script.draw(shot).tobytes() for shot in reversed(shots)]
    assert forwards == backwards[::-1]


def test_sizes_are_small():
    sizes = {name: (SAMPLE / name).stat().st_size for name in PICTURES}
    assert all(4_000 <= size <= 18_000 for size in sizes.values()), sizes
    assert sum(p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()) < 1_200_000
    assert 60 <= sum(name.startswith("year/") for name in PICTURES) <= 75


def test_every_picture_is_a_different_one():
    seen = Counter((SAMPLE / name).read_bytes() for name in PICTURES)
    assert max(seen.values()) == 1


def test_every_memory_row_names_a_picture_beside_it():
    folders = {(SAMPLE / name).parent for name in PICTURES}
    checked = 0
    for folder in folders:
        names = [row["photo"] for row in rows_of(folder)]
        assert len(names) == len(set(names))
        for name in names:
            assert (folder / name).is_file(), f"{folder.name}: {name}"
            checked += 1
    assert checked > 40
    assert not list((SAMPLE / "query_unknown").glob("*.jpg"))


def test_library_reads_words_times_and_places_as_they_were_written(script):
    album = Album.from_folder(SAMPLE / "year")
    assert {outcome.status for outcome in album.outcomes} == {"done"}
    photos = {f"year/{photo.name}": photo for photo in album.photos}
    shots = {shot.path: shot for shot in script.SHOTS if shot.path.startswith("year/")}
    assert photos.keys() == shots.keys()
    for path, shot in shots.items():
        photo = photos[path]
        assert (photo.width, photo.height) == shot.size, path  # upright, whatever the flag
        in_file = {row["photo"]: row["text"] for row in rows_of((SAMPLE / path).parent)}
        written = shot.description if shot.description != script.BOILERPLATE else ""
        words = in_file.get(path.rsplit("/", 1)[1]) or shot.takeout or written
        assert (photo.memory.text if photo.memory else "") == words, path
        if shot.at:
            shown = photo.taken.local.isoformat()
            assert shot.at.startswith(shown), path
            assert photo.taken.confidence == ("offset" if len(shot.at) > 19 else "local"), path
        if shot.at and shot.place:
            latitude, longitude = script.PLACES[shot.place]
            assert photo.place.latitude == pytest.approx(latitude, abs=1e-3)
            assert photo.place.longitude == pytest.approx(longitude, abs=1e-3)


def test_album_holds_every_kind_of_photo():
    album = Album.from_folder(SAMPLE / "year")
    origins = Counter(photo.memory.origin if photo.memory else None for photo in album.photos)
    assert origins.keys() == {"file", "takeout", "exif", None}
    assert 0.6 < 1 - origins[None] / len(album.photos) < 0.8
    sure = Counter(photo.taken.confidence for photo in album.photos)
    assert sure.keys() == {"offset", "local", "utc", "file"}
    assert sure.most_common(1)[0][0] == "offset"
    assert any(photo.place is None for photo in album.photos)


def test_turned_pictures_are_upright_after_their_flag(script):
    turned = [shot for shot in script.SHOTS if shot.orientation != 1]
    assert {shot.orientation for shot in turned} == {3, 6, 8}
    for shot in turned:
        canvas = script.Canvas(shot.size, shot.path)
        shot.draw(canvas)
        with Image.open(SAMPLE / shot.path) as stored:
            upright = ImageOps.exif_transpose(stored)
        difference = ImageStat.Stat(ImageChops.difference(upright, canvas.finish()))
        assert max(difference.mean) < 5.0, shot.path


def test_seeds_are_ten_events_of_a_dozen_texts_or_more():
    counts = Counter(seed["event"] for seed in seeds())
    assert len(counts) == 10
    assert all(12 <= count <= 16 for count in counts.values()), counts
    assert len({plain(seed["text"]) for seed in seeds()}) == sum(counts.values())


def test_no_seed_sentence_occurs_in_an_album():
    albums = [Album.from_folder(SAMPLE / name) for name in ("year", "query", "query_unknown")]
    texts = {photo.memory.text for album in albums for photo in album.photos if photo.memory}
    assert len(texts) > 55
    assert not {plain(text) for text in texts} & {plain(seed["text"]) for seed in seeds()}


def test_query_albums():
    query = Album.from_folder(SAMPLE / "query")
    assert 6 <= len(query.photos) <= 8
    assert sum(photo.memory is not None for photo in query.photos) == len(query.photos) - 1
    unknown = Album.from_folder(SAMPLE / "query_unknown")
    assert 5 <= len(unknown.photos) <= 6
    assert all(photo.path is None and photo.memory for photo in unknown.photos)
