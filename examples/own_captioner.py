"""Any object with `caption(images)` and `model_id` is a captioner; here one that sees colours.

python examples/own_captioner.py
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from rememberai import RememberAI

COLOURS = {
    "snow white": (235, 240, 245),
    "sky blue": (150, 200, 235),
    "night blue": (25, 25, 70),
    "grass green": (110, 180, 90),
    "warm brown": (170, 140, 120),
}


class ColourCaptioner:
    """Names the colour nearest to the mean of a picture: modest, but true."""

    model_id = "mean-colour@1"

    def caption(self, images: list[Image.Image]) -> list[str]:
        means = np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])
        away = np.linalg.norm(means[:, None] - np.array(list(COLOURS.values())), axis=2)
        return [f"a {list(COLOURS)[i]} picture" for i in away.argmin(axis=1)]


with tempfile.TemporaryDirectory() as folder:
    book = RememberAI.create(Path(folder) / "colours.memories")
    print(f"added: {book.add_folder(Path(__file__).parent / 'sample_album' / 'year')}")
    print(f"captioned: {book.caption(ColourCaptioner())}")
    for hit in book.search("a dark blue picture", k=3):
        print(f"{hit.distance:.2f}  {hit.text} ({hit.text_source})  {hit.name}")
