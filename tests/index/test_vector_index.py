"""The index against exact NumPy in float64, through every change and every bad input."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import assert_exact, exact_distances

from rememberai import VectorIndex
from rememberai._arrays import prepare
from rememberai.errors import InputError
from rememberai.index import choice, knn, lists, searching, snapshot

pytest.importorskip("faiss")

METRICS = ["cosine", "l2"]
both = pytest.mark.parametrize("metric", METRICS)


def cloud(n: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    """Vectors of many lengths, none of them unit."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dimension)) * rng.uniform(0.1, 5, size=(n, 1))


@both
@pytest.mark.parametrize("dimension", [1, 2, 16, 384])
@pytest.mark.parametrize("n_queries", [1, 25, 400])
def test_neighbours_are_those_of_numpy(metric, dimension, n_queries):
    base, queries = cloud(300, dimension), cloud(n_queries, dimension, seed=1)
    ids = [f"photo {i}" for i in range(300)]
    index = VectorIndex(dimension, metric=metric)
    index.add(ids, base)
    assert len(index) == 300
    assert_exact(index.search(queries, 7), queries, ids, base, metric, 7)


@both
def test_a_vector_is_exactly_0_from_itself(metric):
    base = cloud(500, 384)
    index = VectorIndex(384, metric=metric)
    index.add(np.arange(500), base)
    for queries in (base, base[:1], base.astype(np.float32)):
        found = index.search(queries, 1)
        assert (found.distances == 0).all()
        np.testing.assert_array_equal(found.ids[:, 0], np.arange(len(queries)))


@pytest.mark.parametrize("n_queries", [3, 500])
def test_long_vectors_close_together_are_told_apart(n_queries):
    # |x|^2 is 4e10 here and the squared distances are 800: float32 has no digits left for them.
    rng = np.random.default_rng(0)
    base = (1e4 + rng.normal(size=(1000, 384))).astype(np.float32)
    queries = (1e4 + rng.normal(size=(n_queries, 384))).astype(np.float32)
    index = VectorIndex(384, metric="l2")
    index.add(np.arange(1000), base)
    assert_exact(index.search(queries, 5), queries, range(1000), base, "l2", 5)


@both
def test_the_answer_to_a_query_does_not_depend_on_its_company(metric):
    base = np.repeat(cloud(100, 384), 3, axis=0) + cloud(300, 384, seed=1) * 1e-4
    index = VectorIndex(384, metric=metric)
    index.add(np.arange(300), base)
    together = index.search(base + 1e-3, 4)
    for row in range(0, 300, 50):
        alone = index.search(base[row : row + 1] + 1e-3, 4)
        np.testing.assert_allclose(alone.distances[0], together.distances[row], atol=1e-5)


def test_cosine_ignores_length_and_l2_does_not():
    for metric, nearest in (("cosine", "far along"), ("l2", "near by")):
        index = VectorIndex(2, metric=metric)
        index.add(["far along", "near by"], [[100, 0], [1, 1]])
        assert index.search([[1, 0]], 1).ids[0, 0] == nearest
    index = VectorIndex(2)
    index.add(["same", "square", "opposite"], [[7, 0], [0, 0.1], [-3, 0]])
    np.testing.assert_allclose(index.search([[2, 0]], 3).distances, [[0, 1, 2]], atol=1e-6)
    index = VectorIndex(2, metric="l2")
    index.add(["a"], [[3, 4]])
    np.testing.assert_allclose(index.search([[0, 0]], 1).distances, [[5]], atol=1e-6)


@both
@pytest.mark.parametrize(("n_queries", "k"), [(1, 40), (1, 60), (500, 60)])
def test_equal_distances_come_in_the_order_of_adding(metric, n_queries, k):
    index = VectorIndex(384, metric=metric)
    same = cloud(1, 384)
    ids = [f"{i}" for i in np.random.default_rng(1).permutation(60)]
    index.add(ids[:30], np.repeat(same, 30, axis=0))
    index.add(ids[30:], np.repeat(same, 30, axis=0))
    found = index.search(np.repeat(same, n_queries, axis=0), k)
    assert (found.distances == 0).all()
    assert found.ids.tolist() == [ids[:k]] * n_queries


@both
def test_strings_come_back_as_objects_and_integers_as_int64(metric):
    index = VectorIndex(2, metric=metric)
    index.add(["ä", ""], [[1, 2], [2, 1]])
    assert index.search([[1, 2]], 2).ids.tolist() == [["ä", ""]]
    assert index.search([[1, 2]], 2).ids.dtype == object
    ends = [-(2**63), 2**63 - 1]
    index = VectorIndex(2, metric=metric)
    index.add(ends, [[1, 2], [2, 1]])
    assert index.search([[1, 2]], 2).ids.tolist() == [ends]
    assert index.search([[1, 2]], 2).ids.dtype == np.int64


@both
def test_k_beyond_the_index_gives_all_of_it_and_no_filler(metric):
    base = cloud(3)
    index = VectorIndex(16, metric=metric)
    index.add([-1, 5, 6], base)
    found = index.search(cloud(50, seed=3), 10**9)
    assert found.ids.shape == (50, 3)
    assert {tuple(sorted(row)) for row in found.ids.tolist()} == {(-1, 5, 6)}
    assert np.isfinite(found.distances).all()


@both
def test_an_empty_index_and_no_queries_give_empty_answers(metric):
    index = VectorIndex(16, metric=metric)
    assert index.search(cloud(3), 5).ids.shape == (3, 0)
    assert index.search(cloud(3), 5).distances.shape == (3, 0)
    assert index.search(np.empty((0, 16)), 5).ids.shape == (0, 0)
    index.add([], np.empty((0, 16)))
    assert len(index) == 0
    index.add([1, 2], cloud(2))
    assert index.search(np.empty((0, 16)), 5).ids.shape == (0, 2)
    assert index.remove([1, 2]) == 2
    assert index.search(cloud(3), 5).ids.shape == (3, 0)


@both
def test_the_largest_l2_vectors_are_found_and_larger_ones_refused(metric):
    index = VectorIndex(2, metric=metric)
    index.add([7, 8], [[3e18, 0], [0, -3e18]])
    found = index.search([[3e18, 1e18], [1e18, -3e18]], 2)
    assert found.ids.tolist() == [[7, 8], [8, 7]]
    assert np.isfinite(found.distances).all()
    if metric == "l2":
        with pytest.raises(InputError, match="scaled down"):
            index.search([[1e30, 0]], 2)


@both
def test_removed_ids_are_gone_and_may_be_added_again(metric):
    base = cloud(10)
    index = VectorIndex(16, metric=metric)
    index.add(range(10), base)
    assert index.remove([3, 0, 3, 99]) == 2
    assert index.remove([3, 0]) == 0
    assert index.remove([]) == 0
    assert index.remove(["3"]) == 0
    kept = [1, 2, 4, 5, 6, 7, 8, 9]
    assert_exact(index.search(base, 10), base, kept, base[kept], metric, 10)
    index.add([3], base[:1])
    order = [*kept, 3]
    now = np.vstack([base[kept], base[:1]])
    assert_exact(index.search(base, 10), base, order, now, metric, 10)


def test_an_emptied_index_takes_ids_of_the_other_kind():
    index = VectorIndex(2)
    index.add(["a"], [[1, 2]])
    index.remove(["a"])
    index.add([1], [[1, 2]])
    assert index.search([[1, 2]], 1).ids.tolist() == [[1]]


@pytest.mark.parametrize("chunked", [False, True])
def test_ids_may_be_the_strings_of_pandas_and_polars(chunked):
    names = pa.array(["a", "b", "c"], pa.large_string())
    names = pa.chunked_array([names[:1], names[1:]]) if chunked else names
    index = VectorIndex(16)
    index.add(names, cloud(3))
    assert index.ids.tolist() == ["a", "b", "c"]
    assert index.search(cloud(1), 3, filter=names[1:]).ids.shape == (1, 2)
    assert index.remove(names) == 3


@both
def test_what_the_caller_does_with_his_vectors_later_changes_nothing(metric):
    base = cloud(30).astype(np.float32)
    index = VectorIndex(16, metric=metric)
    for start, his in ((0, base[:10].copy()), (10, base.copy()[10:20]), (20, base.copy()[20:])):
        index.add(range(start, start + 10), his)
        his[:] = 7
    assert_exact(index.search(base, 30), base, range(30), base, metric, 30)


def test_ids_that_can_t_be_are_named():
    index = VectorIndex(16)
    index.add([f"{i}" for i in range(9)], cloud(9))
    with pytest.raises(InputError, match=r"2 are there already: '3', '7'$"):
        index.add(["7", "new", "3"], cloud(3))
    with pytest.raises(InputError, match=r"7 are there .*: '0', '1', '2', '3', '4', \.\.\.$"):
        index.add([f"{i}" for i in range(7)], cloud(7))
    for change in (index.add, index.upsert):
        with pytest.raises(InputError, match=r"distinct; 1 occur more than once: 'twin'$"):
            change(["twin", "one", "twin"], cloud(3))
    assert len(index) == 9


BAD_IDS = [
    "ab",
    b"ab",
    ["a", "a"],
    ["new", "old"],
    ["new", None],
    [None, None],
    ["new", 1],
    [1, 2],
    [1.0, 2.0],
    [float("nan"), 1],
    [True, False],
    [b"x", b"y"],
    [["x"], ["y"]],
    np.array([["x"], ["y"]]),
    [2**63, 1],
    np.array([2**63, 1], np.uint64),
    ["\ud800", "b"],
    ["one"],
    ["one", "two", "three"],
    [],
    5,
    None,
]


@both
@pytest.mark.parametrize("ids", BAD_IDS, ids=ascii)
def test_bad_ids_are_refused_and_nothing_is_added(metric, ids):
    index = VectorIndex(16, metric=metric)
    index.add(["old"], cloud(1))
    with pytest.raises(InputError, match="ids"):
        index.add(ids, cloud(2, seed=1))
    assert len(index) == 1
    assert index.search(cloud(3), 9).ids.tolist() == [["old"]] * 3


@pytest.mark.parametrize("ids", [[True], [1.5], ["a", 1], [2**64], [None], 5, "1"], ids=str)
def test_bad_ids_to_remove_are_refused(ids):
    index = VectorIndex(16)
    index.add([1], cloud(1))
    with pytest.raises(InputError, match="ids"):
        index.remove(ids)
    assert len(index) == 1


def with_entry(value) -> np.ndarray:
    vectors = cloud(2)
    vectors[1, 3] = value
    return vectors


BAD_VECTORS = [
    with_entry(np.nan),
    with_entry(np.inf),
    with_entry(1e39),
    cloud(2, 15),
    cloud(2, 17),
    cloud(2).ravel(),
    cloud(2)[None],
    cloud(2) > 0,
    cloud(2).astype(object),
    cloud(2).astype(complex),
    cloud(2).astype(str),
    None,
]


@both
@pytest.mark.parametrize("vectors", BAD_VECTORS, ids=range(len(BAD_VECTORS)))
def test_bad_vectors_are_refused_and_nothing_is_added(metric, vectors):
    index = VectorIndex(16, metric=metric)
    with pytest.raises(InputError, match="vectors"):
        index.add(["a", "b"], vectors)
    assert len(index) == 0
    index.add(["a", "b"], cloud(2))
    with pytest.raises(InputError, match="queries"):
        index.search(vectors, 1)


def test_a_zero_vector_is_refused_under_cosine_alone():
    zero = np.zeros((1, 16))
    index = VectorIndex(16)
    with pytest.raises(InputError, match="zero"):
        index.add(["z"], zero)
    assert len(index) == 0
    index = VectorIndex(16, metric="l2")
    index.add(["z"], zero)
    assert index.search(zero, 1).distances.tolist() == [[0]]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_1_is_refused(k):
    with pytest.raises(InputError, match="k must be at least 1"):
        VectorIndex(16).search(cloud(1), k)


@pytest.mark.parametrize("k", [2.0, np.float32(2), "2", None])
def test_k_is_a_whole_number(k):
    with pytest.raises(InputError, match="k must be a whole number"):
        VectorIndex(16).search(cloud(1), k)


@pytest.mark.parametrize("number", [np.int64, np.uint8])
def test_whole_numbers_of_numpy_are_taken(tmp_path, number):
    index = VectorIndex(number(16))
    index.add(range(30), cloud(30))
    index.save(tmp_path)
    for each in (index, VectorIndex.load(tmp_path)):
        assert each.search(cloud(1), number(2)).ids.shape == (1, 2)


@pytest.mark.parametrize("dimension", [0, -1, 2**31, 2**40, 16.0, "16", None])
def test_a_dimension_that_faiss_can_t_count_is_refused(dimension):
    with pytest.raises(InputError, match="dimension"):
        VectorIndex(dimension)


def test_an_unknown_metric_is_refused():
    with pytest.raises(InputError, match="metric"):
        VectorIndex(16, metric="dot")


@both
def test_upsert_replaces_and_adds(metric):
    base = cloud(10)
    index = VectorIndex(16, metric=metric)
    index.add([f"{i}" for i in range(10)], base)
    assert index.upsert(["3", "new", "0"], base[[5, 6, 7]]) == 2
    ids = ["1", "2", "4", "5", "6", "7", "8", "9", "3", "new", "0"]
    now = base[[1, 2, 4, 5, 6, 7, 8, 9, 5, 6, 7]]
    assert index.ids.tolist() == ids
    assert_exact(index.search(base, 11), base, ids, now, metric, 11)
    assert index.upsert(ids, np.repeat(base[:1], 11, axis=0)) == 11
    assert index.search(base[:1], 11).ids.tolist() == [ids]
    for bad in (["x", "x"], [1, 2], ["x", None]):
        with pytest.raises(InputError, match="ids"):
            index.upsert(bad, base[:2])
    assert index.ids.tolist() == ids


@both
def test_reconstruct_gives_what_was_added_in_the_order_asked_for(metric):
    base = cloud(10)
    index = VectorIndex(16, metric=metric)
    index.add([f"{i}" for i in range(10)], base)
    index.remove(["4", "2"])
    index.upsert(["7"], base[:1])
    expected = base[[9, 0, 9]]
    if metric == "cosine":
        expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    found = index.reconstruct(["9", "7", "9"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert index.reconstruct([]).shape == (0, 16)
    with pytest.raises(InputError, match="2 ids are not in the index: 'x', '4'"):
        index.reconstruct(["9", "x", "4"])


@both
@pytest.mark.parametrize(("n_queries", "at_once"), [(1, 2**22), (40, 2**22), (40, 2000)])
def test_within_a_distance_are_those_of_numpy(monkeypatch, metric, n_queries, at_once):
    monkeypatch.setattr(knn, "_AT_ONCE", at_once)
    base, queries = cloud(300), cloud(n_queries, seed=1)
    index = VectorIndex(16, metric=metric)
    index.add(np.arange(300), base)
    index.remove([8, 9])
    distances = np.delete(exact_distances(queries, base, metric), [8, 9], axis=1)
    ids = np.delete(np.arange(300), [8, 9])
    for limit in (0, np.median(distances), distances.max() * 1.01):
        found = index.search_within(queries, limit)
        assert len(found) == n_queries
        for row, (near, measured) in enumerate(found):
            assert sorted(near) == ids[distances[row] <= limit].tolist()
            np.testing.assert_allclose(measured, np.sort(distances[row])[: len(near)], atol=1e-4)
            assert (np.diff(measured) >= 0).all()
    assert found.distances.dtype == np.float32
    with pytest.raises(IndexError):
        found[n_queries]


@both
def test_a_vector_is_within_0_of_itself_and_its_twins_in_order(metric):
    base = np.repeat(cloud(30, 384), 2, axis=0)
    index = VectorIndex(384, metric=metric)
    index.add(np.arange(60), base)
    found = index.search_within(base, 0)
    assert (np.diff(found.starts) == 2).all()
    np.testing.assert_array_equal(
        found.ids.reshape(60, 2), np.repeat(np.arange(60).reshape(30, 2), 2, axis=0)
    )


def test_long_vectors_close_together_are_within_a_short_distance():
    rng = np.random.default_rng(0)
    base = (1e4 + rng.normal(size=(500, 384))).astype(np.float32)
    index = VectorIndex(384, metric="l2")
    index.add(np.arange(500), base)
    limit = 27.5
    inside = exact_distances(base[:20], base, "l2") <= limit
    assert [set(near) for near, _ in index.search_within(base[:20], limit)] == [
        set(np.flatnonzero(row)) for row in inside
    ]


@both
@pytest.mark.parametrize("distance", [1e19, 3e38, 1e300, np.float32(3e38), 10**300, np.inf])
@pytest.mark.filterwarnings("error")
def test_all_are_within_a_distance_that_is_large_enough(metric, distance):
    index = VectorIndex(2, metric=metric)
    index.add([7, 8], [[3e18, 0], [0, -3e18]])
    found = index.search_within([[3e18, 1e18], [1e18, -3e18]], distance)
    assert [near.tolist() for near, _ in found] == [[7, 8], [8, 7]]


@pytest.mark.parametrize(
    "distance",
    [-1, float("nan"), -np.inf, "0.5", b"1", None, 1j, [0.1, 0.2], np.ones(2)],
    ids=ascii,
)
def test_a_distance_that_is_none_is_refused(distance):
    with pytest.raises(InputError, match="distance"):
        VectorIndex(16).search_within(cloud(1), distance)


def test_within_of_nothing_is_nothing():
    index = VectorIndex(16)
    assert index.search_within(cloud(3), 1).starts.tolist() == [0, 0, 0, 0]
    index.add(["a"], cloud(1))
    assert len(index.search_within(np.empty((0, 16)), 1)) == 0
    assert index.search_within(cloud(1), 1, filter=[]).ids.tolist() == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"kind": "lsh"}, "kind"),
        ({"kind": "flat", "quantizer": "pq"}, "quantizer"),
        ({"kind": "hnsw", "quantizer": "rabitq"}, "quantizer"),
        ({"quantizer": "sq8"}, "name the kind"),
        ({"kind": ["flat"]}, "kind"),
        ({"kind": "ivf", "quantizer": ["pq"]}, "quantizer"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_what_is_not_offered_is_refused(arguments, word):
    with pytest.raises(InputError, match=word):
        VectorIndex(16, **arguments)
    with pytest.raises(InputError, match="divisible"):
        VectorIndex(18, kind="ivf", quantizer="pq")


# Few distinct vectors on a coarse grid, so that duplicates and ties are common.
vector = st.tuples(*[st.integers(-2, 2)] * 4).filter(any)
key = st.integers(-1, 40)
pairs = st.lists(st.tuples(key, vector), max_size=12)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "upsert"]), pairs),
        st.tuples(st.just("remove"), st.lists(key, max_size=6)),
        st.tuples(st.sampled_from(["save", "load", "search"]), st.none()),
    ),
    max_size=16,
)
KINDS = [
    *[("auto", None), ("ivf", None), ("ivf", "pq"), ("ivf", "sq8"), ("ivf", "rabitq")],
    *[("hnsw", None), ("hnsw", "sq8")],
]


@pytest.fixture(scope="module")
def small_thresholds():
    """Lists and sketches from a few rows on, where they find all: all is probed and measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "LISTS_FROM", 16)
        patch.setattr(choice, "SKETCH_FROM", 6)
        patch.setattr(searching, "SKETCH_AFTER", 1)
        patch.setattr(snapshot, "covers_up_to", lambda covered: covered + 4)
        patch.setattr(lists, "_EFFORTS", dict.fromkeys(lists._EFFORTS, 64))
        patch.setattr(lists, "_CANDIDATES", dict.fromkeys(lists._CANDIDATES, 100))
        yield


@pytest.mark.parametrize("text_ids", [False, True])
@pytest.mark.parametrize(("kind", "quantizer"), KINDS)
@both
@settings(max_examples=40, deadline=None)
@given(
    steps=steps,
    query=vector,
    k=st.integers(1, 15),
    chosen=st.sets(st.integers(-1, 80)),
    data=st.data(),
    n_first=st.sampled_from([0, 10, 30, 60]),
)
def test_any_course_of_changes_equals_a_dictionary(
    tmp_path_factory, small_thresholds, metric, kind, quantizer, text_ids, steps, query, k, chosen,
    data, n_first,
):  # fmt: skip
    folder = tmp_path_factory.mktemp("index")
    index, model = VectorIndex(4, metric=metric, kind=kind, quantizer=quantizer), {}
    name = str if text_ids else int
    saved = False
    first = np.random.default_rng(n_first).integers(1, 4, size=(n_first, 4)).astype(float)
    steps = [("add", list(zip(range(30, 30 + n_first), first, strict=True))), *steps]
    for step, argument in steps:
        if step in ("add", "upsert"):
            ids = [name(i) for i, _ in argument]
            vectors = np.array([v for _, v in argument], float).reshape(-1, 4)
            old = set(ids) & set(model)
            if len(set(ids)) < len(ids) or (old and step == "add"):
                with pytest.raises(InputError):
                    getattr(index, step)(ids, vectors)
                continue
            done = getattr(index, step)(ids, vectors)
            assert done == (len(old) if step == "upsert" else None)
            for i in old:
                model.pop(i)
            model.update(zip(ids, vectors, strict=True))
        elif step == "remove":
            ids = [name(i) for i in argument]
            assert index.remove(ids) == len(set(ids) & set(model))
            for i in ids:
                model.pop(i, None)
        elif step == "save":
            index.save(folder)
            saved = dict(model)
        elif step == "search":
            index.search([query], k)
        elif saved is not False:
            index, model = VectorIndex.load(folder), dict(saved)
        assert index.ids.tolist() == list(model)
    ids, base = list(model), np.array(list(model.values())).reshape(-1, 4)
    if not ids:
        assert index.search([query], k).ids.shape == (1, 0)
        return
    assert_exact(index.search([query], k), [query], ids, base, metric, k)
    mask = np.isin(ids, [name(i) for i in chosen])
    some = [i for i, kept in zip(ids, mask, strict=True) if kept]
    for given_filter in (mask, {name(i) for i in chosen}):
        if some:
            found = index.search([query], k, filter=given_filter)
            assert_exact(found, [query], some, base[mask], metric, k)
            distances = exact_distances([query], base[mask], metric)[0]
            limit = data.draw(st.sampled_from(distances.tolist())) + 1e-3
            near = index.search_within([query], limit, filter=given_filter)[0][0]
            assert set(near.tolist()) == {
                i for i, d in zip(some, distances, strict=True) if d <= limit
            }
        else:
            assert index.search([query], k, filter=given_filter).ids.shape == (1, 0)
    np.testing.assert_array_equal(
        index.reconstruct(ids[::-1]), prepare(base, metric)[::-1].astype(np.float32)
    )


@both
def test_neighbours_of_real_sized_batches_equal_numpy(metric):
    base, queries = cloud(2000, 64), cloud(2500, 64, seed=2)
    index = VectorIndex(64, metric=metric)
    index.add(np.arange(2000), base)
    found = index.search(queries, 50)  # more pairs than are measured at once
    exact = np.sort(exact_distances(queries[-40:], base, metric), axis=1)[:, :50]
    np.testing.assert_allclose(found.distances[-40:], exact, atol=1e-4)
