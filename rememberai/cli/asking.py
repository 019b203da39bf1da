"""Questions to a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rememberai.cli._shared import (
    SOME_FAILED,
    PathType,
    captioner_option,
    json_option,
    max_risk_option,
    offline_option,
    open_book,
    store_argument,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@store_argument
@click.argument("album", type=PathType())
@captioner_option
@max_risk_option
@offline_option
@json_option
def assign(
    store: Path,
    album: Path,
    captioner: str | None,
    max_risk: float,
    offline: bool,
    as_json: bool,
) -> None:
    """Tell which learned event the folder ALBUM shows. It may be unknown."""
    from rememberai import display

    book = open_book(store, captioner=captioner, offline=offline, max_risk=max_risk)
    with display.progress() as progress:
        answer = book.assign(album, progress=progress)
    display.show_json(answer) if as_json else display.show_assignment(answer, album.resolve().name)
    if any(outcome.status == "failed" for outcome in answer.outcomes):
        sys.exit(SOME_FAILED)


@click.command()
@store_argument
@click.option("-n", "--clusters", type=int, help="How many events; found by itself if left out.")
@max_risk_option
@json_option
def discover(store: Path, clusters: int | None, max_risk: float, as_json: bool) -> None:
    """Find events in STORE that nobody named."""
    from rememberai import display

    book = open_book(store, max_risk=max_risk)
    with display.progress() as progress:
        found = book.discover("auto" if clusters is None else clusters, progress=progress)
    display.show_json(found) if as_json else display.show_discovery(found)


@click.command()
@store_argument
@click.argument("text")
@click.option(
    "-k", type=click.IntRange(min=1), default=10, help="How many photos.", show_default=True
)
@click.option(
    "--where",
    metavar="SQL",
    help="Among some photos only, such as: \"taken >= timestamp '2024-06-01'\".",
)
@offline_option
@json_option
def search(store: Path, text: str, k: int, where: str | None, offline: bool, as_json: bool) -> None:
    """Find the photos of STORE whose words are nearest to TEXT."""
    from rememberai import display

    with display.busy("searching"):
        hits = open_book(store, offline=offline).search(text, k, where=where)
    why = "no photo in this store has words yet" if where is None else "no photo fits the condition"
    display.show_json(hits) if as_json else display.show_hits(hits, why)


@click.command()
@store_argument
@click.argument("picture", type=PathType())
@click.option(
    "-k", type=click.IntRange(min=1), default=10, help="How many photos.", show_default=True
)
@json_option
def similar(store: Path, picture: Path, k: int, as_json: bool) -> None:
    """Find the photos of STORE that look like PICTURE. `see` comes before."""
    from rememberai import display

    with display.busy("searching"):
        hits = open_book(store).search_image(picture, k)
    display.show_json(hits) if as_json else display.show_hits(hits)


@click.command()
@store_argument
@json_option
def bursts(store: Path, as_json: bool) -> None:
    """Show which photos of STORE are nearly the same. The sharpest comes first."""
    from rememberai import display

    book = open_book(store)
    with display.progress() as progress:
        found = book.bursts(progress=progress)
    names = dict(zip(*book.store.read(["photo_id", "name"]).to_pydict().values(), strict=True))
    display.show_json(found) if as_json else display.show_bursts(found, names)


@click.command()
@store_argument
@json_option
def info(store: Path, as_json: bool) -> None:
    """Tell what STORE holds."""
    from rememberai import display

    facts = open_book(store).info()
    display.show_json(facts) if as_json else display.show_info(facts)
