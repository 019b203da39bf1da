"""Run every benchmark, each in a process of its own, and rewrite docs/benchmarks.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import table
from benchmarks._records import FOLDER, ROOT

_WITH_DATA = (
    "events_memex",
    "events",
    "add_texts",
    "text_speed",
    "decode",
    "near_duplicates",
    "image_features",
    "text_to_photo",
    "fused_events",
)
_ELSEWHERE = ("peers",)  # it needs an environment with the other systems


def main() -> None:
    """Run them one after the other; the first that fails ends the run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--records", type=Path, default=FOLDER, help="folder of the raw records")
    options = parser.parse_args()
    common = ["--records", str(options.records.absolute())]
    for name in table.BENCHMARKS:
        if name in _ELSEWHERE:
            continue
        data = ["--data", str(options.data.absolute())] if name in _WITH_DATA else []
        print(f"\n{name}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *common, *data]
        subprocess.run(command, cwd=ROOT, check=True)
    table.main(common)


if __name__ == "__main__":
    main()
