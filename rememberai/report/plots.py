"""Static plots for papers and READMEs, drawn by matplotlib without its global state.

Colours are those of Okabe and Ito, which colour-blind people tell apart, the yellow darkened; what
they tell, markers and dashes tell as well, so that a plot can be printed in black and white.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._optional import require
from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

UNKNOWN = "unknown"
_COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #B8A800".split()
_GREY = "#999999"
_MARKERS = "osD^vP*"
_DASHES = ("-", "--", "-.", ":")
# Before 3.11, matplotlib knows a collection of fonts by its first, which is the Japanese one.
_HANGUL = "Noto Sans CJK KR,Noto Sans CJK JP,Noto Sans KR,NanumGothic,Apple SD Gothic Neo"
_HANGUL += ",Malgun Gothic"
_RASTER_FROM = 2_000  # points; as vectors they make a file slow to open
_TRIES = 600
_GOLDEN = np.pi * (3 - 5**0.5)


def plot_event_map(
    places: ArrayLike,
    events: Sequence[str | int | None],
    titles: Mapping[Any, str] | None = None,
    *,
    size: tuple[float, float] = (7.0, 5.0),
) -> Figure:
    """Draw a map of photos, coloured by event, with titles that do not overlap.

    Parameters
    ----------
    places
        (n, 2), as `EventMap` gives them.
    events
        The event of each photo; None or -1 for none, drawn in grey.
    titles
        What to write for an event; without it, its name. The largest event's title is placed
        first, as near to the event's middle as there is room; one without room is left out.
    size
        Width and height in inches.

    Raises
    ------
    InputError
        The arrays do not pair up.
    MissingExtraError
        matplotlib is not installed.
    """
    array = np.asarray(places, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) != len(events):
        raise InputError(
            f"places must be (n, 2) and events n; {array.shape} and {len(events)} came"
        )
    known = Counter(event for event in events if event is not None and event != -1)
    ranked = sorted(known, key=lambda event: (-known[event], str(event)))
    of_point = np.array([_rank(event, ranked) for event in events], np.intp)
    figure, axes = _figure(size)
    axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    look: dict[str, Any] = {
        "s": float(np.clip(20_000 / max(1, len(array)), 2, 24)),
        "linewidths": 0,
        "rasterized": len(array) > _RASTER_FROM,
    }
    axes.scatter(*array[of_point < 0].T, c=_GREY, alpha=0.5, marker=".", **look)
    for rank, event in reversed(list(enumerate(ranked))):
        style = {"c": _COLOURS[rank % len(_COLOURS)], "marker": _marker(rank)}
        axes.scatter(*array[of_point == rank].T, label=str(event), alpha=0.8, **style, **look)
    middles = [np.median(array[of_point == rank], axis=0) for rank in range(len(ranked))]
    names = [str((titles or {}).get(event, event)) for event in ranked]
    _write_titles(figure, axes, names, np.array(middles).reshape(-1, 2))
    return figure


def plot_confusion(
    truth: Sequence[str],
    answers: Sequence[str | None],
    *,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw which events are taken for which: a row for each true event, shaded by its share.

    Parameters
    ----------
    truth
        The true event of each album or photo.
    answers
        The event it was assigned to; None for unknown.
    size
        Width and height in inches; by the number of events where not given.

    Raises
    ------
    InputError
        There is nothing to draw, or the two do not pair up.
    MissingExtraError
        matplotlib is not installed.
    """
    if len(truth) != len(answers) or not len(truth):
        raise InputError(f"every truth needs an answer; {len(truth)} and {len(answers)} came")
    told = [UNKNOWN if answer is None else answer for answer in answers]
    names = sorted({*truth, *told} - {UNKNOWN})
    names += [UNKNOWN] * (UNKNOWN in {*truth, *told})
    counts = np.zeros((len(names), len(names)), int)
    place = {name: i for i, name in enumerate(names)}
    np.add.at(counts, ([place[name] for name in truth], [place[name] for name in told]), 1)
    counts = counts[counts.any(axis=1)]
    rows = [name for name in names if name in set(truth)]
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure, axes = _figure(size or (1.8 + 0.42 * len(names), 1.2 + 0.42 * len(rows)))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="answer", ylabel="truth")
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.7 else "black"
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", color=colour, size=8
        )
    return _with_fonts(figure)


def risk_coverage(
    confidence: ArrayLike, correct: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the error among the surest answers, for every share of them that can be told apart.

    Parameters
    ----------
    confidence
        (n,) higher is surer; equally sure answers are taken in together.
    correct
        (n,) whether each answer is right.

    Returns
    -------
    tuple
        Coverages, rising to 1, and the risk at each: the share of wrong answers in it.

    Raises
    ------
    InputError
        There are no answers, or the two do not pair up.

    References
    ----------
    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010.
    """
    sure, hits = np.asarray(confidence, np.float64), np.asarray(correct, bool)
    if sure.ndim != 1 or sure.shape != hits.shape or not len(sure):
        raise InputError(
            f"every answer needs a confidence; the shapes {sure.shape} and {hits.shape} came"
        )
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    wrong = np.cumsum(~hits[order])[last]
    return (last + 1) / len(sure), wrong / (last + 1)


def plot_risk_coverage(
    answers: Mapping[str, tuple[ArrayLike, ArrayLike]], *, size: tuple[float, float] = (4.5, 3.4)
) -> Figure:
    """Draw how the error falls as unsure answers are left to people.

    Parameters
    ----------
    answers
        For each curve's name, confidence and whether the answer was right; see `risk_coverage`.
    size
        Width and height in inches.

    Raises
    ------
    InputError
        As `risk_coverage`.
    MissingExtraError
        matplotlib is not installed.
    """
    curves = {name: risk_coverage(*pair) for name, pair in answers.items()}
    figure, axes = _figure(size)
    for rank, (name, (coverage, risk)) in enumerate(curves.items()):
        axes.plot(coverage, risk, drawstyle="steps-pre", label=name, **_line(rank))
    axes.set(xlabel="coverage", ylabel="risk (share of wrong answers)", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    _open_frame(axes)
    axes.legend(frameon=False, fontsize=8)
    return _with_fonts(figure)


def plot_selection_curves(
    panels: Mapping[str, Mapping[str, Mapping[int, ArrayLike]]],
    *,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw accuracy by the number of prototypes, one curve for each way to choose them.

    Parameters
    ----------
    panels
        For each panel's title, for each curve's name, for each number of prototypes: the
        accuracies of the repeats, from 0 to 1. The curve is their mean, the band a standard error
        of it to either side.
    size
        Width and height in inches; by the number of panels where not given.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    figure, every = _figure(size or (1.8 + 3.6 * len(panels), 3.6), len(panels))
    handles: dict[str, Any] = {}
    for axes, (title, curves) in zip(np.atleast_1d(every), panels.items(), strict=True):
        numbers = sorted({number for curve in curves.values() for number in curve})
        axes.set(title=title, xscale="log", xlabel="prototypes per event", ylabel="accuracy")
        axes.set_xticks(numbers, [str(number) for number in numbers])
        axes.minorticks_off()
        for rank, (name, curve) in enumerate(curves.items()):
            ordered = sorted(curve)
            repeats = [np.atleast_1d(np.asarray(curve[number], float)) for number in ordered]
            means = np.array([r.mean() for r in repeats])
            off = np.array([r.std(ddof=1) / len(r) ** 0.5 if len(r) > 1 else 0 for r in repeats])
            style = _line(rank)
            (handles[name],) = axes.plot(ordered, means, marker=_marker(rank), ms=4, **style)
            axes.fill_between(
                ordered, means - off, means + off, color=style["color"], alpha=0.12, lw=0
            )
        _open_frame(axes)
    figure.legend(handles.values(), handles, loc="outside right center", frameon=False, fontsize=8)
    return _with_fonts(figure)


def _figure(size: tuple[float, float], n_panels: int = 1) -> tuple[Figure, Any]:
    require("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=150, layout="constrained")
    return figure, figure.subplots(1, n_panels)


def _with_fonts(figure: Figure) -> Figure:
    """Let every text fall back on a font with Hangul, where one is installed."""
    from matplotlib.font_manager import get_font_names
    from matplotlib.text import Text

    installed = set(get_font_names())
    families = ["DejaVu Sans", *(name for name in _HANGUL.split(",") if name in installed)]
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
    return figure


def _marker(rank: int) -> str:
    """Give the marker of a colour's first turn, then of its second."""
    return _MARKERS[(rank + rank // len(_COLOURS)) % len(_MARKERS)]


def _line(rank: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[rank % len(_COLOURS)],
        "linestyle": _DASHES[(rank + rank // len(_COLOURS)) % len(_DASHES)],
        "linewidth": 1.4,
    }


def _open_frame(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)


def _rank(event: str | int | None, ranked: list[Any]) -> int:
    return ranked.index(event) if event in ranked else -1


def _write_titles(
    figure: Figure, axes: Axes, names: list[str], middles: NDArray[np.float64]
) -> None:
    """Write each title where there is room, with a line to the middle that it is away from."""
    back = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
    texts = [
        axes.text(x, y, textwrap.fill(name, 24), ha="center", va="center", size=7, bbox=back)
        for name, (x, y) in zip(names, middles, strict=True)
    ]
    _with_fonts(figure)
    figure.draw_without_rendering()  # so that the layout is settled before anything is measured
    figure.set_layout_engine("none")
    frame = axes.get_window_extent()
    anchors = axes.transData.transform(middles)
    boxes = [text.get_window_extent().padded(3) for text in texts]
    sizes = np.array([box.size for box in boxes]).reshape(-1, 2)
    places = free_places(anchors, sizes, np.array([frame.min, frame.max]))
    to_data = axes.transData.inverted().transform
    for rank, (text, place) in enumerate(zip(texts, places, strict=True)):
        if np.isnan(place).any():
            text.remove()
            continue
        x, y = to_data(place)
        text.set_position((x, y))
        if abs(place - anchors[rank]).max() > sizes[rank, 1]:
            colour = _COLOURS[rank % len(_COLOURS)]
            axes.plot([middles[rank, 0], x], [middles[rank, 1], y], color=colour, lw=1, zorder=2)


def free_places(
    anchors: NDArray[np.float64], sizes: NDArray[np.float64], frame: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place boxes near their anchors, one after the other, none over another or over the frame.

    Parameters
    ----------
    anchors, sizes
        (n, 2) where each box would best have its centre, and its width and height.
    frame
        (2, 2) the lower left and upper right corner.

    Returns
    -------
    NDArray[np.float64]
        (n, 2) centres, on a spiral around the anchor; NaN where there was no room.
    """
    turns = np.arange(_TRIES)
    angles = _GOLDEN * turns
    spiral = np.sqrt(turns)[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    places = np.full(anchors.shape, np.nan)
    for i, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        tried = anchor + 0.5 * size[1] * spiral
        free = ((tried - size / 2 >= frame[0]) & (tried + size / 2 <= frame[1])).all(axis=1)
        taken = places[:i]
        gaps = np.abs(tried[:, None] - taken) - (size + sizes[:i]) / 2
        free &= ~(gaps < 0).all(axis=2).any(axis=1)  # NaN is no hindrance
        if free.any():
            places[i] = tried[free.argmax()]
    return places
