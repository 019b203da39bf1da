"""The vector index: nearest neighbours by FAISS."""

from rememberai.index._files import verify
from rememberai.index.results import Neighborhoods, Neighbors
from rememberai.index.vector_index import VectorIndex

__all__ = ["Neighborhoods", "Neighbors", "VectorIndex", "verify"]
