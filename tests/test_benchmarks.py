"""The benchmarks run on small sizes, and keep a record for each repeat of each arm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMALL = {
    "search": "--n 2000 --queries 20 --repeats 1 --singles 2 --threads 1",
    "add_texts": "--synthetic --n 200 --repeats 1 --threads 1",
    "import_time": "",
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_run_keeps_its_records(name, tmp_path):
    command = [sys.executable, "-m", f"benchmarks.{name}", *SMALL[name].split()]
    done = subprocess.run(
        [*command, "--records", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len({json.dumps(record["arm"]) for record in records}) >= 2
    for record in records:
        assert record["name"] == name
        assert record["packages"]["rememberai"]
        assert record["figures"]
