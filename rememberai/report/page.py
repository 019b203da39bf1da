"""The page as one file: its parts joined, its data inside, and nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LIBRARIES = ("vendor/d3.js", "vendor/echarts.js")  # which all modules know as d3 and echarts
# Each module comes after those that it imports.
_SCRIPTS = (
    "dom book words state card server filters correct photo timeline event scatter map main"
).split()
_STYLES = "colours base photos map".split()
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=\w)", re.MULTILINE)


def page(
    contents: Mapping[str, Any],
    *,
    pictures: Mapping[int, bytes] | None = None,
    folder: str | None = None,
    token: str | None = None,
) -> str:
    """Write the page.

    Parameters
    ----------
    contents
        See `Contents.as_json`.
    pictures
        WebP pictures to embed, by the number of their photo.
    folder
        Where the pictures lie, as a URL relative to the page.
    token
        The page is served, and corrections carry this.
    """
    book = {**contents, "folder": folder, "live": token and {"token": token}}
    held = "\n".join(
        f'<script type="text/plain" id="p{i}">{base64.b64encode(data).decode()}</script>'
        for i, data in (pictures or {}).items()
    )
    # The pictures stand last: the page is painted before they are read.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(token is not None)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="RememberAI">
<link rel="icon" href="data:,">
<title>RememberAI</title>
<style>{_style()}</style>
</head>
<body>
<div id="page">
<noscript>This page needs JavaScript, which runs on this machine alone.</noscript>
</div>
<script type="application/json" id="strings">{_inert(_strings())}</script>
<script type="application/json" id="book">{_inert(book)}</script>
<script>{_script()}</script>
{held}
</body>
</html>
"""


def policy(live: bool) -> str:
    """Give the Content-Security-Policy: the page's own script and style, and pictures beside it."""
    rules = [
        "default-src 'none'",
        f"script-src '{_digest(_script())}'",
        f"style-src '{_digest(_style())}'",
        "img-src data: 'self'" + ("" if live else " file:"),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*rules, "connect-src 'self'"] if live else rules)


def _inert(data: Any) -> str:
    """Write JSON that can't end the element that holds it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _strings() -> Any:
    return json.loads(_asset("strings.json"))


@cache
def _style() -> str:
    return "".join(_asset(f"css/{name}.css") for name in _STYLES)


@cache
def _script() -> str:
    libraries = "".join(map(_asset, LIBRARIES))
    modules = (_asset(f"js/{name}.js") for name in _SCRIPTS)
    joined = "\n".join(_EXPORT.sub("", _IMPORT.sub("", module)) for module in modules)
    return f'(() => {{\n"use strict";\n{libraries}{joined}}})();\n'


def _asset(name: str) -> str:
    return files("rememberai.report").joinpath("assets", name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
