"""The map of a store's photos: kept in the store, so that a photo stays where it was seen."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import prepare
from rememberai.errors import InputError, StoreError
from rememberai.records import quiet
from rememberai.report.event_map import EventMap, place_among

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import NDArray

    from rememberai.records import Progress
    from rememberai.store import MemoryStore

_log = logging.getLogger(__name__)
_NAME = "map"
_MADE_BY = b"made_by"
_LARGE_PART = 0.3  # of the photos are new: what they have in common needs a place of its own


@dataclass(frozen=True, slots=True)
class PhotoMap:
    """Where the photos of a store that have words lie in its map.

    Attributes
    ----------
    photo_ids
        (n,) object array of str, sorted.
    places
        (n, 2) float32 in units that mean nothing; photos with the same words share a place.
    method
        ``"umap"`` or ``"pca"``, see `EventMap`.
    """

    photo_ids: NDArray[np.object_]
    places: NDArray[np.float32]
    method: Literal["umap", "pca"]


def store_map(
    store: MemoryStore, *, random_state: int = 0, progress: Progress | None = None
) -> PhotoMap:
    """Lay out the photos of a store that have words, or read where they lie.

    A picture made by UMAP is kept in the store. Photos that came, or whose words changed, are
    placed in it as by `EventMap.transform`, deleted ones are left out, and nothing else moves.
    All is laid out anew once more than 30% of the photos came since it was, or when the model or
    random_state is another one. PCA takes no time worth keeping.

    The store's index is not asked for the neighbours: up to 250,000 photos it holds no graph, and
    beyond, its lists take six times as long for them as `nearest_of_each` (141 s against 24 s of
    processor for 300,000).

    Parameters
    ----------
    progress
        See `EventMap.fit`; of 1 where the map is kept.

    Raises
    ------
    InputError
        No photo has words yet.
    """
    ids, vectors = store.vectors()
    if not len(ids):
        raise InputError("no photo has words yet; write memories or caption the photos first")
    event_map = EventMap(metric=store.metric, random_state=random_state)
    made_by = json.dumps([store.model_id, vars(event_map)]).encode()
    photos = pa.table({"photo_id": pa.array(ids, pa.string()), "digest": _digests(vectors)})
    places, fitted = _kept_places(store, made_by, photos)
    lost = np.isnan(places[:, 0])
    if fitted.sum() < (1 - _LARGE_PART) * len(ids):
        places = event_map.fit_transform(vectors, progress=progress)
        if event_map.method_ == "pca":
            return PhotoMap(ids, places, "pca")
        fitted[:] = lost[:] = True
    else:
        if lost.any():
            known, new = (prepare(vectors[some], store.metric) for some in (fitted, lost))
            places[lost] = place_among(
                new, known, places[fitted], event_map.n_neighbors, event_map.metric
            )
        (progress or quiet)("map", 1, 1)
    if lost.any():
        columns = (places[:, 0], places[:, 1], fitted)
        for name, column in zip(("x", "y", "fitted"), columns, strict=True):
            photos = photos.append_column(name, pa.array(column))
        _keep(store, photos.replace_schema_metadata({_MADE_BY: made_by}))
    return PhotoMap(ids, places, "umap")


def _digests(vectors: NDArray[np.float32]) -> pa.Array:
    return pa.array([blake2b(vector, digest_size=16).digest() for vector in vectors])


def _kept_places(
    store: MemoryStore, made_by: bytes, photos: pa.Table
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read where photos lie, NaN for none, and which of them the picture was fitted to."""
    places = np.full((len(photos), 2), np.nan, np.float32)
    fitted = np.zeros(len(photos), bool)
    try:
        kept = store.read_artifact(_NAME)
    except StoreError as error:
        _log.warning("the map is made anew: %s", error)
        return places, fitted
    if kept is None or (kept.schema.metadata or {}).get(_MADE_BY) != made_by:
        return places, fitted
    row = pc.index_in(photos["photo_id"], value_set=kept["photo_id"])
    same = pc.fill_null(pc.equal(kept["digest"].take(row), photos["digest"]), False)
    kept = kept.take(row.filter(same))
    same = same.to_numpy()
    places[same] = np.column_stack([kept["x"], kept["y"]])
    fitted[same] = kept["fitted"]
    return places, fitted


def _keep(store: MemoryStore, table: pa.Table) -> None:
    try:
        store.replace_artifact(_NAME, table)
    except (StoreError, OSError) as error:  # an old version, or left for another model meanwhile
        _log.warning("the map can't be kept: %s", error)
