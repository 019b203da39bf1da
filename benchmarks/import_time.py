"""How long `import rememberai` and `rememberai --help` take; neither loads anything heavy.

Also how long it is from an empty interpreter to the vector of a first text.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks._records import ROOT, Run, arguments, figures, markdown, of_arm

if TYPE_CHECKING:
    from benchmarks._records import Record

NAME = "import_time"
HEAVY = (
    "torch faiss numpy lance pyarrow PIL transformers sentence_transformers sklearn umap".split()
)
_EMPTY = "print('{}')"
_IMPORT = f"""
import sys, time
start = time.perf_counter()
import rememberai
taken = time.perf_counter() - start
import json
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"import": taken, "loaded": loaded, "modules": len(sys.modules)}}))
"""
_HELP = f"""
import contextlib, io, json, sys
from rememberai.cli import main
sys.argv = ["rememberai", "--help"]
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    main()
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"loaded": loaded, "lines": len(shown.getvalue().splitlines())}}))
"""
_PEAK = """
import json, pathlib, re
status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps({"peak": int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024}))
"""
_BY_HAND = f"""
from benchmarks.add_texts import load_by_hand
load_by_hand().encode(["a cake"], show_progress_bar=False)
{_PEAK}
"""
_FIRST = f"""
from rememberai import SentenceEmbedder
SentenceEmbedder(offline=True, device="cpu").encode(["a cake"])
{_PEAK}
"""
FIRSTS = {"sentence-transformers": _BY_HAND, "RememberAI": _FIRST}
_ARMS = {"empty interpreter": _EMPTY, "import rememberai": _IMPORT, "rememberai --help": _HELP}


def main(argv: list[str] | None = None) -> None:
    """Start interpreters by turns: empty ones, and ones that import or show the help."""
    options = arguments(__doc__, repeats=10).parse_args(argv)
    run = Run(NAME, {"repeats": options.repeats}, folder=options.records)
    arms = _ARMS | {f"first text, {name}": code for name, code in FIRSTS.items()}
    for code in arms.values():
        _start(code)  # once for nothing, so that files are cached and byte code is written
    for repeat in range(options.repeats):
        for arm, code in arms.items():
            found = _start(code)
            if found.get("loaded"):
                sys.exit(f"`{arm}` loads {', '.join(found['loaded'])}")
            run.add({"what": arm}, repeat, found)
    print(table(run.records))


def table(records: list[Record]) -> str:
    """Write the medians."""
    return f"{_imports(records)}\n\n{_first_texts(records)}"


def _imports(records: list[Record]) -> str:
    imports = of_arm(records, what="import rememberai")
    whole = median(figures(imports, "process"))
    empty = median(figures(of_arm(records, what="empty interpreter"), "process"))
    inside = figures(imports, "import")
    helps = of_arm(records, what="rememberai --help")
    seconds = f"{median(figures(helps, 'process')):.3f}" if helps else ""
    return markdown(
        ["", "median s", "bar s"],
        [
            ["`import rememberai`, timed inside", f"{median(inside):.3f}", "0.200"],
            ["slowest of the repeats", f"{max(inside):.3f}", ""],
            ["process that imports", f"{whole:.3f}", ""],
            ["process that does not", f"{empty:.3f}", ""],
            ["difference of the two", f"{whole - empty:.3f}", "0.200"],
            ["process of `rememberai --help`", seconds, "0.300"],
        ],
    )


def _first_texts(records: list[Record]) -> str:
    rows = []
    for name in FIRSTS:
        some = of_arm(records, what=f"first text, {name}")
        seconds, peak = (median(figures(some, kind)) for kind in ("process", "peak"))
        rows.append([name, f"{seconds:.2f}", f"{peak:.0f}"])
    return markdown(["from an empty interpreter to a first vector", "median s", "peak MiB"], rows)


def _start(code: str) -> Record:
    start = perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    taken = perf_counter() - start
    return {"process": taken, **json.loads(answer.stdout)}


if __name__ == "__main__":
    main()
