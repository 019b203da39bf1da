"""Looking at a store, and correcting what was found in it."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING
from unicodedata import normalize

import click

from rememberai.cli._shared import (
    PathType,
    finish,
    json_option,
    offline_option,
    open_book,
    say,
    store_argument,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rememberai.photos.names import Names
    from rememberai.pipeline import RememberAI

_event = click.argument("event", type=int)
_photos = click.argument("photos", nargs=-1, required=True)


@click.command()
@store_argument
@click.option(
    "-o", "--output", type=PathType(), default="album.html", help="The page.", show_default=True
)
@click.option("--assets", is_flag=True, help="Keep all pictures in a folder beside the page.")
@json_option
def report(store: Path, output: Path, assets: bool, as_json: bool) -> None:
    """Write a page to look at STORE with. One HTML file that opens without network."""
    from rememberai import display

    book = open_book(store)
    with display.progress() as progress:
        done = book.report(output, assets=assets, progress=progress)
    if not as_json:
        click.echo(f"{output} is written; open it in a browser")
    finish(done, as_json)


@click.command()
@store_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A free one if left out.")
@offline_option
@json_option
def serve(store: Path, port: int, offline: bool, as_json: bool) -> None:
    """Show STORE in a browser, to search and correct. Only this machine is answered."""
    from rememberai import display
    from rememberai.report import serve

    with ExitStack() as waiting:
        progress = waiting.enter_context(display.progress(passing=True))

        def ready(address: str) -> None:
            waiting.close()
            say({"address": address}, f"Open {address} in a browser; Ctrl-C ends it.", as_json)
            sys.stdout.flush()  # whoever started it waits for the address

        serve(open_book(store, offline=offline), port=port, ready=ready, progress=progress)


@click.command()
@store_argument
@json_option
def events(store: Path, as_json: bool) -> None:
    """List the events of STORE with their numbers, as they are kept."""
    from rememberai import display

    with display.busy("reading"):
        found = open_book(store).events.read()
    if found is None:
        raise click.ClickException("no events were found yet; `rememberai discover` finds them")
    display.show_json(found) if as_json else display.show_discovery(found)


@click.group()
def correct() -> None:
    """Correct events, or write a memory: rename, merge, split, move.

    EVENT is a number that `rememberai events STORE` shows; PHOTO is a file, its name in the album,
    or its id. A correction is kept, whatever is discovered later.
    """


@correct.command()
@store_argument
@_event
@click.argument("title")
@json_option
def rename(store: Path, event: int, title: str, as_json: bool) -> None:
    """Give EVENT a TITLE."""
    open_book(store).events.rename(event, title)
    say({"event_id": event, "title": title}, f"event {event} is called {title} now", as_json)


@correct.command()
@store_argument
@click.argument("events", metavar="EVENT...", type=int, nargs=-1, required=True)
@json_option
def merge(store: Path, events: tuple[int, ...], as_json: bool) -> None:
    """Make one event of several; the first keeps its number."""
    event = open_book(store).events.merge(events)
    say({"event_id": event}, f"they are event {event} now", as_json)


@correct.command()
@store_argument
@_event
@_photos
@json_option
def split(store: Path, event: int, photos: tuple[str, ...], as_json: bool) -> None:
    """Make an event of its own of some PHOTOS of EVENT."""
    book = open_book(store)
    new = book.events.split(event, _ids(book, photos))
    say({"event_id": new}, f"they are event {new} now", as_json)


@correct.command()
@store_argument
@_event
@_photos
@json_option
def move(store: Path, event: int, photos: tuple[str, ...], as_json: bool) -> None:
    """Put PHOTOS into EVENT."""
    book = open_book(store)
    book.events.move(_ids(book, photos), event)
    say({"event_id": event, "moved": len(photos)}, f"they are in event {event} now", as_json)


@correct.command()
@store_argument
@_event
@click.option("--learn", is_flag=True, help="Let its photos be seeds of that learned event, too.")
@json_option
def accept(store: Path, event: int, learn: bool, as_json: bool) -> None:
    """Say that EVENT is the learned event that it looks like."""
    from rememberai import display

    with display.progress(passing=True) as progress:
        open_book(store).events.accept(event, learn=learn, progress=progress)
    say({"event_id": event, "accepted": True}, f"event {event} is accepted", as_json)


@correct.command()
@store_argument
@_event
@json_option
def reject(store: Path, event: int, as_json: bool) -> None:
    """Say that EVENT is not the learned event that it looks like."""
    open_book(store).events.reject(event)
    say({"event_id": event, "accepted": False}, f"event {event} is not that one", as_json)


@correct.command()
@store_argument
@_event
@json_option
def reconsider(store: Path, event: int, as_json: bool) -> None:
    """Take back what was accepted or rejected of EVENT."""
    open_book(store).events.reconsider(event)
    say({"event_id": event, "reconsidered": True}, f"event {event} is asked about anew", as_json)


@correct.command()
@store_argument
@click.argument("photo")
@click.argument("text")
@click.option("--author", help="Who remembers.")
@offline_option
@json_option
def memory(
    store: Path, photo: str, text: str, author: str | None, offline: bool, as_json: bool
) -> None:
    """Write the memory TEXT of PHOTO."""
    from rememberai import display

    book = open_book(store, offline=offline)
    (photo_id,) = _ids(book, (photo,))
    with display.busy("embedding"):
        book.write_memory(photo_id, text, author)
    say({"photo_id": photo_id, "memory": text}, f"{photo} has its memory", as_json)


def _ids(book: RememberAI, photos: tuple[str, ...]) -> list[str]:
    """Find photos by file, by name in their album, or by id."""
    from rememberai.photos.names import Names

    called: dict[str, set[str]] = defaultdict(set)
    for row in book.store.read(["photo_id", "name", "path"]).to_pylist():
        for name in row.values():
            called[_plain(name)].add(row["photo_id"])
    names = Names(called)
    return [_id(called, names, photo) for photo in photos]


def _plain(name: str | None) -> str:
    """Give what the ways to write a name have in common: of letters, and on Windows of slashes."""
    return normalize("NFC", os.path.normcase(name or ""))


def _id(called: dict[str, set[str]], names: Names, photo: str) -> str:
    absolute = os.path.abspath(PathType().convert(photo, None, None))  # noqa: PTH100 - without ".."
    meant = names.find(_plain(photo)) or names.find(_plain(absolute))
    found = called[meant] if meant else set()
    if len(found) != 1:
        raise click.ClickException(
            f"{len(found) or 'no'} photos of the store are called {photo}; give its file or its "
            "id, which `rememberai search --json` shows"
        )
    (photo_id,) = found
    return photo_id
