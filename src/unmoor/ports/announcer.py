"""Where announcements go: chats, mail and others, by names that hide their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class TargetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A target as far as it is known without sending anything.

    ``origin`` says where its address is from. ``problem`` says why nothing can be sent to it, empty if it can;
    ``missing`` that it has no address here, which another machine may have.
    """

    name: str
    origin: str
    problem: str = ""
    missing: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How sending to one target ended: accepted, refused, or ``None`` if nothing said so in time.

    ``accepted`` is false also if only some recipients were refused, or if the connection broke: a message that was
    refused may have reached somebody. ``seconds`` is how long it took.
    """

    target: str
    accepted: bool | None
    seconds: float


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message in parts, all plain text. ``opening`` and ``closing`` are short; ``middle`` gives way to a limit."""

    title: str
    opening: str
    middle: str = ""
    closing: str = ""


class Announcer(Protocol):
    """Sends messages to targets. Shows no address, and nothing that a service answers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the targets."""

    def examine(self) -> tuple[TargetFacts, ...]:
        """Read the address of each target, and judge it. Sends nothing. Raises `ToolMissing`, `TimedOut`."""

    def send(self, message: Message, targets: Sequence[str]) -> tuple[Delivery, ...]:
        """Send a message to each of these targets at the same time, once, and give up at a deadline.

        Raises `ToolMissing` before anything is sent, and `Interrupted`.
        """
