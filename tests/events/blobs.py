"""Points around a few far-off centres, and the slow and plain way to do what FAISS does."""

from __future__ import annotations

import numpy as np

from rememberai.events.energy import Pool, energies


def blobs(n_blobs, size, dimension=16, *, spread=0.3, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Points of about unit length around random directions; and the blob of each point."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(n_blobs, dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    sizes = np.broadcast_to(size, n_blobs)
    labels = np.repeat(np.arange(n_blobs), sizes)
    noise = spread / dimension**0.5 * random.normal(size=(len(labels), dimension))
    return (centres[labels] + noise).astype(np.float32), labels


def unit(vectors) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def distances(a, b, metric) -> np.ndarray:
    """(len(a), len(b)) float64 distances."""
    a, b = (unit(a), unit(b)) if metric == "cosine" else (np.float64(a), np.float64(b))
    difference = a[:, None] - b[None]
    squared = (difference**2).sum(axis=2)
    return squared / 2 if metric == "cosine" else np.sqrt(squared)


def same_partition(a, b) -> bool:
    """The same groups, whatever their numbers."""
    pairs = set(zip(np.asarray(a).tolist(), np.asarray(b).tolist(), strict=True))
    return len(pairs) == len(set(a)) == len(set(b))


def half_squares(a, b):
    return ((np.float64(a)[:, None] - np.float64(b)[None]) ** 2).sum(axis=2) / 2


def pool_of(points) -> Pool:
    return Pool(points, energies(points, points))
