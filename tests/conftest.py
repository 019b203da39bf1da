"""Fixtures that every test may use."""

from __future__ import annotations

import os

# Two cores, shared: one thread each, set before any BLAS or OpenMP library is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside a developer's checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder shared/data with real data is not beside this checkout")
    return SHARED_DATA
