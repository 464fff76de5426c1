"""Send PyGithub's requests through the bounded session.

By itself, PyGithub has no size limit and no deadline, retries forever on 202, and repeats a POST at the target of a
redirect. Its requester class holds the connection classes. A subclass gets others, so nothing global changes.
`Requester`, its ``injectConnectionClasses`` and what it expects of a connection are internals: pyproject.toml excludes
PyGithub's next major version.
"""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from unmoor.adapters.github.exchange import exchange
from unmoor.ports.world import ForgePlace
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from github.Requester import Requester

    from unmoor.adapters.http.session import BoundedSession, Response


class _Response:
    """An answer in the shape of ``http.client``, which PyGithub reads."""

    def __init__(self, answer: Response) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._body = answer.body

    def getheaders(self) -> ItemsView[str, str]:
        return self.headers.items()

    def read(self) -> str:
        return self._body.decode("utf-8", errors="replace")


class _Connection:
    """A connection in the shape of ``http.client``; the session behind it keeps the real ones."""

    scheme: ClassVar[str]
    session: ClassVar[BoundedSession]

    def __init__(self, host: str, port: int | None = None, **_unused: Any) -> None:
        self.host = host
        name = f"[{host}]" if ":" in host else host
        self._root = f"{self.scheme}://{name}" + ("" if port is None else f":{port}")

    def request(self, verb: str, url: str, input: Any, headers: dict[str, str], stream: bool = False) -> None:  # noqa: A002, ARG002, FBT001, FBT002 - PyGithub's names
        self._ask = (verb, url, input, headers)

    def getresponse(self) -> _Response:
        verb, url, body, headers = self._ask
        token = next((Secret(value) for name, value in headers.items() if name.lower() == "authorization"), None)
        visible = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        sent = (body or "").encode()
        return _Response(exchange(self.session, verb, self._root + url, body=sent, headers=visible, token=token))

    def close(self) -> None:
        """Do nothing: the session owns the connections."""


def requester(place: ForgePlace, http: BoundedSession, *, token: Secret | None) -> Requester:
    """Create PyGithub's requester for a place: lazy objects, no retries or pauses of its own."""
    from github.Auth import Token
    from github.Requester import Requester

    from unmoor.adapters.http.session import user_agent

    class _Requester(Requester):
        """Holds the connection classes of the bounded session."""

    plain = type("_Plain", (_Connection,), {"scheme": "http", "session": http})
    tls = type("_Tls", (_Connection,), {"scheme": "https", "session": http})
    # PyGithub uses only their interface, not their type.
    _Requester.injectConnectionClasses(plain, tls)
    return _Requester(
        auth=Token(token.reveal()) if token else None,
        base_url=place.api.rstrip("/"),
        timeout=int(http.bounds.total),
        user_agent=user_agent(),
        per_page=100,  # never used: the client asks for each page itself
        verify=True,
        retry=None,
        pool_size=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    )
