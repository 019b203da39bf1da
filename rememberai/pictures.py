"""Vectors of pictures: those that are missing are made, file by file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.captioning import DecodedAhead
from rememberai.records import Outcome, Report
from rememberai.words import checked_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from rememberai.embedders import ImageEmbedder
    from rememberai.records import Metric, Photo, Progress, Status
    from rememberai.store import MemoryStore

_WRITTEN = 256  # photos in a write


def embed_waiting(
    store: MemoryStore, column: str, model: ImageEmbedder, progress: Progress
) -> Report:
    """Fill a column of pictures; who is stopped goes on with the next call.

    Returns
    -------
    Report
        A row for each photo that had no vector.
    """
    waiting = store.pending(column).sort_by("photo_id")
    rows = store.read(["name"], where="path IS NOT NULL")
    names = dict(zip(rows["photo_id"].to_pylist(), rows["name"].to_pylist(), strict=True))
    outcomes: list[Outcome] = []
    with DecodedAhead(waiting["path"].to_pylist(), model) as decoded:
        for start in range(0, len(waiting), _WRITTEN):
            some = waiting.slice(start, _WRITTEN)
            vectors: list[NDArray[np.float32]] = []
            reasons: list[str] = []
            for at in range(0, len(some), decoded.at_once):
                paths = some["path"].slice(at, decoded.at_once).to_pylist()
                opened = [decoded.take(path) for path in paths]
                images = [image for image in opened if not isinstance(image, str)]
                vectors.append(picture_vectors(model, images, store.metric))
                reasons += [image if isinstance(image, str) else "" for image in opened]
                progress("seeing", start + len(reasons), len(waiting))
            seen = np.flatnonzero(np.array([not reason for reason in reasons]))
            if len(seen):
                store.fill(column, some.take(seen), np.concatenate(vectors))
            for photo_id, reason in zip(some["photo_id"].to_pylist(), reasons, strict=True):
                status: Status = "failed" if reason else "done"
                outcomes.append(Outcome(names.get(photo_id, photo_id), status, reason, photo_id))
    return Report(tuple(outcomes))


def vectors_of_photos(
    store: MemoryStore,
    column: str,
    model: ImageEmbedder,
    photos: Sequence[Photo],
    progress: Progress,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Look up the vectors of photos' pictures, and make those that the store does not have.

    Returns
    -------
    tuple
        The (dimension,) vectors by photo id, and why other pictures can't be read.
    """
    files = {photo.photo_id: photo.path for photo in photos if photo.path}
    ids, stored = store.pinned(column).vectors(list(files))
    found = dict(zip(ids.tolist(), stored, strict=True))
    missing = {photo_id: path for photo_id, path in files.items() if photo_id not in found}
    unread: dict[str, str] = {}
    asked = list(missing)
    with DecodedAhead(list(missing.values()), model) as decoded:
        for start in range(0, len(asked), decoded.at_once):
            some = asked[start : start + decoded.at_once]
            opened = {photo_id: decoded.take(missing[photo_id]) for photo_id in some}
            images = {i: image for i, image in opened.items() if not isinstance(image, str)}
            unread |= {i: reason for i, reason in opened.items() if isinstance(reason, str)}
            vectors = picture_vectors(model, list(images.values()), store.metric)
            found |= dict(zip(images, vectors, strict=True))
            progress("seeing", start + len(some), len(asked))
    return found, unread


def picture_vectors(
    model: ImageEmbedder, images: Sequence[Image], metric: Metric
) -> NDArray[np.float32]:
    """Embed n pictures; returns (n, dimension) float32.

    Raises
    ------
    InputError
        The embedder does not give a finite vector for each picture; or, under the cosine metric,
        one that is zero.
    """
    if not images:
        return np.empty((0, model.dimension), np.float32)
    return checked_vectors(model, model.encode_images(images), len(images), "picture", metric)
