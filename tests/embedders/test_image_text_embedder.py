"""CLIP and SigLIP against the models called by hand, and retrieval by a tiny trained CLIP."""

from __future__ import annotations

import json

import huggingface_hub
import numpy as np
import pytest
from PIL import Image

towers = pytest.importorskip("towers")

import torch  # noqa: E402

from rememberai.embedders import Embedder, ImageEmbedder, ImageTextEmbedder  # noqa: E402
from rememberai.errors import InputError, ModelError  # noqa: E402

TEXTS = ["a red disc", "blue", "a green grill a green grill"]


@pytest.fixture(params=sorted(towers.BUILDERS))
def built(request, tmp_path):
    return request.param, tmp_path, *towers.build(request.param, tmp_path)


def pictures(n: int) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (40 + i, 60, 3), np.uint8)) for i in range(n)]


def by_hand(model, processor, images, *, filled: bool):
    """The vectors that the whole model compares, which are of length one."""
    words = towers.tokenizer()(
        TEXTS,
        padding="max_length" if filled else True,
        max_length=12,
        truncation=True,
        return_tensors="pt",
    )
    with torch.no_grad():
        found = model(**processor(images=images, return_tensors="pt"), **words)
    return found.image_embeds.numpy(), found.text_embeds.numpy()


def test_vectors_are_those_of_the_model_called_by_hand(built):
    kind, folder, model, processor = built
    images = pictures(5)
    embedder = ImageTextEmbedder(str(folder), batch_size=2)
    assert isinstance(embedder, ImageEmbedder)
    assert isinstance(embedder, Embedder)
    seen, said = by_hand(model, processor, images, filled=kind != "clip")
    pairs = [(embedder.encode_images(images), seen), (embedder.encode(TEXTS), said)]
    if kind == "siglip2":  # it is read with the tokenizer of its own, not with the tests'
        del pairs[1]
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert found.shape[1] == embedder.dimension
    assert embedder.encode_images([]).shape == embedder.encode([]).shape == (0, embedder.dimension)


def test_id_and_dimension_are_known_before_the_weights_are_read(built):
    kind, folder, *_ = built
    (folder / "model.safetensors").write_bytes(b"no weights")
    embedder = ImageTextEmbedder(str(folder))
    assert embedder.dimension in (24, 48)
    assert embedder.model_id.startswith(f"{folder.name}@")
    with pytest.raises(ModelError, match="can't be loaded"):
        embedder.encode(["a"])
    assert embedder.side == (None if kind == "siglip2" else towers.SIDE)


@pytest.mark.parametrize("below", ["", "0_CLIPModel"])
def test_a_clip_of_sentence_transformers_is_read(tmp_path, below):
    """As it is saved today, and as those on the hub lie there: in a folder of its own."""
    towers.build("clip", tmp_path / "saved" / below)
    module = {"idx": 0, "path": below, "type": "sentence_transformers.models.CLIPModel"}
    (tmp_path / "saved" / "modules.json").write_text(json.dumps([module]))
    towers.build("clip", tmp_path / "plain")
    found, plain = (ImageTextEmbedder(str(tmp_path / name)) for name in ("saved", "plain"))
    assert found.dimension == 24
    np.testing.assert_array_equal(found.encode(TEXTS), plain.encode(TEXTS))
    np.testing.assert_array_equal(
        found.encode_images(pictures(2)), plain.encode_images(pictures(2))
    )


def test_any_mode_and_a_long_text_are_taken(built):
    _, folder, *_ = built
    embedder = ImageTextEmbedder(str(folder))
    grey, clear = Image.new("L", (9, 50), 128), Image.new("RGBA", (50, 9), (128, 128, 128, 0))
    assert embedder.encode_images([grey, clear]).shape == (2, embedder.dimension)
    assert embedder.encode(["red " * 500]).shape == (1, embedder.dimension)


def test_weights_that_are_stored_in_half_are_computed_with_in_full(built):
    kind, folder, model, processor = built
    model.half().save_pretrained(folder)
    seen, _ = by_hand(model.float(), processor, pictures(3), filled=kind != "clip")
    found = ImageTextEmbedder(str(folder)).encode_images(pictures(3))
    np.testing.assert_allclose(found, seen, atol=1e-5)


def test_a_revision_is_pinned(tmp_path, monkeypatch):
    repository = tmp_path / "hub" / "models--someone--clip"
    for commit, seed in (("a" * 40, 0), ("b" * 40, 1)):
        model, _ = towers.build("clip", repository / "snapshots" / commit)
        model.visual_projection.weight.data.normal_(generator=torch.manual_seed(seed))
        model.save_pretrained(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("b" * 40)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pinned, newest = (
        ImageTextEmbedder("someone/clip", revision=revision, offline=True)
        for revision in ("a" * 40, None)
    )
    assert pinned.model_id != newest.model_id
    by_folder = ImageTextEmbedder(str(repository / "snapshots" / ("a" * 40)))
    expected = by_folder.encode_images(pictures(2))
    np.testing.assert_array_equal(pinned.encode_images(pictures(2)), expected)
    assert np.abs(newest.encode_images(pictures(2)) - expected).max() > 0.01


def test_what_can_t_be_is_refused(tmp_path):
    towers.transformers.BertConfig().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="holds a 'bert' model"):
        _ = ImageTextEmbedder(str(tmp_path)).dimension
    with pytest.raises(InputError, match="batch_size"):
        ImageTextEmbedder(str(tmp_path), batch_size=0)
    with pytest.raises(ModelError, match="offline"):
        ImageTextEmbedder("nobody/nothing", offline=True)


def test_a_device_that_is_not_there_and_one_text_alone(tmp_path):
    towers.build("clip", tmp_path)
    with pytest.raises(InputError, match="'nonsense'"):
        ImageTextEmbedder(str(tmp_path), device="nonsense").encode_images(pictures(1))
    with pytest.raises(InputError, match="one str came"):
        ImageTextEmbedder(str(tmp_path)).encode("a red disc")


def test_a_weight_that_is_missing_is_not_drawn_by_lot(built):
    from safetensors.torch import load_file, save_file

    kind, folder, *_ = built
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    del tensors[min(name for name in tensors if "vision" in name)]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"not those of a '{kind}' model .* 1 are missing"):
        ImageTextEmbedder(str(folder)).encode_images(pictures(1))


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_vectors_that_are_zero_or_not_finite_are_refused(tmp_path, value):
    model, _ = towers.build("clip", tmp_path)
    model.visual_projection.weight.data.fill_(value)
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="zero or not finite"):
        ImageTextEmbedder(str(tmp_path)).encode_images(pictures(1))


def test_a_trained_clip_finds_the_drawing_that_a_text_tells_of(trained_clip):
    embedder = ImageTextEmbedder(str(trained_clip))
    random = np.random.default_rng(7)
    drawings = [towers.drawing(*kind, random) for kind in towers.KINDS for _ in range(6)]
    truth = np.repeat(np.arange(len(towers.KINDS)), 6)
    texts = embedder.encode([towers.said(*kind) for kind in towers.KINDS])
    nearest = np.argsort(-texts @ embedder.encode_images(drawings).T, axis=1)[:, :3]
    assert (truth[nearest] == np.arange(len(towers.KINDS))[:, None]).mean() > 0.9
