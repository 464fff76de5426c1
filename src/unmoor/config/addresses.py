"""Check addresses and names in settings and worlds with strict patterns, since secrets are sent to them.

Every check takes text and returns its normalized form, or raises ``ValueError`` with a reason for the user. A reason
never quotes the address, which may contain a password.
"""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Collection

from unmoor.util import loopback

# Every pattern ends in $(?!\n): in Python, $ alone would also match before a newline at the end,
# and \Z means nothing to the JSON schemas that these patterns go into.
PROJECT = r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$(?!\n)"
REPOSITORY = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$(?!\n)"
TITLE = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,38}[A-Za-z0-9])?$(?!\n)"
HOST = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?$(?!\n)"
LABEL = r"^[a-z0-9][a-z0-9._-]{0,39}$(?!\n)"

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]*)*)",
    re.ASCII,
)
_LONGEST_PATH = 4000
_PLACEHOLDERS = ("project", "version")
_USER = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?"
_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])"
_REMOTES = (
    re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"),  # a name
    re.compile(r"/[^\x00-\x1f\x7f]{0,4000}"),  # a path
    re.compile(r"(?:[A-Za-z]:[/\\](?!/)|\\\\)[^\x00-\x1f\x7f]{0,4000}"),  # of Windows, on a drive or a server
    re.compile(rf"{_USER}{_HOST}:(?![:-]|//)[^\s\x00-\x1f\x7f]{{1,1000}}"),  # as scp writes it
    re.compile(rf"(?:git\+)?ssh://{_USER}{_HOST}(?::[0-9]{{1,5}})?/[^\s\x00-\x1f\x7f]{{1,1000}}"),
    re.compile(r"file:///[^\x00-\x1f\x7f]{0,4000}"),
)


def is_loopback(address: str) -> bool:
    """Whether an address always points to this machine; see `unmoor.util.loopback.is_loopback`."""
    match = _ADDRESS.fullmatch(address)
    return match is not None and loopback.is_loopback(match["host"])


def checked_address(text: str) -> str:
    """Check an http or https address, and return it with scheme and host in lower case."""
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("an address must not contain credentials; set password or token instead")
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(
            "expected an address such as https://example.org/simple/: plain ASCII, without spaces, ? and #"
        )
    if match["port"] and not 0 < int(match["port"]) < 65536:  # noqa: PLR2004 - the number of TCP ports
        raise ValueError("the port must be from 1 to 65535")
    host = match["host"].lower()
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host.strip("[]"))
        except ValueError:
            raise ValueError("the part in brackets is not an IPv6 address") from None
    if match["scheme"] == "http" and not is_loopback(text):
        raise ValueError(f"http is for loopback addresses only; use https for {host}")
    port = f":{match['port']}" if match["port"] else ""
    return f"{match['scheme']}://{host}{port}{match['path']}"


def folder_address(text: str) -> str:
    """Check the address of a folder, and return it with one trailing slash."""
    return checked_address(text).rstrip("/") + "/"


def root_address(text: str) -> str:
    """Check an address that paths are appended to, and return it without a trailing slash."""
    return checked_address(text).rstrip("/")


def page_address(text: str) -> str:
    """Check the address of a web page, with the placeholders ``{project}`` and ``{version}``."""
    _require_placeholders(text, _PLACEHOLDERS)
    checked_address(text.format(project="p", version="0"))
    return text


def issuer_address(text: str) -> str:
    """Check the address of an issuer of ID tokens, with the placeholder ``{tag}`` in its path."""
    _require_placeholders(text, {"tag"})
    # A tag must not decide where the token for this address goes.
    if "{" in text.split("://", 1)[-1].partition("/")[0]:
        raise ValueError("{tag} is allowed in the path only")
    root_address(text.format(tag="v1"))
    return text.rstrip("/")


def _require_placeholders(text: str, allowed: Collection[str]) -> None:
    """Raise `ValueError` if braces hold anything but these names."""
    try:
        parts = [part for _, part, spec, conversion in string.Formatter().parse(text) if part is not None]
        known = all(part in allowed for part in parts) and text == _rejoin(text)
    except ValueError:
        known = False
    if not known:
        names = " and ".join(f"{{{name}}}" for name in sorted(allowed))
        raise ValueError(f"only {names} {'is' if len(allowed) == 1 else 'are'} allowed in braces")


def _rejoin(text: str) -> str:
    """Join a template from its parsed parts. It differs from the original if braces hold more than plain names."""
    parts = string.Formatter().parse(text)
    return "".join(before + ("" if name is None else f"{{{name}}}") for before, name, _, _ in parts)


def printable_path(text: str) -> str:
    """Check a path to a file."""
    if not text.isprintable() or len(text) > _LONGEST_PATH:
        raise ValueError(f"expected a path: printable, at most {_LONGEST_PATH} characters")
    return text


def git_remote(text: str) -> str:
    """Check a git remote: a name, an absolute path, or an address.

    Accepts only plain forms: others can make git run programs (``ext::``, a leading dash).
    """
    if text.startswith(("http://", "https://")):
        return checked_address(text)
    if any(form.fullmatch(text) for form in _REMOTES):
        return text
    raise ValueError("expected a git remote: a name, an absolute path or an address (https, ssh, file)")
