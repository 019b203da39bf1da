"""From a folder of photos to named events, on the sample album.

python examples/quickstart.py
"""

import tempfile
from pathlib import Path

from rememberai import RememberAI

sample = Path(__file__).parent / "sample_album"

with tempfile.TemporaryDirectory() as folder:
    book = RememberAI.create(Path(folder) / "family.memories")

    report = book.add_folder(sample / "year")
    print(f"added: {report}")

    book.learn_events(sample / "seeds.jsonl")
    for album in ("query", "query_unknown"):
        print(f"{album}: {book.assign(sample / album)}")

    for event in book.discover():
        print(f"{len(event.photo_ids)} photos: {event.title}")

    for hit in book.search("a day at the sea", k=3):
        print(f"{hit.distance:.2f}  {hit.text}")
