"""How far a model is on its way, told to whoever watches; what lies in between need not know."""

from __future__ import annotations

import io
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from rememberai._optional import require
from rememberai.records import Tick, quiet, untold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rememberai.records import Progress

_LARGE = 2**28  # bytes of a model; less is here before anybody wonders
_MB = 10**6
_watcher: ContextVar[Progress] = ContextVar("watcher", default=quiet)


@contextmanager
def watching(progress: Progress) -> Iterator[None]:
    """Watch the models that this thread needs inside.

    Parameters
    ----------
    progress
        Called as ``progress(stage, done, total)``; the stages are "MB fetched" from the hub, and of
        a large model "MB read", to know which one it is, and "weights" that are loaded.
    """
    before = _watcher.set(progress)
    try:
        yield
    finally:
        _watcher.reset(before)


class BytesRead:
    """Counts the bytes of a model that were read.

    Parameters
    ----------
    total
        How many there are.
    """

    def __init__(self, total: int) -> None:
        self._tell = _teller("MB read", total)
        self._done, self._total = 0, total
        self(0)

    def __call__(self, n: int) -> None:
        """Count some more."""
        self._done += n
        self._tell(self._done // _MB, max(1, self._total // _MB))


def fetching() -> type:
    """Give the class of bars that a download is to make: it draws nothing, and tells of bytes.

    The hub's client has a bar of what came over the line and one of what was written, which fall
    together where the hub sends files as they are.
    """
    tell = partial(_watcher.get(), "MB fetched")
    tell(0, 1)
    most = [0, 0]

    class Bar(require("tqdm").tqdm):  # type: ignore[misc]
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options | {"file": io.StringIO(), "disable": False})

        def display(self, *_: Any, **__: Any) -> None:
            if self.unit == "B" and self.total:
                most[:] = max(most[0], self.n // _MB), max(most[1], self.total // _MB)
                tell(min(most), max(1, most[1]))

    return Bar


@contextmanager
def loading_weights(size: int) -> Iterator[None]:
    """Let transformers count the weights of a model of some bytes; before version 5 it can't."""
    logs = require("transformers").utils.logging
    tell = _teller("weights", size)
    if tell is untold or not hasattr(logs, "set_tqdm_hook"):
        yield
        return

    def hooked(bar: Any, given: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if given and options.get("desc") == "Loading weights":
            given = (_told(list(given[0]), tell), *given[1:])
        return bar(*given, **options)

    before = logs.set_tqdm_hook(hooked)
    try:
        yield
    finally:
        logs.set_tqdm_hook(before)


def _teller(stage: str, size: int) -> Tick:
    watcher = _watcher.get()
    return untold if size < _LARGE or watcher is quiet else partial(watcher, stage)


def _told(items: list[Any], tell: Tick) -> Iterable[Any]:
    for done, item in enumerate(items):
        tell(done, len(items))
        yield item
    tell(len(items), len(items))
