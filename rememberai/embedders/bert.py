"""A plain BERT: read from its folder, or taken from a model that sentence-transformers loaded.

Importing that library takes several times as long as reading most such models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rememberai._models import read_json
from rememberai._optional import require

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

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
_UNUSED = ("pooler.", "embeddings.position_ids")
_SIZES = ("num_hidden_layers", "num_attention_heads", "max_position_embeddings")
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_POOLINGS = ("mean", "cls")
# How the library says that a model is one of texts, read by their last layer.
_OF_TEXTS = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}
_AS_IN_ITS_FILE = ("PreTrainedTokenizerFast", "TokenizersBackend")
_BY_ITS_SETTINGS = ("BertTokenizer", "BertTokenizerFast")
_LOOKED_FOR = ("lstrip", "normalized", "rstrip", "single_word")
_SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}


class Bert(NamedTuple):
    """A model in float32 on the CPU.

    Attributes
    ----------
    weights
        Tensors by their names in transformers' ``BertModel``.
    first
        A text's first position.
    tokens
        Gives each text's tokens, the special ones too, (length,) int64.
    starts
        Gives where each of a text's own tokens starts, in characters.
    limit
        Tokens of a text's own that fit beside the special ones.
    of_first
        Whether a text's vector is that of its first token; else the mean of all.
    """

    weights: Mapping[str, Any]
    layers: int
    heads: int
    epsilon: float
    first: int
    tokens: Callable[[Sequence[str]], list[NDArray[np.int64]]]
    starts: Callable[[str], list[int]]
    limit: float
    of_first: bool
    normalises: bool


def read(folder: Path) -> Bert | None:
    """Read a model that sentence-transformers saved.

    Returns
    -------
    Bert or None
        None for any model of which it is not certain that the library would give the same.

    Raises
    ------
    ModelError
        A JSON file can't be read.
    """
    config, of_texts = (
        _settings(folder, "config.json"),
        _settings(folder, "sentence_bert_config.json"),
    )
    parts = _parts(folder)
    words = _settings(folder, "tokenizer_config.json")
    longest = of_texts.pop("max_seq_length", None) or words.get("model_max_length")
    if not (
        parts
        and not (folder / "adapter_config.json").is_file()
        and _is_plain_bert(config)
        and not of_texts.pop("do_lower_case", False)
        and of_texts in ({}, _OF_TEXTS)
        and isinstance(longest, int)
        and longest <= config["max_position_embeddings"]
    ):
        return None
    tokenizer = _tokenizer(folder, words)
    weights = _weights(folder, config["num_hidden_layers"])
    if tokenizer is None or weights is None:
        return None
    limit = longest - len(tokenizer.encode("").ids)
    if limit < 1:
        return None
    pooling, normalises = parts
    return Bert(
        weights,
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config.get("layer_norm_eps", 1e-12),
        0,
        lambda texts: [np.array(e.ids, np.int64) for e in tokenizer.encode_batch_fast(texts)],
        lambda text: [at for at, _ in tokenizer.encode(text, add_special_tokens=False).offsets],
        limit,
        pooling == "cls",
        normalises,
    )


def taken_from(model: Any) -> Bert | None:
    """Take a model that is loaded apart.

    Parameters
    ----------
    model
        A ``SentenceTransformer``.

    Returns
    -------
    Bert or None
        None unless it is a BERT, RoBERTa or XLM-RoBERTa in float32 on the CPU, pooled by the mean
        or the first token, with no prompt.
    """
    if not _is_plain(model):
        return None
    bert, tokenizer = model[0].auto_model, model.tokenizer
    first = bert.config.pad_token_id + 1 if _AFTER_PADDING[type(bert).__name__] else 0
    preprocess = getattr(model, "preprocess", None) or model.tokenize

    def tokens(texts: Sequence[str]) -> list[NDArray[np.int64]]:
        given = preprocess(list(texts))
        masks = given["attention_mask"].numpy().astype(bool)
        return [ids[mask] for ids, mask in zip(given["input_ids"].numpy(), masks, strict=True)]

    return Bert(
        {name: weight.detach() for name, weight in bert.state_dict().items()},
        bert.config.num_hidden_layers,
        bert.config.num_attention_heads,
        bert.config.layer_norm_eps,
        first,
        tokens,
        lambda text: token_starts(tokenizer, text),
        token_limit(model),
        _pooling(model[1]) == "cls",
        len(model) == 3,
    )


def token_limit(model: Any) -> float:
    """Count the tokens of a text's own that fit beside the special ones and the model's prompt."""
    longest = model.max_seq_length
    if longest is None or longest > 10**6:  # a tokenizer without a limit says 10**30
        return float("inf")
    prompt = model.prompts.get(model.default_prompt_name) or ""
    return int(longest) - len(model.tokenizer(prompt)["input_ids"])


def token_starts(tokenizer: Any, text: str) -> list[int]:
    """Find where each of a text's own tokens starts, by a tokenizer of transformers."""
    given = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [start for start, _ in given["offset_mapping"]]


def _settings(folder: Path, name: str) -> dict[str, Any]:
    file = folder / name
    found: dict[str, Any] = read_json(file, dict) if file.is_file() else {}
    return found


def _parts(folder: Path) -> tuple[str, bool] | None:
    """Tell how tokens are pooled and whether vectors are normalised, where that is all there is."""
    listed = read_json(folder / "modules.json", list) if (folder / "modules.json").is_file() else []
    kinds = [str(part.get("type")).rpartition(".")[2] for part in listed]
    if kinds not in _MODULES or listed[0].get("path") != "":
        return None
    library = _settings(folder, "config_sentence_transformers.json")
    pooling = _settings(folder, f"{listed[1].get('path')}/config.json")
    mode = pooling.get("pooling_mode")
    if mode is None:  # as the library wrote it before its version 5.5
        names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
        chosen = [key for key, on in pooling.items() if key.startswith("pooling_mode_") and on]
        mode = names.get(chosen[0]) if len(chosen) == 1 else None
    plain = not library.get("default_prompt_name") and library.get("truncate_dim") is None
    return (mode, len(kinds) == 3) if mode in _POOLINGS and plain else None


def _is_plain_bert(config: dict[str, Any]) -> bool:
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and all(isinstance(config.get(name), int) for name in _SIZES)
        and config.get("dtype", config.get("torch_dtype")) in (None, "float32")
        and not config.get("is_decoder")
        and config.get("position_embedding_type", "absolute") == "absolute"
        and "quantization_config" not in config
    )


def _tokenizer(folder: Path, settings: dict[str, Any]) -> Any | None:
    """Load ``tokenizer.json``, where transformers would make the same of it and the settings."""
    file = folder / "tokenizer.json"
    odd = ("additional_special_tokens", "extra_special_tokens", "never_split")
    special = _settings(folder, "special_tokens_map.json")
    if (
        not file.is_file()
        or (folder / "added_tokens.json").is_file()
        or any(
            _plain(settings.get(name, token)) != _plain(token) for name, token in special.items()
        )
        or any(settings.get(name) for name in odd)
        or settings.get("padding_side", "right") != "right"
        or not _is_told_alike(read_json(file, dict), settings)
    ):
        return None
    tokenizer = require("tokenizers").Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()  # texts come in pieces that fit
    ends = [
        _plain(settings.get("cls_token", "[CLS]")),
        _plain(settings.get("sep_token", "[SEP]")),
    ]
    return tokenizer if tokenizer.encode("").tokens == ends else None


def _plain(token: Any) -> Any:
    """Give the text of a token that transformers 4 wrote with how it is looked for, if plainly."""
    if isinstance(token, dict) and not any(token.get(name) for name in _LOOKED_FOR):
        return token.get("content")
    return token


def _is_told_alike(rules: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether the file of rules says what the settings say."""
    if settings.get("tokenizer_class") in _AS_IN_ITS_FILE:
        return True
    normaliser = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": settings.get("tokenize_chinese_chars", True),
        "strip_accents": settings.get("strip_accents"),
        "lowercase": settings.get("do_lower_case", True),
    }
    added = {token.get("content") for token in rules.get("added_tokens", [])}
    added |= {t.get("content") for t in settings.get("added_tokens_decoder", {}).values()}
    return (
        settings.get("tokenizer_class") in _BY_ITS_SETTINGS
        and rules.get("normalizer") == normaliser
        and rules.get("pre_tokenizer") == {"type": "BertPreTokenizer"}
        and rules["model"].get("type") == "WordPiece"
        and added <= _SPECIAL
    )


def _weights(folder: Path, layers: int) -> dict[str, Any] | None:
    file = folder / "model.safetensors"
    if not file.is_file():
        return None
    weights: dict[str, Any] = require("safetensors.torch").load_file(file)
    wanted, float32 = _names(layers), require("torch").float32
    if {name for name in weights if not name.startswith(_UNUSED)} != wanted:
        return None
    return weights if all(weights[name].dtype == float32 for name in wanted) else None


def _is_plain(model: Any) -> bool:
    kinds = [type(module).__name__ for module in model]
    if kinds not in _MODULES:
        return False
    bert = model[0].auto_model
    if type(bert).__name__ not in _AFTER_PADDING or _pooling(model[1]) not in _POOLINGS:
        return False
    config, tokenizer, float32 = bert.config, model.tokenizer, require("torch").float32
    names = {name for name in bert.state_dict() if not name.startswith(_UNUSED)}
    return (
        names == _names(config.num_hidden_layers)
        and all(w.device.type == "cpu" and w.dtype == float32 for w in bert.parameters())
        and config.hidden_act == "gelu"
        and not config.is_decoder
        and not model.default_prompt_name
        and model.truncate_dim is None
        and tokenizer.padding_side == "right"
        and len(tokenizer("")["input_ids"]) > 0
    )


def _names(layers: int) -> set[str]:
    """Name all weights of a plain model; an adapter or another kind of attention brings more."""
    each = [f"encoder.layer.{i}." for i in range(layers)]
    both = [*(layer + part for layer in each for part in _LINEAR + _NORMS)]
    both.append("embeddings.LayerNorm")
    return {f"embeddings.{name}" for name in _EMBEDDINGS} | {
        f"{name}.{kind}" for name in both for kind in ("weight", "bias")
    }


def _pooling(module: Any) -> Any:
    """Name how tokens are pooled; sentence-transformers 5 answers by a method."""
    named = getattr(module, "pooling_mode", None)
    return module.get_pooling_mode_str() if named is None else named
