"""Why uv failed: because of this machine, the network, an index, or what it was asked to install.

uv prints a chain of causes, the outermost first. This module is the only place that reads it. If uv finds no version of
a package, its output does not say whether the index answered at all, so this module asks the index itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from unmoor import advice
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.retry_after import is_busy, requested_wait
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.http.urls import without_query
from unmoor.adapters.index.read import Reader
from unmoor.errors import Cause, Conflict, Denied, Unknown, UnmoorError, from_os_error
from unmoor.ports.exit_codes import killed_by
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.shell import Ran
from unmoor.ports.world import IndexPlace, Login
from unmoor.util.secret import Secret
from unmoor.util.text import clean
from unmoor.util.values import replace

_BACKEND = re.compile(r"^ *\[std(?:out|err)\]$", re.MULTILINE)
_SIGNAL = re.compile(r"failed \(signal: (\d{1,3})\b")
_STATUS = re.compile(r"HTTP status (?:client|server) error \((\d{3})[^)]*\) for url \((\S+)\)")
_SENT = re.compile(r"error (?:sending request|decoding response body) for url \((\S+)\)")
_OS_ERROR = re.compile(r"^(?P<text>[^\n]*) \(os error (?P<number>\d{1,5})\)", re.MULTILINE)
_FETCHED = re.compile(r"Failed to (?:fetch|read metadata): `?(https?://[^\s`]+)")
_NOT_CONNECTED = re.compile(r"client error \(Connect\)|tcp connect error|dns error")
_NOT_A_PAGE = re.compile(r"Received some unexpected (?:JSON|HTML) from `?([^\s`]+)")
_NOT_A_PACKAGE = re.compile(r"Failed to (?:read metadata|extract archive|unpack)|has an invalid package format")
_FROM_INDEX = re.compile(r"has an invalid package format|Failed to download `(?!\S+ @ file:)")
_HASH = re.compile(r"Hash mismatch for `([^`]+)`")
_ACCESS = re.compile(r"An index (?:URL )?\((\S+?)\) .*(?:401 Unauthorized|403 Forbidden)")
_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]*)"
_NOWHERE = re.compile(rf"\b{_NAME} was not found in the package registry|there are no versions of {_NAME}[\s,.]")
_MOST_ASKED = 3
_ASKING = Bounds(connect=5.0, stall=15.0, total=30.0)
_LOGIN = re.compile(r"://[^/\s@]*@")
_AGAIN = frozenset({Cause.LOST, Cause.NONSENSE})


def read_failure(
    ran: Ran, what: str, indexes: Mapping[str, str], *, repeated: bool = False, patience: float = math.inf
) -> UnmoorError | None:
    """Return the error for a failed uv, ``None`` if what it was asked to install is at fault.

    ``what`` says what uv did, as in "could not install demo"; ``indexes`` are the simple indexes that it used, with
    logins in their addresses. ``repeated``: this is the second try. ``patience`` is the most seconds to
    wait for an index that is asked.
    """
    if (error := child_failure(ran, "uv", reports=True)) is not None:
        return error
    chain = _BACKEND.split(_LOGIN.sub("://", ran.err))[0]
    if (match := _SIGNAL.search(chain)) and (number := killed_by(-int(match[1]))):
        return failure(Cause.KILLED, f"the build backend was killed by signal {number} while uv {what}")
    asking = replace(_ASKING, patience=patience)
    return (
        _of_exchange(chain, what, asking)
        or _of_machine(chain, what)
        or _of_content(chain, what)
        or _of_index(chain, what, indexes, asking, repeated=repeated)
    )


def may_repeat(error: UnmoorError | None) -> bool:
    """Whether to install again at once: a download broke off or was damaged, which may happen once."""
    return isinstance(error, Conflict) or (error is not None and error.cause in _AGAIN)


def _of_exchange(chain: str, what: str, asking: Bounds) -> UnmoorError | None:
    """The error for an exchange that failed: a status, no connection, no complete answer."""
    if match := _STATUS.search(chain):
        status, where = int(match[1]), without_query(match[2])
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return _denied(f"uv {what}, and the index denies access ({status})", where)
        if is_busy(status, asked := _wait(match[2], asking)):
            what = f"uv {what}, and the index asks to retry later ({status})"
            return failure(Cause.LATER, what, where=where, wait=asked or 0.0)
        return failure(Cause.LOST, f"uv {what}, and the server answered {status}", where=where)
    if match := _SENT.search(chain):
        causes = [line.partition("cause: ")[2] for line in chain.splitlines() if "cause: " in line]
        cause = Cause.UNREACHABLE if _NOT_CONNECTED.search(chain) else Cause.LOST
        last = clean(causes[-1], 200) if causes else "no answer"
        return failure(cause, f"uv {what}, and there was no complete answer: {last}", where=without_query(match[1]))
    return None


def _of_machine(chain: str, what: str) -> UnmoorError | None:
    """The error for a file that uv cannot use: without permission, or as another program, such as a scanner, has it."""
    if (match := _OS_ERROR.search(chain)) is None:
        return None
    number, text = int(match["number"]), clean(match["text"].strip(), 300)
    # The number is that of the system. On Windows the last argument counts, and elsewhere the first.
    return from_os_error(OSError(number, f"uv {what}: {text}", None, number))


def _of_content(chain: str, what: str) -> UnmoorError | None:
    """The error for an answer that is not what it should be."""
    if match := _NOT_A_PAGE.search(chain):
        return failure(Cause.NONSENSE, f"uv {what}, and that is not a page of an index", where=without_query(match[1]))
    if match := _HASH.search(chain):
        digests = re.findall(r"sha256:[0-9a-f]{64}", chain)
        return Conflict(
            f"uv {what}: other bytes of {clean(match[1], 200)} are there: {', expected '.join(reversed(digests[:2]))}",
            next_step=advice.REJECT_CHANGED_FILE(),
        )
    fetched = _FETCHED.search(chain)
    if _NOT_A_PACKAGE.search(chain) and (fetched or _FROM_INDEX.search(chain)):
        where = without_query(fetched[1]) if fetched else ""
        return failure(Cause.NONSENSE, f"uv {what}, and the index serves something that is not a package", where=where)
    if fetched:
        return failure(Cause.LOST, f"uv {what}, and could not fetch it", where=without_query(fetched[1]))
    return None


def _of_index(
    chain: str, what: str, indexes: Mapping[str, str], asking: Bounds, *, repeated: bool
) -> UnmoorError | None:
    """The error of an index that gives no answer about a package that uv did not find.

    If the index does list files of it, uv may have met a page that was empty for a moment, unless it ``repeated``.
    """
    if match := _ACCESS.search(chain):
        return _denied(f"uv {what}, and an index denies access", without_query(match[1]))
    names = dict.fromkeys(filter(None, (one for pair in _NOWHERE.findall(chain) for one in pair)))
    with BoundedSession(asking) as http:
        for name in list(names)[:_MOST_ASKED]:
            for label, address in indexes.items():
                try:
                    known = Reader(place=place_of(label, address), http=http, clock=None).versions(name)
                except Denied:
                    continue  # uv may have a login that is not in the address
                except Unknown as error:
                    return error.amended(also=f"uv {what}, and asked there for {name}")
                if known and not repeated:
                    listed = f"uv {what}, and an index did not list {name}, which it lists now"
                    return failure(Cause.LOST, listed, where=without_query(address))
    return None


def _denied(what: str, where: str) -> UnmoorError:
    return failure(
        Cause.DENIED,
        what,
        where=where,
        next_step=advice.GIVE_UV_A_LOGIN(),
    )


def _wait(url: str, asking: Bounds) -> float | None:
    """Seconds that a busy server asks to wait, ``None`` if it does not say: uv does not print them."""
    try:
        with BoundedSession(asking) as http:
            return requested_wait(http.send("HEAD", url).headers)
    except UnmoorError:
        return None


def place_of(name: str, address: str) -> IndexPlace:
    """An index to read from, with the login that its address contains."""
    parts = urlsplit(address)
    login = Login(
        username=unquote(parts.username or ""), secret=Secret(unquote(parts.password or "")), origin="its address"
    )
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return IndexPlace(name=name, upload=plain, simple=plain, json="", page="", login=login)


def indexes_of(settings: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """The simple indexes that uv's settings name, by a name for messages. Empty if it may use no index.

    ``settings`` is the content of a uv.toml, ``environ`` uv's environment.
    """
    tables = [table for table in (settings, settings.get("pip")) if isinstance(table, Mapping)]
    if environ.get("UV_OFFLINE") or any(table.get("no-index") or table.get("offline") for table in tables):
        return {}
    addresses = [each for table in tables for each in _addresses(table) if each.startswith(("http://", "https://"))]
    return {"the index" if number == 0 else f"index {number + 1}": each for number, each in enumerate(addresses)}


def _addresses(table: Mapping[str, Any]) -> Iterator[str]:
    """The addresses of indexes in a table, the default one first."""
    for index in sorted(table.get("index", ()), key=lambda each: not each.get("default")):
        yield str(index.get("url", ""))
    if "index-url" in table:
        yield str(table["index-url"])
    yield from map(str, table.get("extra-index-url", ()))
