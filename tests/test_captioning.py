"""Long runs of captioning: killed and resumed, decoded ahead, within bounds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from makers import WordsEmbedder, reason_of, remember, rows_of, statuses
from PIL import Image, ImageFilter

from rememberai import RememberAI, captioning
from rememberai.captioning import DecodedAhead, caption_files, opened, side_of
from rememberai.records import Caption

HERE = Path(__file__).parent


class Numbers:
    """Tells a picture's width; kills its own process once it was asked about so many."""

    model_id = "numbers@1"
    batch_size = 4

    def __init__(self, *, dies_after=None):
        self.seen: list[int] = []
        self.dies_after = dies_after

    def caption(self, images):
        self.seen += [image.width for image in images]
        if self.dies_after is not None and len(self.seen) > self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return [
            Caption(f"picture {image.width}", "numbers@1", -image.width / 1000, 0.25)
            for image in images
        ]


def pictures(folder, n):
    folder.mkdir()
    for i in range(1, n + 1):
        Image.new("L", (i, 8)).save(folder / f"{i:03d}.png")
    return folder


def killed(code: str) -> None:
    script = f"import sys; sys.path.insert(0, {str(HERE)!r})\nfrom test_captioning import *\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_who_was_killed_goes_on_where_it_was(tmp_path):
    folder = pictures(tmp_path / "album", 150)
    store = tmp_path / "b.memories"
    killed(
        f"book = RememberAI.create({str(store)!r}, embedder=WordsEmbedder())\n"
        f"book.add_folder({str(folder)!r})\n"
        "book.caption(Numbers(dies_after=140))"
    )
    book = RememberAI.open(store, embedder=WordsEmbedder())
    done = {row["name"] for row in rows_of(book).values() if row["caption"]}
    assert 64 <= len(done) < 150  # a write is 64 photos
    captioner = Numbers()
    report = book.caption(captioner)
    assert set(statuses(report).values()) == {"done"}
    assert sorted(captioner.seen) == [i for i in range(1, 151) if f"{i:03d}.png" not in done]
    rows = rows_of(book)
    assert all(row["caption"] == f"picture {int(name[:3])}" for name, row in rows.items())
    assert rows["100.png"]["caption_confidence"] == pytest.approx(-0.1)
    assert rows["100.png"]["caption_seconds"] == 0.25
    assert book.caption(captioner).outcomes == ()


def test_a_file_that_was_edited_since_is_not_described_for_the_old_photo(tmp_path):
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    folder = pictures(tmp_path / "album", 3)
    book.add_folder(folder)
    Image.new("L", (20, 8)).save(folder / "002.png")
    os.utime(folder / "003.png", (2e9, 2e9))  # touched, but the same
    report = book.caption(Numbers())
    assert statuses(report) == {"001.png": "done", "002.png": "waiting", "003.png": "done"}
    assert reason_of(report, "002.png").endswith("holds another photo by now; add its folder again")
    (old,) = [row for row in book.store.read().to_pylist() if not row["caption"]]
    book.add_folder(folder)
    assert statuses(book.caption(Numbers())) == {"002.png": "done"}
    rows = {row["photo_id"]: row for row in book.store.read().to_pylist()}
    assert (rows[old["photo_id"]]["path"], rows[old["photo_id"]]["caption"]) == (None, None)
    assert sorted(row["caption"] for row in rows.values() if row["caption"]) == [
        "picture 1",
        "picture 20",
        "picture 3",
    ]


def test_a_photo_that_got_words_meanwhile_is_not_captioned(tmp_path):
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    book.add_folder(pictures(tmp_path / "album", 150))
    other = RememberAI.open(tmp_path / "b.memories", embedder=WordsEmbedder())

    class Watched(Numbers):
        def caption(self, images):
            if not self.seen:  # photos are taken by their ids, 64 in a write
                last = max(row["photo_id"] for row in other.store.read(["photo_id"]).to_pylist())
                other.write_memory(last, "All were asleep by nine")
            return super().caption(images)

    captioner = Watched()
    report = book.caption(captioner)
    rows = rows_of(book)
    (told,) = [name for name, row in rows.items() if row["memory"]]
    assert rows[told]["caption"] is None
    assert set(statuses(report)) == set(rows) - {told}
    assert sorted(captioner.seen) == [i for i in range(1, 151) if f"{i:03d}.png" != told]


def test_a_caption_gives_way_to_words_that_were_written_while_it_was_made(tmp_path):
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    book.add_folder(pictures(tmp_path / "album", 3))
    other = RememberAI.open(tmp_path / "b.memories", embedder=WordsEmbedder())

    class Slow(Numbers):
        def caption(self, images):
            other.write_memory(rows_of(other)["002.png"]["photo_id"], "All were asleep by nine")
            return super().caption(images)

    book.caption(Slow())
    told = rows_of(book)["002.png"]
    assert (told["memory"], told["caption"]) == ("All were asleep by nine", None)
    assert {row["text_source"] for row in rows_of(book).values()} == {"memory", "caption"}
    assert book.search("asleep by nine", 1)[0].photo_id == told["photo_id"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_adding_a_folder_with_captions_is_taken_up_again(tmp_path):
    folder = pictures(tmp_path / "album", 100)
    store = tmp_path / "b.memories"
    killed(
        f"book = RememberAI.create({str(store)!r}, embedder=WordsEmbedder(),"
        " captioner=Numbers(dies_after=80))\n"
        f"book.add_folder({str(folder)!r})"
    )
    captioner = Numbers()
    book = RememberAI.open(store, embedder=WordsEmbedder(), captioner=captioner)
    assert len(book) == 64
    book.add_folder(folder)
    assert sorted(captioner.seen) == list(range(65, 101))
    assert {row["text_source"] for row in rows_of(book).values()} == {"caption"}


def test_a_caption_is_stored_with_the_model_that_made_it(tmp_path):
    class Either(Numbers):
        model_id = "one-of-two@1"

    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder(), captioner=Either())
    book.add_folder(pictures(tmp_path / "album", 2))
    assert {row["captioner"] for row in rows_of(book).values()} == {"numbers@1"}


def test_what_is_captioned_is_not_decoded_again(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "album", 20)
    book = RememberAI.create(tmp_path / "b", embedder=WordsEmbedder(), captioner=Numbers())
    book.add_folder(folder)
    decode, decoded = captioning._decode, []
    monkeypatch.setattr(
        captioning, "_decode", lambda path, *more: decoded.append(path) or decode(path, *more)
    )
    Image.new("L", (30, 8)).save(folder / "000.png")
    book.add_folder(folder)
    assert decoded == [str(folder / "000.png")]


def test_pictures_are_decoded_by_another_thread_a_bounded_number_ahead(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "album", 90)
    paths = sorted(map(str, folder.iterdir()))
    decode, threads, ahead, taken = captioning._decode, set(), [0], [0]
    ready = threading.Condition()

    def watched(path, *more):
        with ready:
            threads.add(threading.current_thread())
            ahead[0] += 1
            assert ahead[0] - taken[0] <= 2 * 16
            ready.notify_all()
        return decode(path, *more)

    class Waits(Numbers):
        def caption(self, images):
            taken[0] += len(images)
            more = min(taken[0] + 16, 90)
            with ready:  # the next pictures come while these are looked at
                assert ready.wait_for(lambda: ahead[0] >= more, timeout=60)
            return super().caption(images)

    monkeypatch.setattr(captioning, "_decode", watched)
    captioner, ticks = Waits(), []
    said = caption_files(paths, captioner, ticks.append)
    assert [caption.text for caption in said] == [f"picture {i}" for i in range(1, 91)]
    assert threading.main_thread() not in threads
    assert ticks == [16, 32, 48, 64, 80, 90]


def test_some_of_the_announced_pictures_may_be_left_out_or_others_taken(tmp_path):
    paths = sorted(map(str, pictures(tmp_path / "album", 60).iterdir()))
    with DecodedAhead(paths[:50], Numbers()) as decoded:
        wanted = [2, 3, 40, 55, 41, 7, 49]
        assert [decoded.take(paths[i]).width for i in wanted] == [i + 1 for i in wanted]
        assert "can't be read" in decoded.take(str(tmp_path / "absent.png"))


def test_what_is_left_out_is_neither_decoded_for_nothing_nor_kept(tmp_path, monkeypatch):
    paths = sorted(map(str, pictures(tmp_path / "album", 60).iterdir()))
    decode, made, asked = captioning._decode, [], []

    def watched(path, *more):
        asked.append(path)
        image = decode(path, *more)
        made.append(weakref.ref(image))
        return image

    monkeypatch.setattr(captioning, "_decode", watched)
    decoded = DecodedAhead(paths, Numbers())
    with decoded:
        decoded.take(paths[0])
        decoded.take(paths[50])
    assert set(asked) <= {*paths[: 1 + decoded.at_once], *paths[50:]}
    assert sum(image() is not None for image in made) <= len(paths[51:])


def test_as_many_are_taken_at_once_as_the_model_wants(tmp_path):
    class Wide(Numbers):
        batch_size = 40

        def caption(self, images):
            batches.append(len(images))
            return super().caption(images)

    batches: list[int] = []
    paths = sorted(map(str, pictures(tmp_path / "album", 50).iterdir()))
    caption_files(paths, Wide(), lambda done: None)
    assert batches == [40, 10]


def test_a_picture_that_needs_an_extra_is_told_and_the_others_are_captioned(tmp_path, monkeypatch):
    paths = sorted(map(str, pictures(tmp_path / "album", 3).iterdir()))
    Path(paths[1]).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    said = caption_files(paths, Numbers(), lambda done: None)
    assert [caption.text for caption in said] == ["picture 1", "", "picture 3"]
    assert 'pip install "rememberai[heif]"' in said[1].reason


def test_large_pictures_are_made_smaller(tmp_path):
    Image.new("RGB", (3000, 1500), "red").save(tmp_path / "large.jpg")
    with DecodedAhead([str(tmp_path / "large.jpg")], Numbers()) as decoded:
        image = decoded.take(str(tmp_path / "large.jpg"))
    assert image.size == (1024, 512)


def test_an_embedder_gets_no_less_than_twice_what_it_looks_at_and_not_much_more(tmp_path):
    class Looks(Numbers):
        side = 100

    path = str(tmp_path / "large.jpg")
    Image.new("RGB", (3000, 1500), "red").save(path)
    for model, size in ((Looks(), (750, 375)), (Numbers(), (1024, 512))):
        with DecodedAhead([path], model) as decoded:
            assert decoded.take(path).size == size
        assert opened(path, side_of(model)).size == size


@pytest.mark.parametrize("turned", [False, True])
def test_of_a_strip_the_middle_is_taken(tmp_path, turned):
    colours = np.zeros((2, 30000, 3), np.uint8)
    colours[:, 14900:15100] = 200
    strip = Image.fromarray(colours.swapaxes(0, 1) if turned else colours)
    strip.save(tmp_path / "strip.png")
    middle = opened(str(tmp_path / "strip.png"), 224)
    assert middle.size == ((2, 128) if turned else (128, 4))
    assert np.asarray(middle).min() == 200
    sizes = sorted(opened(str(tmp_path / "strip.png"), None).size)
    assert sizes[1] <= 64 * sizes[0]


@pytest.mark.parametrize("side", [224, None])
@pytest.mark.parametrize("height", [1, 2, 3])
def test_a_picture_has_rows_enough_not_to_be_taken_for_its_colours(tmp_path, height, side):
    Image.new("RGB", (30, height), "red").save(tmp_path / "p.png")
    image = opened(str(tmp_path / "p.png"), side)
    assert image.size == (30, 4)
    assert image.getcolors() == [(120, (255, 0, 0))]


def test_what_a_captioner_raises_ends_the_run_and_keeps_what_was_written(tmp_path):
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    book.add_folder(pictures(tmp_path / "album", 100))

    class Stops(Numbers):
        def caption(self, images):
            if len(self.seen) > 70:
                raise KeyboardInterrupt
            return super().caption(images)

    with pytest.raises(KeyboardInterrupt):
        book.caption(Stops())
    assert sum(bool(row["caption"]) for row in rows_of(book).values()) == 64


# Bursts


class Sizes(Numbers):
    """Tells a picture's size, in which those of the bursts below differ."""

    def caption(self, images):
        self.seen += [image.width for image in images]
        return [Caption(f"{i.width} by {i.height}", self.model_id, -0.1, 0.25) for i in images]


def scene(seed, width):
    random = np.random.default_rng(seed)
    patches = Image.fromarray(random.integers(0, 256, (5, 6, 3)).astype(np.uint8))
    image = np.asarray(patches.resize((width, width * 3 // 4), Image.Resampling.BICUBIC), float)
    noisy = image + random.normal(0, 12, (*image.shape[:2], 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@pytest.fixture
def burst_book(tmp_path):
    """Photos a1 to a3 of one scene, of which a2 is the sharpest; b1 and b2 of another; c alone."""
    folder = tmp_path / "album"
    folder.mkdir()
    for letter, width in (("a", 240), ("b", 200), ("c", 180)):
        scene(ord(letter), width).save(folder / f"{letter}2.png")
    blurred = Image.open(folder / "a2.png").filter(ImageFilter.GaussianBlur(2))
    blurred.resize((236, 177)).save(folder / "a1.png")
    blurred.resize((232, 174)).save(folder / "a3.png")
    softer = Image.open(folder / "b2.png").filter(ImageFilter.GaussianBlur(2))
    softer.resize((196, 147)).save(folder / "b1.png")
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    book.add_folder(folder)
    return book


def test_a_burst_is_captioned_once_and_each_of_it_is_kept(burst_book):
    captioner = Sizes()
    report = burst_book.caption(captioner, bursts=True)
    assert sorted(captioner.seen) == [180, 200, 240]
    assert set(statuses(report).values()) == {"done"}
    assert len(report.outcomes) == 6
    assert reason_of(report, "a1.png") == "nearly the same as a2.png, whose caption it has"
    assert reason_of(report, "a2.png") == ""
    rows = rows_of(burst_book)
    faces = {"a": "240 by 180", "b": "200 by 150", "c": "180 by 135"}
    assert {name: row["caption"] for name, row in rows.items()} == {n: faces[n[0]] for n in rows}
    assert {row["captioner"] for row in rows.values()} == {"numbers@1"}
    timed = {name for name, row in rows.items() if row["caption_seconds"] is not None}
    assert timed == {"a2.png", "b2.png", "c2.png"}
    assert burst_book.caption(captioner, bursts=True).outcomes == ()


def test_the_largest_burst_comes_first_with_the_sharpest_as_its_face(burst_book):
    rows = rows_of(burst_book)
    names = {row["photo_id"]: name for name, row in rows.items()}
    found = [(names[burst.face], len(burst.photo_ids)) for burst in burst_book.bursts()]
    assert found == [("a2.png", 3), ("b2.png", 2)]


def test_without_being_asked_each_photo_gets_its_own_caption(burst_book):
    captioner = Sizes()
    burst_book.caption(captioner)
    assert len(captioner.seen) == 6


def test_in_a_burst_a_memory_stays_and_where_the_face_has_one_the_others_speak(
    burst_book, tmp_path
):
    remember(tmp_path / "album", a1="our boat", b2="our house")
    burst_book.add_folder(tmp_path / "album")
    captioner = Sizes()
    burst_book.caption(captioner, bursts=True)
    assert sorted(captioner.seen) == [180, 196, 240]
    rows = rows_of(burst_book)
    assert (rows["a1.png"]["memory"], rows["a1.png"]["caption"]) == ("our boat", None)
    assert rows["a3.png"]["caption"] == "240 by 180"
    assert rows["b1.png"]["caption"] == "196 by 147"


def test_where_the_face_gets_no_caption_its_burst_waits_with_it(burst_book):
    class Silent(Sizes):
        def caption(self, images):
            said = super().caption(images)
            return [
                c if "240" not in c.text else Caption("", "m@1", reason="too odd") for c in said
            ]

    report = burst_book.caption(Silent(), bursts=True)
    assert {n for n, s in statuses(report).items() if s == "waiting"} == {
        "a1.png",
        "a2.png",
        "a3.png",
    }
    assert "too odd" in reason_of(report, "a3.png")
    assert rows_of(burst_book)["a3.png"]["outcome"] == "too odd"
    assert burst_book.caption(Sizes(), bursts=True).count("done") == 3


def test_in_a_burst_labels_give_way_to_the_caption_of_the_face(burst_book):
    class Labels(Sizes):
        model_id = "labels@1"
        text_source = "label"

    burst_book.caption(Labels())
    assert {row["text_source"] for row in rows_of(burst_book).values()} == {"label"}
    captioner = Sizes()
    burst_book.caption(captioner, bursts=True)
    rows = rows_of(burst_book)
    assert sorted(captioner.seen) == [180, 200, 240]
    assert {(row["captioner"], row["text_source"]) for row in rows.values()} == {
        ("numbers@1", "caption")
    }


def test_only_the_clock_of_the_camera_parts_photos(tmp_path):
    (tmp_path / "album").mkdir()
    plain, told = ((1, "a", None), (1, "b", None), (2, "c", 9), (2, "d", 12)), ("e", "f")
    for seed, name, hour in (*plain, *((3, name, None) for name in told)):
        exif = Image.Exif()
        if hour:
            exif[0x132] = f"2024:05:18 {hour:02}:00:00"
        file = tmp_path / "album" / f"{name}.jpg"
        scene(seed, 200).save(file, quality=80 + ord(name) % 7, exif=exif)
        os.utime(file, (0, 10**6 * ord(name)))  # days apart, and of no account
        if name in told:  # as are the times of an upload
            taken = {"photoTakenTime": {"timestamp": str(10**6 * ord(name))}}
            file.with_name(f"{name}.jpg.json").write_text(json.dumps(taken))
    book = RememberAI.create(tmp_path / "b.memories", embedder=WordsEmbedder())
    book.add_folder(tmp_path / "album")
    names = {row["photo_id"]: name for name, row in rows_of(book).items()}
    confidences = {row["taken_confidence"] for row in rows_of(book).values()}
    assert confidences == {"file", "local", "utc"}
    assert sorted(sorted(names[i] for i in burst.photo_ids) for burst in book.bursts()) == [
        ["a.jpg", "b.jpg"],
        ["e.jpg", "f.jpg"],
    ]
