"""The store on disk: rows and vectors in a Lance table, published by an atomic rename."""

from rememberai.store.check import check_store
from rememberai.store.memory_store import MemoryStore, StoreVersion

__all__ = ["MemoryStore", "StoreVersion", "check_store"]
