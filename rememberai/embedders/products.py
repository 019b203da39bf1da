"""Layers of a network on the CPU: each row of a matrix times its weights, in 32 or in 8 bits.

torch reaches oneDNN's faster products through operators that ``torch.compile`` calls; where they
are missing the same numbers come from plain float32.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from rememberai._optional import require

_MIDDLE = 128  # zero, as an unsigned level
_LEVELS = 127  # on each side of zero
_TINY = 1e-12
_MISSING = (AttributeError, NotImplementedError, RuntimeError, TypeError)  # operators change


class Product(Protocol):
    """Turns (rows, in) float32 into (rows, out); without GELU what comes as `plus` is added."""

    def __call__(self, x: Any, plus: Any = None) -> Any:
        """Multiply."""
        ...


def float32(weight: Any, bias: Any, *, gelu: bool = False) -> Product:
    """Make ``x @ weight.T + bias``, through GELU where asked for.

    Parameters
    ----------
    weight
        Tensor, (out, in) float32.
    bias
        Tensor, (out,) float32.
    """
    if _has_onednn():
        return _prepacked(weight, bias, gelu)
    functional = require("torch").nn.functional

    def run(x: Any, plus: Any = None) -> Any:
        found = functional.linear(x, weight, bias)
        return functional.gelu(found) if gelu else _added(found, plus)

    return run


def _prepacked(weight: Any, bias: Any, gelu: bool) -> Product:
    oneapi = require("torch").ops.mkldnn
    packed = oneapi._reorder_linear_weight(weight.contiguous())
    then, kind = ("gelu", "none") if gelu else ("none", "")

    def run(x: Any, plus: Any = None) -> Any:
        if plus is None:
            return oneapi._linear_pointwise(x, packed, bias, then, [], kind)
        return oneapi._linear_pointwise.binary(x, plus, packed, bias, "add")

    return run


def _added(found: Any, plus: Any) -> Any:
    return found if plus is None else found.add_(plus)


def int8(weight: Any, bias: Any, *, gelu: bool = False) -> Product:
    """Make the same with weights and rows rounded to 8 bits; sums and all else are in 32.

    Each output has a step of its own for its weights, and each row (each token) for its values, so
    that a row's result does not depend on the others (Yao et al., ZeroQuant, NeurIPS 2022).

    Parameters
    ----------
    weight
        Tensor, (out, in) float32.
    bias
        Tensor, (out,) float32.
    """
    torch = require("torch")
    steps = weight.abs().amax(1).clamp_(min=_TINY).div_(_LEVELS)
    levels = torch.round(weight / steps[:, None]).to(torch.int8)
    product = (_of_levels if _sums_are_exact() else _of_levels_as_floats)(levels, steps)

    def run(x: Any, plus: Any = None) -> Any:
        step = torch.maximum(x.amax(1, keepdim=True), -x.amin(1, keepdim=True))
        step = step.clamp_(min=_TINY).div_(_LEVELS)
        rounded = (x / step).add_(_MIDDLE + 0.5).to(torch.uint8)
        found = product(rounded).mul_(step).add_(bias)
        return torch.ops.aten.gelu_(found) if gelu else _added(found, plus)

    return run


def _of_levels(levels: Any, steps: Any) -> Callable[[Any], Any]:
    """Make the product of unsigned rows around `_MIDDLE` with signed weights, by oneDNN."""
    torch = require("torch")
    oneapi = torch.ops.onednn
    packed = oneapi.qlinear_prepack(levels, None)
    zeros = torch.zeros(len(steps), dtype=torch.int64)
    return lambda rows: oneapi.qlinear_pointwise(
        rows, 1.0, _MIDDLE, packed, steps, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )


def _of_levels_as_floats(levels: Any, steps: Any) -> Callable[[Any], Any]:
    weight = levels.float() * steps[:, None]
    linear = require("torch").nn.functional.linear
    return lambda rows: linear(rows.float() - _MIDDLE, weight)


@cache
def _has_onednn() -> bool:
    """Whether oneDNN is there, on the processors that it was measured on."""
    torch = require("torch")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        product = _prepacked(torch.eye(16), torch.ones(16), gelu=False)
        found = product(torch.ones(1, 16), torch.ones(1, 16)) + product(torch.ones(1, 16))
    except _MISSING:
        return False
    return bool((found == 5).all())


@cache
def _sums_are_exact() -> bool:
    """Whether integer sums don't overflow: without VNNI two products meet in 16 bits."""
    if not _has_onednn():
        return False
    torch = require("torch")
    weights = torch.full((16, 64), _LEVELS, dtype=torch.int8)
    rows = torch.full((16, 64), 255, dtype=torch.uint8)
    try:
        found = _of_levels(weights, torch.ones(16))(rows)
    except _MISSING:
        return False
    return bool((found == 64 * _LEVELS * (255 - _MIDDLE)).all())
