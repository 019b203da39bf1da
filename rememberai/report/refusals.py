"""How the server says no: a status, a code that the page has words for, and the message."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

_log = logging.getLogger(__name__)


def refusal(
    status: int, message: str, code: str, fields: Mapping[str, str] | None = None
) -> Response:
    """Refuse something; the page's words for the code and its fields are in assets/strings.json."""
    said = {"error": message, "code": code, "fields": dict(fields or {})}
    return JSONResponse(said, status_code=status)


async def refused(_: Request, error: Any) -> Response:
    """Answer for a `RememberAIError`; one of the server's own goes to its output, too."""
    if isinstance(error, InputError):
        return refusal(400, str(error), error.code, error.fields)
    _log.warning("%s", error)
    return refusal(500, str(error), error.code, error.fields)


async def failed(_: Request, error: Exception) -> Response:
    """Answer for any other; its traceback goes to the server's own output."""
    return refusal(500, f"the server failed: {type(error).__name__}", "failed")
