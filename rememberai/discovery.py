"""From clusters to events: titles, dates, kinds, trips and representative photos."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rememberai._arrays import pair_distances, prepare
from rememberai.events import AlbumClusterer
from rememberai.events.clustering import kinds_of
from rememberai.events.kmeans import canonical_order, centroids_of
from rememberai.events.naming import Terms, led_by, title
from rememberai.events.segmentation import blend, segment
from rememberai.events.stable import keep_ids
from rememberai.index.knn import knn
from rememberai.records import DiscoveredEvent, Discovery, quiet
from rememberai.store.schema import row_hit, row_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.corrections import KeptEvents
    from rememberai.records import Metric, Progress
    from rememberai.store import MemoryStore

_REPRESENTATIVES = 5
_COLUMNS = "name path memory caption text_source taken taken_confidence latitude longitude".split()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The n photos of a store that have words.

    Attributes
    ----------
    rows
        By photo id, in their order.
    vectors
        (n, dimension) float32, prepared for the metric, each blended with the mean of its occasion
        (see `segment`).
    trips
        (n,) trip of each; -1 at home.
    terms
        The words and phrases of each.
    """

    rows: dict[str, dict[str, Any]]
    vectors: NDArray[np.float32]
    trips: NDArray[np.intp]
    terms: Terms
    metric: Metric

    @classmethod
    def of(cls, store: MemoryStore, before: Timeline | None = None) -> Timeline:
        """Read a store; texts that stood in the timeline of before need not be looked at again."""
        ids, vectors = store.vectors()
        table = store.read(_COLUMNS, where="text_source IS NOT NULL")
        found = {row["photo_id"]: row for row in table.to_pylist()}
        rows = {photo_id: found[photo_id] for photo_id in ids.tolist()}
        times = np.array([_time(row) for row in rows.values()], "datetime64[us]")
        places = [(row["latitude"], row["longitude"]) for row in rows.values()]
        texts = [str(row_text(row)) for row in rows.values()]
        terms = Terms.of(texts, before.terms if before else None)
        if not rows:
            return cls(rows, vectors, np.empty(0, np.intp), terms, store.metric)
        segments = segment(times, np.array(places, np.float64), vectors)
        moved = prepare(blend(vectors, segments.occasions), store.metric)
        return cls(rows, moved, segments.trips, terms, store.metric)

    def numbers(self, event_of: dict[str, int]) -> NDArray[np.int64]:
        """Give the event of each photo, -1 for none."""
        return np.array([event_of.get(photo_id, -1) for photo_id in self.rows], np.int64)


def cluster(
    photos: Timeline,
    kept: KeptEvents,
    n_clusters: int | Literal["auto"] = "auto",
    progress: Progress = quiet,
) -> KeptEvents:
    """Cluster all photos, and bring the clusters together with the events that are kept.

    Photos that are settled in an event stay in it; what joined it since is free again. A cluster of
    whose photos most are settled in an event is no event of its own: its other photos join that
    one, or another with settled photos in the cluster, whichever has the nearest centre. All other
    clusters keep the id of the event that they share most photos with (`keep_ids`).

    Raises
    ------
    InputError
        There are fewer photos than n_clusters.
    """
    # Moved towards their occasions, the vectors need no further refinement.
    clusterer = AlbumClusterer(n_clusters, metric=photos.metric, refine=False)
    labels = clusterer.fit(photos.vectors, progress=progress).labels_
    found, earlier = photos.numbers(kept.settled_in()), photos.numbers(kept.event_of())
    free = found < 0
    events, members = np.unique(found[~free], return_inverse=True)
    earlier[free & np.isin(earlier, events)] = -1
    if len(events):
        centroids = centroids_of(photos.vectors[~free], members, photos.metric)
        for label in range(clusterer.n_clusters_):
            inside = labels == label
            most = _most_common(earlier[inside & (earlier >= 0)])
            if most in events:
                near = np.flatnonzero(np.isin(events, [most, *found[inside & ~free]]))
                joining = inside & free
                nearest = knn(photos.vectors[joining], centroids[near], 1, photos.metric)[1]
                found[joining] = events[near[nearest[:, 0]]]
    rest = np.flatnonzero((found < 0) & (labels >= 0))
    numbers = np.unique(labels[rest], return_inverse=True)[1]
    ids, next_id = keep_ids(numbers, earlier[rest], kept.next_id)
    found[rest] = ids[numbers]
    return kept.found(dict(zip(photos.rows, found.tolist(), strict=True)), next_id)


def _most_common(ids: NDArray[np.int64]) -> int:
    """Give the id that comes most often, of equals the lowest; -1 for none."""
    values, counts = np.unique(ids, return_counts=True)
    return int(values[counts.argmax()]) if len(values) else -1


def describe(photos: Timeline, kept: KeptEvents) -> Discovery:
    """Describe the events that are kept, as far as their photos are there."""
    number = photos.numbers(kept.event_of())
    sizes = Counter(number[number >= 0].tolist())
    order = sorted(sizes, key=lambda event_id: (-sizes[event_id], event_id))
    place = {event_id: label for label, event_id in enumerate(order)}
    labels = np.array([place.get(event_id, -1) for event_id in number.tolist()], np.intp)
    inside = np.flatnonzero(labels >= 0)
    if not len(inside):
        return Discovery((), *_outside(photos, kept))
    inside = inside[canonical_order(photos.vectors[inside])]
    centroids = centroids_of(photos.vectors[inside], labels[inside], photos.metric)
    distances = pair_distances(photos.vectors, centroids[labels], photos.metric)
    kinds = kinds_of(centroids, photos.metric)
    telling = _telling(photos, labels, distances, len(order))
    rows = list(photos.rows.values())
    events = []
    for label, event_id in enumerate(order):
        event, members = kept.events[event_id], np.flatnonzero(labels == label)
        faces = members[np.argsort(distances[members], kind="stable")[:_REPRESENTATIVES]]
        own = [rows[i] for i in members]
        times = [time for row in own if (time := _time(row))]
        first, last = (min(times), max(times)) if times else (None, None)
        trip = _most_common(photos.trips[members])
        words = led_by(event.known_event, telling[label])
        events.append(
            DiscoveredEvent(
                event_id=event_id,
                title=event.title or title(words, first, last),
                named=event.title is not None,
                words=tuple(words),
                photo_ids=tuple(row["photo_id"] for row in sorted(own, key=in_time)),
                representatives=tuple(row_hit(rows[i], float(distances[i])) for i in faces),
                first=first,
                last=last,
                known_event=event.known_event,
                confidence=event.confidence,
                accepted=event.accepted is not None,
                rejected=tuple(sorted(event.rejected)),
                kind=int(kinds[label]),
                trip=None if trip < 0 else trip,
            )
        )
    return Discovery(tuple(events), *_outside(photos, kept))


def in_time(row: dict[str, Any]) -> tuple[datetime, str]:
    """Give the key by which an event's photos are sorted."""
    return _time(row) or datetime.max, row["photo_id"]


def _telling(
    photos: Timeline, labels: NDArray[np.intp], distances: NDArray[np.float32], n: int
) -> list[list[str]]:
    mean = distances[labels >= 0].mean()
    typical = np.exp(-distances / max(mean, np.finfo(np.float32).tiny))
    return photos.terms.telling(labels.tolist(), typical.tolist(), n)


def _outside(photos: Timeline, kept: KeptEvents) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the photos that fell in no event, and those that are new."""
    looked_at = kept.event_of().keys() | kept.noise
    noise = tuple(photo_id for photo_id in photos.rows if photo_id in kept.noise)
    return noise, tuple(photo_id for photo_id in photos.rows if photo_id not in looked_at)


def _time(row: dict[str, Any]) -> datetime | None:
    # A file's own time is often that of a copy, so it dates no event.
    return None if row["taken_confidence"] == "file" else row["taken"]
