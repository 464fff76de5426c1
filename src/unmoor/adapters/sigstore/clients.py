"""The clients of the certificate authority (Fulcio) and the log (Rekor), with limits and errors that say what to do.

Both are sigstore's; each uses a session of ``requests``, which gets an adapter of ours. That adapter ends what takes
too long, and turns every answer but a good one into an error before the client sees it: the clients have no time-out,
drop what the authority says in a refusal, and follow redirects with the ID token.

Only `unmoor.adapters.sigstore.signer` imports this, since it imports sigstore.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import msgspec
import requests
from sigstore._internal.fulcio import ExpiredCertificate
from sigstore._internal.rekor.client import RekorClient
from sigstore.errors import Error
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext

from unmoor import advice
from unmoor.adapters.http.limits import BoundedAdapter, Bounds
from unmoor.adapters.http.retry_after import ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import NoLogin
from unmoor.adapters.http.urls import without_query
from unmoor.adapters.sigstore.reading import Expired
from unmoor.errors import Cause, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret, masker
from unmoor.util.text import clean
from unmoor.util.values import replace

BOUNDS = Bounds(total=30.0, limit=1_000_000)
"""The limits of one request: the log answers within a second or two, and an answer has some kilobytes."""
AUTHORITY, LOG = "the certificate authority", "the transparency log"
_API = "/api/v1"
# Fulcio answers 400 to an ID token that it does not take. Everything else in that request is sigstore's.
_DENIALS = {
    AUTHORITY: {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN},
    LOG: {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN},
}
# Seconds to wait for a busy server that does not say how long.
_DEFAULT = 5.0
_LONGEST = 300


class CertifiedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key with its certificate, valid for ``life`` seconds. ``log`` is the address of the log that it uses."""

    signer: Signer
    life: float
    log: str

    def sign(self, make: Callable[[Signer], Bundle]) -> bytes:
        """Make one signature, in one try. Raises `Unknown`, `Rejected`, `Denied`."""
        with _usable(LOG, self.log):
            return make(self.signer).to_json().encode()


def certified(identity: IdentityToken, config: ClientTrustConfig, *, patience: float = math.inf) -> CertifiedKey:
    """Get a certificate for a new key, in one try. Raises `Denied` if the identity is refused, `Rejected`, `Unknown`.

    ``patience`` is the most seconds to wait for either server. No time stamp authority is used: a log of version 1
    gives the time, and attestations have no place for more.
    """
    try:
        services = config.signing_config
        authority, log = services.get_fulcio(), services.get_tlogs()[0]
    except (Error, ValueError) as error:
        raise Unknown(
            f"the trust config of Sigstore has no service to sign with: {clean(str(error), _LONGEST)}",
            next_step=advice.CHECK_TRUST_CONFIG(),
            retryable=False,
        ) from error
    _bound(authority.session, AUTHORITY, patience)
    # The version is set, and this is the client for it.
    bounded = _Log(cast("RekorClient", log).url.removesuffix(_API))
    bounded.patience = patience
    with _usable(AUTHORITY, authority.url):
        context = SigningContext(fulcio=authority, rekor=bounded, trusted_root=config.trusted_root)
        signer = Signer(identity, context)
        certificate = signer._signing_cert()  # noqa: SLF001 - sigstore has no other way to it
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return CertifiedKey(signer=signer, life=life.total_seconds(), log=bounded.url)


@contextlib.contextmanager
def _usable(whose: str, where: str) -> Iterator[None]:
    """Raise `Unknown` for an answer that sigstore cannot use: for many of them it lets through parsers' errors."""
    try:
        yield
    except UnmoorError:
        raise
    except ExpiredCertificate as error:
        raise Expired(
            "by this machine's clock the certificate has expired", where=where, next_step=advice.SET_CLOCK()
        ) from error
    except Exception as error:
        why = clean(str(error).partition("\n")[0], _LONGEST) or type(error).__name__
        raise failure(Cause.NONSENSE, f"{whose}'s answer cannot be used: {why}", where=where) from error


class _Log(RekorClient):
    """The client of the log, bounded. Each thread has a session of its own, which sigstore makes when it is needed."""

    patience: float = math.inf

    @property
    def _session(self) -> requests.Session:
        session = super()._session
        if not isinstance(session.get_adapter(self.url), _AnswerAdapter):
            _bound(session, LOG, self.patience)
        return session


def _bound(session: requests.Session, whose: str, patience: float) -> None:
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _AnswerAdapter(whose, patience))
    session.auth = NoLogin()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))


class _AnswerAdapter(BoundedAdapter):
    """An adapter that raises for every answer that is not a success.

    `ServerBusy` for 429 and for 503 with a wait; `Denied` for 401 and 403, and for 400 from the authority; `Rejected`
    for another status from 400 to 499; `Unknown` for any other status, and for 409 from the log, which has the entry
    already: an answer was lost.
    """

    def __init__(self, whose: str, patience: float) -> None:
        super().__init__(replace(BOUNDS, patience=patience))
        self._whose = whose

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Do one exchange."""
        response = super().send(request, *args, **options)
        if not response.ok or response.is_redirect:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            raise self._error(response, masker([Secret(token)]))
        return response

    def _error(self, response: requests.Response, mask: Callable[[str], str]) -> UnmoorError:
        status, where = response.status_code, without_query(str(response.url))
        said = mask(_message(response))
        answered = f"{self._whose} answered {status}{f': {said}' if said else ''}"
        asked = requested_wait(response.headers)
        if is_busy(status, asked):
            return ServerBusy(answered, where=where, wait=time_to_wait(asked, default=_DEFAULT))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return failure(Cause.LOST, answered, where=where, wait=asked or 0.0)
        if status in _DENIALS[self._whose]:
            return failure(Cause.DENIED, answered, where=where, next_step=advice.CHECK_SIGNING_IDENTITY())
        if status == HTTPStatus.CONFLICT and self._whose == LOG:
            return failure(Cause.LOST, f"{answered}; its first answer was lost", where=where)
        if status >= HTTPStatus.BAD_REQUEST:
            return failure(Cause.REFUSED, answered, where=where)
        return failure(Cause.NONSENSE, answered, where=where)


def _message(response: requests.Response) -> str:
    """What a server says in a refusal: both write a JSON object with ``code`` and ``message``."""
    try:
        said = decode_json(response.content, dict[str, Any]).get("message")
    except ValueError:
        said = response.reason
    return clean(str(said or ""), _LONGEST)
