"""What was acknowledged stays, whenever the writer dies and whoever else writes."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest
from store_rows import content, make, rows

from rememberai import MemoryStore
from rememberai.errors import StoreError
from rememberai.store import check_store, durable

WRITER = Path(__file__).with_name("writer.py")


def start(store: MemoryStore, name: str, count: int) -> subprocess.Popen:
    """Start a writer, and wait until it has opened the store."""
    process = subprocess.Popen(
        [sys.executable, str(WRITER), str(store.path), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "open\n"
    return process


def go(process: subprocess.Popen) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


def expected(name: str, acknowledged: int) -> dict[str, str]:
    """Tell the caption of each row that a writer wrote alone."""
    last = {f"{name}-last": str(acknowledged - 1)} if acknowledged else {}
    return {f"{name}-{number}": str(number) for number in range(acknowledged)} | last


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("seed", range(10))
def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path, seed):
    store = make(tmp_path / "s")
    chance = random.Random(seed)
    process = start(store, "w", 1000)
    go(process)
    acknowledged = 0
    for _ in range(chance.randrange(1, 6)):
        assert process.stdout.readline() == f"{acknowledged}\n"
        acknowledged += 1
    for _ in range(chance.randrange(1_500_000)):  # somewhere within the next write
        pass
    process.send_signal(signal.SIGKILL)
    acknowledged += len(process.communicate()[0].splitlines())
    opened = MemoryStore.open(store.path)
    captions = {i: row["caption"] for i, row in content(opened).items()}
    for i, caption in expected("w", acknowledged).items():
        assert int(captions[i]) >= int(caption)
    # A write is there as a whole or not at all.
    last = int(captions["w-last"])
    assert acknowledged - 1 <= last <= acknowledged
    assert len(captions) == 2 * (last + 1) + 1
    opened.upsert(rows(["after"]))
    assert len(MemoryStore.open(store.path)) == len(captions) + 1


def test_processes_that_write_at_once_lose_and_double_nothing(tmp_path):
    store = make(tmp_path / "s")
    count, names = 12, ["first", "second"]
    writers = [start(store, name, count) for name in names]
    for process in writers:
        go(process)
    for process in writers:
        assert len(process.communicate()[0].splitlines()) == count
        assert process.returncode == 0
    opened = MemoryStore.open(store.path)
    captions = {i: row["caption"] for i, row in content(opened).items()}
    alone = {i: c for name in names for i, c in expected(name, count).items()}
    shared = {f"shared-{number}": str(number) for number in range(count)}
    assert captions == alone | shared


def test_a_store_opened_before_another_wrote_joins_what_it_writes(tmp_path):
    make(tmp_path / "s")
    a, b = MemoryStore.open(tmp_path / "s"), MemoryStore.open(tmp_path / "s")
    a.upsert(rows(["both", "only a"]))
    b.upsert(rows(["both", "only b"], seed=1))
    assert sorted(content(b)) == ["both", "only a", "only b"]
    assert b.version > a.version
    assert content(b)["both"] == rows(["both"], seed=1).to_pylist()[0]
    assert content(MemoryStore.open(tmp_path / "s")) == content(b)
    assert sorted(content(a)) == ["both", "only a"]
    a.upsert(rows(["a again", "both"], seed=2))
    assert sorted(content(a)) == ["a again", "both", "only a", "only b"]
    assert content(a)["both"] == rows(["both"], seed=2).to_pylist()[0]


class Disk:
    """Watches what Python flushes and renames; Lance itself flushes nothing."""

    def __init__(self, monkeypatch) -> None:
        self.flushed: set[tuple[int, int, int]] = set()
        self.names: dict[int, set[str]] = {}  # of a folder when it was flushed
        self.published: list[set[str]] = []  # what was not flushed at each publication
        fsync, replace = os.fsync, Path.replace

        def watched_fsync(descriptor: int) -> None:
            fsync(descriptor)
            status = os.fstat(descriptor)
            self.flushed.add((status.st_ino, status.st_size, status.st_mtime_ns))
            if stat.S_ISDIR(status.st_mode):
                self.names[status.st_ino] = set(os.listdir(descriptor))

        def watched_replace(path: Path, target: Path) -> Path:
            if Path(target).name == "store.json":
                self.published.append(self.unflushed(Path(target).parent))
            return replace(path, target)

        monkeypatch.setattr(os, "fsync", watched_fsync)
        monkeypatch.setattr(Path, "replace", watched_replace)

    def unflushed(self, root: Path) -> set[str]:
        """List what a loss of power could still take: files, and folders with their entries."""
        left = set()
        for name in ("photos.lance", "checksums"):
            if name not in self.names.get(root.stat().st_ino, ()):
                left.add(f"the name {name}")
        table = root / "photos.lance"
        for path in [root / "checksums", table, *table.rglob("*")]:
            status = path.stat()
            if (status.st_ino, status.st_size, status.st_mtime_ns) not in self.flushed:
                left.add(str(path.relative_to(root)))
        return left


@pytest.mark.skipif(os.name == "nt", reason="Windows has no flush of folders")
def test_all_is_on_the_disk_before_a_version_is_published(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    store = make(tmp_path / "s")
    store.upsert(rows(["a", "b"]))
    store.upsert(rows(["b", "c"]))  # the first to write a deletion vector, in a new folder
    store.upsert(rows(["d"]))
    MemoryStore.open(store.path).upsert(rows(["e"]))
    assert disk.published == [set()] * 5
    draft = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert draft == [".write.lock"]
    for folder in (tmp_path, store.path):  # which hold the names of the store and its manifest
        status = folder.stat()
        assert (status.st_ino, status.st_size, status.st_mtime_ns) in disk.flushed


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="a file's name can't be asked for")
@pytest.mark.parametrize("failing", ["data", "_versions", "checksums"])
def test_what_the_disk_did_not_keep_is_not_acknowledged(tmp_path, monkeypatch, failing):
    store = make(tmp_path / "s")
    store.append(rows(["a"]))
    fsync, failed = os.fsync, []

    def watched(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if failing in (path.name, path.parent.name):
            failed.append(path)
            raise OSError(5, "Input/output error")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", watched)
        with pytest.raises(StoreError, match="Input/output error"):
            store.append(rows(["b"]))
    assert failed
    assert json.loads((store.path / "store.json").read_text())["version"] == store.version
    assert sorted(content(store)) == ["a"]
    opened = MemoryStore.open(store.path)
    opened.append(rows(["c"]))
    assert {"a", "c"} <= content(opened).keys() <= {"a", "b", "c"}
    assert not check_store(store.path).with_status("failed", "waiting")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no flush of folders")
def test_an_adopted_version_without_checksums_is_flushed_before_it_is_published(
    tmp_path, monkeypatch
):
    with zipfile.ZipFile(Path(__file__).with_name("kept") / "format1.zip") as kept:
        kept.extractall(tmp_path / "s")
    manifest = tmp_path / "s" / "store.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 2}))
    disk = Disk(monkeypatch)
    assert sorted(content(MemoryStore.open(tmp_path / "s"))) == ["a", "b", "c", "d"]
    assert disk.published == [set()]


def test_windows_flushes_only_what_is_open_for_writing(tmp_path, monkeypatch):
    """There fsync refuses a descriptor that can only be read, and no folder can be opened."""

    class Windows:
        name = "nt"
        opened: ClassVar[dict[int, int]] = {}

        def __getattr__(self, name):
            return getattr(os, name)

        def open(self, path, flags):
            assert not Path(path).is_dir(), "PermissionError there"
            descriptor = os.open(path, flags)
            self.opened[descriptor] = flags
            return descriptor

        def fsync(self, descriptor):
            if not self.opened.get(descriptor, os.O_RDWR) & os.O_RDWR:
                raise OSError(9, "Bad file descriptor")
            os.fsync(descriptor)

    monkeypatch.setattr(durable, "os", Windows())
    durable.write_atomically(tmp_path / "a", b"content")
    durable.sync_file(tmp_path / "a")
    durable.sync_folder(tmp_path)
    assert Windows.opened
    assert (tmp_path / "a").read_bytes() == b"content"
