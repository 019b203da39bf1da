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

from rememberai.errors import StoreError
from rememberai.records import Outcome, Report
from rememberai.store import recovery
from rememberai.store.artifacts import SUFFIX, unpacked
from rememberai.store.lance_errors import lance_errors
from rememberai.store.local import LocalFiles
from rememberai.store.manifest import FORMAT, MANIFEST, Manifest, read_manifest
from rememberai.store.memory_store import MemoryStore
from rememberai.store.schema import fits
from rememberai.store.seals import CHECKSUMS, HINT, names_below

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

_DRAFT = re.compile(r"\..*\.[0-9a-f]{32}")
_PARTS = ("data/", "_deletions/")
_HOUR = 3600.0  # a younger file may be of a writer that is at work


def check_store(path: str | os.PathLike[str], *, repair: bool = False) -> Report:
    """Read all of a store and compare it with its checksums and its own rules.

    Parameters
    ----------
    path
        The store's folder.
    repair
        Mend what can be mended without losing anything: bring the store to this format, publish a
        whole version that a crash left unpublished, set damaged artifacts aside, give files without
        a checksum one, and delete what crashed writers left. Writers wait meanwhile.

    Returns
    -------
    Report
        What was looked at, and its flaws: "done" is sound or was mended; "waiting" can be mended by
        `repair`, or is the work of a writer; "failed" can't be mended. The rows are those of the
        published version, the checksums those of all versions.
    """
    files = LocalFiles(Path(path).expanduser().absolute())
    if repair:
        with contextlib.suppress(StoreError):  # which is looked at and told below
            MemoryStore.open(files.root)
    try:
        manifest = read_manifest(files)
    except StoreError as error:
        reason = f"{error}; restore it from a backup: without it the vectors have no model"
        return Report((Outcome(MANIFEST, "failed", reason),))
    with files.lock() if repair else contextlib.nullcontext():
        return Report(
            (
                *_manifest(files, manifest),
                *_rows(files, manifest),
                *_leftovers(files, repair=repair),
                *_checksums(files, manifest, repair=repair),
                *_artifacts(files, repair=repair),
            )
        )


def _manifest(files: LocalFiles, manifest: Manifest) -> Iterator[Outcome]:
    said = f"format {manifest.format}, version {manifest.version}"
    if manifest.format < FORMAT:
        yield Outcome(MANIFEST, "waiting", f"{said}: opening the store brings it to {FORMAT}")
    else:
        yield Outcome(MANIFEST, "done", said)
    newer = [version for version in recovery.versions(files.table) if version > manifest.version]
    if newer:
        reason = (
            "not published: a writer is at work, or crashed; opening publishes it if it is whole"
        )
        yield Outcome(f"version {max(newer)}", "waiting", reason)


def _rows(files: LocalFiles, manifest: Manifest) -> Iterator[Outcome]:
    """Read every fragment of the published version, and look at its rows."""
    try:
        dataset = recovery.open_version(files.table, manifest.version)
        if not fits(dataset.schema, manifest.active, manifest.models[manifest.active].dimension):
            raise StoreError(f"its columns are not those that {MANIFEST} wants")
    except StoreError as error:
        yield Outcome(files.table.name, "failed", str(error))
        return
    manifest = manifest.of_table(dataset.schema.names)
    ids: list[pa.Array] = []
    flawed: dict[str, list[str]] = {}
    fragments = dataset.get_fragments()
    for fragment in fragments:
        try:
            with lance_errors(files.table):
                for batch in fragment.to_batches():
                    ids.append(batch["photo_id"])
                    for flaw, where in _flaws(batch, manifest):
                        found = batch["photo_id"].filter(pa.array(where)).to_pylist()
                        flawed.setdefault(flaw, []).extend(found)
        except StoreError as error:
            names = ", ".join(file.path for file in fragment.data_files())
            reason = f"{fragment.count_rows()} rows can't be read: {error}"
            yield Outcome(names, "failed", reason)
    counted = pc.value_counts(pa.chunked_array(ids, pa.string()))
    twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    if twice:
        flawed["stand in the table more than once"] = twice
    for flaw, which in flawed.items():
        shown = ", ".join(sorted(which)[:5]) + (", ..." if len(which) > 5 else "")
        yield Outcome(files.table.name, "failed", f"{len(which)} photos {flaw}: {shown}")
    reason = f"{len(counted)} photos in {len(fragments)} parts of version {manifest.version}"
    yield Outcome("rows", "done", reason)


def _flaws(batch: pa.RecordBatch, manifest: Manifest) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name what is wrong with the rows of a batch, and which rows have it."""
    spoken = batch["text_source"].is_valid().to_numpy(zero_copy_only=False)
    for column, model in manifest.models.items():
        there = batch[column].is_valid().to_numpy(zero_copy_only=False)
        flat = batch[column].flatten().to_numpy(zero_copy_only=False)
        wild = there.copy()
        wild[there] = ~np.isfinite(flat.reshape(-1, model.dimension)).all(axis=1)
        needed = spoken if column == manifest.active else spoken & there
        for flaw, where in (
            (f"have NaN or infinity in the column {column}", wild),
            (f"have words and no vector, or no words and a vector in {column}", there != needed),
        ):
            if where.any():
                yield flaw, where


def _checksums(files: LocalFiles, manifest: Manifest, *, repair: bool) -> Iterator[Outcome]:
    """Read every file of the table and compare it with its seal."""
    seals = files.seals.known()
    there = set(names_below(files.table))
    needed = _needed(files, [manifest.version])
    for name in sorted((needed or set()) - there):
        yield Outcome(name, "failed", "it is missing; restore it from a backup")
    for name in sorted(there.intersection(seals)):
        if flaw := seals[name].flaw(files.table / name):
            readers = "restore it from a backup"
            if needed is not None and name not in needed:
                readers = "only older versions need it; compact the store"
            yield Outcome(name, "failed", f"{flaw}; {readers}")
    if unsealed := {name for name in there - set(seals) if not name.endswith(HINT)}:
        reason = f"{len(unsealed)} files have no checksum: a writer is at work, or crashed"
        if repair:
            files.seals.add()
            files.seals.forget_absent()
            reason = f"{len(unsealed)} files that a crash left got their checksum"
        yield Outcome(CHECKSUMS, "done" if repair else "waiting", reason)
    yield Outcome(CHECKSUMS, "done", f"{len(there.intersection(seals))} files were read")


def _artifacts(files: LocalFiles, *, repair: bool) -> Iterator[Outcome]:
    for path in sorted(files.root.glob(f"*{SUFFIX}")):
        try:
            rows = len(unpacked(path.read_bytes(), path.name))
        except (OSError, StoreError) as error:
            if repair:
                recovery.set_aside(files.root, path)
            mended = f"{error}; it was set aside" if repair else f"{error}"
            yield Outcome(path.name, "done" if repair else "waiting", mended)
        else:
            yield Outcome(path.name, "done", f"{rows} rows")


def _leftovers(files: LocalFiles, *, repair: bool) -> Iterator[Outcome]:
    """Find what crashed writers left: drafts, and parts that no version of the table has."""
    left = [path for path in files.root.iterdir() if path.is_file() and _DRAFT.fullmatch(path.name)]
    needed = _needed(files, recovery.versions(files.table))
    if needed is not None:
        parts = (name for name in names_below(files.table) if name.startswith(_PARTS))
        left += [files.table / name for name in parts if name not in needed]
    old = [path for path in left if repair or time.time() - path.stat().st_mtime > _HOUR]
    if not old:
        return
    size = sum(path.stat().st_size for path in old)
    if repair:
        for path in old:
            path.unlink()
        files.seals.forget_absent()
    reason = f"{len(old)} files ({size} bytes) that crashed writers left"
    said = f"{reason} were deleted" if repair else f"{reason} take up space"
    yield Outcome("leftovers", "done" if repair else "waiting", said)


def _needed(files: LocalFiles, versions: list[int]) -> set[str] | None:
    """Name the files that versions lie in; None when one of them can't be read."""
    names: set[str] = set()
    try:
        for version in versions:
            names |= {*recovery.parts(recovery.open_version(files.table, version))}
            names |= {recovery.manifest_name(files.table, version)}
    except StoreError:
        return None
    return names
