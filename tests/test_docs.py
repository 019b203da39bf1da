"""Every Python and shell block of the README and the docs runs as it stands; so do the examples."""

from __future__ import annotations

import ast
import contextlib
import doctest
import inspect
import re
import runpy
import shlex
import shutil
import sys
import textwrap
from pathlib import Path

import click
import pytest

import rememberai
from rememberai import MissingExtraError, events, photos, report
from rememberai.cli import cli

ROOT = Path(__file__).parent.parent
SAMPLE = Path("examples", "sample_album")
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]
EXAMPLES = [path.with_suffix(".py") for path in sorted((ROOT / "examples").glob("*.txt"))]


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The sample album where the pages look for it; nothing that is kept is seen elsewhere."""
    shutil.copytree(ROOT / SAMPLE, tmp_path / SAMPLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", WITH_CODE, ids=_id)
def test_blocks_run(page, folder, shell, sample_store):
    if page.parent.name == "howto" or page.name == "command-line.md":
        shutil.copytree(sample_store, folder / "family.memories")  # with the sample album's year
    names: dict[str, object] = {"__name__": "__main__"}
    for language, code in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            try:
                exec(compile(code, str(page), "exec"), names)
            except MissingExtraError as error:
                pytest.skip(str(error))
            continue
        for line in code.splitlines():
            program, *arguments = shlex.split(line, comments=True)
            assert program == "rememberai"
            done = shell(*arguments)
            assert done.status == 0, f"{line}: {done.err}"


def commands_of(page: Path) -> list[str]:
    """What a page names of the command line outside of the blocks that run."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    lines = re.findall(r"^ {4}(rememberai .*?)(?: +[>#].*)?$", text, re.MULTILINE)
    return lines + [" ".join(code.split()) for code in re.findall(r"`(rememberai [^`|]+)`", text)]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=_id)
def test_commands_and_options_that_a_page_names_are_there(page):
    for line in commands_of(page):
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


def indented_python(page: Path) -> list[ast.Module]:
    """What a page shows of Python without running it, as it needs a download or a GPU."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    parsed = []
    for block in re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, re.MULTILINE):
        with contextlib.suppress(SyntaxError):  # a shell's line, or JSON
            parsed.append(ast.parse(textwrap.dedent(block)))
    return parsed


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_names_and_parameters_of_python_that_cannot_run_are_there(page):
    book = rememberai.RememberAI
    for node in (node for module in indented_python(page) for node in ast.walk(module)):
        if isinstance(node, ast.ImportFrom):
            assert all(hasattr(rememberai, alias.name) for alias in node.names), ast.unparse(node)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            owner = book if called.startswith(("book.", "RememberAI.")) else rememberai
            known = getattr(owner, called.rpartition(".")[2])
            names = inspect.signature(known).parameters
            assert {word.arg for word in node.keywords} <= set(names), ast.unparse(node)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=_id)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_first_code_is_at_most_ten_lines():
    (_, code), *_ = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    assert len([line for line in code.splitlines() if line.strip()]) <= 10


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    there = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:]]
    assert sorted(listed) == sorted(there)


def test_every_public_name_is_in_the_reference():
    pages = [page.read_text("utf-8") for page in (ROOT / "docs" / "reference").glob("*.md")]
    shown = {path.split(".")[-1] for path in re.findall(r"^::: (\S+)$", "\n".join(pages), re.M)}
    errors = {name for name in rememberai.__all__ if hasattr(rememberai.errors, name)}
    names = {*rememberai.__all__, *events.__all__, *photos.__all__, *report.__all__}
    assert names - errors - {"__version__"} <= shown


@pytest.mark.parametrize("example", EXAMPLES, ids=_id)
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
