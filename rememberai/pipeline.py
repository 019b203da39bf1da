"""RememberAI: the facade that composes photos, words, vectors, store, index and events."""

from __future__ import annotations

import os
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal

from rememberai import ingest
from rememberai.bursts import photo_bursts
from rememberai.captioning import opened, side_of
from rememberai.errors import InputError
from rememberai.facts import store_info
from rememberai.fusion import search
from rememberai.learned_pictures import forget_pictures, learned_outcomes
from rememberai.opening import (
    OpenBook,
    captioner_of,
    embedder_of,
    image_embedder_of,
    lasting_name,
)
from rememberai.photos import Album
from rememberai.pictures import embed_waiting, picture_vectors
from rememberai.records import Report, quiet
from rememberai.reembed import reembed
from rememberai.seeds import SeedWords, read_descriptions, read_seeds, seed_table
from rememberai.words import check_searched

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rememberai.captioners import Captioner
    from rememberai.embedders import Embedder, ImageEmbedder
    from rememberai.events import Assignment
    from rememberai.records import Discovery, Hit, Outcome, PhotoBurst, Progress, StoreInfo
    from rememberai.report import PhotoMap
    from rememberai.seeds import SeedSource


class RememberAI(OpenBook):
    """A book of photo memories, kept in a store on disk; made by `create` or `open`.

    Attributes
    ----------
    store
        The `MemoryStore` underneath.
    """

    def __len__(self) -> int:
        return len(self.store)

    def add_folder(
        self, folder: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> Report:
        """Add the photos of a folder and of those below it.

        Photos that are stored already are skipped; a memory that the folder has of them since then
        is taken up, unless `write_memory` wrote one.

        Parameters
        ----------
        progress
            Called as ``progress(stage, done, total)``; the stages are "reading", "captioning" and
            "embedding".

        Raises
        ------
        InputError
            The folder is absent, unreadable, or holds neither photos nor memories.
        """
        return self.add_album(_album(folder, progress), progress=progress)

    def add_album(self, album: Album, *, progress: Progress | None = None) -> Report:
        """Add an album; see `add_folder`."""
        if not isinstance(album, Album):
            raise InputError(f"add_album takes an Album, add_folder a path; {album!r} came")
        tick = progress or quiet
        return ingest.add_album(self.store, self._embedding(), self.captioner, album, tick)

    def caption(
        self,
        captioner: str | Captioner | None = None,
        *,
        bursts: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Caption the photos that have no words yet; each row of the report is one of them.

        A photo of which only a label is known gets a caption too, unless the captioner only labels.

        Parameters
        ----------
        captioner
            As for `create`; where None, the one that is in use.
        bursts
            Of photos that are nearly the same (see `bursts`) caption the face alone; the others
            that have no words get its caption.

        Raises
        ------
        InputError
            No captioner was given, here or at opening.
        """
        model = captioner_of(captioner, self._offline) or self.captioner
        if model is None:
            raise InputError(
                "a captioner is needed: the folder or name of an image-to-text model, or an object "
                "with caption(images) and model_id"
            )
        alike = self.bursts(progress=progress) if bursts else ()
        return ingest.caption_waiting(
            self.store, self._embedding(), model, progress or quiet, alike
        )

    def search(self, text: str, k: int = 10, *, where: str | None = None) -> list[Hit]:
        """Find the k photos that a text tells of, the nearest first.

        It is compared with their words; and with their pictures, where these were embedded by a
        model that knows texts too, such as CLIP: then photos without words are found as well, and
        those that stand out most over both come first (see `fusion`). Words and pictures count as
        much as they were worth on the learned seeds, or alike where there are none.

        Parameters
        ----------
        where
            Search among some photos only: a SQL condition on the columns of the table, such as
            ``"taken >= timestamp '2024-06-01' AND latitude > 40"``; docs/format.md lists them.

        Raises
        ------
        InputError
            The text is none, or empty, k is below 1, or the condition can't be read.
        """
        check_searched(text)
        view = self.store.pinned()
        queries = self._queries(view, text)
        return search(view, queries, k, where, self._weights(queries))

    def search_image(
        self, path: str | os.PathLike[str], k: int = 10, *, where: str | None = None
    ) -> list[Hit]:
        """Find the k photos that look most like a picture, the nearest first.

        A photo that is stored itself comes first, at a distance of 0.

        Parameters
        ----------
        where
            See `search`.

        Raises
        ------
        InputError
            The picture can't be read, or no picture of the store was embedded yet.
        """
        seeing = self._seeing()
        if seeing is None:
            raise InputError(
                "no pictures are embedded yet; `rememberai see` or embed_images does that"
            )
        column, model = seeing
        view = self.store.pinned()
        vectors = picture_vectors(model, [opened(os.fspath(path), side_of(model))], view.metric)
        return search(view, {"picture": (self._space(view.pinned(column)), vectors[0])}, k, where)

    def embed_images(
        self, embedder: str | ImageEmbedder | None = None, *, progress: Progress | None = None
    ) -> Report:
        """Embed the pictures that have no vector yet; each row of the report is one of them.

        A run that was stopped is taken up by the next call; so is a picture that could not be read.

        Parameters
        ----------
        embedder
            As `image_embedder` for `create`; where None, the one that is in use. Vectors of another
            one stay until ``store.drop_model(column)``.

        Raises
        ------
        InputError
            No image embedder was given, here or before.
        """
        model = image_embedder_of(embedder, self._offline) or self._image_embedder
        if model is not None:
            self.store.add_model(
                model.model_id, model.dimension, lasting_name(embedder), of="image"
            )
            self._image_embedder = model
        seeing = self._seeing()
        if seeing is None:
            raise InputError(
                'an image embedder is needed: "efficientnet-lite0", the folder or name of a CLIP '
                "or SigLIP model, or an object with encode_images(images), dimension and model_id"
            )
        return embed_waiting(self.store, *seeing, progress or quiet)

    def learn_events(
        self,
        seeds: SeedSource,
        *,
        descriptions: Mapping[str, str] | None = None,
        replace_all: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Learn events from seeds, in addition to those learned before.

        Where an image embedder is in use, the pictures of photos are learned beside their words.

        Parameters
        ----------
        seeds
            A ``.jsonl`` or ``.csv`` file with the columns event and text (or photo, a path relative
            to the file; or description), or a dictionary from an event to its texts (str) and
            photos (Path).
        descriptions
            A sentence that describes an event, such as "a ceremony with gowns and diplomas". It has
            a say beside the seeds, and stands for them where there are none; an event without one
            is described by its name.
        replace_all
            Forget the seeds learned before.
        progress
            Called as ``progress(stage, done, total)``; the stages are "reading", "embedding",
            "learning" (see `EventAssigner.fit`), and "seeing" where pictures are embedded.

        Returns
        -------
        Report
            A row for each seed that could not be used, then one for each event.

        Raises
        ------
        InputError
            The file can't be read, or not one seed can be used.
        """
        before = None if replace_all else self._learned.table()
        pictures = self._learned_pictures()
        words = SeedWords(self.store, self.captioner)
        embed = self._embedding(before)
        given = chain(read_seeds(seeds), read_descriptions(descriptions or {}))
        tick = progress or quiet
        table, seen, failed = seed_table(
            words, embed, given, seeing=pictures is not None, progress=tick
        )
        if not len(table) and not (pictures and seen):
            raise InputError(
                "not one seed can be used; give each event a few texts or photos with words"
                + (f" (the first: {failed[0].item}: {failed[0].reason})" if failed else "")
            )
        if len(table):
            tick("learning", 0, 1)
            self._learned.add(table, embed, replace_all=replace_all, progress=tick)
        elif replace_all:
            self._learned.forget()
        if replace_all:
            forget_pictures(self.store)
        if pictures:
            failed += pictures.add(seen, tick)
        return Report((*failed, *learned_outcomes(self._learned, pictures)))

    def assign(
        self,
        album: str | os.PathLike[str] | Album | Sequence[str],
        *,
        progress: Progress | None = None,
    ) -> Assignment:
        """Tell the event of an album, which is not stored.

        Parameters
        ----------
        album
            A folder, an `Album`, or a list of texts. Photos without a memory get a caption, from
            the store or from the captioner. Where seeds' pictures were learned (see
            `learn_events`), the album's pictures have a say beside its words, as far as they were
            worth it on the seeds. Photos with neither do not vote, and the answer's `outcomes` name
            them.
        progress
            See `add_folder`; first come "learning", and "looks", where that was not done yet.

        Raises
        ------
        InputError
            The album is empty or none of its photos has a vote; or nothing was learned yet.
        """
        judge = self._judge()
        if isinstance(album, (str, os.PathLike)):
            album = _album(album, progress)
        embed = self._embedding(self._learned.table())
        if not isinstance(album, Album):
            return judge.assign_texts(embed, album)
        return judge.assign_photos(embed, self.store, self.captioner, album, progress or quiet)

    def discover(
        self, n_clusters: int | Literal["auto"] = "auto", *, progress: Progress | None = None
    ) -> Discovery:
        """Find events that nobody named, and keep them; see `Events.discover`."""
        return self.events.discover(n_clusters, progress=progress)

    def map(self, *, random_state: int = 0, progress: Progress | None = None) -> PhotoMap:
        """Lay the photos that have words out in two dimensions; see `report.store_map`.

        Raises
        ------
        InputError
            No photo has words yet.
        """
        from rememberai.report import store_map

        return store_map(self.store, random_state=random_state, progress=progress)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        assets: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Write a page to look at the photos and events with; see `report.write_report`.

        Raises
        ------
        InputError
            The folder that is to hold the page is absent, or the store has no photo.
        """
        from rememberai.report import write_report

        return write_report(self, path, assets=assets, progress=progress)

    def bursts(self, *, progress: Progress | None = None) -> tuple[PhotoBurst, ...]:
        """Find photos that are nearly the same: bursts, edits, smaller copies; see `find_bursts`.

        Each picture file is opened, at a few dozen a second; nothing is stored.
        """
        return photo_bursts(self.store, progress or quiet)

    def delete(self, photo_ids: Collection[str]) -> int:
        """Take photos out of the store; their files stay where they are.

        Returns
        -------
        int
            How many were in the store.
        """
        return self.store.delete(photo_ids)

    def write_memory(self, photo_id: str, text: str, author: str | None = None) -> Outcome:
        """Write a memory of a stored photo; it takes the place of one from before.

        It is the text that counts from now on, whatever the folder says when it is added again, and
        that photo alone is embedded anew; a caption stays beside it.

        Raises
        ------
        InputError
            The text is empty, or the photo is not in the store.
        """
        return ingest.write_memory(self.store, self._embedding(), photo_id, text, author)

    def reembed(self, embedder: str | Embedder, *, progress: Progress | None = None) -> int:
        """Go over to another model: every text is embedded by it, then it takes the place.

        Whoever has the store open meanwhile goes on with the old model. A run that was stopped is
        taken up by the next call. The seeds are embedded anew as well. The old model's vectors stay
        until ``store.drop_model(column)``; ``store.models`` names the columns.

        Parameters
        ----------
        embedder
            As for `create`.
        progress
            Called as ``progress(stage, done, total)``: "model" (of 1), "embedding" and "seeds".

        Returns
        -------
        int
            How many photos got a new vector.

        Raises
        ------
        ModelError
            The model can't be found.
        """
        tick = progress or quiet
        tick("model", 0, 1)
        model = embedder_of(embedder, self._offline)
        n_filled = reembed(self.store, self._learned, model, lasting_name(embedder), tick)
        self._embedder = model
        return n_filled

    def info(self) -> StoreInfo:
        """Count what the store holds."""
        return store_info(self.store, self._learned.seeds())


def _album(folder: str | os.PathLike[str], progress: Progress | None) -> Album:
    if progress is None:
        return Album.from_folder(folder)
    return Album.from_folder(folder, progress=partial(progress, "reading"))
