"""Opening after a loss of power: a version that was not published is adopted whole or put aside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from store_rows import content, make, rows

from rememberai import MemoryStore
from rememberai.errors import StoreError
from rememberai.store.check import check_store


class Crashed:
    """A store whose last write was committed, and whose machine stopped before publishing it."""

    def __init__(self, path: Path, last) -> None:
        store = make(path)
        store.upsert(rows(["a", "b", "c"]))
        store.upsert(rows(["d"]))
        self.path = path
        self.published = content(store)
        manifest = (path / "store.json").read_bytes()
        before = set(path.rglob("*"))
        store.upsert(last)
        self.committed = content(store)
        (path / "store.json").write_bytes(manifest)
        self.new = [file for file in sorted(path.rglob("*")) if file not in before]

    def file(self, folder: str) -> Path:
        (path,) = [f for f in self.new if f.parent.name == folder and f.suffix != ".json"]
        return path

    def assert_only_published(self) -> None:
        """Nothing but what was published is there, nothing is deleted, and writing goes on."""
        store = MemoryStore.open(self.path)
        assert content(store) == self.published
        store.upsert(rows(["z"]))
        assert content(store) == self.published | {"z": rows(["z"]).to_pylist()[0]}
        again = MemoryStore.open(self.path)
        assert (content(again), again.version) == (content(store), store.version)


LAST = {"an insertion": rows(["new"]), "an update": rows(["a", "new"], seed=1, caption="new")}


@pytest.fixture(params=LAST.values(), ids=LAST)
def crashed(request, tmp_path) -> Crashed:
    return Crashed(tmp_path / "s", request.param)


def test_a_whole_version_is_adopted_and_published(crashed):
    assert crashed.committed != crashed.published
    store = MemoryStore.open(crashed.path)
    assert content(store) == crashed.committed
    assert f'"version": {store.version}' in (crashed.path / "store.json").read_text()
    store.upsert(rows(["z"]))
    assert len(MemoryStore.open(crashed.path)) == len(crashed.committed) + 1
    assert not (crashed.path / "set-aside").exists()


DAMAGE = {
    "missing": None,
    "empty": lambda data: b"",
    "cut to a byte": lambda data: data[:1],
    "cut early": lambda data: data[:400],
    "cut in half": lambda data: data[: len(data) // 2],
    "cut late": lambda data: data[:-1],
    "zero": lambda data: bytes(len(data)),
    "zero at its end": lambda data: data[:-100] + bytes(100),
}


def damage(path: Path, how) -> bytes:
    data = path.read_bytes()
    path.unlink()
    if how is not None:
        path.write_bytes(how(data))
    return data


@pytest.mark.parametrize("how", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("folder", ["data", "_versions", "_deletions"])
def test_a_damaged_version_is_set_aside(tmp_path, folder, how):
    crashed = Crashed(tmp_path / "s", LAST["an update"])
    path, manifest = crashed.file(folder), crashed.file("_versions")
    damage(path, how)
    left = manifest.read_bytes() if manifest.exists() else None
    bad = path.read_bytes() if path.exists() else None
    crashed.assert_only_published()
    aside = {
        file.relative_to(crashed.path / "set-aside"): file.read_bytes()
        for file in (crashed.path / "set-aside").rglob("*")
        if file.is_file()
    }
    if left is not None:
        assert aside.pop(manifest.relative_to(crashed.path)) == left
    if bad is not None and folder != "_versions":
        assert aside.pop(path.relative_to(crashed.path)) == bad
    assert all(name.parent.name in ("data", "_deletions") for name in aside)


def test_a_version_that_can_be_read_but_was_altered_is_set_aside(tmp_path):
    crashed = Crashed(tmp_path / "s", LAST["an insertion"])
    path = crashed.file("data")
    data = path.read_bytes()
    place = data.index(b"about new")
    path.write_bytes(data[:place] + b"About new" + data[place + 9 :])
    crashed.assert_only_published()


def test_a_version_whose_list_of_files_was_altered_is_set_aside(tmp_path):
    """Some of the alterations Lance reads as if nothing were wrong."""
    crashed = Crashed(tmp_path / "s", LAST["an update"])
    name = crashed.file("_versions").relative_to(crashed.path)
    data = (crashed.path / name).read_bytes()
    for number, place in enumerate(range(0, len(data), len(data) // 25)):
        copy = Path(shutil.copytree(crashed.path, tmp_path / str(place)))
        flipped = bytearray(data)
        flipped[place] ^= 1 << number % 8
        (copy / name).write_bytes(flipped)
        assert content(MemoryStore.open(copy)) == crashed.published


def test_the_number_of_a_version_that_was_set_aside_is_used_again(tmp_path):
    crashed = Crashed(tmp_path / "s", LAST["an insertion"])
    manifest = crashed.file("_versions")
    damage(manifest, DAMAGE["cut in half"])
    crashed.assert_only_published()
    assert manifest.exists()
    assert check_store(crashed.path).count("failed") == 0


def test_a_manifest_cut_anywhere_never_stops_opening(tmp_path):
    # Lance panics, beside Exception, on some of them.
    crashed = Crashed(tmp_path / "s", LAST["an update"])
    data = crashed.file("_versions").read_bytes()
    for size in range(0, len(data), 700):
        copy = Path(shutil.copytree(crashed.path, tmp_path / str(size)))
        (copy / crashed.file("_versions").relative_to(crashed.path)).write_bytes(data[:size])
        assert content(MemoryStore.open(copy)) == crashed.published


def test_of_two_unpublished_versions_the_newest_whole_one_is_adopted(tmp_path):
    for broken, kept in ((1, 0), (0, 1)):
        path = tmp_path / str(broken)
        store = make(path)
        store.upsert(rows(["a"]))
        manifest = (path / "store.json").read_bytes()
        files, contents = [], []
        for i in ("b", "c"):
            before = set((path / "photos.lance" / "_versions").iterdir())
            store.upsert(rows([i]))
            files += [f for f in (path / "photos.lance" / "_versions").iterdir() if f not in before]
            contents.append(content(store))
        (path / "store.json").write_bytes(manifest)
        damage(files[broken], DAMAGE["cut in half"])
        opened = MemoryStore.open(path)
        assert content(opened) == contents[kept]
        opened.upsert(rows(["z"]))
        assert len(MemoryStore.open(path)) == len(contents[kept]) + 1


def test_every_version_that_is_set_aside_is_kept(tmp_path):
    store = make(tmp_path / "s")
    for number in range(3):  # the same version number each time
        manifest = (store.path / "store.json").read_bytes()
        before = set(store.path.rglob("*.manifest"))
        store.upsert(rows([str(number)]))
        (new,) = set(store.path.rglob("*.manifest")) - before
        new.write_bytes(bytes([number]))
        (store.path / "store.json").write_bytes(manifest)
        store = MemoryStore.open(store.path)
        assert len(store) == 0
    kept = sorted(file.read_bytes() for file in (store.path / "set-aside").rglob("*.manifest"))
    assert kept == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize("hint", [b"", bytes(13), b'{"version":1}', b'{"version":99}', b"[[", None])
def test_lance_s_hint_at_its_latest_version_is_not_relied_upon(tmp_path, hint):
    store = make(tmp_path / "s")
    store.upsert(rows(["a"]))
    store.upsert(rows(["b"]))
    path = store.path / "photos.lance" / "_versions" / "latest_version_hint.json"
    path.unlink(missing_ok=True) if hint is None else path.write_bytes(hint)
    opened = MemoryStore.open(store.path)
    assert sorted(content(opened)) == ["a", "b"]
    opened.upsert(rows(["c"]))
    assert sorted(content(MemoryStore.open(store.path))) == ["a", "b", "c"]


@pytest.mark.parametrize("how", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("folder", ["data", "_versions", "_deletions"])
def test_damage_to_what_was_published_is_a_store_error(tmp_path, folder, how):
    crashed = Crashed(tmp_path / "s", LAST["an update"])
    store = MemoryStore.open(crashed.path)  # adopts and publishes
    damage(crashed.file(folder), how)
    del store
    with pytest.raises(StoreError, match="restore the store's folder"):
        content(MemoryStore.open(crashed.path))
