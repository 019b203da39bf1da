"""A store goes over to another model: its texts are embedded anew beside the old vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rememberai.words import TextEmbedding

if TYPE_CHECKING:
    from rememberai.embedders import Embedder
    from rememberai.learned import LearnedEvents
    from rememberai.records import Progress
    from rememberai.store import MemoryStore

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

    Returns
    -------
    int
        How many photos got a vector; those of a run that was stopped have theirs already.
    """
    column = store.add_model(model.model_id, model.dimension, name)
    embed = TextEmbedding(model, store.metric, lambda _: {})
    filled, total = 0, len(store.pending(column))
    while len(texts := store.pending(column, _BATCH)):
        filled += store.fill(column, texts, embed(texts["text"].to_pylist()))
        progress("embedding", min(filled, total), total)
    learned.copy_to(column, embed)
    store.switch_model(column)
    return filled
