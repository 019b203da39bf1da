"""Fusing: what words and pictures say of an event, each where there is one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError, RememberAIError
from rememberai.events.temperature import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.events.answers import Assignment
    from rememberai.events.assignment import EventAssigner

_WEIGHTS = np.linspace(0, 1.5, 13)
_DOUBT = 0.01  # of each opinion is spread over all events, so that none has a veto
_PRIOR = 20.0  # seeds that speak for equal weights before there are any
_MOST = 3  # opinions, of which all combinations of weights are tried


class OpinionFusion:
    """Pool opinions in logarithms, weighed by what they were worth on seeds with all of them.

    The probability of an event is in proportion to the product of the opinions' probabilities, each
    raised to its weight: two that err independently weigh almost 1 each, two that say the same
    about 1/2. So the pool is calibrated when its parts are. The weights are those of 13 from 0 to
    1.5 under which the seeds' own events are most probable, where 20 seeds speak for equal weights
    of sum 1. Where one opinion alone is given, it stands as it is; where some of several are
    missing, the others keep their weights.

    Attributes
    ----------
    weights_
        (n_opinions,) float64.

    References
    ----------
    Genest and Zidek, "Combining probability distributions", Statistical Science, 1986.
    """

    def fit(self, opinions: Sequence[ArrayLike], truth: ArrayLike) -> Self:
        """Learn the weights.

        Parameters
        ----------
        opinions
            Two or three arrays (n, n_events): probabilities of the seeds' events, each seed judged
            without itself; a row of NaN where the opinion is missing.
        truth
            (n,) positions of the seeds' events.

        Raises
        ------
        InputError
            The arrays do not pair up, or hold no probabilities.
        """
        own = np.asarray(truth)
        if not 2 <= len(opinions) <= _MOST:
            raise InputError(f"2 to {_MOST} opinions can be fused; {len(opinions)} came")
        logs, there = _checked(opinions)
        if own.shape != there.shape[1:] or own.dtype.kind not in "iu":
            raise InputError(
                f"one position of an event was wanted for each of {there.shape[1]} seeds; an array "
                f"{own.dtype} {own.shape} came"
            )
        whole = there.all(axis=0)
        logs, own = logs[:, whole], own[whole]
        rows = np.arange(len(own))
        equal = 1 / len(opinions)
        best, self.weights_ = -np.inf, np.full(len(opinions), equal)
        for weights in product(_WEIGHTS, repeat=len(opinions)):
            shares = softmax(np.tensordot(weights, logs, axes=1))[rows, own]
            away = sum((weight - equal) ** 2 for weight in weights)
            # A sum's last digits depend on the order.
            gain = round(float(np.log(np.sort(shares)).sum()) - _PRIOR * away / 2, 6)
            if gain > best:
                best, self.weights_ = gain, np.array(weights)
        return self

    def fuse(self, opinions: Sequence[ArrayLike]) -> NDArray[np.float64]:
        """Pool opinions.

        Parameters
        ----------
        opinions
            As for `fit`: (m, n_events) each, a row of NaN where one is missing.

        Returns
        -------
        NDArray
            (m, n_events) probabilities; all alike where every opinion is missing.

        Raises
        ------
        InputError
            As `fit`, or other opinions came than were learned from.
        """
        if not hasattr(self, "weights_"):
            raise RememberAIError("no weights are learned yet; call fit first")
        if len(opinions) != len(self.weights_):
            raise InputError(
                f"{len(self.weights_)} opinions were learned from; {len(opinions)} came"
            )
        logs, there = _checked(opinions)
        pooled = softmax(np.tensordot(self.weights_, logs, axes=1))
        alone = there.sum(axis=0) == 1
        for opinion, given in zip(opinions, there, strict=True):
            pooled[alone & given] = np.asarray(opinion, np.float64)[alone & given]
        return pooled


class AnswerFusion:
    """Fuse what two assigners answer for one album: one by its words, one by its pictures.

    Their probabilities are pooled by `OpinionFusion`, with weights learned on the seeds that have
    words and a picture. An assigner tells apart only the events that it has learned: an event that
    it has no seeds of is as probable to it as to the other one. The album is unknown when it is so
    to both, so that no more of the known ones are than either would call so.

    Attributes
    ----------
    events_
        All events that one of them knows, sorted.
    fusion_
        The fitted `OpinionFusion`: weights of words and of pictures.
    """

    def fit(
        self,
        words: EventAssigner,
        pictures: EventAssigner,
        pairs: ArrayLike,
        events: Sequence[str],
    ) -> Self:
        """Learn the weights.

        Parameters
        ----------
        words, pictures
            Fitted assigners.
        pairs
            (m, 2) rows of the seeds of each, in the order in which they were given: the words and
            the picture of one photo. With none, both weigh alike.
        events
            The m names of their events.
        """
        rows = np.asarray(pairs, np.intp).reshape(-1, 2)
        assigners = (words, pictures)
        self.events_ = sorted({*words.events_, *pictures.events_})
        own = [each.left_out_[at] for each, at in zip(assigners, rows.T, strict=True)]
        known = [each.events_ for each in assigners]
        opinions = self._completed(own, known)
        whole = np.isfinite(opinions).all(axis=(0, 2))
        place = {event: i for i, event in enumerate(self.events_)}
        truth = np.array([place[event] for event in events], np.intp)[whole]
        self.fusion_ = OpinionFusion().fit([each[whole] for each in opinions], truth)
        return self

    def fuse(self, words: Assignment, pictures: Assignment) -> Assignment:
        """Pool two answers for one album.

        Returns
        -------
        Assignment
            The nearest prototypes, telling photos and words are those of the words; the log odds
            that its event is known are the mean of both.
        """
        answers = (words, pictures)
        known = [[event for event, _ in answer.ranking] for answer in answers]
        own = [np.array([[share for _, share in answer.ranking]]) for answer in answers]
        shares = self.fusion_.fuse(list(self._completed(own, known)))[0]
        ranks = np.argsort(-shares, kind="stable")
        best = shares[ranks[0]]
        unknown = words.event is None and pictures.event is None
        return replace(
            words,
            event=None if unknown else self.events_[ranks[0]],
            probability=float(best),
            known=float(_mean_odds([answer.known for answer in answers])),
            margin=float(best - (shares[ranks[1]] if len(ranks) > 1 else 0)),
            ranking=tuple((self.events_[i], float(shares[i])) for i in ranks),
            reason=words.reason if unknown else "",
            doubt=words.doubt if unknown else None,
        )

    def _completed(
        self, own: Sequence[NDArray[np.float64]], known: Sequence[Sequence[str]]
    ) -> NDArray[np.float64]:
        """Lay two opinions out over all events, each completed by the other."""
        place = {event: i for i, event in enumerate(self.events_)}
        full = np.zeros((2, len(own[0]), len(place)))
        knows = np.zeros((2, 1, len(place)), bool)
        for i in range(2):
            columns = [place[event] for event in known[i]]
            full[i][:, columns] = own[i]
            knows[i, 0, columns] = True
        others = np.where(knows, 0, full[::-1])
        rest = 1 - others.sum(axis=2, keepdims=True)
        return np.where(knows, full * rest, others)


def _mean_odds(shares: Sequence[float]) -> float:
    """Give the probability whose log odds are the mean of those of some probabilities."""
    sure = np.clip(np.array(shares), _DOUBT, 1 - _DOUBT)
    return float(1 / (1 + np.exp(-np.log(sure / (1 - sure)).mean())))


def _checked(opinions: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give (n_opinions, n, n_events) logarithms, 0 where one is missing, and where it is not."""
    logs: list[NDArray[np.float64]] = []
    there: list[NDArray[np.bool_]] = []
    for opinion in opinions:
        array = np.asarray(opinion, np.float64)
        if array.ndim != 2 or array.shape[1] < 1 or (logs and array.shape != logs[0].shape):
            raise InputError(
                f"opinions must be (n, n_events) arrays of one shape; {array.shape} came"
            )
        given: NDArray[np.bool_] = np.logical_not(np.isnan(array).all(axis=1))
        sums = array[given].sum(axis=1)
        if not (np.isfinite(sums).all() and (array[given] >= 0).all() and np.allclose(sums, 1)):
            raise InputError("an opinion's row must be probabilities of sum 1, or NaN throughout")
        doubted = (1 - _DOUBT) * array + _DOUBT / array.shape[1]
        logs.append(np.where(given[:, None], np.log(doubted), 0))
        there.append(given)
    return np.stack(logs), np.stack(there)
