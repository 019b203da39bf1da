"""The vectors without padding against what sentence-transformers gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import transformers  # noqa: E402
from sentence_transformers import SentenceTransformer, models  # noqa: E402
from tokenizers.processors import TemplateProcessing  # noqa: E402

from rememberai.embedders import SentenceEmbedder, packed, products  # noqa: E402
from rememberai.embedders.bert import taken_from  # noqa: E402
from rememberai.embedders.packed import PackedBert  # noqa: E402
from rememberai.errors import InputError, ModelError  # noqa: E402

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
SIZES = {
    "vocab_size": 4 + len(LETTERS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.3,
    "pad_token_id": 0,
}
PLAIN = {
    "bert": transformers.BertConfig(**SIZES),
    "roberta": transformers.RobertaConfig(**SIZES),
    "xlm-roberta": transformers.XLMRobertaConfig(**SIZES),
}
OTHERS = {
    "another activation": transformers.BertConfig(**SIZES, hidden_act="relu"),
    "a decoder": transformers.BertConfig(**SIZES, is_decoder=True),
    "another layout": transformers.DistilBertConfig(
        vocab_size=SIZES["vocab_size"], dim=32, n_layers=1, n_heads=2, hidden_dim=32
    ),
    "another kind": transformers.MPNetConfig(**SIZES),
}


def texts_of_all_lengths(n):
    rng = np.random.default_rng(0)
    lengths = rng.permutation(np.arange(n) % 11)
    return [" ".join(rng.choice(LETTERS, length)) for length in lengths]


TEXTS = texts_of_all_lengths(200)


@pytest.fixture
def build(build_tiny, tmp_path):
    """Save a model of a config, with the tokenizer of the tiny one."""

    def build_one(config, *, pooling="mean", normalise=True):
        torch.manual_seed(0)
        build_tiny()
        plain, folder = tmp_path / "plain", tmp_path / "one"
        transformers.AutoModel.from_config(config).save_pretrained(plain)
        modules = [
            models.Transformer(str(plain), max_seq_length=12),
            models.Pooling(32, pooling_mode=pooling),
            *([models.Normalize()] if normalise else []),
        ]
        SentenceTransformer(modules=modules, device="cpu").save(str(folder))
        return str(folder)

    return build_one


def cosines(first, second):
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / lengths


def by_hand(folder, texts=TEXTS):
    return SentenceTransformer(folder, device="cpu").encode(texts, show_progress_bar=False)


@pytest.fixture(params=["this processor", "without AMX", "without oneDNN"])
def near(request, monkeypatch):
    """Say how near the vectors are to the model's."""
    if request.param == "this processor":
        return 4e-3 if products._has_amx() else 1e-5  # 16 bits
    monkeypatch.setattr(products, "_has_amx", lambda: False)
    if request.param == "without oneDNN":
        monkeypatch.setattr(products, "_has_onednn", lambda: False)
    return 1e-5


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("name", PLAIN)
def test_packed_vectors_are_the_models(build, near, name, pooling):
    folder = build(PLAIN[name], pooling=pooling, normalise=pooling == "mean")
    embedder = SentenceEmbedder(folder, device="cpu")
    expected = by_hand(folder)
    assert isinstance(embedder._engine, PackedBert)
    assert np.ptp(expected, axis=0).min() > 0.01
    np.testing.assert_allclose(embedder.encode(TEXTS), expected, atol=near)
    assert cosines(embedder.encode(TEXTS), expected).min() >= 0.99999


def test_captions_of_minilm(minilm, reference):
    embedder = SentenceEmbedder(offline=True, device="cpu")
    texts = [f"{'a dog ' * (i % 9)}on the beach {i}" for i in range(150)] + ["", "far " * 252]
    expected = reference.encode(texts, show_progress_bar=False)
    assert isinstance(embedder._engine, PackedBert)
    assert cosines(embedder.encode(texts), expected).min() >= 0.99999
    np.testing.assert_allclose(minilm.encode(texts), expected, atol=1e-6)


def test_packs_of_many_sizes_go_through_products_of_few(build):
    engine = PackedBert(taken_from(SentenceTransformer(build(PLAIN["bert"]), device="cpu")))
    first = engine._layers[0]
    rows = []

    def project(x):
        rows.append(len(x))
        return first.project(x)

    engine._layers[0] = first._replace(project=project)
    for length in range(1, 513):
        engine._forward([np.ones(length, np.int64)])
    assert len(set(rows)) <= 16 * 6
    assert all(wanted <= made <= wanted * 17 / 16 for wanted, made in enumerate(rows, 1))


@pytest.mark.parametrize(("most", "tokens"), [(7, 10**6), (10**6, 40)])
def test_a_pack_has_few_texts_and_few_tokens(build, monkeypatch, most, tokens):
    engine = PackedBert(taken_from(SentenceTransformer(build(PLAIN["bert"]), device="cpu")))
    packs = []

    def forward(some):
        packs.append([len(text) for text in some])
        return torch.zeros(len(some), 32)

    monkeypatch.setattr(packed, "_PACK", tokens)
    monkeypatch.setattr(engine, "_forward", forward)
    engine.encode(TEXTS, most)
    lengths = [length for pack in packs for length in pack]
    assert len(lengths) == len(TEXTS)
    assert lengths == sorted(lengths)
    assert all(len(pack) <= most and sum(pack) <= tokens for pack in packs)
    for pack, after in pairwise(packs):  # none could have taken one more
        assert len(pack) == most or sum(pack) + after[0] > tokens


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_run_as_they_are(build, name):
    folder = build(OTHERS[name])
    embedder = SentenceEmbedder(folder, device="cpu")
    assert not isinstance(embedder._engine, PackedBert)
    np.testing.assert_allclose(embedder.encode(TEXTS), by_hand(folder), atol=1e-5)
    with pytest.raises(ModelError, match="int8 is for BERT"):
        SentenceEmbedder(folder, device="cpu", precision="int8").encode(["a"])


def test_what_else_is_not_packed(build):
    assert (
        taken_from(SentenceTransformer(build(PLAIN["bert"], pooling="max"), device="cpu")) is None
    )
    model = SentenceTransformer(build(PLAIN["bert"]), device="cpu")
    assert taken_from(model) is not None
    model.truncate_dim = 4
    assert taken_from(model) is None
    model.truncate_dim = None
    model.prompts, model.default_prompt_name = {"query": "x "}, "query"
    assert taken_from(model) is None
    model.default_prompt_name = None
    assert taken_from(model.double()) is None
    assert taken_from(model.float()) is not None
    model[0].auto_model.encoder.layer[0].add_module("adapter", torch.nn.Linear(2, 2))
    assert taken_from(model) is None
    model = SentenceTransformer(build(PLAIN["bert"]), device="cpu")
    unmarked = TemplateProcessing(single="$A", special_tokens=[])  # no token for a text without any
    model.tokenizer.backend_tokenizer.post_processor = unmarked
    assert taken_from(model) is None


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_neither_order_nor_company_counts(build, precision):
    embedder = SentenceEmbedder(build(PLAIN["bert"]), device="cpu", precision=precision)
    together = embedder.encode(TEXTS)
    order = np.random.default_rng(1).permutation(len(TEXTS))
    shuffled = embedder.encode([TEXTS[i] for i in order])
    # A last bit of a float can make another level of 8 bits.
    most = 1e-5 if precision == "float32" else 2e-2
    np.testing.assert_allclose(shuffled, together[order], atol=most)
    np.testing.assert_allclose(embedder.encode(TEXTS[:1]), together[:1], atol=most)


@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_packs_of_any_size(build, near, batch_size):
    folder = build(PLAIN["roberta"])
    embedder = SentenceEmbedder(folder, device="cpu", batch_size=batch_size)
    np.testing.assert_allclose(embedder.encode(TEXTS), by_hand(folder), atol=near)


def test_int8_is_near_and_has_a_name_of_its_own(minilm):
    texts = [
        f"{who} {did} the old red train on day {i}"
        for i, (who, did) in enumerate(
            (who, did) for who in ("Grandma", "A dog", "My class") for did in ("waits by", "paints")
        )
    ]
    embedder = SentenceEmbedder(device="cpu", offline=True, precision="int8")
    assert embedder.model_id == minilm.model_id + "+int8w7"
    near = cosines(embedder.encode(texts), minilm.encode(texts))
    assert near.min() > 0.99
    assert near.max() < 0.99999


def test_int8_is_the_same_without_its_instructions(minilm, monkeypatch):
    fast = SentenceEmbedder(device="cpu", offline=True, precision="int8").encode(TEXTS)
    monkeypatch.setattr(products, "_sums_are_exact", lambda most: False)
    slow = SentenceEmbedder(device="cpu", offline=True, precision="int8").encode(TEXTS)
    # Sums of floats differ in their last bits, and now and then one rounds to another level.
    assert np.median(cosines(slow, fast)) > 0.9999
    assert cosines(slow, fast).min() > 0.98
    assert cosines(slow, minilm.encode(TEXTS)).max() < 0.99999


@pytest.mark.parametrize("exact", [True, False])
def test_a_product_of_8_bits_by_7(exact, monkeypatch):
    if not exact:
        monkeypatch.setattr(products, "_sums_are_exact", lambda most: False)
    rng = np.random.default_rng(0)
    weight, rows = rng.normal(size=(24, 40)), rng.normal(size=(9, 40))
    rows[3], weight[5] = 0, 0
    rows[4] *= 1e4  # a step for each row: the large one leaves the others as they are
    bias = rng.normal(size=24)
    weight, rows, bias = (some.astype(np.float32) for some in (weight, rows, bias))
    steps = np.maximum(np.abs(weight).max(1), 1e-12) / 63
    row_steps = np.maximum(np.abs(rows).max(1), 1e-12) / 127
    levels = np.floor(rows / row_steps[:, None] + 0.5) @ np.round(weight / steps[:, None]).T
    expected = levels * row_steps[:, None] * steps + bias
    with torch.inference_mode():
        product = products.int8(torch.from_numpy(weight), torch.from_numpy(bias))
        found = product(torch.from_numpy(rows)).numpy()
        more = product(torch.from_numpy(rows.copy()), torch.ones(9, 24)).numpy()
    np.testing.assert_array_equal(more, found + 1)
    scale = np.abs(expected).max(1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-3)
    np.testing.assert_allclose(found[3], bias, atol=1e-6)


@pytest.mark.parametrize("largest", [1, 30])
def test_a_product_of_16_bits(largest, monkeypatch):
    if not products._sums_are_exact(127):
        pytest.skip("without VNNI sums of bytes overflow")
    monkeypatch.setattr(products, "_has_amx", lambda: True)
    rng = np.random.default_rng(0)
    weight, rows, bias = rng.normal(size=(24, 400)), rng.normal(size=(9, 400)), rng.normal(size=24)
    rows[:, 7] *= largest  # networks of language have such a dimension
    rows[3], weight[5] = 0, 0
    rows[4] *= 1e4
    expected = rows @ weight.T + bias
    with torch.inference_mode():
        product = products.float32(
            *(torch.from_numpy(x.astype(np.float32)) for x in (weight, bias))
        )
        found = product(torch.from_numpy(rows.astype(np.float32))).numpy()
    assert np.ptp(found[3] - bias) < 1e-6
    np.testing.assert_allclose(found[:, 5], bias[5], atol=1e-6)
    away = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert away.max() < 2e-4 * largest**0.5
    bytes_alone = products.int8(*(torch.from_numpy(x.astype(np.float32)) for x in (weight, bias)))
    coarse = bytes_alone(torch.from_numpy(rows.astype(np.float32))).numpy()
    assert np.linalg.norm(coarse - expected) > 30 * np.linalg.norm(found - expected)


def test_a_precision_that_is_none(build):
    with pytest.raises(InputError, match="'float32' or 'int8', it is 'int4'"):
        SentenceEmbedder(build(PLAIN["bert"]), precision="int4")


@pytest.fixture
def asked_anew():
    """Let the processor be asked again what it can, here and after the test."""

    def forget():
        for probe in (products._has_onednn, products._sums_are_exact, products._has_amx):
            probe.cache_clear()

    forget()
    yield
    forget()


def test_operators_that_torch_no_longer_has_are_done_without(asked_anew, monkeypatch):
    """They are not torch's public interface: another version may name them otherwise."""

    def missing(*_):
        raise AttributeError("'_OpNamespace' object has no attribute")

    weight, bias, x = torch.randn(24, 16), torch.randn(24), torch.randn(5, 16)
    expected = torch.nn.functional.gelu(x @ weight.T + bias)
    monkeypatch.setattr(products, "_prepacked", missing)
    monkeypatch.setattr(products, "_of_bytes", missing)
    torch.testing.assert_close(products.float32(weight, bias, gelu=True)(x), expected)
    torch.testing.assert_close(
        products.int8(weight, bias, gelu=True)(x), expected, atol=0.15, rtol=0
    )


@pytest.mark.parametrize("fused", [True, False])
def test_gelu_beside_the_product_or_after_it(monkeypatch, fused):
    if not products._has_onednn():
        pytest.skip("oneDNN is not there, or not asked for on this processor")
    monkeypatch.setattr(products, "_fuses_well", lambda: fused)
    weight, bias, x = torch.randn(24, 16), torch.randn(24), torch.randn(5, 16)
    given = x.clone()
    expected = torch.nn.functional.gelu(x @ weight.T + bias)
    torch.testing.assert_close(products._prepacked(weight, bias, gelu=True)(x), expected)
    torch.testing.assert_close(x, given)


def test_a_processor_of_another_kind_gets_plain_products(asked_anew, monkeypatch):
    monkeypatch.setattr(products.platform, "machine", lambda: "arm64")
    assert not products._has_onednn()
    assert not products._sums_are_exact(63)
    assert not products._has_amx()


def test_sums_that_overflow_are_noticed(asked_anew, monkeypatch):
    exact = products._of_bytes

    def overflowing(levels, steps):
        run = exact(levels, steps)
        return lambda rows, plus=None: run(rows, plus).clamp_(max=2**15 - 1)

    monkeypatch.setattr(products, "_of_bytes", overflowing)
    assert not products._sums_are_exact(63)
    assert not products._has_amx()


def test_with_weights_of_7_bits_no_sum_overflows(asked_anew):
    if not products._has_onednn():
        pytest.skip("oneDNN is not there, or not asked for on this processor")
    assert products._sums_are_exact(63)


@pytest.mark.parametrize("wrong", ["no tiles", "inexact"])
def test_products_of_16_bits_are_for_tiles_and_only_where_they_are_right(
    asked_anew, monkeypatch, wrong
):
    if not products._sums_are_exact(127):
        pytest.skip("without VNNI sums of bytes overflow")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert products._has_amx()
    products._has_amx.cache_clear()
    if wrong == "no tiles":
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    else:
        exact = products._of_two_bytes
        monkeypatch.setattr(
            products, "_of_two_bytes", lambda *given: lambda rows: exact(*given)(rows) * 1.01
        )
    assert not products._has_amx()
