"""The main job on the sample album, as `rememberai demo` shows it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rememberai import display
from rememberai.errors import InputError
from rememberai.pipeline import RememberAI

if TYPE_CHECKING:
    from collections.abc import Callable


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


def run(store: Path | None, *, offline: bool, as_json: bool = False) -> None:
    """Add, learn, assign, discover and search, in a folder that is kept or a temporary one."""
    sample = sample_album()
    told: dict[str, object] = {}

    def tell(name: str, heading: str, result: Any, show: Callable[..., None], *more: str) -> None:
        told[name] = result
        if not as_json:
            display.heading(heading)
            show(result, *more)

    with tempfile.TemporaryDirectory() as temporary:
        path = store if store is not None else Path(temporary) / "demo.memories"
        with display.progress():  # of a model that is fetched
            book = RememberAI.create(path, offline=offline)
        kept = path if store is not None else "a temporary store (--store FOLDER keeps it)"
        with display.progress() as progress:
            added = book.add_folder(sample / "year", progress=progress)
        tell("added", f"A year of photos is added to {kept}", added, display.show_report)
        learned = book.learn_events(sample / "seeds.jsonl")
        tell("learned", "Ten events are learned from short texts", learned, display.show_report)
        for album in ("query", "query_unknown"):
            heading = f"Which event is the album {album!r}?"
            tell(album, heading, book.assign(sample / album), display.show_assignment, album)
        heading = "Which events are in the year, if nobody names them?"
        tell("discovered", heading, book.discover(), display.show_discovery)
        text = "blowing out the candles"
        hits = book.search(text, k=5)
        tell("found", f"Which photos are about {text!r}?", hits, display.show_hits)
        if as_json:
            display.show_json(told)
        elif store is not None:
            display.heading(
                f"The store is kept; go on with: rememberai search {store} 'a day at the sea'"
            )
