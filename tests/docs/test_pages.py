"""What the README and the docs say outside of blocks, their links, and the examples."""

from __future__ import annotations

import ast
import contextlib
import doctest
import inspect
import re
import runpy
import shlex
import sys
from pathlib import Path

import click
import pytest
from doc_blocks import BLOCK, PAGES, ROOT, blocks_of, name_of

import rememberai
from rememberai import events, photos, report
from rememberai.cli import cli

LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
EXAMPLES = [path.with_suffix(".py") for path in sorted((ROOT / "examples").glob("*.txt"))]


def spans_of(page: Path) -> list[str]:
    """The code within a page's sentences, each in one line."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose_of(page))]


def prose_of(page: Path) -> str:
    return BLOCK.sub("", page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_that_a_page_names_are_there(page):
    for line in spans_of(page):
        if not re.match(r"rememberai [^|]+$", line):
            continue
        words = iter(shlex.split(line.replace("\\", "/"))[1:])
        command, said = cli, []
        for word in words:
            said.append(word)
            if isinstance(command, click.Group) and not word.startswith("-"):
                if word.isupper():  # a placeholder
                    break
                command = command.commands.get(word)
                assert command is not None, line
        known = {"--help", "-h"} | {
            o for each in (cli, command) for p in each.params for o in p.opts
        }
        assert {word for word in said if word.startswith("-")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_names_and_parameters_that_a_page_names_are_there(page):
    for code in spans_of(page):
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(code)):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                owner, _, name = called.rpartition(".")
                if owner in ("book", "RememberAI"):
                    known = inspect.signature(getattr(rememberai.RememberAI, name)).parameters
                    assert {word.arg for word in node.keywords} <= set(known), code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_first_code_is_at_most_ten_lines():
    first = next(block for block in blocks_of(PAGES[0]) if block.language == "python")
    assert len(first.lines()) <= 10


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    there = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES[2:]]
    assert sorted(listed) == sorted(there)


def test_every_public_name_is_in_the_reference():
    pages = [page.read_text("utf-8") for page in (ROOT / "docs" / "reference").glob("*.md")]
    shown = {path.split(".")[-1] for path in re.findall(r"^::: (\S+)$", "\n".join(pages), re.M)}
    errors = {name for name in rememberai.__all__ if hasattr(rememberai.errors, name)}
    names = {*rememberai.__all__, *events.__all__, *photos.__all__, *report.__all__}
    assert names - errors - {"__version__"} <= shown


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_prints_what_stands_beside_it(example, shell, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(example)])
    runpy.run_path(str(example), run_name="__main__")
    shown = example.with_suffix(".txt").read_text("utf-8")
    printed = capsys.readouterr().out
    assert doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS), printed


def test_examples_are_short():
    assert len(EXAMPLES) >= 5
    for example in EXAMPLES:
        assert len(example.read_text("utf-8").splitlines()) <= 40
