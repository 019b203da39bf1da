"""Whether a store and the index beside it are sound."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rememberai._arrays import prepare
from rememberai.errors import InputError, StoreError
from rememberai.index_cache import FOLDER
from rememberai.records import Outcome, Report, quiet
from rememberai.store import check_store
from rememberai.store.check import opened_as_it_is

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rememberai.records import Progress


def check(
    path: str | os.PathLike[str], *, repair: bool = False, progress: Progress | None = None
) -> Report:
    """Read all of a store, and of the index beside it, and name every flaw.

    Parameters
    ----------
    path
        The store's folder.
    repair
        Mend what can be mended without losing anything; see `store.check_store`. An index that is
        damaged is deleted: the next search builds it anew.
    progress
        Called as ``progress(stage, done, total)``; the stages are "rows" and "files" of the table,
        and each index by the name of its folder.

    Returns
    -------
    Report
        "done" is sound or was mended, "waiting" can be mended by `repair`, "failed" can't.
    """
    if "://" in str(path):
        raise InputError(f"{path} is not a folder on this machine; only those can be checked")
    tick = progress or quiet
    report = check_store(path, repair=repair, progress=tick)
    if not report.count("done"):
        return report
    root = Path(path).expanduser()
    folders = sorted({root / FOLDER, *root.glob(f"{FOLDER}-*")})
    indexes = (_index(root, folder, tick, repair=repair) for folder in folders)
    return Report((*report.outcomes, *chain.from_iterable(indexes)))


def _index(root: Path, folder: Path, progress: Progress, *, repair: bool) -> Iterator[Outcome]:
    from rememberai.index import verify

    if not folder.exists():
        yield Outcome(folder.name, "done", "there is none yet; the next search builds it")
        return
    try:
        verify(folder)
        said = _against_table(root, folder, progress)
    except StoreError as error:
        if repair:
            _delete(folder)
        mended = "; it was deleted, and the next search builds it anew" if repair else ""
        yield Outcome(folder.name, "done" if repair else "waiting", f"{error}{mended}")
    else:
        yield Outcome(folder.name, "done", said)


def _delete(index: Path) -> None:
    """Delete an index, or whatever has its name; what a link leads to stays."""
    if index.is_symlink() or not index.is_dir():
        index.unlink()
    else:
        shutil.rmtree(index)


def _against_table(root: Path, folder: Path, progress: Progress) -> str:
    """Compare the index's vectors with the table's.

    Raises
    ------
    StoreError
        They differ.
    """
    from rememberai.index import VectorIndex

    try:
        store = opened_as_it_is(root)
    except StoreError as error:
        return f"its files are whole; the table can't be read: {error}"
    if folder.name != FOLDER:
        column = folder.name.removeprefix(f"{FOLDER}-")
        if column not in store.models:
            raise StoreError(f"the index in {folder} is of a model that the store has dropped")
        store = store.pinned(column)
    index = VectorIndex.load(folder)
    try:
        VectorIndex.load(folder, model_id=store.model_id, built_from=store.stamp)
    except StoreError:
        return "its files are whole, of an earlier version; the next search brings it up to date"
    known = set(index.ids.tolist())
    seen = 0
    for places, vectors in store.vector_batches():
        ids = places["photo_id"]
        try:
            kept = prepare(vectors, store.metric)
        except InputError as error:
            return f"its files are whole; the table's vectors can't be searched: {error}"
        if not known.issuperset(ids.to_pylist()) or not np.allclose(
            index.reconstruct(ids), kept, atol=1e-6
        ):
            raise StoreError(f"the index in {folder} has other vectors than the table")
        seen += len(ids)
        progress(folder.name, min(seen, len(index)), len(index))
    if seen != len(index):
        raise StoreError(f"the index in {folder} has {len(index)} vectors, the table {seen}")
    return f"{seen} vectors, the same as in the table"
