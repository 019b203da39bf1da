"""A saved index is read back as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import VectorIndex
from rememberai.errors import InputError, StoreError
from rememberai.index import _files, choice, verify
from rememberai.index.choice import SKETCH_AFTER

faiss = pytest.importorskip("faiss")

N, DIMENSION = 9000, 8  # enough for a sketch
rng = np.random.default_rng(0)
BASE, QUERIES = rng.normal(size=(N, DIMENSION)), rng.normal(size=(5, DIMENSION))
MORE = rng.normal(size=(90, DIMENSION))
CHOICES = [("flat", None), ("ivf", None), ("ivf", "sq8"), ("ivf", "pq"), ("ivf", "rabitq")]
CHOICES += [("hnsw", None), ("hnsw", "sq8")]


def build(metric="cosine", ids=None, **choice) -> VectorIndex:
    index = VectorIndex(DIMENSION, metric=metric, **choice)
    index.add([f"p{i}" for i in range(N)] if ids is None else ids, BASE)
    for query in BASE[: SKETCH_AFTER + 1]:
        index.search([query], 1)
    return index


def changed() -> VectorIndex:
    """One with a file of every sort: several segments, removed rows, a sketch."""
    index = build()
    index.remove(["p3", "p5"])
    return index


def answers(index: VectorIndex):
    found = index.search(QUERIES, 6)
    near = index.search_within(QUERIES, 0.1)
    return (
        len(index),
        index.metric,
        *(part.tolist() for part in (found.ids, found.distances, near.starts, near.ids)),
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "index"
    changed().save(folder, model_id="m", built_from="3")
    return folder


@pytest.fixture(scope="module")
def right():
    return answers(changed())


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "index"))


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def put_manifest(folder: Path, manifest: dict) -> None:
    """Write a manifest with a checksum of its own that fits, as no accident would."""
    manifest["sha256"] = _files._seal(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def data_files(folder: Path) -> dict[str, int]:
    """The files of the index and their inodes, which tell those that were written anew."""
    ours = (p for p in folder.iterdir() if p.suffix in {".rows", ".arrow", ".faiss", ".dead"})
    return {path.name: path.stat().st_ino for path in ours}


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("ids", [None, np.arange(N) - 20])
def test_a_saved_index_answers_as_before(tmp_path, metric, ids):
    index = build(metric, ids)
    index.remove([] if ids is None else [-20, 19])
    index.save(tmp_path / "a" / "b")
    loaded = VectorIndex.load(tmp_path / "a" / "b")
    assert answers(loaded) == answers(index)
    assert loaded.search(QUERIES, 1).ids.dtype == index.search(QUERIES, 1).ids.dtype
    loaded.add(["new"] if ids is None else [77_777], QUERIES[:1])
    assert loaded.search(QUERIES[:1], 1).ids.tolist() == [["new" if ids is None else 77_777]]


@pytest.mark.parametrize(("kind", "quantizer"), CHOICES)
def test_every_kind_is_saved_and_grows_afterwards(tmp_path, kind, quantizer):
    index = build("l2", kind=kind, quantizer=quantizer)
    index.save(tmp_path)
    loaded = VectorIndex.load(tmp_path)
    assert (loaded.kind, loaded.quantizer) == (kind, quantizer)
    assert answers(loaded) == answers(index)
    more = np.random.default_rng(1).normal(size=(20_000, DIMENSION))  # too many to stay behind
    for grown in (index, loaded):
        grown.add([f"more {i}" for i in range(len(more))], more)
    assert answers(loaded) == answers(index)
    loaded.save(tmp_path)
    assert answers(VectorIndex.load(tmp_path)) == answers(index)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("ids", [None, np.arange(N) - 20])
def test_an_index_built_batch_by_batch_is_that_of_its_vectors(tmp_path, metric, ids):
    ids = [f"p{i}" for i in range(N)] if ids is None else ids
    batches = ((ids[i : i + 700], BASE[i : i + 700]) for i in range(0, N, 700))
    built = VectorIndex.build(
        tmp_path, DIMENSION, batches, metric=metric, model_id="m", built_from="1"
    )
    assert answers(built) == answers(build(metric, ids))
    assert built.ids.tolist() == list(ids)
    before = data_files(tmp_path)
    for index in (built, VectorIndex.load(tmp_path, model_id="m", built_from="1")):
        index.upsert([ids[3], ids[-1]], BASE[[5, 6]])
        assert index.search([BASE[5]], 3).distances[0, :2].tolist() == [0, 0]
    built.save(tmp_path)
    assert before.items() <= data_files(tmp_path).items()
    assert answers(VectorIndex.load(tmp_path)) == answers(built)


def test_lists_of_an_index_built_batch_by_batch_are_there_when_it_is_published(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(choice, "FLAT_UP_TO", 8000)
    built = VectorIndex.build(tmp_path, 32, [(np.arange(N), np.tile(BASE, 4))], metric="l2")
    loaded = VectorIndex.load(tmp_path)
    assert "ivf with pq" in built.explain()
    assert loaded.explain() == built.explain()
    assert manifest_of(tmp_path)["lists"]["covers"] == N


@pytest.mark.parametrize("bad", [{"dimension": 0}, {"dimension": "8"}, {"metric": "dot"}], ids=str)
def test_an_index_that_can_t_be_is_not_built(tmp_path, bad):
    with pytest.raises(InputError, match="came"):
        VectorIndex.build(tmp_path / "index", batches=iter(()), **{"dimension": 8} | bad)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_of_the_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    index = VectorIndex(DIMENSION)
    index.save("~/index")
    verify("~/index")
    assert (
        len(VectorIndex.load(tmp_path / "me" / "index")) == len(VectorIndex.load("me/index")) == 0
    )
    assert [path.name for path in tmp_path.iterdir()] == ["me"]


def test_an_index_of_no_batches(tmp_path):
    VectorIndex.build(tmp_path, DIMENSION, iter(()), metric="l2")
    loaded = VectorIndex.load(tmp_path)
    assert (len(loaded), loaded.metric, data_files(tmp_path)) == (0, "l2", {})


@pytest.mark.parametrize(
    "batches",
    [
        [(["a", "b"], BASE[:2]), (["c", "a"], BASE[2:4])],
        [(["a", "b"], BASE[:2]), ([1, 2], BASE[2:4])],
        [(["a", "b"], BASE[:2]), (["c"], BASE[2:4])],
        [(["a"], BASE[:1]), (["b"], np.full((1, DIMENSION), np.nan))],
        [(["a"], BASE[:1]), (["b"], np.zeros((1, DIMENSION)))],
        [(["a"], BASE[:1]), (["b"], BASE[:1, 1:])],
    ],
    ids=["twice", "two types", "unpaired", "NaN", "zero", "dimension"],
)
def test_a_batch_that_does_not_fit_leaves_the_index_that_was_there(copy, right, batches):
    before = sorted(path.name for path in copy.iterdir())
    with pytest.raises(InputError):
        VectorIndex.build(copy, DIMENSION, batches)
    assert answers(VectorIndex.load(copy)) == right
    assert sorted(path.name for path in copy.iterdir()) == before


def test_an_empty_index_is_saved_as_well(tmp_path):
    VectorIndex(DIMENSION, metric="l2").save(tmp_path)
    loaded = VectorIndex.load(tmp_path)
    assert (len(loaded), loaded.dimension, loaded.metric) == (0, DIMENSION, "l2")
    loaded.add([1], [[1] * DIMENSION])
    assert loaded.search([[1] * DIMENSION], 1).ids.tolist() == [[1]]


def test_only_the_index_that_is_wanted_is_accepted(saved):
    assert len(VectorIndex.load(saved, model_id="m", built_from="3")) == N - 2
    with pytest.raises(StoreError, match="built_from '3', not '4'"):
        VectorIndex.load(saved, built_from="4")
    with pytest.raises(StoreError, match="model_id 'm', not 'other'"):
        VectorIndex.load(saved, model_id="other", built_from="3")


def test_the_manifest_tells_what_is_there(saved):
    manifest = manifest_of(saved)
    wanted = {"format": 2, "metric": "cosine", "dimension": 8, "count": N - 2, "model_id": "m"}
    wanted |= {"built_from": "3", "kind": "auto", "faiss": faiss.__version__}
    assert {key: manifest[key] for key in wanted} == wanted
    rows = manifest["segments"][0]["rows"]
    data = (saved / rows["name"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == rows["sha256"]
    assert len(data) == N * DIMENSION * 4


def test_saving_another_index_leaves_no_strays(copy):
    build("l2").save(copy)
    suffixes = sorted(path.suffix or path.name for path in copy.iterdir())
    assert suffixes == [".arrow", ".faiss", ".json", ".json", ".lock", ".rows"]
    assert answers(VectorIndex.load(copy)) == answers(build("l2"))


@pytest.mark.parametrize("reload", [False, True])
def test_what_lies_there_is_not_written_again(tmp_path, reload):
    index = build("l2", np.arange(N))
    index.save(tmp_path)
    before = data_files(tmp_path)
    if reload:
        index = VectorIndex.load(tmp_path)
    index.add(np.arange(N, N + 90), MORE)
    index.remove([7])
    index.save(tmp_path)
    after = data_files(tmp_path)
    assert before.items() <= after.items()
    written = [tmp_path / name for name in after.keys() - before.keys()]
    assert sorted(path.suffix for path in written) == [".arrow", ".dead", ".rows"]
    assert sum(path.stat().st_size for path in written) < 10_000
    assert answers(VectorIndex.load(tmp_path)) == answers(index)


def test_many_small_saves_leave_few_files_and_write_each_row_seldom(tmp_path):
    index = VectorIndex(DIMENSION, metric="l2")
    written = 0
    for start in range(0, 1000, 10):
        index.add(np.arange(start, start + 10), BASE[start : start + 10])
        before = data_files(tmp_path) if start else {}
        index.save(tmp_path)
        new = data_files(tmp_path).items() - before.items()
        written += sum((tmp_path / name).stat().st_size for name, _ in new if "rows" in name)
        index = VectorIndex.load(tmp_path) if start % 30 == 0 else index
    assert len(manifest_of(tmp_path)["segments"]) <= 8
    assert written < 10 * 1000 * DIMENSION * 4
    whole = VectorIndex(DIMENSION, metric="l2")
    whole.add(np.arange(1000), BASE[:1000])
    assert answers(VectorIndex.load(tmp_path)) == answers(whole)


def test_an_index_is_saved_in_several_folders_by_turns(tmp_path):
    index = VectorIndex(DIMENSION, metric="l2")
    for start in range(0, 400, 100):
        index.add(np.arange(start, start + 100), BASE[start : start + 100])
        folder = tmp_path / str(start % 200)
        index.save(folder)
        if start == 200:
            shutil.copytree(folder, tmp_path / "copy")
            index.save(tmp_path / "copy")
        assert answers(VectorIndex.load(folder)) == answers(index)
        verify(folder)
    index.remove([3])
    index.save(tmp_path / "copy")
    assert answers(VectorIndex.load(tmp_path / "copy")) == answers(index)


def test_vectors_that_were_all_replaced_are_saved(tmp_path):
    index = VectorIndex(DIMENSION, metric="l2")
    index.add(np.arange(100), BASE[:100])
    index.save(tmp_path)
    index.upsert(np.arange(100), BASE[100:200])
    index.save(tmp_path)
    assert answers(VectorIndex.load(tmp_path)) == answers(index)
    np.testing.assert_array_equal(index.reconstruct(range(100)), BASE[100:200].astype(np.float32))


def test_who_builds_in_a_folder_keeps_others_out_of_it(tmp_path):
    other = VectorIndex(DIMENSION)
    other.add(["other"], BASE[:1])
    saver = threading.Thread(target=other.save, args=[tmp_path])

    def batches():
        yield ["a"], BASE[:1]
        saver.start()
        saver.join(0.2)
        yield ["b"], BASE[1:2]

    built = VectorIndex.build(tmp_path, DIMENSION, batches())
    saver.join()
    assert built.ids.tolist() == ["a", "b"]
    assert VectorIndex.load(tmp_path).ids.tolist() == ["other"]


def test_two_who_save_in_one_folder_never_mix(tmp_path):
    build("l2").save(tmp_path)
    one, other = VectorIndex.load(tmp_path), VectorIndex.load(tmp_path)
    one.add([f"one {i}" for i in range(90)], MORE)
    other.add([f"other {i}" for i in range(90)], -MORE)
    one.save(tmp_path)
    other.save(tmp_path)
    assert answers(VectorIndex.load(tmp_path)) == answers(other)
    one.save(tmp_path)
    assert answers(VectorIndex.load(tmp_path)) == answers(one)


def test_a_reader_keeps_its_index_while_another_is_saved_there(copy, right):
    loaded = VectorIndex.load(copy)
    build("l2").save(copy)
    assert answers(loaded) == right


def test_saving_leaves_other_people_s_files_alone(tmp_path):
    others = {
        name: tmp_path / name for name in ("thesis.docx", "notes.json", f"{'a' * 32}.json", "x")
    }
    for path in others.values():
        path.write_text("mine")
    (tmp_path / "pictures").mkdir()
    build().save(tmp_path)
    build().save(tmp_path)
    assert all(path.read_text() == "mine" for path in others.values())
    assert (tmp_path / "pictures").is_dir()


def test_a_crash_before_the_manifest_is_replaced_keeps_the_old_index(copy, tmp_path, right):
    build("l2").save(tmp_path / "other")
    for path in (tmp_path / "other").iterdir():  # all that a crashed save has written
        name = f"{'0' * 32}.index-draft" if path.name == "manifest.json" else path.name
        shutil.copy(path, copy / name)
    (copy / f"{'1' * 32}.faiss").write_bytes(b"half")
    assert answers(VectorIndex.load(copy)) == right
    build("l2").save(copy)
    assert not [path for path in copy.iterdir() if path.name[:9] in ("0" * 9, "1" * 9)]


DATA = ["*.rows", "*.faiss", "*.arrow", "*.dead"]
FILES = ["manifest.json", *DATA]


def the_file(folder: Path, pattern: str) -> Path:
    return next(iter(folder.glob(pattern)))


@pytest.mark.parametrize("pattern", FILES)
@pytest.mark.parametrize("size", [None, 0, 1, 0.5, -1])
def test_missing_and_truncated_files_are_refused(copy, pattern, size):
    VectorIndex.load(copy)
    path = the_file(copy, pattern)
    data = path.read_bytes()
    if size is None:
        path.unlink()
    else:
        path.write_bytes(data[: int(size * len(data)) if 0 < size < 1 else size])
    with pytest.raises(StoreError, match="build the index anew") as refused:
        VectorIndex.load(copy)
    assert path.name in str(refused.value)
    with pytest.raises(StoreError, match="build the index anew"):
        verify(copy)


@pytest.mark.parametrize("pattern", DATA)
def test_a_flipped_bit_anywhere_in_the_data_is_noticed(copy, pattern):
    path = the_file(copy, pattern)
    data = path.read_bytes()
    for position in range(0, len(data), 1 + len(data) // 60):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(data)
        VectorIndex.load(copy)  # found right, and noted as such
        path.write_bytes(flipped)
        with pytest.raises(StoreError, match=f"{path.name} was truncated or altered"):
            VectorIndex.load(copy)


@pytest.mark.parametrize("pattern", DATA)
def test_a_change_that_hides_its_time_is_noticed(copy, pattern):
    VectorIndex.load(copy)
    path = the_file(copy, pattern)
    state = path.stat()
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(StoreError, match="altered"):
        VectorIndex.load(copy)


@pytest.mark.parametrize("pattern", ["*.rows", "*.arrow"])
def test_what_was_altered_after_it_was_loaded_is_not_taken_for_right_by_saving(
    tmp_path, monkeypatch, pattern
):
    monkeypatch.setattr(_files, "_TICK_NS", -(10**12))  # as if all had been written long ago
    build().save(tmp_path)
    index = VectorIndex.load(tmp_path)
    path = the_file(tmp_path, pattern)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "other").write_bytes(data)
    (tmp_path / "other").replace(path)
    index.add(["new"], MORE[:1])
    index.save(tmp_path)
    assert path.exists()  # the rows from before are not written again
    with pytest.raises(StoreError, match=f"{path.name} was truncated or altered"):
        VectorIndex.load(tmp_path)


def test_files_that_were_found_right_are_not_read_again_but_by_verify(copy, monkeypatch):
    if _files._boot() is None:
        pytest.skip("this system does not tell its starts apart")
    past = time.time_ns() - 10**10
    monkeypatch.setattr(_files, "_TICK_NS", -(10**12))  # as if all had been written long ago
    VectorIndex.load(copy)
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda f, name: read.append(f) or digest(f, name))
    VectorIndex.load(copy)
    assert not read
    verify(copy)
    assert len(read) == 4
    path = the_file(copy, "*.rows")
    os.utime(path, ns=(past, past))
    read.clear()
    VectorIndex.load(copy)
    assert len(read) == 1
    read.clear()
    monkeypatch.setattr(_files, "_boot", lambda: "another start of the machine")
    VectorIndex.load(copy)
    assert len(read) == 4


def test_what_was_written_just_now_need_not_be_read(tmp_path, monkeypatch):
    if _files._boot() is None:
        pytest.skip("this system does not tell its starts apart")
    monkeypatch.setattr(_files, "_TICK_NS", -(10**12))  # as if it had been written long ago
    changed().save(tmp_path)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert len(VectorIndex.load(tmp_path)) == N - 2


def test_a_file_noted_in_the_moment_of_its_change_is_read_again(copy, monkeypatch):
    # Its next change could fall on the same tick of the file system's clock and show nothing.
    VectorIndex.load(copy)
    notes = json.loads((copy / "verified.json").read_text())
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda f, name: read.append(f) or digest(f, name))
    for later, expected in ((10**9, 0), (1000, 4)):
        for note in notes["files"].values():
            note[0] = note[4] + later
        (copy / "verified.json").write_text(json.dumps(notes))
        VectorIndex.load(copy)
        assert len(read) == (expected if notes["boot"] else 4)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"boot": 1}', "null"])
def test_notes_that_can_t_be_read_cost_time_only(copy, right, text):
    (copy / "verified.json").write_text(text)
    assert answers(VectorIndex.load(copy)) == right


def test_notes_altered_at_will_never_lead_to_a_wrong_answer(copy, right):
    VectorIndex.load(copy)
    path, rows = copy / "verified.json", the_file(copy, "*.rows")
    notes = path.read_bytes()
    data = bytearray(rows.read_bytes())
    data[5] ^= 1
    rows.write_bytes(data)
    for position in range(0, len(notes) * 8, 5):
        flipped = bytearray(notes)
        flipped[position // 8] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(StoreError, match="altered"):
            VectorIndex.load(copy)


def test_a_flipped_bit_in_the_manifest_gives_an_error_or_the_right_answer(copy, right):
    path = copy / "manifest.json"
    data = path.read_bytes()
    refused = 0
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        path.write_bytes(flipped)
        try:
            loaded = VectorIndex.load(copy)
        except StoreError:
            refused += 1
        else:
            assert answers(loaded) == right
    assert refused > len(data) * 4


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 8, N, N - 2, 2**31, 2**64, -1])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["cosine", "l2", "flat", "ivf", "pq", "..", "", "/etc/passwd", "a\0b", "CON"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
places = [
    *[(key,) for key in ("format", "faiss", "kind", "quantizer", "metric", "dimension", "count")],
    *[(key,) for key in ("segments", "dead", "sketch")],
    *[("sketch", key) for key in ("name", "kind", "quantizer", "covers", "scale")],
    *[("segments", 0, key) for key in ("count", "rows", "ids")],
    *[(*role, key) for role in (("dead",), ("segments", 0, "ids")) for key in ("name", "sha256")],
]


@pytest.mark.parametrize("sealed", [False, True])
@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(places), json_values), min_size=1, max_size=3))
def test_a_manifest_altered_at_will_never_crashes(saved, right, sealed, changes):
    original = (saved / "manifest.json").read_text()
    manifest = json.loads(original)
    for place, value in changes:
        target = manifest
        for key in place[:-1]:
            try:
                target = target[key]
            except (TypeError, LookupError):  # a change before this one took the place away
                target = None
        if isinstance(target, dict):
            target[place[-1]] = value
    if sealed:
        put_manifest(saved, manifest)
    else:
        (saved / "manifest.json").write_text(json.dumps(manifest))
    try:
        loaded = VectorIndex.load(saved)
    except StoreError:
        pass
    else:
        assert sealed or answers(loaded) == right
    finally:
        (saved / "manifest.json").write_text(original)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", "3", '{"format": 2}', "\ufeff{}", "[" * 100_000, '{"format": 1}'],
    ids=range(9),
)
def test_foreign_manifests_are_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(tmp_path)


@pytest.mark.parametrize("folder", ["", "absent", "file"])
def test_a_place_without_an_index_is_refused(tmp_path, folder):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="manifest"):
        VectorIndex.load(tmp_path / folder)


def entry_of(manifest: dict, role: str) -> dict:
    return manifest[role] if role in manifest else manifest["segments"][0][role]


@pytest.mark.parametrize("role", ["rows", "ids", "sketch", "dead"])
@pytest.mark.parametrize("form", ["../secret/{}", "{absolute}", "./{}", "sub/../{}"])
def test_a_manifest_never_leads_out_of_its_folder(copy, tmp_path, role, form):
    manifest = manifest_of(copy)
    name = entry_of(manifest, role)["name"]
    (tmp_path / "secret").mkdir()
    (copy / "sub").mkdir()
    secret = Path(shutil.copy(copy / name, tmp_path / "secret" / name))
    entry_of(manifest, role)["name"] = form.format(name, absolute=secret)
    put_manifest(copy, manifest)
    with pytest.raises(StoreError, match="names files that are not of an index"):
        VectorIndex.load(copy)


def replace(folder: Path, role: str, path: Path) -> None:
    """Put another file in the place of one, with checksums that fit it."""
    manifest = manifest_of(folder)
    entry = entry_of(manifest, role)
    shutil.copy(path, folder / entry["name"])
    entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    put_manifest(folder, manifest)


def sketch(dimension: int, n: int, metric=faiss.METRIC_L2):
    signed = faiss.ScalarQuantizer.QT_8bit_direct_signed
    index = faiss.IndexScalarQuantizer(dimension, signed, metric)
    index.add(np.ones((n, dimension), np.float32))
    return index


@pytest.mark.parametrize(
    "make",
    [
        lambda: sketch(8, N + 1),
        lambda: sketch(8, N - 1),
        lambda: sketch(9, N),
        lambda: sketch(8, N, faiss.METRIC_INNER_PRODUCT),
        lambda: faiss.IndexScalarQuantizer(8, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2),
        lambda: faiss.IndexFlatL2(8),
        lambda: faiss.IndexHNSWFlat(8, 4),
        lambda: faiss.IndexIDMap2(faiss.IndexFlatIP(8)),
        None,
    ],
)
def test_another_faiss_file_is_refused(copy, tmp_path, make):
    path = tmp_path / "other"
    if make is None:
        path.write_bytes(b"IxFI" + b"\xff" * 99)
    else:
        faiss.write_index(make(), str(path))
    replace(copy, "sketch", path)
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(copy)


def test_a_sketch_of_more_rows_than_there_are_is_refused(copy, tmp_path):
    faiss.write_index(sketch(8, N + 1), str(tmp_path / "other"))
    replace(copy, "sketch", tmp_path / "other")
    manifest = manifest_of(copy)
    manifest["sketch"]["covers"] = N + 1
    put_manifest(copy, manifest)
    with pytest.raises(StoreError, match="does not fit its manifest"):
        VectorIndex.load(copy)


def test_another_number_of_vectors_than_there_are_is_refused(copy):
    put_manifest(copy, manifest_of(copy) | {"count": N})
    with pytest.raises(StoreError, match=f"does not hold {N} vectors"):
        VectorIndex.load(copy)


def test_ids_of_two_types_are_refused(tmp_path):
    index = VectorIndex(DIMENSION)
    for start, stop in ((0, 300), (300, 310)):
        index.add(np.arange(start, stop), BASE[start:stop])
        index.save(tmp_path / "index")
    texts = pa.table({"id": [f"{i}" for i in range(300)]})
    with pa.ipc.new_file(str(tmp_path / "other"), texts.schema) as file:
        file.write_table(texts)
    assert len(manifest_of(tmp_path / "index")["segments"]) == 2
    replace(tmp_path / "index", "ids", tmp_path / "other")
    with pytest.raises(StoreError, match="of several types"):
        VectorIndex.load(tmp_path / "index")


@pytest.mark.parametrize("size", [0, N * DIMENSION * 4 - 4, N * DIMENSION * 4 + 4])
def test_rows_of_another_size_are_refused(copy, tmp_path, size):
    (tmp_path / "other").write_bytes(b"\0" * size)
    replace(copy, "rows", tmp_path / "other")
    with pytest.raises(StoreError, match=f"does not hold {N} vectors"):
        VectorIndex.load(copy)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"id": [f"{i}" for i in range(N - 1)]}),
        pa.table({"other": [f"{i}" for i in range(N)]}),
        pa.table({"id": [i / 2 for i in range(N)]}),
        pa.table({"id": pa.array(range(N), pa.int32())}),
        pa.table({"id": pa.array([None] * N, pa.string())}),
        pa.table({"id": pa.array([], pa.string())}),
        None,
    ],
    ids=range(7),
)
def test_another_file_of_ids_is_refused(copy, tmp_path, table):
    path = tmp_path / "other"
    if table is None:
        path.write_bytes(b"ARROW1\0\0" + b"\xff" * 99)
    else:
        with pa.ipc.new_file(str(path), table.schema) as file:
            file.write_table(table)
    replace(copy, "ids", path)
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(copy)


LETTERS = np.random.default_rng(0).integers(97, 123, size=(N, 99)).astype("S1")


@pytest.mark.parametrize(
    ("pattern", "ids", "dimension"),
    [
        ("*.rows", range(N), 64),
        ("*.arrow", [b"".join(row).decode() for row in LETTERS], 8),
    ],
)
def test_a_full_disk_is_an_oserror_and_the_old_index_stays(
    copy, tmp_path, right, pattern, ids, dimension
):
    resource = pytest.importorskip("resource", reason="without it no write can be made to fail")
    big = VectorIndex(dimension)
    big.add(ids, np.random.default_rng(1).normal(size=(N, dimension)))
    big.save(tmp_path / "whole")
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "whole").iterdir()}
    path = the_file(tmp_path / "whole", pattern)
    assert max(sizes, key=sizes.get) == path.name
    limit = path.stat().st_size - 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        with pytest.raises(OSError, match="too large"):
            big.save(copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert answers(VectorIndex.load(copy)) == right
    big.save(copy)
    assert len(data_files(copy)) == len(data_files(tmp_path / "whole"))
