"""Search and k-means on a GPU against the CPU's answers.

Without a GPU a stand-in with the interface of FAISS's GPU index, on the CPU, shows what the library
does around it; what only a GPU shows is skipped.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
from oracle import exact_distances

from rememberai import VectorIndex
from rememberai.events.kmeans import kmeans
from rememberai.index import choice, gpu
from rememberai.index.knn import knn
from rememberai.index.snapshot import Snapshot

faiss = pytest.importorskip("faiss")

both = pytest.mark.parametrize("metric", ["cosine", "l2"])
needs_gpu = pytest.mark.skipif(not gpu.there(), reason="FAISS sees no GPU here")
N, DIMENSION = 12_000, 24
RNG = np.random.default_rng(5)
CENTERS = RNG.normal(size=(40, DIMENSION))
OF = RNG.integers(0, 40, N + 400)
POINTS = (CENTERS[OF] + 0.4 * RNG.normal(size=(N + 400, DIMENSION))).astype(np.float32)
BASE, QUERIES = POINTS[:N], POINTS[N:]


class StandIn:
    """FAISS's flat index with the interface of the one on the GPU, and its bounds."""

    def __init__(self, dimension: int, kind: int) -> None:
        self._flat = faiss.IndexFlat(dimension, kind)
        self.searches = 0

    ntotal = property(lambda self: self._flat.ntotal)

    def add(self, vectors):
        self._flat.add(vectors)

    def search(self, queries, k):
        assert k <= gpu.MOST
        self.searches += 1
        before = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = 1  # a GPU always takes products, which round
        try:
            return self._flat.search(queries, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = before


@pytest.fixture
def seen(monkeypatch):
    """A GPU that FAISS sees, or its stand-in."""
    if gpu.there():
        return
    kinds = {"cosine": faiss.METRIC_INNER_PRODUCT, "l2": faiss.METRIC_L2}
    monkeypatch.setattr(gpu, "there", lambda: True)
    monkeypatch.setattr(gpu, "_empty", lambda dimension, metric: StandIn(dimension, kinds[metric]))
    monkeypatch.setattr(gpu, "knn", faiss.knn)


def pair(metric, n=N):
    """The same index twice, on the GPU and on the CPU."""
    made = [VectorIndex(DIMENSION, metric=metric, kind="flat", device=d) for d in ("gpu", "cpu")]
    for index in made:
        index.add(np.arange(n), BASE[:n])
    return made


def agree(on_gpu, on_cpu, queries, k, **options):
    found, wanted = (index.search(queries, k, **options) for index in (on_gpu, on_cpu))
    np.testing.assert_allclose(found.distances, wanted.distances, atol=1e-5)
    assert found.ids.shape == wanted.ids.shape
    assert (found.ids == wanted.ids).mean() > 0.999


@both
@pytest.mark.parametrize("n_queries", [1, 400])
@pytest.mark.parametrize("k", [1, 10, gpu.MOST + 1])
def test_cpu_and_gpu_agree(seen, metric, n_queries, k):
    on_gpu, on_cpu = pair(metric)
    agree(on_gpu, on_cpu, QUERIES[:n_queries], k)
    assert "on the GPU" in on_gpu.explain()
    assert "GPU" not in on_cpu.explain()


@both
def test_they_agree_among_filtered_rows(seen, metric):
    on_gpu, on_cpu = pair(metric)
    for filter in (OF[:N] < 10, np.arange(0, N, 50)):
        agree(on_gpu, on_cpu, QUERIES, 10, filter=filter)


@both
def test_they_agree_when_rows_come_and_go(seen, metric):
    on_gpu, on_cpu = pair(metric, N - 2000)
    agree(on_gpu, on_cpu, QUERIES, 10)
    for index in (on_gpu, on_cpu):
        index.remove(np.arange(0, 1500))
        index.add(np.arange(N - 2000, N), BASE[N - 2000 :])
        index.upsert(np.arange(3000, 3100), QUERIES[:100])
    agree(on_gpu, on_cpu, QUERIES, 10)
    assert set(on_gpu.search(QUERIES[:100], 1).ids[:, 0]) == set(range(3000, 3100))
    for index in (on_gpu, on_cpu):
        index.remove(np.arange(0, 8000))  # so many that the others are moved together
    agree(on_gpu, on_cpu, QUERIES, 10)


def test_more_removed_rows_than_a_gpu_can_step_over(seen):
    on_gpu, on_cpu = pair("cosine")
    for index in (on_gpu, on_cpu):
        index.search(QUERIES, 1)
        index.remove(np.arange(gpu.MOST + 5))
    agree(on_gpu, on_cpu, QUERIES, 10)


def test_neighbours_that_rounding_hides_are_found(seen):
    shifted = BASE + np.float32(3000)
    index = VectorIndex(DIMENSION, metric="l2", device="gpu")
    index.add(np.arange(N), shifted)
    found = index.search(QUERIES[:50] + np.float32(3000), 5)
    exact = exact_distances(QUERIES[:50] + np.float32(3000), shifted, "l2")
    wanted = np.take_along_axis(exact, np.argpartition(exact, 4, axis=1)[:, :5], 1)
    np.testing.assert_allclose(found.distances, np.sort(wanted, axis=1), rtol=1e-5)
    gone = np.unique(found.ids[:, :2])
    index.remove(gone)
    exact[:, gone] = np.inf
    found = index.search(QUERIES[:50] + np.float32(3000), 5)
    assert not np.isin(found.ids, gone).any()
    wanted = np.sort(exact, axis=1)[:, :5]
    np.testing.assert_allclose(found.distances, wanted, rtol=1e-5)


def test_an_index_grows_behind_its_copy_until_it_is_copied_anew(seen):
    index = VectorIndex(DIMENSION, device="gpu")
    index.add(np.arange(N), BASE)
    index.search(QUERIES, 1)
    before = index._snapshot
    index.add(np.arange(N, N + 20_000), np.repeat(BASE, 2, axis=0)[:20_000])
    index.search(QUERIES, 1)
    assert (len(before.copy), len(index._snapshot.copy)) == (N, N + 20_000)
    assert before.nearest(QUERIES, 1, None, "gpu")[1].max() < N  # what began before goes on so


def test_a_copy_takes_no_change_back(seen, monkeypatch):
    index = VectorIndex(DIMENSION, device="gpu")
    index.add(np.arange(N - 1), BASE[: N - 1])
    lacks_copy = Snapshot.lacks_copy

    def changed(now):
        if len(index) == N - 1:
            index.add([N - 1], BASE[N - 1 :])  # as another thread would in this moment
        return lacks_copy(now)

    monkeypatch.setattr(Snapshot, "lacks_copy", changed)
    for _ in range(2):
        index.search(QUERIES, 1)
        assert len(index) == N
    assert index.search(BASE[N - 1 :], 1).ids.tolist() == [[N - 1]]


def test_where_the_gpu_has_no_room_the_cpu_searches(seen, monkeypatch, caplog):
    def full(dimension, metric):
        index = StandIn(dimension, faiss.METRIC_INNER_PRODUCT)
        index.add = lambda _: faiss.ParameterSpace().set_index_parameter(index._flat, "no", 1)
        return index

    monkeypatch.setattr(gpu, "_empty", full)
    on_gpu, on_cpu = pair("cosine")
    with caplog.at_level(logging.WARNING):
        agree(on_gpu, on_cpu, QUERIES, 10)
    assert "no room for 12,000 vectors; the CPU" in caplog.text
    assert "GPU" not in on_gpu.explain()


def test_a_gpu_compares_what_pays_for_the_trip():
    assert gpu.worth_a_trip(1000, 100_000, 384)
    assert gpu.worth_a_trip(100_000, 100, 384)  # k-means
    assert not gpu.worth_a_trip(10, 1_000_000, 384)
    assert not gpu.worth_a_trip(100, 1000, 384)


def test_on_a_gpu_a_larger_index_is_flat():
    wanted = [("cpu", "ivf"), ("gpu", "flat")]
    found = [choice.choose("auto", None, 10**6, 384, 2**34, device).kind for device, _ in wanted]
    assert found == [kind for _, kind in wanted]
    assert choice.choose("auto", None, 10**7, 384, 2**38, "gpu").kind == "ivf"


@both
def test_many_vectors_travel_to_a_gpu(seen, metric):
    queries, base = np.repeat(QUERIES, 2, axis=0), np.ascontiguousarray(BASE)
    assert gpu.worth_a_trip(len(queries), len(base), DIMENSION)
    found, wanted = (knn(queries, base, 10, metric, device=device) for device in (None, "cpu"))
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-5)
    assert (found[1] == wanted[1]).mean() > 0.999


@needs_gpu
@both
def test_k_means_on_the_gpu_agrees_with_the_cpu(monkeypatch, metric):
    rng = np.random.default_rng(8)
    points = rng.normal(size=(20_000, 64)).astype(np.float32)
    points[:, :8] += 3 * rng.integers(-2, 3, (20_000, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert gpu.worth_a_trip(20_000, 200, 64)
    options = {"metric": metric, "n_init": 1, "max_iter": 10, "random_state": 0}
    results = [kmeans(points, 200, **options), kmeans(points, 200, **options)]
    monkeypatch.setattr(gpu, "there", lambda: False)
    results.append(kmeans(points, 200, **options))
    inertias = [float(((points - c[of]) ** 2).sum()) for c, of in results]
    assert inertias[0] == inertias[1]  # the same again
    assert inertias[0] == pytest.approx(inertias[2], rel=1e-3)
