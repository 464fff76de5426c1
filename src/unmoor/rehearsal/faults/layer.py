"""The fault layer: an ASGI app in front of one server, behind which its requests are logged.

It fails where the plan says, before, during or after the server's work, and writes down whether that work was done: the
server answered with a status below 400. If nothing is due, it passes everything on as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from unmoor.adapters.process.clients import client_in, is_running, send_signal
from unmoor.rehearsal.faults import answers, changes, git_remote
from unmoor.rehearsal.faults.catalogue import FaultKind, fault_of
from unmoor.rehearsal.faults.counting import NOTHING, Counting, Meeting, PlanBroken
from unmoor.rehearsal.faults.injection import CLIENT_PID, Kill, Signal, When
from unmoor.rehearsal.shared.http import CUT

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SLOW = 0.5
"""Seconds by which an answer is late."""
_POLL = 0.02
_UNTIL_GONE: Final[Mapping[Signal, float]] = {Signal.KILL: 5.0, Signal.TERM: 2.0, Signal.INT: 2.0}
"""Seconds for which a request is held for a client that was sent a signal."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request of one service: the server's log and the server, the plan, and what is met."""

    service: str
    app: ASGIApp
    counting: Counting
    meeting: Meeting
    scope: Scope
    receive: Receive
    send: Send

    @property
    def fault(self) -> str:
        """The name of the fault."""
        return fault_of(self.meeting.injected).name

    def record(self, status: int = 0) -> None:
        """Write down that the fault was met, and what the server answered; 0 if it was not asked."""
        self.counting.record(self.meeting, effect=0 < status < HTTPStatus.BAD_REQUEST, status=status)

    async def work(self, send: Send, *, scope: Scope | None = None, receive: Receive | None = None) -> int:
        """Have the server do its work, with its answer to ``send``. Record it, and return the status; 0 for none."""
        status = 0

        async def listen(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self.record(status)
            await send(message)

        await self.app(scope or self.scope, receive or self.receive, listen)
        if not status:
            self.record()
        return status


class FaultLayer:
    """One server behind its faults. ``logged`` puts the request log in front of an app of that server."""

    def __init__(self, app: ASGIApp, *, service: str, counting: Counting, logged: Callable[[ASGIApp], ASGIApp]) -> None:
        self._service = service
        self._counting = counting
        self._logged = logged
        self._app = logged(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            arrival = self._counting.arrive(self._service, scope["method"], scope["path"])
        except PlanBroken as broken:
            answer = PlainTextResponse(f"{broken}\n", HTTPStatus.INTERNAL_SERVER_ERROR)
            await self._logged(answer)(scope, receive, send)
            return
        if arrival is NOTHING:
            await self._app(scope, receive, send)
            return
        for each in arrival.meetings:
            if fault_of(each.injected).kind is FaultKind.REMOTE:
                await self._change_remote(each)
        due = [each for each in arrival.meetings if fault_of(each.injected).kind is not FaultKind.REMOTE]
        if not due:
            send = self._counting.memory.listen(scope, send) if arrival.remembers else send
            await self._app(scope, receive, send)
            return
        scope.setdefault("unmoor.notes", {})["fault"] = str(due[0].injected)
        await self._fail(
            Exchange(
                service=self._service,
                app=self._app,
                counting=self._counting,
                meeting=due[0],
                scope=scope,
                receive=receive,
                send=send,
            )
        )

    async def _change_remote(self, meeting: Meeting) -> None:
        fault, tag = fault_of(meeting.injected).name, self._counting.plan.tag
        done = await asyncio.to_thread(git_remote.carry_out, fault, self._counting.world / "remote.git", tag)
        self._counting.record(meeting, effect=done)

    async def _fail(self, exchange: Exchange) -> None:
        injected = exchange.meeting.injected
        if isinstance(injected, Kill):
            await _kill(exchange, injected)
            return
        match fault_of(injected).kind:
            case FaultKind.BEFORE:
                await self._before(exchange)
            case FaultKind.DURING:
                await _during(exchange)
            case FaultKind.AFTER:
                await exchange.work(_swallow)
                answer = answers.afterwards(exchange.fault, self._service)
                await answer(exchange.scope, exchange.receive, exchange.send)
            case FaultKind.READ:
                await self._read_early(exchange)
            case _:
                await exchange.work(_changed(exchange))

    async def _before(self, exchange: Exchange) -> None:
        match exchange.fault:
            case "slow":
                await asyncio.sleep(SLOW)
                await exchange.work(exchange.send)
            case "expired-token":
                await exchange.work(exchange.send, scope=changes.spoiled(exchange.scope))
            case fault:
                exchange.record()
                answer = answers.instead(fault, self._service)
                await self._logged(answer)(exchange.scope, exchange.receive, exchange.send)

    async def _read_early(self, exchange: Exchange) -> None:
        """Answer a read as it was answered first, or as if nothing were there yet."""
        known = self._counting.memory.recall(exchange.scope) if exchange.fault == "stale" else None
        if known is not None:
            exchange.record()
            await self._logged(known.response())(exchange.scope, exchange.receive, exchange.send)
            return
        held: list[MutableMapping[str, Any]] = []

        async def hold(message: MutableMapping[str, Any]) -> None:
            held.append(message)

        status = await exchange.work(hold)
        if status != HTTPStatus.OK:
            for message in held:
                await exchange.send(message)
            return
        beginning = b"".join(each.get("body", b"") for each in held)[:1]
        absent = answers.refusal(self._service, HTTPStatus.NOT_FOUND, "Not Found")
        answer: Response = JSONResponse([]) if beginning == b"[" else absent
        await answer(exchange.scope, exchange.receive, exchange.send)


async def _swallow(_message: MutableMapping[str, Any]) -> None:
    """Drop an answer."""


def _changed(exchange: Exchange) -> Send:
    """Return the ``send`` of a fault that changes the answer."""
    send = exchange.send
    match exchange.fault:
        case "truncated":
            return changes.truncated(send)
        case "malformed":
            return changes.malformed(send)
        case "damaged":
            return changes.damaged(send)
        case "slow-body":
            return changes.slow_body(send)
        case "wrong-digest":
            return changes.wrong_digest(exchange.service, send)
        case _:
            return changes.renamed_asset(send)


async def _during(exchange: Exchange) -> None:
    """Let the server read half of the body, then reset the connection."""
    try:
        await exchange.work(_swallow, receive=changes.half_read(exchange.scope, exchange.receive))
    except ClientDisconnect:  # a server that does not catch it
        exchange.record()
    await answers.cut(resets=True)(exchange.scope, exchange.receive, exchange.send)


async def _kill(exchange: Exchange, kill: Kill) -> None:
    """Send the client a signal before or after the work, and hold the request until the client is gone.

    Without a client it is not met. It is written down before the signal, after which nobody may wait for the line.
    """
    pid = client_in(exchange.counting.world / CLIENT_PID, exchange.counting.starter)
    if pid is None:
        await exchange.app(exchange.scope, exchange.receive, exchange.send)
        return

    async def end_client() -> bool:
        """Whether the client is still there."""
        if not send_signal(pid, kill.signal):
            return True
        until = time.monotonic() + _UNTIL_GONE[kill.signal]
        while is_running(pid) and time.monotonic() < until:  # noqa: ASYNC110 - no event tells of another's process
            await asyncio.sleep(_POLL)
        return kill.signal is not Signal.KILL and is_running(pid)

    if kill.when is When.BEFORE:
        exchange.record()
        if await end_client():
            await exchange.app(exchange.scope, exchange.receive, exchange.send)
        else:
            await answers.cut(resets=True)(exchange.scope, exchange.receive, exchange.send)
        return

    async def hold(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and not await end_client():
            message = {**message, "headers": [*message.get("headers", ()), (CUT.encode(), b"reset")]}
        await exchange.send(message)

    await exchange.work(hold)
