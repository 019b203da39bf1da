"""Albums told in words: which album does a story belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._arrays import check_count, check_vectors, prepare
from rememberai.errors import InputError, RememberAIError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

_AT_ONCE = 2**24  # similarities of sentences that are held at once


@dataclass(frozen=True, slots=True)
class Stories:
    """Texts as vectors, whole and sentence by sentence.

    Attributes
    ----------
    vectors
        (n, dimension) of the whole texts.
    sentences
        (p, dimension) of all their sentences; None when each text is a single one.
    story_of
        (p,) the text of each sentence, from 0 to n - 1, in any order; each text has one at least.
        It comes with the sentences or not at all.
    """

    vectors: ArrayLike
    sentences: ArrayLike | None = None
    story_of: ArrayLike | None = None


class AlbumFinder:
    """Find the album that a story belongs to, by the stories told of each album.

    Two stories are as similar as the mean of two cosines: of their whole vectors, and of their
    sentences, each matched with its best one on the other side (MaxSim), averaged over the
    sentences of both. All vectors are centred first, on the mean of the fitted stories or
    sentences: what all stories share tells no album. An album is as similar as its stories are on
    the average, less half of its mean similarity to the stories of other albums that are most
    similar to it: some albums are near to everything (CSLS).

    Parameters
    ----------
    n_neighbors
        How many stories of other albums measure that.

    Attributes
    ----------
    albums_
        The names of the albums, sorted.
    nearness_
        (n_albums,) the mean similarity that is taken off by half.

    References
    ----------
    Khattab and Zaharia, "ColBERT", SIGIR 2020 (MaxSim); Lample et al., "Word translation without
    parallel data", ICLR 2018 (CSLS, with ten neighbours).
    """

    def __init__(self, *, n_neighbors: int = 10) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, stories: Stories, albums: Sequence[str]) -> Self:
        """Learn the albums.

        Parameters
        ----------
        stories
            n texts about albums.
        albums
            n names: the album of each.

        Raises
        ------
        InputError
            No stories, arrays that do not pair up, vectors that can't be used, or n_neighbors
            below 1.
        """
        check_count(self.n_neighbors, "n_neighbors")
        raw = _checked(stories, None)
        names = np.asarray(albums, dtype=object)
        if not len(raw.vectors) or names.shape != (len(raw.vectors),):
            raise InputError(
                f"every story needs one album, and there must be a story; {len(raw.vectors)} "
                f"stories and albums of the shape {names.shape} came"
            )
        self.albums_: list[str] = sorted(set(names))
        place = {album: i for i, album in enumerate(self.albums_)}
        self._album_of = np.array([place[name] for name in names], np.intp)
        self._centres = _mean(raw.vectors), _mean(raw.sentences)
        self._stories = _centred(raw, self._centres)
        similar = self._to_albums(self._stories, np.arange(len(names)))
        foreign = self._album_of[:, None] != np.arange(len(self.albums_))
        self.nearness_ = np.array(
            [
                np.sort(column[others])[-self.n_neighbors :].mean() if others.any() else 0.0
                for column, others in zip(similar.T, foreign.T, strict=True)
            ]
        )
        return self

    def distances(self, stories: Stories, *, themselves: ArrayLike | None = None) -> NDArray[Any]:
        """Measure how far stories are from each album; lower is closer.

        Parameters
        ----------
        stories
            q texts.
        themselves
            (q,) which fitted story each of them is, -1 for none: it then does not count for its
            album, so that one can ask whether it stands in the right one.

        Returns
        -------
        NDArray
            (q, n_albums) float64, in the order of `albums_`; infinity where an album has no other
            story.

        Raises
        ------
        InputError
            Arrays that do not fit.
        """
        if not hasattr(self, "albums_"):
            raise RememberAIError("no albums are learned yet; call fit first")
        raw = _checked(stories, self._stories.vectors.shape[1])
        n = len(raw.vectors)
        own = np.full(n, -1) if themselves is None else np.asarray(themselves)
        whole = own.dtype.kind in "iu" and own.shape == (n,)
        if not whole or ((own < -1) | (own >= len(self._album_of))).any():
            raise InputError(
                f"themselves must give each of the {n} stories a position from 0 to "
                f"{len(self._album_of) - 1}, or -1; an array {own.dtype} {own.shape} came"
            )
        similar = self._to_albums(_centred(raw, self._centres), own)
        return 1 - similar + self.nearness_ / 2

    def _to_albums(self, queries: _Told, own: NDArray[np.intp]) -> NDArray[np.float64]:
        """Average similarities over each album's stories, themselves left out."""
        n_albums = len(self.albums_)
        member = np.zeros((len(self._album_of), n_albums))
        member[np.arange(len(member)), self._album_of] = 1
        similar = _similarities(queries, self._stories)
        counts = np.tile(member.sum(axis=0), (len(similar), 1))
        rows = np.flatnonzero(own >= 0)
        similar[rows, own[rows]] = 0
        counts[rows, self._album_of[own[rows]]] -= 1
        means: NDArray[np.float64] = np.where(
            counts > 0, similar @ member / np.maximum(counts, 1), -np.inf
        )
        return means


@dataclass(frozen=True, slots=True)
class _Told:
    """Checked stories: the sentences of one stand together, `starts` tells where."""

    vectors: NDArray[np.float32]
    sentences: NDArray[np.float32]
    starts: NDArray[np.intp]

    @property
    def lengths(self) -> NDArray[np.intp]:
        lengths: NDArray[np.intp] = np.diff(np.r_[self.starts, len(self.sentences)])
        return lengths


def _checked(stories: Stories, dimension: int | None) -> _Told:
    vectors = check_vectors(stories.vectors, dimension=dimension, name="stories")
    n = len(vectors)
    if (stories.sentences is None) != (stories.story_of is None):
        raise InputError("sentences and story_of, the story of each, go together; one came alone")
    if stories.sentences is None:
        return _Told(vectors, vectors, np.arange(n))
    sentences = check_vectors(stories.sentences, dimension=vectors.shape[1], name="sentences")
    of = np.asarray(stories.story_of)
    if of.shape != (len(sentences),) or not np.array_equal(np.unique(of), np.arange(n)):
        raise InputError(
            f"each sentence must be of one story from 0 to {n - 1}, and each story must have one; "
            f"{len(sentences)} sentences came, of {len(np.unique(of))} stories"
        )
    order = np.argsort(of, kind="stable")
    return _Told(vectors, sentences[order], np.searchsorted(of[order], np.arange(n)))


def _centred(told: _Told, centres: tuple[NDArray[np.float32], NDArray[np.float32]]) -> _Told:
    whole, part = centres
    return _Told(_unit(told.vectors - whole), _unit(told.sentences - part), told.starts)


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring vectors to unit length; one that is zero, just the centre, stays and is like none."""
    unit = np.zeros_like(vectors)
    some = vectors.any(axis=1)
    unit[some] = prepare(vectors[some], "cosine")
    return unit


def _similarities(queries: _Told, stories: _Told) -> NDArray[np.float64]:
    """Measure (q, n) similarities of stories, a block of queries at a time."""
    found = (queries.vectors @ stories.vectors.T).astype(np.float64)
    ends = np.r_[queries.starts[1:], len(queries.sentences)]
    step = max(1, _AT_ONCE // max(len(stories.sentences) * int(queries.lengths.max(initial=1)), 1))
    for start in range(0, len(found), step):
        block = slice(start, start + step)
        starts = queries.starts[block] - queries.starts[start]
        sentences = queries.sentences[queries.starts[start] : ends[block][-1]]
        pairs = sentences @ stories.sentences.T
        best = np.maximum.reduceat(pairs, stories.starts, axis=1)
        forth = np.add.reduceat(best, starts, axis=0) / queries.lengths[block, None]
        best = np.maximum.reduceat(pairs, starts, axis=0)
        back = np.add.reduceat(best, stories.starts, axis=1) / stories.lengths
        found[block] += (forth + back) / 2
    return found / 2
