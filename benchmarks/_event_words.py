"""What the records of the events benchmark say of cosine and L2, and of centre and periphery."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from benchmarks import _event_arms as arms
from benchmarks._records import figures, of_arm

if TYPE_CHECKING:
    from benchmarks._records import Record

_UNIT = 1e-4


def answers(records: list[Record]) -> str:
    """Answer the two questions as far as the records go."""
    parts = [_algebra(records), _metric(records), _centre(records)]
    return " ".join(part for part in parts if part)


def _algebra(records: list[Record]) -> str:
    """Say where cosine and L2 can't differ."""
    pairs = of_arm(records, task="pairs")
    if not pairs:
        return ""
    shortest, longest = min(figures(pairs, "shortest")), max(figures(pairs, "longest"))
    encoders = " and ".join(dict.fromkeys(r["arm"]["encoder"] for r in pairs))
    gap = max(abs(r["figures"]["cosine"] - r["figures"]["raw L2"]) for r in pairs)
    if shortest < 1 - _UNIT or longest > 1 + _UNIT:
        return (
            f"The vectors of {encoders} are from {shortest:.3f} to {longest:.3f} long, so that "
            f"cosine and L2 rank differently: on sentence pairs by up to {100 * gap:.2f} points of "
            "Spearman's correlation."
        )
    text = (
        f"The vectors of {encoders} have length one as they come, and there L2 is the root of "
        "2 - 2 cos: cosine and raw L2 rank alike by algebra (the correlations on sentence pairs "
        f"differ by {100 * gap:.3f} points, ties in the last digit)."
    )
    text += _alike(records)
    found = of_arm(records, task="stories")
    both = {r["arm"]["arm"]: r["figures"]["@1"]["accuracy"] for r in found}
    if both:
        text += (
            " They part where vectors are means, centred or whitened: against the mean of an "
            f"album's stories, {100 * both['mean, cosine']:.1f}% find their album by cosine and "
            f"{100 * both['mean, raw L2']:.1f}% by L2."
        )
    return text


def _alike(records: list[Record]) -> str:
    """Count the runs of the grid in which both metrics gave the same answers."""
    same: dict[str, list[bool]] = {}
    for cosine in of_arm(records, task="grid", metric="cosine"):
        twins = of_arm(records, **{**cosine["arm"], "metric": "raw L2"})
        other = next((r for r in twins if r["repeat"] == cosine["repeat"]), None)
        for n in map(str, arms.NUMBERS if other else ()):
            hits = (r["figures"][n]["hits"] for r in (cosine, other))
            same.setdefault(cosine["arm"]["selection"], []).append(len(set(hits)) == 1)
    if not same:
        return ""
    runs = [each for every in same.values() for each in every]
    text = f" In {sum(runs)} of {len(runs)} runs of the grid every hit and miss is the same"
    odd = [selection for selection, every in same.items() if not all(every)]
    why = " (centroids of unit length or not, ties in the last digit)"
    return f"{text}; the others are of {', '.join(odd)}{why}." if odd else f"{text}."


def _level(records: list[Record], data: str, **arm: str) -> float:
    """Average accuracy over repeats and numbers of prototypes."""
    some = of_arm(records, task="grid", data=data, **arm)
    return mean(f["accuracy"] for n in arms.NUMBERS for f in figures(some, str(n)))


def _metric(records: list[Record]) -> str:
    """Say how the metrics did, averaged over selections and numbers, and which is the default."""
    if not of_arm(records, task="grid"):
        return ""
    said, lead = [], {}
    for data in ("memex", "happydb"):
        levels = {
            metric: mean(_level(records, data, metric=metric, selection=s) for s in arms.SELECTIONS)
            for metric in arms.METRICS
        }
        told = ", ".join(f"{name} {100 * level:.1f}" for name, level in levels.items())
        said.append(f"{data} {told}")
        lead[data] = {name: 100 * (level - levels["cosine"]) for name, level in levels.items()}
    best = max(arms.METRICS, key=lambda name: min(lead[data][name] for data in lead))
    gains = [lead[data][best] for data in lead]
    verdict = (
        "No other metric gains on both, so cosine, which asks nothing of the vectors' lengths, is "
        "the default."
        if best == "cosine" or min(gains) <= 0
        else f"The default is cosine, which needs no seeds to be learned from; {best} gains "
        f"{' and '.join(f'{gain:.1f}' for gain in gains)} points in the vote of prototypes, and "
        "what it knows, the covariance of the seeds, is in the Gaussian head of the default method."
        if best == "whitened"
        else f"The default is cosine, which needs no mean to be kept with the vectors; {best} "
        f"gains {' and '.join(f'{gain:.1f}' for gain in gains)} points."
    )
    return (
        "Accuracy in %, averaged over selections and numbers of prototypes: "
        + "; ".join(said)
        + ". "
        + verdict
    )


def _centre(records: list[Record]) -> str:
    """Say whether the centre of an event beats its periphery, and what beats both."""
    if not of_arm(records, task="grid"):
        return ""
    said, wins, cells = [], 0, 0
    for data in ("memex", "happydb"):
        some = of_arm(records, task="grid", data=data)
        for metric in arms.METRICS:
            for n in map(str, arms.NUMBERS):
                centre, edge = (
                    mean(
                        f["accuracy"]
                        for f in figures(of_arm(some, metric=metric, selection=selection), n)
                    )
                    for selection in ("centroid", "periphery")
                )
                wins, cells = wins + (centre > edge), cells + 1
        levels = {s: _level(records, data, metric="cosine", selection=s) for s in arms.SELECTIONS}
        best = max(levels, key=lambda s: levels[s])
        said.append(
            f"on {data} the centre reaches {100 * levels['centroid']:.1f}%, chance "
            f"{100 * levels['random']:.1f}%, the periphery {100 * levels['periphery']:.1f}%, and "
            f"the best, {best}, {100 * levels[best]:.1f}%"
        )
    return (
        f"The centre of an event beats its periphery in {wins} of {cells} comparisons of the grid; "
        f"by cosine, averaged over the numbers of prototypes, {'; '.join(said)}."
    )
