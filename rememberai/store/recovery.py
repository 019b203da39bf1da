"""Opening after a crash: anything newer than the published version is verified or set aside."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from rememberai.errors import StoreError
from rememberai.store.lance_errors import lance_errors

if TYPE_CHECKING:
    from pathlib import Path

    from rememberai.store.seals import Seals

_log = logging.getLogger(__name__)
_VERSIONS = "_versions"
_SET_ASIDE = "set-aside"


def open_version(table: Path, version: int) -> Any:
    """Open a version of a Lance table.

    Raises
    ------
    StoreError
        It is not there, or can't be read.
    """
    import lance

    with lance_errors(table, ValueError):
        return lance.dataset(str(table), version=version)


def newest_whole_version(table: Path, published: int, seals: Seals) -> Any:
    """Open the newest version of a Lance table that is known to be whole.

    Parameters
    ----------
    table
        The dataset's folder.
    published
        The version that was synced and acknowledged; it is trusted.
    seals
        The checksums of files that were synced; a newer version is whole when each file of its own
        has its checksum. In a store of format 1, which has none, it must be readable throughout.

    Returns
    -------
    lance.LanceDataset
        Of a version not below `published`. Manifests of newer versions that are not whole are moved
        into the folder ``set-aside`` beside the table, never deleted.

    Raises
    ------
    StoreError
        The published version itself can't be opened.
    """
    base = open_version(table, published)
    for version in sorted((v for v in versions(table) if v > published), reverse=True):
        try:
            dataset = open_version(table, version)
            if seals.known():
                _check_seals(table, version, {*parts(dataset)}.difference(parts(base)), seals)
            else:
                _read_through(table, dataset, base)
        except StoreError as error:
            _log.warning("version %d, never published, is set aside: %s", version, error)
            _set_aside_version(table, version)
        else:
            return dataset
    return base


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


def versions(table: Path) -> list[int]:
    """List the versions by their file names: Lance counts down from 2**64 - 1."""
    numbers = [
        int(path.stem) for path in (table / _VERSIONS).glob("*.manifest") if path.stem.isdigit()
    ]
    return [2**64 - 1 - number if number > 2**63 else number for number in numbers]


def manifest_name(table: Path, version: int) -> str:
    """Name the file of a version below the table's folder; Lance has had two ways to name it."""
    names = [f"{_VERSIONS}/{stem}.manifest" for stem in (f"{2**64 - 1 - version:020d}", version)]
    return next((name for name in names if (table / name).exists()), names[0])


def set_aside(root: Path, path: Path) -> None:
    """Move a file that can't be read into the folder ``set-aside`` of a store."""
    folder = root / _SET_ASIDE
    folder.mkdir(exist_ok=True)
    path.rename(folder / f"{path.stem}.{uuid.uuid4().hex}{path.suffix}")


def _set_aside_version(table: Path, version: int) -> None:
    path = table / manifest_name(table, version)
    if path.exists():
        set_aside(table.parent, path)
    (table / _VERSIONS / "latest_version_hint.json").unlink(missing_ok=True)
