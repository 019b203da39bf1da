"""Words for photos, and their vectors, each made only once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rememberai._arrays import check_vectors, prepare
from rememberai.captioners.base import source_of
from rememberai.captioning import caption_files
from rememberai.errors import InputError
from rememberai.records import quiet
from rememberai.store.schema import row_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rememberai.captioners import Captioner
    from rememberai.embedders import Embedder, ImageEmbedder
    from rememberai.records import Metric, Photo, Progress, TextSource
    from rememberai.store import MemoryStore

_LABEL = 0.5
_AT_ONCE = 1024  # texts that a model is given


def trust(source: TextSource | None) -> float:
    """Say how much the words of a photo are believed when its album is assigned.

    Half as much where only a label of it is known.
    """
    return _LABEL if source == "label" else 1.0


class TextEmbedding:
    """Vectors of texts; what was embedded before is looked up, and equal texts run once.

    Parameters
    ----------
    embedder
        The model.
    metric
        How its vectors will be compared, which they must allow.
    known
        Looks up vectors by text, such as `MemoryStore.vectors_of_texts`.
    """

    def __init__(
        self,
        embedder: Embedder,
        metric: Metric,
        known: Callable[[Sequence[str]], dict[str, NDArray[np.float32]]],
    ) -> None:
        self._embedder = embedder
        self._metric = metric
        self._known = known

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._embedder.dimension

    def __call__(self, texts: Sequence[str], progress: Progress = quiet) -> NDArray[np.float32]:
        """Embed n texts; returns (n, dimension) float32.

        Parameters
        ----------
        progress
            Called as ``progress("embedding", done, total)``.

        Raises
        ------
        InputError
            See `anew`.
        """
        vectors, missing = self._looked_up(texts)
        for start in range(0, len(missing), _AT_ONCE):
            progress("embedding", start, len(missing))
            some = missing[start : start + _AT_ONCE]
            vectors.update(zip(some, self.anew(some), strict=True))
        if missing:
            progress("embedding", len(missing), len(missing))
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        return np.stack([vectors[text] for text in texts])

    def each(
        self, texts: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, InputError]]:
        """Embed texts, and keep apart those whose vectors can't be searched.

        Returns
        -------
        tuple
            By text: (dimension,) float32, or what is wrong with it.

        Raises
        ------
        InputError
            The embedder does not give a vector for each text.
        """
        vectors, missing = self._looked_up(texts)
        flaws: dict[str, InputError] = {}
        if missing:
            given = self._embedder.encode(missing)
            found = vectors_or_flaws(self._embedder, given, len(missing), "text", self._metric)
            for text, vector in zip(missing, found, strict=True):
                if isinstance(vector, InputError):
                    flaws[text] = vector
                else:
                    vectors[text] = vector
        return vectors, flaws

    def _looked_up(self, texts: Sequence[str]) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
        """Look vectors up, and list the texts without one."""
        vectors = self._known(sorted(set(texts)))
        # Sorted, since in other company a model gives a text other last digits.
        return vectors, sorted(set(texts).difference(vectors))

    def _checked(self, vectors: NDArray[np.float32], n: int) -> NDArray[np.float32]:
        if not n:
            return np.empty((0, self.dimension), np.float32)
        return checked_vectors(self._embedder, vectors, n, "text", self._metric)

    def anew(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts without looking any up.

        Raises
        ------
        InputError
            The embedder does not give a finite vector for each text; or, under the cosine metric,
            one that is zero.
        """
        return self._checked(self._embedder.encode(texts), len(texts))

    def remarks(self, texts: Sequence[str]) -> list[str]:
        """Say of each text whether it was split; embedders that never split need not count."""
        count: Any = getattr(self._embedder, "count_pieces", None)
        if count is None or not texts:
            return [""] * len(texts)
        return [
            f"a long text: embedded in {pieces} pieces, which were averaged" if pieces > 1 else ""
            for pieces in count(texts)
        ]


def checked_vectors(
    embedder: Embedder | ImageEmbedder,
    vectors: NDArray[np.float32],
    n: int,
    what: Literal["text", "picture"],
    metric: Metric,
) -> NDArray[np.float32]:
    """Check what an embedder gave for n texts or pictures.

    Raises
    ------
    InputError
        It is not a finite vector for each; or, under the cosine metric, one is zero.
    """
    name = f"the vectors of the embedder {embedder.model_id!r}"
    try:
        array = check_vectors(vectors, dimension=embedder.dimension, name=name)
        if len(array) != n:
            raise InputError(f"{name} must be one a {what}; for {n} came {len(array)}")
        prepare(array, metric, name=name)
    except InputError as error:
        error.code = "vectors"
        raise
    return array


def vectors_or_flaws(
    embedder: Embedder | ImageEmbedder,
    given: NDArray[np.float32],
    n: int,
    what: Literal["text", "picture"],
    metric: Metric,
) -> list[NDArray[np.float32] | InputError]:
    """List what an embedder gave for n texts or pictures: (dimension,) vectors, or what is wrong.

    Raises
    ------
    InputError
        It is not a vector for each.
    """

    def alone(vector: NDArray[np.float32]) -> NDArray[np.float32] | InputError:
        row: NDArray[np.float32]
        try:
            (row,) = checked_vectors(embedder, vector[None], 1, what, metric)
        except InputError as error:
            return error
        return row

    try:
        return list(checked_vectors(embedder, given, n, what, metric))
    except InputError:
        if np.shape(given) != (n, embedder.dimension):
            raise
        return [alone(vector) for vector in given]


def check_searched(text: str) -> None:
    """Raise InputError unless there are words to search for."""
    if not isinstance(text, str):
        raise InputError(f"a text (str) to search for was wanted; {text!r:.100} came")
    if not text.strip():
        raise InputError("the text to search for is empty", code="search-empty")


def tidy_texts(texts: Iterable[str]) -> list[str]:
    """Tidy texts as memories are, so that equal words are equal; those without any are left out.

    Raises
    ------
    InputError
        Something other than texts.
    """
    from rememberai.photos.text import clean

    given = list(texts) if isinstance(texts, Iterable) else [texts]
    if not all(isinstance(text, str) for text in given):
        raise InputError(f"a list of texts (str) was wanted; {texts!r:.100} came")
    if paths := [text for text in given if is_path(text)]:
        raise InputError(
            f"a list of texts was wanted; {paths[0]!r:.100} is a path: give the folder alone"
        )
    return [words for words in map(clean, given) if words]


def words_of(
    store: MemoryStore,
    captioner: Captioner | None,
    photos: Sequence[Photo],
    tick: Callable[[int], None] = lambda _: None,
) -> list[tuple[str, TextSource | None]]:
    """Give the words of n photos that are not to be stored, and who wrote them; ``""`` for none."""
    known = store.read_rows([photo.photo_id for photo in photos])
    found: dict[str, tuple[str, TextSource | None]] = {}
    for photo in photos:
        row = known.get(photo.photo_id, {})
        stored = (row_text(row) or "", row.get("text_source"))
        found[photo.photo_id] = (photo.memory.text, "memory") if photo.memory else stored
    if captioner is not None:
        source = source_of(captioner)
        poor = {None, "label"} - {source}
        asked = {p.photo_id: p.path for p in photos if p.path and found[p.photo_id][1] in poor}
        captions = caption_files(list(asked.values()), captioner, tick)
        found |= {i: (c.text, source) for i, c in zip(asked, captions, strict=True) if c.text}
    return [found[photo.photo_id] for photo in photos]


def is_path(text: str) -> bool:
    """Tell whether a text is the path of a picture or a folder, given as str by mistake."""
    from rememberai.photos.images import EXTENSIONS

    path = Path(text)
    return path.suffix.lower() in EXTENSIONS or (len(path.parts) > 1 and os.path.isdir(path))  # noqa: PTH112 - false for one out of reach
