"""Whoever watches is told how far a large model is that is read and loaded."""

from __future__ import annotations

import pytest
from makers import Ticks, tiny_captioner
from PIL import Image

from rememberai import TransformersCaptioner, _watching

transformers = pytest.importorskip("transformers")


@pytest.fixture
def captioner(tmp_path):
    return TransformersCaptioner(str(tiny_captioner(tmp_path)))


def use(captioner) -> None:
    assert captioner.model_id
    captioner.caption([Image.new("RGB", (32, 32))])


@pytest.mark.skipif(
    not hasattr(transformers.utils.logging, "set_tqdm_hook"),
    reason="this transformers tells nobody",
)
def test_reading_and_loading_are_counted(captioner, monkeypatch):
    monkeypatch.setattr(_watching, "_LARGE", 0)
    monkeypatch.setattr(_watching, "_MB", 1)
    with _watching.watching(ticks := Ticks()):
        use(captioner)
    folder = captioner._source.folder
    kinds = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")
    size = sum(file.stat().st_size for kind in kinds for file in folder.glob(kind))
    stages = ticks.stages()
    assert stages.pop("MB read") == size
    assert stages.pop("weights") > 10
    assert not stages


def test_a_small_model_is_here_before_anybody_wonders(captioner):
    with _watching.watching(ticks := Ticks()):
        use(captioner)
    assert not ticks.seen


def test_nobody_is_told_afterwards(captioner, monkeypatch):
    monkeypatch.setattr(_watching, "_LARGE", 0)
    with _watching.watching(ticks := Ticks()):
        pass
    use(captioner)
    assert not ticks.seen
    assert transformers.utils.logging.set_tqdm_hook(None) is None
