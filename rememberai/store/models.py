"""Further models beside the first: of pictures; or of words, to switch the store over to it.

All that is done is in the table, so who is stopped goes on from there: `add_model` makes an empty
column, `pending` names the photos whose words or pictures it has no vector of, and `fill` writes
some. A column of pictures stays beside the words; when none is pending in a column of words,
`switch_model` makes it the one that is searched and that new photos fill.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from rememberai._arrays import check_count, check_vectors
from rememberai.errors import InputError, StoreError
from rememberai.store.artifacts import SUFFIX
from rememberai.store.lance_errors import lance_errors
from rememberai.store.manifest import Manifest, VectorModel
from rememberai.store.reading import is_in, text_that_counts
from rememberai.store.schema import check_comparable, fits, vector_array, vector_type
from rememberai.store.writing import Writer, put

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

_SPOKEN = ["photo_id", "memory", "caption", "text_source"]


class ModelColumns(Writer):
    """The part of a store that knows several models."""

    def add_model(
        self,
        model_id: str,
        dimension: int,
        embedder: str | None = None,
        *,
        of: Literal["text", "image"] = "text",
    ) -> str:
        """Make an empty column for the vectors of another model.

        Parameters
        ----------
        model_id, dimension, embedder
            See `MemoryStore.create`.
        of
            Whether its vectors are of the photos' words or of their pictures.

        Returns
        -------
        str
            The column; that of an earlier call when the store knows this model already.

        Raises
        ------
        InputError
            What was said of the model is not like that; nothing is changed.
        """
        dimension = check_count(dimension, "dimension")
        model = VectorModel(model_id, dimension, embedder, of)
        with self._writing() as change:
            for column, known in change.manifest.models.items():
                if (known.id, known.dimension, known.of) == (model_id, dimension, of):
                    return column
            taken = change.dataset.schema.names
            column = next(
                name
                for i in count(2)
                if (name := f"vector_{i}") not in taken and not self._has_seeds(name)
            )
            change.dataset.add_columns(pa.schema([(column, vector_type(dimension))]))
            change.manifest = replace(
                change.manifest, models={**change.manifest.models, column: model}
            )
        return column

    def pending(self, column: str, limit: int | None = None) -> pa.Table:
        """Read the photos that have words, or a picture, but no vector of it in a column.

        Parameters
        ----------
        limit
            The most photos to read.

        Returns
        -------
        pyarrow.Table
            Their photo_id and text, or path in a column of pictures, for `fill`.

        Raises
        ------
        InputError
            There is no such column.
        """
        model = self._check_column(self._seen.manifest, column)
        wanted = _SPOKEN if model.of == "text" else ["photo_id", "path"]
        with lance_errors(self._files.table):
            rows = self._dataset.to_table(
                columns=wanted, filter=_pending(column, model), limit=limit
            )
        if model.of == "image":
            return rows
        return pa.table({"photo_id": rows["photo_id"], "text": text_that_counts(rows)})

    def fill(self, column: str, photos: pa.Table, vectors: ArrayLike) -> int:
        """Write the vectors of some photos in a column.

        Parameters
        ----------
        photos
            n rows of `pending`: photo_id, and the text that was embedded, if it was one.
        vectors
            (n, dimension) float32: of the photos, in their order.

        Returns
        -------
        int
            How many were written. A photo that was deleted meanwhile, or given other words, gets
            none; in the latter case it is still pending. A picture is always the same.

        Raises
        ------
        InputError
            There is no such column, or the vectors are not like that, zero under the cosine metric
            or too large under l2.
        """
        with self._writing() as change:
            model = self._check_column(change.manifest, column)
            array = check_vectors(vectors, dimension=model.dimension)
            if len(array) != len(photos):
                raise InputError(
                    f"{len(photos)} vectors were wanted, one a photo; {len(array)} came"
                )
            if not len(photos):
                return 0
            check_comparable(photos["photo_id"], array, change.manifest.metric)
            rows = change.dataset.to_table(filter=is_in("photo_id", photos["photo_id"].to_pylist()))
            order = pc.index_in(rows["photo_id"], value_set=photos["photo_id"])
            place = rows.schema.get_field_index(column)
            filled = rows.set_column(place, column, vector_array(array).take(order))
            if model.of == "text":
                same = pc.equal(photos["text"].take(order), text_that_counts(rows))
                filled = filled.filter(pc.fill_null(same, False))
            if len(filled):
                put(change, filled, again=False)
        return len(filled)

    def switch_model(self, column: str) -> None:
        """Make a column's model the one that is searched and that new photos fill.

        Who has the store open reads on with the model from before, and can't write any more.

        Raises
        ------
        InputError
            There is no such column, or its vectors are of pictures.
        StoreError
            Photos are still pending; nothing is changed.
        """
        with self._writing() as change:
            model = self._check_column(change.manifest, column)
            if model.of == "image":
                raise InputError(f"the vectors in {column!r} are of pictures; words are needed")
            if left := change.dataset.count_rows(_pending(column, model)):
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


def _pending(column: str, model: VectorModel) -> str:
    source = "text_source" if model.of == "text" else "path"
    return f"{source} IS NOT NULL AND {column} IS NULL"


def has_all_vectors(dataset: Any, column: str, model: VectorModel) -> bool:
    """Tell whether a version of the table has a column, and a vector in it for all words."""
    has_column = fits(dataset.schema, column, model.dimension)
    return has_column and not dataset.count_rows(_pending(column, model))
