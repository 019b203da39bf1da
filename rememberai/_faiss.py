"""The one place that imports FAISS: the BLAS kernel suits the CPU, and idle threads soon sleep.

The faiss-cpu wheel brings an OpenBLAS that takes Intel CPUs newer than itself for a Prescott and
falls back to its slowest kernel. ``OPENBLAS_CORETYPE``, read once when that library is loaded,
names a better one. From 1.15 on FAISS also leaves fewer than 128,000 values of queries to loops of
its own, which take up to fifteen times as long as products of matrices; here it takes those from
six queries of 384 dimensions on, with as many rows at once as suit the threads: the products of
1,024, which FAISS takes, no longer fit in one core's cache, and several threads wait for each other
after so few. ``REMEMBERAI_BLAS_FIX=0`` turns all of this off.

It also brings an OpenMP whose threads go on spinning for milliseconds after each piece of work, on
the cores that NumPy's threads, torch's and other programs need. ``GOMP_SPINCOUNT``, read once as
well, lets them sleep after a thirtieth of that. All this holds for the whole process, and a
variable that the user has set is left alone.

A process that is forked afterwards has none of these threads, and would wait for them for good, so
FAISS runs on one thread there.
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

from rememberai._optional import require

PRODUCTS_FROM = 2048  # values of queries, so that one alone seldom has as many
_ROWS_OF_ONE, _ROWS_OF_MANY, _MOST_ROWS = 512, 1024, 4096  # at once, on one thread and per thread
_log = logging.getLogger(__name__)
_CORETYPE = "OPENBLAS_CORETYPE"
_WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
_FIX = "REMEMBERAI_BLAS_FIX"
_FIRST = threading.Lock()  # the environment is the process's, so one thread sets it at a time
_SPINS = "10000"  # enough to be there for the next piece of work; by itself it spins 300,000 times


def import_faiss() -> Any:
    """Import FAISS.

    Raises
    ------
    MissingExtraError
        Neither faiss-cpu nor faiss-gpu is installed.
    """
    with _FIRST:
        return _imported()


@functools.cache
def _imported() -> Any:
    import numpy as np  # noqa: F401  loaded first: NumPy's own OpenBLAS must not see the variable

    settings = {} if "faiss" in sys.modules else _settings()
    os.environ.update(settings)
    try:
        faiss = require("faiss")
    finally:
        for name in settings:
            del os.environ[name]
    if os.environ.get(_FIX) != "0":
        few = faiss.cvar.distance_compute_blas_threshold  # until 1.14 a number of queries, 20
        faiss.cvar.distance_compute_blas_threshold = min(few, PRODUCTS_FROM)
        threads = faiss.omp_get_max_threads()
        rows = _ROWS_OF_ONE if threads == 1 else min(threads * _ROWS_OF_MANY, _MOST_ROWS)
        faiss.cvar.distance_compute_blas_database_bs = rows
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=functools.partial(faiss.omp_set_num_threads, 1))
    _log.info("FAISS loaded with %s", settings)
    return faiss


def _settings() -> dict[str, str]:
    """Choose what FAISS's libraries shall find in the environment."""
    settings = {}
    if not any(name in os.environ for name in _WAITING):
        settings[_WAITING[0]] = _SPINS
    core = _better_core()
    if core is not None:
        settings[_CORETYPE] = core
    return settings


def _better_core() -> str | None:
    if os.environ.get(_FIX) == "0" or _CORETYPE in os.environ:
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
