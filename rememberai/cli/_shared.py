"""What the commands share: options, opening a store, and how a command ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rememberai.pipeline import RememberAI
    from rememberai.records import Report

SOME_FAILED = 3


def as_meant(path: str, system: str) -> str:
    r"""Give a path without the quote that Windows takes for a part of it in "C:\My photos\"."""
    return path.removesuffix('"') if system == "nt" else path


class PathType(click.Path):
    """A path as it was meant, whatever a shell left in it."""

    def convert(self, value: Any, *rest: Any) -> Path:
        """Give a `Path`."""
        return Path(as_meant(os.fsdecode(super().convert(value, *rest)), os.name)).expanduser()


class _Place(PathType):
    """The folder of a store, or a URI as it stands."""

    def convert(self, value: Any, *rest: Any) -> Any:
        return value if "://" in str(value) else super().convert(value, *rest)


store_argument = click.argument("store", type=_Place())
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
offline_option = click.option("--offline", is_flag=True, help="Never ask the hub for a model.")
captioner_option = click.option(
    "--captioner",
    metavar="MODEL",
    help='Image-to-text model (a folder or a name on the hub), or "labels".',
)
max_risk_option = click.option(
    "--max-risk",
    type=float,
    default=0.05,
    show_default=True,
    help="Share of the photos of learned events that may be called unknown.",
)


def open_book(
    store: Path,
    *,
    captioner: str | None = None,
    offline: bool = False,
    max_risk: float = 0.05,
) -> RememberAI:
    """Open a store with the models that the command names."""
    from rememberai import RememberAI

    return RememberAI.open(store, captioner=captioner, offline=offline, max_risk=max_risk)


def finish(report: Report, as_json: bool) -> None:
    """Show a report, and end with the status that it deserves."""
    from rememberai import display

    display.show_json(report) if as_json else display.show_report(report)
    failed = report.count("failed")
    if failed:
        sys.exit(SOME_FAILED if failed < len(report.outcomes) else 1)


def say(facts: dict[str, object], sentence: str, as_json: bool) -> None:
    """Print a result of one line: the sentence, or the facts in it as JSON."""
    from rememberai import display

    display.show_json(facts) if as_json else click.echo(sentence)
