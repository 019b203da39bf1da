"""The main job on the sample album, as `rememberai demo` shows it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rememberai import display
from rememberai.errors import InputError
from rememberai.pipeline import RememberAI


def sample_album() -> Path:
    """Find the sample album: in the installed package, or beside it in a checkout.

    Raises
    ------
    InputError
        It is in neither place.
    """
    here = Path(__file__).parent
    for folder in (here / "sample_album", here.parent / "examples" / "sample_album"):
        if folder.is_dir():
            return folder
    raise InputError("the sample album was not installed; install RememberAI from its wheel")


def run(store: Path | None, *, offline: bool) -> None:
    """Add, learn, assign, discover and search, in a folder that is kept or a temporary one."""
    sample = sample_album()
    with tempfile.TemporaryDirectory() as temporary:
        path = store if store is not None else Path(temporary) / "demo.memories"
        book = RememberAI.create(path, offline=offline)
        kept = path if store is not None else "a temporary store (--store FOLDER keeps it)"
        display.heading(f"A year of photos is added to {kept}")
        with display.progress() as progress:
            report = book.add_folder(sample / "year", progress=progress)
        display.show_report(report)
        display.heading("Ten events are learned from short texts")
        display.show_report(book.learn_events(sample / "seeds.jsonl"))
        for album in ("query", "query_unknown"):
            display.heading(f"Which event is the album {album!r}?")
            display.show_assignment(book.assign(sample / album), album)
        display.heading("Which events are in the year, if nobody names them?")
        display.show_discovery(book.discover())
        text = "blowing out the candles"
        display.heading(f"Which photos are about {text!r}?")
        display.show_hits(book.search(text, k=5))
        if store is not None:
            display.heading(
                f"The store is kept; go on with: rememberai search {store} 'a day at the sea'"
            )
