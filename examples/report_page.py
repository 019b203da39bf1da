"""An album as one HTML file: timeline, events, map, search; it opens from disk, without network.

python examples/report_page.py [album.html]
"""

import sys
import tempfile
from pathlib import Path

from rememberai import RememberAI

sample = Path(__file__).parent / "sample_album"

with tempfile.TemporaryDirectory() as folder:
    page = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/album.html")
    book = RememberAI.create(Path(folder) / "Our year.memories")
    book.add_folder(sample / "year")
    book.learn_events(sample / "seeds.jsonl")
    book.discover()

    print(f"photos: {book.report(page)}")
    print(f"one file of {page.stat().st_size / 1e6:.1f} MB")
