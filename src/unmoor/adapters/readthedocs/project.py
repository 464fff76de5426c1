"""One project of Read the Docs: its versions and builds, by https://docs.readthedocs.com/platform/stable/api/v3.html."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries, ServerBusy, is_busy, requested_wait, second_look, time_to_wait
from unmoor.errors import Cause, Refused, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.docs_service import HostedBuild, HostedVersion
from unmoor.ports.failure import failure
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit
from unmoor.util.secret import Secret
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession, Response

T = TypeVar("T")
_PUBLIC: Final = "https://readthedocs.org"
_LIMIT: Final = 2_000_000
_PAUSE: Final = 5.0
_READS: Final = Retries(patience=120.0)
# A build that was begun although the answer got lost is found by looking.
_WRITES: Final = Retries(pauses=(), patience=120.0, writes=True)
_PER_PAGE: Final = 20


class _Urls(msgspec.Struct, frozen=True, kw_only=True):
    documentation: str = ""
    build: str = ""


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    verbose_name: str = ""
    type: str = ""
    active: bool
    urls: _Urls = _Urls()


class _Versions(msgspec.Struct, frozen=True, kw_only=True):
    results: tuple[_Version, ...]


class _State(msgspec.Struct, frozen=True, kw_only=True):
    code: str


class _Build(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    state: _State
    success: bool | None = None
    commit: str | None = None
    error: str | None = None
    urls: _Urls = _Urls()


class _Builds(msgspec.Struct, frozen=True, kw_only=True):
    results: tuple[_Build, ...]


class _Triggered(msgspec.Struct, frozen=True, kw_only=True):
    build: _Build


class ReadTheDocs:
    """Implements `unmoor.ports.docs_service.DocsService`. ``address`` is empty for the public service."""

    def __init__(self, address: str, slug: str, token: Secret, http: BoundedSession, clock: Clock) -> None:
        self._root = f"{(address or _PUBLIC).rstrip('/')}/api/v3/projects/{quote(slug, safe='')}"
        self._token = token
        self._http = http
        self._clock = clock
        self.slug = slug

    @property
    def where(self) -> str:
        """The address of the project in the API."""
        return f"{self._root}/"

    def version(self, tag: str) -> HostedVersion | None:
        """The version that the service made of a tag."""
        page = self._read("versions/?" + urlencode({"verbose_name": tag, "limit": _PER_PAGE}), _Versions)
        found = next((each for each in page.results if each.verbose_name == tag and each.type in {"", "tag"}), None)
        if found is None:
            return None
        return HostedVersion(slug=found.slug, active=found.active, address=clean(found.urls.documentation))

    def builds(self, version: HostedVersion) -> tuple[HostedBuild, ...]:
        """The last builds of a version."""
        page = self._read(f"versions/{quote(version.slug, safe='')}/builds/?limit={_PER_PAGE}", _Builds)
        return tuple(_build(each) for each in page.results)

    def build(self, number: int) -> HostedBuild:
        """One build."""
        return _build(self._read(f"builds/{number}/", _Build))

    def synchronize(self) -> None:
        """Ask the service to look for new tags."""
        self._write("POST", "sync-versions/", (HTTPStatus.ACCEPTED,))

    def activate(self, version: HostedVersion) -> None:
        """Turn the builds of a version on."""
        path = f"versions/{quote(version.slug, safe='')}/"
        self._write("PATCH", path, (HTTPStatus.NO_CONTENT, HTTPStatus.OK), {"active": True})

    def trigger(self, version: HostedVersion) -> int:
        """Begin a build of a version."""
        answer = self._write("POST", f"versions/{quote(version.slug, safe='')}/builds/", (HTTPStatus.ACCEPTED,))
        return _decoded(answer, _Triggered).build.id

    def _read(self, path: str, kind: type[T]) -> T:
        url = f"{self._root}/{path}"

        def once() -> T:
            answer = self._http.get(url, headers=_HEADERS, secret_headers=self._login(), limit=_LIMIT)
            return _decoded(self._checked(answer, (HTTPStatus.OK,), writes=False), kind)

        return second_look(lambda: _READS.call(once, self._clock))

    def _write(
        self, method: str, path: str, fine: tuple[HTTPStatus, ...], body: dict[str, object] | None = None
    ) -> Response:
        url = f"{self._root}/{path}"
        data = msgspec.json.encode(body or {})

        def once() -> Response:
            answer = self._http.send(
                method,
                url,
                body=data,
                headers={**_HEADERS, "Content-Type": "application/json"},
                secret_headers=self._login(),
                limit=_LIMIT,
                deadline=60.0,
            )
            return self._checked(answer, fine, writes=True)

        return _WRITES.call(once, self._clock)

    def _login(self) -> dict[str, Secret]:
        return {"Authorization": Secret(f"Token {self._token.reveal()}")} if self._token else {}

    def _checked(self, answer: Response, fine: tuple[HTTPStatus, ...], *, writes: bool) -> Response:
        """Return an answer with one of these statuses. Raises the error for any other."""
        if answer.status in fine:
            return answer
        asked = requested_wait(answer.headers)
        what = f"Read the Docs answered {answer.status}{_detail(answer)}"
        if is_busy(answer.status, asked):
            raise ServerBusy(what, where=self.where, wait=time_to_wait(asked, default=_PAUSE))
        raise self._error(answer.status, what, writes=writes)

    def _error(self, status: int, what: str, *, writes: bool) -> UnmoorError:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return failure(Cause.DENIED, what, where=self.where, next_step=advice.GIVE_READTHEDOCS_TOKEN())
        if status == HTTPStatus.NOT_FOUND:
            return Refused(
                f"Read the Docs has no project {clean(self.slug)}, or this token does not see it",
                where=self.where,
                next_step=advice.CONNECT_READTHEDOCS(),
                retryable=True,
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return failure(Cause.LOST, what, where=self.where)
        if writes:
            return failure(Cause.REFUSED, what, where=self.where, writes=True)
        return failure(Cause.NONSENSE, what, where=self.where)


_HEADERS: Final = {"Accept": "application/json"}


def _build(found: _Build) -> HostedBuild:
    commit = found.commit or ""
    return HostedBuild(
        id=found.id,
        finished=found.state.code in {"finished", "cancelled"},
        success=found.state.code == "finished" and found.success is True,
        commit=commit if is_commit(commit) else "",
        error=clean(found.error or "", 500),
        address=clean(found.urls.build),
    )


def _detail(answer: Response) -> str:
    """What the service says about a refusal, in one line."""
    try:
        said = decode_json(answer.body, dict[str, object])
    except ValueError:
        return ""
    text = said.get("detail")
    return f": {clean(text, 200)}" if isinstance(text, str) else ""


def _decoded(answer: Response, kind: type[T]) -> T:
    """Read an answer. Raises `Unknown` for a page, a broken or another document."""
    try:
        return decode_json(answer.body, kind)
    except ValueError as error:
        found = failure(
            Cause.NONSENSE, f"the answer is not what Read the Docs sends: {clean(str(error))}", where=answer.url
        )
        assert isinstance(found, Unknown)  # noqa: S101 - what `ports.failure` gives for this cause
        raise found from error
