"""The parts of the page: how they fit together, their words and their colours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

import rememberai
import rememberai.report
from rememberai.report.page import _SCRIPTS, page, policy

ASSETS = Path(rememberai.report.__file__).parent / "assets"
MODULES = {path.stem: path.read_text("utf-8") for path in (ASSETS / "js").glob("*.js")}
STRINGS = json.loads((ASSETS / "strings.json").read_text("utf-8"))
EMPTY = {"title": "none", "photos": {"id": []}, "events": []}
_TOP = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def test_every_module_is_joined_after_those_that_it_needs_at_once():
    assert set(_SCRIPTS) == set(MODULES)
    for name, text in MODULES.items():
        exported = {}
        for names, source in re.findall(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', text, re.M):
            exported[source] = set(names.split(", "))
        for source, wanted in exported.items():
            given = set(re.findall(r"^export (?:async )?\w+ (\w+)", MODULES[source], re.MULTILINE))
            assert wanted <= given, (name, source)


def test_no_name_is_used_twice_since_all_modules_share_one_scope():
    names = [name for text in MODULES.values() for name in _TOP.findall(text)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small_and_build_no_markup_from_data(name):
    text = MODULES[name]
    assert len(text.splitlines()) <= 400
    for unsafe in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert unsafe not in text


def test_both_languages_say_all_that_the_page_asks_for():
    assert set(STRINGS["en"]) == set(STRINGS["ko"])
    asked = set()
    for text in MODULES.values():
        asked |= set(re.findall(r'\bt\("([^"]+)"', text)) | set(
            re.findall(r'tool\("([^"]+)"', text)
        )
    assert asked - {"typical.long"} <= set(STRINGS["en"])
    for key, words in STRINGS["en"].items():
        fields = set(re.findall(r"\{\w+\}", words))
        assert set(re.findall(r"\{\w+\}", STRINGS["ko"][key])) == fields, key


def test_the_page_has_words_for_every_reason_that_the_server_gives():
    package = Path(rememberai.__file__).parent
    sources = [path.read_text("utf-8") for path in package.rglob("*.py")]
    given = {code for text in sources for code in re.findall(r'\bcode ?= ?"([\w-]+)"', text)}
    given |= set(re.findall(r'refusal\(.*"([\w-]+)"\)', "\n".join(sources)))
    assert {"title-empty", "store", "too-large", "foreign", "failed"} <= given
    for words in STRINGS.values():
        said = {key.removeprefix("refused.") for key in words if key.startswith("refused.")}
        assert said == given


def test_the_policy_names_the_very_script_and_style():
    text = page(EMPTY)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for kind, content in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy(live=False)
    assert policy(live=False) in text
    assert "connect-src" not in policy(live=False)


def test_data_can_not_end_the_element_that_holds_it():
    text = page({**EMPTY, "title": "</script><script>alert(1)</script><!--"})
    (held,) = re.findall(r'id="book">(.*?)</script>', text, re.DOTALL)
    assert json.loads(held)["title"] == "</script><script>alert(1)</script><!--"
    assert "<" not in held


def schemes():
    """The colours of both schemes, by name."""
    light, dark = (ASSETS / "css" / "colours.css").read_text("utf-8").split("@media")
    found = [dict(re.findall(r"--([\w-]+): #(\w{6})", part)) for part in (light, dark)]
    assert set(found[0]) == set(found[1])
    return dict(zip(("light", "dark"), found, strict=True))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """What color-mix makes of them in sRGB."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (0, 2, 4))
    return "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(scheme):
    colours = schemes()[scheme]
    grounds = {name: colours[name] for name in ("paper", "card")}
    grounds["search box"] = mixed(colours["soft"], colours["paper"], 0.12)
    grounds["news"] = mixed(colours["accent"], colours["card"], 0.09)
    for shade in range(13):
        grounds[f"words of e{shade}"] = mixed(colours[f"e{shade}"], colours["card"], 0.09)
        grounds[f"legend of e{shade}"] = mixed(colours[f"e{shade}"], colours["paper"], 0.14)
    for text in ("ink", "soft"):
        for name, ground in grounds.items():
            assert contrast(colours[text], ground) >= 4.5, (text, name)
    for name in ("paper", "card"):
        assert contrast(colours["accent"], colours[name]) >= 4.5, name
        assert contrast(colours["wrong"], colours[name]) >= 4.5, name
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["paper"], colours["ink"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dots_and_frames_have_the_contrast_of_wcag_aa(scheme):
    colours = schemes()[scheme]
    for shade in range(13):
        for ground in ("paper", "card"):
            assert contrast(colours[f"e{shade}"], colours[ground]) >= 3, (shade, ground)
    assert contrast(mixed(colours["soft"], colours["card"], 0.7), colours["card"]) >= 3
    assert len({colours[f"e{shade}"] for shade in range(13)}) == 13
