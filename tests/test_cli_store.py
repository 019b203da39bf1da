"""The commands that look after a store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rememberai import MemoryStore, RememberAI
from rememberai.store.schema import to_table

pytest.importorskip("faiss")
pytest.importorskip("lance")


@pytest.fixture
def store(sample_store, tmp_path):
    """A copy of the sample store, free to change."""
    return shutil.copytree(sample_store, tmp_path / "my.memories")


def photos(shell, store) -> int:
    return json.loads(shell("info", store, "--json").out)["photos"]


def test_search_among_some(shell, store):
    where = "taken < timestamp '2024-04-01'"
    hits = json.loads(shell("search", store, "a party", "--where", where, "--json").out)
    early = set(RememberAI.open(store).store.read([], where=where)["photo_id"].to_pylist())
    assert hits
    assert {hit["photo_id"] for hit in hits} <= early


def test_a_condition_that_nothing_satisfies_is_said_so(shell, store):
    done = shell("search", store, "a party", "--where", "album = 'nowhere'")
    assert (done.status, done.out.strip()) == (0, "nothing found: no photo fits the condition")


def test_a_condition_that_cannot_be_read(shell, store):
    done = shell("search", store, "a party", "--where", "colour = 'red'")
    assert done.status == 1
    assert done.err.startswith("Error: ")
    assert "colour = 'red'" in done.err
    assert "taken_confidence" in done.err  # the columns that there are


def test_check_names_a_flaw_and_mends_it(shell, store):
    shell("search", store, "a party")
    done = shell("check", store)
    assert (done.status, done.out.splitlines()[-1]) == (0, "all is sound")
    (vectors,) = (store / "index").glob("*.rows")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    done = shell("check", store)
    assert done.status == 3
    assert vectors.name in done.out
    assert done.out.splitlines()[-1] == "1 flaw; `rememberai check --repair` mends 1"
    rows = json.loads(shell("check", store, "--repair", "--json").out)["outcomes"]
    assert {row["status"] for row in rows} == {"done"}
    assert shell("check", store).status == 0


def test_right_after_ctrl_c_the_store_is_whole(shell, store):
    MemoryStore.open(store).append(
        to_table([{"photo_id": "wordless"}], np.empty((0, 384), np.float32))
    )
    compacting = (
        "import os, signal, sys; from rememberai.store import MemoryStore; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "MemoryStore.open(sys.argv[1]).compact(progress=lambda stage, *_: "
        "stage == 'publishing' and os.kill(os.getpid(), signal.SIGINT))"
    )
    done = subprocess.run([sys.executable, "-c", compacting, store], capture_output=True)
    assert b"KeyboardInterrupt" in done.stderr
    checked = shell("check", store)
    assert "not published" in checked.out
    assert (checked.status, checked.out.splitlines()[-1]) == (0, "all is sound")
    assert photos(shell, store) == 68


def test_check_of_what_is_no_store(shell, tmp_path):
    done = shell("check", tmp_path / "nothing")
    assert done.status == 1
    assert "nothing" in done.out


def test_a_store_goes_through_parquet(shell, store, tmp_path):
    file = tmp_path / "photos.parquet"
    assert "67 photos were written" in shell("export", store, file).out
    other = tmp_path / "other.memories"
    RememberAI.create(other, offline=True)
    assert "67 photos were added" in shell("import", other, file).out
    assert shell("import", other, file).out.startswith("0 photos were added")
    assert shell("export", store, file).status == 2  # never replaced by mistake
    assert shell("export", store, file, "--force").status == 0
    assert photos(shell, other) == photos(shell, store) == 67
    first, second = (
        json.loads(shell("search", one, "a party", "--json").out) for one in (store, other)
    )
    assert first == second


def test_a_file_that_is_no_export(shell, store, tmp_path):
    (tmp_path / "x.parquet").write_text("nothing")
    done = shell("import", store, tmp_path / "x.parquet")
    assert (done.status, "can't be read as a Parquet file" in done.err) == (1, True)


def test_compact_keeps_every_photo(shell, store):
    before = json.loads(shell("search", store, "a party", "-k", "60", "--json").out)
    assert "MB were freed" in shell("compact", store).out
    assert photos(shell, store) == 67
    assert json.loads(shell("search", store, "a party", "-k", "60", "--json").out) == before


def test_reembed_goes_over_to_another_model(shell, store):
    before = json.loads(shell("info", store, "--json").out)
    done = shell("reembed", store, "use-multilingual", "--offline")
    assert done.status == 0
    assert "49 photos were embedded" in done.out
    info = json.loads(shell("info", store, "--json").out)
    assert (info["dimension"], before["dimension"]) == (512, 384)
    assert set(info["models"]) == {before["model_id"], info["model_id"]}
    assert before["model_id"] in shell("info", store).out
    hits = json.loads(shell("search", store, "생일 케이크의 촛불", "-k", "3", "--json").out)
    assert any("candle" in hit["text"].lower() or "cake" in hit["text"].lower() for hit in hits)
    assert photos(shell, store) == 67
