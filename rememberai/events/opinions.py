"""What speaks for an event: the vote, two heads, the descriptions, the words; and their pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from rememberai._arrays import prepare
from rememberai.errors import InputError
from rememberai.events.bayes import NaiveBayes
from rememberai.events.descriptions import EventDescriptions
from rememberai.events.gaussian import GaussianHead
from rememberai.events.others import OtherEvents
from rememberai.events.pooling import exponents, opinion_weights
from rememberai.events.ridge import RidgeHead
from rememberai.events.temperature import doubted_logs, softmax
from rememberai.events.voting import PrototypeVote, Voting
from rememberai.records import uncounted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.events.prototypes import EventPrototypes
    from rememberai.events.seedset import SeedSet
    from rememberai.records import Step

Method = Literal["fused", "plain", "similarity", "kernel", "nearest-mean", "gaussian"]
STEPS = 5  # of learning: the descriptions, the vote, two heads, the words
_LEAST = 0.1  # power of the pool that is told of words


class Opinion(Protocol):
    """What gives probabilities of the events, for photos and for the seeds it was fitted to."""

    left_out_: NDArray[np.float64]

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities."""
        ...


class PooledOpinions:
    """Pool the opinions of a method.

    Those on a photo's vector, of which each sees the same, are pooled linearly. What its words tell
    beyond that (see `bayes`) is multiplied with the pool, to a power that is learned; without words
    the pool stands alone.

    Attributes
    ----------
    opinions_, weights_
        By name, ``"descriptions"``, ``"vote"``, ``"gaussian"`` and ``"ridge"`` where they speak.
    words_, power_
        The fitted `NaiveBayes` and its power; None and 0 where no seed has words that can tell.
    others_
        The fitted `OtherEvents`; None where none are told of.
    left_out_, left_out_told_
        (n, n_events) pooled probabilities of the seeds, each judged without its group, by their
        vectors alone and with their words.
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
        worded: Sequence[Sequence[str]],
        others: NDArray[np.float32] | None = None,
        step: Step = uncounted,
    ) -> Self:
        """Fit the opinions and their weights.

        Parameters
        ----------
        groups
            (p,) the group of each prototype.
        worded
            The distinct words of each seed, in the seeds' order.
        others
            (m, dimension) descriptions of events that are not learned.
        step
            Called after each of the `STEPS`; what is not to be learned is done at once.
        """
        if others is not None:
            if descriptions is None:
                raise InputError("others are told by their names, so the events must have some too")
            others = prepare(others, seeds.metric, dimension=seeds.vectors.shape[1], name="others")
        self.opinions_ = self._opinions(seeds, chosen, groups, descriptions, others, step)
        self.others_ = None
        if others is not None:
            logits = [opinion.left_out_logits_ for opinion in self._by_name()]
            told = next(o for o in self._by_name() if isinstance(o, EventDescriptions))
            self.others_ = OtherEvents(told.vectors_, others).fit(logits, seeds)
        left_out = [opinion.left_out_ for opinion in self.opinions_.values()]
        judged = seeds.judged()
        truth = seeds.truth[judged]
        weights = opinion_weights([own[judged] for own in left_out], truth)
        self.weights_ = dict(zip(self.opinions_, weights.tolist(), strict=True))
        self.left_out_: NDArray[np.float64] = np.asarray(
            sum(w * own for w, own in zip(weights, left_out, strict=True))
        )
        self.words_, self.power_, self.left_out_told_ = None, 0.0, self.left_out_
        if self.method == "fused" and any(worded):
            self.words_ = NaiveBayes().fit(worded, seeds)
            logs = [doubted_logs(self.left_out_)[judged], self.words_.left_out_[judged]]
            powers = exponents(logs, truth)
            self.power_ = float(powers[1] / max(powers[0], _LEAST))
            self.left_out_told_ = self._told(self.left_out_, self.words_.left_out_)
        step()
        return self

    def pool(
        self, vectors: NDArray[np.float32], worded: Sequence[Sequence[str]] | None = None
    ) -> NDArray[np.float64]:
        """Give (n, n_events) probabilities that are not calibrated yet."""
        shares = [
            self.weights_[name] * o.probabilities(vectors) for name, o in self.opinions_.items()
        ]
        pool = np.asarray(np.sum(shares, axis=0), np.float64)
        if worded is None or self.words_ is None:
            return pool
        return self._told(pool, self.words_.scores(worded))

    def learned_share(self, vectors: NDArray[np.float32]) -> NDArray[np.float64] | None:
        """Give (n,) shares of the learned events beside others; None where none are told of."""
        if self.others_ is None:
            return None
        return self.others_.share([opinion.logits(vectors) for opinion in self._by_name()])

    def _by_name(self) -> list[EventDescriptions | GaussianHead]:
        """List the opinions that can tell of an event without seeds."""
        return [
            opinion
            for opinion in self.opinions_.values()
            if isinstance(opinion, EventDescriptions)
            or (isinstance(opinion, GaussianHead) and opinion.shared)
        ]

    def _told(self, pool: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(doubted_logs(pool) + self.power_ * scores)

    def _opinions(
        self,
        seeds: SeedSet,
        chosen: EventPrototypes,
        groups: NDArray[np.intp],
        descriptions: Mapping[str, ArrayLike] | None,
        others: NDArray[np.float32] | None,
        step: Step,
    ) -> dict[str, Opinion]:
        opinions: dict[str, Opinion] = {}
        words = None
        if descriptions is not None:
            told = EventDescriptions(seeds.metric).fit(
                descriptions, chosen.events_, seeds.vectors, seeds.truth, others
            )
            opinions["descriptions"], words = told, told.vectors_
        step()
        if self.method == "fused" or self.method in get_args(Voting):
            voting: Voting = "kernel" if self.method == "fused" else self.method  # type: ignore[assignment]
            opinions["vote"] = PrototypeVote(voting, k=self.k).fit(
                seeds, chosen.vectors_, chosen.labels_, groups
            )
        step()
        head = GaussianHead(shared=self.method != "nearest-mean")
        if self.method in ("fused", "gaussian", "nearest-mean"):
            opinions["gaussian"] = head.fit(seeds, words, others)
        step()
        if self.method == "fused":
            expected = None if words is None else head.expected_
            opinions["ridge"] = RidgeHead().fit(seeds, expected, head.strength_)
        step()
        return opinions


def check_method(method: Method) -> None:
    """Raise InputError unless the method is one of those above."""
    if method not in get_args(Method):
        raise InputError(f"method must be one of {', '.join(get_args(Method))}; {method!r} came")
