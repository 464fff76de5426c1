"""A refusal of the index, and its HTTP response."""

from __future__ import annotations

import html
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from unmoor.rehearsal.shared.http import REASON, preferred, reason_phrase

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

EXPLANATIONS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: (
        "The server could not comply with the request since it is either malformed or otherwise incorrect."
    ),
    HTTPStatus.FORBIDDEN: "Access was denied to this resource.",
    HTTPStatus.NOT_FOUND: "The resource could not be found.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The method is not allowed for this resource.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server has either erred or is incapable of performing the operation.",
}


class Refusal(Exception):
    """A refusal: a status, and a reason in PyPI's words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def answer(request: Request, refusal: Refusal) -> Response:
    """Answer a refusal as PyPI does: in the reason phrase, and in a body of the type that the client prefers.

    twine reads the reason phrase, uv reads the body.
    """
    from starlette.responses import Response

    status, reason = refusal.status, refusal.reason
    title, explanation = f"{status} {reason}", EXPLANATIONS[status]
    kind = preferred(request.headers.get("accept", ""), ("text/html", "application/json", "text/plain")) or "text/plain"
    if kind == "text/html":
        safe = html.escape(title)
        body = (
            f"<html>\n <head>\n  <title>{safe}</title>\n </head>\n <body>\n  <h1>{safe}</h1>\n"
            f"  {explanation}<br/><br/>\n{html.escape(reason)}\n\n </body>\n</html>"
        )
    elif kind == "application/json":
        message = f"{explanation}\n\n\n{reason}\n\n"
        body = json.dumps({"message": message, "code": title, "title": HTTPStatus(status).phrase})
    else:
        body = f"{title}\n\n{explanation}\n\n\n{reason}\n\n"
    return Response(body, status, {REASON.decode(): reason_phrase(reason)}, media_type=kind)
