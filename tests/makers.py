"""Small deterministic stand-ins that follow the public protocols, and files made on the spot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from rememberai import Album

SAMPLE = Path(__file__).parent.parent / "examples" / "sample_album"


class WordsEmbedder:
    """Counts words in hashed buckets; remembers every text that it was given."""

    model_id = "words@1"
    dimension = 64

    def __init__(self, change=lambda vectors: vectors):
        self.seen: list[str] = []
        self.change = change

    def encode(self, texts):
        self.seen += texts
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in [*text.lower().split(), "always"]:
                vector[hashlib.blake2b(word.encode(), digest_size=1).digest()[0] % 64] += 1
        return self.change(vectors)


class ColourCaptioner:
    """Says the mean colour of a picture; remembers how many pictures it was given."""

    model_id = "colour@1"

    def __init__(self, answer=lambda captions: captions):
        self.seen = 0
        self.answer = answer

    def caption(self, images):
        self.seen += len(images)
        means = [np.asarray(image).mean(axis=(0, 1)).round().astype(int) for image in images]
        return self.answer([f"colour {'-'.join(map(str, mean))}" for mean in means])


def picture(path: Path, colour="red") -> Path:
    """Write a picture of one colour, without metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), colour).save(path)
    return path


def exif_picture(path: Path, colour, clock: str | None) -> Path:
    """Write a picture with the EXIF time of a camera's clock."""
    exif = Image.Exif()
    if clock:
        exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: clock}
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), colour).save(path, exif=exif)
    return path


def remember(folder: Path, **texts: str) -> Path:
    """Write a memory file: the stem of each .png in the folder, and its words."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"photo": f"{stem}.png", "text": text}) for stem, text in texts.items()]
    path = folder / "memories.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


class Ticks:
    """Remembers the progress that a job told; every stage must have counted up to all of it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.seen.append((stage, done, total))

    def stages(self) -> dict[str, int]:
        """Give the stages in the order in which they began, and how much each had to do."""
        found: dict[str, int] = {}
        for stage in dict.fromkeys(stage for stage, _, _ in self.seen):
            counts = [(done, total) for each, done, total in self.seen if each == stage]
            counted = [(done, total) for done, total in counts if total > 1] or counts
            assert set(counts) - set(counted) <= {(0, 1)}  # as long as nothing is counted
            (found[stage],) = {total for _, total in counted}
            assert counts == sorted(counts)
            assert counts[-1] == (found[stage], found[stage])
        return found


def words_alone(*texts: str, name: str = "words") -> Album:
    """An album of words alone."""
    return Album.from_texts(texts, name=name)


def rows_of(book) -> dict[str, dict]:
    """Every row of the book's store by the photo's name."""
    return {row["name"]: row for row in book.store.read().to_pylist()}


def statuses(report) -> dict[str, str]:
    return {outcome.item: outcome.status for outcome in report.outcomes}


def reason_of(report, item: str) -> str:
    (found,) = [outcome.reason for outcome in report.outcomes if outcome.item == item]
    return found


def tiny_captioner(folder: Path) -> Path:
    """Save an untrained captioning model in a folder."""
    import tiny_captioners as tiny

    tiny.torch.manual_seed(0)
    model, image_processor = tiny.BUILDERS["git"]()
    tiny.Checkpoint(
        "git", model.eval(), tiny.word_tokenizer(), image_processor, folder / "tiny-git"
    ).save()
    return folder / "tiny-git"
