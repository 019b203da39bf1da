"""A second model beside the first: its vectors are filled in, then the store is switched over.

All that is done is in the table, so who is stopped goes on from there: `add_model` makes an empty
column, `pending` names the photos whose words it has no vector of, `fill` writes some, and when
none is pending `switch_model` makes it the one that is searched and that new photos fill.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_vectors
from rememberai.errors import InputError, StoreError
from rememberai.store.artifacts import SUFFIX
from rememberai.store.lance_errors import lance_errors
from rememberai.store.manifest import Manifest, VectorModel
from rememberai.store.reading import is_in, text_that_counts
from rememberai.store.schema import check_directions, fits, vector_array, vector_type
from rememberai.store.writing import Writer, put

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

_SPOKEN = ["photo_id", "memory", "caption", "text_source"]


class ModelColumns(Writer):
    """The part of a store that knows several models."""

    def add_model(self, model_id: str, dimension: int, embedder: str | None = None) -> str:
        """Make an empty column for the vectors of another model.

        Parameters
        ----------
        model_id, dimension, embedder
            See `MemoryStore.create`.

        Returns
        -------
        str
            The column; that of an earlier call when the store knows this model already.

        Raises
        ------
        InputError
            The dimension is below 1.
        """
        if dimension < 1:
            raise InputError(f"dimension must be at least 1; {dimension} came")
        with self._writing() as change:
            for column, known in change.manifest.models.items():
                if (known.id, known.dimension) == (model_id, dimension):
                    return column
            taken = change.dataset.schema.names
            column = next(
                name
                for i in count(2)
                if (name := f"vector_{i}") not in taken and not self._has_seeds(name)
            )
            change.dataset.add_columns(pa.schema([(column, vector_type(dimension))]))
            model = VectorModel(model_id, dimension, embedder)
            change.manifest = replace(
                change.manifest, models={**change.manifest.models, column: model}
            )
        return column

    def pending(self, column: str, limit: int | None = None) -> pa.Table:
        """Read the photos that have words but no vector in a column.

        Parameters
        ----------
        limit
            The most photos to read.

        Returns
        -------
        pyarrow.Table
            Their photo_id and text, for `fill`.

        Raises
        ------
        InputError
            There is no such column.
        """
        self._check_column(self._seen.manifest, column)
        with lance_errors(self._files.table):
            rows = self._dataset.to_table(columns=_SPOKEN, filter=_pending(column), limit=limit)
        return pa.table({"photo_id": rows["photo_id"], "text": text_that_counts(rows)})

    def fill(self, column: str, texts: pa.Table, vectors: ArrayLike) -> int:
        """Write the vectors of some photos in a column.

        Parameters
        ----------
        texts
            n rows of `pending`: photo_id, and the text that was embedded.
        vectors
            (n, dimension) float32: of the texts, in their order.

        Returns
        -------
        int
            How many were written. A photo that was deleted meanwhile, or given other words, gets
            none; in the latter case it is still pending.

        Raises
        ------
        InputError
            There is no such column, or the vectors are not like that, or zero under cosine.
        """
        with self._writing() as change:
            model = self._check_column(change.manifest, column)
            array = check_vectors(vectors, dimension=model.dimension)
            if len(array) != len(texts):
                raise InputError(f"{len(texts)} vectors were wanted, one a text; {len(array)} came")
            if not len(texts):
                return 0
            if change.manifest.metric == "cosine":
                check_directions(texts["photo_id"], array)
            rows = change.dataset.to_table(filter=is_in("photo_id", texts["photo_id"].to_pylist()))
            order = pc.index_in(rows["photo_id"], value_set=texts["photo_id"])
            same = pc.equal(texts["text"].take(order), text_that_counts(rows))
            same = pc.fill_null(same, False)
            place = rows.schema.get_field_index(column)
            rows = rows.set_column(place, column, vector_array(array).take(order)).filter(same)
            if len(rows):
                put(change, rows, again=False)
        return len(rows)

    def switch_model(self, column: str) -> None:
        """Make a column's model the one that is searched and that new photos fill.

        Who has the store open reads on with the model from before, and can't write any more.

        Raises
        ------
        InputError
            There is no such column.
        StoreError
            Photos are still pending; nothing is changed.
        """
        with self._writing() as change:
            self._check_column(change.manifest, column)
            if left := change.dataset.count_rows(_pending(column)):
                raise StoreError(
                    f"{left} photos have no vector in the column {column!r} yet; fill what is "
                    "pending first"
                )
            change.manifest = replace(change.manifest, active=column)
        self._column = column

    def drop_model(self, column: str) -> None:
        """Forget a model and its vectors; `compact` frees their space.

        Raises
        ------
        InputError
            There is no such column, or it is the active one.
        """
        with self._writing() as change:
            self._check_column(change.manifest, column)
            if column == change.manifest.active:
                raise InputError(f"{column!r} is the active column; switch to another model first")
            change.dataset.drop_columns([column])
            models = {name: m for name, m in change.manifest.models.items() if name != column}
            change.manifest = replace(change.manifest, models=models)

    def _has_seeds(self, column: str) -> bool:
        """Tell whether seeds are kept of a column, if only of a model that was dropped."""
        return self._files.read(f"seeds-{column}{SUFFIX}") is not None

    def _check_column(self, manifest: Manifest, column: str) -> VectorModel:
        if column not in manifest.models:
            raise InputError(
                f"there is no column of vectors {column!r}; there are {', '.join(manifest.models)}"
            )
        return manifest.models[column]


def _pending(column: str) -> str:
    return f"text_source IS NOT NULL AND {column} IS NULL"


def has_all_vectors(dataset: Any, column: str, model: VectorModel) -> bool:
    """Tell whether a version of the table has a column, and a vector in it for all words."""
    has_column = fits(dataset.schema, column, model.dimension)
    return has_column and not dataset.count_rows(_pending(column))
