"""The command line; no logic of its own.

Exit status: 0 done; 1 the job failed; 2 wrong usage; 3 done, but some inputs failed (they are
named); 130 interrupted.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rememberai import __version__
from rememberai.errors import RememberAIError

if TYPE_CHECKING:
    from rememberai.pipeline import RememberAI
    from rememberai.records import Report

_SOME_FAILED = 3
_INTERRUPTED = 130


class _Path(click.Path):
    """A path whose ``~`` is understood also where the shell left it."""

    def convert(self, value: Any, *rest: Any) -> Path:
        return Path(os.fsdecode(super().convert(value, *rest))).expanduser()


class _Place(_Path):
    """The folder of a store, or a URI as it stands."""

    def convert(self, value: Any, *rest: Any) -> Any:
        return value if "://" in str(value) else super().convert(value, *rest)


_store = click.argument("store", type=_Place())
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
_offline = click.option("--offline", is_flag=True, help="Never ask the hub for a model.")
_captioner = click.option(
    "--captioner", metavar="MODEL", help="Image-to-text model (a folder or a name on the hub)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rememberai")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def cli() -> None:
    """Give photos words, find the events in them. `add` makes a STORE; try: rememberai demo."""


@cli.command()
@click.option("--store", type=_Path(), help="Keep the demo's store here.")
@_offline
def demo(store: Path | None, offline: bool) -> None:
    """Run the main job on the sample album: one family's year, drawn by code."""
    from rememberai.demo import run

    run(store, offline=offline)


@cli.command()
@_store
@click.argument("folder", type=_Path())
@click.option(
    "--embedder",
    metavar="MODEL",
    help="For a new store: all-MiniLM-L6-v2 (the default; English), use-multilingual (Korean and "
    "14 more), a model folder, or a name on the hub.",
)
@click.option("--metric", type=click.Choice(["cosine", "l2"]), help="For a new store.")
@_captioner
@_offline
@_as_json
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
        book = RememberAI.create(
            store,
            embedder=embedder or "all-MiniLM-L6-v2",
            captioner=captioner,
            metric=metric or "cosine",
            offline=offline,
        )
    with display.progress() as progress:
        report = book.add_album(album, progress=progress)
    _finish(report, as_json)


@cli.command()
@_store
@click.argument("model")
@_offline
@_as_json
def caption(store: Path, model: str, offline: bool, as_json: bool) -> None:
    """Caption the photos of STORE that have no words yet, with the image-to-text MODEL."""
    from rememberai import display

    book = _open(store, captioner=model, offline=offline)
    with display.progress() as progress:
        report = book.caption(progress=progress)
    _finish(report, as_json)


@cli.command()
@_store
@click.argument("seeds", type=_Path())
@click.option("--replace", is_flag=True, help="Forget the seeds learned before.")
@_captioner
@_offline
@_as_json
def learn(
    store: Path, seeds: Path, replace: bool, captioner: str | None, offline: bool, as_json: bool
) -> None:
    """Learn events from SEEDS, a .jsonl or .csv file with the columns event and text (or photo)."""
    from rememberai import display

    book = _open(store, captioner=captioner, offline=offline)
    with display.busy("learning"):
        report = book.learn_events(seeds, replace_all=replace)
    _finish(report, as_json)


@cli.command()
@_store
@click.argument("album", type=_Path())
@_captioner
@_offline
@_as_json
def assign(store: Path, album: Path, captioner: str | None, offline: bool, as_json: bool) -> None:
    """Tell which learned event the folder ALBUM shows, or that it is unknown."""
    from rememberai import display

    book = _open(store, captioner=captioner, offline=offline)
    with display.progress() as progress:
        answer = book.assign(album, progress=progress)
    display.show_json(answer) if as_json else display.show_assignment(answer, album.resolve().name)
    if any(outcome.status == "failed" for outcome in answer.outcomes):
        sys.exit(_SOME_FAILED)


@cli.command()
@_store
@click.option("-n", "--clusters", type=int, help="How many events; found by itself if left out.")
@_as_json
def discover(store: Path, clusters: int | None, as_json: bool) -> None:
    """Find events in STORE that nobody named."""
    from rememberai import display

    with display.busy("looking for events"):
        found = _open(store).discover("auto" if clusters is None else clusters)
    display.show_json(found) if as_json else display.show_discovery(found)


@cli.command()
@_store
@click.argument("text")
@click.option(
    "-k", type=click.IntRange(min=1), default=10, help="How many photos.", show_default=True
)
@click.option(
    "--where",
    metavar="SQL",
    help="Among some photos only, such as: \"taken >= timestamp '2024-06-01'\".",
)
@_offline
@_as_json
def search(store: Path, text: str, k: int, where: str | None, offline: bool, as_json: bool) -> None:
    """Find the photos of STORE whose words are nearest to TEXT."""
    from rememberai import display

    hits = _open(store, offline=offline).search(text, k, where=where)
    why = "no photo in this store has words yet" if where is None else "no photo fits the condition"
    display.show_json(hits) if as_json else display.show_hits(hits, why)


@cli.command()
@_store
@_as_json
def info(store: Path, as_json: bool) -> None:
    """Tell what STORE holds."""
    from rememberai import display

    facts = _open(store).info()
    display.show_json(facts) if as_json else display.show_info(facts)


@cli.command()
@_store
@click.option("--repair", is_flag=True, help="Mend what can be mended without losing anything.")
@_as_json
def check(store: Path, repair: bool, as_json: bool) -> None:
    """Read all of STORE and its index, and name every flaw."""
    from rememberai import display
    from rememberai.checking import check

    with display.busy("reading"):
        report = check(store, repair=repair)
    display.show_json(report) if as_json else display.show_outcomes(report)
    if not report.count("done"):
        sys.exit(1)
    if report.count("failed") or report.count("waiting"):
        sys.exit(_SOME_FAILED)


@cli.command()
@_store
@click.argument("model")
@_offline
def reembed(store: Path, model: str, offline: bool) -> None:
    """Go over to another embedding MODEL; what was done is kept when it is stopped."""
    from rememberai import display

    book = _open(store, offline=offline)
    with display.progress() as progress:
        done = book.reembed(model, progress=progress)
    click.echo(f"{done} photos were embedded; {book.store.model_id} is in use now")


@cli.command()
@_store
@click.argument("file", type=_Path())
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def export(store: Path, file: Path, force: bool) -> None:
    """Write all rows of STORE, with their vectors, into a Parquet FILE."""
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already; name another file, or say --force.")
    click.echo(f"{_open(store).store.export_parquet(file)} photos were written to {file}")


@cli.command("import")
@_store
@click.argument("file", type=_Path())
def import_(store: Path, file: Path) -> None:
    """Add the rows of a Parquet FILE that `export` wrote to STORE; those there already stay."""
    click.echo(f"{_open(store).store.import_parquet(file)} photos were added")


@cli.command()
@_store
def compact(store: Path) -> None:
    """Gather the small files of STORE into large ones, and drop versions older than a day."""
    click.echo(f"{_open(store).store.compact() / 1e6:.1f} MB were freed")


def _open(store: Path, *, captioner: str | None = None, offline: bool = False) -> RememberAI:
    from rememberai import RememberAI

    return RememberAI.open(store, captioner=captioner, offline=offline)


def _finish(report: Report, as_json: bool) -> None:
    """Show a report, and end with the status that it deserves."""
    from rememberai import display

    display.show_json(report) if as_json else display.show_report(report)
    failed = report.count("failed")
    if failed:
        sys.exit(_SOME_FAILED if failed < len(report.outcomes) else 1)


def main() -> None:
    """Run the command line; every error is a line or two, and its exit status tells the kind."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show Korean shows "?"
    logging.getLogger("rememberai.photos").setLevel(logging.ERROR)  # the report names them all
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _complain(f"Warning: {message}")
        sys.exit(_status())


def _status() -> int:
    """Run a command, and give the exit status."""
    try:
        return cli(standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("Interrupted. What was stored is whole; the same command goes on.")
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read the output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (RememberAIError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        _complain(f"Error: {error}")
        return 1


def _complain(text: str) -> None:
    from rememberai.display import printable

    click.echo(printable(text), err=True)
