"""What a store holds, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rememberai.index_cache import index_files
from rememberai.records import StoreInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from rememberai.store import MemoryStore


def store_info(store: MemoryStore, seeds: pa.Table | None) -> StoreInfo:
    """Count what a store and its seeds hold."""
    sources = Counter(store.read(["text_source"])["text_source"].to_pylist())
    return StoreInfo(
        path=store.place,
        photos=sources.total(),
        memories=sources["memory"],
        captions=sources["caption"],
        labels=sources["label"],
        waiting=sources[None],
        events=tuple(sorted(set(seeds["event"].to_pylist()))) if seeds else (),
        seeds=len(seeds) if seeds else 0,
        model_id=store.model_id,
        dimension=store.dimension,
        metric=store.metric,
        format=store.format,
        version=store.version,
        kept_versions=len(store.versions()),
        bytes=store.size_bytes(),
        index_bytes=sum(file.stat().st_size for file in index_files(store)),
        models=tuple(model.id for model in store.models.values()),
    )
