"""The map by mouse and by finger: seven dots, whose places on the screen are worked out here."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from pages import settle
from PIL import Image

import rememberai.report
from rememberai.report.page import page as written

# The first four are the bounds, the fifth is the middle; a unit is a tenth of the map.
PLACES = [(0, 0), (10, 0), (0, 10), (10, 10), (5, 5), (6, 5), (5, 6)]
MARGIN = 0.06
VENDORED = Path(rememberai.report.__file__).parent / "assets" / "vendor"
LIBRARIES = {
    "d3": ("Mike Bostock", "this permission notice appear in all copies"),
    "echarts": ("Copyright 2017-2026 The Apache Software Foundation", "Baidu Inc.", "Microsoft"),
}
MANY = 500  # dots at each place, of which the map is moved as a picture
RECIPE = Path(__file__).parents[2] / "vendor"
PHONE = {"width": 360, "height": 740, "has_touch": True}


@pytest.fixture(scope="module")
def map_page(tmp_path_factory):
    return page_of(PLACES, tmp_path_factory.mktemp("map") / "map.html")


@pytest.fixture(scope="module")
def large_page(tmp_path_factory):
    return page_of(PLACES * MANY, tmp_path_factory.mktemp("map") / "large.html")


def page_of(places, path):
    n = len(places)
    empty = "author caption captioner time lat lon width height".split()
    photos = {column: [None] * n for column in empty} | {
        "id": [f"{i:032x}" for i in range(n)],
        "name": [f"{i}.jpg" for i in range(n)],
        "memory": [f"dot {i}" for i in range(n)],
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "event": [-1] * n,
        "sure": [0] * n,
        "picture": [0] * n,
    }
    contents = {"title": "map", "made": "", "learned": False, "photos": photos, "events": []}
    path.write_text(written(contents), encoding="utf-8")
    return path


class Seen:
    """The map as somebody sees it who knows where the middle was put, and how large a unit is."""

    def __init__(self, page):
        self.page = page
        self.fingers = page.context.new_cdp_session(page)
        page.wait_for_selector(".dots canvas")
        settle(page)
        box = page.locator(".frame .dots").bounding_box()
        self.unit = (1 - 2 * MARGIN) * min(box["width"], box["height"]) / 10
        self.middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def place(self, dot, *, zoom=1, moved=(0, 0)):
        (x, y), (across, along) = PLACES[dot], moved
        unit = zoom * self.unit
        return (
            self.middle[0] + (x - 5) * unit + across,
            self.middle[1] - (y - 5) * unit + along,
        )

    def at(self, left, top):
        """What the card says that the mouse calls up there."""
        self.page.mouse.move(left, top)
        tip = self.page.locator(".tip")
        return tip.locator(".said").text_content() if tip.is_visible() else None

    def shows(self, dot, **how):
        return self.at(*self.place(dot, **how)) == f"dot {dot}"

    def drawn(self, dot, **how):
        """Whether it is dark at a dot's place; the paper is light, and shadows on it are."""
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("L")
        return picture.getpixel(self.place(dot, **how)) < 160

    def touch(self, kind, *points):
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    @property
    def chosen(self):
        return self.page.locator(".side .photo").count()


@pytest.fixture
def seen(look, map_page):
    def opened(path=map_page, **how):
        return Seen(look(f"{path.as_uri()}#/map", **how))

    return opened


def test_at_rest_all_dots_are_on_the_map(seen):
    map_ = seen()
    assert all(map_.shows(dot) for dot in range(len(PLACES)))
    assert map_.at(*map_.place(4, moved=(20, 20))) is None


def test_dots_are_drawn_where_they_are_found(seen):
    map_ = seen()
    assert all(map_.drawn(dot) for dot in range(len(PLACES)))
    assert not map_.drawn(4, moved=(20, 20))
    map_.page.locator(".frame").focus()
    map_.page.keyboard.press("+")
    settle(map_.page)
    assert map_.drawn(5, zoom=1.6)
    assert map_.drawn(6, zoom=1.6)
    assert not map_.drawn(5)


def test_many_dots_are_moved_as_a_picture_until_they_rest(seen, large_page):
    map_ = seen(large_page)
    dots = map_.page.locator(".frame .dots")
    map_.page.evaluate("() => void (window.late = [], window.setTimeout = (act) => late.push(act))")
    map_.page.mouse.move(*map_.middle)
    map_.page.mouse.wheel(0, -500)
    settle(map_.page)
    assert round(dots.bounding_box()["height"] / dots.evaluate("(node) => node.clientHeight")) == 2
    assert map_.drawn(5, zoom=2)
    map_.page.evaluate("late.forEach((act) => act())")
    settle(map_.page)
    assert dots.bounding_box() == map_.page.locator(".frame .layer").bounding_box()
    assert map_.drawn(5, zoom=2)
    assert not map_.drawn(5)


@pytest.mark.parametrize("how", ["zoom", "drag"])
def test_a_picture_that_went_too_far_is_drawn_anew_while_it_moves(seen, large_page, how):
    map_ = seen(large_page)
    dots, layer = (map_.page.locator(f".frame {part}") for part in (".dots", ".layer"))
    map_.page.evaluate("() => void (window.setTimeout = () => 0)")  # it never rests
    map_.page.mouse.move(*map_.middle)
    if how == "zoom":
        map_.page.mouse.wheel(0, -500)
        settle(map_.page)
        assert dots.bounding_box() != layer.bounding_box()
        map_.page.mouse.wheel(0, -100)
        settle(map_.page)
        assert map_.drawn(5, zoom=2 ** (600 / 500))
    else:
        x, y = map_.middle
        map_.page.mouse.down()
        map_.page.mouse.move(x + 0.3 * layer.bounding_box()["width"], y)
        settle(map_.page)
        assert dots.bounding_box() != layer.bounding_box()
        map_.page.mouse.move(x + 0.4 * layer.bounding_box()["width"], y)
        settle(map_.page)
    assert dots.bounding_box() == layer.bounding_box()
    assert "moving" in map_.page.locator(".frame div.overlay").get_attribute("class")


def test_the_wheel_zooms_about_the_pointer_and_the_button_shows_all_again(seen):
    map_ = seen()
    map_.page.mouse.move(*map_.place(5))
    map_.page.mouse.wheel(0, -500)
    settle(map_.page)
    x, y = map_.place(5)
    assert map_.at(x, y) == "dot 5"
    assert map_.at(x - 2 * map_.unit, y) == "dot 4"
    assert map_.at(x - map_.unit, y) is None
    map_.page.get_by_role("button", name="Show all").click()
    assert all(map_.shows(dot) for dot in range(len(PLACES)))


def test_a_drag_moves_the_map_and_selects_nothing(seen):
    map_ = seen()
    map_.page.mouse.move(*map_.place(4))
    map_.page.mouse.down()
    map_.page.mouse.move(*map_.place(4, moved=(80, -30)), steps=4)
    map_.page.mouse.up()
    assert map_.shows(5, moved=(80, -30))
    assert map_.at(*map_.place(5)) is None
    assert map_.chosen == 0


def test_keys_alone_select_what_is_in_view(seen):
    map_ = seen()
    map_.page.locator(".frame").focus()
    map_.page.keyboard.press("a")
    assert map_.chosen == len(PLACES)
    map_.page.keyboard.press("+")
    map_.page.keyboard.press("+")
    map_.page.keyboard.press("a")
    assert map_.chosen == 3  # the corners are out of it
    map_.page.keyboard.press("Escape")
    assert map_.chosen == 0


def test_escape_hides_what_is_told_of_a_dot(seen):
    map_ = seen()
    map_.page.locator(".frame").focus()
    map_.page.keyboard.press("ArrowRight")
    tip = map_.page.locator(".frame .tip")
    assert tip.is_visible()
    map_.page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_shift_and_a_drag_select_what_is_in_the_box_and_no_more(seen):
    map_ = seen()
    for corner, left, count in ((4, 15, 1), (6, -15, 3)):  # shift adds to what was selected
        map_.page.keyboard.down("Shift")
        map_.page.mouse.move(*map_.place(5, moved=(15, 15)))
        map_.page.mouse.down()
        map_.page.mouse.move(*map_.place(corner, moved=(left, -15)), steps=4)
        map_.page.mouse.up()
        map_.page.keyboard.up("Shift")
        map_.page.wait_for_function(
            "n => document.querySelectorAll('.side .photo').length === n", arg=count
        )
        assert map_.page.locator(".layer .selection").is_hidden()
    assert map_.shows(5)


def test_two_fingers_zoom_and_one_moves(seen):
    map_ = seen(**PHONE)
    x, y = map_.middle
    map_.touch("touchStart", (x - 40, y), (x + 40, y))
    map_.touch("touchMove", (x - 80, y), (x + 80, y))
    map_.touch("touchEnd")
    settle(map_.page)
    assert map_.shows(5, zoom=2)
    assert map_.at(*map_.place(5)) is None
    map_.touch("touchStart", (x, y))
    map_.touch("touchMove", (x + 30, y - 20))
    map_.touch("touchEnd")
    assert map_.shows(5, zoom=2, moved=(30, -20))
    assert map_.chosen == 0


def test_a_finger_selects_an_area_once_it_was_asked_for(seen):
    map_ = seen(**PHONE)
    map_.page.get_by_role("button", name="Select an area").tap()
    map_.touch("touchStart", map_.place(4, moved=(-15, -15)))
    map_.touch("touchMove", map_.place(5, moved=(0, 0)))
    map_.touch("touchMove", map_.place(5, moved=(15, 15)))
    map_.touch("touchEnd")
    map_.page.get_by_text("2 photos selected").wait_for()
    assert map_.shows(5)
    map_.touch("touchStart", map_.middle)
    map_.touch("touchMove", map_.place(4, moved=(30, 30)))
    map_.touch("touchEnd")
    assert map_.shows(5, moved=(30, 30))
    assert map_.page.locator(".side h2").inner_text().startswith("2 photos selected")


def test_what_is_in_the_middle_stays_there_when_the_window_changes(seen):
    map_ = seen()
    map_.page.mouse.move(*map_.middle)
    map_.page.mouse.wheel(0, -500)
    map_.page.set_viewport_size({"width": 1000, "height": 800})
    after = Seen(map_.page)
    assert after.middle != map_.middle
    assert after.shows(4)
    assert after.shows(5, zoom=2)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_the_one_that_the_recipe_names_with_its_licences(library, map_page):
    text = (VENDORED / f"{library}.js").read_text("utf-8")
    wanted = json.loads((RECIPE / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((RECIPE / "package-lock.json").read_text("utf-8"))["packages"]
    head = text[: text.index("*/")]
    listed = (line for line in head.splitlines() if re.fullmatch(r"([\w-]+ [\d.]+(, )?)+", line))
    named = dict(each.split() for line in listed for each in line.split(", "))
    assert {name for name in wanted if name.startswith(library)} <= named.keys()
    assert all(locked[f"node_modules/{name}"]["version"] == named[name] for name in named)
    assert all(words in head for words in LIBRARIES[library])
    assert head in map_page.read_text("utf-8")
    notice = " ".join((RECIPE.parent / "NOTICE").read_text("utf-8").split())
    assert all(f"{name} {version}" in notice for name, version in named.items())


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("unsafe", ["eval(", "Function(", "fetch(", "XMLHttpRequest", "import("])
def test_a_library_neither_makes_code_nor_asks_for_anything(library, unsafe):
    text = (VENDORED / f"{library}.js").read_text("utf-8")
    assert unsafe not in text[text.index("*/") :]
