"""Trusted publishing to one index: whether it is chosen, who we are, and a token that is always fresh."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index.trusted.ambient import Ambient, ambient, id_token
from unmoor.errors import Denied
from unmoor.ports.clock import Clock
from unmoor.ports.index import Credential, LoginProbe, Proved
from unmoor.ports.world import IndexPlace, Login, Trusted
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.adapters.index.trusted.claims import Claims

_USERNAME = "__token__"
# A mint that was not answered is tried again, each time with a new ID token.
_MINTING = Retries(pauses=(1.0, 4.0))
# A token that cannot be had again is used to its end, but for these seconds.
_LIFE = 870.0


@dataclass
class _Held:
    """The token in use, and the seconds of our clock when it was asked for."""

    login: Login
    begun: float
    kept: float


@dataclass(kw_only=True)
class TrustedPublishing:
    """One index, one job. Safe to share between threads: one of them mints, the others wait for it."""

    place: IndexPlace
    http: BoundedSession
    clock: Clock
    environ: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: _Held | None = field(default=None, repr=False)
    _spent: set[Secret] = field(default_factory=set, repr=False)

    def credential(self) -> Credential:
        """What there is for uploads, stored or to be minted, by the index's policy. Asks nobody.

        Raises `Denied` where trusted publishing is demanded, and a stored credential is there too, or the
        CI gives no ID token.
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
                self._demanded(around)
        name = around.name if around else "this machine"
        return Credential(present=True, origin=f"trusted publishing ({name})", minted=True)

    def _demanded(self, around: Ambient | None) -> None:
        login = self.place.login
        if login.secret:
            raise Denied(
                f'trusted-publishing = "always", and there is another credential too, from {login.origin}',
                where=self.place.name,
                next_step='take that one away, or use it: set trusted-publishing = "auto" or "never"',
            )
        if around is not None and around.lacking:
            raise Denied(
                f'trusted-publishing = "always", and {around.lacking}', where=self.place.name, next_step=around.remedy
            )

    def prove(self, upto: LoginProbe) -> Proved:
        """Go as far as may be: read the variables, ask who we are, mint. Raises `Denied`, `Unknown`."""
        origin = self.credential().origin
        if upto is LoginProbe.READING:
            return Proved(taken=False, detail=f"{origin}; no token was asked for")
        around = ambient(self.environ)
        if upto is LoginProbe.MINTING and (around is None or around.renews):
            return Proved(taken=True, detail=f"{self.login().origin}: a token was minted")
        _, claims = self._identity()
        once = "; the CI gives one ID token a job, kept for the upload" if around and not around.renews else ""
        return Proved(taken=False, detail=f"{origin}, as {claims.brief()}{once}")

    def login(self) -> Login:
        """A token that is good for minutes to come: the last one, or a new one. Raises `Denied`, `Unknown`."""
        with self._lock:
            held = self._held
            age = self.clock.now() - held.begun if held else 0.0
            if held and age < held.kept:
                return held.login
            try:
                self._held = _MINTING.call(self._exchanged, self.clock)
            except _SpentError:
                if held and age < _LIFE:
                    return held.login
                raise
            return self._held.login

    def _exchanged(self) -> _Held:
        """One exchange, with an ID token that was in none before."""
        from unmoor.adapters.index.trusted.exchange import mint

        begun = self.clock.now()
        token, claims = self._identity()
        if token in self._spent:
            raise _SpentError(
                "the CI gives this job one ID token only, and an index takes each only once",
                where=self.place.name,
                next_step="start the job again: it goes on where this one stopped, with an ID token of its own",
            )
        self._spent.add(token)
        minted = mint(self.place, self.http, token, claims)
        origin = f"trusted publishing, as {claims.brief()}"
        login = Login(username=_USERNAME, secret=minted.token, origin=origin)
        return _Held(login=login, begun=begun, kept=minted.kept)

    def _identity(self) -> tuple[Secret, Claims]:
        """A fresh ID token for this index, and what it says. Raises `Denied` in a reusable workflow."""
        from unmoor.adapters.index.trusted.claims import Claims
        from unmoor.adapters.index.trusted.exchange import audience

        token = id_token(audience(self.place, self.http), self.environ)
        claims = Claims.of(token)
        claims.refuse_reusable(self.place.name)
        return token, claims


class _SpentError(Denied):
    """There is no other ID token to be had."""
