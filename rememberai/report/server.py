"""What the live page asks for: itself, pictures, a search by meaning, and corrections."""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rememberai.errors import ImageError, InputError, MissingExtraError, RememberAIError
from rememberai.report.changes import changes
from rememberai.report.contents import Contents
from rememberai.report.guard import SameOrigin
from rememberai.report.page import page, policy
from rememberai.report.refusals import failed, refusal, refused
from rememberai.report.thumbnails import MEDIA_TYPE, thumbnail

if TYPE_CHECKING:
    from starlette.requests import Request

    from rememberai.report.contents import Book

    Body = dict[str, Any]

_NAMES = ("127.0.0.1", "localhost")
_NEAREST = 60  # photos that a search finds
_LARGEST = 16 * 2**20  # bytes of a correction; one that moves 100,000 photos has 4 MB
_SIDES = {"thumbnail": 480, "photo": 1600}
_FOR_GOOD = {"Cache-Control": "private, max-age=31536000, immutable"}  # an id is of the content


def application(book: Book, port: int) -> Starlette:
    """Make the application for a port of this machine; see `serve`."""
    token = secrets.token_urlsafe(32)
    live = _Live(book, token)
    origins = frozenset(f"http://{name}:{port}" for name in _NAMES)
    made = Starlette(
        routes=[
            Route("/", live.page),
            Route("/api/search", live.search),
            Route("/api/why/{event:int}", live.why),
            Route("/api/{verb}", live.correct, methods=["POST"]),
            Route("/{size}/{photo_id}", live.picture),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(_NAMES), www_redirect=False),
            Middleware(SameOrigin, origins=origins, token=token),
        ],
        exception_handlers={RememberAIError: refused, Exception: failed},
    )
    made.router.redirect_slashes = (
        False  # no address that a visitor wrote is sent back to be followed
    )
    return made


class _Live:
    """What each address answers; Starlette calls plain methods in threads of their own.

    The book is used by one thread at a time: models and the index are not made for more. What was
    shown last is remembered by its number, so that a page is sent only what a correction changed.
    """

    def __init__(self, book: Book, token: str) -> None:
        self._book = book
        self._token = token
        self._turn = threading.Lock()
        self._shown: Body = {}
        self._revision = 0

    def page(self, _: Request) -> Response:
        with self._turn:
            self._book.store.refresh()
            contents = self._show()
        headers = {"Content-Security-Policy": policy(live=True) + "; frame-ancestors 'none'"}
        return HTMLResponse(page(contents, token=self._token), headers=headers)

    def search(self, request: Request) -> Response:
        with self._turn:
            hits = self._book.search(request.query_params.get("q", ""), _NEAREST)
        return JSONResponse({"photos": [hit.photo_id for hit in hits]})

    def why(self, request: Request) -> Response:
        with self._turn:
            return JSONResponse(Contents(self._book).why(request.path_params["event"]))

    async def correct(self, request: Request) -> Response:
        content = await _content(request)
        if content is None:
            return refusal(413, f"a correction has at most {_LARGEST} bytes", "too-large")
        body = _parsed(content)
        verb = request.path_params["verb"]
        return await run_in_threadpool(self._corrected, verb, body)

    def picture(self, request: Request) -> Response:
        size, photo_id = request.path_params["size"], request.path_params["photo_id"]
        row = self._book.store.read_rows([photo_id]).get(photo_id) if size in _SIDES else None
        if row is None or row["path"] is None:
            raise HTTPException(404)
        try:
            made = thumbnail(row["path"], _SIDES[size])
        except (ImageError, MissingExtraError) as error:
            raise HTTPException(404) from error
        return Response(made, media_type=MEDIA_TYPE, headers=_FOR_GOOD)

    def _corrected(self, verb: str, body: Body) -> Response:
        with self._turn:
            _correct(self._book, verb, body)
            before, known = self._shown, body.get("revision") == self._revision
            after = self._show()
            told = changes(before, after) if known else {}
            return JSONResponse({"revision": after["revision"], **told})

    def _show(self) -> Body:
        """Read what the page shows now, with its number."""
        contents = Contents(self._book).as_json(explained=False)
        if contents | {"revision": self._revision} != self._shown:
            self._revision += 1
            self._shown = contents | {"revision": self._revision}
        return self._shown


async def _content(request: Request) -> bytes | None:
    """Read a body; None as soon as it is too large, whatever length it was said to have."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST:
            return None
    return bytes(content)


def _correct(book: Book, verb: str, body: Body) -> None:
    events = book.events
    match verb:
        case "rename":
            events.rename(_number(body, "event"), _text(body, "title"))
        case "merge":
            events.merge(_list(body, "events", int))
        case "split":
            events.split(_number(body, "event"), _list(body, "photos", str))
        case "move":
            events.move(_list(body, "photos", str), _number(body, "event"))
        case "accept":
            events.accept(_number(body, "event"))
        case "reject":
            events.reject(_number(body, "event"))
        case "reconsider":
            events.reconsider(_number(body, "event"))
        case "memory":
            book.write_memory(_text(body, "photo"), _text(body, "text"))
        case "discover":
            events.discover()
        case _:
            raise InputError(f"there is no correction {verb!r}")


def _parsed(content: bytes) -> Body:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise InputError(f"JSON was wanted: {error}") from error
    if not isinstance(body, dict):
        raise InputError("a JSON object was wanted")
    return body


def _number(body: Body, name: str) -> int:
    return int(_of_type(body.get(name), int, name))


def _text(body: Body, name: str) -> str:
    return str(_of_type(body.get(name), str, name))


def _list(body: Body, name: str, kind: type) -> list[Any]:
    return [_of_type(each, kind, name) for each in _of_type(body.get(name), list, name)]


def _of_type(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(f"{name} must hold {kind.__name__}; {value!r} came")
    return value
