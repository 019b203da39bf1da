"""The real data of the events benchmark, and vectors that are made once and kept."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rememberai import Embedder

    Vectors = NDArray[np.float32]


class Labelled(NamedTuple):
    """Texts with one label each."""

    texts: list[str]
    labels: NDArray[np.str_]
    vectors: Vectors


class Told(NamedTuple):
    """Stories of albums: whole, and by sentences of which each knows its story."""

    albums: list[str]
    vectors: Vectors
    sentences: Vectors
    story_of: NDArray[np.intp]


class Encodings:
    """An embedder that keeps what it has embedded as files, by model and texts.

    Parameters
    ----------
    embedder
        What embeds.
    folder
        Where the vectors are kept; None keeps nothing.
    """

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self.embedder = embedder
        self.folder = folder

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self.embedder.dimension

    @property
    def model_id(self) -> str:
        """The embedder's."""
        return self.embedder.model_id

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, or read their vectors."""
        if self.folder is None:
            return self.embedder.encode(texts)
        key = hashlib.sha256(json.dumps([self.model_id, list(texts)]).encode()).hexdigest()
        path = self.folder / f"{key[:32]}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            np.save(path, self.embedder.encode(texts))
        vectors: Vectors = np.load(path)
        return vectors


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_texts(data: Path, name: str, encodings: Encodings, most: int | None = None) -> Labelled:
    """Read a set of labelled texts, or an even part of it that is at most so large."""
    rows = rows_of(data / f"{name}.jsonl")
    if name == "happydb_concepts":
        rows = [row for row in rows if len(row["concepts"]) == 1 and row["concepts"] != ["0"]]
    pairs = [
        (row["text"], str(row["label"] if "label" in row else row["concepts"][0])) for row in rows
    ]
    if most is not None and most < len(pairs):
        chosen = np.random.default_rng(0).permutation(len(pairs))[:most]
        pairs = [pairs[i] for i in np.sort(chosen)]
    texts = [text for text, _ in pairs]
    return Labelled(texts, np.array([label for _, label in pairs]), encodings.encode(texts))


def read_stories(data: Path, encodings: Encodings) -> Told:
    """Read the stories; their sentences end with a full stop between spaces."""
    rows = rows_of(data / "vist_stories.jsonl")
    parts = [[part for part in row["story"].split(" . ") if part.strip()] for row in rows]
    return Told(
        [row["album_id"] for row in rows],
        encodings.encode([row["story"] for row in rows]),
        encodings.encode([part.strip() for some in parts for part in some]),
        np.repeat(np.arange(len(rows)), [len(some) for some in parts]),
    )


def read_pairs(data: Path, encodings: Encodings) -> tuple[Vectors, Vectors, NDArray[np.float64]]:
    """Read pairs of Korean sentences: vectors of both, and how similar people found them."""
    rows = rows_of(data / "korsts.jsonl")
    first, second = (encodings.encode([row[key] for row in rows]) for key in ("s1", "s2"))
    return first, second, np.array([row["score"] for row in rows])
