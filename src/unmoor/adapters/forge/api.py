"""One voice to the forge's API: requests, paced and tried again within bounds, errors told as ours."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from unmoor.adapters.forge.answers import RateLimited, TransientError, refusal
from unmoor.adapters.forge.parse import malformed
from unmoor.adapters.forge.requester import requester
from unmoor.adapters.http.urls import is_loopback, without_query
from unmoor.errors import UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.world import ForgePlace
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from github.GitRelease import GitRelease
    from github.Repository import Repository
    from github.Requester import Requester

    from unmoor.adapters.http.session import BoundedSession

T = TypeVar("T")
# Three tries of a read; a rate limit is waited for only if it ends soon.
_PAUSES = (0.5, 2.0)
_PATIENCE = 90.0
# A write is worth more: what is there already was hard won. Seconds in all, and how often.
_LONG_PATIENCE = 900.0
_WAITS = 3
BURST = 20
HOURLY = 500
_HOUR = 3600.0


class Pace:
    """One write at a time: to a real forge 20 at once, then one a second, and 500 in an hour, as GitHub asks for."""

    def __init__(self, api: str, clock: Clock) -> None:
        self._free = is_loopback(api)
        self._clock = clock
        self._tokens = float(BURST)
        self._filled = clock.now()
        self._hour: deque[float] = deque(maxlen=HOURLY)
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and keep it."""
        with self._lock:
            if not self._free:
                self._take()
            yield

    def _take(self) -> None:
        """Take a token out of the bucket, which one a second falls into; wait until there is one."""
        self._fill()
        waits = [1.0 - self._tokens]
        if len(self._hour) == HOURLY:
            waits.append(self._hour[0] + _HOUR - self._clock.now())
        if (wait := max(waits)) > 0:
            self._clock.sleep(wait)
            self._fill()
        self._tokens -= 1.0
        self._hour.append(self._clock.now())

    def _fill(self) -> None:
        now = self._clock.now()
        self._tokens = min(float(BURST), self._tokens + now - self._filled)
        self._filled = now


class Api:
    """The API of one repository, with the token or without any credentials."""

    def __init__(
        self, place: ForgePlace, http: BoundedSession, clock: Clock, *, token: Secret | None, pace: Pace
    ) -> None:
        self.token = token or Secret("")
        self._place = place
        self._http = http
        self._clock = clock
        self._pace = pace
        self._lock = threading.Lock()

    @cached_property
    def _requester(self) -> Requester:
        return requester(self._place, self._http, token=self.token or None)

    @cached_property
    def _root(self) -> str:
        return f"/repos/{quote(self._place.repository)}"

    def where(self, path: str) -> str:
        """The address of a path under the repository, as it may be printed."""
        return without_query(self._place.api.rstrip("/") + self._root + path)

    def repository(self) -> Repository:
        """PyGithub's repository; nothing is read."""
        from github.Repository import Repository

        return Repository(self._requester, url=self._root)

    def release(self, number: int) -> GitRelease:
        """PyGithub's release of that id; nothing is read, no address of the server's is used."""
        from github.GitRelease import GitRelease

        return GitRelease(self._requester, url=f"{self._root}/releases/{number:d}")

    def read(self, path: str, *, wait: bool = True) -> tuple[dict[str, Any], Any]:
        """GET a path under the repository: the headers, names in lower case, and the JSON.

        Faults of the moment are read again, a short rate limit is waited for (unless ``wait`` is
        false). Raises `Absent` for 404, `Denied`, `Rejected`, `Unknown`.
        """
        for pause in (*_PAUSES, None):
            try:
                return self._limited(
                    lambda: self._translate_errors(lambda: self._alone(lambda: self._json("GET", path)), path),
                    patience=_PATIENCE if wait else -1.0,
                )
            except TransientError:
                if pause is None:
                    raise
                self._clock.sleep(pause)
        raise malformed("there", self.where(path))  # pragma: no cover - the loop returns or raises

    def write(self, path: str, call: Callable[[], T]) -> T:
        """Write through PyGithub once, in its turn; only what a rate limit turned away is sent again."""
        return self.send(path, lambda: self._alone(call))

    def send(self, path: str, call: Callable[[], T]) -> T:
        """Write in another way than through PyGithub, in its turn too."""

        def paced() -> T:
            with self._pace.turn():
                return self._translate_errors(call, path)

        return self._limited(paced, patience=_LONG_PATIENCE)

    def patch(self, path: str, fields: dict[str, Any]) -> Any:
        """PATCH only the fields given: the rest of the object is left as it is."""
        return self.write(path, lambda: self._json("PATCH", path, fields))[1]

    def delete(self, path: str) -> None:
        """DELETE a path under the repository."""
        self.write(path, lambda: self._json("DELETE", path))

    def ask(self, path: str, fields: dict[str, Any]) -> Any:
        """POST what changes nothing, and return the JSON."""
        return self._translate_errors(lambda: self._alone(lambda: self._json("POST", path, fields)), path)[1]

    def _json(self, verb: str, path: str, fields: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        return self._requester.requestJsonAndCheck(verb, self._root + path, input=fields)

    def _alone(self, call: Callable[[], T]) -> T:
        """Call PyGithub; its requester keeps a connection and times that threads must not share."""
        with self._lock:
            return call()

    def _limited(self, call: Callable[[], T], *, patience: float) -> T:
        """Call; wait for a rate limit to end as long as it says, if all such waits stay within the patience."""
        for _ in range(_WAITS):
            try:
                return call()
            except RateLimited as limit:
                patience -= limit.wait
                if patience < 0:
                    raise
                self._clock.sleep(limit.wait)
        return call()

    def _translate_errors(self, call: Callable[[], T], path: str) -> T:
        """Call, and tell whatever PyGithub raises as an error of ours."""
        from github.GithubException import BadAttributeException, GithubException

        where = self.where(path)
        try:
            return call()
        except UnmoorError:
            raise
        except GithubException as error:
            raise refusal(error.status, error.data, error.headers or {}, where=where, token=self.token) from None
        except (
            BadAttributeException,
            AssertionError,
            AttributeError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ):
            # PyGithub meets an answer of another shape with any of these; the text may quote the request.
            raise malformed("what the forge's API answers", where) from None
