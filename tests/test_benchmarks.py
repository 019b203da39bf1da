"""The benchmarks run on small sizes, and keep a record for each repeat of each arm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMALL = {
    "search": "--n 2000 --queries 20 --repeats 1 --singles 2 --threads 1",
    "add_texts": "--synthetic --n 200 --repeats 1 --threads 1",
    "events_speed": "--n 4000 --k 8 --iterations 5 --events 8 --photos 500 --repeats 1 --threads 1",
    "captioning": "--small --n 8 --side 200 --repeats 1 --threads 1 --many 50",
    "gpu": "--small --n 3000 --queries 20 --singles 2 --points 2000 --graph 300 --texts 20"
    " --pictures 4 --photos 4 --side 100 --repeats 1 --clusters 10",
    "import_time": "--repeats 1",
    "store_rows": "--n 2000 --n-open 2000 --repeats 1",
    "index_kinds": "--n 20000 --queries 200 --clusters 100 --repeats 1 --singles 20 --threads 1",
    "index_filters": "--n 50000 --queries 20 --clusters 1000 --repeats 1 --singles 5 --threads 1",
    "memory": "--n 200 --n-model 100",
    "durability": "--kills 2 --losses 2 --writers 2 --appends 3 --readers 1",
    "image_features": "--synthetic --n 8 --repeats 1 --threads 1",
    "peers": "--n 500 --queries 5 --filtered 3 --systems RememberAI usearch",
}


WITH_DATA = {
    "events_memex": "--splits 1",
    "events": "--tasks unknown shuffles --encoders MiniLM --splits 1 --unknown-splits 2 "
    "--shuffles 1 --most-texts 300",
    "decode": "--pictures 1 --repeats 1",
    "event_map": "--n 500 --repeats 1 --most-texts 300",
    "near_duplicates": "--photos 8 --splits 1",
    "text_speed": "--n 60 --repeats 1 --splits 1 --most-texts 300 --threads 1",
    "text_to_photo": "",
    "fused_events": "--captions 1 --halves 1",
}
RUN = {*SMALL, *WITH_DATA, "report", "table"}


@pytest.mark.parametrize("name", WITH_DATA)
def test_a_small_run_with_real_data_keeps_its_records(name, shared_data, tmp_path):
    judge(name, f"--data {shared_data} {WITH_DATA[name]}", tmp_path)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_run_keeps_its_records(name, tmp_path):
    judge(name, SMALL[name], tmp_path)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium is installed here")
def test_a_small_run_of_the_report_keeps_its_records(tmp_path):
    pytest.importorskip("playwright")
    judge("report", "--n 15 --n-map 300 --pictures 3 --frames 6 --repeats 1", tmp_path)


def test_the_tables_are_those_of_the_records(tmp_path):
    page = ROOT / "docs" / "benchmarks.md"
    copy = shutil.copyfile(page, tmp_path / page.name)
    command = [sys.executable, "-m", "benchmarks.table", "--page", str(copy)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert copy.read_text("utf-8") == page.read_text("utf-8")


def judge(name, options, tmp_path):
    command = [sys.executable, "-m", f"benchmarks.{name}", *options.split()]
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


def test_the_page_tells_how_each_benchmark_is_run():
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    told = dict(re.findall(r"^python -m benchmarks\.(\w+)([^#\n]*)", page, re.MULTILINE))
    files = {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert files - {"peers"} <= set(told) <= files
    for name, options in told.items():
        code = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert all(f'"{option}"' in code for option in re.findall(r"--\w+", options)), name
