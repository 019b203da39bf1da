"""Search in several spaces of the same photos: how much each stands out in them, added up."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from rememberai._arrays import check_count
from rememberai.store.schema import row_hit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rememberai.index import VectorIndex
    from rememberai.records import Hit
    from rememberai.store import MemoryStore

_SAMPLE = 1000  # photos that tell what is far and what is near to a query
_DEPTH = 100  # photos of each space that are looked at in the others


class Space:
    """An index, and photos from it with which others are compared."""

    def __init__(self, index: VectorIndex) -> None:
        self.index = index

    @cached_property
    def sample(self) -> list[str]:
        """At most 1000 photos, evenly from the sorted ids, which tell nothing of their content."""
        ids = sorted(self.index.ids.tolist())
        return ids[:: -(-len(ids) // _SAMPLE) or 1]

    def nearest(
        self, query: NDArray[np.float32], k: int, among: Sequence[str] | None = None
    ) -> dict[str, float]:
        """Give the distances of the k photos nearest to a (dimension,) query, k at least 1.

        Those that are as far as the last of them come along: among equals the index would choose
        by the order in which they were added.
        """
        asked = k + 1
        while True:
            found = self.index.search(query[None], asked, filter=among)
            distances = found.distances[0]
            if len(distances) < asked or distances[-1] > distances[k - 1]:
                break
            asked *= 2
        near = distances <= distances[:k].max(initial=0)
        return dict(zip(found.ids[0][near].tolist(), distances[near].tolist(), strict=True))


Name = Literal["words", "picture"]
Queries = dict[Name, tuple[Space, "NDArray[np.float32]"]]
Weights = dict[Name, float]


def search(
    store: MemoryStore,
    queries: Queries,
    k: int,
    where: str | None,
    weights: Weights | None = None,
) -> list[Hit]:
    """Find the k photos that stand out most.

    In one space these are the nearest ones. In several, a photo's distance in each is counted in
    standard deviations below the mean of a sample; these standings are weighed, added up over the
    spaces where it has a vector, and divided by the length of their weights (Stouffer's method,
    1949; weighed: Lipták, 1958); so one that is missing takes nothing away. Equal photos stand in
    the order of their ids.

    Parameters
    ----------
    store
        Whose photos they are.
    queries
        The spaces, and a (dimension,) query in each.
    where
        A condition of the photos to search; None for all.
    weights
        How much each space counts; None for equally much.

    Raises
    ------
    InputError
        k is below 1, or the condition can't be read.
    """
    k = check_count(k, "k")
    among = None if where is None else store.read([], where=where)["photo_id"].to_pylist()
    queries = {name: query for name, query in queries.items() if len(query[0].index)} or queries
    shares = None if weights is None else [weights[name] for name in queries]
    near, scores = standing(list(queries.values()), k, among, shares)
    best = sorted(scores, key=lambda photo: (-scores[photo], photo))[:k]
    rows = store.read_rows(best)
    hits = []
    for photo in best:
        pairs = zip(queries, near, strict=True)
        found = {name: each[photo] for name, each in pairs if photo in each}
        name, distance = next(iter(found.items()))
        hits.append(row_hit(rows[photo], distance, "both" if len(found) > 1 else name))
    return hits


def standing(
    queries: Sequence[tuple[Space, NDArray[np.float32]]],
    k: int,
    among: Sequence[str] | None,
    weights: Sequence[float] | None = None,
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Give the distances of what comes into question, space by space, and the scores."""
    if len(queries) == 1:
        space, query = queries[0]
        near = space.nearest(query, k, among)
        return [near], {photo: -distance for photo, distance in near.items()}
    depth = max(k, _DEPTH)
    first = [space.nearest(query, depth, among) for space, query in queries]
    union = sorted(set().union(*first))
    if not union:
        return first, {}
    near_all = [space.nearest(query, len(union), union) for space, query in queries]
    scales = [_scale(space, query) for space, query in queries]
    weights = weights or [1.0] * len(queries)
    return near_all, {photo: _stouffer(photo, near_all, scales, weights) for photo in union}


def _scale(space: Space, query: NDArray[np.float32]) -> tuple[float, float]:
    """Give the mean and the standard deviation of the distances of the sample."""
    sample = space.nearest(query, len(space.sample), space.sample)
    distances = np.sort(np.fromiter(sample.values(), np.float64))
    return float(distances.mean()), float(distances.std()) or 1.0


def _stouffer(
    photo: str,
    near: Sequence[Mapping[str, float]],
    scales: Sequence[tuple[float, float]],
    weights: Sequence[float],
) -> float:
    there = [i for i, each in enumerate(near) if photo in each]
    standings = [(scales[i][0] - near[i][photo]) / scales[i][1] for i in there]
    counted = [weights[i] for i in there]
    return float(np.dot(counted, standings) / np.linalg.norm(counted))
