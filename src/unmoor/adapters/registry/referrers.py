"""What is about a digest: the referrers API of a registry, or the index under a tag where it has none.

Follows the OCI distribution specification 1.1, "Listing Referrers", "Pushing Manifests with Subject" and "Unavailable
Referrers API". GHCR has no such API: it redirects to a page of its website, which then limits the rate. GitLab's
registry reads the tag ``sha256-…`` as the digest itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import second_look
from unmoor.adapters.http.session import Response
from unmoor.adapters.registry.answers import refusal, unexpected_answer
from unmoor.adapters.registry.requests import RegistryRequests
from unmoor.artifacts import oci
from unmoor.errors import Conflict, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.poll import tries
from unmoor.ports.registry import OciManifest, Referrer
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_SUBJECT = "OCI-Subject"
# A registry without the API answers 404, or as it answers to any path that it does not know.
_UNSUPPORTED = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
    }
)
_STORED = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_PAGES = 100
# Seconds before each attempt to send a blob or a manifest. What was sent is looked for before the next one.
_ATTEMPTS = (0.0, 1.0, 4.0)
# Seconds before each look at a list. Others may write it at the same time.
_LOOKS = (0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_ENTRY = ("mediaType", "digest", "size", "artifactType", "annotations")


class _TagIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The index under the tag of a subject, with everything that others wrote in it."""

    document: Mapping[str, Any]

    @property
    def entries(self) -> dict[str, Any]:
        """Each entry as it is, by its digest."""
        return {entry["digest"]: entry for entry in self.document["manifests"]}

    def with_entries(self, entries: Iterable[Any]) -> bytes:
        """Write the index with these entries, everything else as it is."""
        return json.dumps({**self.document, "manifests": list(entries)}, separators=(",", ":")).encode()


_EMPTY = _TagIndex(document={"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": []})


class ReferrerLists(msgspec.Struct, frozen=True, kw_only=True):
    """Reads and extends the lists of one repository; ``read`` returns a manifest by tag or digest."""

    requests: RegistryRequests
    name: str
    page: str
    clock: Clock | None
    read: Callable[[str], OciManifest | None]

    def listed(self, digest: str) -> tuple[Referrer, ...]:
        """List what is about a digest. Raises `Denied`, `Unknown`, `Conflict`."""
        found = second_look(lambda: self._listed_by_api(digest))
        if found is None:
            held = self._tag_index(digest)
            found = [] if held is None else _descriptors(*held, where=f"{self.name}:{oci.referrers_tag(digest)}")
        return tuple(_referrer(each) for each in {each.digest: each for each in found}.values())

    def put(self, manifest: OciManifest, blobs: Sequence[bytes]) -> Referrer:
        """Put blobs and a manifest with a subject, and have the subject list it. Raises as the port says."""
        document = oci.read_manifest(manifest.data, manifest.media_type, where=self.name)
        if not isinstance(document, oci.ImageManifest) or document.subject is None:
            raise ValueError(manifest.digest)
        for blob in blobs:
            self.put_blob(blob)
        entry = Referrer(
            digest=manifest.digest,
            media_type=manifest.media_type,
            size=len(manifest.data),
            artifact_type=document.artifact_type,
            annotations=document.annotations,
        )
        if self._put_manifest(manifest):
            self._await_listing(document.subject, entry)
        else:
            self._list_under_tag(document.subject, entry)
        return entry

    def _listed_by_api(self, digest: str) -> list[oci.Descriptor] | None:
        """What the referrers API lists, ``None`` if the registry has none."""
        found: list[oci.Descriptor] = []
        path = f"referrers/{digest}"
        for _ in range(_PAGES):
            answer = self.requests.ask("GET", path, headers={"Accept": oci.OCI_INDEX}, follow=False)
            if answer.status in _UNSUPPORTED:
                return None
            if answer.status != HTTPStatus.OK:
                raise unexpected_answer(answer)
            found += _descriptors(answer.body, answer.content_type, where=f"{self.name}, referrers of {digest}")
            path = self.requests.next_page(answer, "referrers")
            if not path:
                return found
        raise Unknown(
            f"the list of what is about {digest} has more than {_PAGES} pages",
            where=self.name,
            next_step=advice.CHECK_WHAT_REGISTRY_SERVES(),
            retryable=False,
        )

    def _await_listing(self, subject: str, entry: Referrer) -> None:
        """Read back that the API lists an entry. Raises `Unknown` if it does not."""
        for _ in tries(_LOOKS, self.clock):
            listed = second_look(lambda: self._listed_by_api(subject)) or ()
            if any(each.digest == entry.digest for each in listed):
                return
        raise self._not_listed(subject, entry)

    def _list_under_tag(self, subject: str, entry: Referrer) -> None:
        """Add an entry to the index under the subject's tag, and read it back.

        Nobody can lock a tag: another client may write the index between the read and the write of this one, and
        the entry of either would be gone. So every entry that was ever seen counts, and is written again if it is
        missing. Raises `Conflict` if something else is under the tag.
        """
        what = f"could not list what is about {subject}"
        seen: dict[str, Any] = {}
        gone: set[str] = set()
        failure: UnmoorError | None = None
        for _ in tries(_LOOKS, self.clock):
            held = self._tag_index(subject)
            index = _EMPTY if held is None else _index(*held, where=f"{self.name}:{oci.referrers_tag(subject)}")
            seen = {**seen, **index.entries, entry.digest: _entry(entry)}
            wanted = {digest: each for digest, each in seen.items() if digest not in gone}
            if wanted == index.entries:
                return
            try:
                self._send(oci.referrers_tag(subject), index.with_entries(wanted.values()), oci.OCI_INDEX, what)
            except Rejected as error:
                failure = error
                # Some registries refuse an index that lists a manifest that is gone.
                missing = {digest for digest in wanted if self.read(digest) is None}
                if not missing - gone or entry.digest in missing:
                    raise
                gone |= missing
            except Unknown as error:
                failure = error
        raise failure or self._not_listed(subject, entry)

    def _send(self, reference: str, data: bytes, media_type: str, what: str) -> Response:
        """Put a manifest, once. Raises `Rejected` with ``what`` could not be done, `Denied`, `Unknown`."""
        answer = self.requests.ask(
            "PUT", f"manifests/{reference}", body=data, headers={"Content-Type": media_type}, push=True
        )
        if answer.status not in _STORED:
            raise refusal(answer, what, where=self.name, page=self.page)
        return answer

    def _tag_index(self, subject: str) -> tuple[bytes, str] | None:
        """The bytes and the media type of the index under the tag of a subject, ``None`` if there is none."""
        tag = oci.referrers_tag(subject)
        held = self.read(tag)
        if held is None or held.digest == subject:
            return None
        if held.media_type != oci.OCI_INDEX:
            raise Conflict(
                f"{tag} is {clean(held.media_type, 80)}, and not a list of what is about {subject}",
                where=self.name,
                next_step=advice.REMOVE_REFERRERS_TAG(tag=tag),
            )
        return held.data, held.media_type

    def _put_manifest(self, manifest: OciManifest) -> bool:
        """Put a manifest by its digest. Return whether the registry has listed it under its subject."""
        what = f"could not put {manifest.digest}"
        failure: Unknown | None = None
        for _ in tries(_ATTEMPTS, self.clock):
            if failure is not None and self.read(manifest.digest) is not None:
                return self._has_api(manifest)
            try:
                answer = self._send(manifest.digest, manifest.data, manifest.media_type, what)
            except Unknown as error:
                failure = error
            else:
                return _SUBJECT in answer.headers
        assert failure is not None  # noqa: S101 - every other way out of the loop returns or raises
        raise failure

    def _has_api(self, manifest: OciManifest) -> bool:
        document = oci.read_manifest(manifest.data, manifest.media_type, where=self.name)
        subject = document.subject
        return subject is not None and second_look(lambda: self._listed_by_api(subject)) is not None

    def put_blob(self, data: bytes) -> None:
        """Upload a small blob unless it is there. Raises `Rejected`, `Denied`, `Unknown`."""
        digest = oci.digest_of(data)
        failure: Unknown | None = None
        for _ in tries(_ATTEMPTS, self.clock):
            try:
                if self._has_blob(digest):
                    return
                self._upload(data, digest)
            except Unknown as error:
                failure = error
            except Rejected:
                # A registry that was busy after all its work refuses the same upload again.
                if self._has_blob(digest):
                    return
                raise
            else:
                return
        assert failure is not None  # noqa: S101 - every other way out of the loop returns or raises
        raise failure

    def _has_blob(self, digest: str) -> bool:
        answer = self.requests.ask("HEAD", f"blobs/{digest}", push=True)
        return answer.status == HTTPStatus.OK and answer.headers.get("Docker-Content-Digest") == digest

    def _upload(self, data: bytes, digest: str) -> None:
        begun = self.requests.ask("POST", "blobs/uploads/", push=True)
        if begun.status != HTTPStatus.ACCEPTED:
            raise refusal(begun, "could not start an upload", where=self.name, page=self.page)
        target = self.requests.link(begun, begun.headers.get("Location", ""), "address for uploads")
        url = f"{target}{'&' if '?' in target else '?'}{urlencode({'digest': digest})}"
        answer = self.requests.ask(
            "PUT", url, body=data, headers={"Content-Type": "application/octet-stream"}, push=True
        )
        if answer.status not in _STORED:
            raise refusal(answer, f"could not upload {digest}", where=self.name, page=self.page)

    def _not_listed(self, subject: str, entry: Referrer) -> Unknown:
        return Unknown(
            f"{entry.digest} was put, but the list of what is about {subject} lacks it",
            where=self.name,
            otherwise=advice.FIND_OTHER_PUSHER(),
        )


def _descriptors(data: bytes, media_type: str, *, where: str) -> list[oci.Descriptor]:
    document = oci.read_manifest(data, media_type, where=where)
    return list(document.manifests) if isinstance(document, oci.ImageIndex) else []


def _index(data: bytes, media_type: str, *, where: str) -> _TagIndex:
    """Decode an index, all of it, once it has proved to be one. Raises `Unknown`."""
    oci.read_manifest(data, media_type, where=where)
    return _TagIndex(document=decode_json(data, dict[str, Any]))


def _referrer(descriptor: oci.Descriptor) -> Referrer:
    return Referrer(
        digest=descriptor.digest,
        media_type=descriptor.media_type,
        size=descriptor.size,
        artifact_type=descriptor.artifact_type,
        annotations=descriptor.annotations or {},
    )


def _entry(referrer: Referrer) -> dict[str, Any]:
    values = (
        referrer.media_type,
        referrer.digest,
        referrer.size,
        referrer.artifact_type,
        dict(referrer.annotations),
    )
    return {name: value for name, value in zip(_ENTRY, values, strict=True) if value or name == "size"}
