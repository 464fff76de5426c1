"""Addresses: what may be said of them aloud, and which ones an answer from outside may send us to."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from unmoor.errors import Unknown
from unmoor.util import loopback
from unmoor.util.text import clean

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8000


def without_query(url: str) -> str:
    """The address as it may be printed: no credentials, no query, no fragment, one printable line."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that cannot be read"
    host = f"[{host}]" if ":" in host else host
    return clean(f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}")


def parsed(url: str) -> SplitResult:
    """Take an address apart. Raises `Unknown` unless it is plain http or https, without credentials in it.

    Characters that parsers read differently (blanks, control characters, backslashes) are refused.
    """
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in _PORTS
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and len(url) <= _LONGEST
            and url.isprintable()
            and not any(char.isspace() or char == "\\" for char in url)
        )
    except ValueError:
        usable = False
    if not usable:
        raise Unknown(
            "this is not a plain http or https address without credentials in it",
            where=without_query(url),
            next_step="correct the address in the world file, or ask the server's operator",
            retryable=False,
        )
    return urlsplit(url)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: where credentials may go if they were meant for another path of the same."""
    parts = parsed(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]


def may_be_loopback(url: str) -> bool:
    """Whether an address may lead to this machine; see `unmoor.util.loopback.may_be_loopback`."""
    return loopback.may_be_loopback(urlsplit(url).hostname or "")


def led_to(base: str, reference: str) -> str:
    """Where a page at ``base`` leads by a link or a redirect, without a fragment.

    Raises `Unknown` where that is no plain address, where https would become http, and where a
    server elsewhere points at this machine.
    """
    try:
        target = urljoin(base, reference).partition("#")[0]
    except ValueError:
        target = ""
    scheme = parsed(target).scheme
    if (parsed(base).scheme, scheme) == ("https", "http"):
        raise Unknown(
            f"it leads from https to plain http: {without_query(target)}",
            where=without_query(base),
            next_step="ask the server's operator: such an address is never followed",
            retryable=False,
        )
    if may_be_loopback(target) and not may_be_loopback(base):
        raise Unknown(
            f"it leads to an address on this machine: {without_query(target)}",
            where=without_query(base),
            next_step="ask the server's operator: such an address is never followed",
            retryable=False,
        )
    return target
