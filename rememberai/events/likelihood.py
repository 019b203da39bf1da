"""Prototypes under whose vote the seeds' own events are most probable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.energy import TIE, fading, first_best

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from rememberai.events.energy import Pool

    Floats = NDArray[np.float32]
    Rows = NDArray[np.intp]
    Prototypes = Sequence[tuple[int, int]]  # events and rows of their pools

_FADING = 12  # a kernel falls to exp(-12) at the mean energy between two seeds of an event
_NEAR, _FAR = 512, 1024  # seeds of other events, near to an event and not, that count
_FEW = 4  # rows that may be the best and are compared by all seeds
_LOST = 8  # a seed's logarithm may be wrong by so many `TIE`
_AT_ONCE = 2**25  # kernels held at once
_TIGHT = 1e-12  # no event is thought to be tighter than float32 can tell
_TINY = np.finfo(np.float32).tiny
_NOTHING = np.exp(-_FADING)


def likelihood(pools: Sequence[Pool], n: int) -> list[Rows]:
    """Choose greedily so that the seeds' own events are probable under a vote of the prototypes.

    A seed is as probable as the part of its event in the sum of the kernels exp(-energy / t) of all
    prototypes but itself: the leave-one-out likelihood of stochastic neighbours. At the mean energy
    between two seeds of an event the kernel is exp(-12), and so much is a vote for no event. In
    each turn all events choose under the vote of what was chosen before, at first the seed that is
    nearest to the others by the kernels; then each prototype is once given up and chosen anew, the
    oldest first.

    What a further prototype gives to the seeds of its own event is computed; what it takes from
    those of other events is small. Where the seed that gives most is the best even if as much is
    taken as can be, nothing more is looked at; where few others may be, these are compared. In an
    event where once many were, the logarithm of what is taken is replaced from then on by the chord
    to the kernel that is usual there, and of many such seeds the nearest to the event count, and a
    part of the rest for all of it.

    References
    ----------
    The likelihood: Goldberger et al., "Neighbourhood components analysis", NIPS 2004; to compress
    seeds: Kusner et al., "Stochastic neighbor compression", ICML 2014; greedy choice among seeds:
    Zhu and Hastie, "Kernel logistic regression and the import vector machine", 2005.
    """
    sizes = [len(pool.points) for pool in pools]
    free = [event for event, size in enumerate(sizes) if size > n]
    chosen = [[] if size > n else list(range(size)) for size in sizes]
    vote = _Vote(pools, free)
    vote.add([(event, row) for event, rows in enumerate(chosen) for row in rows])
    for turn in range(2 * n if free else 0):
        if turn >= n:
            vote.add([(event, chosen[event].pop(0)) for event in free], -1)
        best = vote.best(chosen) if turn else vote.medoids()
        for event, row in best:
            chosen[event].append(row)
        vote.add(best)
    return [np.array(rows, np.intp) for rows in chosen]


class _Vote:
    """The sums of the prototypes' kernels at each seed, and what a further one would change.

    Attributes
    ----------
    own, everyone
        (n,) votes at each seed, for its own event and for all; float64, since what was added is
        taken away again.
    """

    def __init__(self, pools: Sequence[Pool], free: Sequence[int]) -> None:
        sizes = [len(pool.points) for pool in pools]
        means = [pool.energy.mean(dtype=np.float64) for pool in pools]
        temperature = max(np.average(means, weights=sizes), _TIGHT) / _FADING
        self._points = np.concatenate([pool.points for pool in pools])
        self._points /= np.float32(np.sqrt(temperature))
        self._halves = np.einsum("nd,nd->n", self._points, self._points) / 2
        ends = np.cumsum(sizes)
        self._places = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        # A vote for nothing, so that seeds far from all prototypes are worth covering.
        self.everyone = np.full(len(self._points), _NOTHING)
        self.own = self.everyone / (len(pools) + 1)
        self._free = free
        self._within = [fading(pool.energy, temperature) for pool in pools]
        for kernels in self._within:
            np.fill_diagonal(kernels, 0)  # no seed votes for itself
        self._beyond: dict[int, _Others] = {}
        # A prototype's kernels at all seeds are a row; most are asked for again.
        fitting = min(len(self._points), max(1, _AT_ONCE // len(self._points)))
        self._known = np.empty((fitting, len(self._points)), np.float32)
        self._where: dict[tuple[int, int], int] = {}  # the row of an event's seed

    def _kernels(self, a: slice | Rows, b: slice | Rows, out: Floats | None = None) -> Floats:
        kernels: Floats = np.matmul(self._points[a], self._points[b].T, out=out)
        kernels -= self._halves[b]
        kernels -= self._halves[a, None]
        return np.exp(np.minimum(kernels, 0, out=kernels), out=kernels)

    def _of(self, prototypes: Prototypes) -> Iterator[tuple[int, int, Floats]]:
        """Give events, rows and (n,) kernels at all seeds, to be used at once; none comes twice.

        Another product may round them otherwise, but for those of the own event.
        """
        fitting = len(self._known)
        for start in range(0, len(prototypes), fitting):
            some = prototypes[start : start + fitting]
            new = [each for each in some if each not in self._where]
            if len(self._where) + len(new) > fitting:
                self._where, new = {}, list(some)
            rows = np.array([self._places[event].start + row for event, row in new], np.intp)
            first = len(self._where)
            kernels = self._known[first : first + len(rows)]
            self._kernels(rows, slice(None), kernels)
            for (event, row), some_kernels in zip(new, kernels, strict=True):
                some_kernels[self._places[event]] = self._within[event][row]
            self._where |= {each: first + i for i, each in enumerate(new)}
            for each in some:
                yield *each, self._known[self._where[each]]

    def add(self, prototypes: Prototypes, times: int = 1) -> None:
        """Count the votes of prototypes, or with -1 no longer."""
        votes = np.zeros(len(self._points), np.float32)
        for event, _, kernels in self._of(prototypes):
            votes += kernels
            self.own[self._places[event]] += times * kernels[self._places[event]]
        self.everyone += times * votes
        np.maximum(self.everyone, _NOTHING, out=self.everyone)

    def medoids(self) -> Prototypes:
        """Find each event's seed that is nearest to its others by the kernels."""
        return [(event, first_best(self._within[event].sum(axis=1))) for event in self._free]

    def best(self, chosen: Sequence[Sequence[int]]) -> Prototypes:
        """Find the row of each event that adds most to the log-likelihood."""
        gains = {event: self._gains(event, chosen[event]) for event in self._free}
        rivals = self._rivals({e: gain for e, gain in gains.items() if e not in self._beyond})
        many = [event for event, rows in rivals.items() if len(rows) > _FEW]
        self._beyond |= {event: self._to_others(event) for event in many}
        taken = self._taken(
            [
                (event, row)
                for event, rows in rivals.items()
                if 1 < len(rows) <= _FEW
                for row in rows
            ]
        )
        best = []
        for event, gain in gains.items():
            scale = _LOST * len(gain)
            if event in self._beyond:
                row = first_best(gain - self._losses(event), scale)
            elif len(rivals[event]) == 1:
                row = rivals[event][0]
            else:
                scores = np.array([gain[row] - taken[event, row] for row in rivals[event]])
                row = rivals[event][first_best(scores, scale)]
            best.append((event, row))
        return best

    def _gains(self, event: int, chosen: Sequence[int]) -> Floats:
        """Compute what each row would give to the seeds of its own event."""
        kernels, mine = self._within[event], self._places[event]  # symmetric: a row for each seed
        own, everyone = self.own[mine, None], self.everyone[mine, None]
        added = kernels * (everyone / own).astype(np.float32)
        added += everyone.astype(np.float32)
        added /= kernels + everyone.astype(np.float32)
        gains = _log_sums(added)
        gains[chosen] = -np.inf
        return gains

    def _rivals(self, gains: Mapping[int, Floats]) -> dict[int, list[int]]:
        """List each event's rows that may be the best, knowing what one of them takes at most."""
        tangents = (1 / self.everyone).astype(np.float32)  # above the logarithm
        rivals = {}
        for event, row, kernels in self._of([(e, int(gain.argmax())) for e, gain in gains.items()]):
            mine, gain = self._places[event], gains[event]
            loss = kernels[: mine.start] @ tangents[: mine.start]
            loss += kernels[mine.stop :] @ tangents[mine.stop :]
            enough = gain[row] - (1 + _LOST * TIE) * loss - _LOST * TIE * len(gain)
            rivals[event] = np.flatnonzero(gain >= enough).tolist()
        return rivals

    def _taken(self, prototypes: Prototypes) -> dict[tuple[int, int], float]:
        """Compute what each would take from the seeds of other events."""
        everyone = self.everyone.astype(np.float32)
        taken = {}
        for event, row, kernels in self._of(prototypes):
            logs = np.log1p(kernels / everyone)
            logs[self._places[event]] = 0  # taken away afterwards, they would cost digits
            taken[event, row] = float(logs.sum())
        return taken

    def _losses(self, event: int) -> Floats:
        """Compute what each of an event's rows would take, by chords and a part of the seeds."""
        others = self._beyond[event]
        usual = np.maximum(others.usual, _TINY)
        chords = others.weights * np.log1p(usual / self.everyone[others.rows]) / usual
        losses: Floats = others.kernels @ chords.astype(np.float32)
        return losses

    @cached_property
    def _away(self) -> Floats:
        """Energies from each event's mean to all seeds, less what is the same for all seeds."""
        means = [self._points[own].mean(axis=0, dtype=np.float64) for own in self._places]
        away: Floats = self._halves - np.stack(means).astype(np.float32) @ self._points.T
        return away

    def _to_others(self, event: int) -> _Others:
        own, away = self._places[event], self._away[event]
        rows = np.delete(np.arange(len(away)), own)
        weights = np.ones(len(rows), np.float32)
        if len(rows) > _NEAR + _FAR:
            near, rest = np.split(rows[np.argpartition(away[rows], _NEAR)], [_NEAR])
            some = np.sort(rest)[np.arange(_FAR) * len(rest) // _FAR]
            rows = np.concatenate([np.sort(near), some])
            weights = np.repeat(np.array([1, len(rest) / _FAR], np.float32), [_NEAR, _FAR])
        kernels = self._kernels(own, rows)
        usual = np.einsum("ij,ij->j", kernels, kernels)
        usual /= np.maximum(kernels.sum(axis=0), _TINY)
        return _Others(kernels, rows, usual, weights)


@dataclass(frozen=True, slots=True)
class _Others:
    """Kernels from an event's seeds to those of other events that count."""

    kernels: Floats
    rows: Rows  # among all seeds
    usual: Floats  # at each of these, the mean kernel by kernels
    weights: Floats  # how many seeds each stands for


def _log_sums(values: Floats) -> Floats:
    """Sum the logarithms of each column, of products of four: fewer, and they don't overflow."""
    quarter = len(values) // 4
    products = np.array(values[:quarter])
    for i in range(1, 4):
        products *= values[i * quarter : (i + 1) * quarter]
    rest = np.log(values[4 * quarter :]).sum(axis=0)
    sums: Floats = np.log(products, out=products).sum(axis=0) + rest
    return sums
