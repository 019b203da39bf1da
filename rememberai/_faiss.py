"""The one place that imports FAISS, with the BLAS kernel that suits the CPU.

The faiss-cpu wheel brings an OpenBLAS that takes Intel CPUs newer than itself for a Prescott and
falls back to its slowest kernel. ``OPENBLAS_CORETYPE``, read once when that library is loaded,
names a better one. The choice is made for the whole process; ``REMEMBERAI_BLAS_FIX=0`` turns it
off, and a value that the user has set is left alone.
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rememberai._optional import require

_log = logging.getLogger(__name__)
_CORETYPE = "OPENBLAS_CORETYPE"


@functools.cache
def import_faiss() -> Any:
    """Import FAISS.

    Raises
    ------
    MissingExtraError
        Neither faiss-cpu nor faiss-gpu is installed.
    """
    import numpy as np  # noqa: F401  loaded first: NumPy's own OpenBLAS must not see the variable

    core = None if "faiss" in sys.modules else _better_core()
    if core is None:
        return require("faiss")
    os.environ[_CORETYPE] = core
    try:
        faiss = require("faiss")
    finally:
        del os.environ[_CORETYPE]
    _log.info("FAISS loaded with %s=%s (REMEMBERAI_BLAS_FIX=0 turns this off)", _CORETYPE, core)
    return faiss


def _better_core() -> str | None:
    if os.environ.get("REMEMBERAI_BLAS_FIX") == "0" or _CORETYPE in os.environ:
        return None
    if platform.machine() not in {"x86_64", "AMD64"} or not sys.platform.startswith("linux"):
        return None
    return core_for(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"))


def core_for(cpuinfo: str) -> str | None:
    """Name the OpenBLAS kernel for a CPU, or None where the bundled library finds it by itself.

    Parameters
    ----------
    cpuinfo
        Text in the form of Linux's ``/proc/cpuinfo``.
    """
    pairs = (line.partition(":") for line in cpuinfo.split("\n\n", 1)[0].splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    if fields.get("vendor_id") != "GenuineIntel":
        return None
    flags = set(fields.get("flags", "").split())
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        return "SkylakeX"
    return "Haswell" if {"avx2", "fma"} <= flags else None
