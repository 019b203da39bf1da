"""store.json: the format, the models, the metric, and the published version of the table."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rememberai._version import __version__
from rememberai.errors import InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rememberai.records import Metric
    from rememberai.store.files import Files

FORMAT = 3
MANIFEST = "store.json"
FIRST_COLUMN = "vector"
_COLUMN = re.compile(r"vector(_[1-9][0-9]{0,5})?")


@dataclass(frozen=True, slots=True)
class VectorModel:
    """A model that made a column of vectors.

    Attributes
    ----------
    embedder
        The name by which it can be loaded again; None for a caller's own object.
    of
        What its vectors are of: each photo's words, or its picture.
    """

    id: str
    dimension: int
    embedder: str | None
    of: Literal["text", "image"] = "text"

    def __post_init__(self) -> None:
        # What `read_manifest` refuses must not be written: nobody could open the store again.
        if not _is_model(asdict(self)):
            raise InputError(
                "a model has an id that is a text, a dimension below 2**31, the name of its "
                f"embedder or None, and vectors of 'text' or 'image'; {self} came"
            )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What store.json says.

    Attributes
    ----------
    models
        By the column of their vectors.
    active
        The column that is searched, and that new photos fill.
    rememberai
        The version that made the store or brought it to this format.
    normalized
        Whether vectors were brought to unit length; False: they are as the model gave them.
    """

    models: Mapping[str, VectorModel]
    active: str
    metric: Metric
    version: int
    rememberai: str = __version__
    format: int = FORMAT
    normalized: bool = False

    def of_table(self, names: Sequence[str]) -> Manifest:
        """Leave out models whose column is gone: a crash came between dropping it and saying so."""
        models = {
            column: model
            for column, model in self.models.items()
            if column in names or column == self.active
        }
        return replace(self, models=models)

    def write(self, files: Files) -> None:
        """Replace store.json."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        fields["models"] = {column: asdict(model) for column, model in self.models.items()}
        files.write(MANIFEST, json.dumps(fields, indent=1).encode())


_MODEL_FIELDS = {"id", "dimension", "embedder"}
_FIELDS = ("format", "rememberai", "models", "active", "normalized", "metric", "version")


def read_manifest(files: Files) -> Manifest:
    """Read store.json, of this format or of an earlier one.

    Raises
    ------
    StoreError
        There is none, it was altered, or a newer RememberAI wrote it.
    """
    data = files.read(MANIFEST)
    if data is None:
        raise StoreError(
            f"{files.place} is no store (there is no {MANIFEST} in it); name the folder of a "
            "store; `rememberai add` and RememberAI.create make one"
        )
    path = f"{MANIFEST} in {files.place}"
    try:
        fields: dict[str, Any] = json.loads(data)
        known = fields["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"{path} can't be read or was altered ({type(error).__name__})") from error
    if type(known) is not int or not 1 <= known <= FORMAT:
        raise StoreError(
            f"{files.place} has the format {known}; this RememberAI reads up to {FORMAT}. Install "
            f"the version that wrote it ({fields.get('rememberai')}) or a newer one"
        )
    if known == 1:
        fields |= {"models": {FIRST_COLUMN: fields.get("model")}, "active": FIRST_COLUMN}
        fields["normalized"] = False
    models = fields.get("models")
    if not (
        isinstance(models, dict)
        and all(_COLUMN.fullmatch(column) and _is_model(models[column]) for column in models)
        and isinstance(fields.get("active"), str)
        and models.get(fields["active"], {}).get("of", "text") == "text"
        and fields["active"] in models
        and type(fields.get("normalized")) is bool
        and _is_count(fields.get("version"))
        and fields.get("metric") in ("cosine", "l2")
    ):
        raise StoreError(f"{path} was altered: a field is absent or is not what it should be")
    return Manifest(
        models={
            column: VectorModel(
                **{name: model[name] for name in _MODEL_FIELDS}, of=model.get("of", "text")
            )
            for column, model in models.items()
        },
        rememberai=str(fields.get("rememberai")),
        **{name: fields[name] for name in ("active", "metric", "version", "format", "normalized")},
    )


def _is_model(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) >= _MODEL_FIELDS  # a later version may say more of a model
        and isinstance(value["id"], str)
        and isinstance(value["embedder"], str | None)
        and _is_count(value["dimension"])
        and value.get("of", "text") in ("text", "image")
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < 2**31
