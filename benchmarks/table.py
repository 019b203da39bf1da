"""Rewrite docs/benchmarks.md: between its markers, the tables of the newest runs' records."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._records import FOLDER, ROOT, newest_run

if TYPE_CHECKING:
    from benchmarks._records import Record

BENCHMARKS = (
    "events_memex",
    "events",
    "events_speed",
    "add_texts",
    "text_speed",
    "captioning",
    "gpu",
    "decode",
    "near_duplicates",
    "image_features",
    "text_to_photo",
    "fused_events",
    "search",
    "store_rows",
    "index_kinds",
    "index_filters",
    "durability",
    "peers",
    "report",
    "event_map",
    "import_time",
    "memory",
)
PAGE = ROOT / "docs" / "benchmarks.md"


def main(argv: list[str] | None = None) -> None:
    """Rewrite the page in place."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=Path, default=FOLDER, help="folder of the raw records")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(argv)
    page = options.page.read_text(encoding="utf-8")
    for name in BENCHMARKS:
        records = newest_run(name, options.records)
        if records:
            module = import_module(f"benchmarks.{name}")
            page = between_markers(page, name, f"{module.table(records)}\n\n{caption(records)}")
    options.page.write_text(page, encoding="utf-8")


def between_markers(page: str, name: str, text: str) -> str:
    """Replace what stands between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise SystemExit(f"the page must have {begin} once, and {end} after it")
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def caption(records: list[Record]) -> str:
    """Tell when, on what and with what each run was made."""
    runs = {record["run"]: record for record in reversed(records)}
    return "\n\n".join(_of_run(runs[run]) for run in sorted(runs))


def _of_run(first: Record) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in first["packages"].items())
    state = " with changes not committed" if first["changed_since_commit"] else ""
    settings = ", ".join(f"{name} {value}" for name, value in first["settings"].items())
    return (
        f"*{first['date'][:10]}, {first['cpu']}, {first['cores']} cores, load "
        f"{first['load_at_start']} at the start, {first['system']}, Python {first['python']}; "
        f"{packages}; commit {first['commit'][:12] or 'unknown'}{state}; {settings}.*"
    )


if __name__ == "__main__":
    main()
