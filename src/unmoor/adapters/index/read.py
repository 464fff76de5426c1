"""Reading an index: which answers are believed, which are asked for again, which mean that there is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from mousebender import simple
from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor.adapters.http.retry_after import Retries
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, without_query
from unmoor.adapters.index.answers import words
from unmoor.adapters.index.pages import json_page, listed, no_page, simple_page, version_of
from unmoor.errors import Denied, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.index import Holding, ListedFile
from unmoor.ports.world import IndexPlace

# The page of a project with thousands of files has some tens of megabytes.
_LARGEST = 100_000_000
# A busy index is asked again as soon as a broken one: what waits for a page asks more than once anyway.
_READING = Retries(within=20.0)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads one index. Without credentials; with the login only if the index that takes our uploads asks for it."""

    place: IndexPlace
    http: BoundedSession
    clock: Clock | None

    def knows(self, project: str) -> bool:
        """Whether the simple index has the project."""
        answer = self._simple(project)
        return answer is not None and simple_page(answer, project) is not None

    def versions(self, project: str) -> dict[Version, bool]:
        """Every version of a file of the simple index, and whether all files of it are yanked."""
        answer = self._simple(project)
        found: dict[Version, bool] = {}
        for entry in () if answer is None else simple_page(answer, project):
            version = version_of(entry.filename, project)
            if version is not None:
                # PEP 592: an empty reason in HTML is a yank, too, and mousebender gives it as an empty text.
                found[version] = found.get(version, True) and entry.yanked is not False
        return found

    def holding(self, project: str, version: str) -> Holding:
        """Read both voices."""
        return Holding(simple=self._installers(project, version), json=self._api(project, version))

    def _installers(self, project: str, version: str) -> dict[str, ListedFile]:
        answer = self._simple(project)
        return {} if answer is None else dict(listed(answer, simple_page(answer, project), project, version))

    def _api(self, project: str, version: str) -> dict[str, ListedFile] | None:
        if not self.place.json:
            return None
        root = self.place.json.rstrip("/")
        answer = self._read(f"{root}/{canonicalize_name(project)}/{quote(version, safe='')}/json", "application/json")
        return {} if answer is None else dict(listed(answer, json_page(answer, project, version), project, version))

    def _simple(self, project: str) -> Response | None:
        return self._read(simple.create_project_url(self.place.simple, project), simple.ACCEPT_SUPPORTED)

    def _read(self, url: str, accept: str) -> Response | None:
        """Read a page, ``None`` for 404. What tells nothing about it is asked again, twice, soon."""
        return _READING.call(lambda: self._judged(self._once(url, accept)), self.clock)

    def _once(self, url: str, accept: str) -> Response:
        headers = {"Accept": accept, "Cache-Control": "no-cache", "Pragma": "no-cache"}
        answer = self.http.get(url, headers=headers, limit=_LARGEST)
        # A private index asks everyone for a login; it may have the one it takes uploads with.
        ours = bool(self.place.login.secret) and origin(url) == origin(self.place.upload)
        if answer.status == HTTPStatus.UNAUTHORIZED and ours:
            return self.http.get(url, headers=headers, limit=_LARGEST, login=self.place.login)
        return answer

    def _judged(self, answer: Response) -> Response | None:
        match answer.status:
            case HTTPStatus.OK if answer.body:
                return answer
            case HTTPStatus.OK:
                raise no_page(answer, "an empty body")
            case HTTPStatus.NOT_FOUND:
                return None
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                raise Denied(
                    f"{self.place.name} does not let us read it ({answer.status}): {words(answer)}",
                    where=without_query(answer.url),
                    next_step=f"look at the rights of the credential ({self.place.login.origin})",
                )
            case _:
                raise self._unexpected_answer(answer)

    def _unexpected_answer(self, answer: Response) -> Unknown:
        return Unknown(
            f"{self.place.name} answered {answer.status}: {words(answer)}",
            where=without_query(answer.url),
            otherwise="look at the index's status page",
        )
