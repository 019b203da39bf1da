"""What the pages find when they are followed: the sample album, its store, and a hub's cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from doc_blocks import ROOT
from doc_runs import MIA, Follower
from makers import picture

SAMPLE = ROOT / "examples" / "sample_album"


@pytest.fixture(scope="session")
def hub_cache(tmp_path_factory, trained_clip):
    """A Hugging Face cache that holds tiny models under the names that the pages call."""
    import tiny_captioners as tiny

    cache, made = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("models")
    tiny.torch.manual_seed(0)
    model, images = tiny.blip()
    blip = tiny.Checkpoint("blip", model, tiny.word_tokenizer(), images, made / "tiny-blip")
    blip.save()
    model, tokenizer, processor, files = tiny.PROCESSED["smolvlm"]()
    smol = tiny.Checkpoint("smolvlm", model, tokenizer, processor, made / "tiny-smolvlm", files)
    smol.save()
    for name, folder in {
        "Salesforce/blip-image-captioning-base": blip.folder,
        "Salesforce/blip-image-captioning-large": blip.folder,
        "HuggingFaceTB/SmolVLM-256M-Instruct": smol.folder,
        "openai/clip-vit-base-patch32": trained_clip,
    }.items():
        _hub_entry(cache, name, folder)
    return cache


@pytest.fixture
def home(tmp_path, monkeypatch, hub_cache):
    """Where a page is followed: a home with the sample album, and nothing that was kept before."""
    from huggingface_hub import constants

    shutil.copytree(SAMPLE, tmp_path / "examples" / "sample_album")
    snow = SAMPLE / "year" / "2024-02-10_snow"
    shutil.copytree(snow, tmp_path / "Takeout" / "Google Photos" / "Snow")
    picture(tmp_path / "Pictures" / "Summer 2024" / "sea.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(MIA))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub_cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def follower(home, shell, sample_store):
    shutil.copytree(sample_store, home / "family.memories")  # with the sample album's year
    return Follower(shell, home)


def _hub_entry(cache: Path, name: str, model: Path) -> None:
    """Put a model's folder into a Hugging Face cache under the name that the hub has it by."""
    entry, commit = cache / f"models--{name.replace('/', '--')}", "0" * 40
    shutil.copytree(model, entry / "snapshots" / commit)
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(commit)
