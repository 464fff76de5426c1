"""Trusted publishing to one index: whether it applies, the identity of the job, and a token that is always fresh."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries, ServerBusy
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.identity.ambient import Ambient, ambient, id_token
from unmoor.errors import Denied
from unmoor.ports.clock import Clock
from unmoor.ports.index import Credential, LoginProbe, Proved
from unmoor.ports.world import IndexPlace, Login, Trusted
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.adapters.identity.claims import Claims

_USERNAME = "__token__"
# Retry a mint without an answer, each time with a new ID token.
_MINTING = Retries(pauses=(1.0, 4.0), patience=60.0, writes=True)
# Seconds to use a token that cannot be replaced: almost to its end.
_LIFE = 870.0


@dataclass
class _Held:
    """The token in use: when it was requested, by the clock, and for how many seconds to use it."""

    login: Login
    begun: float
    lifetime: float


@dataclass(kw_only=True)
class TrustedPublishing:
    """Trusted publishing of this job to one index. Safe to share between threads: one mints, the others wait."""

    place: IndexPlace
    http: BoundedSession
    clock: Clock
    environ: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: _Held | None = field(default=None, repr=False)
    _spent: set[Secret] = field(default_factory=set, repr=False)

    def credential(self) -> Credential:
        """The credential for uploads, stored or to be minted, by the index's policy. Sends nothing.

        Raises `Denied` if trusted publishing is required and there is also a stored credential, or the CI gives no ID
        token.
        """
        login, around = self.place.login, ambient(self.environ)
        stored = Credential(present=bool(login.secret), origin=login.origin)
        match self.place.trusted:
            case Trusted.NEVER:
                return stored
            case Trusted.AUTO:
                if stored.present or around is None:
                    return stored
                if around.lacking:
                    origin = f"{login.origin}; and no trusted publishing: {around.lacking}"
                    return Credential(present=False, origin=origin, remedy=around.remedy)
            case Trusted.ALWAYS:
                self._require(around)
        name = around.name if around else "this machine"
        return Credential(present=True, origin=f"trusted publishing ({name})", minted=True)

    def _require(self, around: Ambient | None) -> None:
        login = self.place.login
        if login.secret:
            raise Denied(
                f'trusted-publishing = "always", but there is also another credential, from {login.origin}',
                where=self.place.name,
                next_step=advice.KEEP_ONE_CREDENTIAL(),
            )
        if around is not None and around.lacking:
            raise Denied(
                f'trusted-publishing = "always", but {around.lacking}', where=self.place.name, next_step=around.remedy
            )

    def prove(self, upto: LoginProbe) -> Proved:
        """Read the variables, get an ID token, mint: as far as ``upto`` allows. Raises `Denied`, `Unknown`."""
        origin = self.credential().origin
        if upto is LoginProbe.READING:
            return Proved(taken=False, detail=f"{origin}; no token requested")
        around = ambient(self.environ)
        if upto is LoginProbe.MINTING and (around is None or around.renews):
            # Whatever the claims made doubtful, the index has decided now.
            return Proved(taken=True, detail=f"{self.login().origin}: minted a token")
        _, claims = self._identity()
        once = "; the CI gives one ID token per job, saved for the upload" if around and not around.renews else ""
        return Proved(taken=False, detail=f"{origin}, as {claims.brief()}{once}", warning=claims.doubt)

    def login(self) -> Login:
        """A token that stays valid for some minutes: the current one, or a new one. Raises `Denied`, `Unknown`."""
        with self._lock:
            held = self._held
            age = self.clock.now() - held.begun if held else 0.0
            if held and age < held.lifetime:
                return held.login
            try:
                self._held = _MINTING.call(self._exchanged, self.clock)
            except _SpentError:
                if held and age < _LIFE:
                    return held.login
                raise
            return self._held.login

    def _exchanged(self) -> _Held:
        """Do one exchange, with an ID token that was not used before."""
        from unmoor.adapters.index.trusted.exchange import mint

        begun = self.clock.now()
        token, claims = self._identity()
        if token in self._spent:
            raise _SpentError(
                "the CI gives this job only one ID token, and an index accepts each only once",
                where=self.place.name,
                next_step=advice.START_ANOTHER_JOB(),
            )
        self._spent.add(token)
        try:
            minted = mint(self.place, self.http, token, claims)
        except ServerBusy:
            self._spent.discard(token)  # the index has not looked at it
            raise
        origin = f"trusted publishing, as {claims.brief()}"
        login = Login(username=_USERNAME, secret=minted.token, origin=origin)
        return _Held(login=login, begun=begun, lifetime=minted.lifetime)

    def _identity(self) -> tuple[Secret, Claims]:
        """A fresh ID token for this index, and its claims."""
        from unmoor.adapters.identity.claims import Claims
        from unmoor.adapters.index.trusted.exchange import audience

        token = id_token(audience(self.place, self.http), self.environ)
        return token, Claims.of(token)


class _SpentError(Denied):
    """No further ID token is available."""
