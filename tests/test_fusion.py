"""Search over words and pictures: standings against their definition, and what is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rememberai import MemoryStore, fusion
from rememberai.errors import InputError
from rememberai.fusion import Space, search
from rememberai.index_cache import cached_index
from rememberai.store.schema import to_table

N = 60


@pytest.fixture(params=["cosine", "l2"])
def store(request, tmp_path) -> MemoryStore:
    """Photos of which a third have words alone, a third pictures alone, a third both."""
    random = np.random.default_rng(3)
    store = MemoryStore.create(
        tmp_path / "s", model_id="words@1", dimension=5, metric=request.param
    )
    column = store.add_model("pictures@1", 7, of="image")
    rows = [
        {
            "photo_id": f"p{i:02}",
            "name": f"p{i:02}",
            "memory": f"about {i}" if i % 3 != 1 else None,
            "path": f"/p/{i}.jpg" if i % 3 else None,
        }
        for i in random.permutation(N)
    ]
    spoken = sum(row["memory"] is not None for row in rows)
    store.append(to_table(rows, random.normal(size=(spoken, 5)).astype(np.float32)))
    waiting = store.pending(column)
    store.fill(column, waiting, random.normal(size=(len(waiting), 7)))
    return store


def queries(store, seed=5):
    random = np.random.default_rng(seed)
    (column,) = [c for c, model in store.models.items() if model.of == "image"]
    return {
        "words": (Space(cached_index(store.pinned())), random.normal(size=5).astype(np.float32)),
        "picture": (
            Space(cached_index(store.pinned(column))),
            random.normal(size=7).astype(np.float32),
        ),
    }


def expected(store, asked, weights, *, depth=N, sample=N) -> list[tuple[str, str, float]]:
    """Those among the nearest of either space by Stouffer's method, written out."""
    z: dict[str, dict[str, float]] = {}
    far: dict[str, dict[str, float]] = {}
    near: set[str] = set()
    for name, view in (("words", store), ("picture", store.pinned("vector_2"))):
        ids, vectors = view.vectors()
        query = asked[name][1].astype(np.float64)
        if store.metric == "cosine":
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
            distances = 1 - vectors @ query / lengths
        else:
            distances = np.linalg.norm(vectors - query, axis=1)
        near |= set(ids[np.argsort(distances)[:depth]])
        some = distances[np.argsort(ids)][:: -(-len(ids) // sample)]
        for photo, distance in zip(ids, distances, strict=True):
            z.setdefault(photo, {})[name] = (some.mean() - distance) / some.std()
            far.setdefault(photo, {})[name] = distance
    score = {
        photo: sum(weights[name] * each for name, each in own.items())
        / sum(weights[name] ** 2 for name in own) ** 0.5
        for photo, own in z.items()
        if photo in near
    }
    best = sorted(score, key=lambda photo: (-score[photo], photo))
    return [
        (p, "both" if len(z[p]) > 1 else next(iter(z[p])), next(iter(far[p].values())))
        for p in best
    ]


@pytest.mark.parametrize("weights", [None, {"picture": 2.0, "words": 0.5}])
def test_photos_stand_in_the_order_of_their_standings(store, weights):
    asked = queries(store)
    hits = search(store.pinned(), asked, N, None, weights)
    wanted = expected(store, asked, weights or {"words": 1.0, "picture": 1.0})
    assert [(hit.photo_id, hit.compared) for hit in hits] == [row[:2] for row in wanted]
    np.testing.assert_allclose(
        [hit.distance for hit in hits], [row[2] for row in wanted], atol=1e-5
    )
    assert {hit.compared for hit in hits} == {"words", "picture", "both"}
    alone = next(hit for hit in hits if hit.compared == "picture")
    assert (alone.text, alone.text_source) == ("", None)
    assert search(store.pinned(), asked, 7, None, weights) == hits[:7]


def test_the_nearest_of_either_space_are_looked_at_in_both(store, monkeypatch):
    monkeypatch.setattr(fusion, "_DEPTH", 8)
    monkeypatch.setattr(fusion, "_SAMPLE", 9)
    even = {"words": 1.0, "picture": 1.0}
    for seed in range(20):
        asked = queries(store, seed)
        hits = search(store.pinned(), asked, 3, None)
        wanted = expected(store, asked, even, depth=8, sample=9)
        assert [hit.photo_id for hit in hits] == [row[0] for row in wanted[:3]]
        many = search(store.pinned(), asked, 10, None)
        wanted = expected(store, asked, even, depth=10, sample=9)
        assert [hit.photo_id for hit in many] == [row[0] for row in wanted[:10]]


def test_a_space_where_all_are_as_far_says_nothing(store):
    asked = queries(store)
    words = search(store.pinned(), {"words": asked["words"]}, N, None)
    store.drop_model("vector_2")
    column = store.add_model("same@1", 7, of="image")
    waiting = store.pending(column)
    store.fill(column, waiting, np.ones((len(waiting), 7), np.float32))
    same = asked | {"picture": (Space(cached_index(store.pinned(column))), np.ones(7, np.float32))}
    found = [hit.photo_id for hit in search(store.pinned(), same, N, None)]
    alone = set(waiting["photo_id"].to_pylist())
    spoken = [hit.photo_id for hit in words]
    assert [p for p in found if p in spoken and p not in alone] == [
        p for p in spoken if p not in alone
    ]
    assert [p for p in found if p in spoken and p in alone] == [p for p in spoken if p in alone]


@pytest.mark.parametrize("step", [1, -1])
def test_of_equals_the_first_ids_are_taken_whatever_the_order_of_adding(tmp_path, step):
    store = MemoryStore.create(tmp_path / "s", model_id="words@1", dimension=2)
    rows = [{"photo_id": f"p{i:02}", "name": "p", "memory": "same"} for i in range(40)][::step]
    for row in rows:
        store.append(to_table([row], np.ones((1, 2), np.float32)))
    query = (Space(cached_index(store.pinned())), np.array([1, 0], np.float32))
    found = search(store.pinned(), {"words": query}, 3, None)
    assert [hit.photo_id for hit in found] == ["p00", "p01", "p02"]


def test_a_condition_holds_in_both_spaces(store):
    asked = queries(store)
    every = search(store.pinned(), asked, N, None)
    some = search(store.pinned(), asked, N, "photo_id >= 'p20' AND photo_id < 'p30'")
    assert [hit for hit in every if "p20" <= hit.photo_id < "p30"] == some
    assert search(store.pinned(), asked, N, "photo_id = 'nobody'") == []


def test_one_space_alone_gives_its_nearest(store):
    asked = queries(store)
    for name in asked:
        hits = search(store.pinned(), {name: asked[name]}, 5, None)
        distances = [hit.distance for hit in hits]
        assert distances == sorted(distances)
        assert {hit.compared for hit in hits} == {name}


@pytest.mark.filterwarnings("error")  # of the mean of no distances
def test_an_empty_space_takes_nothing_away(store):
    asked = queries(store)
    words = search(store.pinned(), {"words": asked["words"]}, 5, None)
    store.drop_model("vector_2")
    column = store.add_model("other@1", 7, of="image")
    empty = (Space(cached_index(store.pinned(column))), asked["picture"][1])
    assert search(store.pinned(), asked | {"picture": empty}, 5, None) == words
    store.delete(store.read([])["photo_id"].to_pylist())
    nothing = (Space(cached_index(store.pinned())), asked["words"][1])
    assert search(store.pinned(), {"words": nothing, "picture": empty}, 5, None) == []


def test_k_is_at_least_one(store):
    with pytest.raises(InputError):
        search(store.pinned(), queries(store), 0, None)


def test_vectors_of_pictures_stay_when_words_change(store):
    before = dict(zip(*store.pinned("vector_2").vectors(), strict=True))
    row = {"photo_id": "p01", "name": "p01", "path": "/p/1.jpg", "memory": "new"}
    store.upsert(to_table([row], np.ones((1, 5), np.float32)))
    read = store.read(["album"]).slice(2, 1).select(["photo_id"])
    store.update(read.append_column("album", pa.array(["other"])))
    new = {"photo_id": "zz", "name": "zz", "path": "/p/zz.jpg"}
    store.append(to_table([new], np.empty((0, 5), np.float32)))
    after = dict(zip(*MemoryStore.open(store.path).pinned("vector_2").vectors(), strict=True))
    assert after.keys() == before.keys()
    for photo, vector in before.items():
        np.testing.assert_array_equal(after[photo], vector)
    assert store.pending("vector_2").to_pylist() == [{"photo_id": "zz", "path": "/p/zz.jpg"}]


def test_pictures_never_take_the_place_of_words(store):
    with pytest.raises(InputError, match="of pictures"):
        store.switch_model("vector_2")
    reopened = MemoryStore.open(store.path)
    assert (reopened.model_id, reopened.models["vector_2"].of) == ("words@1", "image")
    assert store.add_model("pictures@1", 7, of="image") == "vector_2"
    assert store.add_model("pictures@1", 7) == "vector_3"
