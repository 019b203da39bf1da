"""What goes into the page: which pictures, in what size, and what is said of the others."""

from __future__ import annotations

import json
import re

import pytest
from makers import Ticks, WordsEmbedder, exif_picture, remember, words_alone
from pages import NASTY
from PIL import Image

from rememberai import InputError, RememberAI
from rememberai.report import album
from rememberai.report.contents import Contents
from rememberai.report.thumbnails import thumbnail


def held(path):
    """The data and the numbers of the embedded pictures of a page."""
    text = path.read_text("utf-8")
    (data,) = re.findall(r'id="book">(.*?)</script>', text, re.DOTALL)
    return json.loads(data), [int(n) for n in re.findall(r'id="p(\d+)"', text)]


def test_photos_stand_in_columns_by_time_with_their_events(made_book):
    shown = Contents(made_book).as_json(explained=True)
    photos = shown["photos"]
    assert {len(column) for column in photos.values()} == {len(made_book)}
    rows = {row["photo_id"]: row for row in made_book.store.read().to_pylist()}
    dated = [time for time, sure in zip(photos["time"], photos["sure"], strict=True) if sure]
    assert dated == sorted(dated)
    for i, photo_id in enumerate(photos["id"]):
        row = rows[photo_id]
        assert photos["memory"][i] == row["memory"]
        assert photos["caption"][i] == row["caption"]
        spoken = bool(row["memory"] or row["caption"])
        assert (photos["x"][i] is not None) == spoken
        assert (photos["event"][i] == -3) == (not spoken)
    events = made_book.events.read().events
    for number, event in enumerate(events):
        own = [i for i, of in enumerate(photos["event"]) if of == event.event_id]
        assert {photos["id"][i] for i in own} == set(event.photo_ids)
        told = shown["events"][number]
        assert told["id"] == event.event_id
        assert told["title"] is None
        assert told["words"] == list(event.words)
        assert [photos["id"][i] for i in told["typical"]] == [
            hit.photo_id for hit in event.representatives
        ]
        spoke = made_book.events.explain(event.event_id)
        assert [photos["id"][i] for i in told["why"]["telling"]] == [
            event.photo_ids[photo.position] for photo in spoke.telling_photos[:3]
        ]


def test_events_are_explained_at_once_as_one_by_one(made_book):
    alone = {e.event_id: made_book.events.explain(e.event_id) for e in made_book.events.read()}
    assert made_book.events.explanations() == alone
    one = min(alone)
    assert made_book.events.explanations([one]) == {one: alone[one]}


def test_the_page_holds_all_texts_and_asks_for_nothing(made_book, report_path):
    data, pictures = held(report_path)
    assert NASTY in data["photos"]["memory"]
    assert data["live"] is None
    assert len(pictures) == 13
    text = report_path.read_text("utf-8")
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)


def test_the_same_book_makes_the_same_page(made_book, report_path, tmp_path):
    made_book.report(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == report_path.read_bytes()


def test_when_there_is_little_room_typical_photos_of_every_event_come_first(
    made_book, tmp_path, monkeypatch
):
    full, _ = held_after(made_book, tmp_path)
    monkeypatch.setattr(album, "_ROOM", 330)
    data, pictures = held_after(made_book, tmp_path)
    firsts = [event["typical"][0] for event in full["events"]]
    assert 0 < len(pictures) < 13
    assert set(firsts[: len(pictures)]) <= set(pictures)
    assert [i for i, has in enumerate(data["photos"]["picture"]) if has] == sorted(pictures)
    report = made_book.report(tmp_path / "p.html")
    left = report.with_status("skipped")
    assert len(left) == 13 - len(pictures)
    assert all("assets=True" in outcome.reason for outcome in left)


def held_after(book, folder):
    book.report(folder / "p.html")
    return held(folder / "p.html")


def test_a_photo_that_is_lost_or_damaged_shows_its_words_and_is_named(tmp_path):
    texts = {"one": "a day at the sea", "two": "cake for breakfast", "three": "snow again"}
    folder = tmp_path / "album"
    for number, stem in enumerate(texts):
        exif_picture(folder / f"{stem}.png", (9 * number, 0, 0), None)
    remember(folder, **texts)
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_folder(folder)
    (folder / "one.png").unlink()
    (folder / "two.png").write_bytes(b"no picture")
    for assets in (False, True):
        report = book.report(tmp_path / "p.html", assets=assets)
        assert {outcome.item for outcome in report.with_status("failed")} == {"one.png", "two.png"}
        data, _ = held(tmp_path / "p.html")
        shown = dict(zip(data["photos"]["name"], data["photos"]["picture"], strict=True))
        assert shown == {"one.png": 0, "two.png": 0, "three.png": 1}


def test_a_book_without_words_or_pictures_still_has_a_page(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    with pytest.raises(InputError, match="no photo to show"):
        book.report(tmp_path / "p.html")
    exif_picture(tmp_path / "album" / "mute.png", "red", None)
    book.add_folder(tmp_path / "album")
    assert str(book.report(tmp_path / "p.html")) == "1 done"
    assert held(tmp_path / "p.html")[0]["photos"]["event"] == [-3]


def test_events_are_looked_for_where_nobody_did(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone(*(f"waves sand story{i}" for i in range(4))))
    book.report(tmp_path / "p.html")
    assert len(held(tmp_path / "p.html")[0]["events"]) == len(book.events.read())


def test_a_page_that_can_not_be_written_is_refused_before_any_work(made_book, tmp_path):
    for path in (tmp_path / "absent" / "p.html", tmp_path):
        with pytest.raises(InputError, match="folder that is there"):
            made_book.report(path)


def test_progress_is_told(made_book, tmp_path):
    made_book.report(tmp_path / "p.html", progress=(ticks := Ticks()))
    wanted = {"events": 1, "explaining": 3, "map": 1, "pictures": 13}  # PCA, for so few
    assert list(ticks.stages().items()) == list(wanted.items())


def test_a_thumbnail_fits_is_upright_and_carries_nothing_along(tmp_path):
    image = Image.effect_noise((1200, 800), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "secret"
    image.save(tmp_path / "p.jpg", exif=exif)
    (tmp_path / "t.webp").write_bytes(thumbnail(tmp_path / "p.jpg", 300))
    made = Image.open(tmp_path / "t.webp")
    assert (made.format, made.size) == ("WEBP", (200, 300))
    assert not made.getexif()
    assert b"secret" not in (tmp_path / "t.webp").read_bytes()
    assert Image.open(tmp_path / "p.jpg").size == (1200, 800)
