"""Tensors of a file that ``torch.save`` wrote before torch 1.6, read without unpickling it.

Such a file is five pickles (a mark, two versions, an index, the keys of the storages), then each
storage: how many numbers, and the numbers. The pickles are only taken apart into words, of which
none is run.
"""

from __future__ import annotations

import io
from itertools import takewhile
from pickletools import genops
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._optional import require

if TYPE_CHECKING:
    from collections.abc import Iterator

_TENSOR = "torch._utils _rebuild_tensor_v2"
_TYPES = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}


def read_tensors(data: bytes) -> dict[str, Any]:
    """Read a file of named tensors.

    Parameters
    ----------
    data
        A file that is known to be sound: float32 and int64 tensors that share no storage.

    Returns
    -------
    dict
        torch tensors by their names.
    """
    file = io.BytesIO(data)
    _, _, _, index, keys = (list(_words(file)) for _ in range(5))
    entries = [_entry(index, place) for place, word in enumerate(index) if word == _TENSOR]
    types = {key: kind for _, key, kind, _ in entries}
    storages = {str(key): _numbers(file, types[str(key)]) for key in keys}
    return {name: _tensor(storages[key], layout) for name, key, _, layout in entries}


def _words(file: io.BytesIO) -> Iterator[str | int | None]:
    """Take the next pickle apart into its texts, names and whole numbers."""
    known: dict[int, str | None] = {}
    last: str | None = None
    value: Any
    for operation, value, _ in genops(file):
        name = operation.name
        if name in ("BINUNICODE", "GLOBAL"):
            last = str(value)
            yield last
        elif name.endswith("PUT"):
            known[value] = last
        elif name.endswith("GET"):
            yield known[value]
        else:
            last = None  # what is put now is no text
            if name.startswith("BININT"):
                yield int(value)


def _entry(words: list[Any], place: int) -> tuple[str, str, str, list[int]]:
    """Give a tensor's name, the key of its storage, their type, and the offset, shape and steps."""
    kind, key = words[place + 2 : place + 4]
    _, *layout = takewhile(lambda word: isinstance(word, int), words[place + 5 :])
    return words[place - 1], key, _TYPES[kind], layout


def _numbers(file: io.BytesIO, kind: str) -> Any:
    n = int.from_bytes(file.read(8), "little")
    content = np.frombuffer(file.read(n * np.dtype(kind).itemsize), kind)
    return require("torch").from_numpy(content.copy())


def _tensor(storage: Any, layout: list[int]) -> Any:
    offset, *sizes = layout
    half = len(sizes) // 2
    return storage.as_strided(sizes[:half], sizes[half:], offset)
