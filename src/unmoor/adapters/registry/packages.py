"""GHCR's other side: a repository of images is a package of the forge, and a digest a version of it.

GitHub's REST API, "packages". Only here can something be deleted: the registry itself answers 405.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

import msgspec

from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import without_query
from unmoor.adapters.registry.answers import with_patience
from unmoor.artifacts import oci
from unmoor.errors import Denied, Rejected, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.registry import PackageVersion
from unmoor.ports.world import ForgePlace
from unmoor.util.secret import Secret
from unmoor.util.text import clean

_OK, _NO_CONTENT = 200, 204
_UNAUTHORIZED, _FORBIDDEN, _ABSENT = 401, 403, 404
_PER_PAGE = 100
_PAGES = 200
_LIMIT = 10_000_000
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}

T = TypeVar("T")


class _Container(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    container: _Container = msgspec.field(default_factory=_Container)


class _Version(msgspec.Struct, frozen=True):
    id: int
    name: str
    created_at: str
    metadata: _Metadata
    download_count: int | None = None


class _Package(msgspec.Struct, frozen=True):
    name: str
    visibility: str


class _Message(msgspec.Struct, frozen=True):
    message: str = ""


@dataclass(frozen=True)
class ForgePackages:
    """`unmoor.ports.registry.Packages` over the forge's REST API. ``repository`` is ``owner/name`` on the registry."""

    place: ForgePlace
    repository: str
    http: BoundedSession
    clock: Clock | None = None
    _roots: list[str] = field(default_factory=list, init=False, compare=False, repr=False)

    def versions(self) -> tuple[PackageVersion, ...]:
        """Every version, newest first, page by page; a package that is not there has none."""
        found: list[PackageVersion] = []
        for page in range(1, _PAGES + 1):
            query = f"/versions?per_page={_PER_PAGE}&page={page}&state=active"
            answer = self._read(query)
            if answer is None:
                return ()
            rows = _decoded(answer, tuple[_Version, ...])
            found += [_version(row, answer) for row in rows]
            if len(rows) < _PER_PAGE:
                unique = {version.id: version for version in found}
                return tuple(sorted(unique.values(), key=lambda version: version.created, reverse=True))
        raise Unknown(
            f"the package has more than {_PAGES * _PER_PAGE} versions",
            where=self.repository,
            next_step="delete some of them by hand first",
        )

    def delete(self, version: PackageVersion) -> None:
        """Delete one version; one that is gone already is no trouble."""
        root = self._root()
        if root is None:
            return
        answer = self._send("DELETE", f"{root}/versions/{version.id}")
        if answer.status in {_NO_CONTENT, _OK, _ABSENT}:
            return
        raise Rejected(
            f"version {version.id} ({version.digest}) was not deleted: {_words(answer)}",
            where=self.repository,
            next_step="a version with more than 5,000 downloads stays; for all others the token needs delete:packages",
        )

    def is_public(self) -> bool | None:
        """Whether everybody may pull."""
        answer = self._read("")
        return None if answer is None else _decoded(answer, _Package).visibility == "public"

    def _read(self, path: str) -> Response | None:
        """Read below the package, ``None`` where there is none."""
        root = self._root()
        if root is None:
            return None
        answer = self._send("GET", root + path)
        if answer.status == _ABSENT:
            return None
        if answer.status != _OK:
            raise _unexpected_answer(answer)
        return answer

    def _root(self) -> str | None:
        """Where the package is: under an organisation or a user; the forge tells by 404. ``None``: under neither."""
        if not self._roots:
            owner, _, name = self.repository.partition("/")
            for kind in ("orgs", "users"):
                root = f"{self.place.api}/{kind}/{quote(owner)}/packages/container/{quote(name, safe='')}"
                answer = self._send("GET", root)
                if answer.status == _OK:
                    _decoded(answer, _Package)
                    self._roots.append(root)
                    break
                if answer.status != _ABSENT:
                    raise _unexpected_answer(answer)
        return self._roots[0] if self._roots else None

    def _send(self, method: str, url: str) -> Response:
        token = self.place.login.secret
        secrets = {"Authorization": Secret(f"Bearer {token.reveal()}")} if token else {}

        def once() -> Response:
            return self.http.send(method, url, headers=_HEADERS, secret_headers=secrets, limit=_LIMIT)

        answer = with_patience(once, self.clock, again=True)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise Denied(
                f"the forge does not let us {'delete' if method == 'DELETE' else 'see'} its packages: {_words(answer)}",
                where=without_query(url),
                next_step="use a token with read:packages, and with delete:packages and the role of an admin to delete",
            )
        return answer


def _decoded(answer: Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unexpected_answer(answer) from error


def _version(row: _Version, answer: Response) -> PackageVersion:
    tags = row.metadata.container.tags
    if not oci.is_digest(row.name) or not all(map(oci.is_tag, tags)):
        raise _unexpected_answer(answer)
    return PackageVersion(
        id=row.id, digest=row.name, tags=tags, created=clean(row.created_at, 40), downloads=row.download_count
    )


def _unexpected_answer(answer: Response) -> Unknown:
    return Unknown(
        f"the forge's answer about packages cannot be read: {_words(answer)}",
        where=without_query(answer.url),
        next_step="run the same command again; if that stays, look at the forge's status page",
    )


def _words(answer: Response) -> str:
    try:
        message = msgspec.json.decode(answer.body, type=_Message).message
    except (msgspec.MsgspecError, UnicodeDecodeError):
        message = ""
    return clean(f"{answer.status} {message or answer.reason}")
