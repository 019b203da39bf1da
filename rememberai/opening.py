"""What stands behind an open book: its store, models, index and learned events."""

from __future__ import annotations

import logging
from functools import cached_property, partial
from inspect import getattr_static
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai._arrays import check_risk
from rememberai.assigning import AlbumJudge
from rememberai.embedders import (
    MODELS,
    Embedder,
    ImageEmbedder,
    load_embedder,
    load_image_embedder,
)
from rememberai.errors import InputError, MissingExtraError, ModelError
from rememberai.fusion import Space
from rememberai.index_cache import cached_index
from rememberai.learned import LearnedEvents, known_vectors
from rememberai.learned_pictures import LearnedPictures
from rememberai.store import MemoryStore
from rememberai.words import TextEmbedding, checked_vectors

if TYPE_CHECKING:
    import os
    from typing import Self, TypeVar

    import pyarrow as pa

    from rememberai.captioners import Captioner
    from rememberai.found import Events
    from rememberai.fusion import Queries, Weights
    from rememberai.records import Metric

    _Model = TypeVar("_Model")

_log = logging.getLogger(__name__)


class OpenBook:
    """A store with its models, each loaded when it is first needed; base of `RememberAI`."""

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder | None,
        captioner: Captioner | None,
        image_embedder: ImageEmbedder | None = None,
        *,
        offline: bool,
        max_risk: float,
    ) -> None:
        self.store = store
        self.captioner = captioner
        self._embedder = embedder
        self._offline = offline
        self._image_embedder = image_embedder
        self._spaces: dict[str, tuple[str, Space]] = {}
        self._max_risk = check_risk(max_risk)
        self._learned = LearnedEvents(store, self._max_risk)
        self._judges: dict[str | None, AlbumJudge] = {}
        self._looks: dict[str, LearnedPictures] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.store.place}>"

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        embedder: str | Embedder = "all-MiniLM-L6-v2",
        captioner: str | Captioner | None = None,
        image_embedder: str | ImageEmbedder | None = None,
        metric: Metric = "cosine",
        offline: bool = False,
        max_risk: float = 0.05,
    ) -> Self:
        """Make an empty store.

        Parameters
        ----------
        path
            A folder that is absent or empty.
        embedder
            ``"all-MiniLM-L6-v2"`` (English), ``"use-multilingual"`` (Korean and 14 more), a model
            folder, a name on the hub, or any object with `encode`, `dimension` and `model_id`.
        captioner
            A model folder, a name on the hub, ``"labels"`` (see `LabelCaptioner`), or any object
            with `caption` and `model_id`; without one, photos that carry no memory wait for their
            words.
        image_embedder
            ``"efficientnet-lite0"``, a folder or a name on the hub of a CLIP or SigLIP model, or
            any object with `encode_images`, `dimension` and `model_id`: with one, photos are also
            found by what they look like.
        metric
            ``"cosine"`` or ``"l2"``.
        offline
            Never ask the hub for a model.
        max_risk
            The share, from 0 to 1, of the photos of learned events that may be called unknown; a
            higher one answers unknown more often. See `EventAssigner`.

        Raises
        ------
        InputError
            max_risk is out of its range, or a model is none.
        StoreError
            Something is there already.
        ModelError
            A model can't be found.
        """
        check_risk(max_risk)
        model = embedder_of(embedder, offline)
        speaker = captioner_of(captioner, offline)
        seer = image_embedder_of(image_embedder, offline)
        store = MemoryStore.create(
            path,
            model_id=model.model_id,
            dimension=model.dimension,
            metric=metric,
            embedder=lasting_name(embedder),
        )
        if seer is not None:
            name = lasting_name(image_embedder)
            store.add_model(seer.model_id, seer.dimension, name, of="image")
        return cls(store, model, speaker, seer, offline=offline, max_risk=max_risk)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        embedder: str | Embedder | None = None,
        captioner: str | Captioner | None = None,
        image_embedder: str | ImageEmbedder | None = None,
        offline: bool = False,
        max_risk: float = 0.05,
    ) -> Self:
        """Open a store.

        Parameters
        ----------
        embedder
            Needed only when the store was made with an object of the caller's.
        image_embedder
            As for `create`; where None, the last one that the store was given is used.
        captioner, offline, max_risk
            See `create`; neither is kept in the store.

        Raises
        ------
        InputError
            max_risk is out of its range, or a model is none.
        StoreError
            There is no store, or it can't be read.
        ModelMismatchError
            The embedder is another one than the store was made with.
        """
        store = MemoryStore.open(path)
        model = load_embedder(embedder, offline=offline) if isinstance(embedder, str) else embedder
        if model is not None:
            store.check_model(model.model_id, model.dimension)
        speaker, seer = captioner_of(captioner, offline), image_embedder_of(image_embedder, offline)
        return cls(store, model, speaker, seer, offline=offline, max_risk=max_risk)

    @cached_property
    def events(self) -> Events:
        """The events found in the store, to be read and corrected."""
        from rememberai.found import Events

        return Events(self.store, self._learned, self._embedding)

    def _model(self) -> Embedder:
        if self._embedder is None:
            name = self.store.embedder
            if name is None:
                raise ModelError(
                    f"{self.store.path} was made with an embedder of the caller's own, "
                    f"{self.store.model_id!r}; open it with embedder=that object"
                )
            self._embedder = load_embedder(name, offline=self._offline)
        self.store.check_model(self._embedder.model_id, self._embedder.dimension)
        return self._embedder

    def _embedding(self, seeds: pa.Table | None = None) -> TextEmbedding:
        known = partial(known_vectors, self.store, seeds)
        return TextEmbedding(self._model(), self.store.metric, known)

    def _seeing(self) -> tuple[str, ImageEmbedder] | None:
        """Give the column of pictures that is in use and its model; None where there is none.

        Raises
        ------
        ModelError
            The model was an object of the caller's, and was not given at opening.
        """
        columns = {c: model for c, model in self.store.models.items() if model.of == "image"}
        if self._image_embedder is not None:
            mine = self._image_embedder.model_id
            columns = {column: model for column, model in columns.items() if model.id == mine}
        if not columns:
            return None
        column, model = list(columns.items())[-1]
        if self._image_embedder is None:
            if model.embedder is None:
                raise ModelError(
                    f"the pictures of {self.store.path} were embedded by an object of the "
                    f"caller's, {model.id!r}; open it with image_embedder=that object"
                )
            self._image_embedder = load_image_embedder(model.embedder, offline=self._offline)
            return self._seeing()
        return column, self._image_embedder

    def _learned_pictures(self) -> LearnedPictures | None:
        """Give what is learned of pictures; None where none are embedded, or none can be."""
        try:
            seeing = self._seeing()
        except (ModelError, MissingExtraError) as error:
            _log.warning("events are told by words alone: %s", error)
            return None
        if seeing is None:
            return None
        if seeing[0] not in self._looks:
            self._looks[seeing[0]] = LearnedPictures(self.store, *seeing, self._max_risk)
        return self._looks[seeing[0]]

    def _judge(self) -> AlbumJudge:
        """Give what assigns albums."""
        pictures = self._learned_pictures()
        column = None if pictures is None else pictures.column
        if column not in self._judges:
            self._judges[column] = AlbumJudge(self._learned, pictures)
        return self._judges[column]

    def _queries(self, view: MemoryStore, text: str) -> Queries:
        """Place a text among the words and, where their model knows texts too, the pictures."""
        queries: Queries = {"words": (self._space(view), self._embedding().anew([text])[0])}
        try:
            seeing = self._seeing()
        except (ModelError, MissingExtraError) as error:
            _log.warning("pictures are not searched: %s", error)
            seeing = None
        if seeing is not None:
            column, model = seeing
            pictures = self._space(view.pinned(column))
            if isinstance(model, Embedder) and len(pictures.index):
                vectors = checked_vectors(model, model.encode([text]), 1, "text", view.metric)
                queries["picture"] = (pictures, vectors[0])
        return queries

    def _weights(self, queries: Queries) -> Weights | None:
        """Give what the seeds tell of how words and pictures are weighed, where both are asked."""
        pictures = self._learned_pictures() if len(queries) > 1 else None
        return None if pictures is None else pictures.search_weights(self._learned)

    def _space(self, view: MemoryStore) -> Space:
        """Give the index of what a view reads: from memory, its cache, or built anew."""
        held = self._spaces.get(view.vector_column)
        if held is None or held[0] != view.stamp:
            held = self._spaces[view.vector_column] = (view.stamp, Space(cached_index(view)))
        return held[1]


def embedder_of(given: str | Embedder, offline: bool) -> Embedder:
    """Take an embedder, or load the one of a name."""
    if isinstance(given, str):
        return load_embedder(given, offline=offline)
    return _able(given, "encode", "dimension", "model_id")


def image_embedder_of(given: str | ImageEmbedder | None, offline: bool) -> ImageEmbedder | None:
    """Take an image embedder, or load the one of a name."""
    if isinstance(given, str):
        return load_image_embedder(given, offline=offline)
    return None if given is None else _able(given, "encode_images", "dimension", "model_id")


def _able(given: _Model, *names: str) -> _Model:
    """Give a model back that has all it needs; none of it is asked, since that may load it."""
    missing = [name for name in names if getattr_static(given, name, None) is None]
    if missing:
        raise InputError(
            f"a model was wanted: its folder or name as a str, or an object with "
            f"{', '.join(names)}; {given!r:.100} came, which has no {', '.join(missing)}"
        )
    return given


def lasting_name(embedder: object) -> str | None:
    """Make the path of a model folder absolute, so that the store opens from anywhere."""
    if not isinstance(embedder, str):
        return None
    folder = Path(embedder).expanduser()
    return str(folder.absolute()) if embedder not in MODELS and folder.is_dir() else embedder


def captioner_of(given: str | Captioner | None, offline: bool) -> Captioner | None:
    """Take a captioner, or make one of a model's name; ``"labels"`` is the one that only labels."""
    if not isinstance(given, str):
        return None if given is None else _able(given, "caption", "model_id")
    from rememberai.captioners import LabelCaptioner, TransformersCaptioner

    return LabelCaptioner() if given == "labels" else TransformersCaptioner(given, offline=offline)
