"""The mail server of a local world, by aiosmtpd. It delivers nothing, and refuses recipients that it does not know.

aiosmtpd comes with unmoor's extra ``announce``, and is imported only by a world with a target for mail.
"""

from __future__ import annotations

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from unmoor import advice
from unmoor.errors import ToolMissing
from unmoor.rehearsal.announce.targets import Caught, Caughts, name_of
from unmoor.rehearsal.shared.store import lines

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

_LIMIT = 1 << 20
REFUSED = "refused"
"""A file in the folder with the recipients that are refused, one in a line."""


class Inbox:
    """Keeps what is sent to targets; aiosmtpd calls its methods by their names."""

    def __init__(self, caughts: Caughts, names: frozenset[str]) -> None:
        self._caughts = caughts
        self._names = names

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse it."""
        if name_of(address) not in self._names or address in lines(self._caughts.folder / REFUSED):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep a message for each of its recipients."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail: EmailMessage = message_from_bytes(content, policy=policy.default)
        part = mail.get_body(("plain", "html"))
        text = str(part.get_content()) if part is not None else ""
        for name in dict.fromkeys(map(name_of, filter(None, envelope.rcpt_tos))):
            self._caughts.add(Caught(target=name, kind="mail", title=str(mail.get("subject", "")), text=text))
        return "250 OK"


def require_library() -> None:
    """Raise `ToolMissing` if the mail server cannot be imported."""
    try:
        import aiosmtpd.smtp  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ToolMissing(
            "a rehearsal of mails needs aiosmtpd, which is not installed", next_step=advice.INSTALL_ANNOUNCE()
        ) from error


async def listen(opened: socket.socket, inbox: Inbox) -> asyncio.Server:
    """Serve mail on a socket that listens."""
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()

    def protocol() -> Any:
        return SMTP(inbox, hostname="rehearsal.invalid", data_size_limit=_LIMIT, enable_SMTPUTF8=True, loop=loop)

    return await loop.create_server(protocol, sock=opened)
