"""Models of transformers that place pictures and texts in one space: CLIP and SigLIP."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai._models import ModelSource, loading, pick_device, quiet, refuse_absent
from rememberai._optional import require
from rememberai.embedders.texts import checked
from rememberai.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

_KNOWN = ("clip", "siglip", "siglip2")


class ImageTextEmbedder:
    """Embeds pictures and texts in one space, so that a text finds a photo nobody described.

    CLIP (Radford et al., ICML 2021) and SigLIP (Zhai et al., ICCV 2023; SigLIP 2, 2025). All
    vectors have length one. The model is loaded at first use; weights are safetensors, no code from
    the model's folder is run. A text is read up to the model's limit, 64 or 77 tokens.

    Parameters
    ----------
    model
        A folder, or a repository on the hub, as transformers or sentence-transformers saves it.
    device
        A torch device, or ``"auto"``.
    batch_size
        Pictures or texts that go through the model at once.
    offline
        Never ask the hub.
    revision
        Commit, tag or branch of the repository.

    Raises
    ------
    ModelError
        The model can't be found or loaded, or is of another kind.
    MissingExtraError
        At first use: transformers or torch is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        batch_size: int = 32,
        offline: bool = False,
        revision: str | None = None,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, it is {batch_size}.")
        self.device = device
        self.batch_size = batch_size
        self._source = ModelSource(model, revision=revision, offline=offline)

    @property
    def model_id(self) -> str:
        """Name and fingerprint of the files, ``"my-clip@1a2b3c4d"``."""
        return self._source.model_id

    @property
    def dimension(self) -> int:
        """Length of every vector; known before the weights are loaded."""
        config = self._config
        return int(
            config.projection_dim
            if config.model_type == "clip"
            else config.vision_config.hidden_size
        )

    @property
    def side(self) -> int | None:
        """Pixels of the shorter side that the model looks at; None where it takes any shape."""
        return getattr(self._config.vision_config, "image_size", None)

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed pictures of any size and mode.

        Returns
        -------
        NDArray[np.float32], shape (n, dimension)
            Row i belongs to picture i; C-contiguous, of length one.

        Raises
        ------
        ModelError
            The model gave a vector that is not finite, or is zero.
        """
        return self._in_batches(images, self._see)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Returns
        -------
        NDArray[np.float32], shape (n, dimension)
            Row i belongs to text i; C-contiguous, of length one.

        Raises
        ------
        InputError
            Something other than a sequence of texts was given.
        ModelError
            The model gave a vector that is not finite, or is zero.
        """
        return self._in_batches(checked(texts), self._read)

    def _in_batches(
        self, inputs: Sequence[Any], run: Callable[[Sequence[Any]], Any]
    ) -> NDArray[np.float32]:
        parts = [np.empty((0, self.dimension), np.float32)]
        with quiet(), require("torch").inference_mode():
            for start in range(0, len(inputs), self.batch_size):
                found = run(inputs[start : start + self.batch_size])
                # A tensor in transformers 4, where 5 gives the tower's whole output.
                parts.append(getattr(found, "pooler_output", found).float().cpu().numpy())
        vectors = np.concatenate(parts)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise ModelError(f"the model {self.model_id} gave vectors that are zero or not finite.")
        return np.ascontiguousarray(vectors / lengths)

    def _see(self, images: Sequence[Image]) -> Any:
        model, image_processor, _ = self._loaded
        pictures = [image.convert("RGB") for image in images]
        inputs = image_processor(images=pictures, return_tensors="pt")
        return model.get_image_features(**inputs.to(model.device))

    def _read(self, texts: Sequence[str]) -> Any:
        model, _, tokenizer = self._loaded
        inputs = tokenizer(
            list(texts),
            # SigLIP has learnt from texts that were filled up, and reads others wrongly.
            padding=True if self._config.model_type == "clip" else "max_length",
            truncation=True,
            max_length=self._config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        return model.get_text_features(**inputs.to(model.device))

    @cached_property
    def _folder(self) -> Path:
        """Where the model itself lies; sentence-transformers used to keep it below its own file."""
        below = self._source.folder / "0_CLIPModel"
        return below if below.is_dir() else self._source.folder

    @cached_property
    def _config(self) -> Any:
        folder = self._folder
        require("transformers")
        with loading(folder):
            config = self._load("AutoConfig")
        if config.model_type not in _KNOWN:
            raise ModelError(
                f"a model of pictures and texts ({', '.join(_KNOWN)}) was wanted, but {folder} "
                f"holds a {config.model_type!r} model."
            )
        return config

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        """The model, its image processor and its tokenizer."""
        device, config = pick_device(self.device), self._config
        with loading(self._folder):
            model, report = self._load(
                "AutoModel",
                config=config,
                use_safetensors=True,
                dtype=require("torch").float32,
                output_loading_info=True,
            )
            refuse_absent(report, self._folder, config.model_type)
            return (
                model.to(device),
                self._load("AutoImageProcessor"),
                self._load("AutoTokenizer"),
            )

    def _load(self, auto_class: str, **options: Any) -> Any:
        return getattr(require("transformers"), auto_class).from_pretrained(
            self._folder, local_files_only=True, trust_remote_code=False, **options
        )
