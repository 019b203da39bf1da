"""What a person says of an event stays, whatever is found later.

python examples/correcting.py
"""

import tempfile
from pathlib import Path

from rememberai import RememberAI

sample = Path(__file__).parent / "sample_album"

with tempfile.TemporaryDirectory() as folder:
    book = RememberAI.create(Path(folder) / "family.memories")
    book.add_folder(sample / "year")
    book.learn_events(sample / "seeds.jsonl")
    found = book.discover()

    christmas = book.events.merge([e.event_id for e in found if e.known_event == "christmas"])
    book.events.rename(christmas, "Christmas at home")

    snow = next(e for e in found if "2024-02-10_snow" in e.representatives[0].name)
    print(f"{snow.title}: {snow.known_event}?")
    book.events.reject(snow.event_id)  # nobody hiked
    book.events.rename(snow.event_id, "The day in the snow")

    waiting = book.store.read(
        ["photo_id"], where="text_source IS NULL AND name LIKE '%2024-02-10_snow%'"
    )
    for photo_id in waiting["photo_id"].to_pylist():
        book.write_memory(photo_id, "The snowman at dusk, with my scarf", author="Maya")

    for event in book.discover():
        if event.named:
            print(f"{event.title}: {len(event.photo_ids)} photos")
