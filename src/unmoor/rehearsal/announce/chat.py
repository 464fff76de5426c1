"""The chats of a local world: Slack's and Discord's webhooks, and a service that takes JSON, as Teams does.

Each refuses what the real one refuses: a wrong token, a payload that it does not understand, a text that is too long.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.announce.targets import Caught, Caughts, LocalTarget
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

_BODY_LIMIT = 1 << 20
_DISCORD_LIMIT = 2_000
_SLACK_LIMIT = 40_000
# Teams refuses cards of more than 28 kB.
_JSON_LIMIT = 28_000


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """The chats: the targets by number, the token of all of them, and where messages are kept."""

    targets: Mapping[int, LocalTarget]
    token: str
    caughts: Caughts

    async def slack(self, request: Request) -> Response:
        """``POST /slack/T…/B…/TOKEN``, an incoming webhook."""
        target = self._target(request.path_params["team"][1:], "slack")
        if target is None or not self._is_token(request.path_params["token"]):
            return PlainTextResponse("invalid_token", HTTPStatus.FORBIDDEN)
        payload = await _payload(request)
        texts = _texts(payload) if payload is not None else []
        if not texts:
            return PlainTextResponse("invalid_payload", HTTPStatus.BAD_REQUEST)
        if sum(map(len, texts)) > _SLACK_LIMIT:
            return PlainTextResponse("msg_too_long", HTTPStatus.BAD_REQUEST)
        self._keep(target, texts[0] if len(texts) > 1 else "", "\n".join(texts[1:] or texts))
        return PlainTextResponse("ok")

    async def discord(self, request: Request) -> Response:
        """``POST /discord/ID/TOKEN``, a webhook."""
        target = self._target(request.path_params["id"], "discord")
        if target is None or not self._is_token(request.path_params["token"]):
            return JSONResponse({"message": "Invalid Webhook Token", "code": 50027}, HTTPStatus.UNAUTHORIZED)
        payload = await _payload(request)
        content = payload.get("content", "") if payload is not None else ""
        embeds = _texts({"attachments": payload.get("embeds", [])}) if payload is not None else []
        if not content and not embeds:
            return JSONResponse({"message": "Cannot send an empty message", "code": 50006}, HTTPStatus.BAD_REQUEST)
        if len(content) > _DISCORD_LIMIT:
            words = f"Must be {_DISCORD_LIMIT} or fewer in length."
            return JSONResponse({"content": [words]}, HTTPStatus.BAD_REQUEST)
        self._keep(target, "", "\n".join([*([content] if content else []), *embeds]))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def json(self, request: Request) -> Response:
        """``POST /json/NUMBER``, with a login: a title and a message."""
        target = self._target(request.path_params["number"], "json")
        expected = "Basic " + base64.b64encode(f"unmoor:{self.token}".encode()).decode()
        if target is None or not hmac.compare_digest(request.headers.get("authorization", ""), expected):
            return JSONResponse({"error": "unauthorized"}, HTTPStatus.UNAUTHORIZED)
        payload = await _payload(request)
        if payload is None or not isinstance(payload.get("message"), str):
            return JSONResponse({"error": "no message"}, HTTPStatus.BAD_REQUEST)
        if len(payload["message"].encode()) > _JSON_LIMIT:
            return JSONResponse({"error": "too large"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._keep(target, str(payload.get("title", "")), payload["message"])
        return JSONResponse({"status": "ok"})

    def _target(self, number: str, kind: str) -> LocalTarget | None:
        found = self.targets.get(int(number)) if number.isdecimal() and len(number) < 10 else None  # noqa: PLR2004
        return found if found is not None and found.kind == kind else None

    def _is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _keep(self, target: LocalTarget, title: str, text: str) -> None:
        self.caughts.add(Caught(target=target.name, kind=target.kind, title=title, text=text))


async def _payload(request: Request) -> dict[str, Any] | None:
    """The JSON object of a request, ``None`` if it has none."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _BODY_LIMIT:
            return None
    try:
        return decode_json(data, dict[str, Any])
    except ValueError:
        return None


def _texts(payload: Mapping[str, Any]) -> list[str]:
    """The texts of a message: of its own, and of its attachments."""
    parts = [payload, *(each for each in payload.get("attachments", []) if isinstance(each, dict))]
    names = ("title", "text", "description")
    return [each[name] for each in parts for name in names if isinstance(each.get(name), str) and each[name]]


def app(chat: Chat) -> ASGIApp:
    """Return the chats as an ASGI app."""
    routes = [
        Route("/slack/{team}/{bot}/{token}", chat.slack, methods=["POST"]),
        Route("/discord/{id}/{token}", chat.discord, methods=["POST"]),
        Route("/json/{number}", chat.json, methods=["POST"]),
    ]
    return Starlette(routes=routes)
