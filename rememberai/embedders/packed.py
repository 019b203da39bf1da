"""BERT on the CPU without padding: the tokens of many texts side by side in one matrix.

All but attention works on single tokens, so it does not matter whose they are; attention is taken
over the texts of one length at a time (as in Zeng et al., arXiv:2208.08124, on GPUs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from rememberai._optional import require
from rememberai.embedders import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

Precision = Literal["float32", "int8"]

# Whether a text's first position comes after that of the padding.
_AFTER_PADDING = {"BertModel": False, "RobertaModel": True, "XLMRobertaModel": True}
_EMBEDDINGS = (
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
)
_LINEAR = (
    *("attention.self.query", "attention.self.key", "attention.self.value"),
    *("attention.output.dense", "intermediate.dense", "output.dense"),
)
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_PACK = 768  # tokens at once; twice as many are no faster, and take more memory
_READ = 1024  # texts that are tokenised at once


def pack(model: Any, precision: Precision = "float32") -> PackedBert | None:
    """Take the weights of a sentence-transformers model, if it is one that can be run packed.

    Parameters
    ----------
    model
        A ``SentenceTransformer``: BERT, RoBERTa or XLM-RoBERTa in float32 on the CPU, pooled by
        the mean or the first token, with no prompt.
    precision
        Of the matrix products.

    Returns
    -------
    PackedBert or None
        None for any other model.
    """
    return PackedBert(model, precision) if _is_plain(model) else None


class PackedBert:
    """Gives the vectors that the model itself would give; see `pack`."""

    def __init__(self, model: Any, precision: Precision) -> None:
        torch = require("torch")
        bert = model[0].auto_model
        self._read = getattr(model, "preprocess", None) or model.tokenize
        self._of_first = _pooling(model[1]) == "cls"
        self._normalise = len(model) == 3
        parts = bert.embeddings
        with torch.inference_mode():
            first = bert.config.pad_token_id + 1 if _AFTER_PADDING[type(bert).__name__] else 0
            self._words = parts.word_embeddings.weight.detach()
            places, kind = parts.position_embeddings.weight, parts.token_type_embeddings.weight[0]
            self._places = places[first:] + kind
            self._norm = parts.LayerNorm
            self._layers = [_layer_of(layer, precision) for layer in bert.encoder.layer]

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
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(texts), _READ):
            read = self._read(list(texts[start : start + _READ]))
            masks = read["attention_mask"].numpy().astype(bool)
            found += [ids[mask] for ids, mask in zip(read["input_ids"].numpy(), masks, strict=True)]
        return found

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
        return torch.nn.functional.normalize(pooled) if self._normalise else pooled


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


def _layer_of(layer: Any, precision: Precision) -> _Layer:
    torch = require("torch")
    product = products.int8 if precision == "int8" else products.float32
    own, after = layer.attention.self, layer.attention.output
    three = (own.query, own.key, own.value)
    return _Layer(
        own.num_attention_heads,
        product(torch.cat([one.weight for one in three]), torch.cat([one.bias for one in three])),
        product(after.dense.weight, after.dense.bias),
        product(layer.intermediate.dense.weight, layer.intermediate.dense.bias, gelu=True),
        product(layer.output.dense.weight, layer.output.dense.bias),
        (after.LayerNorm, layer.output.LayerNorm),
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


def _is_plain(model: Any) -> bool:
    kinds = [type(module).__name__ for module in model]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        return False
    bert = model[0].auto_model
    if type(bert).__name__ not in _AFTER_PADDING or _pooling(model[1]) not in ("mean", "cls"):
        return False
    config, tokenizer, float32 = bert.config, model.tokenizer, require("torch").float32
    return (
        {key for key in bert.state_dict() if not key.startswith("pooler.")} == _keys(config)
        and all(w.device.type == "cpu" and w.dtype == float32 for w in bert.parameters())
        and config.hidden_act == "gelu"
        and not config.is_decoder
        and not model.default_prompt_name
        and model.truncate_dim is None
        and tokenizer.padding_side == "right"
        and len(tokenizer("")["input_ids"]) > 0
    )


def _keys(config: Any) -> set[str]:
    """Name all weights of a plain model; an adapter or another kind of attention brings more."""
    layers = [f"encoder.layer.{i}." for i in range(config.num_hidden_layers)]
    both = [*(layer + part for layer in layers for part in _LINEAR + _NORMS)]
    both.append("embeddings.LayerNorm")
    return {f"embeddings.{name}" for name in _EMBEDDINGS} | {
        f"{name}.{kind}" for name in both for kind in ("weight", "bias")
    }


def _pooling(module: Any) -> Any:
    """Name how tokens are pooled; sentence-transformers 5 answers by a method."""
    named = getattr(module, "pooling_mode", None)
    return module.get_pooling_mode_str() if named is None else named
