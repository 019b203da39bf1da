"""From clusters to events: titles, dates and representative photos."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rememberai.errors import InputError
from rememberai.events import AlbumClusterer
from rememberai.events.naming import telling_words, title
from rememberai.events.segmentation import blend, segment
from rememberai.records import DiscoveredEvent, Discovery, Hit
from rememberai.store.schema import row_hit, row_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.events import EventAssigner
    from rememberai.store import MemoryStore

_REPRESENTATIVES = 5
_COLUMNS = "name path memory caption text_source taken taken_confidence latitude longitude".split()


def discover(
    store: MemoryStore, assigner: EventAssigner | None, n_clusters: int | Literal["auto"]
) -> Discovery:
    """Cluster the stored photos that have words, and describe each cluster.

    Before clustering, each photo's vector is blended with the mean of its occasion (`segment`).

    Raises
    ------
    InputError
        No photo has words, or there are fewer of them than n_clusters.
    """
    ids, vectors = store.vectors()
    if not len(ids):
        raise InputError("no photo has words yet; write memories or caption the photos first")
    rows = store.read(_COLUMNS, where="text_source IS NOT NULL").to_pylist()
    times = np.array([_time(row) for row in rows], "datetime64[us]")
    places = np.array([(row["latitude"], row["longitude"]) for row in rows], np.float64)
    occasions = segment(times, places, vectors).occasions
    # Moved towards their occasions, the vectors need no further refinement.
    clusterer = AlbumClusterer(n_clusters, metric=store.metric, refine=False)
    clusterer.fit(blend(vectors, occasions))
    texts = [str(row_text(row)) for row in rows]
    distances = clusterer.distances_
    typical = np.exp(-distances / max(distances.mean(), np.finfo(np.float32).tiny))
    telling = telling_words(
        texts, clusterer.labels_.tolist(), typical.tolist(), clusterer.n_clusters_
    )
    faces = clusterer.representatives(_REPRESENTATIVES)
    events = []
    for cluster, (words, nearest) in enumerate(zip(telling, faces, strict=True)):
        members = np.flatnonzero(clusterer.labels_ == cluster)
        events.append(
            _event(
                [rows[i] for i in members],
                [row_hit(rows[i], float(clusterer.distances_[i])) for i in nearest],
                words,
                _known(assigner, vectors[members]),
            )
        )
    return Discovery(tuple(events), tuple(ids[clusterer.labels_ == -1].tolist()))


def _event(
    rows: list[dict[str, Any]], faces: list[Hit], words: list[str], known: str | None
) -> DiscoveredEvent:
    times = [time for row in rows if (time := _time(row))]
    first, last = (min(times), max(times)) if times else (None, None)
    rows = sorted(rows, key=lambda row: (_time(row) or datetime.max, row["photo_id"]))
    return DiscoveredEvent(
        title=title(words, first, last),
        photo_ids=tuple(row["photo_id"] for row in rows),
        representatives=tuple(faces),
        first=first,
        last=last,
        known_event=known,
    )


def _time(row: dict[str, Any]) -> datetime | None:
    # A file's own time is often that of a copy, so it dates no event.
    return None if row["taken_confidence"] == "file" else row["taken"]


def _known(assigner: EventAssigner | None, vectors: NDArray[np.float32]) -> str | None:
    return assigner.assign_album(vectors).event if assigner is not None else None
