"""When an answer is withheld: limits from the seeds, by conformal prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.index.knn import knn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet


def conformal_limit(scores: NDArray[np.floating], risk: float) -> float:
    """Give the limit that a further score exceeds with a probability of at most `risk`.

    The score may be any, as long as it comes as those did (exchangeability). With fewer than
    1 / risk - 1 scores there is no such limit, and it is infinite.

    References
    ----------
    Vovk, Gammerman and Shafer, "Algorithmic learning in a random world", 2005; Lei et al.,
    "Distribution-free predictive inference for regression", JASA 2018.
    """
    rank = int(np.ceil((len(scores) + 1) * (1 - risk) - 1e-9))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else np.inf


def distance_limits(
    seeds: SeedSet,
    prototypes: NDArray[np.float32],
    labels: NDArray[np.intp],
    groups: NDArray[np.intp],
    risk: float,
) -> NDArray[np.float32]:
    """Limit the distance to an event's nearest prototype.

    Returns
    -------
    NDArray
        (n_events,) float32 limits that a seed of the event, judged without its group, exceeds with
        a probability of at most `risk`. An event with too few seeds gets the limit of all seeds;
        where these are too few as well, their largest distance, or infinity when there is none.
    """
    own = [_to_own(seeds, i, prototypes, labels, groups) for i in range(seeds.n_events)]
    everyone = np.concatenate(own)
    fallback = conformal_limit(everyone, risk)
    if np.isinf(fallback) and len(everyone):
        fallback = float(everyone.max())
    limits = [conformal_limit(distances, risk) for distances in own]
    return np.array([fallback if np.isinf(limit) else limit for limit in limits], np.float32)


def _to_own(
    seeds: SeedSet,
    event: int,
    prototypes: NDArray[np.float32],
    labels: NDArray[np.intp],
    groups: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Measure the seeds of an event to its nearest prototype of another group, if there is one."""
    members, theirs = seeds.truth == event, np.flatnonzero(labels == event)
    spare = int(np.unique(groups[theirs], return_counts=True)[1].max())
    k = min(1 + spare, len(theirs))
    distances, positions = knn(seeds.vectors[members], prototypes[theirs], k, seeds.metric)
    same = groups[theirs][positions] == seeds.groups[members][:, None]
    distances[same | (distances == 0)] = np.inf
    nearest: NDArray[np.float32] = distances.min(axis=1)
    return nearest[np.isfinite(nearest)]
