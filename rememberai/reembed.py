"""A store goes over to another model: its texts are embedded anew beside the old vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rememberai.errors import StoreError
from rememberai.words import TextEmbedding

if TYPE_CHECKING:
    from rememberai.embedders import Embedder
    from rememberai.learned import LearnedEvents
    from rememberai.records import Progress
    from rememberai.store import MemoryStore

_ATTEMPTS = 5
_BATCH = 1024


def reembed(
    store: MemoryStore,
    learned: LearnedEvents,
    model: Embedder,
    name: str | None,
    progress: Progress,
) -> int:
    """Embed every text and seed by a model, and switch the store to it.

    Parameters
    ----------
    name
        By which the model can be loaded again; None for a caller's own object.
    progress
        Called as ``progress(stage, done, total)``; the stages are "model" (of 1, and begun by the
        caller), "embedding", and "seeds" where there are any.

    Returns
    -------
    int
        How many photos got a vector; those of a run that was stopped have theirs already.
    """
    column = store.add_model(model.model_id, model.dimension, name)
    embed = TextEmbedding(model, store.metric, lambda _: {})
    if len(store.pending(column, 1)):
        embed.anew(["photo"])  # loads it
    progress("model", 1, 1)
    filled = 0
    for attempt in range(_ATTEMPTS):
        filled += _fill(store, column, embed, progress)
        with learned.held():
            learned.copy_to(column, embed, progress)
            try:
                store.switch_model(column)
            except StoreError:  # somebody added photos in the meantime
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return filled
        store.refresh()
    raise AssertionError


def _fill(store: MemoryStore, column: str, embed: TextEmbedding, progress: Progress) -> int:
    filled, total = 0, len(store.pending(column))
    while len(texts := store.pending(column, _BATCH)):
        progress("embedding", min(filled, total), total)
        written = store.fill(column, texts, embed(texts["text"].to_pylist()))
        if not written and texts.equals(store.pending(column, _BATCH)):
            raise StoreError(f"{len(texts)} photos have words that can't be read; check the store")
        filled += written
        progress("embedding", min(filled, total), total)
    return filled
