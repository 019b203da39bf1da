"""Photos and words into a store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from rememberai.cli._shared import (
    PathType,
    captioner_option,
    finish,
    json_option,
    offline_option,
    open_book,
    store_argument,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--store", type=PathType(), help="Keep the demo's store here.")
@offline_option
@json_option
def demo(store: Path | None, offline: bool, as_json: bool) -> None:
    """Run the main job on the sample album. It is one family's year, drawn by code."""
    from rememberai.demo import run

    run(store, offline=offline, as_json=as_json)


@click.command()
@store_argument
@click.argument("folder", type=PathType())
@click.option(
    "--embedder",
    metavar="MODEL",
    help="For a new store: all-MiniLM-L6-v2 (the default; English), use-multilingual (Korean and "
    "14 more), a model folder, or a name on the hub.",
)
@click.option("--metric", type=click.Choice(["cosine", "l2"]), help="For a new store.")
@captioner_option
@offline_option
@json_option
def add(
    store: Path,
    folder: Path,
    embedder: str | None,
    metric: Any,
    captioner: str | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Add the photos of FOLDER, and of those below it, to STORE."""
    from rememberai import Album, RememberAI, display
    from rememberai.store import MemoryStore

    with display.progress() as progress:
        album = Album.from_folder(folder, progress=partial(progress, "reading"))
    if MemoryStore.exists(store):
        book = RememberAI.open(store, embedder=embedder, captioner=captioner, offline=offline)
        if metric not in (None, book.store.metric):
            raise click.UsageError(
                f"--metric is for a new store; this one has {book.store.metric}."
            )
    else:
        with display.progress():  # of a model that is fetched
            book = RememberAI.create(
                store,
                embedder=embedder or "all-MiniLM-L6-v2",
                captioner=captioner,
                metric=metric or "cosine",
                offline=offline,
            )
    with display.progress() as progress:
        report = book.add_album(album, progress=progress)
    finish(report, as_json)


@click.command()
@store_argument
@click.argument("model")
@click.option("--bursts", is_flag=True, help="One caption for photos that are nearly the same.")
@offline_option
@json_option
def caption(store: Path, model: str, bursts: bool, offline: bool, as_json: bool) -> None:
    """Caption the photos of STORE that have no words yet. MODEL is an image-to-text model."""
    from rememberai import display

    book = open_book(store, captioner=model, offline=offline)
    with display.progress() as progress:
        report = book.caption(bursts=bursts, progress=progress)
    finish(report, as_json)


@click.command()
@store_argument
@click.argument("model", default="efficientnet-lite0")
@offline_option
@json_option
def see(store: Path, model: str, offline: bool, as_json: bool) -> None:
    """Embed the pictures of STORE, to find photos by looks.

    MODEL is a CLIP or SigLIP model (a folder or a name on the hub), so that a text finds a photo
    that nobody described; or efficientnet-lite0, which is taken if it is left out.
    """
    from rememberai import display

    book = open_book(store, offline=offline)
    with display.progress() as progress:
        report = book.embed_images(model, progress=progress)
    finish(report, as_json)


@click.command()
@store_argument
@click.argument("seeds", type=PathType())
@click.option("--replace", is_flag=True, help="Forget the seeds learned before.")
@captioner_option
@offline_option
@json_option
def learn(
    store: Path, seeds: Path, replace: bool, captioner: str | None, offline: bool, as_json: bool
) -> None:
    """Learn events from the examples in SEEDS.

    A .jsonl or .csv file with the columns event and text (or photo), and album where it is known.
    """
    from rememberai import display

    book = open_book(store, captioner=captioner, offline=offline)
    with display.progress() as progress:
        report = book.learn_events(seeds, replace_all=replace, progress=progress)
    finish(report, as_json)
