"""Texts longer than a model takes: cut into pieces, and the pieces' vectors pooled."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rememberai.embedders.base import Embedder
from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from rememberai.embedders.languages import LanguageWatch

_SENTENCE_ENDS = frozenset(".!?…。！？\n")


def checked(texts: Sequence[str]) -> list[str]:
    """List the texts, each one valid Unicode: a lone surrogate becomes a question mark.

    Raises
    ------
    InputError
        One str was given instead of a sequence, or an element is no str.
    """
    if isinstance(texts, str):
        raise InputError("a sequence of texts was wanted, one str came. Put it in a list: [text].")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"texts were wanted, but texts[{i}] is a {type(text).__name__}.")
    return [
        text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
        for text in texts
    ]


def token_bound(text: str) -> int:
    """Bound the number of tokens of a text from above without tokenising it.

    Every token stands for at least one character, or one UTF-8 byte, of the text or of its
    decomposed form, except one that some tokenizers put in front.
    """
    if text.isascii():
        return len(text) + 1
    decomposed = unicodedata.normalize("NFKD", text)
    return len(text.encode()) + len(decomposed.encode()) + 1


def cut(text: str, starts: Sequence[int], limit: int) -> list[str]:
    """Cut a text into pieces of at most `limit` tokens.

    A piece ends after a sentence where the second half of its room holds such an end, else
    between two words, else between two tokens.

    Parameters
    ----------
    text
        The text.
    starts
        Where each token starts in the text, in characters, not descending.
    limit
        Largest number of tokens in a piece.

    Returns
    -------
    list of str
        The pieces in order; joined they are the text.
    """
    pieces = []
    here, first = 0, 0
    while len(starts) - first > limit:
        first = _next_first(text, starts, first, limit)
        if first == len(starts):
            break
        pieces.append(text[here : starts[first]])
        here = starts[first]
    return [*pieces, text[here:]]


def _next_first(text: str, starts: Sequence[int], first: int, limit: int) -> int:
    """Choose the token that begins the next piece."""
    here, last = starts[first], first + limit
    for token in range(last, first + limit // 2, -1):
        if text[here : starts[token]].rstrip(" \t")[-1:] in _SENTENCE_ENDS:
            return token
    for token in range(last, first, -1):
        at = starts[token]
        if at > here and (text[at - 1].isspace() or text[at].isspace()):
            return token
    while last < len(starts) and starts[last] == here:  # many tokens of one character
        last += 1
    return last


@dataclass(frozen=True, slots=True)
class Pieces:
    """Texts, the long ones in pieces.

    Attributes
    ----------
    texts
        The pieces of the first text, of the second, and so on; a short text is its own piece.
    weights
        Tokens of each piece, shape ``(len(texts),)``; 1 for a text that was not cut.
    counts
        Number of pieces of each text, shape ``(n,)``.
    """

    texts: list[str]
    weights: NDArray[np.int64]
    counts: NDArray[np.int64]

    def pool(self, vectors: NDArray[np.float32], *, normalise: bool) -> NDArray[np.float32]:
        """Pool the vectors of the pieces: one row a text, the mean weighted by tokens.

        A text of one piece keeps its vector untouched; `normalise` scales the pooled ones to
        length one.
        """
        ends = np.cumsum(self.counts)
        firsts = ends - self.counts
        pooled: NDArray[np.float32] = vectors[firsts]
        for i in np.flatnonzero(self.counts > 1):
            span = slice(firsts[i], ends[i])
            mean = np.average(vectors[span].astype(np.float64), axis=0, weights=self.weights[span])
            length = float(np.linalg.norm(mean)) or 1.0
            pooled[i] = mean / length if normalise else mean
        return pooled


def split(texts: Iterable[str], split_one: Callable[[str], list[tuple[str, int]]]) -> Pieces:
    """Split each text by `split_one`, which gives its pieces with their numbers of tokens."""
    parts = [split_one(text) for text in texts]
    flat = [piece for part in parts for piece in part]
    return Pieces(
        [text for text, _ in flat],
        np.array([weight for _, weight in flat], dtype=np.int64),
        np.array([len(part) for part in parts], dtype=np.int64),
    )


class PiecewiseEmbedder(Embedder):
    """Embeds texts of any length through pieces that its model takes."""

    _watch: LanguageWatch

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts
            Any number of texts of any length.

        Returns
        -------
        NDArray[np.float32], shape (n, dimension)
            Row i belongs to text i; C-contiguous and finite.

        Warns
        -----
        LanguageWarning
            Once: texts are in a script that the model does not know.

        Raises
        ------
        InputError
            Something other than a sequence of texts was given.
        """
        given = checked(texts)
        if not given:
            return np.empty((0, self.dimension), dtype=np.float32)
        self._watch.check(given)
        pieces = split(given, self._split)
        return pieces.pool(self._run(pieces.texts), normalise=self._normalises)

    def count_pieces(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Count the pieces that `encode` cuts each text into, shape ``(n,)``; 1 for a short one."""
        return split(checked(texts), self._split).counts

    @property
    @abstractmethod
    def _normalises(self) -> bool: ...

    @abstractmethod
    def _run(self, texts: list[str]) -> NDArray[np.float32]: ...

    @abstractmethod
    def _split(self, text: str) -> list[tuple[str, int]]: ...
