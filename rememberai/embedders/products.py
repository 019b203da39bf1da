"""Layers of a network on the CPU: each row of a matrix times its weights.

torch reaches oneDNN's faster products through operators that ``torch.compile`` calls; where they
are missing the same numbers come from plain float32.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol

from rememberai._optional import require

_MIDDLE = 128  # zero, as an unsigned byte
_WEIGHT = 63  # levels of int8's weights: without VNNI 16 bits have to hold 2 x 255 x 63
_TINY = 1e-12
_MISSING = (AttributeError, NotImplementedError, RuntimeError, TypeError)  # operators change


class _Levels(NamedTuple):
    """What numbers are rounded to: as many on each side of zero, in bytes around `_MIDDLE`.

    They are cast to each type in turn, since torch is slow to make unsigned bytes of floats.
    """

    most: int
    zero: int
    types: tuple[str, ...]


_BYTE = _Levels(127, _MIDDLE, ("int16", "uint8"))
_TWO_BYTES = _Levels(127 * 256 + 127, _MIDDLE * 256 + _MIDDLE, ("uint16",))


class Product(Protocol):
    """Turns (rows, in) float32 into (rows, out).

    Without GELU what comes as `plus` is added, and `x` may be overwritten.
    """

    def __call__(self, x: Any, plus: Any = None) -> Any:
        """Multiply."""
        ...


def float32(weight: Any, bias: Any, *, gelu: bool = False) -> Product:
    """Make ``x @ weight.T + bias``, through GELU where asked for.

    With AMX a processor multiplies bytes so much sooner that there weights and rows are rounded to
    16 bits, and the products of their bytes added, but for those of low with low ones: outputs are
    off by about a ten-thousandth of their usual size.

    Parameters
    ----------
    weight
        Tensor, (out, in) float32.
    bias
        Tensor, (out,) float32.
    """
    if _has_amx():
        levels = _in_levels(weight, _TWO_BYTES.most)
        return _rounded(_of_two_bytes(*levels), _TWO_BYTES, bias, gelu)
    if _has_onednn():
        return _prepacked(weight, bias, gelu)
    functional = require("torch").nn.functional

    def run(x: Any, plus: Any = None) -> Any:
        found = functional.linear(x, weight, bias)
        return functional.gelu(found) if gelu else _added(found, plus)

    return run


def _prepacked(weight: Any, bias: Any, gelu: bool) -> Product:
    torch = require("torch")
    oneapi = torch.ops.mkldnn
    packed = oneapi._reorder_linear_weight(weight.contiguous())
    fused = gelu and _fuses_well()
    then, kind = ("gelu", "none") if fused else ("none", "")

    def run(x: Any, plus: Any = None) -> Any:
        if plus is not None:
            return oneapi._linear_pointwise.binary(x, plus, packed, bias, "add")
        found = oneapi._linear_pointwise(x, packed, bias, then, [], kind)
        return torch.ops.aten.gelu_(found) if gelu and not fused else found

    return run


def _added(found: Any, plus: Any) -> Any:
    return found if plus is None else found.add_(plus)


def int8(weight: Any, bias: Any, *, gelu: bool = False) -> Product:
    """Make the same with rows rounded to 8 bits and weights to 7; sums and all else are in 32.

    Each output has a step of its own for its weights, and each row (each token) for its values, so
    that a row's result does not depend on the others (Yao et al., ZeroQuant, NeurIPS 2022). With 7
    bits integer sums are exact on every processor that has them.

    Parameters
    ----------
    weight
        Tensor, (out, in) float32.
    bias
        Tensor, (out,) float32.
    """
    levels, steps = _in_levels(weight, _WEIGHT)
    product = _of_bytes if _sums_are_exact(_WEIGHT) else _of_bytes_as_floats
    return _rounded(product(levels, steps), _BYTE, bias, gelu)


def _in_levels(weight: Any, most: int) -> tuple[Any, Any]:
    """Round to (out, in) whole numbers, and give the (out,) steps between two of them."""
    steps = weight.abs().amax(1).clamp_(min=_TINY).div_(most)
    return (weight / steps[:, None]).round_(), steps


def _rounded(product: Callable[[Any], Any], kind: _Levels, bias: Any, gelu: bool) -> Product:
    torch = require("torch")
    types = [getattr(torch, name) for name in kind.types]

    def run(x: Any, plus: Any = None) -> Any:
        step = torch.maximum(x.amax(1, keepdim=True), -x.amin(1, keepdim=True))
        step = step.clamp_(min=_TINY).div_(kind.most)
        scale = step.reciprocal()
        rounded = (x * scale if plus is None else x.mul_(scale)).add_(kind.zero + 0.5)
        for dtype in types:
            rounded = rounded.to(dtype)
        found = product(rounded.view(torch.uint8)).mul_(step).add_(bias)
        return torch.ops.aten.gelu_(found) if gelu else _added(found, plus)

    return run


def _of_bytes(levels: Any, steps: Any) -> Callable[..., Any]:
    """Make the product of unsigned rows around `_MIDDLE` with signed weights, plus another."""
    torch = require("torch")
    oneapi = torch.ops.onednn
    packed = oneapi.qlinear_prepack(levels.to(torch.int8), None)
    zeros = torch.zeros(len(steps), dtype=torch.int64)
    rest = (None, 1.0, 0, torch.float32)

    def run(rows: Any, plus: Any = None) -> Any:
        given = (rows, 1.0, _MIDDLE, packed, steps, zeros)
        if plus is None:
            return oneapi.qlinear_pointwise(*given, *rest, "none", [], "")
        return oneapi.qlinear_pointwise.binary(
            *given, plus, *rest, 1.0, 0, "sum", 1.0, "none", [], ""
        )

    return run


def _of_bytes_as_floats(levels: Any, steps: Any) -> Callable[[Any], Any]:
    weight = levels * steps[:, None]
    linear = require("torch").nn.functional.linear
    return lambda rows: linear(rows.float() - _MIDDLE, weight)


def _of_two_bytes(levels: Any, steps: Any) -> Callable[[Any], Any]:
    """Make the product of rows of low and high bytes by turns."""
    int16, int8 = (getattr(require("torch"), name) for name in ("int16", "int8"))
    pairs = (levels + _MIDDLE).to(int16) ^ _MIDDLE  # both bytes signed
    turned = (pairs << 8) | ((pairs >> 8) & 255)
    fine = _of_bytes(turned.view(int8), 256 * steps)
    coarse = _of_bytes((pairs & -256).view(int8), 65536 * steps)
    return lambda rows: coarse(rows, fine(rows))


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
def _fuses_well() -> bool:
    """Whether oneDNN's GELU within a product is quicker than torch's after it: not with AVX2."""
    return bool(require("torch").backends.cpu.get_cpu_capability() == "AVX512")


@cache
def _sums_are_exact(most: int) -> bool:
    """Whether oneDNN multiplies bytes, and sums don't overflow with weights of so many levels."""
    if not _has_onednn():
        return False
    torch = require("torch")
    weights = torch.full((16, 64), most, dtype=torch.int8)
    rows = torch.full((16, 64), 255, dtype=torch.uint8)
    try:
        found = _of_bytes(weights, torch.ones(16))(rows)
    except _MISSING:
        return False
    return bool((found == 64 * most * (255 - _MIDDLE)).all())


@cache
def _has_amx() -> bool:
    """Whether bytes are multiplied in tiles, and by the operators that this needs."""
    if not _sums_are_exact(_BYTE.most):
        return False
    torch = require("torch")
    numbers = torch.tensor([[-1.0, 0.5, 0.25, 2**-14]]).repeat(16, 16)
    try:
        product = _of_two_bytes(*_in_levels(numbers, _TWO_BYTES.most))
        found = _rounded(product, _TWO_BYTES, torch.zeros(16), gelu=False)(numbers)
        return bool(torch.cpu._is_amx_tile_supported() and (found / 21 - 1).abs().max() < 1e-3)
    except _MISSING:
        return False
