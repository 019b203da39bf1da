"""Opening after a crash: anything newer than the published version is verified or set aside."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import Any

from rememberai.errors import StoreError
from rememberai.store.lance_errors import lance_errors

_log = logging.getLogger(__name__)
_VERSIONS = "_versions"
_SET_ASIDE = "set-aside"


def newest_whole_version(table: Path, published: int) -> tuple[Any, int]:
    """Open the newest version of a Lance table that can be read throughout.

    Parameters
    ----------
    table
        The dataset's folder.
    published
        The version that was synced and acknowledged; it is trusted.

    Returns
    -------
    tuple
        The dataset and its version, at least `published`. Manifests of newer versions that can't
        be read are moved into the folder ``set-aside`` beside the table, never deleted.

    Raises
    ------
    StoreError
        The published version itself can't be opened.
    """
    import lance

    with lance_errors(table, ValueError):
        base = lance.dataset(str(table), version=published)
    newer = sorted((v for v in _versions(table) if v > published), reverse=True)
    for version in newer:
        dataset = _whole(table, version, base)
        if dataset is not None:
            return dataset, version
        _set_aside(table, version)
    return base, published


def _whole(table: Path, version: int, base: Any) -> Any | None:
    """Read whatever this version has and the base has not; None when a part can't be read."""
    import lance

    try:
        with lance_errors(table, ValueError):
            dataset = lance.dataset(str(table), version=version)
            before = {str(fragment.metadata) for fragment in base.get_fragments()}
            for fragment in dataset.get_fragments():
                if str(fragment.metadata) not in before:
                    for _ in fragment.to_batches():
                        pass
    except StoreError as error:
        _log.warning("version %d, never published, is set aside: %s", version, error)
        return None
    return dataset


def _versions(table: Path) -> list[int]:
    """List the versions by their file names: Lance counts down from 2**64 - 1."""
    numbers = [
        int(path.stem) for path in (table / _VERSIONS).glob("*.manifest") if path.stem.isdigit()
    ]
    return [2**64 - 1 - number if number > 2**63 else number for number in numbers]


def _set_aside(table: Path, version: int) -> None:
    folder = table.parent / _SET_ASIDE
    folder.mkdir(exist_ok=True)
    for stem in (f"{2**64 - 1 - version:020d}", str(version)):
        path = table / _VERSIONS / f"{stem}.manifest"
        if path.exists():
            path.rename(folder / f"{path.stem}.{uuid.uuid4().hex}.manifest")
    (table / _VERSIONS / "latest_version_hint.json").unlink(missing_ok=True)
