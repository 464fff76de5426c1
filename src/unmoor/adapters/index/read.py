"""Read an index: which answers count, which are retried, and which mean that it has nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import msgspec
from mousebender import simple
from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries, ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.adapters.index import pages
from unmoor.adapters.index.answers import error_message
from unmoor.adapters.index.pages import (
    SimplePage,
    json_links,
    json_page,
    listed_files,
    not_an_index_page,
    version_of,
)
from unmoor.errors import Cause, Denied, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.ports.index import AttestedBy, Holding, ListedFile, ProjectStatus
from unmoor.ports.poll import time_left
from unmoor.ports.world import IndexPlace
from unmoor.util.text import clean

T = TypeVar("T")
PROVENANCE = "application/vnd.pypi.integrity.v1+json"
"""The media type of a file's attestations, as PyPI's integrity API has it."""
# The page of a project with thousands of files has tens of megabytes.
_LARGEST = 100_000_000
_READING = Retries(within=20.0, patience=60.0)
# Seconds that a read may take at least, however little time is left.
_SHORTEST = 1.0
# Seconds to wait for a busy index that does not say how long.
_DEFAULT = 5.0


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Reads one index without credentials, or with the login if it asks for one and also takes the uploads."""

    place: IndexPlace
    http: BoundedSession
    clock: Clock | None

    def status(self, project: str) -> ProjectStatus | None:
        """The status of a project in the simple index, ``None`` if it is not there."""
        page = self.simple_page(project)
        return page.status if page else None

    def versions(self, project: str) -> dict[Version, bool]:
        """Every version in the simple index, and whether all of its files are yanked."""
        page = self.simple_page(project)
        found: dict[Version, bool] = {}
        for entry in page.files if page else ():
            version = version_of(entry.filename, project)
            if version is not None:
                # PEP 592: an empty reason in HTML is a yank, too. mousebender gives it as an empty string.
                found[version] = found.get(version, True) and entry.yanked is not False
        return found

    def holding(self, project: str, version: str) -> Holding:
        """Read both APIs."""
        return Holding(simple=self._installers(project, version), json=self._api(project, version))

    def links(self, project: str, version: str) -> Mapping[str, str]:
        """The addresses in the metadata of a version."""
        return self._version_page(project, version, lambda answer: json_links(answer, project, version)) or {}

    def provenance(self, listed: ListedFile) -> tuple[AttestedBy, ...]:
        """Read the attestations of a file, as bundles; none if the simple index names none."""
        if not listed.provenance:
            return ()
        address = resolve_link(self.place.simple, listed.provenance)

        def bundles(answer: Response) -> tuple[AttestedBy, ...]:
            from unmoor.adapters.sigstore.attestations import read_provenance

            return read_provenance(answer.body)

        found = self._read(address, PROVENANCE, bundles)
        if found is None:
            what = f"{self.place.name} names attestations of {clean(listed.name)}, and does not have them"
            step = advice.CHECK_STATUS_PAGE(whose="index")
            raise failure(Cause.NONSENSE, what, where=without_query(address), otherwise=step)
        return found

    def _installers(self, project: str, version: str) -> dict[str, ListedFile]:
        page = self.simple_page(project)
        return dict(listed_files(page.answer, page.files, project, version)) if page else {}

    def _api(self, project: str, version: str) -> dict[str, ListedFile] | None:
        if not self.place.json:
            return None

        def files(answer: Response) -> dict[str, ListedFile]:
            return dict(listed_files(answer, json_page(answer, project, version), project, version))

        return self._version_page(project, version, files) or {}

    def _version_page(self, project: str, version: str, parse: Callable[[Response], T]) -> T | None:
        if not self.place.json:
            return None
        root = self.place.json.rstrip("/")
        url = f"{root}/{canonicalize_name(project)}/{quote(version, safe='')}/json"
        return self._read(url, "application/json", parse)

    def simple_page(self, project: str) -> SimplePage | None:
        """Read a page of the simple index: as JSON if the index has that, since its HTML form is frozen (PEP 833)."""
        # mousebender's list gives JSON the highest quality, so an index that has both sends JSON.
        url = simple.create_project_url(self.place.simple, project)
        return self._read(url, simple.ACCEPT_SUPPORTED, lambda answer: pages.simple_page(answer, project))

    def _read(self, url: str, accept: str, parse: Callable[[Response], T]) -> T | None:
        """Read a page, ``None`` for 404. Retries twice if the answer is inconclusive, or not a page of the index.

        Waits for a busy index, at most a minute.
        """

        def once() -> T | None:
            answer = self._checked(self._once(url, accept))
            return None if answer is None else parse(answer)

        return _READING.call(once, self.clock)

    def _once(self, url: str, accept: str) -> Response:
        headers = {"Accept": accept, "Cache-Control": "no-cache", "Pragma": "no-cache"}
        # An index that never answers must not outlast the wait around this read either.
        left = math.inf if self.clock is None else max(time_left(self.clock), _SHORTEST)
        deadline = min(self.http.bounds.total, left)
        answer = self.http.get(url, headers=headers, limit=_LARGEST, deadline=deadline)
        # A private index asks everyone for a login. It may get the one for uploads.
        may_have_login = bool(self.place.login.secret) and origin(url) == origin(self.place.upload)
        if answer.status == HTTPStatus.UNAUTHORIZED and may_have_login:
            return self.http.get(url, headers=headers, limit=_LARGEST, login=self.place.login, deadline=deadline)
        return answer

    def _checked(self, answer: Response) -> Response | None:
        match answer.status:
            case HTTPStatus.OK if answer.body:
                return answer
            case HTTPStatus.OK:
                raise not_an_index_page(answer, "an empty body")
            case HTTPStatus.NOT_FOUND:
                return None
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                raise Denied(
                    f"{self.place.name} denies read access ({answer.status}): {error_message(answer)}",
                    where=without_query(answer.url),
                    next_step=advice.CHECK_CREDENTIAL(origin=self.place.login.origin),
                )
            case _:
                raise self._unexpected_answer(answer)

    def _unexpected_answer(self, answer: Response) -> UnmoorError:
        what, where = f"{self.place.name} answered {answer.status}: {error_message(answer)}", without_query(answer.url)
        asked = requested_wait(answer.headers)
        if is_busy(answer.status, asked):
            return ServerBusy(what, where=where, wait=time_to_wait(asked, default=_DEFAULT))
        return failure(
            Cause.LOST, what, where=where, wait=asked or 0.0, otherwise=advice.CHECK_STATUS_PAGE(whose="index")
        )
