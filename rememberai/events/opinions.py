"""What speaks for an event: the vote, the Gaussian head, the descriptions; and their pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from rememberai.errors import InputError
from rememberai.events.descriptions import EventDescriptions
from rememberai.events.gaussian import GaussianHead
from rememberai.events.pooling import opinion_weights
from rememberai.events.temperature import best_temperature, sharpened
from rememberai.events.voting import PrototypeVote, Voting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.events.prototypes import EventPrototypes
    from rememberai.events.seedset import SeedSet

Method = Literal["fused", "plain", "similarity", "kernel", "nearest-mean", "gaussian"]
_TEMPERATURES = np.geomspace(0.1, 2, 27)


class Opinion(Protocol):
    """What gives probabilities of the events, for photos and for the seeds it was fitted to."""

    left_out_: NDArray[np.float64]

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities."""
        ...


class PooledOpinions:
    """Pool the opinions of a method linearly, and calibrate what comes out on the seeds.

    Attributes
    ----------
    opinions_, weights_
        By name, ``"vote"``, ``"gaussian"`` and ``"descriptions"`` where they speak.
    temperature_
        The pool is raised to the power 1 / temperature: the one under which the seeds' own events
        are most probable, of 27 from 0.1 to 2.
    left_out_
        (n, n_events) calibrated probabilities of the seeds, each judged without its group.
    """

    def __init__(self, method: Method = "fused", *, k: int = 20) -> None:
        self.method = method
        self.k = k

    def fit(
        self,
        seeds: SeedSet,
        chosen: EventPrototypes,
        groups: NDArray[np.intp],
        descriptions: Mapping[str, ArrayLike] | None,
    ) -> Self:
        """Fit the opinions, their weights and the temperature.

        Parameters
        ----------
        groups
            (p,) the group of each prototype.
        """
        opinions: dict[str, Opinion] = {}
        words = None
        if descriptions is not None:
            told = EventDescriptions(seeds.metric).fit(
                descriptions, chosen.events_, seeds.vectors, seeds.truth
            )
            opinions["descriptions"], words = told, told.vectors_
        if self.method == "fused" or self.method in get_args(Voting):
            voting: Voting = "kernel" if self.method == "fused" else self.method  # type: ignore[assignment]
            opinions["vote"] = PrototypeVote(voting, k=self.k).fit(
                seeds, chosen.vectors_, chosen.labels_, groups
            )
        if self.method in ("fused", "gaussian", "nearest-mean"):
            head = GaussianHead(shared=self.method != "nearest-mean")
            opinions["gaussian"] = head.fit(seeds, words)
        self.opinions_ = opinions
        left_out = [opinion.left_out_ for opinion in opinions.values()]
        weights = opinion_weights(left_out, seeds.truth)
        self.weights_ = dict(zip(opinions, weights.tolist(), strict=True))
        pool = np.sum([w * own for w, own in zip(weights, left_out, strict=True)], axis=0)
        self.temperature_ = best_temperature(
            _TEMPERATURES, lambda t: sharpened(pool, t), seeds.truth
        )
        self.left_out_ = sharpened(pool, self.temperature_)
        return self

    def pool(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities that are not calibrated yet."""
        shares = [
            self.weights_[name] * o.probabilities(vectors) for name, o in self.opinions_.items()
        ]
        return np.asarray(np.sum(shares, axis=0), np.float64)

    def calibrated(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate pooled probabilities, of photos or of albums."""
        return sharpened(pool, self.temperature_)


def check_method(method: Method) -> None:
    """Raise InputError unless the method is one of those above."""
    if method not in get_args(Method):
        raise InputError(f"method must be one of {', '.join(get_args(Method))}; {method!r} came")
