"""One repository on one registry, over HTTP (OCI distribution specification 1.1).

Written on our bounded session: what Python has for registries either writes manifests anew, which
changes their digests, or tries a wrong password for minutes, or picks credentials by the beginning
of a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import msgspec

from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.adapters.registry.answers import RegistryBusy, describe_errors, errors_of, is_absent, unexpected_answer
from unmoor.adapters.registry.requests import RegistryRequests, RequestForbidden
from unmoor.artifacts import oci
from unmoor.errors import Conflict, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.index import Credential
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_HUB_ADDRESS = "https://registry-1.docker.io"
_PAGES = 1000
_PER_PAGE = 100
# Seconds before each sending of one manifest; between two the registry is asked what it holds.
_PAUSES = (0.0, 1.0, 4.0)


class _Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class OciRegistry:
    """`unmoor.ports.registry.Registry`. Without a clock nothing is tried again.

    ``settings`` is where a person changes the package's settings, where that is known better than
    from the registry's host.
    """

    place: RegistryPlace
    repository: str
    http: BoundedSession
    clock: Clock | None = None
    settings: str = ""
    _wire: RegistryRequests = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        name = oci.ImageName.parse(f"{self.place.host}/{self.repository}")
        plain = f"https://{oci.DOCKER_HUB}"
        address = _HUB_ADDRESS if self.place.address.rstrip("/") == plain else self.place.address.rstrip("/")
        place = replace(self.place, host=name.host, address=address)
        object.__setattr__(self, "place", place)
        object.__setattr__(self, "repository", name.repository)
        object.__setattr__(self, "_wire", RegistryRequests(place, name.repository, self.http, self.clock, self.page))

    @property
    def name(self) -> str:
        """As users write it."""
        return f"{self.place.host}/{self.repository}"

    @property
    def address(self) -> str:
        """As the engine has to write it; it knows Docker Hub by its name alone."""
        host = oci.DOCKER_HUB if self.place.address == _HUB_ADDRESS else urlsplit(self.place.address).netloc
        return f"{host}/{self.repository}"

    @property
    def page(self) -> str:
        """Where a person would change the package's settings."""
        owner, _, package = self.repository.partition("/")
        if self.settings:
            return self.settings
        if self.place.host == "ghcr.io":
            # An organisation's is under /orgs/ instead; the registry does not say which it is.
            return f"https://github.com/users/{owner}/packages/container/{quote(package, safe='')}/settings"
        if self.place.host == oci.DOCKER_HUB:
            return f"https://hub.docker.com/repository/docker/{self.repository}"
        return f"{self.place.address}/{self.repository}"

    @property
    def login(self) -> Login:
        """The login itself, for an engine."""
        return self.place.login

    def credential(self) -> Credential:
        """Say whether there is a login."""
        return Credential(present=bool(self.place.login.secret), origin=self.place.login.origin)

    def head(self, reference: str) -> str | None:
        """The digest behind a tag or digest."""
        try:
            answer = self._wire.ask("HEAD", f"manifests/{_checked(reference)}", headers={"Accept": oci.ACCEPT})
        except RequestForbidden:
            # The answer to HEAD has no words: a read brings them.
            manifest = self.manifest(reference)
            return manifest.digest if manifest else None
        told = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == HTTPStatus.OK and oci.is_digest(told):
            self._same(reference, told, answer)
            return told
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return None
        # No digest, or an answer that may come from another server: the body tells.
        manifest = self.manifest(reference)
        return manifest.digest if manifest else None

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """Read a manifest; its digest is computed and compared."""
        answer = self._wire.ask(
            "GET", f"manifests/{_checked(reference)}", headers={"Accept": oci.ACCEPT}, anonymous=anonymous
        )
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return None
        self._must_be(answer, HTTPStatus.OK)
        digest = oci.digest_of(answer.body)
        self._same(reference, digest, answer)
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told != digest:
            raise Conflict(
                f"the registry calls these bytes {clean(told, 80)}, and they are {digest}",
                where=f"{self.name}, {clean(reference)}",
                next_step="do not use them; ask the registry's operators",
            )
        kind = answer.content_type
        oci.read_manifest(answer.body, kind, where=without_query(answer.url))
        return OciManifest(data=answer.body, digest=digest, media_type=kind)

    def blob(self, digest: str) -> bytes:
        """Read a small blob; a redirect to where the registry keeps its blobs is followed without credentials."""
        answer = self._wire.ask("GET", f"blobs/{_checked(digest)}")
        self._must_be(answer, HTTPStatus.OK)
        self._same(digest, oci.digest_of(answer.body), answer)
        return answer.body

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Put these very bytes under a tag; a lost answer is decided by looking."""
        trouble: UnmoorError | None = None
        for pause in _PAUSES if self.clock else _PAUSES[:1]:
            if self.clock:
                self.clock.sleep(pause)
            try:
                return self._put(tag, manifest)
            except RegistryBusy:
                raise
            except (Unknown, Rejected, Denied) as error:
                trouble = error
            if self.head(tag) == manifest.digest:
                return manifest.digest
            if not isinstance(trouble, Unknown):
                break
        assert trouble is not None  # noqa: S101 - the loop ran, and ended without an answer that was a yes
        raise trouble

    def _put(self, tag: str, manifest: OciManifest) -> str:
        headers = {"Content-Type": manifest.media_type}
        answer = self._wire.ask("PUT", f"manifests/{_checked(tag)}", body=manifest.data, headers=headers, push=True)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise self._refusal(answer, f"{clean(tag)} was not taken")
        return self._read_back(tag, manifest)

    def tags(self) -> tuple[str, ...]:
        """Every tag, page by page."""
        found: list[str] = []
        path = f"tags/list?n={_PER_PAGE}"
        for _ in range(_PAGES):
            answer = self._wire.ask("GET", path)
            if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
                return ()
            self._must_be(answer, HTTPStatus.OK)
            found += _tags(answer)
            path = self._next(answer)
            if not path:
                return tuple(dict.fromkeys(found))
        raise Unknown(
            f"the list of tags has more than {_PAGES} pages",
            where=self.name,
            next_step="look whether the registry's pages lead in a circle",
            retryable=False,
        )

    def may_push(self) -> bool:
        """Open an upload session and leave it unused."""
        if not self.place.login.secret:
            return False
        answer = self._wire.ask("POST", "blobs/uploads/", push=True)
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise self._refusal(answer, "it takes no upload")
        return True

    def delete(self, digest: str) -> None:
        """Delete a manifest by digest."""
        answer = self._wire.ask("DELETE", f"manifests/{_checked(digest)}", scope="delete")
        if answer.status == HTTPStatus.NOT_FOUND and is_absent(answer):
            return
        if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}:
            raise self._refusal(answer, f"{clean(digest, 80)} was not deleted")
        if self.head(digest) is not None:
            raise Unknown(f"{digest} was deleted, and is still there", where=self.name)

    def _must_be(self, answer: Response, status: int) -> None:
        if answer.status != status:
            raise unexpected_answer(answer)

    def _same(self, reference: str, digest: str, answer: Response) -> None:
        if oci.is_digest(reference) and digest != reference:
            raise Conflict(
                f"the registry gives {digest} for {reference}",
                where=without_query(answer.url),
                next_step="do not use it; ask the registry's operators",
            )

    def _read_back(self, tag: str, manifest: OciManifest) -> str:
        seen = self.head(tag)
        if seen != manifest.digest:
            raise Unknown(
                f"{clean(tag)} was taken, and read back it is {seen or 'not there'}, not {manifest.digest}",
                where=self.name,
                otherwise="see who else moves this tag",
            )
        return seen

    def _refusal(self, answer: Response, what: str) -> Rejected:
        unsupported = any(code == "UNSUPPORTED" for code, _ in errors_of(answer))
        never = unsupported or answer.status == HTTPStatus.METHOD_NOT_ALLOWED
        return Rejected(
            f"{what}: the registry answered {describe_errors(answer)}",
            where=self.name,
            next_step=f"this registry does not support that; see {self.page}" if never else "fix what it names",
            retryable=not never,
        )

    def _next(self, answer: Response) -> str:
        """The path of the next page, the empty text after the last one."""
        target, _, rest = answer.headers.get("Link", "").partition(";")
        if 'rel="next"' not in rest.replace("'", '"').replace("rel=next", 'rel="next"'):
            return ""
        url = resolve_link(answer.url, target.strip().strip("<>"))
        root = f"{self.place.address}/v2/{self.repository}/"
        if origin(url) != origin(self.place.address) or not urlsplit(url).path.startswith(urlsplit(root).path):
            raise Unknown(
                "its next page is elsewhere",
                where=without_query(url),
                next_step="ask the registry's operators",
                retryable=False,
            )
        return f"tags/list?{urlsplit(url).query}"


def _checked(reference: str) -> str:
    """See that a reference may stand in an address. Raises `Rejected`."""
    if not oci.is_tag(reference) and not oci.is_digest(reference):
        raise Rejected(
            f"{clean(reference, 140)!r} is neither a tag nor a digest",
            next_step="128 letters, digits, '.', '_', '-' at most, or sha256: and 64 hexadecimal digits",
        )
    return reference


def _tags(answer: Response) -> tuple[str, ...]:
    try:
        tags = decode_json(answer.body, _Tags).tags or ()
    except ValueError:
        tags = ("",)
    if not all(map(oci.is_tag, tags)):
        raise Unknown(
            "this is not a list of tags",
            where=without_query(answer.url),
            next_step="look at what the registry serves there",
            retryable=False,
        )
    return tags
