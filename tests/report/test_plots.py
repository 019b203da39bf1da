"""Static plots: what they show, that titles do not overlap, and that nothing global changes."""

from __future__ import annotations

import io
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib
from matplotlib import font_manager

from rememberai import InputError, MissingExtraError
from rememberai.report import plots


def crowd(n_events=25, n=1500, seed=0):
    """Events that lie over each other, some photos without one."""
    random = np.random.default_rng(seed)
    events = random.integers(-1, n_events, n)
    places = random.normal(size=(n_events + 1, 2))[events] + 0.5 * random.normal(size=(n, 2))
    titles = {i: f"a day like many others, number {i}"[: 8 + i] for i in range(n_events)}
    return places, events.tolist(), titles


def titles_of(figure):
    """Each title's box, measured after the figure was drawn and in the axes' pixels."""
    figure.canvas.draw()
    (axes,) = figure.axes
    frame = axes.get_window_extent()
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    return boxes, frame


def overlap(a, b):
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


@pytest.mark.parametrize("seed", range(3))
def test_titles_do_not_overlap_and_stay_inside(seed):
    places, events, titles = crowd(seed=seed)
    boxes, frame = titles_of(plots.plot_event_map(places, events, titles))
    named = list(boxes.values())
    assert len(named) > 15
    for i, box in enumerate(named):
        assert not any(overlap(box, other) for other in named[:i])
        assert frame.x0 <= box.x0 <= box.x1 <= frame.x1
        assert frame.y0 <= box.y0 <= box.y1 <= frame.y1


def test_where_there_is_room_a_title_is_in_the_middle_of_its_event():
    places = np.repeat([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], 5, axis=0)
    figure = plots.plot_event_map(places, ["sea"] * 5 + ["hill"] * 5 + [None] * 5)
    (axes,) = figure.axes
    assert {t.get_text(): t.get_position() for t in axes.texts} == {
        "sea": pytest.approx((0, 0), abs=1e-6),
        "hill": pytest.approx((10, 0), abs=1e-6),
    }


def test_of_boxes_in_one_spot_the_first_stays_and_one_too_large_goes():
    anchors = np.full((4, 2), 50.0)
    sizes = np.array([[20.0, 10.0], [20.0, 10.0], [200.0, 10.0], [20.0, 10.0]])
    found = plots.free_places(anchors, sizes, np.array([[0.0, 0.0], [100.0, 100.0]]))
    assert found[0].tolist() == [50, 50]
    assert np.isnan(found[2]).all()
    for i, j in ((0, 1), (0, 3), (1, 3)):
        assert (np.abs(found[i] - found[j]) >= [20, 10]).any()


def test_every_photo_is_drawn_once_and_events_differ_by_colour_or_marker():
    places, events, titles = crowd()
    (axes,) = plots.plot_event_map(places, events, titles).axes
    drawn = {c.get_label(): c for c in axes.collections}
    total = np.vstack([np.asarray(c.get_offsets()) for c in axes.collections])
    assert sorted(map(tuple, total.tolist())) == sorted(map(tuple, places.tolist()))
    looks = {
        (tuple(drawn[str(e)].get_facecolor()[0]), drawn[str(e)].get_paths()[0].vertices.tobytes())
        for e in range(25)
    }
    assert len(looks) == 25


def test_the_same_map_is_drawn_the_same():
    first, second = (pixels(plots.plot_event_map(*crowd())) for _ in range(2))
    assert first == second


def pixels(figure):
    file = io.BytesIO()
    figure.savefig(file, format="raw")
    return file.getvalue()


def test_confusion_counts_what_was_taken_for_what():
    truth = ["sea", "sea", "sea", "hill", "hill"]
    answers = ["sea", "sea", "hill", "hill", None]
    (axes,) = plots.plot_confusion(truth, answers).axes
    columns = [tick.get_text() for tick in axes.get_xticklabels()]
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    assert (rows, columns) == (["hill", "sea"], ["hill", "sea", "unknown"])
    shown = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shown, [[1 / 2, 0, 1 / 2], [1 / 3, 2 / 3, 0]])
    cells = {(rows[round(y)], columns[round(x)]): text for x, y, text in texts_of(axes)}
    assert cells == {
        ("hill", "hill"): "1",
        ("hill", "unknown"): "1",
        ("sea", "hill"): "1",
        ("sea", "sea"): "2",
    }


def texts_of(axes):
    return [(*text.get_position(), text.get_text()) for text in axes.texts]


def test_risk_and_coverage_against_counting():
    random = np.random.default_rng(0)
    sure = random.integers(0, 8, 50) / 8
    hits = random.random(50) < sure
    coverage, risk = plots.risk_coverage(sure, hits)
    limits = np.unique(sure)[::-1]
    np.testing.assert_allclose(coverage, [(sure >= limit).mean() for limit in limits])
    np.testing.assert_allclose(risk, [1 - hits[sure >= limit].mean() for limit in limits])
    figure = plots.plot_risk_coverage({"one": (sure, hits), "other": (-sure, hits)})
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), np.c_[coverage, risk])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "other"]


def test_selection_curves_are_means_with_their_standard_error():
    curves = {"likelihood": {1: [0.2, 0.4, 0.3], 10: [0.5, 0.7, 0.6]}, "random": {1: 0.1, 10: 0.3}}
    figure = plots.plot_selection_curves({"albums": curves, "texts": {"random": {5: [0.5]}}})
    albums, texts = figure.axes
    lines = {line.get_label(): line for line in albums.lines}
    means = [line.get_ydata().tolist() for line in albums.lines]
    np.testing.assert_allclose(means, [[0.3, 0.6], [0.1, 0.3]])
    band = albums.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose([band.y0, band.y1], [0.3 - 0.1 / 3**0.5, 0.6 + 0.1 / 3**0.5])
    assert (albums.get_title(), texts.get_title()) == ("albums", "texts")
    assert len(lines) == 2
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["likelihood", "random"]


def every_plot():
    return [
        plots.plot_event_map(*crowd()),
        plots.plot_confusion(["sea", "hill"], ["sea", None]),
        plots.plot_risk_coverage({"one": ([0.5, 0.2], [True, False])}),
        plots.plot_selection_curves({"albums": {"random": {1: [0.1], 3: [0.2]}}}),
    ]


def test_no_global_state_of_matplotlib_changes():
    before, backend = dict(matplotlib.rcParams), matplotlib.get_backend(auto_select=False)
    loaded = "matplotlib.pyplot" in sys.modules
    for figure in every_plot():
        figure.savefig(io.BytesIO(), format="svg")
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.get_backend(auto_select=False) == backend
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_a_map_of_nothing_and_of_noise_is_drawn():
    for n in (0, 3):
        figure = plots.plot_event_map(np.zeros((n, 2)), [None] * n)
        figure.savefig(io.BytesIO(), format="png")
        assert not figure.axes[0].texts


def test_hangul_is_drawn_where_a_font_has_it():
    known = set(font_manager.get_font_names())
    if not known & set(plots._HANGUL.split(",")):
        pytest.skip("no font with Hangul is known to matplotlib")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.plot_event_map(np.eye(2), ["졸업식", "생일 파티"])
        figure.savefig(io.BytesIO(), format="png")
        plots.plot_confusion(["졸업식"], [None]).savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.plot_event_map(np.zeros((3, 3)), [0, 0, 0]),
        lambda: plots.plot_event_map(np.zeros((3, 2)), [0, 0]),
        lambda: plots.plot_confusion([], []),
        lambda: plots.plot_confusion(["sea"], ["sea", "hill"]),
        lambda: plots.risk_coverage([0.1], [True, False]),
        lambda: plots.risk_coverage([], []),
    ],
)
def test_what_does_not_pair_up_is_refused(call):
    with pytest.raises(InputError, match="came"):
        call()


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"rememberai\[plots\]"):
        plots.plot_confusion(["sea"], ["sea"])
