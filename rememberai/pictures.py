"""Vectors of pictures: those that are missing are made, file by file."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rememberai.captioning import DecodedAhead
from rememberai.errors import InputError
from rememberai.records import Outcome, Report
from rememberai.words import checked_vectors, vectors_or_flaws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    named = store.read(["name"], where="path IS NOT NULL")
    names = dict(zip(named["photo_id"].to_pylist(), named["name"].to_pylist(), strict=True))
    outcomes: list[Outcome] = []
    found: list[NDArray[np.float32] | str] = []
    paths, ids = (waiting[name].to_pylist() for name in ("path", "photo_id"))
    id_of = dict(zip(paths, ids, strict=True))
    for some in _embedded(paths, model, store.metric, progress, id_of):
        found += some
        done = len(outcomes) + len(found)
        if len(found) < _WRITTEN and done < len(waiting):
            continue
        rows = waiting.slice(len(outcomes), len(found))
        vectors = [each for each in found if not isinstance(each, str)]
        if vectors:
            read = [not isinstance(each, str) for each in found]
            store.fill(column, rows.filter(pa.array(read)), np.stack(vectors))
        for photo_id, each in zip(rows["photo_id"].to_pylist(), found, strict=True):
            status: Status = "failed" if isinstance(each, str) else "done"
            reason = each if isinstance(each, str) else ""
            outcomes.append(Outcome(names.get(photo_id, photo_id), status, reason, photo_id))
        found = []
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
    made = chain.from_iterable(_embedded(list(missing.values()), model, store.metric, progress))
    unread: dict[str, str] = {}
    for photo_id, each in zip(missing, made, strict=True):
        if isinstance(each, str):
            unread[photo_id] = each
        else:
            found[photo_id] = each
    return found, unread


def _embedded(
    paths: Sequence[str],
    model: ImageEmbedder,
    metric: Metric,
    progress: Progress,
    ids: Mapping[str, str] | None = None,
) -> Iterator[list[NDArray[np.float32] | str]]:
    """Embed picture files, some at once; what is wrong with one comes in place of its vector."""
    with DecodedAhead(paths, model, ids) as decoded:
        for start in range(0, len(paths), decoded.at_once):
            opened = [decoded.take(path) for path in paths[start : start + decoded.at_once]]
            images = [image for image in opened if not isinstance(image, str)]
            vectors = iter(_vectors_or_reasons(model, images, metric))
            yield [image if isinstance(image, str) else next(vectors) for image in opened]
            progress("seeing", start + len(opened), len(paths))


def _vectors_or_reasons(
    model: ImageEmbedder, images: Sequence[Image], metric: Metric
) -> list[NDArray[np.float32] | str]:
    if not images:
        return []
    found = vectors_or_flaws(model, model.encode_images(images), len(images), "picture", metric)
    return [
        f"its picture can't be searched: {each}" if isinstance(each, InputError) else each
        for each in found
    ]


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
    return checked_vectors(model, model.encode_images(images), len(images), "picture", metric)
