"""A torch network of plain convolutions as an ONNX graph, written once and kept."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rememberai._optional import require

if TYPE_CHECKING:
    from collections.abc import Callable

_OPSET = 17
_IR = 8  # of the same age, so that old versions of ONNX Runtime read it
_ZEROS = (0, 0, 0, 0)


def cached(name: str, body: Callable[[], Any]) -> Path:
    """Give the ONNX file of a network; written when it is not in the user's cache yet.

    Parameters
    ----------
    name
        What no other network has, such as its model id.
    body
        Gives the network, as for `graph`.

    Raises
    ------
    OSError
        It can't be written.
    """
    path = cache_folder() / f"{name}.onnx"
    if not path.exists():
        data = graph(body())
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{uuid.uuid4().hex}")
        try:
            draft.write_bytes(data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path


def cache_folder() -> Path:
    """Name RememberAI's folder, in the user's cache, for models that can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "rememberai" / "models"


def graph(body: Any) -> bytes:
    """Write a network as an ONNX model from (n, 3, height, width) to (n, dimension) float32.

    Parameters
    ----------
    body
        A ``torch.nn.Sequential`` of `Conv2d`, `ReLU6`, `ZeroPad2d` (right before a convolution),
        `AdaptiveAvgPool2d(1)`, `Flatten`, and further sequences of them, of which those with
        another type than `Sequential` are added to what came in.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    onnx = require("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    writer = _Writer(helper, onnx.numpy_helper)
    last = writer.sequence(body, "pixels")
    nodes = [*writer.nodes, helper.make_node("Identity", [last], ["features"])]
    made = helper.make_graph(
        nodes,
        "features",
        [helper.make_tensor_value_info("pixels", kind, ["n", 3, "height", "width"])],
        [helper.make_tensor_value_info("features", kind, ["n", "dimension"])],
        writer.weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class _Writer:
    """Nodes and weights, in the order of the layers."""

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self._helper = helper
        self._numpy_helper = numpy_helper
        self.nodes: list[Any] = []
        self.weights = [self._tensor("zero", 0.0), self._tensor("six", 6.0)]

    def sequence(self, layers: Any, name: str) -> str:
        """Write layers that read a value, and name the value of the last one."""
        nn = require("torch").nn
        start, padding = name, _ZEROS
        for layer in layers:
            if isinstance(layer, nn.Sequential):
                name = self.sequence(layer, name)
            elif isinstance(layer, nn.ZeroPad2d):
                padding = layer.padding
            elif isinstance(layer, nn.Conv2d):
                name, padding = self._convolution(layer, name, padding), _ZEROS
            elif isinstance(layer, nn.ReLU6):
                name = self._node("Clip", [name, "zero", "six"])
            elif isinstance(layer, nn.AdaptiveAvgPool2d):
                name = self._node("GlobalAveragePool", [name])
            elif isinstance(layer, nn.Flatten):
                name = self._node("Flatten", [name])
            else:
                raise TypeError(f"{type(layer).__name__} is no layer that can be written")
        return name if type(layers) is nn.Sequential else self._node("Add", [start, name])

    def _convolution(self, layer: Any, name: str, padding: tuple[int, ...]) -> str:
        weight, bias = f"weight_{len(self.nodes)}", f"bias_{len(self.nodes)}"
        self.weights += [
            self._tensor(weight, layer.weight.numpy(force=True)),
            self._tensor(bias, layer.bias.numpy(force=True)),
        ]
        left, right, top, bottom = padding
        return self._node(
            "Conv",
            [name, weight, bias],
            strides=list(layer.stride),
            group=layer.groups,
            pads=[top, left, bottom, right],
        )

    def _node(self, kind: str, inputs: list[str], **settings: Any) -> str:
        name = f"value_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, inputs, [name], **settings))
        return name

    def _tensor(self, name: str, values: Any) -> Any:
        import numpy as np

        return self._numpy_helper.from_array(np.asarray(values, np.float32), name)
