"""Sentence-BERT models, through sentence-transformers."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._faiss import import_faiss
from rememberai._models import ModelSource, loading, pick_device, reading
from rememberai._optional import require
from rememberai.embedders import bert
from rememberai.embedders.languages import LanguageWatch
from rememberai.embedders.models import find_info
from rememberai.embedders.packed import PackedBert, Precision
from rememberai.embedders.texts import PiecewiseEmbedder, cut, token_bound
from rememberai.errors import InputError, MissingExtraError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class SentenceEmbedder(PiecewiseEmbedder):
    """Embeds texts with a sentence-transformers model (Reimers and Gurevych, EMNLP 2019).

    The model is loaded at first use. A text over the model's token limit is cut into pieces; its
    vector is the mean of theirs, weighted by tokens, and scaled to length one where the model's
    vectors are.

    On the CPU, BERT, RoBERTa and XLM-RoBERTa run without padding, which gives the same vectors
    sooner (with AMX their numbers are rounded to 16 bits on the way: a cosine of 0.9999995 to
    them for MiniLM); any other model, and one with a prompt, runs as sentence-transformers runs it.

    Parameters
    ----------
    model
        A folder, a name in `MODELS`, or a repository on the hub; a plain name that is not known
        is looked for below ``sentence-transformers/``.
    device
        A torch device, or ``"auto"``.
    batch_size
        Texts that go through the model at once.
    precision
        ``"int8"`` rounds what goes into the matrix products to 8 bits, and weights to 7, on the
        CPU: about two thirds of the time on x86, no less elsewhere. The vectors, near the others (a
        cosine of 0.997 for MiniLM), are another model's by their `model_id`, and another processor
        may round some otherwise.
    offline
        Never ask the hub.

    Raises
    ------
    ModelError
        The model can't be found or loaded, or at first use: int8 is not for this model.
    MissingExtraError
        At first use: sentence-transformers is not installed.
    """

    def __init__(
        self,
        model: str = "all-MiniLM-L6-v2",
        *,
        device: str = "auto",
        batch_size: int = 128,
        precision: Precision = "float32",
        offline: bool = False,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, it is {batch_size}.")
        if precision not in ("float32", "int8"):
            raise InputError(f"precision must be 'float32' or 'int8', it is {precision!r}.")
        self.device = device
        self.batch_size = batch_size
        self.precision: Precision = precision
        self._info = find_info(model)
        if self._info:
            name, hub_id, package = self._info.name, self._info.hub_id, self._info.package
        else:
            name, package = model, None
            hub_id = model if "/" in model else f"sentence-transformers/{model}"
        self._source = ModelSource(name, hub_id=hub_id, package=package, offline=offline)
        self._watch = LanguageWatch(self._info)

    @property
    def model_id(self) -> str:
        """Name and fingerprint of the files, ``"all-MiniLM-L6-v2@1a2b3c4d"``; int8 adds its own.

        That tells the bits of the weights too: with 8 of them vectors were others.
        """
        return self._source.model_id + ("+int8w7" if self.precision == "int8" else "")

    @cached_property
    def dimension(self) -> int:
        """Length of every vector; known before loading for a model in `MODELS`."""
        return self._info.dimension if self._info else int(self._run([""]).shape[1])

    @cached_property
    def _engine(self) -> PackedBert | _AsItIs:
        folder, device = self._source.folder, pick_device(self.device)
        found = None
        if device == "cpu":
            with reading(folder):
                found = bert.read(folder)
        if found is None:
            model = _load(folder, device)
            found = bert.taken_from(model)
            if found is None and self.precision == "float32":
                return _AsItIs(model)
        if found is None:
            raise ModelError(
                f"int8 is for BERT, RoBERTa and XLM-RoBERTa without a prompt, on the CPU; "
                f"{self._source.name} on {device} is no such model. Give precision='float32', or "
                "device='cpu'."
            )
        return PackedBert(found, self.precision)

    @property
    def _normalises(self) -> bool:
        return self._engine.normalises

    def _run(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.ascontiguousarray(self._engine.encode(texts, self.batch_size), np.float32)
        if not np.isfinite(vectors).all():
            raise ModelError(f"the model {self.model_id} gave vectors that are not finite.")
        return vectors

    def _split(self, text: str) -> list[tuple[str, int]]:
        return [(text, 1)] if token_bound(text) <= self._engine.limit else self._cut(text)

    def _cut(self, text: str) -> list[tuple[str, int]]:
        starts, limit = self._engine.starts(text), self._engine.limit
        pieces = [text] if len(starts) <= limit else cut(text, starts, int(limit))
        if len(pieces) == 1:
            return [(text, len(starts))]
        # Alone, a piece can have more tokens than it had inside the text.
        return [part for piece in pieces for part in self._cut(piece)]


class _AsItIs:
    """A model that sentence-transformers runs; see `PackedBert`."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.normalises = any(type(module).__name__ == "Normalize" for module in model)
        self.limit = bert.token_limit(model)

    def encode(self, texts: list[str], batch_size: int) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._model.encode(
            texts, batch_size=batch_size, show_progress_bar=False, convert_to_numpy=True
        )
        return vectors

    def starts(self, text: str) -> list[int]:
        return bert.token_starts(self._model.tokenizer, text)


def _load(folder: Path, device: str) -> Any:
    with suppress(MissingExtraError):
        import_faiss()  # before scikit-learn brings the same OpenMP, and its threads spin
    library = require("sentence_transformers")
    with loading(folder):
        return library.SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
