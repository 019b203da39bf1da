"""The page from disk, in a real browser."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from pages import NASTY, THEMES, settle


def natural_width(image):
    # Its decode() fails where the page draws itself anew meanwhile.
    there = image.element_handle()
    return image.page.wait_for_function("image => image.naturalWidth", arg=there).json_value()


def test_the_timeline_shows_the_events_with_title_date_size_and_confidence(look, report_path):
    page = look(report_path)
    assert page.locator(".head .title").inner_text() == "family"
    assert page.locator(".event").count() == 3
    first = page.locator(".event").first
    words = first.inner_text()
    assert re.search(r"10\s?–\s?13 January 2024", words)
    assert "4 photos" in words
    assert "Unknown kind of event" in words
    known = page.locator(".event").nth(2).locator(".known")
    assert known.inner_text().split() == ["snow", "100%"]
    assert natural_width(first.locator("img").first) == 32


def test_photos_of_no_event_stand_apart_and_say_why(look, report_path):
    page = look(report_path)
    rest = page.locator(".rest", has_text="Without words")
    assert "mute.png" in rest.locator("img").first.get_attribute("alt")


def test_an_opened_event_shows_its_photos_and_why_it_was_assigned(look, report_path):
    page = look(report_path)
    page.locator(".event a").first.click()
    page.wait_for_selector(".opened")
    assert page.locator(".opened .photo").count() == 4
    assert page.locator(".opened .badge").count() == 2  # no more than a third of them, rounded up
    why = page.locator(".why").inner_text()
    assert "waves sand swimming seagull" in why
    assert "It is called unknown because nothing is near" in why
    assert page.locator(".ranking dt").first.inner_text() == "sea"
    page.go_back()
    page.wait_for_selector(".timeline")


def test_a_memory_and_a_caption_are_told_apart_and_are_the_alternative_text(look, report_path):
    page = look(report_path)
    page.locator(".event a").first.click()
    assert page.locator(".opened p.memory").count() == 3
    caption = page.locator(".opened p.caption")
    assert "Caption by a machine" in caption.inner_text()
    styles = [
        page.locator(f".opened p.{kind} .said").first.evaluate("e => getComputedStyle(e).fontStyle")
        for kind in ("memory", "caption")
    ]
    assert styles == ["italic", "normal"]
    alternatives = [image.get_attribute("alt") for image in page.locator(".photo img").all()]
    assert NASTY in alternatives
    assert f"{THEMES['sea']} seastory3" in alternatives


def test_data_shows_as_text_and_never_runs(look, report_path):
    page = look(report_path)
    page.locator(".event a").first.click()
    assert NASTY in page.locator("p.memory .said").first.text_content()
    page.locator(".photo .open").first.click()
    assert page.locator(".lightbox .said").text_content() == NASTY
    assert page.title() == "family"
    assert page.locator("img[src='x']").count() == 0


def test_words_alone_stand_on_a_card(look, report_path):
    page = look(report_path)
    page.get_by_label("Search the words").fill("alone")
    found = page.locator(".results .photo")
    found.locator(".words", has_text="candles birthday cake alone").wait_for()
    assert found.locator("img").count() == 0


@pytest.mark.parametrize("text", ["SNOWMAN", "sledge snowstory2", "snów", "snow2.png"])
def test_the_search_knows_words_and_names_whatever_their_case_and_accents(look, report_path, text):
    page = look(report_path)
    page.get_by_label("Search the words").fill(text)
    page.wait_for_selector(".results .photo")
    assert all("snow" in words for words in page.locator(".results .said").all_inner_texts())
    page.get_by_text("Clear all").click()
    page.wait_for_selector(".results", state="detached")
    assert page.locator(".event").count() == 3


def test_filters_by_time_event_and_source(look, report_path):
    page = look(report_path)
    page.get_by_text("Filters").click()
    page.get_by_label("From").fill("2024-02-01")
    page.wait_for_function("document.querySelectorAll('.event').length === 2")
    page.get_by_label("To", exact=True).fill("2024-02-28")
    page.wait_for_function("document.querySelectorAll('.event').length === 1")
    page.get_by_text("Clear all").click()
    page.locator("[data-filter=source]").select_option("caption")
    page.get_by_text("1 photo matches.").wait_for()
    assert "1 of 4 photos" in page.locator(".event").inner_text()
    page.get_by_text("Clear all").click()
    page.locator("[data-filter=event]").select_option("wordless")
    page.get_by_text("1 photo matches.").wait_for()


def test_a_photo_is_opened_turned_and_closed_by_keys_alone(look, report_path):
    page = look(report_path)
    page.locator(".event a").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".opened")
    page.locator(".photo .open").first.focus()
    page.keyboard.press("Enter")
    said = page.locator(".lightbox .said")
    before = said.inner_text()
    page.keyboard.press("ArrowRight")
    assert said.inner_text() != before
    page.keyboard.press("ArrowLeft")
    assert said.inner_text() == before
    page.keyboard.press("Escape")
    page.wait_for_selector(".lightbox", state="hidden")
    assert page.evaluate("document.activeElement.matches('.photo .open')")


def dots(page):
    """The places of the dots on the screen, found by their colours."""
    page.wait_for_selector(".dots canvas")
    settle(page)
    return page.locator(".frame .dots").bounding_box()


def point_at_a_dot(page):
    """Find a dot by the keys, then point at it with the mouse; gives the place."""
    box = dots(page)
    page.locator(".frame").focus()
    page.keyboard.press("ArrowRight")
    ring = page.locator(".ring").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.wait_for_selector(".tip", state="hidden")
    place = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    page.mouse.move(*place)
    return place


def test_on_the_map_hovering_shows_a_photo_and_clicking_selects_it(look, report_path):
    page = look(f"{report_path.as_uri()}#/map")
    place = point_at_a_dot(page)
    tip = page.locator(".tip").inner_text()
    assert any(theme in tip for theme in THEMES)
    page.mouse.click(*place)
    page.wait_for_selector(".side .photo")
    assert page.locator(".side h2").inner_text().startswith("1 photo selected")
    page.keyboard.press("Escape")
    page.wait_for_selector(".legend")


def test_a_brush_selects_many(look, report_path):
    page = look(f"{report_path.as_uri()}#/map")
    box = dots(page)
    page.get_by_role("button", name="Select an area").click()
    page.mouse.move(box["x"] + 8, box["y"] + 8)  # inside the round corner
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8, steps=4)
    page.mouse.up()
    page.get_by_text("13 photos selected").wait_for()  # all but the one without words


def test_the_map_goes_by_keys(look, report_path):
    page = look(f"{report_path.as_uri()}#/map")
    dots(page)
    page.locator(".frame").focus()
    seen = set()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "+", "-", "0", "ArrowLeft"):
        page.keyboard.press(key)
        seen.add(page.locator(".tip .said").first.text_content())
    assert len(seen) > 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".lightbox[open]")


def test_the_legend_leads_to_the_events(look, report_path):
    page = look(f"{report_path.as_uri()}#/map")
    counts = page.locator(".legend .n").all_inner_texts()
    assert [int(n) for n in counts] == sorted((int(n) for n in counts), reverse=True)
    page.locator(".legend a").first.click()
    page.wait_for_selector(".opened")


def test_the_interface_speaks_korean(look, report_path):
    page = look(report_path, locale="ko-KR")
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert "사진 14장" in page.locator(".counts").inner_text()
    titles = page.locator(".event strong").all_inner_texts()
    assert all(", " in title and " and " not in title for title in titles)
    page.locator(".event a").first.click()
    why = page.locator(".why").inner_text()
    assert "가까운 것이 없습니다. sea이(가) 가장 앞서지만" in why
    assert not page.locator(".why [lang=en]").count()
    assert "known" not in why
    page.go_back()
    page.get_by_label("언어").select_option("en")
    assert "14 photos" in page.locator(".counts").inner_text()
    english = page.locator(".event strong").all_inner_texts()
    assert english == [" and ".join(title.rsplit(", ", 1)) for title in titles]
    page.locator(".event a").first.click()
    assert natural_width(page.locator(".opened .cover img")) == 32
    page.locator(".opened .open").first.click()
    page.wait_for_selector(".lightbox[open]")
    page.reload()
    assert "14 photos" in page.locator(".counts").inner_text()


@pytest.mark.parametrize("view", ["#/", "#/map", "#/event/0"])
def test_a_phone_needs_no_scrolling_sideways(look, report_path, view):
    page = look(f"{report_path.as_uri()}{view}", width=360, height=740, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_every_control_has_a_name(look, report_path):
    page = look(report_path)
    page.get_by_text("Filters").click()
    for view in ("#/", "#/map", "#/event/0"):
        page.evaluate(f"location.hash = '{view}'")
        settle(page)
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, a, input, select, textarea')].filter(
                (e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent
                         || e.querySelector('img')?.alt)).map((e) => e.outerHTML)"""
        )
        assert not nameless
        assert "[object" not in page.locator("body").inner_text()


def test_pictures_may_lie_beside_the_page(look, book, tmp_path):
    path = tmp_path / "with pictures & more.html"
    assert book.report(path, assets=True).count("failed") == 0
    folder = tmp_path / "with pictures & more_files"
    made = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert len(made) == 13
    book.report(path, assets=True)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == made
    page = look(path)
    image = page.locator(".event img").first
    assert natural_width(image) == 32
    assert image.get_attribute("src").endswith(".webp")


@pytest.mark.parametrize("view", ["#/", "#/map", "event", "#/event/987654321"])
def test_the_headings_of_a_view_are_in_order(look, report_path, view):
    """One of the first rank, no rank left out below: for who goes from heading to heading."""
    if view == "event":
        page = look(report_path)
        page.locator(".event a").first.click()
        page.wait_for_selector(".why h2")
    else:
        page = look(f"{report_path.as_uri()}{view}")
    ranks = page.eval_on_selector_all(
        "h1, h2, h3, h4, h5, h6", "(all) => all.map((h) => +h.tagName[1])"
    )
    assert ranks[0] == 1
    assert ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))
    assert page.locator("h1").inner_text().strip()


@pytest.mark.parametrize(("view", "name"), [("#/", "Timeline"), ("#/map", "Map")])
def test_a_heading_that_is_only_heard_takes_no_room(look, report_path, view, name):
    page = look(f"{report_path.as_uri()}{view}")
    heading = page.get_by_role("heading", level=1, name=name)
    assert heading.count() == 1
    main, below = (page.locator(one).bounding_box() for one in ("main", "main > h1 + *"))
    assert main["y"] == below["y"]
    assert heading.bounding_box()["width"] <= 1
