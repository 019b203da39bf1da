"""Vectors made on a GPU against those of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

towers = pytest.importorskip("towers")

import torch  # noqa: E402

from rememberai.embedders import ImageTextEmbedder, SentenceEmbedder  # noqa: E402
from rememberai.errors import ModelError  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")

TEXTS = ["a b c", "", "d e f g h i j k l m n o p q r s t u v w x y z", "a", "b a"] * 7


def test_texts(build_tiny):
    folder = str(build_tiny())
    on_gpu, on_cpu = (SentenceEmbedder(folder, device=d, batch_size=4) for d in ("cuda", "cpu"))
    assert (on_gpu.model_id, on_gpu.dimension) == (on_cpu.model_id, on_cpu.dimension)
    np.testing.assert_allclose(on_gpu.encode(TEXTS), on_cpu.encode(TEXTS), atol=1e-4)
    assert SentenceEmbedder(folder)._engine._model.device.type == "cuda"  # taken unasked


def test_8_bits_are_for_the_cpu(build_tiny):
    with pytest.raises(ModelError, match="on the CPU"):
        SentenceEmbedder(str(build_tiny()), device="cuda", precision="int8").encode(["a"])


@pytest.mark.parametrize("kind", sorted(towers.BUILDERS))
def test_pictures_and_their_texts(kind, tmp_path):
    towers.build(kind, tmp_path)
    random = np.random.default_rng(0)
    pictures = [
        Image.fromarray(random.integers(0, 256, (40 + i, 60, 3), np.uint8)) for i in range(9)
    ]
    on_gpu, on_cpu = (
        ImageTextEmbedder(str(tmp_path), device=d, batch_size=4) for d in ("cuda", "cpu")
    )
    for encode, given in (("encode_images", pictures), ("encode", ["a red disc", "a blue frame"])):
        found, wanted = (getattr(each, encode)(given) for each in (on_gpu, on_cpu))
        np.testing.assert_allclose(found, wanted, atol=1e-4)
