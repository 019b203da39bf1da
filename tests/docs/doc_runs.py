"""What runs a block of a page, by its language, and a shell's line, by its program."""

from __future__ import annotations

import argparse
import doctest
import json
import ntpath
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path, PureWindowsPath
from typing import ClassVar

import pytest
import test_benchmarks
from doc_blocks import ROOT, Block, blocks_of, name_of
from makers import picture
from packaging.requirements import Requirement

from rememberai import MemoryStore, MissingExtraError

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TRANSCRIPTS = {"tutorial.md", "korean.md"}  # of which each comment behind a print is what it prints
SHOWN = re.compile(r"^(?:print\(.*\)  )?# (.+)$", re.MULTILINE)
MIA = PureWindowsPath("C:/Users/Mia")  # whose machine the lines for Windows speak of


class Follower:
    """Follows pages as a reader would, in a home of its own.

    Parameters
    ----------
    shell
        Runs the command line in this process.
    home
        The folder that the pages are followed in, and that ``~`` stands for.
    """

    LANGUAGES: ClassVar = {
        "python": "python",
        "sh": "sh",
        "bat": "bat",
        "powershell": "powershell",
        "json": "row",
        "text": "text",
        "py": "example",
        "layers": "layers",
    }

    def __init__(self, shell, home: Path) -> None:
        self.shell, self.home = shell, home
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.programs = {
            "rememberai": self.rememberai,
            ".venv/bin/rememberai": self.rememberai,
            "pip": pip,
            ".venv/bin/pip": pip,
            "make": make,
            ".ci/run": ci,
            "python": benchmark,
        }

    def follow(self, page: Path, but: dict[str, str]) -> None:
        """Run the blocks of a page, one after the other, but some."""
        if 'create("family.memories")' in page.read_text("utf-8"):
            shutil.rmtree(self.home / "family.memories")
        for block in blocks_of(page):
            if block.lines()[0] not in but:
                self.run(block)

    def run(self, block: Block) -> None:
        getattr(self, self.LANGUAGES[block.language])(block)

    def python(self, block: Block) -> None:
        with redirect_stdout(StringIO()) as out:
            try:
                exec(compile(block.code, name_of(block.page), "exec"), self.names)
            except MissingExtraError as error:
                pytest.skip(str(error))
        shown = SHOWN.findall(block.code) if block.page.name in TRANSCRIPTS else []
        same, printed = doctest.OutputChecker().check_output, out.getvalue().splitlines()
        for line in shown:
            assert any(same(line, each, doctest.ELLIPSIS) for each in printed), (line, printed)

    def sh(self, block: Block) -> None:
        for line in block.lines():
            program, *arguments = shlex.split(line, comments=True)
            run = self.programs.get(program)
            if run is None:  # what make does in its stead
                assert [program, *arguments] in planned("demo", "test"), f"nothing runs: {line}"
            else:
                run(arguments)

    def bat(self, block: Block) -> None:
        """As cmd reads a line, and the C library what it got: %VARIABLE%, and double quotes."""
        for line in block.lines():
            words = re.findall(r'"([^"]*)"|(\S+)', ntpath.expandvars(line))
            self._on_windows([quoted or plain for quoted, plain in words])

    def powershell(self, block: Block) -> None:
        for line in block.lines():
            words = re.findall(r"'([^']*)'|(\S+)", line)
            self._on_windows([quoted or plain for quoted, plain in words])

    def _on_windows(self, words: list[str]) -> None:
        """Run a line with the paths that Windows reads in it, where Mia's home is this one."""
        program, *arguments = words
        paths = [PureWindowsPath(ntpath.expanduser(word)) for word in arguments]
        here = [
            str(self.home / path.relative_to(MIA)) if path.is_absolute() else word
            for path, word in zip(paths, arguments, strict=True)
        ]
        self.programs[program](here)

    def rememberai(self, arguments: list[str]) -> None:
        if arguments[0] == "serve":
            serve(arguments)
            return
        arguments, target = (
            (arguments[:-2], arguments[-1]) if ">" in arguments else (arguments, os.devnull)
        )
        done = self.shell(*arguments)
        assert done.status == 0, f"{arguments}: {done.err}"
        file = Path(target).expanduser()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(done.out, "utf-8")

    def row(self, block: Block) -> None:
        """A row of a seeds file is learned, and one of a memory file found with its photo."""
        (row,) = map(json.loads, block.lines())
        if "event" in row:
            seeds = self.home / "one.jsonl"
            seeds.write_text(block.code, "utf-8")
            self.rememberai(["learn", "family.memories", str(seeds)])
            return
        album = self.home / "rows"
        picture(album / row["photo"])
        (album / "memories.jsonl").write_text(block.code, "utf-8")
        self.rememberai(["add", "rows.memories", str(album)])
        (kept,) = MemoryStore.open("rows.memories").read().to_pylist()
        found = [kept[name] for name in ("memory", "memory_author", "memory_written")]
        assert found == [row["text"], row["author"], row["date"]]

    def text(self, block: Block) -> None:
        """What a page draws of a store is what a store is made of; else it is what one prints."""
        if block.code.startswith("--8<--"):
            self.example(block)
            return
        drawn = re.findall(r"^  (\S+)", block.code, re.MULTILINE)
        (self.home / "family.memories" / "set-aside").mkdir(exist_ok=True)
        self.rememberai(["discover", "family.memories"])
        self.rememberai(["search", "family.memories", "cake"])
        self.rememberai(["report", "family.memories", "-o", "album.html"])
        there = {path.name for path in (self.home / "family.memories").iterdir()}
        assert {name.rstrip("/") for name in drawn} <= there
        assert all(name in block.code for name in there)

    def example(self, block: Block) -> None:
        """The examples have a test of their own, which compares what they print."""
        (file,) = re.findall(r'^--8<-- "(.+)"$', block.code, re.MULTILINE)
        example = ROOT / "examples" / file
        assert example.with_suffix(".py").exists()
        assert example.with_suffix(".txt").exists()

    def layers(self, block: Block) -> None:
        """Checked by tests/test_layers.py."""
        assert block.page.name == "CONTRIBUTING.md"


def pip(arguments: list[str]) -> None:
    """Look up what pip is told in the project's own metadata.

    `make bare` lets pip itself resolve these lines, see tests/bare_install.py.
    """
    if arguments[0] == "uninstall":
        extras = PROJECT["optional-dependencies"].values()
        assert set(arguments[1:]) <= {Requirement(one).name for many in extras for one in many}
        return
    assert arguments[0] == "install"
    if arguments[1:2] != ["-c"]:
        (wanted,) = map(Requirement, arguments[1:])
        assert wanted.name == PROJECT["name"]
        assert wanted.extras <= set(PROJECT["optional-dependencies"]), wanted
    else:
        assert [".venv/bin/pip", *arguments] in planned("demo")


def planned(*targets: str) -> list[list[str]]:
    """Give what make would do in a fresh checkout, in words."""
    done = subprocess.run(
        ["make", "-n", "-B", "VENV=.venv", *targets], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    steps = [step for line in done.stdout.decode().splitlines() for step in line.split("&&")]
    return [[word for word in shlex.split(step) if word != "-q"] for step in steps]


def make(arguments: list[str]) -> None:
    """Ask make whether it would know what to do; CI does it."""
    assert planned(*arguments)


def ci(arguments: list[str]) -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    make(re.findall(r"^make (\w+)$", script, re.MULTILINE))


def benchmark(arguments: list[str]) -> None:
    """Let a benchmark take the line; its own test runs it on small sizes."""
    _, module, *options = arguments
    assert module.removeprefix("benchmarks.") in test_benchmarks.RUN, f"no test runs {module}"
    parse = argparse.ArgumentParser.parse_args

    def taken(parser, argv):
        parse(parser, argv)
        raise KeyboardInterrupt  # before any work is done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", taken)
        with pytest.raises(KeyboardInterrupt):
            import_module(module).main(options)


def serve(arguments: list[str]) -> None:
    """Start the server, ask it for its page, and end it by Ctrl-C."""
    server = subprocess.Popen(
        [sys.executable, "-m", "rememberai", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
    )
    try:
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())
        with urllib.request.urlopen(address) as answer:
            assert b"<html" in answer.read()
    finally:
        server.send_signal(signal.SIGINT)
    assert server.wait(60) == 0
