"""A saved index is read back as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rememberai import VectorIndex
from rememberai.errors import StoreError

faiss = pytest.importorskip("faiss")

rng = np.random.default_rng(0)
BASE, QUERIES = rng.normal(size=(40, 8)), rng.normal(size=(5, 8))


def build(metric="cosine", ids=None) -> VectorIndex:
    index = VectorIndex(8, metric=metric)
    index.add([f"p{i}" for i in range(40)] if ids is None else ids, BASE)
    return index


def answers(index: VectorIndex):
    found = index.search(QUERIES, 6)
    return len(index), index.metric, found.ids.tolist(), found.distances.tolist()


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "index"
    build().save(folder, model_id="m", built_from=3)
    return folder


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "index"))


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("ids", [None, np.arange(40) - 20])
def test_a_saved_index_answers_as_before(tmp_path, metric, ids):
    index = build(metric, ids)
    index.remove([] if ids is None else [-20, 19])
    index.save(tmp_path / "a" / "b")
    loaded = VectorIndex.load(tmp_path / "a" / "b")
    assert answers(loaded) == answers(index)
    assert loaded.search(QUERIES, 1).ids.dtype == index.search(QUERIES, 1).ids.dtype
    loaded.add(["new"] if ids is None else [77], QUERIES[:1])
    assert loaded.search(QUERIES[:1], 1).ids.tolist() == [["new" if ids is None else 77]]


def test_an_empty_index_is_saved_as_well(tmp_path):
    VectorIndex(8, metric="l2").save(tmp_path)
    loaded = VectorIndex.load(tmp_path)
    assert (len(loaded), loaded.dimension, loaded.metric) == (0, 8, "l2")


def test_only_the_index_that_is_wanted_is_accepted(saved):
    assert len(VectorIndex.load(saved, model_id="m", built_from=3)) == 40
    with pytest.raises(StoreError, match="built_from 3, not 4"):
        VectorIndex.load(saved, built_from=4)
    with pytest.raises(StoreError, match="model_id 'm', not 'other'"):
        VectorIndex.load(saved, model_id="other", built_from=3)


def test_saving_again_leaves_no_strays(copy):
    build("l2").save(copy)
    assert len(list(copy.iterdir())) == 3
    assert answers(VectorIndex.load(copy)) == answers(build("l2"))


def test_saving_leaves_other_people_s_files_alone(tmp_path):
    others = {name: tmp_path / name for name in ("thesis.docx", "notes.json", "old.faiss", "x")}
    for path in others.values():
        path.write_text("mine")
    (tmp_path / "pictures").mkdir()
    build().save(tmp_path)
    build().save(tmp_path)
    assert all(path.read_text() == "mine" for path in others.values())
    assert len(list(tmp_path.iterdir())) == 3 + 5


def test_a_crash_before_the_manifest_is_replaced_keeps_the_old_index(copy, tmp_path):
    build("l2").save(tmp_path / "other")
    for path in (tmp_path / "other").iterdir():  # all that a crashed save has written
        name = f"{'0' * 32}.json" if path.name == "manifest.json" else path.name
        shutil.copy(path, copy / name)
    (copy / f"{'1' * 32}.faiss").write_bytes(b"half")
    assert answers(VectorIndex.load(copy)) == answers(build())
    build("l2").save(copy)
    assert len(list(copy.iterdir())) == 3


FILES = ["manifest.json", "*.faiss", "*.arrow"]


def the_file(folder: Path, pattern: str) -> Path:
    return next(iter(folder.glob(pattern)))


@pytest.mark.parametrize("pattern", FILES)
@pytest.mark.parametrize("size", [None, 0, 1, 0.5, -1])
def test_missing_and_truncated_files_are_refused(copy, pattern, size):
    path = the_file(copy, pattern)
    data = path.read_bytes()
    if size is None:
        path.unlink()
    else:
        path.write_bytes(data[: int(size * len(data)) if 0 < size < 1 else size])
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(copy)


@pytest.mark.parametrize("pattern", FILES[1:])
def test_a_flipped_bit_anywhere_in_the_data_is_noticed(copy, pattern):
    path = the_file(copy, pattern)
    data = path.read_bytes()
    for position in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(StoreError, match="truncated or altered"):
            VectorIndex.load(copy)


def test_a_flipped_bit_in_the_manifest_gives_an_error_or_the_right_answer(copy):
    path = copy / "manifest.json"
    data, right = path.read_bytes(), answers(build())
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
    | st.sampled_from([0, 1, 8, 40, 2**31, 2**64, -1])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["cosine", "l2", "flat", "..", "", "/etc/passwd", "a\0b", "\ud800", "CON"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
places = [
    *[(key,) for key in ("format", "faiss", "kind", "metric", "dimension", "count", "files")],
    *[("files", role) for role in ("vectors", "ids", "extra")],
    *[("files", role, key) for role in ("vectors", "ids") for key in ("name", "sha256")],
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places), json_values), min_size=1, max_size=3))
def test_a_manifest_altered_at_will_gives_an_error_or_the_right_answer(saved, changes):
    original = (saved / "manifest.json").read_text()
    manifest = json.loads(original)
    for place, value in changes:
        target = manifest
        for key in place[:-1]:
            target = target.get(key) if isinstance(target, dict) else None
        if isinstance(target, dict):
            target[place[-1]] = value
    (saved / "manifest.json").write_text(json.dumps(manifest))
    try:
        loaded = VectorIndex.load(saved)
    except StoreError:
        pass
    else:
        assert answers(loaded) == answers(build())
    finally:
        (saved / "manifest.json").write_text(original)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", "3", '{"format": 1}', "\ufeff{}", "[" * 100_000, '{"format": 2}'],
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


@pytest.mark.parametrize("role", ["vectors", "ids"])
@pytest.mark.parametrize("form", ["../secret/{}", "{absolute}", "./{}", "sub/../{}"])
def test_a_manifest_never_leads_out_of_its_folder(copy, tmp_path, role, form):
    manifest = manifest_of(copy)
    name = manifest["files"][role]["name"]
    (tmp_path / "secret").mkdir()
    (copy / "sub").mkdir()
    secret = Path(shutil.copy(copy / name, tmp_path / "secret" / name))
    manifest["files"][role]["name"] = form.format(name, absolute=secret)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="altered"):
        VectorIndex.load(copy)


def replace(folder: Path, role: str, path: Path) -> None:
    """Put another file in the place of one, with a checksum that fits it."""
    manifest = manifest_of(folder)
    name = manifest["files"][role]["name"]
    shutil.copy(path, folder / name)
    manifest["files"][role]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def faiss_file(path: Path, index) -> Path:
    faiss.write_index(index, str(path))
    return path


def flat(dimension: int, n: int):
    index = faiss.IndexFlatIP(dimension)
    index.add(np.ones((n, dimension), np.float32))
    return index


@pytest.mark.parametrize(
    "make",
    [
        lambda: flat(8, 39),
        lambda: flat(9, 40),
        lambda: faiss.IndexFlatL2(8),
        lambda: faiss.IndexHNSWFlat(8, 4),
        lambda: faiss.IndexIDMap2(faiss.IndexFlatIP(8)),
        None,
    ],
)
def test_another_faiss_file_is_refused(copy, tmp_path, make):
    path = tmp_path / "other"
    path.write_bytes(b"IxFI" + b"\xff" * 99) if make is None else faiss_file(path, make())
    replace(copy, "vectors", path)
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(copy)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"id": [f"{i}" for i in range(39)]}),
        pa.table({"other": [f"{i}" for i in range(40)]}),
        pa.table({"id": [i / 2 for i in range(40)]}),
        pa.table({"id": pa.array(range(40), pa.int32())}),
        pa.table({"id": pa.array([None] * 40, pa.string())}),
        None,
    ],
    ids=range(6),
)
def test_another_file_of_ids_is_refused(copy, tmp_path, table):
    path = tmp_path / "other"
    if table is None:
        path.write_bytes(b"ARROW1\0\0" + b"\xff" * 99)
    else:
        pyarrow.feather.write_feather(table, path)
    replace(copy, "ids", path)
    with pytest.raises(StoreError, match="build the index anew"):
        VectorIndex.load(copy)


LETTERS = np.random.default_rng(0).integers(97, 123, size=(40, 99)).astype("S1")


@pytest.mark.parametrize(
    ("pattern", "ids", "dimension"),
    [
        ("*.faiss", range(40), 64),  # its end waits in a buffer until the file is closed
        ("*.arrow", [b"".join(row).decode() for row in LETTERS], 8),
    ],
)
def test_a_full_disk_is_an_oserror_and_the_old_index_stays(copy, tmp_path, pattern, ids, dimension):
    resource = pytest.importorskip("resource", reason="without it no write can be made to fail")
    big = VectorIndex(dimension)
    big.add(ids, np.random.default_rng(1).normal(size=(40, dimension)))
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
    assert answers(VectorIndex.load(copy)) == answers(build())
    big.save(copy)
    assert len(list(copy.iterdir())) == 3
