"""Draw docs/picture.png: what `discover` finds in the sample album, each event with its photos."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from rememberai import RememberAI
from rememberai.photos import open_image

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT, GAP, SHOWN = 160, 120, 12, 4


def main() -> None:
    """Discover the events of the sample year, and lay out the photos of the first six."""
    with tempfile.TemporaryDirectory() as folder:
        book = RememberAI.create(Path(folder) / "year.memories", offline=True)
        book.add_folder(ROOT / "examples" / "sample_album" / "year")
        book.learn_events(ROOT / "examples" / "sample_album" / "seeds.jsonl")
        events = list(book.discover())[:6]
    cell = (SHOWN * (WIDTH + GAP), HEIGHT + 44)
    sheet = Image.new("RGB", (2 * cell[0] + GAP, 3 * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place, event in enumerate(events):
        x, y = GAP + place % 2 * cell[0], GAP + place // 2 * cell[1]
        heading = f"{(event.known_event or 'unknown').capitalize()}: {event.title}"
        draw.text((x, y), heading, fill="black", font=ImageFont.load_default(15))
        for i, hit in enumerate(event.representatives[:SHOWN]):
            small = ImageOps.pad(open_image(str(hit.path)), (WIDTH, HEIGHT), color="white")
            sheet.paste(small, (x + i * (WIDTH + GAP), y + 24))
    sheet.quantize(128).save(ROOT / "docs" / "picture.png", optimize=True)


if __name__ == "__main__":
    main()
