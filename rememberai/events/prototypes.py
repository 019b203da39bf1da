"""Prototypes: the seeds that stand for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._arrays import check_metric, pair_distances, prepare
from rememberai.errors import InputError
from rememberai.events.kmeans import canonical_order, kmeans

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric


_RESTARTS = 20  # with few, the last digit of a vector can decide which optimum is found


class EventPrototypes:
    """Choose the prototypes of each event among its seeds.

    The seeds of an event are clustered by k-means; each cluster gives its members nearest to the
    centroid, in proportion to its size: the centre of what the event looks like, not its periphery.

    Parameters
    ----------
    n_prototypes
        How many an event gets; one with fewer distinct seeds keeps them all.
    n_seed_clusters
        Into how many clusters the seeds of an event are parted.
    metric
        ``"cosine"`` or ``"l2"``.
    random_state
        Seed of k-means.

    Attributes
    ----------
    events_
        The events' names, sorted.
    positions_
        (p,) rows of `fit`'s input that were chosen, event by event, the nearest to a centroid
        first; of equal seeds the first row.
    labels_
        (p,) the event of each prototype, as a position in `events_`.
    vectors_
        (p, dimension) float32, prepared for the metric.
    """

    def __init__(
        self,
        n_prototypes: int = 10,
        *,
        n_seed_clusters: int = 3,
        metric: Metric = "cosine",
        random_state: int = 0,
    ) -> None:
        self.n_prototypes = n_prototypes
        self.n_seed_clusters = n_seed_clusters
        self.metric = metric
        self.random_state = random_state

    def fit(self, vectors: ArrayLike, events: Sequence[str]) -> Self:
        """Choose the prototypes.

        Parameters
        ----------
        vectors
            (n, dimension) seeds.
        events
            n names: the event of each seed.

        Raises
        ------
        InputError
            No seeds, seeds that do not pair up with events, an event without a name, vectors that
            can't be used, or parameters below 1.
        """
        check_metric(self.metric)
        if self.n_prototypes < 1 or self.n_seed_clusters < 1:
            raise InputError(
                "n_prototypes and n_seed_clusters must be at least 1; "
                f"{self.n_prototypes} and {self.n_seed_clusters} came"
            )
        array = prepare(vectors, self.metric, name="seeds")
        names = np.asarray(events, dtype=object)
        if len(array) == 0 or names.shape != (len(array),):
            raise InputError(
                f"every seed needs one event, and there must be a seed; {len(array)} seeds and "
                f"events of the shape {names.shape} came"
            )
        self.events_, labels = _encode(names)
        chosen = [
            self._choose(array, np.flatnonzero(labels == i)) for i in range(len(self.events_))
        ]
        self.positions_ = np.concatenate(chosen)
        self.labels_ = labels[self.positions_]
        self.vectors_ = array[self.positions_]
        return self

    def _choose(self, array: NDArray[np.float32], members: NDArray[np.intp]) -> NDArray[np.intp]:
        members = members[canonical_order(array[members])]
        seeds = array[members]
        first = np.r_[True, (seeds[1:] != seeds[:-1]).any(axis=1)]  # equal seeds stand once
        members, seeds = members[first], seeds[first]
        n_prototypes = min(self.n_prototypes, len(members))
        centroids, clusters = kmeans(
            seeds,
            min(self.n_seed_clusters, n_prototypes),
            metric=self.metric,
            n_init=_RESTARTS,
            max_iter=50,
            random_state=self.random_state,
        )
        distances = pair_distances(seeds, centroids[clusters], self.metric)
        nearest = np.argsort(distances, kind="stable")
        clusters = clusters[nearest]
        quotas = _shares(np.bincount(clusters), n_prototypes)
        picked = [np.flatnonzero(clusters == i)[:quota] for i, quota in enumerate(quotas)]
        return members[nearest[np.sort(np.concatenate(picked))]]


def _encode(names: NDArray[Any]) -> tuple[list[str], NDArray[np.intp]]:
    wrong = [name for name in names if not (isinstance(name, str) and name.strip())]
    if wrong:
        raise InputError(f"an event must have a name; {wrong[0]!r} came")
    events = sorted(set(names))
    place = {event: i for i, event in enumerate(events)}
    return events, np.array([place[name] for name in names], np.intp)


def _shares(sizes: NDArray[np.intp], total: int) -> NDArray[np.intp]:
    """Part `total` among clusters by size, each getting at least one and at most all it has."""
    exact = total * sizes / sizes.sum()
    shares: NDArray[np.intp] = np.clip(np.floor(exact).astype(np.intp), 1, sizes)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        free = shares < sizes if step > 0 else shares > 1
        shares[np.argmax(np.where(free, step * (exact - shares), -np.inf))] += step
    return shares
