"""Which hosts are this machine: by a strict answer, for what must not go elsewhere, and by a wary one."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nowhere else: ``localhost``, ``127.0.0.0/8``, ``::1``.

    For what a world may say of this machine alone: rehearsals, http, literal credentials. Other spellings
    that some resolvers take for loopback (``127.1``, ``0x7f000001``, ``x.localhost``) are not believed.
    """
    address = _address(host)
    if address is None:
        return _name(host) == "localhost"
    # Whether one of IPv4 within IPv6 counts differs between versions of Python; here it never does.
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def may_be_loopback(host: str) -> bool:
    """Whether a host leads to this machine by any of the ways that systems know.

    For what must not lead here: a redirect from elsewhere. Besides what `is_loopback` believes: the names
    below ``localhost`` (RFC 6761, section 6.3), a dot at the end, the unspecified address, and addresses
    of IPv4 within IPv6.
    """
    address = _address(host.rstrip("."))
    if address is None:
        name = _name(host).rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_loopback or plain.is_unspecified)


def _name(host: str) -> str:
    return host.strip("[]").lower()


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(_name(host))
    except ValueError:
        return None
