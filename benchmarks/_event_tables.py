"""Tables, plots and sentences of the events benchmark, computed from its records alone."""

from __future__ import annotations

from itertools import product
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from benchmarks import _event_arms as arms
from benchmarks import _event_unknown
from benchmarks import _event_words as words
from benchmarks._records import figures, markdown, of_arm
from rememberai.report.plots import plot_selection_curves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks._records import Record

_DATA = {"memex": "albums (memex)", "happydb": "texts (happydb)"}


def table(records: list[Record]) -> str:
    """Write what was run, task by task, and what follows from it."""
    parts = [
        words.answers(records),
        *(_numbers(records, data) for data in _DATA),
        *(_metrics(records, data) for data in _DATA),
        *(_sweep(records, encoder) for encoder in ("MiniLM", "USE")),
        _event_unknown.table(of_arm(records, task="unknown")),
        _clusters(of_arm(records, task="clusters")),
        _stories(of_arm(records, task="stories")),
        _pairs(of_arm(records, task="pairs")),
        _shuffles(of_arm(records, task="shuffles")),
        _peer_clusters(of_arm(records, task="peer clusters")),
        _peer_learners(of_arm(records, task="peer learners")),
    ]
    return "\n\n".join(part for part in parts if part)


def cell(repeats: Sequence[Record], *, bounds: bool = True) -> str:
    """Write a mean accuracy, with its interval."""
    middle = f"{100 * mean(r['accuracy'] for r in repeats):.1f}"
    if not bounds:
        return middle
    low, high = arms.interval(repeats)
    return f"{middle} ({100 * low:.0f}–{100 * high:.0f})"


def _numbers(records: list[Record], data: str) -> str:
    """Lay out selections by numbers of prototypes, by cosine."""
    some = of_arm(records, task="grid", data=data, metric="cosine")
    if not some:
        return ""
    rows = [
        [
            selection,
            *(
                cell(figures(of_arm(some, selection=selection), str(n)), bounds=n == 10)
                for n in arms.NUMBERS
            ),
        ]
        for selection in arms.SELECTIONS
    ]
    header = ["", *(f"{n} prototype{'s' * (n > 1)}" for n in arms.NUMBERS)]
    return f"{_DATA[data].capitalize()}, accuracy in %, kernel vote, cosine, no names:\n\n" + (
        markdown(header, rows)
    )


def _metrics(records: list[Record], data: str) -> str:
    """Lay out selections by metrics, ten prototypes, and every number's mean."""
    some = of_arm(records, task="grid", data=data)
    if not some:
        return ""
    rows = []
    for selection in arms.SELECTIONS:
        own = [of_arm(some, selection=selection, metric=metric) for metric in arms.METRICS]
        rows.append([selection, *(cell(figures(arm, "10")) for arm in own)])
    return f"{_DATA[data].capitalize()}, the same with ten prototypes, by metric:\n\n" + markdown(
        ["", *arms.METRICS], rows
    )


def _sweep(records: list[Record], encoder: str) -> str:
    some = of_arm(records, task="sweep", encoder=encoder)
    if not some:
        return ""
    keys = ("metric", "selection", "n", "method")
    order = dict.fromkeys(tuple(r["arm"][key] for key in keys) for r in some)
    default = next(iter(order))
    rows = []
    for values in order:
        arm = dict(zip(keys, values, strict=True))
        changed = [f"{k} {v}" for k, v, d in zip(keys, values, default, strict=True) if v != d]
        cells = [
            [r["figures"] for r in of_arm(some, **arm, **which)]
            for which in (
                {"data": "memex", "names": True},
                {"data": "memex", "names": False},
                {"data": "happydb"},
            )
        ]
        rows.append([", ".join(changed) or "default", *(cell(each) for each in cells)])
    told = ", ".join(f"{k} {v}" for k, v in zip(keys, default, strict=True))
    return (
        f"One factor at a time around the default ({told}), {encoder}, accuracy in % and 95% "
        "interval over users or texts:\n\n"
    ) + markdown(["", "albums, events named", "albums, no names", "texts"], rows)


def _clusters(records: list[Record]) -> str:
    if not records:
        return ""
    rows = [_cluster_row(f"{r['arm']['data']}, {r['arm']['arm']}", r["figures"]) for r in records]
    return "Clusters of texts:\n\n" + markdown(["", *_CLUSTER_HEADER], rows)


_CLUSTER_HEADER = ("accuracy %", "NMI %", "clusters (classes)", "noise", "s")


def _cluster_row(name: str, found: Record) -> list[str]:
    if "absent" in found:
        return [name, f"absent: {found['absent']}", "", "", "", ""]
    return [
        name,
        f"{100 * found['accuracy']:.1f}",
        f"{100 * found['nmi']:.1f}",
        f"{found['clusters']} ({found['classes']})",
        f"{found['noise']:.0%}",
        f"{found['seconds']:.1f}",
    ]


def _stories(records: list[Record]) -> str:
    if not records:
        return ""
    rows = []
    for r in records:
        found = r["figures"]
        units = found["@1"]["units"]
        full = [{**found[f"@{k}"], "units": units} for k in (1, 5, 10)]
        rows.append([f"{r['arm']['arm']}, {r['arm']['encoder']}", *(cell([f]) for f in full)])
    return "A story's album, interval over albums:\n\n" + markdown(
        ["", "R@1 %", "R@5 %", "R@10 %"], rows
    )


def _pairs(records: list[Record]) -> str:
    if not records:
        return ""
    names = ("cosine", "raw L2", "centred cosine", "centred raw L2")
    rows = [
        [r["arm"]["encoder"], *(f"{100 * r['figures'][name]:.2f}" for name in names)]
        for r in records
    ]
    return "Pairs of Korean sentences, Spearman in %:\n\n" + markdown(["", *names], rows)


def _shuffles(records: list[Record]) -> str:
    if not records:
        return ""
    found = {digest for digests in figures(records, "digests") for digest in digests}
    times = sum(figures(records, "times"))
    threads = " and ".join(str(r["threads"]) for r in records)
    answers = "one and the same answer" if len(found) == 1 else f"{len(found)} different answers"
    return (
        f"{times} shuffles of the input in all, with {threads} threads, gave {answers} "
        "(prototypes, ranking and probability to six digits, clusters)."
    )


def _peer_clusters(records: list[Record]) -> str:
    if not records:
        return ""
    rows = [
        _cluster_row(f"{r['arm']['data']}, {r['arm']['system']}", r["figures"]) for r in records
    ]
    return "Other systems on the same vectors, clustering:\n\n" + markdown(
        ["", *_CLUSTER_HEADER], rows
    )


def _peer_learners(records: list[Record]) -> str:
    if not records:
        return ""
    rows = []
    for system in dict.fromkeys(r["arm"]["system"] for r in records):
        found = [r["figures"] for r in of_arm(records, system=system)]
        if "absent" in found[0]:
            rows.append([system, f"absent: {found[0]['absent']}", ""])
            continue
        accuracies = [100 * f["accuracy"] for f in found]
        spread = f" (sd {stdev(accuracies):.1f})" if len(accuracies) > 1 else ""
        seconds = mean(f["seconds"] for f in found)
        rows.append([system, f"{mean(accuracies):.1f}{spread}", f"{seconds:.2f}"])
    return "Other systems on the same vectors, concepts of texts from all seeds:\n\n" + markdown(
        ["", "accuracy %", "s to learn and answer"], rows
    )


def plot(records: list[Record], folder: Path) -> None:
    """Draw accuracy by the number of prototypes, one line a selection."""
    some = of_arm(records, task="grid", metric="cosine")
    if not some:
        return
    panels: dict[str, dict[str, Any]] = {}
    for (data, title), selection in product(_DATA.items(), arms.SELECTIONS):
        own = of_arm(some, data=data, selection=selection)
        curve = {n: [f["accuracy"] for f in figures(own, str(n))] for n in arms.NUMBERS}
        panels.setdefault(title, {})[selection] = curve
    folder.mkdir(parents=True, exist_ok=True)
    plot_selection_curves(panels).savefig(folder / "events.svg", metadata={"Date": None})
