"""Addresses: which parts are safe to print, and which links and redirects of a server are safe to follow."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.util import loopback
from unmoor.util.text import clean

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8000


def without_query(url: str) -> str:
    """The address in a form that is safe to print: no credentials, query or fragment, on one printable line."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an invalid address"
    host = f"[{host}]" if ":" in host else host
    return clean(f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}")


def parsed(url: str) -> SplitResult:
    """Parse an address. Raises `Unknown` unless it is http or https without credentials.

    Refuses characters that parsers treat differently: spaces, control characters and backslashes.
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
            "this is not a plain http or https address without credentials",
            where=without_query(url),
            next_step=advice.CORRECT_ADDRESS(),
            retryable=False,
        )
    return urlsplit(url)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Credentials for one address may go to any other address of the same origin."""
    parts = parsed(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]


def may_be_loopback(url: str) -> bool:
    """Whether an address may point to this machine; see `unmoor.util.loopback.may_be_loopback`."""
    return loopback.may_be_loopback(urlsplit(url).hostname or "")


def resolve_link(base: str, reference: str) -> str:
    """Resolve a link or a redirect of the page at ``base``, without its fragment.

    Raises `Unknown` if the result is not a plain address, if it goes from https to http, and if another machine
    points to this one.
    """
    try:
        target = urljoin(base, reference).partition("#")[0]
    except ValueError:
        target = ""
    scheme = parsed(target).scheme
    if (parsed(base).scheme, scheme) == ("https", "http"):
        raise Unknown(
            f"a link or redirect from https to plain http: {without_query(target)}",
            where=without_query(base),
            next_step=advice.ASK_SERVER_OPERATOR(),
            retryable=False,
        )
    if may_be_loopback(target) and not may_be_loopback(base):
        raise Unknown(
            f"a link or redirect to an address on this machine: {without_query(target)}",
            where=without_query(base),
            next_step=advice.ASK_SERVER_OPERATOR(),
            retryable=False,
        )
    return target
