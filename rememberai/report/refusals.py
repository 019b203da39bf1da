"""How the server says no: a status, a code that the page has words for, and the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from rememberai.errors import InputError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def refusal(status: int, message: str, code: str) -> Response:
    """Refuse something; the page's words for the code stand in assets/strings.json."""
    return JSONResponse({"error": message, "code": code}, status_code=status)


async def refused(_: Request, error: Any) -> Response:
    """Answer for a `RememberAIError`."""
    return refusal(400 if isinstance(error, InputError) else 500, str(error), error.code)


async def failed(_: Request, error: Exception) -> Response:
    """Answer for any other; its traceback goes to the server's own output."""
    return refusal(500, f"the server failed: {type(error).__name__}", "failed")
