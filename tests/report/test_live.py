"""The live page in a real browser, its server in a process of its own."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")
MEMORY = "a <script>document.title='hacked'</script> purple \"umbrella\" & it's </textarea>"


def titles(page):
    return page.locator(".event strong").all_inner_texts()


def test_a_new_title_survives_a_restart_of_the_server(browse, book):
    with browse(book.store.path) as page:
        page.locator(".event a").first.click()
        page.get_by_text("Correct this event").click()
        page.get_by_label("Title", exact=True).fill('Our "<b>first</b>" swim')
        page.get_by_role("button", name="Rename").click()
        page.get_by_role("status").get_by_text("Renamed.").wait_for()
        assert page.locator("h1").inner_text() == 'Our "<b>first</b>" swim'
    with browse(book.store.path) as page:
        assert titles(page)[0] == 'Our "<b>first</b>" swim'
        assert len(titles(page)) == 3


def test_photos_are_parted_moved_and_events_merged(browse, book):
    with browse(book.store.path) as page:
        page.locator(".event a").first.click()
        for box in page.locator(".box input").all()[:2]:
            box.check()
        page.get_by_role("button", name="Make an event of their own").click()
        page.get_by_text("A new event was made.").wait_for()
        assert page.locator(".opened .photo").count() == 2
        page.locator(".box input").first.check()
        page.locator(".selected select").select_option(index=0)
        page.get_by_role("button", name="Move").click()
        page.get_by_text("Moved.").wait_for()
        assert page.locator(".opened .photo").count() == 1
        page.get_by_text("Correct this event").click()
        page.locator(".correct select").select_option(index=0)
        page.get_by_role("button", name="Merge").click()
        page.get_by_text("Merged.").wait_for()
        assert page.locator(".opened .photo").count() == 4
        page.get_by_role("link", name="Timeline").click()
        page.wait_for_function("document.querySelectorAll('.event').length === 3")


def test_photos_are_moved_on_the_map_which_stays_as_it_was_zoomed(browse, book):
    zoom = "document.querySelector('.frame').__zoom.k"
    with browse(book.store.path) as page:
        page.get_by_role("link", name="Map").click()
        page.locator(".frame").focus()
        for key in ("+", "+", "ArrowRight", " "):
            page.keyboard.press(key)
        assert page.evaluate(zoom) == pytest.approx(1.6**2)
        page.locator(".selected select").select_option(index=0)
        page.get_by_role("button", name="Move").click()
        page.get_by_text("Moved.").wait_for()
        assert page.evaluate(zoom) == pytest.approx(1.6**2)
        page.get_by_role("link", name="Timeline").click()
        page.get_by_role("link", name="Map").click()
        page.wait_for_selector(".legend")
        assert page.evaluate(zoom) == pytest.approx(1.6**2)


FOCUS = "[document.activeElement.tagName, document.activeElement.className].join(' ').trim()"


def test_keys_stay_in_the_view_when_the_selection_is_gone(browse, book):
    with browse(book.store.path) as page:
        page.locator(".event a").first.click()
        page.locator(".box input").first.check()
        page.get_by_role("button", name="Make an event of their own").press("Enter")
        page.get_by_text("A new event was made.").wait_for()
        assert page.evaluate(FOCUS) == "H1"
        page.locator(".box input").first.check()
        page.get_by_role("button", name="Clear the selection").press("Enter")
        page.wait_for_selector(".selected", state="hidden")
        assert page.evaluate(FOCUS) == "H1"
        page.get_by_role("link", name="Map").click()
        page.locator(".frame").focus()
        page.keyboard.press("a")
        page.locator(".side").get_by_role("button", name="Clear the selection").press("Enter")
        page.wait_for_selector(".legend")
        assert page.evaluate(FOCUS) == "DIV frame"


def test_while_the_meaning_is_looked_for_nothing_is_counted(browse, book):
    with browse(book.store.path) as page:
        held = []
        page.route("**/api/search**", lambda route: held.append(route))
        page.get_by_label("Search by meaning").fill("no such word")
        page.locator(".count", has_text="Searching …").wait_for()
        held[0].continue_()
        page.locator(".count", has_text="photos match.").wait_for()


def test_an_assignment_is_accepted_and_then_rejected(browse, book):
    with browse(book.store.path) as page:
        known = page.locator(".event", has=page.locator(".meter"))
        known.locator("a").click()
        assert "snow" in page.locator(".verdict").inner_text()
        page.get_by_text("Nearest words of known events").wait_for()
        page.get_by_role("button", name="Right").click()
        page.locator(".verdict .accepted", has_text="confirmed").wait_for()
        assert [event.accepted for event in book.events.read() if event.known_event] == [True]
        page.get_by_role("button", name="Wrong").click()
        page.locator(".verdict .rejected", has_text="You said: not snow").wait_for()
    assert not [event for event in book.events.read() if event.known_event]
    with browse(book.store.path) as page:
        told = [" ".join(t.split()) for t in page.locator(".event .known").all_inner_texts()]
        assert told.count("You said: not snow") == 1
        assert told.count("Unknown kind of event") == len(told) - 1
        page.locator(".event a", has=page.locator(".rejected")).click()
        page.locator(".why", has_text="you said that it is not snow").wait_for()
        page.get_by_role("button", name="Take back").click()
        page.locator(".verdict .known", has_text="snow").locator(".meter").wait_for()
        page.get_by_role("button", name="Right").wait_for()
    assert [event.known_event for event in book.events.read() if event.known_event] == ["snow"]


def test_a_memory_is_written_found_by_meaning_and_shown_as_text(browse, book):
    with browse(book.store.path) as page:
        page.locator(".rest .photo .open").first.click()
        page.locator(".lightbox textarea").fill(MEMORY)
        page.get_by_role("button", name="Save").press("Enter")
        page.get_by_text("The memory is kept.").wait_for()
        assert page.evaluate(FOCUS) == "DIALOG lightbox"
        assert page.locator(".lightbox .said").text_content() == MEMORY
        page.keyboard.press("Escape")
        page.get_by_label("Search by meaning").fill(MEMORY)
        page.get_by_role("heading", name="nearest in meaning").wait_for()
        assert page.locator(".results .said").first.text_content() == MEMORY
        page.reload()
        assert page.title() == "family"


def test_events_are_looked_for_anew_when_photos_came(browse, book):
    from makers import words_alone

    book.add_album(words_alone("tent campfire stars", "tent campfire night", name="new"))
    with browse(book.store.path) as page:
        page.locator(".rest", has_text="Not looked at yet").wait_for()
        page.get_by_role("button", name="Look for events").click()
        page.get_by_text("The events are up to date.").wait_for()
        assert page.locator(".rest", has_text="Not looked at yet").count() == 0


def test_a_server_that_is_gone_is_said(browse, book):
    with browse(book.store.path, pardoned="Failed to load resource") as page:
        page.locator(".event a").first.click()
        page.get_by_text("Nearest words of known events").wait_for()
        page.get_by_text("Correct this event").click()
        page.route("**/api/rename", lambda route: route.abort())
        page.get_by_role("button", name="Rename").click()
        page.get_by_role("alert").get_by_text("does not answer").wait_for()


@pytest.mark.parametrize(
    ("locale", "empty", "foreign", "damaged"),
    [
        (
            "en-GB",
            "A title needs words.",
            "The server does not know this page",
            "A file of the store is damaged. Restore it from a backup: ",
        ),
        (
            "ko-KR",
            "제목에는 글이 있어야 합니다.",
            "서버가 이 페이지를 알지 못합니다.",
            "저장소의 파일이 손상되었습니다. 백업에서 되살리세요: ",
        ),
    ],
)
def test_what_the_server_refuses_is_said_in_the_language_of_the_page(
    browse, book, locale, empty, foreign, damaged
):
    with browse(book.store.path, locale=locale, pardoned="Failed to load resource") as page:
        page.locator(".event a").first.click()
        page.locator(".why li").first.wait_for()
        page.locator(".correct summary").click()
        title = page.locator(".correct input")
        title.fill("   ")
        title.press("Enter")
        page.get_by_role("alert").get_by_text(empty).wait_for()
        page.route(
            "**/api/rename",
            lambda route: route.continue_(
                headers={**route.request.headers, "x-rememberai-token": "of an earlier server"}
            ),
        )
        title.fill("Swimming")
        title.press("Enter")
        page.get_by_role("alert").get_by_text(foreign).wait_for()
        page.unroute("**/api/rename")
        kept = book.store.path / "events.table"
        kept.write_bytes(kept.read_bytes()[:-1])
        title.fill("Diving")
        title.press("Enter")
        page.get_by_role("alert").get_by_text(f"{damaged}{kept}", exact=True).wait_for()


def test_two_windows_do_not_show_each_other_s_past(browse, look, book):
    with browse(book.store.path) as one:
        two = look(one.url)
        for page, title in ((one, "Swimming"), (two, "Diving")):
            page.locator(".event a").first.click()
            page.get_by_text("Correct this event").click()
            page.get_by_label("Title", exact=True).fill(title)
            page.get_by_role("button", name="Rename").click()
            page.locator("h1", has_text=title).wait_for()
        one.get_by_role("link", name="Timeline").click()
        one.locator(".event a").nth(1).click()
        one.get_by_text("Correct this event").click()
        one.get_by_label("Title", exact=True).fill("Bakery")
        one.get_by_role("button", name="Rename").click()
        one.locator("h1", has_text="Bakery").wait_for()
        one.get_by_role("link", name="Timeline").click()
        assert titles(one)[:2] == ["Diving", "Bakery"]
        two.close()


def test_after_a_correction_the_reader_stands_where_they_stood(browse, book):
    from makers import words_alone

    texts = (f"tent campfire stars night{i}" for i in range(130))
    added = book.add_album(words_alone(*texts, name="camp"))
    (cake, *_) = book.events.read()
    book.events.move([outcome.photo_id for outcome in added.outcomes], cake.event_id)
    with browse(book.store.path) as page:
        page.locator(".event a", has_text="135 photos").click()
        page.locator(".why .ranking").wait_for()  # it comes later, and moves what is below it
        for _ in range(3):
            page.locator(".end").scroll_into_view_if_needed()
        page.wait_for_function("document.querySelectorAll('.opened .photo').length === 135")
        box = page.locator(".box input").last
        box.check()
        before = page.evaluate("scrollY")
        page.get_by_role("button", name="Make an event of their own").click()
        page.get_by_text("A new event was made.").wait_for()
        assert page.locator(".opened .photo").count() == 134
        assert abs(page.evaluate("scrollY") - before) < 400
        assert before > 2000


def test_the_keys_stay_in_the_view_after_a_correction(browse, book):
    with browse(book.store.path) as page:
        page.locator(".event a").first.click()
        page.get_by_text("Correct this event").click()
        page.get_by_label("Title", exact=True).fill("Swimming")
        page.keyboard.press("Enter")
        page.get_by_text("Renamed.").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Swimming"
