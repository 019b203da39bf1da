"""Fixtures of the page: a book, and a browser in which nothing may go wrong unseen."""

from __future__ import annotations

import contextlib
import shutil

import pytest
from pages import CHROMIUM, SWITCHES, make_book, served

from rememberai import RememberAI


@pytest.fixture(scope="session")
def made_book(tmp_path_factory):
    return make_book(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def report_path(made_book, tmp_path_factory):
    """The page of the book, in a file."""
    path = tmp_path_factory.mktemp("report") / "family.html"
    made_book.report(path)
    return path


@pytest.fixture
def book(made_book, tmp_path):
    """A copy of the book, to be changed."""
    shutil.copytree(made_book.store.path, tmp_path / "family.memories")
    return RememberAI.open(tmp_path / "family.memories", embedder=made_book._embedder)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed here (CHROMIUM names one)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Open an address; at the end nothing may stand in the console or have left the machine."""
    contexts, wrongs = [], []

    def opened(
        address,
        *,
        width=1280,
        height=900,
        scheme="light",
        locale="en-GB",
        pardoned=None,
        **more,
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15000)
        page.on("console", lambda said: wrongs.extend(_wrong(said, pardoned)))
        page.on("pageerror", lambda error: wrongs.append(str(error)))
        page.on("request", lambda request: wrongs.extend(_elsewhere(request.url)))
        page.goto(str(address) if "://" in str(address) else address.as_uri())
        page.wait_for_selector("main > *")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrongs


@pytest.fixture
def browse(look):
    """Serve a store and look at it; the page is closed first: it may still be fetching photos."""

    @contextlib.contextmanager
    def browsing(store, **options):
        with served(store) as address:
            page = look(address, **options)
            try:
                yield page
            finally:
                page.close()

    return browsing


def _wrong(said, pardoned: str | None) -> list[str]:
    ill = said.type == "error" and not (pardoned and pardoned in said.text)
    return [said.text] if ill else []


def _elsewhere(url: str) -> list[str]:
    near = ("data:", "file:", "http://127.0.0.1:", "blob:")
    return [] if url.startswith(near) else [f"asked for {url}"]
