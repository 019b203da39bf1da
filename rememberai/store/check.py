"""Whether a store is what it was when it was written, down to the last byte."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import incomparable
from rememberai.errors import StoreError
from rememberai.records import Outcome, Report, quiet
from rememberai.store import recovery
from rememberai.store.artifacts import SUFFIX, unpacked
from rememberai.store.lance_errors import lance_errors
from rememberai.store.local import LocalFiles
from rememberai.store.manifest import FORMAT, MANIFEST, Manifest, read_manifest
from rememberai.store.memory_store import MemoryStore
from rememberai.store.migration import new_since
from rememberai.store.schema import fits, shown_ids, source_is_true
from rememberai.store.seals import CHECKSUMS, HINT, names_below

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rememberai.records import Progress

_DRAFT = re.compile(r"\..*\.[0-9a-f]{32}")
_LOOKS = 3
_HOUR = 3600.0  # a younger file may be of a writer that is at work
_UNLIKE = {
    "cosine": "a vector of zeros, which has no direction,",
    "l2": "a vector that is too large for squared distances",
}


def check_store(
    path: str | os.PathLike[str], *, repair: bool = False, progress: Progress = quiet
) -> Report:
    """Read all of a store and compare it with its checksums and its own rules.

    Parameters
    ----------
    path
        The store's folder.
    repair
        Mend what can be mended without losing anything: bring the store to this format, publish a
        whole version that a crash left unpublished, delete the drafts of crashed writers, and move
        damaged artifacts and what no version of the table needs into the folder ``set-aside``.
        Writers wait meanwhile. Without it nothing in the folder is changed.
    progress
        Called as ``progress(stage, done, total)``; the stages are "rows" and "files".

    Returns
    -------
    Report
        What was looked at, and its flaws: "done" is sound or was mended, or is of a writer who is
        at work or was stopped, which costs no row and is settled by the next opening; "waiting" can
        be mended by `repair`; "failed" can't. The rows are those of the published version, the
        checksums those of all versions.

    Raises
    ------
    StoreError
        There is something to repair, and nothing may be written there.
    """
    files = LocalFiles(Path(path).expanduser().absolute())
    try:
        if files.read(MANIFEST) is None and not files.table.exists():
            return Report((Outcome(MANIFEST, "failed", f"{files.place} is no store"),))
        manifest = read_manifest(files)
    except StoreError as error:
        reason = f"{error}"
        if error.code != "store-rights":
            reason += "; restore it from a backup: without it the vectors have no model"
        return Report((Outcome(MANIFEST, "failed", reason),))
    if repair:
        opened = tuple(_opened(files))
        with files.lock():
            return Report(
                (*opened, *_looked_at(files, read_manifest(files), progress, repair=True))
            )
    for _ in range(_LOOKS):
        report = Report(tuple(_looked_at(files, manifest, progress, repair=False)))
        before, manifest = manifest, read_manifest(files)
        if not report.count("failed") or manifest.version == before.version:
            break  # else `compact` may have deleted what was to be read
    return report


def opened_as_it_is(path: str | os.PathLike[str]) -> MemoryStore:
    """Open the published version of a store for reading, and change nothing in its folder.

    Raises
    ------
    StoreError
        It can't be read, or is of an earlier format.
    """
    files = LocalFiles(Path(path).expanduser().absolute())
    manifest = read_manifest(files)
    if manifest.format < FORMAT:
        raise StoreError(f"the store is of format {manifest.format}; opening it brings it to this")
    dataset = files.published(manifest.version)
    return MemoryStore(files, manifest, dataset, manifest.active, frozen=True)


def _looked_at(
    files: LocalFiles, manifest: Manifest, progress: Progress, *, repair: bool
) -> Iterator[Outcome]:
    yield from _manifest(manifest)
    yield from _unpublished(files, manifest)
    yield from _rows(files, manifest, progress)
    numbers = recovery.versions(files.table)
    older = recovery.needed(files.table, (v for v in numbers if v < manifest.version))
    newer = recovery.needed(files.table, (v for v in numbers if v >= manifest.version))
    kept = None if older is None or newer is None else older | newer
    yield from _leftovers(files, kept, repair=repair)
    yield from _checksums(files, manifest, older, progress, repair=repair)
    yield from _artifacts(files, repair=repair)


def _opened(files: LocalFiles) -> Iterator[Outcome]:
    """Open the store, which publishes what is whole; tell what was moved out of the way."""
    folder = files.root / recovery.SET_ASIDE
    before = set(names_below(folder))
    with contextlib.suppress(StoreError):  # which is looked at and told later
        MemoryStore.open(files.root)
    if moved := sorted(set(names_below(folder)) - before):
        reason = (
            f"{len(moved)} files of versions that are newer than {MANIFEST} says and not whole by "
            f"their checksums were moved there: {', '.join(moved[:5])}; if an older {MANIFEST} was "
            f"put back, move them back and restore the newest {MANIFEST} and {CHECKSUMS}"
        )
        yield Outcome(recovery.SET_ASIDE, "done", reason)


def _manifest(manifest: Manifest) -> Iterator[Outcome]:
    said = f"format {manifest.format}, version {manifest.version}"
    if manifest.format < FORMAT:
        yield Outcome(MANIFEST, "waiting", f"{said}: opening the store brings it to {FORMAT}")
    else:
        yield Outcome(MANIFEST, "done", said)


def _unpublished(files: LocalFiles, manifest: Manifest) -> Iterator[Outcome]:
    """Tell of versions that are newer than the published one.

    A writer who was stopped leaves one write. More without checksums, which each write makes before
    the next one begins, are no writer's: nobody may open the store before they are back.
    """
    newer = [version for version in recovery.versions(files.table) if version > manifest.version]
    if not newer:
        return
    sealed = files.seals.known()
    loose = [v for v in newer if recovery.manifest_name(files.table, v) not in sealed]
    writes = sum(recovery.changes_rows(files.table, version) for version in loose)
    what = f"version {max(newer)}"
    if writes > 1:
        reason = (
            f"{writes} writes are newer than {MANIFEST} and {CHECKSUMS} say, as if older ones were "
            "put back; restore the newest, or the next opening sets these writes aside"
        )
        yield Outcome(what, "waiting", reason)
    else:
        end = "sets it aside" if max(newer) in loose else "publishes it"
        reason = f"not published: a writer is at work, or was stopped; the next opening {end}"
        yield Outcome(what, "done", reason)


def _rows(files: LocalFiles, manifest: Manifest, progress: Progress) -> Iterator[Outcome]:
    """Read every fragment of the published version, and look at its rows."""
    try:
        dataset = recovery.open_version(files.table, manifest.version)
        dimension = manifest.models[manifest.active].dimension
        later = new_since(manifest.format)
        if not fits(dataset.schema, manifest.active, dimension, without=later):
            raise StoreError(f"its columns are not those that {MANIFEST} wants")
    except StoreError as error:
        yield Outcome(files.table.name, "failed", str(error))
        return
    manifest = manifest.of_table(dataset.schema.names)
    ids: list[pa.Array] = []
    flawed: dict[str, list[str]] = {}
    fragments = dataset.get_fragments()
    done, total = 0, sum(fragment.physical_rows for fragment in fragments)
    for fragment in fragments:
        end = done + fragment.physical_rows
        try:
            with lance_errors(files.table):
                for batch in fragment.to_batches():
                    ids.append(batch["photo_id"])
                    for flaw, where in _flaws(batch, manifest):
                        found = batch["photo_id"].filter(pa.array(where)).to_pylist()
                        flawed.setdefault(flaw, []).extend(found)
                    done += len(batch)
                    progress("rows", done, total)
        except StoreError as error:
            names = ", ".join(file.path for file in fragment.data_files())
            reason = f"{fragment.physical_rows} rows can't be read: {error}"
            yield Outcome(names, "failed", reason)
        done = end  # those deleted, or not to be read, too
        progress("rows", done, total)
    counted = pc.value_counts(pa.chunked_array(ids, pa.string()))
    twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    if twice:
        flawed["stand in the table more than once"] = twice
    for flaw, which in flawed.items():
        count, _, shown = shown_ids(which).partition(": ")
        yield Outcome(files.table.name, "failed", f"{count} {flaw}: {shown}")
    reason = f"{len(counted)} photos in {len(fragments)} parts of version {manifest.version}"
    yield Outcome("rows", "done", reason)


def _flaws(batch: pa.RecordBatch, manifest: Manifest) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name what is wrong with the rows of a batch, and which rows have it."""
    untrue = ~source_is_true(batch).to_numpy(zero_copy_only=False)
    if untrue.any():
        yield "have a text source that is no column with words", untrue
    spoken = batch["text_source"].is_valid().to_numpy(zero_copy_only=False)
    for column, model in manifest.models.items():
        there = batch[column].is_valid().to_numpy(zero_copy_only=False)
        flat = batch[column].flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(-1, model.dimension)
        wild, unlike = np.zeros((2, len(there)), bool)
        wild[there] = ~np.isfinite(vectors).all(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.einsum("nd,nd->n", vectors, vectors)
        unlike[there] = incomparable(vectors, squares, manifest.metric)
        needed = spoken if column == manifest.active else spoken & there
        if model.of == "image":
            needed = there
        for flaw, where in (
            (f"have NaN or infinity in the column {column}", wild),
            (f"have {_UNLIKE[manifest.metric]} in the column {column}", unlike & ~wild),
            (f"have words and no vector, or no words and a vector in {column}", there != needed),
        ):
            if where.any():
                yield flaw, where


def _checksums(
    files: LocalFiles,
    manifest: Manifest,
    older: set[str] | None,
    progress: Progress,
    *,
    repair: bool,
) -> Iterator[Outcome]:
    """Read every file of the table, also those of older versions, and compare it with its seal.

    Parameters
    ----------
    older
        The files that older versions need; None where nobody knows.
    """
    if manifest.format == 1:
        reason = "a store of format 1 has none; opening the store hashes every file"
        yield Outcome(CHECKSUMS, "waiting", reason)
        return
    seals = dict(files.seals.known())
    there = set(names_below(files.table))
    needed = recovery.needed(files.table, [manifest.version])
    for name in sorted((needed or set()) - there):
        yield Outcome(name, "failed", "it is missing; restore it from a backup")
    sealed = sorted(there.intersection(seals))
    for done, name in enumerate(sealed, 1):
        progress("files", done, len(sealed))
        if flaw := seals[name].flaw(files.table / name):
            mended = "restore it from a backup"
            if needed is not None and name not in needed:
                mended = "only older versions need it; compact the store"
                if not (files.table / name).exists():  # `compact` deleted it just now
                    continue
            yield Outcome(name, "failed", f"{flaw}; {mended}")
    unsealed = {name for name in there - set(seals) if not name.endswith(HINT)}
    unread = needed is None or older is None
    lost = unsealed & ((needed or set()) | (older or set()))
    for name in sorted(lost):
        mended = f"restore {CHECKSUMS}, or the store, from a backup"
        if needed is not None and name not in needed:
            mended = "only older versions need it; compact the store"
        reason = f"its checksum is gone, so its content can't be vouched for; {mended}"
        yield Outcome(name, "failed", reason)
    # Nor is a transaction that came to nothing, as after Ctrl-C, a flaw; the next write seals it.
    if left := {name for name in unsealed - lost if not name.startswith(recovery.TRANSACTIONS)}:
        reason = f"{len(left)} files have no checksum: a writer is at work, or was stopped"
        if repair and needed is not None:
            files.seals.add(lost)
            reason = f"{len(left)} files that a crash left got their checksum"
        yield Outcome(CHECKSUMS, "waiting" if unread and not repair else "done", reason)
    if damaged := files.seals.damaged():
        if repair:
            files.seals.forget_absent()
        said = f"{damaged} lines were altered" + (" and are dropped now" if repair else "")
        yield Outcome(CHECKSUMS, "done" if repair else "waiting", said)
    yield Outcome(CHECKSUMS, "done", f"{len(sealed)} files were read")


def _artifacts(files: LocalFiles, *, repair: bool) -> Iterator[Outcome]:
    for path in sorted(files.root.glob(f"*{SUFFIX}")):
        try:
            rows = len(unpacked(path.read_bytes(), path.name))
        except OSError as error:
            yield Outcome(path.name, "failed", f"it can't be read: {error}")
        except StoreError as error:
            if repair:
                recovery.set_aside(files.root, path)
            mended = f"{error}; it was set aside" if repair else f"{error}"
            yield Outcome(path.name, "done" if repair else "waiting", mended)
        else:
            yield Outcome(path.name, "done", f"{rows} rows")


def _leftovers(files: LocalFiles, kept: set[str] | None, *, repair: bool) -> Iterator[Outcome]:
    """Find what crashed writers left: drafts, and parts that no version of the table has."""
    drafts = [path for path in files.root.iterdir() if _DRAFT.fullmatch(path.name)]
    drafts = [path for path in drafts if _is_old(path)]
    parts = [files.table / name for name in recovery.parts_besides(files.table, kept)]
    if not repair:  # nobody writes to the table meanwhile, but seeds may be learned
        parts = [path for path in parts if _is_old(path)]
    if repair:
        for path in drafts:
            path.unlink(missing_ok=True)
        for path in parts:
            recovery.set_aside(files.root, path)
        if parts:
            files.seals.forget_absent()
    for left, what, mended in (
        (drafts, "drafts of crashed writers", "were deleted"),
        (parts, "files that no version of the table needs", f"were moved to {recovery.SET_ASIDE}"),
    ):
        if left:
            reason = f"{len(left)} {what} {mended if repair else 'take up space'}"
            yield Outcome("leftovers", "done" if repair else "waiting", reason)


def _is_old(path: Path) -> bool:
    """Tell a file that nobody is writing any more, as far as its age says."""
    try:
        return path.is_file() and time.time() - path.stat().st_mtime > _HOUR
    except FileNotFoundError:
        return False
