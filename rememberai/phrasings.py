"""Phrasings: the name of an event said in several ways, since one alone says much besides it.

A name's vector is the mean over its phrasings (Radford et al., "Learning transferable visual models
from natural language supervision", ICML 2021, section 3.1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# The name itself, what is kept of an event, and what people do on days and at places. In English
# around names of any language: those compared with each other differ by the name alone then.
_PHRASINGS = ("{}", "photos of {}", "we celebrated {}", "we went to {}")


def phrasings(name: str) -> list[str]:
    """Say the name of an event in several ways."""
    return [phrasing.format(name) for phrasing in _PHRASINGS]


def mean_vector(vectors: Vectors) -> Vectors:
    """Give the mean direction of (n, dimension) vectors, as long as they are on the average."""
    wide = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    mean = (wide / np.where(lengths > 0, lengths, 1)).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean * (lengths.mean() / length if length > 0 else 1), np.float32)


def name_vectors(names: Sequence[str], embed: Callable[[list[str]], Vectors]) -> Vectors:
    """Embed names by the mean over their phrasings; returns (n, dimension).

    Parameters
    ----------
    embed
        Maps n texts to (n, dimension) vectors.
    """
    said = [phrasings(name) for name in names]
    vectors = embed([text for some in said for text in some])
    parts = np.split(vectors, np.cumsum([len(some) for some in said])[:-1])
    return np.stack([mean_vector(part) for part in parts])
