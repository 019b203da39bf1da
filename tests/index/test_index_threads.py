"""Searches beside changes: each sees the index before a change or after it, never in between."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from rememberai import VectorIndex
from rememberai.index import saving

pytest.importorskip("faiss")

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

N, STEP, DIMENSION = 9000, 300, 16


@pytest.mark.parametrize(("kind", "quantizer"), [("flat", None), ("ivf", "sq8")])
def test_searchers_see_whole_changes(kind, quantizer):
    # Each step adds one vector to each of the groups, all equal within a group; a search for a
    # group therefore finds the same number of members in every group, and only of ids there.
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(STEP, DIMENSION))
    index = VectorIndex(DIMENSION, metric="l2", kind=kind, quantizer=quantizer)
    index.add(np.arange(N), np.tile(groups, (N // STEP, 1)))
    done, wrong, searches = threading.Event(), [], [0]

    def search() -> None:
        queries = groups[:: STEP // 4]
        while not done.is_set():
            for filter in (None, np.arange(0, 10**6, STEP)):
                sizes = {
                    len(near) for near, _ in index.search_within(queries[:2], 1e-3, filter=filter)
                }
                if filter is None and len(sizes) != 1:
                    wrong.append(sizes)
            found = index.search(queries, 5)
            if (found.distances > 1e-3).any() or (
                found.ids % STEP != [[i * STEP // 4] for i in range(len(queries))]
            ).any():
                wrong.append(found)
            searches[0] += 1

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for step in range(N // STEP, N // STEP + 12):
        index.upsert(step * STEP + np.arange(STEP), groups)
        if step % 3 == 0:
            index.remove((step - 25) * STEP + np.arange(STEP))
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert searches[0] > 0


@pytest.fixture
def restless():
    """Threads take turns in the midst of what they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_changes_from_several_threads_are_all_made():
    index = VectorIndex(DIMENSION)
    vectors = np.random.default_rng(0).normal(size=(50, DIMENSION))

    def add(first: int) -> None:
        for i in range(20):
            index.add(first + 50 * i + np.arange(50), vectors)

    threads = [threading.Thread(target=add, args=(10_000 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(index) == len(set(index.ids.tolist())) == 4000


def test_a_change_waits_for_a_save(tmp_path, monkeypatch):
    index = VectorIndex(DIMENSION)
    index.add(np.arange(100), np.random.default_rng(0).normal(size=(100, DIMENSION)))
    change = threading.Thread(target=index.remove, args=[range(60)])  # so many that rows move
    save = saving.save

    def saved_slowly(*given):
        monkeypatch.undo()
        change.start()
        change.join(0.2)
        return save(*given)

    monkeypatch.setattr(saving, "save", saved_slowly)
    index.save(tmp_path)
    change.join()
    index.save(tmp_path)
    loaded = VectorIndex.load(tmp_path)
    assert loaded.ids.tolist() == index.ids.tolist() == list(range(60, 100))
    np.testing.assert_array_equal(loaded.reconstruct(loaded.ids), index.reconstruct(index.ids))


def test_an_index_is_saved_whole_while_others_change_and_load_it(tmp_path):
    index = VectorIndex(DIMENSION, metric="l2")
    groups = np.random.default_rng(0).normal(size=(STEP, DIMENSION))
    index.add(np.arange(STEP), groups)
    index.save(tmp_path)
    done, wrong = threading.Event(), []

    def load() -> None:
        while not done.is_set():
            loaded = VectorIndex.load(tmp_path)
            sizes = {len(near) for near, _ in loaded.search_within(groups[:9], 1e-3)}
            if len(sizes) != 1:
                wrong.append(sizes)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(1, 25):
        index.add(step * STEP + np.arange(STEP), groups)
        index.save(tmp_path)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(VectorIndex.load(tmp_path)) == 25 * STEP
