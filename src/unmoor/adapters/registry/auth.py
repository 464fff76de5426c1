"""Log in to a registry: HTTP basic, or a token from another address, as GHCR and Docker Hub use.

A registry answers 401 and says in ``WWW-Authenticate`` what it requires (distribution specification, token
authentication). A token is reused only for the scope it was requested for. A refused token is replaced once, so a wrong
password fails immediately.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import second_look
from unmoor.adapters.http.session import Response
from unmoor.adapters.http.urls import may_be_loopback, origin, parsed, resolve_link, without_query
from unmoor.adapters.registry.answers import describe_errors
from unmoor.errors import Cause, Denied, Unknown
from unmoor.ports.failure import failure
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret
from unmoor.util.text import clean

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LONGEST_TOKEN = 65_536
# One parameter of a challenge (RFC 9110): name="quoted" or name=word.
_PAIR = re.compile(r"""([A-Za-z_]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,4096}+)"|([^\s,"]+))""")

Fetch = Callable[[str, Login | None], Response]
"""Reads an address, with HTTP basic if there is a login. Bounded; never returns a 5xx or 429."""


class _TokenAnswer(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class AuthChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry requires: ``basic``, or ``bearer`` with the address that issues tokens."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""

    @classmethod
    def of(cls, header: str, where: str) -> AuthChallenge:
        """Read ``WWW-Authenticate``. Raises `Unknown` if it is missing or of an unknown scheme."""
        scheme, _, rest = header.strip().partition(" ")
        parameters = {
            each[1].lower(): each[3] or re.sub(r"\\(.)", r"\1", each[2] or "") for each in _PAIR.finditer(rest)
        }
        match scheme.lower():
            case "basic":
                return cls(scheme="basic")
            case "bearer" if parameters.get("realm"):
                known = {name: parameters.get(name, "") for name in ("realm", "service", "scope")}
                return cls(scheme="bearer", **known)
            case _:
                raise Unknown(
                    f"the server requires an unknown kind of login: {clean(header, 100) or 'it does not say which'}",
                    where=where,
                    next_step=advice.CHECK_IS_REGISTRY(),
                    retryable=False,
                )


@dataclass
class RegistryAuth:
    """The credentials for one registry: remembers its scheme, and a token for each scope."""

    place: RegistryPlace
    fetch: Fetch
    _basic: bool = False
    _tokens: dict[tuple[str, bool], Secret] = field(default_factory=dict)

    def headers(self, scope: str, *, anonymous: bool) -> Mapping[str, Secret]:
        """Return the headers that authenticate a request. Empty before the first challenge."""
        if token := self._tokens.get((scope, anonymous)):
            return {"Authorization": Secret(f"Bearer {token.reveal()}")}
        if self._basic and not anonymous:
            return {"Authorization": _basic(self.place.login)}
        return {}

    def answer(self, refused: Response, scope: str, *, anonymous: bool, sent: bool) -> None:
        """Get the credentials that a 401 requires. ``sent`` says whether the request already had some.

        Raises `Denied` if there are none or they are refused, `Unknown` if the token server fails.
        """
        challenge = AuthChallenge.of(refused.headers.get("WWW-Authenticate", ""), without_query(refused.url))
        login = None if anonymous or not self.place.login.secret else self.place.login
        if challenge.scheme == "bearer":
            self._tokens[scope, anonymous] = self._token(challenge, scope, login)
        elif login is None or sent:
            raise denied(refused, self.place, anonymous=login is None)
        else:
            self._check_transport(refused.url)
            self._basic = True

    def _token(self, challenge: AuthChallenge, scope: str, login: Login | None) -> Secret:
        # The challenge may name less than the token is needed for, so request both.
        scopes = [scope] if challenge.scope in {"", scope} else [scope, challenge.scope]
        query = [("service", challenge.service)] if challenge.service else []
        realm = resolve_link(self.place.address, challenge.realm)
        if login is not None:
            self._check_transport(realm)
        query += [("scope", each) for each in scopes]
        address = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"

        def ask() -> Secret:
            answer = self.fetch(address, login)
            if answer.status in _REFUSED:
                raise denied(answer, self.place, anonymous=login is None)
            return _read_token(answer)

        return second_look(ask)

    def _check_transport(self, address: str) -> None:
        """Check that credentials go over https or stay on this machine. Raises `Denied`."""
        is_local = may_be_loopback(self.place.address)
        if parsed(address).scheme != "https" and not (is_local and may_be_loopback(address)):
            raise Denied(
                f"the registry requires the password of {self.place.host} over plain http",
                where=without_query(address),
                next_step=advice.USE_HTTPS(),
            )
        if is_local and not may_be_loopback(address) and origin(address) != origin(self.place.address):
            raise Denied(
                "a registry on this machine requires its password at another host",
                where=without_query(address),
                next_step=advice.CHECK_REGISTRY_TOKENS(),
            )


def _read_token(answer: Response) -> Secret:
    token = ""
    if answer.status == HTTPStatus.OK:
        try:
            issued = decode_json(answer.body, _TokenAnswer)
        except ValueError:
            issued = _TokenAnswer()
        token = issued.token or issued.access_token
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or any(c.isspace() for c in token):
        raise failure(
            Cause.NONSENSE,
            f"the answer ({answer.status}) has no usable token",
            where=without_query(answer.url),
            otherwise=advice.CHECK_STATUS_PAGE(whose="registry"),
        )
    return Secret(token)


def denied(answer: Response, place: RegistryPlace, *, anonymous: bool) -> Denied:
    """Return the error for a missing or refused login."""
    if anonymous:
        what, step = "the registry requires a login", advice.LOG_IN_OR_PUBLISH(host=place.host)
    else:
        what = f"the registry refuses the login ({place.login.origin})"
        step = advice.CORRECT_REGISTRY_LOGIN(host=place.host)
    return Denied(f"{what}: {describe_errors(answer)}", where=without_query(answer.url), next_step=step)


def _basic(login: Login) -> Secret:
    from base64 import b64encode

    pair = f"{login.username}:{login.secret.reveal()}".encode()
    return Secret(f"Basic {b64encode(pair).decode()}")
