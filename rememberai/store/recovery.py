"""Opening after a crash: anything newer than the published version is verified or set aside."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from rememberai.errors import StoreError
from rememberai.store.lance_errors import lance_errors
from rememberai.store.seals import names_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rememberai.store.seals import Seals

_log = logging.getLogger(__name__)
_VERSIONS = "_versions"
_PARTS = ("data/", "_deletions/")
TRANSACTIONS = "_transactions/"  # a crash leaves some, and no row is read from them
SET_ASIDE = "set-aside"


def open_version(table: Path, version: int, cache_bytes: int | None = None) -> Any:
    """Open a version of a Lance table.

    Parameters
    ----------
    cache_bytes
        How much of what its files say of themselves is kept in memory; None for Lance's default,
        which keeps that of every file.

    Raises
    ------
    StoreError
        It is not there, or can't be read.
    """
    import lance

    with lance_errors(table, ValueError):
        return lance.dataset(str(table), version=version, metadata_cache_size_bytes=cache_bytes)


def newest_whole_version(table: Path, published: int, seals: Seals | None) -> Any:
    """Open the newest version of a Lance table that is known to be whole.

    Parameters
    ----------
    table
        The dataset's folder.
    published
        The version that was synced and acknowledged; it is trusted.
    seals
        The checksums of files that were synced; a newer version is whole when each file of its own
        has its checksum. None for a store of format 1, which has none: there it must be readable
        throughout.

    Returns
    -------
    lance.LanceDataset
        Of a version not below `published`. Newer versions that are not whole are moved into the
        folder ``set-aside`` beside the table with the files that only they need, never deleted.

    Raises
    ------
    StoreError
        The published version itself can't be opened.
    """
    newest = base = open_version(table, published)
    torn = []
    for version in sorted((v for v in versions(table) if v > published), reverse=True):
        try:
            dataset = open_version(table, version)
            if seals:
                _check_seals(table, version, {*parts(dataset)}.difference(parts(base)), seals)
            else:
                _read_through(table, dataset, base)
        except StoreError as error:
            _log.warning("version %d, never published, is set aside: %s", version, error)
            _set_aside_version(table, version)
            torn.append(version)
        else:
            newest = dataset
            break
    if torn:
        for name in parts_besides(table, needed(table, versions(table))):
            set_aside(table.parent, table / name)
    return newest


def _check_seals(table: Path, version: int, own: set[str], seals: Seals) -> None:
    for name in sorted(own | {manifest_name(table, version)}):
        seal = seals.known().get(name)
        flaw = "it was not synced" if seal is None else seal.flaw(table / name)
        if flaw:
            raise StoreError(f"{table / name}: {flaw}")


def _read_through(table: Path, dataset: Any, base: Any) -> None:
    """Read whatever this version has and the base has not."""
    with lance_errors(table, ValueError):
        before = {str(fragment.metadata) for fragment in base.get_fragments()}
        for fragment in dataset.get_fragments():
            if str(fragment.metadata) not in before:
                for _ in fragment.to_batches():
                    pass


def parts(dataset: Any) -> list[str]:
    """List the files that a version's rows lie in, by their names below the table's folder."""
    names = []
    for fragment in dataset.get_fragments():
        names += [f"data/{file.path}" for file in fragment.data_files()]
        names += [deletions] if (deletions := fragment.deletion_file()) else []
    return names


def needed(table: Path, numbers: Iterable[int]) -> set[str] | None:
    """Name the files that versions lie in; None when one of them can't be read."""
    names: set[str] = set()
    try:
        for version in numbers:
            names |= {*parts(open_version(table, version)), manifest_name(table, version)}
    except StoreError:
        return None
    return names


def parts_besides(table: Path, kept: set[str] | None) -> list[str]:
    """Name the files with rows besides those kept; none when nobody knows which to keep."""
    if kept is None:
        return []
    below = sorted(names_below(table))
    return [name for name in below if name.startswith(_PARTS) and name not in kept]


def versions(table: Path) -> list[int]:
    """List the versions by their file names: Lance counts down from 2**64 - 1."""
    numbers = [
        int(path.stem) for path in (table / _VERSIONS).glob("*.manifest") if path.stem.isdigit()
    ]
    return [2**64 - 1 - number if number > 2**63 else number for number in numbers]


def changes_rows(table: Path, version: int) -> bool:
    """Tell whether a version has other rows than the one before it, as far as it can be read."""
    from lance import LanceOperation

    try:
        with lance_errors(table, ValueError):
            transaction = open_version(table, version).read_transaction(version)
    except StoreError:
        return True
    kind = type(transaction and transaction.operation)
    # Numbers that are reserved for fragments come as the base of all operations.
    return kind not in (LanceOperation.Rewrite, LanceOperation.BaseOperation)


def manifest_name(table: Path, version: int) -> str:
    """Name the file of a version below the table's folder; Lance has had two ways to name it."""
    names = [f"{_VERSIONS}/{stem}.manifest" for stem in (f"{2**64 - 1 - version:020d}", version)]
    return next((name for name in names if (table / name).exists()), names[0])


def set_aside(root: Path, path: Path) -> None:
    """Move a file into the folder ``set-aside`` of a store, below which it lies as it did here."""
    target = root / SET_ASIDE / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_stem(f"{target.stem}.{uuid.uuid4().hex}")
    path.rename(target)


def _set_aside_version(table: Path, version: int) -> None:
    path = table / manifest_name(table, version)
    if path.exists():
        set_aside(table.parent, path)
