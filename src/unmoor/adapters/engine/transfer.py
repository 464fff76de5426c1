"""Push and pull images. A failed transfer answers 200, with the error somewhere in the stream.

The engine itself retries a 5xx for 50 seconds and prints a line every second, so a time-out between two lines never
fires. Transfers have a total deadline instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from unmoor import advice
from unmoor.adapters.engine import podman
from unmoor.adapters.engine.connection import Connection, EngineError
from unmoor.adapters.engine.failures import asks_to_wait, no_room
from unmoor.artifacts.oci import is_digest
from unmoor.errors import Cause, Denied, Incomplete, Rejected, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.world import Login
from unmoor.util.secret import masker
from unmoor.util.text import clean

_DENIED = re.compile(
    r"denied|unauthorized|authentication required|no basic auth|forbidden|\b40[13]\b|incorrect username or password",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"manifest unknown|not found|name unknown|does not exist", re.IGNORECASE)
_TEMPORARY = re.compile(
    r"\b5\d\d\b|time.?out|deadline|reset|refused|EOF|no such host|unavailable"
    r"|broken pipe|server error",
    re.IGNORECASE,
)
_REJECTED = re.compile(
    r"invalid|unsupported|not allowed|immutable|too large|exceed|quota|must be lowercase|\b4\d\d\b", re.IGNORECASE
)
# Sent if there is no login. Without it, the engine uses the user's own login.
ANONYMOUS: Mapping[str, str] = {}

Hear = Callable[[str], None]


def push(connection: Connection, name: str, login: Login, hear: Hear | None, timeout: float) -> str:
    """Push a local name and return the digest that was pushed. Raises `Denied`, `Rejected`, `Unknown`."""
    repository, _, tag = name.rpartition(":")
    auth = credentials(login, name)
    mask = masker([login.secret])

    def stream(api: Any) -> Iterator[dict[str, Any]]:
        # No time-out between two lines: a blob may take long.
        lines: Any
        if connection.is_podman and podman.on_this_machine(name):
            lines = podman.push(api, repository, tag, auth)
        else:
            lines = api.push(repository, tag=tag, stream=True, decode=True, auth_config=auth)
        yield from lines

    digest = ""
    try:
        for line in connection.follow(stream, what=f"the push of {name}", timeout=timeout):
            _read_line(line, name, hear, mask)
            digest = _digest(line, tag) or digest
    except LookupError as error:
        raise Incomplete(f"the engine has no image {name}: {error}") from error
    if not digest:
        raise Unknown(f"the push of {name} ended without a digest", otherwise=advice.CHECK_ENGINE_LOG())
    return digest


def _digest(line: Mapping[str, Any], tag: str) -> str:
    """The digest in a line, or an empty string. Podman writes it only as text."""
    aux = line.get("aux")
    if isinstance(aux, dict) and is_digest(str(aux.get("Digest"))):
        return str(aux["Digest"])
    match = re.fullmatch(rf"{re.escape(tag)}: digest: (\S+) size: \d+", str(line.get("status", "")))
    return match[1] if match and is_digest(match[1]) else ""


def pull(connection: Connection, name: str, login: Login | None, platform: str, timeout: float) -> None:
    """Pull by digest. Raises `Incomplete` if the registry does not have it, `Denied`, `Unknown`."""
    auth = credentials(login, name) if login is not None else ANONYMOUS
    mask = masker([login.secret] if login is not None else [])

    def stream(api: Any) -> Iterator[dict[str, Any]]:
        lines: Any
        if connection.is_podman and podman.on_this_machine(name):
            lines = podman.pull(api, name, auth)
        else:
            lines = api.pull(name, stream=True, decode=True, auth_config=dict(auth), platform=platform or None)
        yield from lines

    try:
        for line in connection.follow(stream, what=f"the pull of {name}", timeout=timeout):
            _read_line(line, name, None, mask)
    except LookupError as error:
        raise _absent(name, str(error)) from error
    except EngineError as error:
        # A refusal before the stream begins is an error of the engine.
        raise transfer_error(mask(error.reason), name) from error


def credentials(login: Login, name: str) -> dict[str, str]:
    """The login for the engine to use. Never absent: the engine would use the user's own login."""
    if not login.secret:
        return dict(ANONYMOUS)
    host = name.partition("/")[0]
    return {"username": login.username, "password": login.secret.reveal(), "serveraddress": host}


def _read_line(line: Mapping[str, Any], name: str, hear: Hear | None, mask: Callable[[str], str]) -> None:
    """Read one line, and mask the login in its text. Raises the error in it."""
    if "error" in line or "errorDetail" in line:
        detail = line.get("errorDetail")
        message = detail.get("message") if isinstance(detail, dict) else None
        raise transfer_error(clean(mask(str(message or line.get("error")))), name)
    status = line.get("status")
    if hear is not None and isinstance(status, str) and "progressDetail" not in line:
        hear(clean(mask(status)))


def transfer_error(reason: str, name: str) -> UnmoorError:
    """Return the error for a refusal, by its text. Anything unclear is `Unknown`."""
    if asks_to_wait(reason):
        return failure(Cause.LATER, f"the registry asks to retry {name} later: {reason}")
    return no_room(reason, f"could not transfer {name}") or _refusal(reason, name)


def _refusal(reason: str, name: str) -> UnmoorError:
    if _DENIED.search(reason):
        return Denied(f"the registry denies access to {name}: {reason}", next_step=advice.CHECK_IMAGE_LOGIN())
    if _TEMPORARY.search(reason):
        return failure(Cause.LOST, f"could not transfer {name}: {reason}")
    if _ABSENT.search(reason):
        return _absent(name, reason)
    if _REJECTED.search(reason):
        return Rejected(f"the registry rejects {name}: {reason}", next_step=advice.CHECK_WHAT_REGISTRY_ACCEPTS())
    step = advice.CHECK_STATUS_PAGE(whose="registry")
    return Unknown(f"the registry's answer about {name} is unclear: {reason}", otherwise=step)


def _absent(name: str, reason: str) -> Incomplete:
    return Incomplete(f"the registry does not have {name}: {reason}", next_step=advice.CHECK_IMAGE_IS_PUSHED())
