"""Requests to GitHub's REST API: paced, retried within limits, page by page for lists, with unmoor's errors.

PyGithub makes every write that it has a call for. Everything else is sent as JSON (`unmoor.adapters.github.exchange`):

- reads, whose answers are converted strictly (`unmoor.adapters.github.answers.converted`): PyGithub turns an empty or
  an HTML answer into a release with an id of ``None`` and a page that is not a list into no releases, and its objects
  request missing fields by themselves;
- publishing, since ``update_release`` always sends name and body;
- assets, since PyGithub has no upload time-out and downloads to memory;
- packages and attestations, which it does not support.

Importing PyGithub takes 0.1 s and more, so the first write that needs it imports it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from unmoor import advice
from unmoor.adapters.github.answers import NotFound, TransientError, malformed, refusal
from unmoor.adapters.github.exchange import authorization, content, exchange, read
from unmoor.adapters.github.pace import Pace
from unmoor.adapters.github.requester import requester
from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.urls import without_query
from unmoor.advice import NextStep
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.world import ForgePlace
from unmoor.util.secret import Secret
from unmoor.util.values import replace

if TYPE_CHECKING:
    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset
    from github.Repository import Repository
    from github.Requester import Requester

    from unmoor.adapters.http.session import BoundedSession

T = TypeVar("T")
# Three tries for a read or a deletion. A read waits for a rate limit only if it ends soon.
_READ = Retries(faults=(TransientError,), patience=90.0, waits=3)
_READ_NOW = replace(_READ, waits=0)
# A write waits longer: a release that is partly done is worth it.
_DELETE = replace(_READ, patience=900.0, writes=True)
_WRITE = replace(_DELETE, faults=())
_PAGES = 200
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
"""Sent with every request."""


class GitHubClient:
    """GitHub's REST API, with a token or without credentials. Paths are relative to the API's address.

    ``rights`` is the next step after a 403. All clients of a run share one ``pace``.
    """

    def __init__(
        self,
        place: ForgePlace,
        http: BoundedSession,
        clock: Clock,
        *,
        token: Secret | None,
        pace: Pace,
        rights: NextStep,
    ) -> None:
        self.token = token or Secret("")
        self._place = place
        self._http = http
        self._clock = clock
        self._pace = pace
        self._rights = rights
        self._lock = threading.Lock()

    @cached_property
    def _requester(self) -> Requester:
        return requester(self._place, self._http, token=self.token or None)

    def address(self, path: str) -> str:
        """The address of a path."""
        return self._place.api.rstrip("/") + path

    def where(self, path: str) -> str:
        """The address of a path, safe to print."""
        return without_query(self.address(path))

    def repository(self, path: str) -> Repository:
        """PyGithub's repository at a path. Reads nothing."""
        from github.Repository import Repository

        return Repository(self._requester, url=path)

    def release(self, path: str) -> GitRelease:
        """PyGithub's release at a path. Reads nothing, and uses no address from the server."""
        from github.GitRelease import GitRelease

        return GitRelease(self._requester, url=path)

    def asset(self, path: str) -> GitReleaseAsset:
        """PyGithub's asset of a release at a path. Reads nothing."""
        from github.GitReleaseAsset import GitReleaseAsset

        return GitReleaseAsset(self._requester, url=path)

    def read(self, path: str, *, wait: bool = True) -> Any:
        """GET a path and return the JSON.

        Retries after temporary faults, and waits for a short rate limit unless ``wait`` is false. Raises `NotFound`
        for 404, `Denied`, `Rejected`, `Unknown`.
        """
        return self._read(path, wait=wait)[1]

    def listed(self, path: str, what: str, *, size: int) -> list[Any]:
        """Read a list in pages of ``size`` items. Raises as `read` does, and `Unknown` if it does not end."""
        return [item for _, page in self.pages(path, what, size=size) for item in page]

    def pages(self, path: str, what: str, *, size: int) -> Iterator[tuple[str, list[Any]]]:
        """Read a list page by page, each with the ``Date`` of its answer. Raises as `listed` does."""
        query = "&" if "?" in path else "?"
        for number in range(1, _PAGES + 1):
            headers, page = self._read(f"{path}{query}per_page={size}&page={number}")
            if not isinstance(page, list):
                raise malformed(f"a list of {what}", self.where(path))
            yield str(headers.get("date", "")), page
            if len(page) < size and 'rel="next"' not in str(headers.get("link", "")):
                return
        raise Unknown(
            f"the list of {what} did not end after {_PAGES} pages",
            where=self.where(path),
            next_step=advice.SHORTEN_LIST(what=what),
        )

    def write(self, path: str, call: Callable[[], T]) -> T:
        """Write through PyGithub once, in its turn. Retries only after a rate limit."""
        return self.send(lambda: self._through_pygithub(call, path))

    def send(self, call: Callable[[], T], *, deletes: bool = False) -> T:
        """Write in another way, in its turn too. A call that only ``deletes`` is retried after faults."""

        def paced() -> T:
            with self._pace.turn(deletes=deletes):
                return call()

        return (_DELETE if deletes else _WRITE).call(paced, self._clock)

    def patch(self, path: str, fields: dict[str, Any]) -> Any:
        """PATCH only the given fields; the rest of the object stays unchanged."""
        return self.send(lambda: self._json("PATCH", path, fields))[1]

    def post(self, path: str, fields: dict[str, Any]) -> Any:
        """POST an object that PyGithub has no call for, once, in its turn."""
        return self.send(lambda: self._json("POST", path, fields))[1]

    def put(self, path: str, fields: dict[str, Any]) -> Any:
        """PUT an object in the place of another one, once, in its turn."""
        return self.send(lambda: self._json("PUT", path, fields))[1]

    def delete(self, path: str, call: Callable[[], object] | None = None) -> bool:
        """Delete the object at a path, with PyGithub's call if given. Returns false if it is missing (or hidden).

        Retries after temporary faults. That is safe, since ids are never reused.
        """

        def once() -> object:
            return self._json("DELETE", path) if call is None else self._through_pygithub(call, path)

        try:
            self.send(once, deletes=True)
        except NotFound:
            return False
        return True

    def ask(self, path: str, fields: dict[str, Any]) -> Any:
        """POST a request that changes nothing, and return the JSON."""
        return self._json("POST", path, fields)[1]

    def refusal(self, status: int, data: Any, headers: Mapping[str, str], *, where: str) -> UnmoorError:
        """The error for a status of 400 and above; header names are in lower case."""
        return refusal(status, data, headers, where=where, token=self.token, rights=self._rights)

    def _read(self, path: str, *, wait: bool = True) -> tuple[dict[str, Any], Any]:
        """GET a path: the headers, names in lower case, and the JSON."""
        return (_READ if wait else _READ_NOW).call(lambda: self._json("GET", path), self._clock)

    def _json(self, verb: str, path: str, fields: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        """Send a request once: the headers of the answer, names in lower case, and its JSON."""
        token = authorization(self.token) if self.token else None
        with self._lock:
            if verb == "GET":
                answer = read(self._http, self.address(path), headers=HEADERS, token=token)
            else:
                import msgspec

                body = b"" if fields is None else msgspec.json.encode(fields)
                headers = HEADERS if fields is None else {**HEADERS, "Content-Type": "application/json"}
                answer = exchange(self._http, verb, self.address(path), body=body, headers=headers, token=token)
        named = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise self.refusal(answer.status, content(answer), named, where=self.where(path))
        return named, content(answer)

    def _through_pygithub(self, call: Callable[[], T], path: str) -> T:
        """Call PyGithub, and raise its exceptions as unmoor's errors."""
        from github.GithubException import BadAttributeException, GithubException

        where = self.where(path)
        try:
            with self._lock:  # threads must not share the state of its requester
                return call()
        except UnmoorError:
            raise
        except GithubException as error:
            raise self.refusal(error.status, error.data, error.headers or {}, where=where) from None
        except (
            BadAttributeException,
            AssertionError,
            AttributeError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ):
            # PyGithub raises any of these for an answer of the wrong shape. The text may quote the request.
            raise malformed("a valid answer of the forge's API", where) from None
