"""Pictures of the main views of the sample album's page, into the folder that SCREENSHOTS names.

SCREENSHOTS=docs/screenshots pytest tests/report/test_screenshots.py
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
from pages import settle
from PIL import Image

from rememberai import RememberAI

LARGEST = 200_000  # bytes
PHONE = {"width": 390, "height": 844}
VIEWS = {
    "timeline-light": ("#/", {}, None),
    "timeline-dark": ("#/", {"scheme": "dark"}, None),
    "event-light": ("#/", {}, "event"),
    "event-dark": ("#/", {"scheme": "dark"}, "event"),
    "map-light": ("#/map", {}, "hover"),
    "map-dark": ("#/map", {"scheme": "dark"}, "brush"),
    "photo-light": ("#/", {}, "photo"),
    "photo-dark": ("#/", {"scheme": "dark"}, "photo"),
    "phone-korean": ("#/", {"locale": "ko-KR", **PHONE}, "event"),
}


@pytest.fixture(scope="module")
def sample_page(sample_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(sample_store, folder / "Our year.memories")
    book = RememberAI.open(folder / "Our year.memories", offline=True)
    events = book.events.discover()
    (wedding,) = [event for event in events if event.known_event == "wedding"]
    book.events.rename(wedding.event_id, "June and Amir's wedding")
    book.report(folder / "album.html")
    return folder / "album.html"


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory):
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_its_picture(look, sample_page, screenshots, name):
    where, how, act = VIEWS[name]
    page = look(f"{sample_page.as_uri()}{where}", **how)
    if act in ("event", "photo"):
        page.locator(".event a", has_text="June and Amir").click()
        page.wait_for_selector(".opened")
    if act == "photo":
        page.locator(".opened .photo .open").nth(1).click()
    if act == "hover":
        page.locator(".frame").focus()
        page.keyboard.press("ArrowLeft")
    if act == "brush":
        box = page.locator(".frame").bounding_box()
        page.get_by_role("button", name="Select an area").click()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 330, box["y"] + 320, steps=4)
        page.mouse.up()
        page.wait_for_selector(".side .photo")
    settle(page)
    page.wait_for_function("[...document.images].every((i) => !i.src || i.complete)")
    picture = Image.open(io.BytesIO(page.screenshot()))
    path = screenshots / f"{name}.webp"
    picture.convert("RGB").save(path, quality=82, method=6)
    assert picture.getcolors(5000) is None, "there is hardly anything on the page"
    assert path.stat().st_size < LARGEST
