"""The page: how long it takes to make, how large it is, its first paint, and the map's frames.

Finding events and making the map are timed apart, since they are done once and kept in the store.
The photos are made up: vectors in clusters, and a few hundred pictures of noise and shapes that
stand for all of them. The map is measured in the page itself; every frame drawn anew by ECharts
beside its picture moved, as the page does with many dots, rectangles on a canvas, batched by
colour, and points by one call of WebGL, which is the least that a library on WebGL must do. This
browser has no graphics card.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from PIL import Image, ImageDraw

from benchmarks._browser import browser, frame_rate, opened, paint_times
from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm
from rememberai import RememberAI
from rememberai.report import album
from rememberai.report.page import LIBRARIES, _asset, page
from rememberai.store.schema import to_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record

NAME = "report"
_KINDS = 10
_OCCASIONS = 400  # photos are of so many days
_WORDS = "sea cake snow song trail gown match grill tree ring".split()
_ACTS = {
    "zoom": """(i) => document.querySelector(".frame").dispatchEvent(new WheelEvent("wheel", {
        deltaY: i % 60 < 30 ? -40 : 40, clientX: 500, clientY: 500, cancelable: true }))""",
    "zoom by steps": """(i) => i % 18 || document.querySelector(".frame").dispatchEvent(
        new WheelEvent("wheel", { deltaY: i % 72 < 36 ? -100 : 100, clientX: 500, clientY: 500,
        cancelable: true }))""",
    "pan": """(i) => document.querySelector(".frame").dispatchEvent(new KeyboardEvent("keydown", {
        key: i % 60 < 30 ? "ArrowLeft" : "ArrowRight", shiftKey: true, cancelable: true }))""",
    "hover": """(i) => document.querySelector(".frame").dispatchEvent(new PointerEvent(
        "pointermove", { clientX: 100 + 8 * (i % 80), clientY: 300 + 3 * (i % 80) }))""",
    "drag": """(i) => (i ? window : document.querySelector(".frame canvas")).dispatchEvent(
        new MouseEvent(i ? "mousemove" : "mousedown", { clientX: 300 + 5 * (i % 60),
        clientY: 350 + 4 * (i % 60), bubbles: true, cancelable: true, view: window }))""",
    "brush": """(i) => (i ? window : document.querySelector(".layer .overlay")).dispatchEvent(
        new MouseEvent(i ? "mousemove" : "mousedown", { clientX: 300 + 5 * (i % 60),
        clientY: 350 + 4 * (i % 60), bubbles: true, cancelable: true, view: window,
        shiftKey: true }))""",
    "legend": """(i) => i % 6 || ((links) => links[(i / 12 | 0) % links.length].dispatchEvent(
        new PointerEvent(i % 12 ? "pointerleave" : "pointerenter")))(
        document.querySelectorAll(".legend a"))""",
}
_DRAWING = Path(__file__).with_name("_drawing.js")
_WAYS = ("ECharts", "moving ECharts' picture", "rectangles", "WebGL")


class Kinds:
    """Embeds "kind <k> <n>" near the centre of a cluster, and all else nowhere in particular."""

    model_id = "benchmark-kinds@1"
    dimension = 384

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; returns (n, 384) float32."""
        drawn = np.empty((len(texts), self.dimension), np.float32)
        for row, text in zip(drawn, texts, strict=True):
            random = np.random.default_rng(list(text.encode()))
            row[:] = random.standard_normal(self.dimension)
            if text.startswith("kind "):
                row *= 0.5
                row += self._mixture.centers[int(text.split()[1])]
        return drawn


def main(argv: list[str] | None = None) -> None:
    """Make a book and its page, then look at them with Chromium."""
    parser = arguments(__doc__, n=10_000, n_map=100_000, pictures=300, frames=120, repeats=3)
    options = parser.parse_args(argv)
    settings = {key: value for key, value in vars(options).items() if key != "records"}
    run = Run(NAME, settings, folder=options.records)
    with tempfile.TemporaryDirectory() as temporary, browser() as running:
        folder = Path(temporary)
        book = made_book(folder, options.n, options.pictures)
        run.add({"what": "events found"}, 0, timed(book.events.discover))
        run.add({"what": "map made"}, 0, timed(book.map))
        for repeat in range(options.repeats):
            run.add({"what": "report"}, repeat, report(book, folder / "album.html"))
        for repeat in range(options.repeats):
            window = opened(running, (folder / "album.html").as_uri())
            run.add({"what": "first paint"}, repeat, paint_times(window))
            window.context.close()
        large = folder / "map.html"
        large.write_text(page(made_up_contents(options.n_map)), encoding="utf-8")
        for repeat in range(options.repeats):
            for act, found in map_rates(running, large, options.frames):
                run.add({"what": "map", "act": act}, repeat, found)
            for way in _WAYS:
                found = drawing_rate(running, options.n_map, way, options.frames)
                run.add({"what": "drawing", "way": way}, repeat, found)
    print(table(run.records))


def made_book(folder: Path, n: int, n_pictures: int) -> RememberAI:
    """Write n rows whose photos are a few pictures again and again, and learn ten events."""
    pictures = [_picture(folder / f"{i}.jpg", i) for i in range(min(n, n_pictures))]
    mixture = Mixture(Kinds.dimension, _OCCASIONS, seed=0)
    vectors, occasions = mixture.draw(n, draw=1)
    start = datetime(2015, 1, 1)
    rows = [
        {
            "photo_id": f"{i:032x}",
            "name": f"{of}/{i}.jpg",
            "path": str(pictures[i % len(pictures)]),
            "width": 1600,
            "height": 1200,
            "taken": start + timedelta(days=9 * int(of), minutes=i % 600),
            "taken_confidence": "local",
            "latitude": float(of % 60),
            "longitude": float(of % 90),
            ("memory" if i % 3 else "caption"): _sentence(int(of), i),
        }
        for i, of in enumerate(occasions)
    ]
    book = RememberAI.create(folder / "book.memories", embedder=Kinds(mixture))
    book.store.upsert(to_table(rows, vectors))
    book.learn_events({_WORDS[k]: [f"kind {k} {i}" for i in range(12)] for k in range(_KINDS)})
    return book


def timed(job: Callable[[], object]) -> Record:
    """Run a job once."""
    start = perf_counter()
    job()
    return {"seconds": perf_counter() - start}


def report(book: RememberAI, path: Path) -> Record:
    """Write the page; the seconds of its thumbnails are counted apart."""
    spent = 0.0
    original = album.thumbnails

    def counted(*given: Any) -> Iterator[bytes | str]:
        nonlocal spent
        made = original(*given)
        while True:
            start = perf_counter()
            picture = next(made, None)
            spent += perf_counter() - start
            if picture is None:
                return
            yield picture

    start = perf_counter()
    with patch.object(album, "thumbnails", counted):
        outcomes = book.report(path)
    taken = perf_counter() - start
    return {
        "total": taken,
        "thumbnails": spent,
        "rest": taken - spent,
        "pictures": outcomes.count("done"),
        "photos": len(outcomes.outcomes),
        "megabytes": path.stat().st_size / 1e6,
    }


def made_up_contents(n: int) -> dict[str, Any]:
    """Make what a page of n photos without pictures holds."""
    places, of = Mixture(2, 200, seed=0).draw(n, draw=1)
    places = np.round((places + 1) * 5000 + np.random.default_rng(0).normal(0, 300, (n, 2)))
    empty: list[None] = [None] * n
    columns = "author caption captioner time lat lon width height".split()
    photos = {
        **dict.fromkeys(columns, empty),
        "id": [f"{i:032x}" for i in range(n)],
        "name": [f"{i}.jpg" for i in range(n)],
        "memory": [_sentence(int(event), i) for i, event in enumerate(of)],
        "sure": [0] * n,
        "x": places[:, 0].astype(int).tolist(),
        "y": places[:, 1].astype(int).tolist(),
        "event": of.tolist(),
        "picture": [0] * n,
    }
    event = {
        "words": [],
        "dates": None,
        "place": None,
        "known": None,
        "confidence": None,
        "accepted": False,
        "rejected": [],
        "trip": None,
        "typical": [],
        "why": None,
    }
    events = [{"id": i, "title": f"event {i}", **event} for i in range(200)]
    return {"title": "map", "made": "", "learned": False, "photos": photos, "events": events}


def map_rates(running: Any, path: Path, frames: int) -> Iterator[tuple[str, Record]]:
    """Zoom, move, point, drag and brush in the page's own map; between steps it is drawn anew."""
    for act, code in _ACTS.items():
        window = opened(running, f"{path.as_uri()}#/map")
        window.wait_for_selector(".legend")
        yield act, frame_rate(window, code, frames)
        window.context.close()


def drawing_rate(running: Any, n: int, way: str, frames: int) -> Record:
    """Draw the same dots in one of the ways."""
    window = opened(running, "about:blank")
    for library in LIBRARIES:
        window.add_script_tag(content=_asset(library))
    window.add_script_tag(content=_asset("js/scatter.js").replace("export class", "class"))
    window.evaluate(f"(given) => ({_DRAWING.read_text('utf-8')})(...given)", [n, way])
    found = frame_rate(window, "(frame) => window.move(frame)", frames)
    window.context.close()
    return found


def table(records: list[Record]) -> str:
    """Write the medians, and what they must keep to."""
    rows = []
    once = 0.0
    for what in ("events found", "map made"):
        (seconds,) = figures(of_arm(records, what=what), "seconds")
        once += seconds
        rows.append([f"{what}, once, s", f"{seconds:.1f}", ""])
    pages = of_arm(records, what="report")
    rest, thumbnails = (median(figures(pages, name)) for name in ("rest", "thumbnails"))
    rows.append(["report besides thumbnails, s", f"{rest:.1f}", "< 60"])
    rows.append(["the first one, with events and map, s", f"{once + rest:.1f}", "< 60"])
    rows.append(["its thumbnails, s", f"{thumbnails:.1f}", ""])
    rows.append(["its size, MB", f"{median(figures(pages, 'megabytes')):.1f}", "< 15"])
    paints = of_arm(records, what="first paint")
    rows.append(["first paint, s", f"{median(figures(paints, 'first_paint')):.2f}", "< 2"])
    for act in _ACTS:
        if rates := figures(of_arm(records, what="map", act=act), "frames_per_second"):
            rows.append([f"map, {act}, frames/s", f"{median(rates):.0f}", "≥ 30"])
    drawn = of_arm(records, what="drawing")
    for way in dict.fromkeys(record["arm"]["way"] for record in drawn):
        rates = figures(of_arm(drawn, way=way), "frames_per_second")
        rows.append([f"drawing by {way}, frames/s", f"{median(rates):.0f}", ""])
    return markdown(["", "median", "bar"], rows)


def _picture(path: Path, seed: int) -> Path:
    """Draw shapes over noise: about as hard to compress as a photo."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 255, (75, 100, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((1600, 1200), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        left, top, size = (int(value) for value in random.integers(0, 1000, 3))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        draw.ellipse((left, top, left + size / 2, top + size / 2), fill=colour)
    image.save(path, quality=85)
    return path


def _sentence(occasion: int, i: int) -> str:
    words = (_WORDS[(occasion * 7 + i * step) % len(_WORDS)] for step in (1, 3, 5, 7))
    return f"On day {occasion} we saw {', '.join(words)} and photo number {i}"


if __name__ == "__main__":
    main()
