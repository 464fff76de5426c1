"""The part of a local world that catches announcements: what listens, what serves, and the table of the world file."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.announce.targets import Caughts, LocalTarget, numbered

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CHAT = "announce"
MAIL = "mail"


def servers(targets: tuple[LocalTarget, ...]) -> tuple[str, ...]:
    """The names of the servers that these targets need: none, or those of chats and of mail."""
    kinds = {each.kind for each in targets}
    return (*([CHAT] if targets else []), *([MAIL] if "mail" in kinds else []))


def chat_app(folder: Path, targets: tuple[LocalTarget, ...], token: str) -> ASGIApp:
    """The chats of the world in a folder, as an ASGI app."""
    from unmoor.rehearsal.announce import chat

    return chat.app(chat.Chat(targets=numbered(targets), token=token, caughts=Caughts(folder)))


async def serve_mail(folder: Path, targets: tuple[LocalTarget, ...], opened: socket.socket) -> asyncio.Server:
    """Serve mail on a socket that listens, in the running loop. Raises `ToolMissing` without aiosmtpd."""
    from unmoor.rehearsal.announce import mail

    names = frozenset(each.name for each in targets if each.kind == MAIL)
    return await mail.listen(opened, mail.Inbox(Caughts(folder), names))


def require_parts(targets: tuple[LocalTarget, ...]) -> None:
    """Raise `ToolMissing` if mail is to be caught, and nothing can."""
    if MAIL in servers(targets):
        from unmoor.rehearsal.announce import mail

        mail.require_library()


def table(folder: Path, targets: tuple[LocalTarget, ...], token: str, addresses: Mapping[str, str]) -> str:
    """The table of the world file. The addresses are in files, since no literal in a world file has a colon."""
    if not targets:
        return ""
    kept = Caughts(folder).folder
    rows = []
    for number, target in numbered(targets).items():
        address = target.address(number, token=token, chat=addresses[CHAT], mail=addresses.get(MAIL, ""))
        path = kept / f"target-{number}"
        write_atomic(path, f"{address}\n".encode(), mode=0o600)
        rows.append(f"{json.dumps(target.name)} = {json.dumps(f'file:{path}')}\n")
    return f"\n[announce]\ncatcher = {json.dumps(addresses[CHAT])}\n\n[announce.targets]\n{''.join(rows)}"
