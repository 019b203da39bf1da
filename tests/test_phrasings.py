"""Names said in several ways: which ways, and the mean of their vectors."""

from __future__ import annotations

import numpy as np
import pytest

from rememberai.phrasings import mean_vector, name_vectors, phrasings


@pytest.mark.parametrize("name", ["wedding", "{}", "{0} and {you}", "4th of July", "결혼식"])
def test_a_name_comes_first_and_is_in_each_phrasing(name):
    said = phrasings(name)
    assert said[0] == name
    assert len(set(said)) == len(said) > 1
    assert all(name in phrasing for phrasing in said)
    assert f"photos of {name}" in said


def test_the_mean_of_unit_vectors_is_clips():
    vectors = np.random.default_rng(0).normal(size=(5, 16)) + 1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wanted = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))
    found = mean_vector(vectors.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_each_phrasing_counts_alike_however_long_and_the_mean_is_as_long_as_they():
    vectors = np.float32([[3, 0], [0, 1]])
    np.testing.assert_allclose(mean_vector(vectors), np.float32([1, 1]) * np.sqrt(2), rtol=1e-6)
    large = mean_vector(vectors * np.float32(1e18))
    np.testing.assert_allclose(large, mean_vector(vectors) * 1e18, rtol=1e-6)


def test_one_vector_stays_as_it_is():
    vectors = np.random.default_rng(0).normal(size=(100, 1, 16)).astype(np.float32)
    assert all((mean_vector(one) == one[0]).all() for one in vectors)


@pytest.mark.parametrize("vectors", [[[0, 0], [0, 0]], [[1, 0], [-1, 0]]])
def test_what_has_no_direction_is_zero(vectors):
    assert mean_vector(np.float32(vectors)).tolist() == [0, 0]


def test_each_name_gets_the_mean_of_its_own_phrasings():
    given = []

    def embed(texts):
        given.append(texts)
        return np.stack([vector_of[text] for text in texts])

    names = ["wedding", "결혼식", "beach"]
    random = np.random.default_rng(0)
    vector_of = {
        text: random.normal(size=8).astype(np.float32) for name in names for text in phrasings(name)
    }
    found = name_vectors(names, embed)
    assert len(given) == 1
    for name, vector in zip(names, found, strict=True):
        own = np.stack([vector_of[text] for text in phrasings(name)])
        assert vector.tolist() == mean_vector(own).tolist()
