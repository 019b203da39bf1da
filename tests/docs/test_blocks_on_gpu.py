"""The page about GPUs, followed for real where there is one, and where there is none."""

from __future__ import annotations

import shutil

import pytest
from doc_blocks import ROOT, blocks_of

from rememberai.errors import InputError

torch = pytest.importorskip("torch")
PAGE = ROOT / "docs" / "howto" / "gpu.md"


def test_blocks_run(follower, sample_store):
    """Without a GPU the block that names one ends with the error that the page announces."""
    (named,) = [block for block in blocks_of(PAGE) if "cuda:0" in block.code]
    for block in blocks_of(PAGE):
        store = follower.home / "family.memories"
        shutil.rmtree(store)
        shutil.copytree(sample_store, store)  # in which photos wait
        if block == named and not torch.cuda.is_available():
            with pytest.raises(InputError, match=r"the device 'cuda:0' can't be used"):
                follower.run(block)
        else:
            follower.run(block)
