"""A headless Chromium, and what it measures of a page."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
_PAINT = """() => new Promise((done) => {
  const read = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const [page] = performance.getEntriesByType("navigation");
    if (!paint || !page.loadEventEnd) return setTimeout(read, 20);
    done({ first_paint: paint.startTime / 1000, loaded: page.loadEventEnd / 1000 });
  };
  read();
})"""
# Acts once in every frame, and counts the frames that the browser shows.
_FRAMES = """async ([acts, frames]) => {
  const act = (0, eval)(acts);
  const gaps = [];
  let last = null;
  for (let frame = 0; frame < frames; frame += 1) {
    const now = await new Promise(requestAnimationFrame);
    if (last !== null) gaps.push(now - last);
    last = now;
    act(frame);
  }
  gaps.sort((a, b) => a - b);
  const mean = gaps.reduce((a, b) => a + b) / gaps.length;
  const slow = gaps[Math.floor(0.95 * gaps.length)];
  return { frames_per_second: 1000 / mean, slow_frame: slow / 1000 };
}"""


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium, named by CHROMIUM or found on the path."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise SystemExit("no Chromium was found; name one in CHROMIUM")
    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, args=_SWITCHES)
        yield running
        running.close()


def opened(running: Any, address: str) -> Any:
    """Open an address in a window of 1280 by 900 that knows nothing from before."""
    page = running.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    return page


def paint_times(page: Any) -> dict[str, float]:
    """Read the seconds to the first paint with content, and until all of the page was read."""
    found: dict[str, float] = page.evaluate(_PAINT)
    return found


def frame_rate(page: Any, acts: str, frames: int) -> dict[str, float]:
    """Act in every frame; gives frames a second, and the seconds of the slowest of 20 frames."""
    found: dict[str, float] = page.evaluate(_FRAMES, [acts, frames])
    return found
