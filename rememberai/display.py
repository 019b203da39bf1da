"""Results as tables on a terminal, or as JSON for scripts."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rememberai._watching import watching
from rememberai.records import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.progress import Task

    from rememberai.events import Assignment
    from rememberai.records import (
        Discovery,
        Hit,
        Outcome,
        PhotoBurst,
        Progress,
        Report,
        StoreInfo,
    )

_NAMED = 20
_WIDE = 1000  # columns where no terminal limits them, so that a file name stays whole
_SHOWN = 200
_MOMENT = 1e-3  # seconds; a stage that ends at once
_ROUND = 10  # a second; a slower rate has two digits
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Make words of others safe for a terminal: in one line, without control characters."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def show_json(result: object) -> None:
    """Print a result as one JSON document on standard output."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    document = json.dumps(result, default=_plain, ensure_ascii=not unicode, indent=1)
    # JSON leaves DEL and the control characters above it as they are.
    print(_UNSAFE.sub(_escaped, document))  # noqa: T201


def show_report(report: Report) -> None:
    """Print the counts, and which inputs a person should look at, those of one reason together."""
    _outcomes(outcome for outcome in report.outcomes if outcome.status != "skipped")
    _line(str(report))


def show_assignment(answer: Assignment, album: str) -> None:
    """Print the event of an album, why, and which inputs had no vote."""
    _line(f"{album}: {answer}")
    _table(
        ("event", "probability"),
        [(event, f"{share:.2f}") for event, share in answer.ranking[:3]],
    )
    _table(
        ("distance", "nearest prototype", "of"),
        [
            (f"{near.distance:.2f}", near.text or "a picture", near.event)
            for near in answer.nearest[:3]
        ],
    )
    if answer.telling_words:
        _line(f"telling words: {', '.join(answer.telling_words)}")
    _line(f"{answer.n_photos} photos had a vote")
    _outcomes(answer.outcomes)


def show_discovery(found: Discovery) -> None:
    """Print the events that were found, a line each."""
    _table(
        ("number", "photos", "event", "looks like", "most typical", "words"),
        [
            (
                str(event.event_id),
                str(len(event.photo_ids)),
                event.title,
                event.known_event or ", ".join(f"not {name}" for name in event.rejected),
                ", ".join(hit.name for hit in event.representatives[:2]),
                event.representatives[0].text,
            )
            for event in found
        ],
    )
    new = f"; {len(found.new)} photos are new since" if found.new else ""
    _line(f"{len(found)} events; {len(found.noise)} photos fell in none{new}")


def show_hits(hits: Sequence[Hit], why_none: str = "") -> None:
    """Print the photos that a search found, a line each; or why there are none."""
    _table(
        ("distance", "photo", "words", "by"),
        [
            (f"{hit.distance:.2f}", hit.path or hit.name, hit.text, hit.text_source or "")
            for hit in hits
        ],
    )
    if not hits:
        _line(f"nothing found: {why_none}")


def show_bursts(bursts: Sequence[PhotoBurst], names: Mapping[str, str]) -> None:
    """Print the photos of each burst, a line each, the face first."""
    for burst in bursts:
        others = [names[photo] for photo in burst.photo_ids if photo != burst.face]
        _line(f"{names[burst.face]} and {', '.join(others)}")
    _line(f"{len(bursts)} bursts")


def show_info(info: StoreInfo) -> None:
    """Print what a store holds."""
    _table(
        ("", ""),
        [
            ("store", info.path),
            (
                "photos",
                f"{info.photos}: {info.memories} with a memory, {info.captions} with a caption"
                + (f", {info.labels} with a label" if info.labels else ""),
            ),
            ("waiting", f"{info.waiting} without words yet"),
            ("events", ", ".join(info.events) or "none learned yet"),
            ("seeds", str(info.seeds)),
            ("model", f"{info.model_id}, dimension {info.dimension}, {info.metric}"),
            ("other models", ", ".join(m for m in info.models if m != info.model_id) or "none"),
            ("size", f"{info.bytes / 1e6:.1f} MB; the index has {info.index_bytes / 1e6:.1f} MB"),
            ("format", f"{info.format}; version {info.version}, {info.kept_versions} are kept"),
        ],
    )


def show_check(report: Report) -> None:
    """Print every row of what a check found, and the verdict."""
    _table(
        ("", "what", ""),
        [(outcome.status, outcome.item, outcome.reason) for outcome in report.outcomes],
    )
    waiting, failed = report.count("waiting"), report.count("failed")
    if not waiting + failed:
        _line("all is sound")
        return
    mended = f"; `rememberai check --repair` mends {waiting}" if waiting else ""
    _line(f"{waiting + failed} flaw{'s' * (waiting + failed > 1)}{mended}")


def heading(text: str) -> None:
    """Print a line that stands out."""
    Console().print()
    Console().print(Text(printable(text), style="bold cyan"), soft_wrap=True)


@contextmanager
def progress(*, passing: bool = False) -> Iterator[Progress]:
    """Draw a bar for each stage on a terminal's standard error, and nothing elsewhere.

    A stage shows how far it is, its rate and the time left; as long as it is of a single step, how
    long it has taken.

    Parameters
    ----------
    passing
        Leave nothing on the terminal at the end.
    """
    from rich.progress import (
        BarColumn,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not console.is_terminal:
        yield quiet
        return

    class Count(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(
                f"{task.completed:.0f}/{task.fields['of']}" if task.fields["of"] > 1 else ""
            )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            if task.fields["of"] <= 1 or not task.completed:
                return Text("")
            rate = task.speed or task.completed / max(task.elapsed or 0.0, _MOMENT)
            return Text(f"{rate:,.0f}/s" if rate >= _ROUND else f"{rate:.2g}/s")

    class Clock(ProgressColumn):
        def render(self, task: Task) -> Text:
            counted = task.fields["of"] > 1 and not task.finished
            return (TimeRemainingColumn() if counted else TimeElapsedColumn()).render(task)

    columns = (TextColumn("{task.description:>10}"), BarColumn(), Count(), Rate(), Clock())
    with Bars(*columns, console=console, transient=passing) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, of=total)
            pulsing = done < total <= 1
            bars.update(tasks[stage], completed=done, of=total, total=None if pulsing else total)

        with watching(show):
            yield show


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal's standard error how long a job that can't be counted has taken."""
    with progress(passing=True) as shown:
        shown(what, 0, 1)
        yield


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, show_header=any(columns), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(text) for text in row))
    if table.row_count:
        _console().print(table)


def _outcomes(outcomes: Iterable[Outcome]) -> None:
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.reason:
            named[outcome.status, outcome.reason].append(outcome.item)
    for (status, reason), items in named.items():
        more = f", ... {len(items) - _NAMED} more (--json names all)" if len(items) > _NAMED else ""
        _line(f"{len(items)} {status}: {reason}")
        _line(", ".join(items[:_NAMED]) + more, indent=4)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def _cell(text: str) -> Text:
    text = printable(text)
    if len(text) > _SHOWN:
        text = f"{text[:_SHOWN].rstrip()} ... (--json shows all)"
    return Text(text)  # never markup


def _line(text: str, indent: int = 0) -> None:
    Console().print(Text(" " * indent + printable(text)), soft_wrap=True)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value)}")
