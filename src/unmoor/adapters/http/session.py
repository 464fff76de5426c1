"""The one HTTP session of a run: bounded in time and size, for the index's pages, files, and assets.

On `requests`, since twine and PyGithub stand on it: one set of proxy and CA variables
(``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``, …) counts for all of them. What it adds:

- a total deadline and a limit of size for every exchange (`unmoor.adapters.http.limits`);
- no hidden retry, no cookie, no ``.netrc``;
- credentials go to the origin they were given for: a redirect elsewhere is followed without them;
- every failure to get a whole answer is `Unknown`; an answer of any status is an `Response`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import IO, Self

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from unmoor.adapters.http.download import require_ok, save_to
from unmoor.adapters.http.limits import BoundedAdapter, Bounds, DeadlineWatch
from unmoor.adapters.http.urls import led_to, origin, parsed, without_query
from unmoor.errors import Unknown
from unmoor.ports.world import Login
from unmoor.products import File
from unmoor.util.files import is_safe_name
from unmoor.util.secret import Secret
from unmoor.util.text import clean

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_HOPS = 5
# Bytes per second that a transfer must reach over its whole length, beyond the first two minutes.
_SLOWEST = 200_000
_START = 120.0


@dataclass(frozen=True, kw_only=True)
class Response:
    """A whole answer. ``url`` is where it came from in the end, ``reason`` the words of the status line, cleaned."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def kind(self) -> str:
        """The content type, lower case, without parameters; empty where there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class _NoLogin(AuthBase):
    """Sends nothing, and keeps requests from looking into ``.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """One request as the caller meant it."""

    method: str
    url: str
    headers: Mapping[str, str]
    secrets: Mapping[str, Secret]
    login: Login | None
    body: bytes | IO[bytes] | None = None

    def without_secrets(self, url: str) -> _Ask:
        """The same request to another address: its secrets only stay where that is the same origin."""
        if origin(url) == origin(self.url):
            return replace(self, url=url)
        return replace(self, url=url, secrets={}, login=None)


def transfer_time(size: int) -> float:
    """Seconds that a transfer of so many bytes may take."""
    return _START + size / _SLOWEST


def user_agent() -> str:
    """What we call ourselves."""
    try:
        from unmoor._version import version
    except ImportError:
        version = "0"
    return f"unmoor/{version} python-requests/{requests.__version__}"


class BoundedSession:
    """Bounded exchanges. Safe to share between threads. Close it, or use it in a ``with``."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        mount(self._session, self.bounds)
        self._closing: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections, and what is to be closed with them."""
        self._session.close()
        while self._closing:
            self._closing.pop()()

    def closes(self, call: Callable[[], None]) -> None:
        """Have a library's own session closed with this one."""
        self._closing.append(call)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, Secret] | None = None,
        login: Login | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> Response:
        """Read an address, following at most five redirects. An answer of any status is an answer.

        ``limit`` is the largest body in bytes (10 MB), ``deadline`` the seconds for all of it (60).
        ``secret_headers`` and ``login`` (HTTP basic) go to the origin of ``url`` alone. Raises `Unknown`.
        """
        ask = _Ask(method="GET", url=url, headers=headers or {}, secrets=secret_headers or {}, login=login)
        with DeadlineWatch(bounds=self._bounds(limit, deadline)) as watch:
            return _answer(self._following(ask, watch), watch)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | Path = b"",
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, Secret] | None = None,
        login: Login | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> Response:
        """Send a request once: no redirect is followed, nothing is tried again. Streams a file.

        ``deadline`` defaults to two minutes and a second per 200 kB. Raises `Unknown`, after which
        the server may or may not have done it.
        """
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        with contextlib.ExitStack() as stack:
            watch = stack.enter_context(DeadlineWatch(bounds=self._bounds(limit, deadline or transfer_time(size))))
            # An empty file is sent as empty bytes: requests would send it chunked.
            data = stack.enter_context(body.open("rb")) if isinstance(body, Path) and size else body
            ask = _Ask(
                method=method,
                url=url,
                headers=headers or {},
                secrets=secret_headers or {},
                login=login,
                body=b"" if isinstance(data, Path) else data,
            )
            return _answer(self._once(ask, watch), watch)

    def download(
        self,
        url: str,
        into: Path,
        name: str,
        *,
        sha256: str | None = None,
        size: int | None = None,
        limit: int = 1_100_000_000,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, Secret] | None = None,
        login: Login | None = None,
        deadline: float | None = None,
    ) -> File:
        """Download into a folder, under a name: written aside, hashed, then renamed.

        ``limit`` is the largest size in bytes (the size, if that is known). Raises `Denied` for 401
        and 403, `Unknown` for every other answer than 200 and for bytes that do not come whole,
        `Conflict` where they are not those of ``sha256``.
        """
        where = without_query(url)
        if not is_safe_name(name):
            raise Unknown(
                f"{clean(name)!r} is not a file name",
                where=where,
                next_step="look at what that address serves",
                retryable=False,
            )
        most = min(limit, size) if size is not None else limit
        bounds = self._bounds(most, deadline or transfer_time(most))
        # Bytes as they are: a server that compresses an archive on its way would change its hash.
        plain = {**(headers or {}), "Accept-Encoding": "identity"}
        ask = _Ask(method="GET", url=url, headers=plain, secrets=secret_headers or {}, login=login)
        with DeadlineWatch(bounds=bounds) as watch:
            response = self._following(ask, watch)
            require_ok(response, where)
            file = save_to(watch, response, into, name, sha256)
        if size is not None and file.size != size:
            file.path.unlink()
            raise Unknown(f"{name} has {file.size} bytes and should have {size}", where=where)
        return file

    def _bounds(self, limit: int | None, deadline: float | None) -> Bounds:
        most = self.bounds.limit if limit is None else limit
        return replace(self.bounds, limit=most, total=deadline or self.bounds.total)

    def _following(self, ask: _Ask, watch: DeadlineWatch) -> requests.Response:
        """Follow redirects; secrets stay at the first origin, and do not come back with a later hop."""
        for _ in range(_HOPS + 1):
            response = self._once(ask, watch)
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            ask = ask.without_secrets(led_to(ask.url, target))
        raise Unknown(
            f"more than {_HOPS} redirects",
            where=without_query(ask.url),
            next_step="correct the address in the world file",
            retryable=False,
        )

    def _once(self, ask: _Ask, watch: DeadlineWatch) -> requests.Response:
        """One exchange up to the headers of the answer."""
        parsed(ask.url)
        shielded = {name: secret.reveal() for name, secret in ask.secrets.items()}
        login = ask.login
        auth = HTTPBasicAuth(login.username.encode(), login.secret.reveal().encode()) if login else _NoLogin()
        with watch.told(ask.url):
            return self._session.request(
                ask.method,
                ask.url,
                data=ask.body,
                headers={**ask.headers, **shielded},
                auth=auth,
                allow_redirects=False,
                stream=True,
            )


def mount(session: requests.Session, bounds: Bounds) -> None:
    """Bring the bounds to a session, ours or a library's; whatever it had mounted is dropped."""
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(bounds))


def _answer(response: requests.Response, watch: DeadlineWatch) -> Response:
    """Read an answer whole."""
    url = str(response.url)
    return Response(
        status=response.status_code,
        reason=clean(str(response.reason or "")),
        headers=CaseInsensitiveDict(response.headers),
        body=b"".join(watch.pieces(response, url, decode=True)),
        url=url,
    )
