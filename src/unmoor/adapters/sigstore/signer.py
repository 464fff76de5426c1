"""Signing by sigstore-python: one key and certificate for many signatures, within limits of time.

The protocols are sigstore's own (`unmoor.adapters.sigstore.clients`). Every try makes a new signature: if an answer of
the log is lost, the entry may be there, and the log refuses to take the same one again. A signature is checked before
it is handed out, since sigstore does not look at what the log answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.identity.addressed import id_token_from
from unmoor.adapters.identity.ambient import ambient, id_token
from unmoor.adapters.identity.claims import Claims
from unmoor.adapters.sigstore.identities import from_claims
from unmoor.adapters.sigstore.reading import Expired, sha256_hash
from unmoor.adapters.sigstore.trust import Trust
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.errors import BadSignature, Cause, Denied, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.ports.index import Credential
from unmoor.ports.signer import SIDE_BY_SIDE, Bundle, Identity
from unmoor.ports.world import SigningPlace
from unmoor.util.secret import Secret
from unmoor.util.text import duration

if TYPE_CHECKING:
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.oidc import IdentityToken
    from sigstore.sign import Signer

    from unmoor.adapters.sigstore.clients import CertifiedKey

AUDIENCE = "sigstore"
_GITHUB = "GitHub Actions"
# A request takes at most 30 s, so that what does not answer is given up after a minute and a half.
_RETRIES = Retries(pauses=(0.5, 2.0), within=45.0, patience=60.0, writes=True)
# Seconds before the end of a certificate, or of an ID token, at which a new one is requested.
_CERTIFICATE_MARGIN, _TOKEN_MARGIN = 150.0, 60.0


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    """An ID token, what it says, and until when it can be used, by the clock."""

    secret: Secret
    claims: Claims
    ends: float


class _Session(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its certificate, and until when it can be used, by the clock."""

    keys: CertifiedKey
    ends: float

    def made(self, make: Callable[[Signer], SigstoreBundle], check: Callable[[Bundle], object]) -> Bundle:
        """Make one signature, in one try."""
        bundle = self.keys.sign(make)
        try:
            check(bundle)
        except BadSignature as error:
            what = f"the transparency log gave an entry with which {error.what}"
            raise failure(Cause.NONSENSE, what, where=self.keys.log) from error
        return bundle


@dataclass(kw_only=True)
class SigstoreSigner:
    """Signs as the workflow run of this process. Safe to share between threads: one gets the certificate."""

    place: SigningPlace
    trust: Trust
    verifier: SigstoreVerifier
    http: BoundedSession
    clock: Clock
    environ: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(SIDE_BY_SIDE), repr=False)
    _token: _Token | None = field(default=None, repr=False)
    _session: _Session | None = field(default=None, repr=False)
    _tries: int = field(default=0, repr=False)
    _failed: UnmoorError | None = field(default=None, repr=False)

    def credential(self) -> Credential:
        """Say whether this process has an identity, and from where. Sends nothing."""
        around = ambient(self.environ)
        if self.place.identity:
            login = self.place.token
            return Credential(present=bool(login.secret), origin=login.origin, minted=True, by_hand=around is None)
        if around is None:
            origin = "no CI gives this process an identity"
            return Credential(present=False, origin=origin, remedy=advice.SIGN_IN_ACTIONS(), by_hand=True)
        if around.name != _GITHUB:
            origin = f"{around.name} runs this job, and only identities of {_GITHUB} are signed with"
            return Credential(present=False, origin=origin, remedy=advice.SIGN_IN_ACTIONS())
        return Credential(
            present=not around.lacking, origin=around.lacking or around.name, minted=True, remedy=around.remedy
        )

    def identity(self) -> Identity:
        """Get a new ID token, and return what it says. Raises `Denied`, `Unknown`."""
        with self._lock:
            self._token = _RETRIES.call(self._request_token, self.clock)
            return from_claims(self._token.claims)

    def sign_statement(self, statement: bytes) -> Bundle:
        """Sign an in-toto statement. Raises `Denied`, `Rejected`, `TryLater`, `Unknown`, `ConfigError`."""
        from sigstore.dsse import Statement

        written = Statement(statement)
        return self._sign(lambda signer: signer.sign_dsse(written), self.verifier.statement)

    def sign_file(self, sha256: str) -> Bundle:
        """Sign a file, given by its sha256 in hex. Raises as `sign_statement` does."""
        hashed = sha256_hash(sha256)
        return self._sign(lambda signer: signer.sign_artifact(hashed), lambda made: self.verifier.file(made, sha256))

    def _sign(self, make: Callable[[Signer], SigstoreBundle], check: Callable[[Bundle], object]) -> Bundle:
        with self._slots:
            session = self._current()
            try:
                return _RETRIES.call(lambda: session.made(make, check), self.clock)
            except Expired:
                # This machine slept, and its clock with it.
                self._discard(session)
            session = self._current()
            return _RETRIES.call(lambda: session.made(make, check), self.clock)

    def _current(self) -> _Session:
        """The session in use, or a new one. Threads that wait for one that fails get its error, and do not try."""
        tries = self._tries
        with self._lock:
            if self._failed is not None and self._tries != tries:
                raise self._failed
            if self._session is None or self.clock.now() >= self._session.ends:
                self._tries += 1
                try:
                    self._session, self._failed = _RETRIES.call(self._begin, self.clock), None
                except UnmoorError as error:
                    self._failed = error
                    raise
            return self._session

    def _begin(self) -> _Session:
        """Get a certificate for a new key."""
        from unmoor.adapters.sigstore.clients import certified

        if self._token is None or self.clock.now() >= self._token.ends:
            self._token = self._request_token()
        token, self._token = self._token, None
        identity = _accepted(token.secret, token.claims)
        # In a local world the config is written before the first token is given.
        config = self.trust.config()
        begun = self.clock.now()
        keys = certified(identity, config, patience=self.clock.patience)
        return _Session(keys=keys, ends=begun + keys.life - _CERTIFICATE_MARGIN)

    def _discard(self, session: _Session) -> None:
        with self._lock:
            if self._session is session:
                self._session = None

    def _request_token(self) -> _Token:
        """Get a new ID token, in one try. Raises `Denied`, `Unknown`."""
        credential = self.credential()
        if not credential.present:
            raise Denied(f"nothing can be signed: {credential.origin}", next_step=credential.remedy)
        begun = self.clock.now()
        place = self.place
        if place.identity:
            secret = id_token_from(place.identity, place.token, AUDIENCE, self.http)
        else:
            secret = id_token(AUDIENCE, self.environ)
        claims = Claims.of(secret)
        if not claims.values.get("repository") or not claims.values.get("job_workflow_ref"):
            raise Denied(
                f"the ID token is not one of a workflow run of {_GITHUB}: it is of {claims.brief()}",
                next_step=advice.SIGN_IN_ACTIONS(),
            )
        _require_audience(claims)
        life = claims.times.get("exp", 0.0) - claims.times.get("iat", 0.0)
        return _Token(secret=secret, claims=claims, ends=begun + life - _TOKEN_MARGIN)


def _require_audience(claims: Claims) -> None:
    """Raise `Denied` for a token for something else, before anything is built. `_accepted` looks at all of it."""
    audience = claims.get("aud")
    if audience not in {"", AUDIENCE}:
        raise _for_another(audience)


def _for_another(audience: str) -> Denied:
    return Denied(
        f"the ID token is for {audience or 'several audiences'}, and not for {AUDIENCE}",
        next_step=advice.CHECK_ID_TOKEN_SETTINGS(),
    )


def _accepted(secret: Secret, claims: Claims) -> IdentityToken:
    """Return a token as sigstore takes it. Raises `Denied` if it is for something else, or the clock is wrong."""
    from sigstore.oidc import IdentityError, IdentityToken

    try:
        return IdentityToken(secret.reveal(), AUDIENCE)
    except IdentityError:
        audience, now = claims.get("aud"), time.time()
        begins, ends = (claims.times.get(name, now) for name in ("iat", "exp"))
    if audience != AUDIENCE:
        raise _for_another(audience)
    if begins > now or ends <= now:
        off = f"{duration(begins - now)} behind" if begins > now else f"{duration(now - ends)} or more ahead of"
        raise Denied(
            f"the ID token is not valid now: this machine's clock is {off} the issuer's", next_step=advice.SET_CLOCK()
        )
    raise failure(Cause.NONSENSE, "the ID token lacks a claim that Sigstore needs (sub, iat, exp, iss)")
