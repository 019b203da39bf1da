"""Other events: what a photo may show that is none of the learned events, told by names alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rememberai.events.energy import energies, spread
from rememberai.events.temperature import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import NDArray

    from rememberai.events.seedset import SeedSet

    Logits = Sequence[NDArray[np.float64]]

_SAME = 0.5


class OtherEvents:
    """Tell how much of a photo's probability learned events have, were others possible too.

    Opinions that need no seeds, as they know an event by its description, give probabilities of the
    learned events and of the others together; the learned events' share is the mean over these
    opinions. One of the others that is nearer to a learned event's description than half of what
    two descriptions are apart on the average is that event, and left out.

    Parameters
    ----------
    learned, others
        (n_events, dimension) and (m, dimension) prepared descriptions.

    Attributes
    ----------
    left_out_
        (n,) shares of the seeds, each judged without its group.
    left_out_unlearned_
        (n,) the same, as if the seed's event had not been learned: it has no probability, and
        others have that were left out as the same.

    References
    ----------
    Esmaeilpour et al., "Zero-shot out-of-distribution detection based on the pre-trained model
    CLIP", AAAI 2022; Jiang et al., "Negative label guided OOD detection with pretrained
    vision-language models", ICLR 2024.
    """

    def __init__(self, learned: NDArray[np.float32], others: NDArray[np.float32]) -> None:
        least = _SAME * spread(np.concatenate([learned, others]))
        self._same: NDArray[np.bool_] = energies(others, learned) < least

    def fit(self, logits: Logits, seeds: SeedSet) -> Self:
        """Judge the seeds.

        Parameters
        ----------
        logits
            (n, n_events + m) logarithms of the probabilities of the seeds, one array an opinion.
        """
        self.left_out_ = self.share(logits)
        rows = np.arange(len(seeds.truth))
        n_same = self._same.sum(axis=1)
        same: NDArray[np.bool_] = n_same > self._same[:, seeds.truth].T
        without = [each.copy() for each in logits]
        for each in without:
            each[rows, seeds.truth] = -np.inf
        self.left_out_unlearned_ = _share(without, same)
        return self

    def share(self, logits: Logits) -> NDArray[np.float64]:
        """Give the (n,) shares of the learned events."""
        return _share(logits, self._same.sum(axis=1)[None] > 0)


def _share(logits: Logits, same: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sum the probabilities of the learned events, where others that are the same are none."""
    n_events = logits[0].shape[1] - same.shape[1]
    shares = []
    for each in logits:
        others = np.where(same, -np.inf, each[:, n_events:])
        everything = softmax(np.concatenate([each[:, :n_events], others], axis=1))
        shares.append(everything[:, :n_events].sum(axis=1))
    mean: NDArray[np.float64] = np.mean(shares, axis=0)
    return mean
