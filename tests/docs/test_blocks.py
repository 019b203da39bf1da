"""Every code block of every page runs as it stands, here or by the test that is named for it."""

from __future__ import annotations

import pytest
from doc_blocks import BLOCK, PAGES, Block, blocks_of, indented_of, name_of
from doc_runs import Follower

NOT_RUN: dict[str, str] = {}  # the first line of a block, and why nothing runs it
FOLLOWED = [page for page in PAGES if blocks_of(page) and page.name != "gpu.md"]


@pytest.mark.parametrize("page", FOLLOWED, ids=name_of)
def test_blocks_run(page, follower):
    follower.follow(page, NOT_RUN)


def test_no_block_is_left_out():
    """A fence that is not closed, or code without a fence, would be passed over."""
    for page in PAGES:
        text = page.read_text("utf-8")
        assert indented_of(page) == [], name_of(page)
        assert "```" not in BLOCK.sub("", text), name_of(page)
        assert {block.language for block in blocks_of(page)} <= set(Follower.LANGUAGES)


def test_every_exception_is_a_block_that_is_there():
    first = {block.lines()[0] for page in PAGES for block in blocks_of(page)}
    assert set(NOT_RUN) <= first


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import rememberai\nrememberai.RememberAI.no_such_method()\n"),
        ("sh", "rememberai add --no-such-option x y\n"),
        ("sh", "curl https://example.org\n"),
        ("sh", 'pip install "rememberai[no-such-extra]"\n'),
        ("sh", "pip uninstall something-else\n"),
        ("sh", "make no-such-target\n"),
        ("sh", "python -m benchmarks.search --no-such-option 3\n"),
        ("sh", "python -m benchmarks.no_such\n"),
        ("sh", ".venv/bin/python -m pytest --no-such\n"),
        ("powershell", "rememberai add ~\\x.memories 'C:\\Users\\Mia\\Absent'\n"),
        ("json", '{"event": "x", "no-such-column": "y"}\n'),
        ("text", "family.memories/\n  no-such-file\n"),
        ("py", '--8<-- "no_such.py"\n'),
        ("rust", "fn main() {}\n"),
    ],
)
def test_a_block_that_does_not_run_is_found(follower, language, code):
    with pytest.raises((AssertionError, AttributeError, KeyError, SystemExit)):
        follower.run(Block(PAGES[0], language, code))
