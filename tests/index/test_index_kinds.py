"""Every kind of index against exact NumPy, with and without a filter, and what is chosen when."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pytest
from oracle import exact_distances

from rememberai import VectorIndex
from rememberai._faiss import import_faiss
from rememberai.errors import InputError
from rememberai.index import choice, gpu, searching
from rememberai.index.rows import Rows
from rememberai.index.sketch import Sketch
from rememberai.index.snapshot import Snapshot

faiss = pytest.importorskip("faiss")

KINDS = [(kind, quantizer) for kind, all_ in choice.OFFERED.items() for quantizer in all_]
every_kind = pytest.mark.parametrize(("kind", "quantizer"), KINDS)
both = pytest.mark.parametrize("metric", ["cosine", "l2"])
N, DIMENSION, CLUSTERS = 12_000, 32, 60


def mixture(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors in clusters, and the cluster of each; other seeds draw from the same clusters."""
    centers = np.random.default_rng(99).normal(size=(CLUSTERS, DIMENSION))
    rng = np.random.default_rng(seed)
    of = rng.integers(0, CLUSTERS, n)
    return (centers[of] + 0.5 * rng.normal(size=(n, DIMENSION))).astype(np.float32), of


BASE, OF = mixture(N, 0)
QUERIES, QUERY_OF = mixture(60, 1)
EXACT = {metric: exact_distances(QUERIES, BASE, metric) for metric in ("cosine", "l2")}


@pytest.fixture(scope="module")
def index_of():
    built = {}

    def get(metric, kind, quantizer) -> VectorIndex:
        if (metric, kind, quantizer) not in built:
            index = VectorIndex(DIMENSION, metric=metric, kind=kind, quantizer=quantizer)
            index.add(np.arange(N), BASE)
            built[metric, kind, quantizer] = index
        return built[metric, kind, quantizer]

    return get


def recall(found: np.ndarray, exact: np.ndarray, k: int) -> float:
    """The share of the answers that are as near as the k-th true neighbour."""
    limit = np.sort(exact, axis=1)[:, k - 1 : k] + 1e-5
    return float((np.take_along_axis(exact, found, 1) <= limit).mean())


@every_kind
@both
def test_neighbours_and_their_distances(index_of, metric, kind, quantizer):
    index = index_of(metric, kind, quantizer)
    assert (kind != "flat") == (index._used().lists is not None)
    for queries in (slice(0, 1), slice(None)):
        found = index.search(QUERIES[queries], 10)
        exact = EXACT[metric][queries]
        np.testing.assert_allclose(
            found.distances, np.take_along_axis(exact, found.ids, 1), atol=1e-4
        )
        assert (np.diff(found.distances, axis=1) >= 0).all()
        assert (np.diff(np.sort(found.ids, axis=1), axis=1) > 0).all()  # distinct
        assert recall(found.ids, exact, 10) >= (1 if kind == "flat" else 0.95)


@every_kind
@both
def test_a_stored_vector_finds_itself_at_0(index_of, metric, kind, quantizer):
    found = index_of(metric, kind, quantizer).search(BASE[:300], 3)
    assert (found.distances[:, 0] == 0).mean() >= (1 if kind != "hnsw" else 0.99)
    assert (found.ids[:, 0] == np.arange(300)).mean() >= (1 if kind != "hnsw" else 0.99)


@every_kind
def test_more_than_lists_can_give_is_given(index_of, kind, quantizer):
    index = index_of("l2", kind, quantizer)
    found = index.search(QUERIES[:2], N + 5)
    assert (np.sort(found.ids, axis=1) == np.arange(N)).all()
    np.testing.assert_allclose(found.distances, np.sort(EXACT["l2"][:2], axis=1), atol=1e-4)


@every_kind
@both
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02, 0.005, 0.001])
@pytest.mark.parametrize("follows", ["chance", "clusters", "other clusters"])
def test_a_filter_is_answered_exactly(index_of, metric, kind, quantizer, share, follows):
    rng = np.random.default_rng(3)
    if follows == "chance":
        mask = rng.random(N) < share
    else:  # whole clusters, with those of the queries or without them
        order = rng.permutation(CLUSTERS)
        own = np.isin(order, QUERY_OF[:5])
        order = np.concatenate([order[own], order[~own]] if follows == "clusters" else
                               [order[~own], order[own]])  # fmt: skip
        mask = np.isin(OF, order[: max(1, int(share * CLUSTERS))])
    index = index_of(metric, kind, quantizer)
    for n_queries in (1, 5):
        queries = QUERIES[:n_queries]
        found = index.search(queries, 10, filter=mask)
        assert mask[found.ids].all()
        exact = EXACT[metric][:n_queries][:, mask]
        k = min(10, mask.sum())
        np.testing.assert_allclose(found.distances, np.sort(exact, axis=1)[:, :k], atol=1e-4)
        by_ids = index.search(queries, 10, filter=np.flatnonzero(mask))
        np.testing.assert_array_equal(by_ids.ids, found.ids)


@every_kind
def test_what_was_removed_is_never_found(kind, quantizer):
    index = VectorIndex(DIMENSION, metric="l2", kind=kind, quantizer=quantizer)
    index.add(np.arange(N), BASE)
    nearest = np.argsort(EXACT["l2"], axis=1)[:, :30]
    index.remove(nearest.ravel())
    assert index._snapshot.n_dead  # marked, not moved together yet
    found = index.search(QUERIES, 10)
    assert not np.isin(found.ids, nearest).any()
    left = np.setdiff1d(np.arange(N), nearest)
    np.testing.assert_array_equal(index.ids, left)
    exact = EXACT["l2"].copy()
    exact[:, nearest.ravel()] = np.inf
    assert recall(found.ids, exact, 10) >= (1 if kind == "flat" else 0.95)
    index.remove(left[: N // 2])
    assert not index._snapshot.n_dead
    exact[:, left[: N // 2]] = np.inf
    assert recall(index.search(QUERIES, 10).ids, exact, 10) >= (1 if kind == "flat" else 0.95)


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize(("kind", "quantizer"), [("flat", None), ("ivf", "sq8"), ("hnsw", None)])
def test_a_search_goes_on_in_the_index_that_it_began_in(kind, quantizer, removed):
    index = VectorIndex(DIMENSION, metric="l2", kind=kind, quantizer=quantizer)
    index.add(np.arange(9000), BASE[:9000])
    sketched(index, QUERIES[0])
    index.remove([0] if removed else [])
    before = index._used()  # which a search would take, and then another thread goes on
    nearest = np.argsort(EXACT["l2"][:, 1:9000], axis=1)[:, :9] + 1
    index.remove(nearest.ravel())
    index.add(np.arange(9000, 27_000), np.repeat(QUERIES[:1], 18_000, 0))  # so all grow
    queries = np.ascontiguousarray(QUERIES[:1])
    for allowed in (before.allowed(None), before.allowed(np.ones(len(before), bool))):
        found = before.nearest(queries, 9, allowed, "cpu")[1]
        assert (found == nearest[:1]).mean() > (0.8 if kind == "hnsw" else 0.99)
    assert len(before) == 9000 - removed
    for made in (before.sketch, before.lists):  # FAISS must not add where another thread reads
        assert made is None or len(made) == 9000
    assert kind != "flat" or before.sketch is not None
    assert index.search(queries, 1).distances.tolist() == [[0]]


@every_kind
def test_many_queries_and_few_agree(index_of, kind, quantizer):
    index = index_of("l2", kind, quantizer)
    together = index.search(np.repeat(QUERIES, 60, axis=0), 5)
    alone = [index.search(query[None], 5).ids[0] for query in QUERIES]
    np.testing.assert_array_equal(together.ids[::60], alone)


@every_kind
def test_threads_change_nothing(kind, quantizer):
    threads = faiss.omp_get_max_threads()
    found = []
    try:
        for n in (1, 2):
            import_faiss().omp_set_num_threads(n)
            index = VectorIndex(DIMENSION, kind=kind, quantizer=quantizer)
            index.add(np.arange(6000), BASE[:6000])
            found.append(index.search(QUERIES, 20))
    finally:
        faiss.omp_set_num_threads(threads)
    np.testing.assert_array_equal(found[0].ids, found[1].ids)
    np.testing.assert_array_equal(found[0].distances, found[1].distances)


@pytest.mark.parametrize("quantizer", choice.OFFERED["ivf"])
def test_lists_are_made_anew_when_the_rows_no_longer_fit_them(quantizer):
    index = VectorIndex(DIMENSION, metric="l2", kind="ivf", quantizer=quantizer)
    index.add(np.arange(5000), BASE[:5000])
    first = index._used().lists
    strange = 30 + mixture(17_000, 5)[0]
    for start in range(0, 17_000, 8_500):  # the first wait behind the lists
        index.add(5000 + start + np.arange(8_500), strange[start : start + 8_500])
        if not start:
            assert index._used().lists is first
            assert index.search(strange[:1], 1).ids.tolist() == [[5000]]
    assert index._used().lists.trained_on == 22_000
    found = index.search(strange[:200], 10)
    exact = exact_distances(strange[:200], np.concatenate([BASE[:5000], strange]), "l2")
    assert recall(found.ids, exact, 10) > 0.9


@pytest.mark.parametrize(
    ("n", "more", "shift", "trained_on"),
    [
        (12_000, 17_000, 0, 12_000),
        (12_000, 17_000, 30, 29_000),  # most of them in few lists
        (5_000, 17_000, 0, 22_000),  # more than four times as many
    ],
    ids=["alike", "elsewhere", "many"],
)
def test_either_of_two_reasons_makes_lists_anew(n, more, shift, trained_on):
    index = VectorIndex(DIMENSION, metric="l2", kind="ivf")
    index.add(np.arange(n), mixture(n, 0)[0])
    assert index._used().lists.trained_on == n
    index.add(np.arange(n, n + more), shift + mixture(more, 5)[0])
    assert (len(index._used().lists), index._used().lists.trained_on) == (n + more, trained_on)


def test_rows_that_fit_are_taken_into_the_lists_as_they_are():
    base, _ = mixture(30_000, 2)
    index = VectorIndex(DIMENSION, metric="l2", kind="ivf", quantizer="sq8")
    index.add(np.arange(12_000), base[:12_000])
    assert index.explain().startswith("ivf with sq8")
    index.add(np.arange(12_000, 30_000), base[12_000:])
    assert (len(index._used().lists), index._used().lists.trained_on) == (30_000, 12_000)
    found = index.search(QUERIES, 10)
    assert recall(found.ids, exact_distances(QUERIES, base, "l2"), 10) > 0.95


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
@pytest.mark.parametrize("scale", [-1, 5])
def test_rows_beyond_the_range_of_the_bytes_are_found_too(kind, scale):
    random = np.random.default_rng(0)
    base = np.abs(random.normal(size=(27_000, 16))).astype(np.float32)
    base[10_000:] *= scale
    index = VectorIndex(16, metric="l2", kind=kind, quantizer="sq8")
    index.add(np.arange(10_000), base[:10_000])
    assert index.explain().startswith(f"{kind} with sq8")
    index.add(np.arange(10_000, 27_000), base[10_000:])
    exact = exact_distances(base[-100:], base, "l2")
    assert recall(index.search(base[-100:], 10).ids, exact, 10) > 0.95


def sketched(index: VectorIndex, query: np.ndarray) -> None:
    """Ask until a sketch is worth it."""
    for _ in range(choice.SKETCH_AFTER + 1):
        index.search([query], 1)


def test_a_sketch_is_made_once_enough_single_queries_want_it():
    base = np.random.default_rng(0).normal(size=(9000, 32)).astype(np.float32)
    index = VectorIndex(32)
    index.add(np.arange(9000), base)
    for _ in range(choice.SKETCH_AFTER + 1):
        index.search(np.tile(base[:1], (64, 1)), 1)  # a batch is a product, and needs none
    assert "sketch" not in index.explain()
    for _ in range(choice.SKETCH_AFTER):
        index.search(base[:1], 300)  # nor do so many neighbours
        index.search(base[:1], 1)
    before = index.search(base[:1], 20)
    assert "sketch" in index.explain()
    after = index.search(base[:1], 20)
    assert (after.ids.tolist(), after.distances.tolist()) == (
        before.ids.tolist(),
        before.distances.tolist(),
    )
    index.add(np.arange(9000, 27_000), np.tile(base, (2, 1)))
    assert len(index._used().sketch) == 27_000  # from now on it is kept up


def test_filters_whose_rows_are_copied_make_a_sketch_sooner():
    base = np.random.default_rng(0).normal(size=(9000, 32)).astype(np.float32)
    half = np.arange(9000) % 2 == 0
    index = VectorIndex(32)
    index.add(np.arange(9000), base)
    before = index.search(base[:1], 20, filter=half)
    assert "sketch" not in index.explain()
    for _ in range(choice.SKETCH_AFTER // 3):
        index.search(base[:1], 20, filter=half)
    assert "sketch" in index.explain()
    after = index.search(base[:1], 20, filter=half)
    assert after.ids.tolist() == before.ids.tolist()


def test_nobody_waits_for_a_change_to_make_a_sketch():
    index = VectorIndex(32)
    index.add(np.arange(9000), np.random.default_rng(0).normal(size=(9000, 32)))
    index.search([np.ones(32)], 1)
    sketched_meanwhile = threading.Event()

    def ask() -> None:
        sketched(index, np.ones(32))
        sketched_meanwhile.set()

    with index._changes:  # as a thread that adds many
        asker = threading.Thread(target=ask)
        asker.start()
        assert sketched_meanwhile.wait(60)
    asker.join()
    assert "sketch" not in index.explain()
    index.search([np.ones(32)], 1)
    assert "sketch" in index.explain()


def test_a_sketch_takes_no_change_back(monkeypatch):
    base = np.random.default_rng(0).normal(size=(9001, 32)).astype(np.float32)
    index = VectorIndex(32)
    index.add(np.arange(9000), base[:9000])
    missed = Snapshot.missed

    def changed(now, *asked):
        if len(index) == 9000:
            index.add([9000], base[9000:])  # as another thread would in this moment
        return missed(now, *asked)

    monkeypatch.setattr(searching, "SKETCH_AFTER", 0)
    monkeypatch.setattr(Snapshot, "missed", changed)
    for _ in range(2):
        index.search(base[:1], 1)
        assert index.ids.tolist() == list(range(9001))
    assert index.search(base[9000:], 1).ids.tolist() == [[9000]]


@both
def test_a_sketch_proves_what_it_answers_and_scans_what_it_can_t(metric):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(9000, 64)).astype(np.float32)
    base[:, 0] *= 6  # one wide value makes the bytes of the others coarse
    base[500:1500] = base[500]  # more twins than are measured
    index = VectorIndex(64, metric=metric)
    index.add(np.arange(9000), base)
    sketched(index, rng.normal(size=64))
    assert index._used().sketch is not None
    queries = np.concatenate([base[500:503] + 1e-3, rng.normal(size=(6, 64)), base[:3] * 1000])
    exact = exact_distances(queries, base, metric)
    for row, query in enumerate(queries):
        found = index.search(query[None], 10)
        np.testing.assert_allclose(
            found.distances[0], np.sort(exact[row])[:10], rtol=1e-4, atol=1e-4
        )
    assert index.search(base[500:501], 10).ids.tolist() == [list(range(500, 510))]


@pytest.mark.parametrize("grown", [False, True])
def test_a_sketch_knows_how_far_off_it_is(grown):
    """The nearest row, and the query, lie between two steps of a byte, on the wrong sides of it."""
    decoys = np.full((600, 64), 0.55, np.float32)  # whose bytes are nearer to the query's
    decoys[np.arange(600), np.arange(600) % 64] = 0.4
    nearest, query = np.full((1, 64), 0.51), np.full((1, 64), 0.49, np.float32)
    whole = np.full((5000, 64), 127)  # these are exactly their bytes, and set the step to 1
    base = np.concatenate([whole[:9], nearest, decoys, whole]).astype(np.float32)
    assert exact_distances(query, base, "l2").argmin() == 9
    sketch = Sketch.of(Rows(64, (base[:700],) if grown else (base,)))
    rows = Rows(64, (base,))
    if grown:
        sketch = sketch.extended(rows)
    assert sketch.scale == 1
    assert sketch.nearest(query, 1, rows, "l2")[1].tolist() == [[9]]


@pytest.mark.parametrize("times", [1.5, 2, -2, 5])
def test_a_row_beyond_the_range_of_a_sketch_is_found_too(times):
    base = np.random.default_rng(0).normal(size=(27_000, 16)).astype(np.float32)
    base[20_000] = times * np.abs(base).max()
    index = VectorIndex(16, metric="l2")
    index.add(np.arange(9000), base[:9000])
    sketched(index, base[0])
    index.add(np.arange(9000, 27_000), base[9000:])
    assert len(index._used().sketch) == 27_000
    found = index.search(base[20_000:20_001], 1)
    assert (found.ids.tolist(), found.distances.tolist()) == ([[20_000]], [[0]])


def test_rows_whose_bytes_tell_nothing_get_no_sketch():
    base = 1e4 + np.random.default_rng(0).normal(size=(9000, 16))
    index = VectorIndex(16, metric="l2")
    index.add(np.arange(9000), base)
    sketched(index, base[7])
    index.add([-1], base[:1])  # nor is one tried again so soon
    sketched(index, base[7])
    assert (index._used().sketch, index._used().unsketched) == (None, 9000)
    exact = exact_distances(base[:1], base.astype(np.float32), "l2")
    assert index.search(base[:1], 1).ids[0, 0] in np.flatnonzero(exact[0] == exact[0].min())


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e10, 4e17])
def test_a_sketch_is_right_at_any_scale(scale):
    base = (np.random.default_rng(0).normal(size=(9000, 16)) * scale).astype(np.float32)
    rows = Rows(16, (base,))
    found = Sketch.of(rows).nearest(base[:4], 3, rows, "l2")[0]
    exact = np.sort(exact_distances(base[:4], base, "l2"), axis=1)[:, :3]
    if scale < 1e-20:
        exact[:] = 0  # float32 squares vanish there, in the sketch and out of it
    np.testing.assert_allclose(found, exact, rtol=1e-4)


def test_a_mask_may_be_of_arrow(index_of):
    index = index_of("l2", "flat", None)
    few = OF == 3
    wanted = index.search(QUERIES, 9, filter=few)
    for mask in (pa.array(few), pa.chunked_array([few[:100], few[100:]]), few.tolist()):
        found = index.search(QUERIES, 9, filter=mask)
        np.testing.assert_array_equal(found.ids, wanted.ids)
    for unlike in (pa.array([None, *few[1:].tolist()]), pa.array(few[1:])):
        with pytest.raises(InputError, match=r"a mask must be .*(1 of it are null|11999)"):
            index.search(QUERIES, 9, filter=unlike)


@pytest.mark.parametrize(
    "bad",
    [np.ones(3, bool), np.ones((N, 1), bool), [True], ["a"], [1.5], [None], [["a"], ["b", "c"]]],
    ids=str,
)
def test_a_filter_that_does_not_fit_is_refused(index_of, bad):
    index = index_of("l2", "flat", None)
    for search in (index.search, index.search_within):
        with pytest.raises(InputError, match=r"mask|ids"):
            search(QUERIES, 1, filter=bad)


def test_unknown_ids_in_a_filter_are_passed_over(index_of):
    index = index_of("l2", "flat", None)
    assert index.search(QUERIES[:1], 5, filter=[-5, 7, 7, N + 1]).ids.tolist() == [[7]]
    assert index.search(QUERIES[:1], 5, filter=[-5]).ids.shape == (1, 0)
    assert index.search(QUERIES[:1], 5, filter=set()).ids.shape == (1, 0)


@pytest.mark.parametrize(
    ("n", "dimension", "memory", "chosen"),
    [
        (0, 384, 2**33, ("flat", None)),
        (250_000, 384, 2**33, ("flat", None)),
        (250_001, 384, 2**33, ("ivf", "pq")),
        (250_001, 384, None, ("ivf", "pq")),
        (250_001, 30, None, ("ivf", "sq8")),
        (100_000, 384, 2**28, ("ivf", "pq")),
        (4000, 384, 2**20, ("flat", None)),
    ],
)
def test_auto_chooses_by_size_and_memory_and_says_why(n, dimension, memory, chosen):
    made = choice.choose("auto", None, n, dimension, memory)
    assert (made.kind, made.quantizer) == chosen
    assert ("memory" in made.reason) == (memory == 2**28)


def test_explain_tells_what_there_is(index_of):
    index = VectorIndex(4, kind="hnsw")
    assert index.explain() == "flat for 0 vectors: hnsw was asked for, from 4,096 rows on"
    assert "ivf with pq for 12,000 vectors: asked for" in index_of("l2", "ivf", "pq").explain()
    assert "flat for 12,000 vectors" in index_of("l2", "flat", None).explain()


def test_a_gpu_that_is_not_there_is_refused():
    if gpu.there():
        pytest.skip("there is one")
    with pytest.raises(InputError, match="GPU"):
        VectorIndex(4, device="gpu")
