"""Every code block of the README and the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    code: str

    def lines(self) -> list[str]:
        return [line for line in self.code.splitlines() if line.strip()]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    found = BLOCK.findall(page.read_text("utf-8"))
    return [Block(page, language, code) for language, code in found]


def indented_of(page: Path) -> list[str]:
    """What Markdown takes for code without a fence, but for the options of the reference."""
    lines = BLOCK.sub("", page.read_text("utf-8")).splitlines()
    found, option = [], False
    for line in lines:
        option = line.startswith(":::") or (option and line.startswith("    "))
        if line.startswith(("    ", "\t")) and not option:
            found.append(line)
    return found
