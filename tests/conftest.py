"""Fixtures that every test may use."""

from __future__ import annotations

import os

# Two cores, shared: one thread each, set before any BLAS or OpenMP library is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import functools
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside a developer's checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder shared/data with real data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _on_the_cpu(request, monkeypatch):
    """Models stay on the CPU, whose answers are compared digit by digit, but in tests of a GPU."""
    torch = sys.modules.get("torch")
    if torch is not None and "gpu" not in request.path.name:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(scope="session")
def minilm():
    """The real default embedder, loaded once."""
    pytest.importorskip("sentence_transformers")
    from rememberai import SentenceEmbedder

    return SentenceEmbedder(offline=True)


@pytest.fixture(scope="session")
def trained_clip(tmp_path_factory) -> Path:
    """A tiny CLIP that tells drawn shapes and their colours."""
    towers = pytest.importorskip("towers")
    return towers.train_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory, minilm) -> Path:
    """A store with the sample album's year and its seeds, made by name; copy it to change it."""
    from rememberai import RememberAI, opening

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "load_embedder", lambda name, offline: minilm)
        book = RememberAI.create(tmp_path_factory.mktemp("sample") / "sample.memories")
    sample = Path(__file__).parent.parent / "examples" / "sample_album"
    book.add_folder(sample / "year")
    book.learn_events(sample / "seeds.jsonl")
    return book.store.path


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def shell(minilm, monkeypatch, capsys):
    """Run the command line in this process, where the default model is loaded only once."""
    from rememberai import cli, embedders, opening

    @functools.cache
    def load(name, *, offline=False):
        if name == "all-MiniLM-L6-v2":
            return minilm
        return embedders.load_embedder(name, offline=offline)

    def run(*arguments) -> Done:
        monkeypatch.setattr(sys, "argv", ["rememberai", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Done(ended.value.code, *capsys.readouterr())

    monkeypatch.setattr(opening, "load_embedder", load)
    monkeypatch.setenv("COLUMNS", "300")
    photos = logging.getLogger("rememberai.photos")
    level = photos.level
    yield run
    photos.setLevel(level)
