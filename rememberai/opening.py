"""What stands behind an open book: its store, models, index and learned events."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai.embedders import MODELS, Embedder, load_embedder
from rememberai.errors import ModelError
from rememberai.index_cache import cached_index
from rememberai.learned import LearnedEvents, known_vectors
from rememberai.store import MemoryStore
from rememberai.words import TextEmbedding

if TYPE_CHECKING:
    import os
    from typing import Self

    import pyarrow as pa

    from rememberai.captioners import Captioner
    from rememberai.found import Events
    from rememberai.index import VectorIndex
    from rememberai.records import Metric


class OpenBook:
    """A store with its models, each loaded when it is first needed; base of `RememberAI`."""

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder | None,
        captioner: Captioner | None,
        *,
        offline: bool,
        max_risk: float,
    ) -> None:
        self.store = store
        self.captioner = captioner
        self._embedder = embedder
        self._offline = offline
        self._index: tuple[str, VectorIndex] | None = None
        self._learned = LearnedEvents(store, max_risk)

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        embedder: str | Embedder = "all-MiniLM-L6-v2",
        captioner: str | Captioner | None = None,
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
        metric
            ``"cosine"`` or ``"l2"``.
        offline
            Never ask the hub for a model.
        max_risk
            The share, from 0 to 1, of the photos of learned events that may be called unknown; a
            higher one answers unknown more often. See `EventAssigner`.

        Raises
        ------
        StoreError
            Something is there already.
        ModelError
            A model can't be found.
        """
        model = embedder_of(embedder, offline)
        speaker = captioner_of(captioner, offline)
        store = MemoryStore.create(
            path,
            model_id=model.model_id,
            dimension=model.dimension,
            metric=metric,
            embedder=lasting_name(embedder),
        )
        return cls(store, model, speaker, offline=offline, max_risk=max_risk)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        embedder: str | Embedder | None = None,
        captioner: str | Captioner | None = None,
        offline: bool = False,
        max_risk: float = 0.05,
    ) -> Self:
        """Open a store.

        Parameters
        ----------
        embedder
            Needed only when the store was made with an object of the caller's.
        captioner, offline, max_risk
            See `create`; neither is kept in the store.

        Raises
        ------
        StoreError
            There is no store, or it can't be read.
        ModelMismatchError
            The embedder is another one than the store was made with.
        """
        store = MemoryStore.open(path)
        model = load_embedder(embedder, offline=offline) if isinstance(embedder, str) else embedder
        if model is not None:
            store.check_model(model.model_id, model.dimension)
        speaker = captioner_of(captioner, offline)
        return cls(store, model, speaker, offline=offline, max_risk=max_risk)

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

    def _searchable(self) -> tuple[MemoryStore, VectorIndex]:
        """Give what the store reads now and its index: from memory, its cache, or built anew."""
        view, held = self.store.pinned(), self._index
        if held is None or held[0] != view.stamp:
            held = self._index = (view.stamp, cached_index(view))
        return view, held[1]


def embedder_of(given: str | Embedder, offline: bool) -> Embedder:
    """Take an embedder, or load the one of a name."""
    return load_embedder(given, offline=offline) if isinstance(given, str) else given


def lasting_name(embedder: str | Embedder) -> str | None:
    """Make the path of a model folder absolute, so that the store opens from anywhere."""
    if not isinstance(embedder, str):
        return None
    folder = Path(embedder).expanduser()
    return str(folder.absolute()) if embedder not in MODELS and folder.is_dir() else embedder


def captioner_of(given: str | Captioner | None, offline: bool) -> Captioner | None:
    """Take a captioner, or make one of a model's name; ``"labels"`` is the one that only labels."""
    if not isinstance(given, str):
        return given
    from rememberai.captioners import LabelCaptioner, TransformersCaptioner

    return LabelCaptioner() if given == "labels" else TransformersCaptioner(given, offline=offline)
