"""Looking after a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rememberai.cli._shared import (
    SOME_FAILED,
    PathType,
    json_option,
    offline_option,
    open_book,
    say,
    store_argument,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@store_argument
@click.option("--repair", is_flag=True, help="Mend what can be mended without losing anything.")
@json_option
def check(store: Path, repair: bool, as_json: bool) -> None:
    """Read all of STORE and its index, and name every flaw."""
    from rememberai import display
    from rememberai.checking import check

    with display.progress() as progress:
        report = check(store, repair=repair, progress=progress)
    display.show_json(report) if as_json else display.show_check(report)
    if not report.count("done"):
        sys.exit(1)
    if report.count("failed") or report.count("waiting"):
        sys.exit(SOME_FAILED)


@click.command()
@store_argument
@click.argument("model")
@offline_option
@json_option
def reembed(store: Path, model: str, offline: bool, as_json: bool) -> None:
    """Go over to another embedding MODEL. What was done is kept when it is stopped."""
    from rememberai import display

    book = open_book(store, offline=offline)
    with display.progress() as progress:
        done = book.reembed(model, progress=progress)
    model_id = book.store.model_id
    say(
        {"embedded": done, "model_id": model_id},
        f"{done} photos were embedded; {model_id} is in use now",
        as_json,
    )


@click.command()
@store_argument
@click.argument("file", type=PathType())
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@json_option
def export(store: Path, file: Path, force: bool, as_json: bool) -> None:
    """Write all rows of STORE, with vectors, to a Parquet FILE."""
    from rememberai import display

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already; name another file, or say --force.")
    with display.progress() as progress:
        n = open_book(store).store.export_parquet(file, progress=progress)
    say({"exported": n, "file": str(file)}, f"{n} photos were written to {file}", as_json)


@click.command("import")
@store_argument
@click.argument("file", type=PathType())
@json_option
def import_(store: Path, file: Path, as_json: bool) -> None:
    """Add the rows of an exported FILE to STORE. Those there already stay."""
    from rememberai import display

    with display.progress() as progress:
        n = open_book(store).store.import_parquet(file, progress=progress)
    say({"added": n}, f"{n} photos were added", as_json)


@click.command()
@store_argument
@json_option
def compact(store: Path, as_json: bool) -> None:
    """Gather the small files of STORE into large ones. Versions older than a day go."""
    from rememberai import display

    with display.progress() as progress:
        freed = open_book(store).store.compact(progress=progress)
    say({"freed_bytes": freed}, f"{freed / 1e6:.1f} MB were freed", as_json)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@json_option
def completion(shell: str, as_json: bool) -> None:
    """Print a script that completes commands in SHELL. Let the shell source it at its start."""
    from click.shell_completion import get_completion_class

    context = click.get_current_context().find_root()
    maker = get_completion_class(shell)
    if maker is None:  # click knows every shell that the argument allows, or was told
        raise click.UsageError(f"{shell} is not a shell that click completes for.")
    script = maker(context.command, {}, "rememberai", "_REMEMBERAI_COMPLETE").source()
    say({"shell": shell, "script": script}, script, as_json)
