"""What was acknowledged outlives a loss of power, whatever the disk had not yet been told to keep.

`power_loss_trace` tells how the changes that a writer makes are recorded, and `power_loss` which
disks they may leave. That the test sees a loss is shown by disks that are deaf to some flushes.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from power_loss import Disk, Event, Loss, losses, moments, said
from power_loss_trace import SUPPORTED, TracingRefusedError, UnfollowedError, record
from power_loss_writer import allowed, batch, content, problem, read

from rememberai import MemoryStore

WRITER = Path(__file__).with_name("power_loss_writer.py")
STEPS = 8


def traced(command: list[str], root: Path) -> list[Event]:
    if not SUPPORTED:
        pytest.skip("system calls are followed on Linux on x86-64 only")
    try:
        return record(command, root)
    except TracingRefusedError as error:
        pytest.skip(f"this machine lets no process follow another: {error}")


def recorded(root: Path, first: int, last: int) -> list[Event]:
    return traced([sys.executable, str(WRITER), str(root / "s"), str(first), str(last)], root)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, list[Event]]:
    """A folder with a store in it, and all that happened there."""
    root = tmp_path_factory.mktemp("written")
    return root, recorded(root, 0, STEPS)


def problems(root: Path, events: list[Event], folder: Path, cuts, how) -> list[str]:
    """List what went wrong in each loss of power that did harm."""
    found = []
    for number, (cut, loss) in enumerate(zip(cuts, how, strict=True)):
        left = folder / str(number)
        Disk(root, events[:cut]).after_loss(left, loss)
        if wrong := problem(left / "s", allowed(said(events[:cut]))):
            found.append(f"after {cut} of {len(events)} events, {loss}: {wrong}")
    return found


def tree(root: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def test_the_record_is_whole(written, tmp_path):
    root, events = written
    assert said(events) == ["made", *map(str, range(STEPS))]
    Disk(root, events).after_loss(tmp_path / "copy", Loss("all", "all"))
    assert tree(tmp_path / "copy") == tree(root)


@pytest.mark.parametrize(
    ("names", "data", "left"),
    [
        ("none", "none", {"kept": b"new", "named": b""}),
        ("all", "none", {"kept": b"new", "renamed": b"", "d": None, "d/in it": b""}),
        (
            "all",
            "zeros",
            {"kept": b"new\0\0", "renamed": bytes(3), "d": None, "d/in it": bytes(3)},
        ),
        ("all", "all", {"kept": b"newer", "renamed": b"abc", "d": None, "d/in it": b"\0in"}),
    ],
)
def test_a_disk_forgets_what_was_not_flushed(tmp_path, names, data, left):
    top = str(tmp_path)
    events = [
        Event("open", f"{top}/kept"),
        Event("write", f"{top}/kept", data=b"new"),
        Event("sync", f"{top}/kept"),
        Event("open", f"{top}/named"),
        Event("sync", top),
        Event("write", f"{top}/kept", data=b"er", at=3),
        Event("write", f"{top}/named", data=b"abc"),
        Event("rename", f"{top}/named", f"{top}/renamed"),
        Event("mkdir", f"{top}/d"),
        Event("open", f"{top}/d/in it"),
        Event("write", f"{top}/d/in it", data=b"in", at=1),
    ]
    Disk(tmp_path, events).after_loss(tmp_path / "left", Loss(names, data))
    assert tree(tmp_path / "left") == left


UNSEEN = {
    "memory": "import mmap; f = open(new, 'w+b'); f.truncate(9); mmap.mmap(f.fileno(), 9)",
    "the kernel": "import os; os.copy_file_range(os.open(old, 0), os.open(new, 65), 1)",
    "a link": "import os; os.symlink(old, new)",
}


@pytest.mark.parametrize("way", UNSEEN)
def test_what_can_t_be_followed_is_an_error(tmp_path, way):
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    (tmp_path / "old").write_text("x")
    code = f"print('ready', flush=True); input(); {old = }; {new = }; {UNSEEN[way]}"
    with pytest.raises(UnfollowedError, match="can't be followed"):
        traced([sys.executable, "-c", code], tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_a_loss_of_power_takes_nothing_that_was_acknowledged(written, tmp_path, seed):
    root, events = written
    assert problems(root, events, tmp_path, moments(events, 1, seed), losses(1, seed)) == []


def test_a_version_with_holes_is_not_taken_for_whole(written, tmp_path):
    """Lance has no checksums: rows of zeros that were never flushed read like any others."""
    root, events = written
    committed = [i + 1 for i, event in enumerate(events) if event.what == "link"][1:]
    cuts = [cut for cut in committed for _ in range(4)]
    how = [Loss("all", "blocks", seed) for seed in range(len(cuts))]
    assert problems(root, events, tmp_path, cuts, how) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_no_moment_is_a_bad_one(written, tmp_path, seed):
    root, events = written
    cuts = range(len(events) + 1)
    assert problems(root, events, tmp_path, cuts, losses(len(cuts), seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_power_may_fail_again_while_the_store_is_recovered(written, tmp_path, seed):
    root, events = written
    once, again = tmp_path / "once", tmp_path / "again"
    made = [event.what for event in events].index("say") + 1
    (cut,), (loss,) = moments(events[made:], 1, seed), losses(1, seed)
    Disk(root, events[: made + cut]).after_loss(once, loss)
    shutil.copytree(once, again)
    shutil.copytree(once, tmp_path / "opened")
    before = read(MemoryStore.open(tmp_path / "opened" / "s"))
    more = recorded(again, STEPS, STEPS + 1)
    written = {**before, **content(batch(STEPS))}
    assert read(MemoryStore.open(again / "s")) == written
    for number, (cut, loss) in enumerate(zip(moments(more, 8, seed), losses(8, seed), strict=True)):
        left = tmp_path / str(number)
        Disk(again, more[:cut], start=once).after_loss(left, loss)
        contents = [written] if str(STEPS) in said(more[:cut]) else [before, written]
        assert problem(left / "s", contents) == ""


DEAF = {
    "data files": r"/data/.+",
    "deletions": r"/_deletions/.+",
    "manifests": r"/_versions/.+\.manifest",
    "the published version": r"/\.store\.json.*",
    "the folder of data": r"/data",
    "the folder of deletions": r"/_deletions",
    "the folder of manifests": r"/_versions",
    "the table's folder": r"/photos\.lance",
    "the name of the store": r"",
}


@pytest.mark.parametrize("what", DEAF)
def test_a_disk_that_is_deaf_to_some_flushes_is_found_out(written, tmp_path, what):
    root, events = written
    missed = re.compile(f"{re.escape(str(root))}(/[.]?s[^/]*(/photos[.]lance)?)?{DEAF[what]}")
    heard = [e for e in events if e.what != "sync" or not missed.fullmatch(e.path)]
    assert len(heard) < len(events)
    cuts = [i + 1 for i, event in enumerate(heard) if event.what == "say"]
    assert problems(root, heard, tmp_path, cuts, [Loss("none", "none")] * len(cuts))
