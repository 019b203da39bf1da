"""The page live on this machine, until Ctrl-C."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from rememberai._optional import require
from rememberai.errors import InputError, RememberAIError
from rememberai.records import quiet
from rememberai.report.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from rememberai.records import Progress
    from rememberai.report.contents import Book

_HOST = "127.0.0.1"


def serve(
    book: Book,
    *,
    port: int = 0,
    ready: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Serve the page of a store on 127.0.0.1 until Ctrl-C.

    Nobody but this machine is answered, and no other page in its browser. Corrections are stored
    when the page says so.

    Parameters
    ----------
    port
        0 takes a free one.
    ready
        Called with the address once it answers.
    progress
        Called before that as ``progress(stage, done, total)``; the stages are "events" (and those
        of `Events.discover`, if nobody called it yet), "map" (see `EventMap.fit`) and "model".

    Raises
    ------
    InputError
        The port is taken or not allowed.
    MissingExtraError
        The extra ``serve`` is not installed.
    """
    require("starlette")
    uvicorn = require("uvicorn")
    from rememberai.report.server import application

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"port {port} can't be used ({error}); name another one, or 0 for a free one"
            ) from error
        listening.listen()
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            application(book, port),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
        _prepare(book, progress)
        if ready is not None:
            ready(f"http://{_HOST}:{port}/")
        with suppress(KeyboardInterrupt):  # raised anew after everything was closed
            uvicorn.Server(config).run(sockets=[listening])


def _prepare(book: Book, progress: Progress | None) -> None:
    """Make events and map, and load the model, before anybody waits for the page or a search."""
    tick = progress or quiet
    tick("events", 0, 1)
    contents = Contents(book, progress)
    tick("events", 1, 1)
    contents.as_json(explained=False)
    tick("model", 0, 1)
    with suppress(RememberAIError):  # who searches is told
        book.search("photo", 1)
    tick("model", 1, 1)
