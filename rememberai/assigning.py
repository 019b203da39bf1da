"""Which event an album is: what its words say, and what its pictures say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rememberai.corrections import NAME, KeptEvents
from rememberai.errors import InputError
from rememberai.learned_pictures import pairs_of
from rememberai.records import quiet
from rememberai.words import tidy_texts, trust, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from numpy.typing import NDArray

    from rememberai.captioners import Captioner
    from rememberai.events import AnswerFusion, Assignment, EventAssigner
    from rememberai.learned import LearnedEvents
    from rememberai.learned_pictures import LearnedPictures
    from rememberai.photos import Album
    from rememberai.records import Outcome, Photo, Progress
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

_NO_VOTE = "it has neither a memory nor a caption, so it has no vote"


class AlbumJudge:
    """Assigns albums by what a store has learned of words, of pictures, or of both.

    Parameters
    ----------
    words, pictures
        What was learned; no pictures where no model of them is in use.
    """

    def __init__(self, words: LearnedEvents, pictures: LearnedPictures | None) -> None:
        self._words = words
        self._pictures = pictures
        self._fusion: tuple[EventAssigner, EventAssigner, AnswerFusion] | None = None

    def assign_texts(self, embed: TextEmbedding, texts: Sequence[str]) -> Assignment:
        """Tell the event of texts.

        Raises
        ------
        InputError
            There is no text, or no words were learned.
        """
        by_words, _ = self._assigners()
        if by_words is None:
            raise InputError("only pictures of events are learned, and texts came; learn texts too")
        tidied = tidy_texts(texts)
        return by_words.assign_album(embed(tidied), tidied)

    def assign_photos(
        self,
        embed: TextEmbedding,
        store: MemoryStore,
        captioner: Captioner | None,
        album: Album,
        progress: Progress,
    ) -> Assignment:
        """Tell the event of an album, which is not stored, by its words and pictures.

        It is none of which a person said for most of these photos, where they are stored, that they
        are not of it.

        Raises
        ------
        InputError
            No photo of it has words, or a picture that can be read where pictures were learned.
        """
        by_words, by_looks = self._assigners(progress)
        spoken: dict[str, tuple[str, float]] = {}
        vectors: dict[str, NDArray[np.float32]] = {}
        unread: dict[str, str] = {}
        if by_looks is not None and self._pictures is not None:
            vectors, unread = self._pictures.vectors(album.photos, progress)
        if by_words is not None:
            spoken = _spoken(store, captioner, album.photos, progress)
        answers = []
        asked = [*spoken] or [*vectors]  # whose places the first answer tells of
        if by_words is not None and (spoken or not vectors):
            texts, believed = [text for text, _ in spoken.values()], [w for _, w in spoken.values()]
            answers.append(by_words.assign_album(embed(texts), texts, believed))
        if by_looks is not None and vectors:
            answers.append(by_looks.assign_album(np.stack([*vectors.values()])))
        if not answers:
            raise InputError(
                "only pictures of events are learned, and the album has none that can be read"
            )
        answer = answers[0]
        if len(answers) == 2 and by_words is not None and by_looks is not None:
            answer = self._fused(by_words, by_looks).fuse(*answers)
        voices = spoken.keys() | vectors.keys()
        answer = _heeding(answer, store, voices)
        place = {photo.photo_id: i for i, photo in enumerate(album.photos)}
        return replace(
            answer,
            telling_photos=tuple(
                replace(told, position=place[asked[told.position]])
                for told in answer.telling_photos
            ),
            n_photos=len(voices),
            outcomes=_voiceless(album, voices, unread),
        )

    def _assigners(
        self, progress: Progress = quiet
    ) -> tuple[EventAssigner | None, EventAssigner | None]:
        """Give the assigner by words and that by pictures.

        Raises
        ------
        InputError
            There is neither.
        """
        by_words, by_looks = self._words.assigner(progress), None
        if self._pictures is not None:
            by_looks = self._pictures.assigner(self._words.table(), progress)
        if by_words is None and by_looks is None:
            raise InputError("no events are learned yet; let the store learn some from seeds first")
        return by_words, by_looks

    def _fused(self, by_words: EventAssigner, by_looks: EventAssigner) -> AnswerFusion:
        from rememberai.events import AnswerFusion

        held = self._fusion
        if held is None or held[0] is not by_words or held[1] is not by_looks:
            spoken, seen = self._words.seeds(), self._pictures and self._pictures.table()
            fusion = AnswerFusion().fit(by_words, by_looks, *pairs_of(spoken, seen))
            self._fusion = held = (by_words, by_looks, fusion)
        return held[2]


def _heeding(answer: Assignment, store: MemoryStore, voices: Set[str]) -> Assignment:
    """Withhold an event if a person said of most of the photos that they are not of it."""
    from rememberai.events import Doubt

    kept = store.read_artifact(NAME)
    if kept is None or answer.event is None:
        return answer
    refused = KeptEvents.of_table(kept).refused()
    n = sum(answer.event in refused.get(photo_id, ()) for photo_id in voices)
    return answer.withheld(Doubt("rejected", answer.event)) if 2 * n > len(voices) else answer


def _spoken(
    store: MemoryStore, captioner: Captioner | None, photos: Sequence[Photo], progress: Progress
) -> dict[str, tuple[str, float]]:
    """Give the words of those photos that have any, and how much they are believed."""
    words = words_of(store, captioner, photos, partial(_captioned, progress, len(photos)))
    return {
        photo.photo_id: (text, trust(source))
        for photo, (text, source) in zip(photos, words, strict=True)
        if text
    }


def _captioned(progress: Progress, total: int, done: int) -> None:
    progress("captioning", done, total)


def _voiceless(album: Album, voices: Set[str], unread: dict[str, str]) -> tuple[Outcome, ...]:
    """Give an outcome for each input that had no vote."""
    silent = {photo.photo_id for photo in album.photos} - voices
    outcomes = (
        replace(o, status="waiting", reason=unread.get(o.photo_id, _NO_VOTE))
        if o.photo_id in silent
        else o
        for o in album.outcomes
    )
    return tuple(o for o in outcomes if o.status in ("waiting", "failed"))
