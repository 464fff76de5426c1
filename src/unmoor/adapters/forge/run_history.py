"""The past of one GitHub repository, through its REST API: many reads at the same time, within a budget of requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta

from unmoor import advice
from unmoor.adapters.github.answers import NotFound, TransientError, malformed, refusal
from unmoor.adapters.github.author import GitHubUser
from unmoor.adapters.github.client import HEADERS
from unmoor.adapters.github.exchange import authorization, content, read
from unmoor.adapters.github.pace import ReadPace
from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.run_history import CEILING, PAGE, OutOfRequests, PastJob, PastPull, PastRelease, PastRun, RunPage
from unmoor.ports.world import ForgePlace
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit
from unmoor.util.text import clean, count_of

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession, Response

T = TypeVar("T")
_READ: Final = Retries(faults=(TransientError,), patience=90.0, waits=3)
_JOB_PAGES: Final = 40
# What a fetch leaves of the forge's limit to others that use the same token, and at most this part of it.
_RESERVE, _PART = 50, 20

_Id = Annotated[int, Meta(ge=0, le=2**53)]


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    id: _Id
    event: str
    status: str
    head_sha: str
    created_at: datetime
    run_attempt: Annotated[int, Meta(ge=1, le=10_000)] = 1
    path: str | None = None
    name: str | None = None
    head_branch: str | None = None
    conclusion: str | None = None
    run_started_at: datetime | None = None
    html_url: str = ""


class _Runs(msgspec.Struct, frozen=True, kw_only=True):
    total_count: _Id
    workflow_runs: tuple[_Run, ...]


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    id: _Id
    name: str
    head_sha: str
    status: str
    run_attempt: int = 1
    conclusion: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


class _Jobs(msgspec.Struct, frozen=True, kw_only=True):
    total_count: _Id
    jobs: tuple[_Job, ...]


class _Release(msgspec.Struct, frozen=True, kw_only=True):
    id: _Id
    tag_name: str
    draft: bool
    prerelease: bool
    published_at: datetime | None = None


class _Label(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    ref: str = ""


class _Pull(msgspec.Struct, frozen=True, kw_only=True):
    number: _Id
    title: str
    head: _Head
    created_at: datetime
    updated_at: datetime
    user: GitHubUser | None = None
    labels: tuple[_Label, ...] = ()
    closed_at: datetime | None = None
    merged_at: datetime | None = None


class GitHubRunHistory:
    """Implements `unmoor.ports.run_history.RunHistory`. ``budget`` is how many requests it may send.

    ``check`` raises `Interrupted` if the run is being stopped: a history is long, and nothing else in it waits.
    """

    def __init__(
        self,
        place: ForgePlace,
        http: BoundedSession,
        clock: Clock,
        *,
        budget: int,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._place = place
        self._http = http
        self._clock = clock
        self._token = place.login.secret
        self._pace = ReadPace(place.api, clock)
        self._root = f"/repos/{quote(place.repository)}"
        self._check = check
        self._left = budget
        self._sent = 0
        self._lock = threading.Lock()

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._sent

    def runs(self, page: int, *, since: datetime | None = None, until: datetime | None = None) -> RunPage:
        """A page of runs; see the port. A page with fewer runs than its own count promises is not complete."""
        query = {"per_page": str(PAGE), "page": str(page)}
        if since is not None and until is not None:
            query["created"] = f"{_time(since)}..{_time(until)}"
        path = f"{self._root}/actions/runs"

        def read() -> _Runs:
            return self._converted(f"{path}?{urlencode(query)}", _Runs, "a list of workflow runs")

        def lacks(found: _Runs) -> int:
            most = PAGE if found.total_count <= CEILING else 0  # it counts exactly, and shows all that it counts
            return min(most, found.total_count - PAGE * (page - 1)) - len(found.workflow_runs)

        found = self._complete(read, lacks, path)
        return RunPage(total=found.total_count, runs=tuple(self._run(each) for each in found.workflow_runs))

    def run(self, number: int, *, attempt: int | None = None) -> PastRun | None:
        """A run; see the port."""
        path = f"{self._root}/actions/runs/{number}" + ("" if attempt is None else f"/attempts/{attempt}")
        try:
            return self._run(self._converted(path, _Run, "a workflow run"))
        except NotFound:
            return None

    def jobs(self, run: int) -> tuple[PastJob, ...] | None:
        """The jobs of all attempts of a run; see the port."""
        path = f"{self._root}/actions/runs/{run}/jobs"
        found: dict[int, _Job] = {}
        for number in range(1, _JOB_PAGES + 1):
            query = urlencode({"filter": "all", "per_page": str(PAGE), "page": str(number)})

            def read(query: str = query) -> _Jobs:
                return self._converted(f"{path}?{query}", _Jobs, "a list of jobs")

            def lacks(page: _Jobs, seen: int = len(found)) -> int:
                return min(PAGE, page.total_count - seen) - len(page.jobs)

            try:
                page = self._complete(read, lacks, path)
            except NotFound:
                return None
            found |= {each.id: each for each in page.jobs}
            if len(found) >= page.total_count or not page.jobs:
                return tuple(self._job(each) for each in found.values())
        raise Unknown(
            f"the list of jobs did not end after {_JOB_PAGES} pages",
            where=self._where(path),
            next_step=advice.SHORTEN_LIST(what="jobs"),
        )

    def releases(self, page: int) -> tuple[tuple[PastRelease, ...], bool]:
        """A page of published releases; see the port."""
        items, more = self._page(f"{self._root}/releases", {}, page, tuple[_Release, ...], "a list of releases")
        found = tuple(
            PastRelease(id=each.id, tag=each.tag_name, published=_second(each.published_at), prerelease=each.prerelease)
            for each in items
            if not each.draft and each.published_at is not None
        )
        return found, more

    def pulls(self, page: int) -> tuple[tuple[PastPull, ...], bool]:
        """A page of pull requests; see the port."""
        query = {"state": "all", "sort": "updated", "direction": "desc"}
        what = "a list of pull requests"
        items, more = self._page(f"{self._root}/pulls", query, page, tuple[_Pull, ...], what)
        found = tuple(
            PastPull(
                number=each.number,
                title=each.title,
                author="" if each.user is None else each.user.login,
                branch=each.head.ref,
                labels=tuple(label.name for label in each.labels),
                created=_second(each.created_at),
                updated=_second(each.updated_at),
                closed=_maybe(each.closed_at),
                merged=_maybe(each.merged_at),
            )
            for each in items
        )
        return found, more

    def _run(self, raw: _Run) -> PastRun:
        return PastRun(
            id=raw.id,
            attempt=raw.run_attempt,
            workflow=(raw.path or "").partition("@")[0],
            name=raw.name or "",
            event=raw.event,
            branch=raw.head_branch or "",
            commit=self._commit(raw.head_sha),
            status=raw.status,
            conclusion=raw.conclusion or "",
            created=_second(raw.created_at),
            started=_maybe(raw.run_started_at),
            url=raw.html_url,
        )

    def _job(self, raw: _Job) -> PastJob:
        return PastJob(
            id=raw.id,
            attempt=raw.run_attempt,
            name=raw.name,
            commit=self._commit(raw.head_sha),
            conclusion=(raw.conclusion or "") if raw.status == "completed" else "",
            created=_maybe(raw.created_at),
            started=_maybe(raw.started_at),
            completed=_maybe(raw.completed_at),
        )

    def _commit(self, sha: str) -> str:
        if not is_commit(sha):
            raise malformed("a valid run or job: its head_sha is no commit id", self._where(self._root))
        return sha

    def _page(self, path: str, query: Mapping[str, str], page: int, kind: Any, what: str) -> tuple[Any, bool]:
        full = f"{path}?{urlencode({**query, 'per_page': str(PAGE), 'page': str(page)})}"
        answer = self._read(full)
        items = self._decoded(answer, kind, what, path)
        return items, len(items) >= PAGE or 'rel="next"' in answer.headers.get("Link", "")

    def _complete(self, read: Callable[[], T], lacks: Callable[[T], int], path: str) -> T:
        """Read a page, once more if it has fewer items than it counts. Raises `Unknown` if it still has."""
        page = read()
        if lacks(page) > 0:
            page = read()
        if (missing := lacks(page)) > 0:
            raise malformed(
                f"a complete page: {count_of(missing, 'item')} of those it counts are missing", self._where(path)
            )
        return page

    def _converted(self, path: str, kind: type[T], what: str) -> T:
        return self._decoded(self._read(path), kind, what, path)

    def _decoded(self, answer: Response, kind: type[T], what: str, path: str) -> T:
        """Decode an answer at once as what it is, since a history is long. Raises `Unknown`."""
        try:
            return decode_json(answer.body, kind)
        except ValueError as error:
            raise malformed(f"{what} ({clean(str(error), 200)})", self._where(path)) from None

    def _where(self, path: str) -> str:
        return without_query(self._place.api.rstrip("/") + path)

    def _read(self, path: str) -> Response:
        """GET a path. Each try counts."""
        return _READ.call(lambda: self._once(path), self._clock)

    def _once(self, path: str) -> Response:
        self._check()
        with self._lock:
            if self._left <= 0:
                raise OutOfRequests
            self._left -= 1
            self._sent += 1
        self._pace.wait()
        token = authorization(self._token) if self._token else None
        answer = read(self._http, self._place.api.rstrip("/") + path, headers=HEADERS, token=token)
        named = {name.lower(): value for name, value in answer.headers.items()}
        self._heed(named)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise refusal(
                answer.status,
                content(answer),
                named,
                where=self._where(path),
                token=self._token,
                rights=advice.ALLOW_READING_ACTIONS(),
            )
        return answer

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Lower the budget to what the forge still accepts, and leave some of that to others."""
        remaining, limit = (headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "limit"))
        if remaining.isascii() and remaining.isdecimal() and len(remaining) < 10:  # noqa: PLR2004 - digits of an int
            most = int(limit) if limit.isascii() and limit.isdecimal() and len(limit) < 10 else 0  # noqa: PLR2004
            reserve = min(_RESERVE, most // _PART)
            with self._lock:
                self._left = min(self._left, max(0, int(remaining) - reserve))


def _second(moment: datetime) -> datetime:
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


def _maybe(moment: datetime | None) -> datetime | None:
    return None if moment is None else _second(moment)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
