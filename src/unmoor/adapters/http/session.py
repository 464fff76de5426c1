"""The HTTP session of a run, bounded in time and size, for index pages, files and assets.

Built on `requests`, as twine and PyGithub are, so that the same proxy and CA variables (``HTTPS_PROXY``,
``NO_PROXY``, ``REQUESTS_CA_BUNDLE``, …) apply to all of them. It adds:

- a total deadline and a size limit for every exchange (`unmoor.adapters.http.limits`);
- no hidden retries, no cookies, no ``.netrc``;
- credentials only for the origin they were given for: it follows a redirect elsewhere without them;
- one error: without a complete answer it raises `Unknown`, and an answer of any status is a `Response`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import IO, Self

import msgspec
import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from unmoor import advice
from unmoor.adapters.http.download import require_ok, save_to
from unmoor.adapters.http.limits import BoundedAdapter, Bounds, DeadlineWatch
from unmoor.adapters.http.urls import origin, parsed, resolve_link, without_query
from unmoor.errors import Unknown
from unmoor.filesystem.files import is_safe_name
from unmoor.filesystem.safe_folder import open_regular
from unmoor.ports.world import Login
from unmoor.products import File
from unmoor.util.secret import Secret, masker
from unmoor.util.text import clean
from unmoor.util.values import replace

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
_PIECE = 65_536
# A transfer may take two minutes, and more time at this rate in bytes per second.
_SLOWEST = 200_000
_START = 120.0


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer. ``url`` is the final address after redirects, ``reason`` the cleaned reason phrase."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The content type in lower case, without parameters; empty if there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class NoLogin(AuthBase):
    """Adds no credentials, and keeps requests from reading ``.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request with its credentials."""

    method: str
    url: str
    headers: Mapping[str, str]
    secrets: Mapping[str, Secret]
    login: Login | None
    body: bytes | IO[bytes] | None = None

    def without_secrets(self, url: str) -> _Request:
        """The same request to another address, with its secrets only if the origin is the same."""
        if origin(url) == origin(self.url):
            return replace(self, url=url)
        return replace(self, url=url, secrets={}, login=None)


def transfer_time(size: int) -> float:
    """Seconds that a transfer of ``size`` bytes may take."""
    return _START + size / _SLOWEST


def user_agent() -> str:
    """The User-Agent header of every request."""
    try:
        from unmoor._version import version
    except ImportError:
        version = "0"
    return f"unmoor/{version} python-requests/{requests.__version__}"


class BoundedSession:
    """An HTTP session with bounded exchanges. Safe to share between threads. Close it, or use it in a ``with``.

    ``direct``: without the proxy of the environment, for servers on this machine.
    """

    def __init__(self, bounds: Bounds | None = None, *, direct: bool = False) -> None:
        self.bounds = bounds or Bounds()
        self._session = requests.Session()
        self._session.trust_env = not direct
        self._session.headers["User-Agent"] = user_agent()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        mount(self._session, self.bounds)
        self._closing: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections and everything registered with `close_with`."""
        self._session.close()
        while self._closing:
            self._closing.pop()()

    def close_with(self, call: Callable[[], None]) -> None:
        """Call ``call`` when this session closes, for example to close a library's own session."""
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
        """GET an address, following at most five redirects, and return the answer whatever its status.

        ``limit`` is the largest body in bytes (10 MB by default), ``deadline`` the seconds in total (60 by default).
        ``secret_headers`` and ``login`` (HTTP basic) go only to the origin of ``url``. Raises `Unknown`.
        """
        request = _Request(method="GET", url=url, headers=headers or {}, secrets=secret_headers or {}, login=login)
        with DeadlineWatch(bounds=self._bounds(limit, deadline)) as watch:
            return _answer(self._following(request, watch), watch, request)

    def begin_of(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, Secret] | None = None,
        limit: int,
        deadline: float,
    ) -> bytes:
        """GET an answer that may never end, such as a log: what of it came until the deadline or the limit.

        Empty for any other status than 200. Raises `Unknown` if no answer begins in time.
        """
        request = _Request(method="GET", url=url, headers=headers or {}, secrets=secret_headers or {}, login=None)
        came = bytearray()
        with DeadlineWatch(bounds=self._bounds(limit, deadline)) as watch:
            response = self._following(request, watch)
            if response.status_code != HTTPStatus.OK:
                return b""
            with suppress(Unknown), watch.translate_errors(url):
                for piece in response.raw.stream(_PIECE, decode_content=True):
                    came += piece
                    if len(came) >= limit:
                        break
        return bytes(came[:limit])

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
        """Send a request once, without following redirects or retrying. Streams a file.

        ``deadline`` defaults to two minutes plus a second per 200 kB. Raises `Unknown`; the server may or may not
        have acted on the request then.
        """
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        bounds = self._bounds(limit, deadline or transfer_time(size))
        with DeadlineWatch(bounds=bounds) as watch, _opened(body) as content:
            request = _Request(
                method=method,
                url=url,
                headers=headers or {},
                secrets=secret_headers or {},
                login=login,
                body=content,
            )
            return _answer(self._once(request, watch), watch, request)

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
        """Download to the file ``name`` in a folder: write a temporary file, hash it, then rename it.

        ``limit`` is the largest size in bytes; ``size``, if given, is the exact size. Raises `Denied` for 401 and 403,
        `Unknown` for any other status than 200 and for an incomplete body, and `Conflict` if the hash is not
        ``sha256``.
        """
        where = without_query(url)
        if not is_safe_name(name):
            raise Unknown(
                f"{clean(name)!r} is not a file name",
                where=where,
                next_step=advice.CHECK_WHAT_IS_SERVED(),
                retryable=False,
            )
        most = min(limit, size) if size is not None else limit
        bounds = self._bounds(most, deadline or transfer_time(most))
        # No compression: a server that compresses an archive in transit changes its hash.
        plain = {**(headers or {}), "Accept-Encoding": "identity"}
        request = _Request(method="GET", url=url, headers=plain, secrets=secret_headers or {}, login=login)
        with DeadlineWatch(bounds=bounds) as watch:
            response = self._following(request, watch)
            require_ok(response, where)
            file = save_to(watch, response, into, name, sha256)
        if size is not None and file.size != size:
            file.path.unlink()
            raise Unknown(f"{name} has {file.size} bytes, expected {size}", where=where)
        return file

    def _bounds(self, limit: int | None, deadline: float | None) -> Bounds:
        most = self.bounds.limit if limit is None else limit
        return replace(self.bounds, limit=most, total=deadline or self.bounds.total)

    def _following(self, request: _Request, watch: DeadlineWatch) -> requests.Response:
        """Follow redirects. Secrets go only to the first origin, and a later hop does not bring them back."""
        for _ in range(_HOPS + 1):
            response = self._once(request, watch)
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            request = request.without_secrets(resolve_link(request.url, target))
        raise Unknown(
            f"more than {_HOPS} redirects",
            where=without_query(request.url),
            next_step=advice.CORRECT_ADDRESS(),
            retryable=False,
        )

    def _once(self, request: _Request, watch: DeadlineWatch) -> requests.Response:
        """Do one exchange, up to the headers of the answer."""
        parsed(request.url)
        shielded = {name: secret.reveal() for name, secret in request.secrets.items()}
        login = request.login
        auth = HTTPBasicAuth(login.username.encode(), login.secret.reveal().encode()) if login else NoLogin()
        with watch.translate_errors(request.url):
            return self._session.request(
                request.method,
                request.url,
                data=request.body,
                headers={**request.headers, **shielded},
                auth=auth,
                allow_redirects=False,
                stream=True,
            )


def mount(session: requests.Session, bounds: Bounds) -> None:
    """Replace all adapters of a session with bounded ones."""
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(bounds))


def _opened(body: bytes | Path) -> AbstractContextManager[bytes | IO[bytes]]:
    """A body as requests takes it: bytes, or an open file."""
    if isinstance(body, bytes):
        return nullcontext(body)
    # Send an empty file as empty bytes: requests would send it chunked.
    return open_regular(body) if body.stat().st_size else nullcontext(b"")


def _answer(response: requests.Response, watch: DeadlineWatch, request: _Request) -> Response:
    """Read the complete answer. Masks the secrets of the request in a refusal, whose reason will be printed."""
    url = str(response.url)
    answer = Response(
        status=response.status_code,
        reason=clean(str(response.reason or "")),
        headers=CaseInsensitiveDict(response.headers),
        body=b"".join(watch.read_chunks(response, url, decode=True)),
        url=url,
    )
    login = [request.login.secret] if request.login else []
    return masked(answer, [*request.secrets.values(), *login])


def masked(answer: Response, secrets: Iterable[Secret]) -> Response:
    """Mask secrets in the reason and the body of an answer with an error status. Returns any other answer as it is."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return answer
    mask = masker(secrets)
    body = mask(answer.body.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return replace(answer, reason=mask(answer.reason), body=body)
