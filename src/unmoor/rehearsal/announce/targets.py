"""The targets of a local world: their addresses, and the messages that they caught."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from unmoor.filesystem.safe_folder import make_private, open_in_place
from unmoor.rehearsal.shared.store import append_line
from unmoor.util.decode import decode_json

FOLDER = "announce"
_MESSAGES = "messages.jsonl"
_LIMIT = 4 << 20
# The schemes of apprise by the service that they lead to. Any other target gets plain JSON.
_KINDS = {"slack": "slack", "discord": "discord", "mailto": "mail", "mailtos": "mail"}
_TARGET = re.compile(r"([a-z0-9][a-z0-9._-]{0,39})=(slack|discord|mail|json)")
_DOMAIN = "rehearsal.invalid"


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a target caught. ``kind`` is the service that it imitates."""

    target: str
    kind: str
    title: str
    text: str


class LocalTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target of a local world: its name, and the service that it imitates: slack, discord, mail or json."""

    name: str
    kind: str

    @classmethod
    def of(cls, name: str, address: str) -> LocalTarget:
        """The target of that name. Nothing of its real ``address`` counts but the scheme."""
        return cls(name=name, kind=_KINDS.get(address.partition("://")[0].strip().lower(), "json"))

    @classmethod
    def parse(cls, text: str) -> LocalTarget:
        """Parse ``NAME=KIND``. Raises ``ValueError``."""
        found = _TARGET.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not NAME=KIND")
        return cls(name=found[1], kind=found[2])

    @property
    def argument(self) -> str:
        """``NAME=KIND``."""
        return f"{self.name}={self.kind}"

    def address(self, number: int, *, token: str, chat: str, mail: str) -> str:
        """The address for apprise. ``chat`` and ``mail`` are the roots of the servers, ``number`` is this target's."""
        host = chat.partition("://")[2]
        match self.kind:
            case "slack":
                return f"slack://T{number:08}/B{number:08}/{token}"
            case "discord":
                return f"discord://{number}/{token}"
            case "mail":
                sender = quote(f"unmoor@{_DOMAIN}", safe="")
                to = quote(f"{self.name}@{_DOMAIN}", safe="")
                return f"mailto://{mail.partition('://')[2]}?from={sender}&to={to}&mode=insecure"
            case _:
                return f"json://unmoor:{token}@{host}/json/{number}"


def name_of(recipient: str) -> str:
    """The target of a recipient; empty if it is none of a local world's."""
    name, _, domain = recipient.strip().lower().rpartition("@")
    return name if domain == _DOMAIN else ""


class Caughts:
    """The messages that the targets of a local world caught, in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        make_private(self.folder)

    def add(self, message: Caught) -> None:
        """Keep a message."""
        import os

        handle = open_in_place(self.folder / _MESSAGES, flags=os.O_WRONLY | os.O_APPEND, mode=0o600)
        try:
            append_line(handle, msgspec.to_builtins(message))
        finally:
            os.close(handle)


def caught(folder: Path) -> tuple[Caught, ...]:
    """The messages that the world in a folder caught, in the order in which they came."""
    try:
        data = (folder / FOLDER / _MESSAGES).read_bytes()[:_LIMIT]
    except FileNotFoundError:
        return ()
    return tuple(decode_json(line, Caught) for line in data.splitlines())


def numbered(targets: tuple[LocalTarget, ...]) -> Mapping[int, LocalTarget]:
    """The targets by their numbers in addresses."""
    return dict(enumerate(targets, 1))
