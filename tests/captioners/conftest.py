"""Tiny captioning checkpoints as fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_captioners import BUILDERS, PROCESSED, Checkpoint, blip, word_tokenizer  # noqa: E402


@pytest.fixture
def build(tmp_path):
    """Build a checkpoint of a kind, saved under tmp_path."""

    def build_one(kind: str, *, seed: int = 0) -> Checkpoint:
        torch.manual_seed(seed)
        if kind in PROCESSED:
            model, tokenizer, image_processor, files = PROCESSED[kind]()
        else:
            model, image_processor = BUILDERS[kind]()
            tokenizer, files = word_tokenizer(), {}
        folder = tmp_path / f"tiny-{kind}"
        checkpoint = Checkpoint(kind, model.eval(), tokenizer, image_processor, folder, files)
        checkpoint.save()
        return checkpoint

    return build_one


class Tiny:
    """Makes checkpoints for fixtures that live longer than a test."""

    @staticmethod
    def blip(folder: Path, **options: Any) -> Checkpoint:
        model, image_processor = blip(**options)
        return Checkpoint("blip", model, word_tokenizer(), image_processor, folder / "tiny-blip")


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture(params=sorted(BUILDERS))
def checkpoint(request, build) -> Checkpoint:
    return build(request.param)


@pytest.fixture(params=sorted(PROCESSED))
def processed(request, build) -> Checkpoint:
    return build(request.param)
