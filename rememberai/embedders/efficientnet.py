"""Picture features of EfficientNet-lite0, from weights that a package ships."""

from __future__ import annotations

import logging
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai import _efficientnet
from rememberai._optional import require
from rememberai.embedders.convolutions import cached
from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

_log = logging.getLogger(__name__)


class EfficientNetEmbedder:
    """Embeds pictures by what EfficientNet-lite0 (Tan and Le, ICML 2019) tells objects from.

    It needs no download and finds photos that look alike; texts it knows nothing of. With the extra
    ``onnx`` the network is written once as an ONNX file in the user's cache folder and run by ONNX
    Runtime, several times as fast as by torch.

    Parameters
    ----------
    batch_size
        Pictures that go through the network at once.
    threads
        Of ONNX Runtime; None for its own choice.

    Raises
    ------
    MissingExtraError
        The package with the weights, or torch, is not installed.
    """

    model_id = _efficientnet.MODEL_ID
    dimension = _efficientnet.DIMENSION
    side = _efficientnet.LOOKED_AT

    def __init__(self, *, batch_size: int = 16, threads: int | None = None) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, it is {batch_size}.")
        self.batch_size = batch_size
        self.threads = threads
        self._network = _efficientnet.efficientnet()

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed pictures of any size and mode.

        Returns
        -------
        NDArray[np.float32], shape (n, 1280)
            Row i belongs to picture i; C-contiguous, each value at least 0.

        Raises
        ------
        ModelError
            The weights are not those that were published.
        """
        parts = [np.empty((0, self.dimension), np.float32)]
        for start in range(0, len(images), self.batch_size):
            parts.append(self._run(images[start : start + self.batch_size]))
        return np.concatenate(parts)

    @cached_property
    def _run(self) -> Callable[[Sequence[Image]], NDArray[np.float32]]:
        if find_spec("onnxruntime") is None:
            return self._network.features
        try:
            session = self._session()
        # ONNX Runtime's errors have no type of their own; torch gives the same features.
        except Exception as error:
            _log.warning("EfficientNet runs in torch, not in ONNX Runtime: %s", error)
            return self._network.features

        def run(images: Sequence[Image]) -> NDArray[np.float32]:
            (features,) = session.run(None, {"pixels": _efficientnet.pixels(images)})
            return np.ascontiguousarray(features)

        return run

    def _session(self) -> Any:
        runtime = require("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads or 0
        # A thread that waits in a loop takes the core from the one that decodes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = cached(self.model_id, lambda: self._network.body)
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
