"""The vector index: nearest neighbours by FAISS."""

from rememberai.index.vector_index import Neighbors, VectorIndex

__all__ = ["Neighbors", "VectorIndex"]
