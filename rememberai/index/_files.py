"""The saved form of an index: a manifest, the FAISS file, the ids."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather

from rememberai._faiss import import_faiss
from rememberai.errors import StoreError

FORMAT = 1
MANIFEST = "manifest.json"
_ROLES = ("vectors", "ids")
_OURS = re.compile(r"[0-9a-f]{32}\.(faiss|arrow|json)")
_FLAT = {"cosine": "IndexFlatIP", "l2": "IndexFlatL2"}
_FIELDS = {
    "kind": str,
    "metric": str,
    "dimension": int,
    "count": int,
    "built_from": int,
    "model_id": str,
}


def write(
    folder: str | os.PathLike[str], index: Any, ids: pa.ChunkedArray, fields: dict[str, Any]
) -> None:
    """Write files under fresh names, publish them by renaming the manifest, drop the old ones."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    stem = uuid.uuid4().hex
    names = {"vectors": f"{stem}.faiss", "ids": f"{stem}.arrow"}
    faiss = import_faiss()
    # Left to itself, FAISS passes over an error of closing: a full disk makes a short file.
    with (root / names["vectors"]).open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
    pyarrow.feather.write_feather(pa.table({"id": ids}), root / names["ids"], compression="lz4")
    files = {role: {"name": name, "sha256": _sha256(root / name)} for role, name in names.items()}
    manifest = {"format": FORMAT, "faiss": faiss.__version__, **fields, "files": files}
    draft = root / f"{stem}.json"
    draft.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    draft.replace(root / MANIFEST)
    for path in root.iterdir():
        if _OURS.fullmatch(path.name) and path.stem != stem:
            path.unlink(missing_ok=True)


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check the manifest.

    Raises
    ------
    StoreError
        It is absent, no JSON, or lacks a field.
    """
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} is no index manifest ({error}); build the index anew") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StoreError(f"{path} is no index manifest of format {FORMAT}; build the index anew")
    files = manifest.get("files")
    sound = isinstance(files, dict) and all(
        isinstance(files.get(role), dict)
        and all(isinstance(files[role].get(key), str) for key in ("name", "sha256"))
        and _OURS.fullmatch(files[role]["name"])
        for role in _ROLES
    )
    typed = all(type(manifest.get(key)) is kind for key, kind in _FIELDS.items())
    if not (sound and typed and manifest["metric"] in _FLAT and 0 < manifest["dimension"] < 2**31):
        raise StoreError(f"{path} lacks fields or was altered; build the index anew")
    return manifest


def read(folder: str | os.PathLike[str], manifest: dict[str, Any]) -> tuple[Any, pa.ChunkedArray]:
    """Read what the manifest names, after its checksums were confirmed.

    Raises
    ------
    StoreError
        A file is missing, truncated or altered, or does not fit the manifest.
    """
    root = Path(folder)
    for entry in (manifest["files"][role] for role in _ROLES):
        path = root / entry["name"]
        try:
            actual = _sha256(path)
        except OSError as error:
            raise StoreError(f"{path} can't be read ({error}); build the index anew") from error
        if actual != entry["sha256"]:
            raise StoreError(f"{path} was truncated or altered; build the index anew")
    faiss = import_faiss()
    try:
        index = faiss.read_index(str(root / manifest["files"]["vectors"]["name"]))
        ids = pyarrow.feather.read_table(root / manifest["files"]["ids"]["name"])["id"]
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        raise StoreError(f"{root} holds no index ({error}); build the index anew") from error
    fits = (
        isinstance(index, getattr(faiss, _FLAT[manifest["metric"]]))
        and index.d == manifest["dimension"]
        and index.ntotal == len(ids) == manifest["count"]
        and ids.type in (pa.string(), pa.int64())
        and not ids.null_count
    )
    if not fits:
        raise StoreError(f"the files in {root} do not fit their manifest; build the index anew")
    return index, ids


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
