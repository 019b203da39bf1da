"""Naive Bayes: events told apart by the words of their seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

_PRIOR = 10  # times the words of an event
_AT_ONCE = 4096  # texts


class NaiveBayes:
    """Score events by a multinomial model of the words, each of which counts once a text.

    An event's share of a word is (n + a b) / (N + a): n of the N words of its seeds are that word,
    b is the word's share of the words of all seeds, and a is ten times the number of words that an
    event has on the average (a Dirichlet prior, strong because the words of a text depend on each
    other). A score is the sum over a text's words of the log of that share over b; words that were
    never met say nothing.

    Attributes
    ----------
    left_out_
        (n, n_events) scores of the seeds, their own event's without the words of their group.

    References
    ----------
    McCallum and Nigam, "A comparison of event models for naive Bayes text classification", AAAI
    workshop 1998; smoothing: Zhai and Lafferty, SIGIR 2001.
    """

    def fit(self, worded: Sequence[Sequence[str]], seeds: SeedSet) -> Self:
        """Count the words of each event.

        Parameters
        ----------
        worded
            The distinct words of each seed, in the seeds' order.
        """
        self._places = {w: i for i, w in enumerate(sorted({w for ws in worded for w in ws}))}
        rows, ids = self._found(worded)
        events = seeds.truth[rows]
        n_words = len(self._places)
        cells = ids * seeds.n_events + events
        counts = np.bincount(cells, minlength=n_words * seeds.n_events).reshape(n_words, -1)
        self._totals = counts.sum(axis=0)
        self._prior = max(_PRIOR * len(ids) / seeds.n_events, 1.0)
        background = counts.sum(axis=1) / max(len(ids), 1) * self._prior
        self._gains = np.log1p(counts / background[:, None])
        self.left_out_ = self.scores(worded)
        parts = seeds.parts()
        _, cell, theirs = np.unique(
            parts[rows] * n_words + ids, return_inverse=True, return_counts=True
        )
        _, part = np.unique(parts, return_inverse=True)
        sizes = np.bincount(rows, minlength=len(parts))
        left = counts[ids, events] - theirs[cell]
        own = np.bincount(rows, np.log1p(left / background[ids]), len(parts))
        total = self._totals[seeds.truth] - np.bincount(part, sizes)[part]
        self.left_out_[np.arange(len(parts)), seeds.truth] = own - sizes * np.log1p(
            total / self._prior
        )
        return self

    def scores(self, worded: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Give (n, n_events) scores for the distinct words of n texts."""
        scores = np.zeros((len(worded), len(self._totals)))
        for start in range(0, len(worded), _AT_ONCE):
            rows, ids = self._found(worded[start : start + _AT_ONCE])
            some, firsts, sizes = np.unique(rows, return_index=True, return_counts=True)
            if len(some):
                scores[start + some] = np.add.reduceat(self._gains[ids], firsts, axis=0)
                scores[start + some] -= sizes[:, None] * np.log1p(self._totals / self._prior)
        return scores

    def _found(self, worded: Sequence[Sequence[str]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Give the text and the number of each known word."""
        places = self._places
        ids = [[places[w] for w in ws if w in places] for ws in worded]
        rows = np.repeat(np.arange(len(ids)), [len(i) for i in ids])
        return rows.astype(np.intp), np.array([i for some in ids for i in some], np.intp)
