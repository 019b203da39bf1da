"""Captions made on a GPU against those of the CPU, and a GPU whose memory is full."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from rememberai import TransformersCaptioner  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


def noise(n):
    rng = np.random.default_rng(3)
    return [Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)) for _ in range(n)]


def pair(checkpoint, **options):
    return [
        TransformersCaptioner(str(checkpoint.folder), device=device, dtype="float32", **options)
        for device in ("cuda", "cpu")
    ]


def judge(on_gpu, on_cpu, pictures):
    found, wanted = on_gpu.caption(pictures), on_cpu.caption(pictures)
    assert [caption.text for caption in found] == [caption.text for caption in wanted]
    np.testing.assert_allclose(
        [caption.confidence for caption in found if caption.text],
        [caption.confidence for caption in wanted if caption.text],
        atol=1e-2,
    )


@pytest.mark.parametrize("num_beams", [1, 3])
def test_captions_are_those_of_the_cpu(checkpoint, num_beams):
    judge(*pair(checkpoint, max_new_tokens=4, num_beams=num_beams, batch_size=3), noise(8))


def test_captions_of_chat_models_are_those_of_the_cpu(processed):
    judge(*pair(processed, max_new_tokens=4, batch_size=3), noise(6))


def test_a_gpu_that_computes_in_bfloat16_is_given_it(checkpoint):
    captioner = TransformersCaptioner(str(checkpoint.folder), max_new_tokens=4)
    captions = captioner.caption(noise(4))
    wanted = torch.cuda.get_device_capability()[0] >= 8
    assert (captioner._loaded[0].dtype == torch.bfloat16) == wanted
    assert all(caption.text or caption.reason for caption in captions)
    assert all(caption.confidence <= 0 for caption in captions if caption.text)


def test_a_full_gpu_gets_half_as_many_pictures_at_once(build, caplog):
    on_gpu, on_cpu = pair(build("blip"), max_new_tokens=2, batch_size=4000)
    on_cpu.batch_size = on_cpu._fit = 100
    pictures = noise(20) * 200
    on_gpu.caption(pictures[:1])
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    free = 24 * 2**20  # 4,000 pictures of 32 x 32 alone take twice that
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + free) / total)
    try:
        with caplog.at_level(logging.WARNING):
            found = on_gpu.caption(pictures)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "half as many" in caplog.text
    assert [caption.text for caption in found] == [c.text for c in on_cpu.caption(pictures)]
