"""The page of a book that is hard to show: many scripts, long words, a large event, no dates."""

from __future__ import annotations

import io

import pytest
from pages import settle
from PIL import Image

from rememberai.report.page import page as written

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740, "has_touch": True}
ARABIC = 'حفلة زفاف أختي في القاهرة "رقصنا" حتى الفجر'
KOREAN = "할머니 생신에 온 가족이 모여 미역국과 잡채를 먹고 촛불을 껐다"
LONG = "I remember the rain on the gowns and how nobody could pronounce our names; " * 40
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
NAME = 'it\'s "quoted" <script>alert(1)<' + "name" * 40 + ".jpg"
NONE, NEW, WORDLESS = -1, -2, -3
EVENTS = [  # a title, its texts, and the day of its first photo
    ("At the sea 🏖️", [f"waves and sand, number {i}" for i in range(300)], 18_000),
    (KOREAN, [f"{KOREAN} {i}" for i in range(24)], 18_700),
    (ARABIC, [f"{ARABIC} {i}" for i in range(12)], 19_100),
    (f"<b>{WORD}</b>", [LONG, WORD, "👨‍👩‍👧‍👦🎆 <img src=x>"], None),
    (None, ["a lecture on chromodynamics"], 17_000),
]


def hard_contents() -> dict:
    """What the page shows, in the form of `Contents.as_json`."""
    rows = [
        {"memory": text, "event": number, "time": day and day * 86_400 + 60 * i}
        for number, (_, texts, day) in enumerate(EVENTS)
        for i, text in enumerate(texts)
    ]
    rows += [{"memory": "a stray", "event": NONE}, {"memory": "not seen yet", "event": NEW}]
    rows += [{"event": WORDLESS}, {"event": 0, "caption": "a beach with people on it"}]
    rows.sort(key=lambda row: row.get("time") or 1e12)
    for i, row in enumerate(rows):
        row |= {"id": f"{i:032x}", "name": NAME, "author": "<i>Mia</i>", "picture": int(i % 3 < 2)}
        if row["event"] != WORDLESS:  # events lie in a row, some beyond the others
            row |= {"x": 2500 * max(row["event"], 0) + i % 17, "y": 100 * i % 1700}
    columns = "id name memory author caption captioner time lat lon width height x y event".split()
    photos = {column: [row.get(column) for row in rows] for column in [*columns, "picture"]}
    return {
        "title": "A hard book",
        "made": "2026-01-01",
        "learned": True,
        "photos": photos | {"sure": [int(time is not None) for time in photos["time"]]},
        "events": [_event(number, photos) for number in range(len(EVENTS))],
    }


def _event(number: int, photos: dict) -> dict:
    title, _, day = EVENTS[number]
    own = [i for i, of in enumerate(photos["event"]) if of == number]
    return {
        "id": number,
        "title": title,
        "words": ["graduation", "학사모", "졸업장"] if title is None else [],
        "dates": day and [day * 86_400, (day + 1) * 86_400],
        "place": [37.56, 126.97] if number == 1 else None,
        "known": "زفاف <b>" if number == 2 else None,
        "confidence": 0.9 if number == 2 else None,
        "accepted": False,
        "rejected": ["زفاف <b>", "birthday"] if number == 3 else [],
        "trip": None,
        "typical": own[:3],
        "why": {
            "doubt": {"code": "far", "event": "زفاف <b>", "value": 0.4, "limit": 0.1},
            "ranking": [["زفاف <b>", 0.9], ["birthday", 0.1]],
            "nearest": [["birthday", ARABIC, 0.4], ["birthday", LONG, 1.0]],
            "telling": own[:2],
            "words": ["عروس", "생일"],
        },
    }


@pytest.fixture(scope="module")
def hard_page(tmp_path_factory):
    contents = hard_contents()
    shown = contents["photos"]["picture"]
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "WEBP")
    pictures = {i: made.getvalue() for i, has in enumerate(shown) if has}
    path = tmp_path_factory.mktemp("hard") / "hard.html"
    path.write_text(written(contents, pictures=pictures), encoding="utf-8")
    return path


VIEWS = ["#/", "#/map", *(f"#/event/{number}" for number in range(len(EVENTS)))]


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_phone(look, hard_page, view):
    page = look(f"{hard_page.as_uri()}{view}", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    if view.startswith("#/event"):
        page.locator(".opened .open").first.click()
        assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 360


def direction(locator) -> str:
    return locator.evaluate("e => getComputedStyle(e).direction")


def test_words_of_either_direction_are_set_in_their_own(look, hard_page):
    page = look(f"{hard_page.as_uri()}#/event/2")
    assert direction(page.locator("h1")) == "rtl"
    assert direction(page.locator(".photo .said").first) == "rtl"
    assert direction(page.locator(".photo .source").first) == "ltr"
    page.locator(".photo .open").first.click()
    assert direction(page.locator(".lightbox .said")) == "rtl"
    page.goto(f"{hard_page.as_uri()}#/event/0")
    page.wait_for_function("document.querySelector('h1').textContent.startsWith('At the sea')")
    assert direction(page.locator("h1")) == "ltr"
    assert direction(page.locator(".photo .said").first) == "ltr"


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_korean_words_are_joined_without_an_english_and(look, hard_page, locale):
    page = look(f"{hard_page.as_uri()}#/event/4", locale=locale)
    assert page.locator("h1").inner_text() == "Graduation, 학사모, 졸업장"


def test_distances_have_as_many_digits_as_each_other(look, hard_page):
    page = look(f"{hard_page.as_uri()}#/event/0")
    assert page.locator(".why .of").all_inner_texts() == ["birthday · 0.40", "birthday · 1.00"]


def test_a_picture_that_is_still_to_come_shows_no_mark_and_keeps_its_words(look, hard_page):
    page = look(f"{hard_page.as_uri()}#/event/0")
    page.wait_for_selector(".photo img[src]")
    waiting = page.locator(".photo img:not([src])").last
    assert waiting.evaluate("e => getComputedStyle(e).opacity") == "0"
    assert waiting.get_attribute("alt").startswith("waves and sand")


def test_paper_gets_the_pictures_that_no_window_came_near_to(look, hard_page):
    page = look(f"{hard_page.as_uri()}#/event/0")
    page.wait_for_selector(".photo img[src]")
    assert page.locator(".photo img:not([src])").count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".photo img:not([src])").count() == 0


@pytest.mark.parametrize("window", [WIDE, PHONE], ids=["wide", "phone"])
def test_titles_on_the_map_are_whole_and_cover_neither_each_other_nor_the_tools(
    look, hard_page, window
):
    page = look(f"{hard_page.as_uri()}#/map", **window)
    page.wait_for_selector(".overlay span")
    read = "nodes => nodes.map((n) => n.getBoundingClientRect().toJSON())"
    titles = page.locator(".overlay span").evaluate_all(read)
    ((frame, tools),) = [page.locator(".frame, .tools").evaluate_all(read)]
    assert len(titles) >= 3
    for i, box in enumerate(titles):
        assert frame["left"] <= box["left"] <= box["right"] <= frame["right"]
        assert frame["top"] <= box["top"] <= box["bottom"] <= frame["bottom"]
        for other in [*titles[:i], tools]:
            assert not (
                box["left"] < other["right"]
                and other["left"] < box["right"]
                and box["top"] < other["bottom"]
                and other["top"] < box["bottom"]
            )


def test_a_title_stands_beside_the_dots_where_it_can(look, tmp_path):
    """Dots above, below and to the left of the middle one: the title goes to the right."""
    contents = hard_contents()
    photos = contents["photos"]
    places = [(5000, 5000), (5000, 5300), (5000, 4700), (4300, 5000), (9000, 9000), (0, 0)]
    for column, values in zip("xy", zip(*places, strict=True), strict=True):
        photos[column] = [*values, *[None] * (len(photos["id"]) - len(places))]
    photos["event"] = [0] * 4 + [NONE] * (len(photos["id"]) - 4)
    contents["events"] = [contents["events"][0] | {"title": "Sea", "typical": [0]}]
    path = tmp_path / "cross.html"
    path.write_text(written(contents), encoding="utf-8")
    page = look(f"{path.as_uri()}#/map")
    (title,) = page.locator(".overlay span").all()
    page.locator(".frame").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    box = title.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tip", state="hidden")  # there is no dot under it


def test_a_finger_on_a_dot_shows_its_photo_and_one_beside_hides_it(look, hard_page):
    page = look(f"{hard_page.as_uri()}#/map", **PHONE)
    page.locator(".frame").focus()
    page.keyboard.press("ArrowRight")
    ring = page.locator(".ring").bounding_box()
    page.reload()
    page.wait_for_selector(".overlay span")
    page.touchscreen.tap(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    page.wait_for_selector(".tip .said")
    assert page.locator(".side h2").inner_text().startswith("1 photo selected")
    frame = page.locator(".frame").bounding_box()
    page.touchscreen.tap(frame["x"] + 6, frame["y"] + frame["height"] - 6)
    page.wait_for_selector(".tip", state="hidden")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_wants_no_motion_gets_none(look, hard_page, motion):
    page = look(hard_page, reduced_motion=motion, height=400)
    at_once, there = page.evaluate(
        """() => { document.querySelector('.years a:last-child').click();
        return [scrollY, [...document.querySelectorAll('.year')].at(-1).offsetTop]; }"""
    )
    assert there > 400
    assert (at_once > 100) == (motion == "reduce")


@pytest.mark.parametrize("view", ["#/", "#/map", "#/event/2"])
def test_whatever_has_the_keys_shows_it(look, hard_page, view):
    page = look(f"{hard_page.as_uri()}{view}")
    page.get_by_text("Filters").click()
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => {
              const e = document.activeElement, style = getComputedStyle(e);
              const width = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
              return [e.matches(":focus") ? e.tagName + e.className : "", width];
            }"""
        )
        if name:  # none at the end, and while the calendar's button inside a field has them
            seen.add(name)
            assert outline >= 2, name
    assert len(seen) > 4


CONTRASTS = """() => {
  const channels = (css) => {
    const [r, g, b, a = 1] = css.match(/[\\d.]+(?:e-?\\d+)?/g).map(Number);
    return css.startsWith("color(srgb") ? [r, g, b, a] : [r / 255, g / 255, b / 255, a];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const ground = (e) => {
    const own = channels(getComputedStyle(e).backgroundColor);
    return own[3] === 1 || !e.parentElement ? own.slice(0, 3) : over(own, ground(e.parentElement));
  };
  const light = (c) => c.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  return [...document.querySelectorAll("#page *, dialog *")].flatMap((e) => {
    const speaks = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!speaks || !e.checkVisibility() || e.matches(":disabled, option")) return [];
    const style = getComputedStyle(e), under = ground(e);
    const both = [light(over(channels(style.color), under)), light(under)];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    return [[ratio, large, `${e.tagName}.${e.className} ${e.textContent}`.slice(0, 60)]];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["#/", "#/map", "#/event/2", "#/event/3"])
def test_every_text_on_the_page_has_the_contrast_of_wcag_aa(look, hard_page, view, scheme):
    page = look(f"{hard_page.as_uri()}{view}", scheme=scheme)
    page.get_by_text("Filters").click()
    page.get_by_label("To", exact=True).fill("2030-01-01")
    settle(page)
    if view.startswith("#/event"):
        page.get_by_text("Clear all").click()
        page.locator(".photo .open").first.click()
    found = page.evaluate(CONTRASTS)
    assert len(found) > 20
    assert [text for ratio, least, text in found if ratio < least] == []
