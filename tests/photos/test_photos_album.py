"""Albums as a whole: words alone, duplicates, order, and everything that can be wrong."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import struct
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import pytest
from pictures import outcome_of, photo_of, save, takeout
from PIL import Image, TiffImagePlugin, TiffTags
from test_photos_memories import write_rows

from rememberai.errors import ImageError, InputError, MissingExtraError
from rememberai.photos import Album, metadata, open_image


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@pytest.fixture
def unprivileged():
    """A folder, and the rights of a user who is not root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            path.chmod(0o700)
        shutil.rmtree(folder)


# Pictures


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_orientation_is_applied_once(tmp_path, orientation, suffix):
    """A red corner is stored where the tag sends it to the upper left."""
    upright = Image.new("RGB", (64, 32), "blue")
    upright.paste("red", (0, 0, 16, 16))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x112] = orientation
    stored.save(tmp_path / f"a{suffix}", exif=exif)
    photo = Album.from_folder(tmp_path).photos[0]
    assert (photo.width, photo.height) == (64, 32)
    image = open_image(tmp_path / f"a{suffix}")
    assert image.size == (64, 32)
    red, _, blue = image.getpixel((6, 6))
    assert (red > 200, blue < 60) == (True, True)
    red, _, blue = image.getpixel((56, 26))
    assert (red < 60, blue > 200) == (True, True)


def test_an_orientation_of_an_odd_type_turns_the_picture_as_it_turns_its_size(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    tags.tagtype[0x112] = TiffTags.RATIONAL
    tags[0x112] = 6
    exif = b"Exif\0\0II*\0\x08\0\0\0" + tags.tobytes(8)
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    (photo,) = Album.from_folder(tmp_path).photos
    assert (photo.width, photo.height) == open_image(tmp_path / "a.jpg").size == (48, 64)


def test_heic_is_not_rotated_twice(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    image = Image.new("RGB", (64, 32), "blue")
    image.paste("red", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x112] = 6
    exif[0x8769] = {0x9003: "2024:05:18 12:00:05"}
    exif[0x10E] = "By the river"
    image.save(tmp_path / "a.heic", exif=exif.tobytes(), quality=95)
    photo = Album.from_folder(tmp_path).photos[0]
    assert (photo.width, photo.height) == (32, 64)
    assert str(photo.taken.local) == "2024-05-18 12:00:05"
    assert photo.memory.text == "By the river"
    opened = open_image(tmp_path / "a.heic")
    assert opened.size == (32, 64)
    assert opened.getpixel((28, 4))[0] > 200  # turned once to the right


def test_heic_without_the_extra_fails_with_the_pip_line(tmp_path, monkeypatch):
    pytest.importorskip("pillow_heif").register_heif_opener()
    save(tmp_path / "a.heic")
    save(tmp_path / "b.jpg")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    album = Album.from_folder(tmp_path)
    assert 'pip install "rememberai[heif]"' in outcome_of(album, "a.heic").reason
    assert [photo.name for photo in album.photos] == ["b.jpg"]
    with pytest.raises(MissingExtraError):
        open_image(tmp_path / "a.heic")


def test_transparent_parts_are_white_and_16_bits_keep_their_greys(tmp_path):
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("I;16", (4, 4), 0x8000).save(tmp_path / "grey.png")
    Image.new("CMYK", (4, 4)).save(tmp_path / "press.jpg")
    assert open_image(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)
    assert open_image(tmp_path / "grey.png").getpixel((0, 0)) == (128, 128, 128)
    assert open_image(tmp_path / "press.jpg").mode == "RGB"


def test_a_wrong_extension_is_fine_and_said(tmp_path):
    save(tmp_path / "a.jpg", form="PNG")
    album = Album.from_folder(tmp_path)
    assert "really a PNG" in album.outcomes[0].reason
    assert open_image(tmp_path / "a.jpg").size == (64, 48)


# Words alone


def test_a_folder_of_words_alone(tmp_path):
    write_rows(
        tmp_path / "memories.jsonl",
        {"photo": "2024/a.jpg", "text": "The cake", "author": "Ann", "date": 2024},
        {"photo": "https://example.org/b.jpg", "text": "The candles"},
        {"text": "The songs"},
    )
    album = Album.from_folder(tmp_path)
    folder = tmp_path.as_posix()
    assert [photo.photo_id for photo in album.photos] == [
        digest(f"{folder}/2024/a.jpg"),
        digest("https://example.org/b.jpg"),
        digest(f"{folder}/The songs"),
    ]
    assert [photo.path for photo in album.photos] == [None] * 3
    assert [photo.memory.text for photo in album.photos] == ["The cake", "The candles", "The songs"]
    assert (album.photos[0].memory.author, album.photos[0].memory.written) == ("Ann", "2024")
    assert album.photos[0].name == "2024/a.jpg"
    assert [outcome.status for outcome in album.outcomes] == ["done"] * 3


def test_words_alone_beside_pictures(tmp_path):
    save(tmp_path / "pictures/a.jpg")
    row = {"photo": "a.jpg", "text": "far away"}
    write_rows(tmp_path / "words/memories.jsonl", row)
    uri = {"photo": "flickr://7", "text": "on the web"}
    write_rows(tmp_path / "pictures/memories.jsonl", uri, row | {"text": "near"})
    album = Album.from_folder(tmp_path)
    assert [(photo.name, photo.memory.text) for photo in album.photos] == [
        ("pictures/a.jpg", "near"),
        ("flickr://7", "on the web"),
        ("a.jpg", "far away"),
    ]
    assert [outcome.item for outcome in album.outcomes] == [
        "pictures/a.jpg",
        "pictures/memories.jsonl, line 1",
        "words/memories.jsonl, line 1",
    ]


def test_two_rows_for_one_photo_elsewhere(tmp_path):
    rows = [{"photo": "x://1", "text": text} for text in ("one", "one", "two")]
    write_rows(tmp_path / "memories.jsonl", *rows)
    album = Album.from_folder(tmp_path)
    assert len(album.photos) == 1
    assert [outcome.status for outcome in album.outcomes] == ["done", "skipped", "skipped"]
    assert "with other words" not in album.outcomes[1].reason
    assert "with other words" in album.outcomes[2].reason


def test_from_texts():
    album = Album.from_texts(
        ["The cake", " ", "The cake", "Songs"], name="party", references=["1", "2", "x://3", ""]
    )
    ids = [digest("party/1"), digest("x://3"), digest("party/Songs")]
    assert [photo.photo_id for photo in album.photos] == ids
    assert {photo.memory.origin for photo in album.photos} == {"given"}
    assert [outcome.status for outcome in album.outcomes] == ["done", "skipped", "done", "done"]
    again = Album.from_texts(["The cake", "The cake", 7], name="party")
    assert [photo.photo_id for photo in again.photos] == [digest("party/The cake")]
    assert [outcome.status for outcome in again.outcomes] == ["done", "skipped", "failed"]


@pytest.mark.parametrize(
    ("texts", "references"), [("one string", None), ([], None), (["a", "b"], ["1"])]
)
def test_from_texts_refuses(texts, references):
    with pytest.raises(InputError):
        Album.from_texts(texts, name="x", references=references)


# Duplicates and order


def test_the_first_of_two_copies_is_kept_with_the_memory_of_the_second(tmp_path):
    save(tmp_path / "a.jpg")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "b.jpg")
    takeout(tmp_path / "b.jpg.json", "Only beside the copy")
    album = Album.from_folder(tmp_path)
    assert [photo.name for photo in album.photos] == ["a.jpg"]
    assert album.photos[0].memory.text == "Only beside the copy"
    assert "memory of b.jpg" in outcome_of(album, "a.jpg").reason
    copy = outcome_of(album, "b.jpg")
    assert (copy.status, copy.photo_id) == ("skipped", album.photos[0].photo_id)
    assert copy.reason == "the same photo as a.jpg, which took over its memory"


def test_other_words_on_a_copy_are_reported(tmp_path):
    save(tmp_path / "a.jpg")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "b.jpg")
    takeout(tmp_path / "a.jpg.json", "First words")
    takeout(tmp_path / "b.jpg.json", "Other words")
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory.text == "First words"
    assert "with other words, which were not kept" in outcome_of(album, "b.jpg").reason


def test_order_names_and_progress(tmp_path):
    for seed, name in enumerate(["b.jpg", "a/z.jpg", "C.png", "a/m/q.webp"]):
        save(tmp_path / name, seed=seed)
    (tmp_path / "a/clip.mp4").write_bytes(b"film")
    steps = []
    album = Album.from_folder(str(tmp_path), progress=lambda *step: steps.append(step))
    assert album.name == tmp_path.name
    assert [p.name for p in album.photos] == ["C.png", "a/m/q.webp", "a/z.jpg", "b.jpg"]
    items = [outcome.item for outcome in album.outcomes]
    assert items == ["C.png", "a/clip.mp4", "a/m/q.webp", "a/z.jpg", "b.jpg"]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert outcome_of(album, "a/clip.mp4").reason == "not a photo"


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    save(tmp_path / "a.jpg")
    for seed, name in enumerate([".b.jpg", ".git/c.jpg", "@eaDir/d.jpg", "__MACOSX/e.jpg"], 1):
        save(tmp_path / name, seed=seed)
    assert [outcome.item for outcome in Album.from_folder(tmp_path).outcomes] == ["a.jpg"]


def test_a_store_below_the_folder_is_passed_over(tmp_path):
    save(tmp_path / "a.jpg")
    for name in ("my.memories/photos.lance/data.lance", "half/photos.lance/data.lance"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "my.memories/store.json").write_text("{}")
    save(tmp_path / "my.memories/b.jpg", seed=1)
    items = [outcome.item for outcome in Album.from_folder(tmp_path).outcomes]
    assert items == ["a.jpg", "half/photos.lance/data.lance"]
    # Who keeps the store among the photos gets them all the same.
    inside = Album.from_folder(tmp_path / "my.memories")
    assert [photo.name for photo in inside.photos] == ["b.jpg"]


def test_links_within_a_folder_that_is_a_link_itself(tmp_path):
    save(tmp_path / "album/a.jpg")
    (tmp_path / "album/b.jpg").symlink_to(tmp_path / "album/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "album")
    album = Album.from_folder(tmp_path / "link")
    assert [photo.path for photo in album.photos] == [str(tmp_path / "link/a.jpg")]
    assert "the same photo" in outcome_of(album, "b.jpg").reason


def test_a_photo_that_vanishes_while_it_is_read_is_an_outcome(tmp_path, monkeypatch):
    for number, name in enumerate(("a.jpg", "b.jpg")):
        save(tmp_path / name, seed=number)
    inspect = metadata.inspect

    def vanishing(path):
        picture = inspect(path)
        if path.name == "a.jpg":
            path.unlink()
        return picture

    monkeypatch.setattr(metadata, "inspect", vanishing)
    album = Album.from_folder(tmp_path)
    assert [photo.name for photo in album.photos] == ["b.jpg"]
    assert outcome_of(album, "a.jpg").status == "failed"


def test_words_alone_in_a_moved_folder_are_new_but_a_uri_stays(tmp_path):
    rows = [{"photo": "a.jpg", "text": "The cake"}, {"photo": "x://1", "text": "The songs"}]
    write_rows(tmp_path / "old/memories.jsonl", *rows)
    before = [photo.photo_id for photo in Album.from_folder(tmp_path / "old").photos]
    (tmp_path / "old").rename(tmp_path / "new")
    after = [photo.photo_id for photo in Album.from_folder(tmp_path / "new").photos]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_home_is_understood(tmp_path, monkeypatch):
    save(tmp_path / "pictures/a.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Album.from_folder("~/pictures").photos[0].path == str(tmp_path / "pictures/a.jpg")


# Bad input


def test_no_folder_a_file_and_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Album.from_folder(tmp_path / "gone")
    picture = save(tmp_path / "folder/a.jpg")
    with pytest.raises(InputError, match="is a file"):
        Album.from_folder(picture)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"\.jpeg.*memories\.jsonl or memories\.csv"):
        Album.from_folder(tmp_path / "empty")
    (tmp_path / "empty/notes.txt").write_text("no photo")
    (tmp_path / "empty/memories.csv").write_text("photo,text\n")
    with pytest.raises(InputError):
        Album.from_folder(tmp_path / "empty")


def test_folders_and_files_without_permission(unprivileged):
    save(unprivileged / "a.jpg")
    save(unprivileged / "b.jpg", seed=1).chmod(0)
    save(unprivileged / "locked/c.jpg", seed=2)
    (unprivileged / "locked").chmod(0)
    takeout(unprivileged / "a.jpg.json", "x").chmod(0)
    (unprivileged / "memories.csv").touch(mode=0)
    album = Album.from_folder(unprivileged)
    assert [photo.name for photo in album.photos] == ["a.jpg"]
    assert "a.jpg.json can't be read" in outcome_of(album, "a.jpg").reason
    assert {o.item for o in album.outcomes} == {"a.jpg", "b.jpg", "locked", "memories.csv"}
    for item in ("b.jpg", "locked", "memories.csv"):
        outcome = outcome_of(album, item)
        assert outcome.status == "failed", item
        assert "check its permissions" in outcome.reason
    with pytest.raises(InputError, match="can't be read"):
        Album.from_folder(unprivileged / "locked")


def png_header(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + header, b"IDAT" + zlib.compress(bytes(1000))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def test_bad_files_fail_alone_and_say_what_to_do(tmp_path):
    save(tmp_path / "good.jpg")
    whole = save(tmp_path / "cut.jpg", seed=1, size=(400, 300)).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    whole = save(tmp_path / "cut.png", seed=2, size=(400, 300)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("Dear diary")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "bomb.png").write_bytes(png_header(50_000, 50_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        album = Album.from_folder(tmp_path)
    assert [photo.name for photo in album.photos] == ["good.jpg"]
    for item, words in {
        "cut.jpg": "is damaged",
        "cut.png": "is damaged",
        "text.jpg": "no readable JPEG",
        "empty.jpg": "is empty",
        "bomb.png": "too large",
    }.items():
        outcome = outcome_of(album, item)
        assert outcome.status == "failed"
        assert words in outcome.reason
        assert any(advice in outcome.reason for advice in ("copy it again", "smaller copy"))
        with pytest.raises(ImageError):
            open_image(tmp_path / item)


def test_a_large_picture_is_no_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # 64 x 48 lies between one and two times
    save(tmp_path / "a.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Album.from_folder(tmp_path).outcomes[0].status == "done"


def test_a_truncated_picture_with_a_memory_is_kept(tmp_path):
    whole = save(tmp_path / "a.jpg", size=(400, 300)).read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    takeout(tmp_path / "a.jpg.json", "All that is left of it")
    album = Album.from_folder(tmp_path)
    assert (album.photos[0].width, album.photos[0].height) == (400, 300)
    assert album.photos[0].memory.text == "All that is left of it"
    assert album.outcomes[0].status == "done"
    assert "damaged" in album.outcomes[0].reason


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_a_truncated_picture_has_its_upright_size(tmp_path, suffix):
    tags = {0x112: 6, 0x10E: "Still readable"}
    whole = save(tmp_path / f"a{suffix}", size=(400, 300), main=tags).read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(whole[: len(whole) // 2])
    album = Album.from_folder(tmp_path)
    assert (album.photos[0].width, album.photos[0].height) == (300, 400)
    assert "damaged" in album.outcomes[0].reason


def test_a_file_that_can_not_be_opened_by_name(tmp_path):
    with pytest.raises(ImageError, match=r"can't be read.*gone"):
        open_image(tmp_path / "gone.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no links and pipes here")
def test_links_pipes_and_odd_names(tmp_path):
    album_folder = tmp_path / "album"
    save(album_folder / "a.jpg")
    outside = save(tmp_path / "outside/b.jpg", seed=1)
    (album_folder / "folder").symlink_to(tmp_path / "outside")
    (album_folder / "around").symlink_to(album_folder)
    (album_folder / "b.jpg").symlink_to(outside)
    (album_folder / "inside.jpg").symlink_to(album_folder / "a.jpg")
    (album_folder / "lost.jpg").symlink_to(album_folder / "gone.jpg")
    (album_folder / "loop.jpg").symlink_to(album_folder / "loop.jpg")
    os.mkfifo(album_folder / "pipe.jpg")
    save(album_folder / "bad\udcff.jpg", seed=2)
    album = Album.from_folder(album_folder)
    assert [photo.name for photo in album.photos] == ["a.jpg"]
    assert {(outcome.item, outcome.status) for outcome in album.outcomes} == {
        ("a.jpg", "done"),
        ("around", "skipped"),
        ("b.jpg", "skipped"),
        ("bad\ufffd.jpg", "failed"),
        ("folder", "skipped"),
        ("inside.jpg", "skipped"),
        ("loop.jpg", "failed"),
        ("lost.jpg", "failed"),
        ("pipe.jpg", "skipped"),
    }
    assert "outside of the album" in outcome_of(album, "b.jpg").reason


@pytest.mark.parametrize("name", ["DSCN0010.jpg", "long_description.jpg", "Kodak_CX7530.jpg"])
def test_flipped_bytes_never_stop_the_batch(tmp_path, shared_data, name):
    content = (shared_data / "exif" / name).read_bytes()
    chance = random.Random(7)
    for number in range(60):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 5, 50])):
            damaged[chance.randrange(2, min(len(damaged), 6000))] = chance.randrange(256)
        (tmp_path / f"{number:03}.jpg").write_bytes(damaged)
    album = Album.from_folder(tmp_path)
    assert len(album.outcomes) == 60
    assert {outcome.status for outcome in album.outcomes} <= {"done", "failed", "skipped"}


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".heic"])
def test_flipped_bytes_in_other_formats(tmp_path, suffix):
    if suffix == ".heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    tags = {"main": {0x10E: "Words"}, "photo": {0x9003: "2024:05:18 12:00:05"}}
    content = save(tmp_path / f"0{suffix}", **tags).read_bytes()
    chance = random.Random(11)
    for number in range(1, 60):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 5, 50])):
            damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
        (tmp_path / f"{number}{suffix}").write_bytes(damaged[: chance.choice([None, -9])])
    album = Album.from_folder(tmp_path)
    assert len(album.outcomes) == 60
    assert photo_of(album, f"0{suffix}").memory.text == "Words"
