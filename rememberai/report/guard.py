"""Who may ask the server: pages that it served itself, and corrections only with their token."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SameOrigin:
    """Refuse requests that other sites make with the user's browser.

    A request that names an origin must name one of the server's own; one that changes something
    must carry the token, which only a page of the server's can read.

    Parameters
    ----------
    app
        What answers the others.
    origins
        Those of the server itself.
    token
        What the header ``X-RememberAI-Token`` must hold.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], token: str) -> None:
        self._app = app
        self._origins = origins
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self._may(scope):
            from rememberai.report.refusals import refusal

            refused = refusal(403, "This server answers its own page alone.", "foreign")
            await refused(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = [*headers, *_ALWAYS]
            await send(message)

        await self._app(scope, receive, secured)

    def _may(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins:
            return False
        if headers.get(b"sec-fetch-site", b"none") == b"cross-site" and scope["path"] != "/":
            return False
        token = headers.get(b"x-rememberai-token", b"")
        return scope["method"] in ("GET", "HEAD") or hmac.compare_digest(token, self._token)
