"""Evidence: what an album's answer rests on."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from rememberai.errors import InputError
from rememberai.events.answers import TellingPhoto
from rememberai.events.naming import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHOWN = 5


def telling_photos(
    weights: NDArray[np.float64], positions: NDArray[np.intp]
) -> tuple[TellingPhoto, ...]:
    """Name the photos that speak most for an event; of equals the first.

    Parameters
    ----------
    weights, positions
        (n,) the part that each photo has in the event's probability, and where it is in the album.
    """
    order = np.argsort(-weights.round(9), kind="stable")[:_SHOWN]
    return tuple(TellingPhoto(int(positions[i]), float(weights[i])) for i in order)


def distinct_words(text: str) -> list[str]:
    """List the words of a text that can tell, each once, by the alphabet.

    Raises
    ------
    InputError
        It is no text.
    """
    if not isinstance(text, str):
        raise InputError(f"a text is a str, empty where there is none; {text!r:.80} came")
    return sorted(set(words(text)))


def words_of_photos(texts: Sequence[str] | None, n_photos: int) -> list[list[str]] | None:
    """List the words that can tell of each photo, if there are texts.

    Raises
    ------
    InputError
        There is not one text for each photo, or one is no text.
    """
    if texts is not None and len(texts) != n_photos:
        raise InputError(
            f"every photo needs one text; {n_photos} photos and {len(texts)} texts came"
        )
    return None if texts is None else [distinct_words(text) for text in texts]


class EventWords:
    """In how many seeds of each event a word occurs.

    Parameters
    ----------
    worded, events
        The distinct words of each seed, and its event.
    """

    def __init__(self, worded: Sequence[Sequence[str]], events: Sequence[str]) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        for words_of_seed, event in zip(worded, events, strict=True):
            for word in words_of_seed:
                self._counts[word][event] += 1

    def telling(
        self, worded: Sequence[Sequence[str]], weights: NDArray[np.float64], event: str
    ) -> tuple[str, ...]:
        """Rank the words of an album, given photo by photo, that the event's seeds share.

        A word tells as much as the weights of the photos that it occurs in, times the part of the
        seeds with it that are the event's, where one seed of another event is added: a word that
        was met once proves little.
        """
        scores: dict[str, float] = defaultdict(float)
        for words_of_photo, weight in zip(worded, weights, strict=True):
            for word in words_of_photo:
                seen = self._counts.get(word)
                if seen and seen[event]:
                    scores[word] += float(weight) * seen[event] / (sum(seen.values()) + 1)
        ranked = sorted(scores, key=lambda word: (-round(scores[word], 9), word))
        return tuple(ranked[:_SHOWN])
