"""A small book for the page, a server of it, and a browser that is watched."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from makers import ColourCaptioner, WordsEmbedder, exif_picture, remember, words_alone

from rememberai import RememberAI

THEMES = {
    "sea": "waves sand swimming seagull",
    "cake": "candles birthday cake presents",
    "snow": "snowman sledge frozen gloves",
}
NASTY = "waves sand swimming <script>document.title='hacked'</script> \"it's\" </script><img src=x>"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


def make_book(folder: Path) -> RememberAI:
    """Three occasions of four photos each; one caption, one photo of words alone, one without."""
    album = folder / "album"
    texts = {
        f"{theme}{i}": f"{words} {theme}story{i}"
        for theme, words in THEMES.items()
        for i in range(4)
    }
    texts["sea0"] = NASTY
    for number, stem in enumerate(texts):
        month, day = 1 + number // 4, 10 + number % 4
        clock = f"2024:{month:02}:{day} 10:{number:02}:00"
        exif_picture(album / f"{stem}.png", (20 * number, 90, 200 - 10 * number), clock)
    silent = texts.pop("sea3")
    remember(album, **texts)
    book = RememberAI.create(folder / "family.memories", embedder=WordsEmbedder())
    book.add_folder(album)
    book.caption(Repeating(silent))
    book.add_album(words_alone("candles birthday cake alone"))
    book.add_folder(exif_picture(folder / "more" / "mute.png", "black", None).parent)
    book.learn_events(
        {
            theme: [f"{words} {word}" for word in ("now", "then", "here")]
            for theme, words in THEMES.items()
        }
    )
    book.events.discover(3)
    return book


class Repeating(ColourCaptioner):
    """Says the same of every picture."""

    def __init__(self, text: str) -> None:
        super().__init__(lambda captions: [text] * len(captions))


def settle(page) -> None:
    """Wait until a page was drawn twice and nothing on it moves any more."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("document.getAnimations().every((a) => a.playState !== 'running')")


@contextlib.contextmanager
def served(store: Path):
    """Serve a store in a process of its own until the block ends; gives the address."""
    tests = Path(__file__).parent.parent
    search = os.pathsep.join(filter(None, (str(tests.parent), str(tests), os.getenv("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, __file__, str(store)],
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, "Ctrl-C did not end the server cleanly"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main() -> None:
    """Serve the store that the command line names."""
    from rememberai.report import serve

    signal.signal(signal.SIGINT, signal.default_int_handler)
    book = RememberAI.open(sys.argv[1], embedder=WordsEmbedder())
    serve(book, ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()
