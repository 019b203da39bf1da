"""Words for photos: captions for those without a memory, and vectors, each made only once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._arrays import check_vectors, prepare
from rememberai.errors import InputError, MissingExtraError
from rememberai.store.schema import row_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from rememberai.captioners import Captioner
    from rememberai.embedders import Embedder
    from rememberai.records import Metric, Photo
    from rememberai.store import MemoryStore

_AT_ONCE = 16


def caption_files(
    paths: Sequence[str], captioner: Captioner, tick: Callable[[int], None]
) -> list[tuple[str, str]]:
    """Describe picture files, a few in memory at a time.

    Returns
    -------
    list of tuple
        For each path the caption and ``""``, or ``""`` and the reason why there is none.

    Raises
    ------
    InputError
        The captioner does not give a text for each picture.
    """
    from rememberai.photos import open_image

    answers: list[tuple[str, str]] = []
    for start in range(0, len(paths), _AT_ONCE):
        images, reasons = [], []
        for path in paths[start : start + _AT_ONCE]:
            try:
                images.append(open_image(path))
                reasons.append("")
            except (InputError, MissingExtraError) as error:
                reasons.append(str(error))
        captions = iter(_captions(captioner, images) if images else [])
        for reason in reasons:
            caption = "" if reason else next(captions)
            silent = "the captioner said nothing usable about it"
            answers.append((caption, reason or ("" if caption else silent)))
        tick(len(answers))
    return answers


def _captions(captioner: Captioner, images: list[Image]) -> list[str]:
    from rememberai.photos.text import clean

    captions = captioner.caption(images)
    if (
        not isinstance(captions, list | tuple)
        or len(captions) != len(images)
        or not all(isinstance(caption, str) for caption in captions)
    ):
        raise InputError(
            f"the captioner {captioner.model_id!r} must return a list with one str a picture; "
            f"for {len(images)} pictures came {captions!r:.100}"
        )
    return [clean(caption) for caption in captions]


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

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts; returns (n, dimension) float32.

        Raises
        ------
        InputError
            See `anew`.
        """
        vectors = self._known(sorted(set(texts)))
        # Sorted, since in other company a model gives a text other last digits.
        missing = sorted(set(texts).difference(vectors))
        if missing:
            vectors.update(zip(missing, self.anew(missing), strict=True))
        if not texts:
            return np.empty((0, self._embedder.dimension), np.float32)
        return np.stack([vectors[text] for text in texts])

    def anew(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts without looking any up.

        Raises
        ------
        InputError
            The embedder does not give a finite vector for each text; or, under the cosine metric,
            one that is zero.
        """
        name = f"the vectors of the embedder {self._embedder.model_id!r}"
        vectors = check_vectors(
            self._embedder.encode(texts), dimension=self._embedder.dimension, name=name
        )
        if len(vectors) != len(texts):
            raise InputError(f"{name} must be one a text; for {len(texts)} came {len(vectors)}")
        prepare(vectors, self._metric, name=name)
        return vectors

    def remarks(self, texts: Sequence[str]) -> list[str]:
        """Say of each text whether it was split; embedders that never split need not count."""
        count: Any = getattr(self._embedder, "count_pieces", None)
        if count is None or not texts:
            return [""] * len(texts)
        return [
            f"a long text: embedded in {pieces} pieces, which were averaged" if pieces > 1 else ""
            for pieces in count(texts)
        ]


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
) -> list[str]:
    """Give the words of n photos that are not to be stored; ``""`` for one that has none."""
    known = store.read_rows([photo.photo_id for photo in photos])
    texts = {
        photo.photo_id: photo.memory.text
        if photo.memory
        else row_text(known.get(photo.photo_id, {})) or ""
        for photo in photos
    }
    silent = {p.photo_id: p.path for p in photos if p.path and not texts[p.photo_id]}
    if captioner is not None:
        answers = caption_files(list(silent.values()), captioner, tick)
        texts.update(zip(silent, (caption for caption, _ in answers), strict=True))
    return [texts[photo.photo_id] for photo in photos]


def is_path(text: str) -> bool:
    """Tell whether a text is the path of a picture or a folder, given as str by mistake."""
    from rememberai.photos.images import EXTENSIONS

    path = Path(text)
    return path.suffix.lower() in EXTENSIONS or (len(path.parts) > 1 and os.path.isdir(path))  # noqa: PTH112 - false for one out of reach
