"""The store on disk: rows and vectors in a Lance table, published by an atomic rename."""

from rememberai.store.memory_store import MemoryStore

__all__ = ["MemoryStore"]
