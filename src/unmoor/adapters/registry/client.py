"""One repository on one registry, over HTTP (OCI distribution specification 1.1).

Uses the project's own HTTP session. The registry clients for Python either serialize manifests again, which changes
their digests, or retry a wrong password for minutes, or match credentials by the prefix of a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import second_look
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import without_query
from unmoor.adapters.registry.answers import is_absent, refusal, unexpected_answer
from unmoor.adapters.registry.referrers import ReferrerLists
from unmoor.adapters.registry.requests import RegistryRequests, RequestForbidden
from unmoor.artifacts import oci
from unmoor.errors import Cause, Conflict, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.ports.index import Credential
from unmoor.ports.poll import tries
from unmoor.ports.registry import OciManifest, Referrer
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

_HUB_ADDRESS = "https://registry-1.docker.io"
_PAGE_LIMIT = 1000
_PER_PAGE = 100
# Seconds to wait before each attempt to put a manifest. Between two attempts, the client reads the tag.
_PAUSES = (0.0, 1.0, 4.0)


class _Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class OciRegistry:
    """Implements `unmoor.ports.registry.Registry`. Without a clock, nothing is retried.

    ``settings`` is the address of the package's settings, if it is not the usual one of the registry's host.
    """

    place: RegistryPlace
    repository: str
    http: BoundedSession
    clock: Clock | None = None
    settings: str = ""
    _requests: RegistryRequests = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        name = oci.ImageName.parse(f"{self.place.host}/{self.repository}")
        plain = f"https://{oci.DOCKER_HUB}"
        address = _HUB_ADDRESS if self.place.address.rstrip("/") == plain else self.place.address.rstrip("/")
        place = replace(self.place, host=name.host, address=address)
        object.__setattr__(self, "place", place)
        object.__setattr__(self, "repository", name.repository)
        object.__setattr__(
            self, "_requests", RegistryRequests(place, name.repository, self.http, self.clock, self.page)
        )

    @property
    def name(self) -> str:
        """The name as users write it."""
        return f"{self.place.host}/{self.repository}"

    @property
    def address(self) -> str:
        """The name for the engine. It accepts Docker Hub only under its usual name."""
        host = oci.DOCKER_HUB if self.place.address == _HUB_ADDRESS else urlsplit(self.place.address).netloc
        return f"{host}/{self.repository}"

    @property
    def page(self) -> str:
        """The address of the package's settings."""
        owner, _, package = self.repository.partition("/")
        if self.settings:
            return self.settings
        if self.place.host == "ghcr.io":
            # For an organisation it is under /orgs/ instead. The registry does not say which the owner is.
            return f"https://github.com/users/{owner}/packages/container/{quote(package, safe='')}/settings"
        if self.place.host == oci.DOCKER_HUB:
            return f"https://hub.docker.com/repository/docker/{self.repository}"
        return f"{self.place.address}/{self.repository}"

    @property
    def login(self) -> Login:
        """The login, for an engine."""
        return self.place.login

    def credential(self) -> Credential:
        """Whether there is a login, and its origin."""
        return Credential(present=bool(self.place.login.secret), origin=self.place.login.origin)

    def head(self, reference: str) -> str | None:
        """Return the digest of a tag or digest, ``None`` if it is absent."""
        try:
            answer = self._requests.ask("HEAD", f"manifests/{_checked(reference)}", headers={"Accept": oci.ACCEPT})
        except RequestForbidden:
            # An answer to HEAD has no body. The one to GET says why.
            manifest = self.manifest(reference)
            return manifest.digest if manifest else None
        reported = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == HTTPStatus.OK and oci.is_digest(reported):
            self._check_digest(reference, reported, answer)
            return reported
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return None
        # There is no digest, or the answer may come from another server. The body decides.
        manifest = self.manifest(reference)
        return manifest.digest if manifest else None

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """Read a manifest, ``None`` if it is absent. Raises `Conflict` if its digest is wrong, twice."""
        return second_look(lambda: self._manifest(reference, anonymous=anonymous))

    def _manifest(self, reference: str, *, anonymous: bool) -> OciManifest | None:
        answer = self._requests.ask(
            "GET", f"manifests/{_checked(reference)}", headers={"Accept": oci.ACCEPT}, anonymous=anonymous
        )
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return None
        self._check_status(answer, HTTPStatus.OK)
        digest = oci.digest_of(answer.body)
        self._check_digest(reference, digest, answer)
        reported = answer.headers.get("Docker-Content-Digest", digest)
        if reported != digest:
            raise Conflict(
                f"the registry reports the digest {clean(reported, 80)}, but the manifest's digest is {digest}",
                where=f"{self.name}, {clean(reference)}",
                next_step=advice.ASK_REGISTRY_OPERATOR(),
            )
        kind = answer.content_type
        oci.read_manifest(answer.body, kind, where=without_query(answer.url))
        return OciManifest(data=answer.body, digest=digest, media_type=kind)

    def blob(self, digest: str) -> bytes:
        """Read a small blob. Follows a redirect to the registry's storage, without credentials."""
        return second_look(lambda: self._blob(digest))

    def _blob(self, digest: str) -> bytes:
        answer = self._requests.ask("GET", f"blobs/{_checked(digest)}")
        self._check_status(answer, HTTPStatus.OK)
        self._check_digest(digest, oci.digest_of(answer.body), answer)
        return answer.body

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Put exactly these bytes under a tag. If the answer is lost, reads the tag before it tries again."""
        failure: UnmoorError | None = None
        for _ in tries(_PAUSES, self.clock):
            try:
                return self._put(tag, manifest)
            except (Unknown, Rejected, Denied) as error:
                failure = error
            if self.head(tag) == manifest.digest:
                return manifest.digest
            if not isinstance(failure, Unknown):
                break
        assert failure is not None  # noqa: S101 - the loop ran at least once, without success
        raise failure

    def _put(self, tag: str, manifest: OciManifest) -> str:
        headers = {"Content-Type": manifest.media_type}
        answer = self._requests.ask("PUT", f"manifests/{_checked(tag)}", body=manifest.data, headers=headers, push=True)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise self._refusal(answer, f"could not put {clean(tag)}")
        return self._read_back(tag, manifest)

    def tags(self) -> tuple[str, ...]:
        """Read every tag, page by page."""
        found: list[str] = []
        path = f"tags/list?n={_PER_PAGE}"
        for _ in range(_PAGE_LIMIT):
            page = second_look(partial(self._page_of_tags, path))
            if page is None:
                return ()
            tags, path = page
            found += tags
            if not path:
                return tuple(dict.fromkeys(found))
        raise Unknown(
            f"the list of tags has more than {_PAGE_LIMIT} pages",
            where=self.name,
            next_step=advice.CHECK_WHAT_REGISTRY_SERVES(),
            retryable=False,
        )

    def _page_of_tags(self, path: str) -> tuple[tuple[str, ...], str] | None:
        """Read one page: its tags, and the address of the next one. ``None`` if the repository does not exist."""
        answer = self._requests.ask("GET", path)
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return None
        self._check_status(answer, HTTPStatus.OK)
        return _tags(answer), self._requests.next_page(answer, "tags")

    def referrers(self, digest: str) -> tuple[Referrer, ...]:
        """List what is about a digest."""
        return self._referrers.listed(_checked(digest))

    def put_referrer(self, manifest: OciManifest, blobs: Sequence[bytes]) -> Referrer:
        """Put a manifest with a subject, and have its subject list it."""
        return self._referrers.put(manifest, blobs)

    def put_blob(self, data: bytes) -> None:
        """Upload a small blob unless it is there. Raises `Rejected`, `Denied`, `Unknown`."""
        self._referrers.put_blob(data)

    @property
    def _referrers(self) -> ReferrerLists:
        return ReferrerLists(
            requests=self._requests, name=self.name, page=self.page, clock=self.clock, read=self.manifest
        )

    def may_push(self) -> bool:
        """Start an upload and abandon it. ``False`` without a login. Raises `Denied`, `Rejected`."""
        if not self.place.login.secret:
            return False
        second_look(self._probe)
        return True

    def _probe(self) -> None:
        answer = self._requests.ask("POST", "blobs/uploads/", push=True)
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise self._refusal(answer, "could not start an upload")

    def delete(self, digest: str) -> None:
        """Delete a manifest by digest."""
        answer = self._requests.ask("DELETE", f"manifests/{_checked(digest)}", scope="delete")
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return
        if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}:
            raise self._refusal(answer, f"could not delete {clean(digest, 80)}")
        if self.head(digest) is not None:
            raise Unknown(f"{digest} was deleted but is still there", where=self.name)

    def _check_status(self, answer: Response, status: int) -> None:
        if answer.status != status:
            raise unexpected_answer(answer)

    def _check_digest(self, reference: str, digest: str, answer: Response) -> None:
        if oci.is_digest(reference) and digest != reference:
            raise Conflict(
                f"the registry returned {digest} for {reference}",
                where=without_query(answer.url),
                next_step=advice.ASK_REGISTRY_OPERATOR(),
            )

    def _read_back(self, tag: str, manifest: OciManifest) -> str:
        current = self.head(tag)
        if current != manifest.digest:
            raise Unknown(
                f"{clean(tag)} was put, but now it is {current or 'not there'}, not {manifest.digest}",
                where=self.name,
                otherwise=advice.FIND_OTHER_PUSHER(),
            )
        return current

    def _refusal(self, answer: Response, what: str) -> UnmoorError:
        return refusal(answer, what, where=self.name, page=self.page)


def _checked(reference: str) -> str:
    """Return a reference that is safe in an address. Raises `Rejected` for any other."""
    if not oci.is_tag(reference) and not oci.is_digest(reference):
        raise Rejected(
            f"{clean(reference, 140)!r} is neither a tag nor a digest",
            next_step=advice.NAME_VALID_TAG(),
        )
    return reference


def _tags(answer: Response) -> tuple[str, ...]:
    try:
        tags = decode_json(answer.body, _Tags).tags or ()
    except ValueError:
        tags = ("",)
    if not all(map(oci.is_tag, tags)):
        raise failure(
            Cause.NONSENSE,
            "the answer is not a list of tags",
            where=without_query(answer.url),
            next_step=advice.CHECK_WHAT_REGISTRY_SERVES(),
            retryable=False,
        )
    return tags
