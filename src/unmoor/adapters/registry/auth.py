"""How a registry lets us in: HTTP basic, or a token that another address gives (the way of GHCR and Docker Hub).

A registry answers 401 and says in ``WWW-Authenticate`` what it wants (distribution specification,
token authentication). A token is kept for the scope it was asked for and no other, and replaced
once when it is refused: a wrong password therefore fails at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec

from unmoor.adapters.http.session import Response
from unmoor.adapters.http.urls import may_be_loopback, origin, parsed, resolve_link, without_query
from unmoor.adapters.registry.answers import describe_errors
from unmoor.errors import Denied, Unknown
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret
from unmoor.util.text import clean

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LONGEST_TOKEN = 65_536
# One parameter of a challenge (RFC 9110): name="quoted" or name=word.
_PAIR = re.compile(r"""([A-Za-z_]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))""")

Fetch = Callable[[str, Login | None], Response]
"""Reads an address, with HTTP basic where there is a login; bounded, and never an answer of 5xx or 429."""


class _TokenAnswer(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


@dataclass(frozen=True, kw_only=True)
class AuthChallenge:
    """What a registry asks for: ``basic``, or ``bearer`` with where the token comes from."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""

    @classmethod
    def of(cls, header: str, where: str) -> AuthChallenge:
        """Read ``WWW-Authenticate``. Raises `Unknown` for one that is missing or of no known sort."""
        scheme, _, rest = header.strip().partition(" ")
        told = {each[1].lower(): each[3] or re.sub(r"\\(.)", r"\1", each[2] or "") for each in _PAIR.finditer(rest)}
        match scheme.lower():
            case "basic":
                return cls(scheme="basic")
            case "bearer" if told.get("realm"):
                known = {name: told.get(name, "") for name in ("realm", "service", "scope")}
                return cls(scheme="bearer", **known)
            case _:
                raise Unknown(
                    f"it wants a login of an unknown sort: {clean(header, 100) or 'it does not say which'}",
                    where=where,
                    next_step="look whether that address is a container registry",
                    retryable=False,
                )


@dataclass
class RegistryAuth:
    """One registry's door: remembers what it asked for, and the tokens by scope."""

    place: RegistryPlace
    fetch: Fetch
    _basic: bool = False
    _tokens: dict[tuple[str, bool], Secret] = field(default_factory=dict)

    def headers(self, scope: str, *, anonymous: bool) -> Mapping[str, Secret]:
        """What is known to open it, nothing before the first challenge."""
        if token := self._tokens.get((scope, anonymous)):
            return {"Authorization": Secret(f"Bearer {token.reveal()}")}
        if self._basic and not anonymous:
            return {"Authorization": _basic(self.place.login)}
        return {}

    def answer(self, refused: Response, scope: str, *, anonymous: bool, sent: bool) -> None:
        """Do what an answer of 401 asks for; ``sent`` says whether credentials went with the request already.

        Raises `Denied` where that cannot be done, and `Unknown` where the other side fails.
        """
        challenge = AuthChallenge.of(refused.headers.get("WWW-Authenticate", ""), without_query(refused.url))
        login = None if anonymous or not self.place.login.secret else self.place.login
        if challenge.scheme == "bearer":
            self._tokens[scope, anonymous] = self._token(challenge, scope, login)
        elif login is None or sent:
            raise denied(refused, self.place, anonymous=login is None)
        else:
            self._guard(refused.url)
            self._basic = True

    def _token(self, challenge: AuthChallenge, scope: str, login: Login | None) -> Secret:
        # The registry may want less than we are going to do with the token, so both are asked for.
        wanted = [scope] if challenge.scope in {"", scope} else [scope, challenge.scope]
        query = [("service", challenge.service)] if challenge.service else []
        realm = resolve_link(self.place.address, challenge.realm)
        if login is not None:
            self._guard(realm)
        query += [("scope", each) for each in wanted]
        answer = self.fetch(f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", login)
        if answer.status in _REFUSED:
            raise denied(answer, self.place, anonymous=login is None)
        return _read_token(answer)

    def _guard(self, address: str) -> None:
        """See that credentials go over https, or stay on this machine."""
        here = may_be_loopback(self.place.address)
        if parsed(address).scheme != "https" and not (here and may_be_loopback(address)):
            raise Denied(
                f"it wants the password of {self.place.host} over plain http",
                where=without_query(address),
                next_step="give the registry an https address in the world file: passwords go over nothing else",
            )
        if here and not may_be_loopback(address) and origin(address) != origin(self.place.address):
            raise Denied(
                "a registry on this machine wants its password sent elsewhere",
                where=without_query(address),
                next_step="look at the registry's configuration of tokens",
            )


def _read_token(answer: Response) -> Secret:
    token = ""
    if answer.status == HTTPStatus.OK:
        try:
            told = decode_json(answer.body, _TokenAnswer)
        except ValueError:
            told = _TokenAnswer()
        token = told.token or told.access_token
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or any(c.isspace() for c in token):
        raise Unknown(
            f"the answer ({answer.status}) holds no token that can be used",
            where=without_query(answer.url),
            otherwise="look at the registry's status page",
        )
    return Secret(token)


def denied(answer: Response, place: RegistryPlace, *, anonymous: bool) -> Denied:
    """The error for a login that is missing or was not accepted."""
    if anonymous:
        what, advice = "it lets nobody in without a login", f"give a login for {place.host}, or make the image public"
    else:
        what = f"it does not accept the login ({place.login.origin})"
        advice = f"give the user name and a valid password or token of {place.host}"
    return Denied(f"{what}: {describe_errors(answer)}", where=without_query(answer.url), next_step=advice)


def _basic(login: Login) -> Secret:
    from base64 import b64encode

    pair = f"{login.username}:{login.secret.reveal()}".encode()
    return Secret(f"Basic {b64encode(pair).decode()}")
