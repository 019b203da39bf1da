"""BERT on the CPU without padding: the tokens of many texts side by side in one matrix.

All but attention works on single tokens, so it does not matter whose they are; attention is taken
over the texts of one length at a time (as in Zeng et al., arXiv:2208.08124, on GPUs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from rememberai._optional import require
from rememberai.embedders import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rememberai.embedders.bert import Bert

Precision = Literal["float32", "int8"]

_PACK = 768  # tokens at once; twice as many are no faster, and take more memory
_READ = 1024  # texts that are tokenised at once


class PackedBert:
    """Gives the vectors that the model itself would give.

    Parameters
    ----------
    bert
        The model.
    precision
        Of the matrix products.
    """

    def __init__(self, bert: Bert, precision: Precision = "float32") -> None:
        with require("torch").inference_mode():
            part = "embeddings."
            self._words = bert.weights[f"{part}word_embeddings.weight"]
            kind = bert.weights[f"{part}token_type_embeddings.weight"][0]
            self._places = bert.weights[f"{part}position_embeddings.weight"][bert.first :] + kind
            self._norm = _norm(bert, f"{part}LayerNorm")
            self._layers = [
                _layer_of(bert, f"encoder.layer.{i}.", precision) for i in range(bert.layers)
            ]
        self._read, self._of_first = bert.tokens, bert.of_first
        self.starts, self.limit, self.normalises = bert.starts, bert.limit, bert.normalises

    def encode(self, texts: Sequence[str], batch_size: int) -> NDArray[np.float32]:
        """Embed texts, at most so many at once.

        Returns
        -------
        ndarray, shape (n, dimension)
            Row i belongs to text i.
        """
        torch = require("torch")
        tokens = self._tokens(texts)
        order = np.argsort([len(some) for some in tokens], kind="stable")
        vectors = np.empty((len(texts), self._words.shape[1]), np.float32)
        with torch.inference_mode():
            for part in _packs([len(tokens[i]) for i in order], batch_size):
                chosen = order[part]
                vectors[chosen] = self._forward([tokens[i] for i in chosen]).numpy()
        return vectors

    def _tokens(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        starts = range(0, len(texts), _READ)
        return [ids for start in starts for ids in self._read(texts[start : start + _READ])]

    def _forward(self, tokens: list[NDArray[np.int64]]) -> Any:
        """Embed texts in ascending order of length."""
        torch = require("torch")
        texts = [*tokens, *_filler(sum(map(len, tokens)))]
        runs = [(length, len([*some])) for length, some in groupby(map(len, texts))]
        places = torch.cat([torch.arange(length).repeat(n) for length, n in runs])
        x = self._words[torch.from_numpy(np.concatenate(texts))] + self._places[places]
        x = self._norm(x)
        for layer in self._layers:
            x = layer(x, runs)
        parts = _by_length(x, runs)
        pooled = torch.cat([part[:, 0] if self._of_first else part.mean(1) for part in parts])
        pooled = pooled[: len(tokens)]
        return torch.nn.functional.normalize(pooled) if self.normalises else pooled


class _Layer(NamedTuple):
    """A layer of the encoder."""

    heads: int
    project: products.Product
    merge: products.Product
    widen: products.Product
    narrow: products.Product
    norms: tuple[Callable[[Any], Any], Callable[[Any], Any]]

    def __call__(self, x: Any, runs: list[tuple[int, int]]) -> Any:
        torch = require("torch")
        seen = [self._attend(part) for part in _by_length(self.project(x), runs)]
        x = self.norms[0](self.merge(torch.cat(seen), x))
        return self.norms[1](self.narrow(self.widen(x), x))

    def _attend(self, part: Any) -> Any:
        """Turn (n, length, 3 x width) queries, keys and values into (n x length, width)."""
        query, key, value = part.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attention = require("torch").nn.functional.scaled_dot_product_attention
        return attention(query, key, value).transpose(1, 2).flatten(2).flatten(0, 1)


def _layer_of(bert: Bert, name: str, precision: Precision) -> _Layer:
    torch = require("torch")
    product = products.int8 if precision == "int8" else products.float32
    three = [f"{name}attention.self.{each}" for each in ("query", "key", "value")]

    def weights(part: str) -> tuple[Any, Any]:
        return bert.weights[f"{name}{part}.weight"], bert.weights[f"{name}{part}.bias"]

    return _Layer(
        bert.heads,
        product(
            torch.cat([bert.weights[f"{one}.weight"] for one in three]),
            torch.cat([bert.weights[f"{one}.bias"] for one in three]),
        ),
        product(*weights("attention.output.dense")),
        product(*weights("intermediate.dense"), gelu=True),
        product(*weights("output.dense")),
        (_norm(bert, f"{name}attention.output.LayerNorm"), _norm(bert, f"{name}output.LayerNorm")),
    )


def _norm(bert: Bert, name: str) -> Callable[[Any], Any]:
    weight, bias = bert.weights[f"{name}.weight"], bert.weights[f"{name}.bias"]
    layer_norm = require("torch").nn.functional.layer_norm
    return partial(
        layer_norm, normalized_shape=weight.shape, weight=weight, bias=bias, eps=bert.epsilon
    )


def _by_length(x: Any, runs: list[tuple[int, int]]) -> list[Any]:
    """View (tokens, width) as one (n, length, width) for each run: the length of n texts."""
    parts = x.split([length * n for length, n in runs])
    return [part.unflatten(0, (n, length)) for part, (length, n) in zip(parts, runs, strict=True)]


def _filler(total: int) -> NDArray[np.int64]:
    """Give a few more texts of one token, with which packs of many sizes have one of few.

    oneDNN prepares a product for each number of rows, and keeps what it prepared.

    Returns
    -------
    ndarray, shape (n, 1)
        n is less than a sixteenth of the total.
    """
    step = 1 << max(0, total.bit_length() - 5)
    return np.zeros((-total % step, 1), np.int64)


def _packs(lengths: Sequence[int], most: int) -> Iterator[slice]:
    """Part texts, in order, into packs of so many texts at most and few tokens, or a long text."""
    start, total = 0, 0
    for i, length in enumerate(lengths):
        if i > start and (total + length > _PACK or i - start == most):
            yield slice(start, i)
            start, total = i, 0
        total += length
    yield slice(start, len(lengths))
