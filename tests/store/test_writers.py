"""Processes that write and read one store at once: nothing lost, doubled or torn."""

from __future__ import annotations

from crowd import SIZE, albums, run_crowd
from store_rows import make

from rememberai import MemoryStore


def test_readers_see_whole_appends_of_several_writers(tmp_path):
    make(tmp_path / "s")
    crowd = run_crowd(tmp_path / "s", writers=3, appends=8, readers=2)
    assert crowd.faults == []
    wanted = {f"writer-{i}-{number}" for i in range(3) for number in range(8)}
    assert set(crowd.acknowledged) == wanted
    store = MemoryStore.open(tmp_path / "s")
    assert albums(store) == dict.fromkeys(wanted, SIZE)
    assert len(set(store.read(["photo_id"])["photo_id"].to_pylist())) == len(store)
    for seen in crowd.seen:
        assert seen == sorted(seen)
        assert seen[-1] == len(wanted)
