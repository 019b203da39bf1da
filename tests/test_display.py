"""What a terminal shows of a long run."""

from __future__ import annotations

import io
import itertools
import re

import pytest
from rich.console import Console

from rememberai import display


@pytest.fixture
def terminal(monkeypatch):
    """Stand in for the terminal behind standard error; what is drawn on it is text."""
    drawn = io.StringIO()
    clock = itertools.count()  # a second at each look
    console = Console(
        file=drawn,
        force_terminal=True,
        width=120,
        color_system=None,
        get_time=lambda: float(next(clock)),
    )
    monkeypatch.setattr(display, "Console", lambda **_: console)
    return drawn


def test_a_long_run_tells_its_speed_and_the_time_left(terminal):
    with display.progress() as progress:
        for done in (0, 10, 20, 30):
            progress("captioning", done, 40)
    last = terminal.getvalue().split("captioning")[-1]
    assert "30/40" in last
    assert re.search(r"\d(\.\d+)?/s", last)
    assert re.search(r"\b0:00:\d\d\b", last)


def test_a_single_step_tells_how_long_it_takes_and_counts_nothing(terminal):
    with display.progress() as progress:
        progress("clustering", 0, 1)
        for done in (0, 1, 2):
            progress("assigning", done, 2)
        progress("clustering", 1, 1)
    text = terminal.getvalue()
    assert re.search(r"clustering[^\n]*\b0:00:\d\d\b", text)
    assert not re.search(r"clustering[^\n]*(/1|/s|-:--)", text)
    assert "2/2" in text


def test_a_stage_that_is_counted_later_tells_how_long_it_takes_until_then(terminal):
    with display.progress() as progress:
        progress("map", 0, 1)
        begun = len(terminal.getvalue())
        for done in (0, 10, 20, 30):
            progress("map", done, 40)
    text = terminal.getvalue()
    assert re.search(r"map[^\n]*\b0:00:\d\d\b", text[:begun])
    last = text.split("map")[-1]
    assert re.search(r"30/40 .*\d(\.\d+)?/s .*\b0:00:\d\d\b", last)


def test_a_passing_job_tells_how_long_it_takes_and_leaves_nothing(terminal):
    with display.busy("searching"):
        pass
    text = terminal.getvalue()
    assert re.search(r"searching[^\n]*\b0:00:\d\d\b", text)
    assert text.endswith("\x1b[2K")


def test_what_is_no_terminal_stays_clean(monkeypatch):
    drawn = io.StringIO()
    monkeypatch.setattr(display, "Console", lambda **_: Console(file=drawn, width=120))
    with display.progress() as progress:
        progress("captioning", 1, 2)
    assert drawn.getvalue() == ""
