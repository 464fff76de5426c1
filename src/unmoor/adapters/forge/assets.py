"""Upload and download assets through the bounded session. PyGithub has no upload time-out and downloads to memory."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from unmoor import advice
from unmoor.adapters.forge.parse import asset as read_asset
from unmoor.adapters.github import GitHubClient
from unmoor.adapters.github.answers import TransientError, malformed
from unmoor.adapters.github.exchange import authorization, content
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.errors import Rejected
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.ports.world import ForgePlace
from unmoor.products import File
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession


def upload_address(forge_release: ForgeRelease, place: ForgePlace, name: str) -> str:
    """Return the upload address of an asset: the release's ``upload_url``, if its origin is the one in the world.

    The token is sent there, so an answer must not choose the host. Raises `Rejected`, `Unknown`.
    """
    root = forge_release.upload_url.partition("{")[0]
    if "?" in root or "#" in root:
        raise malformed("a release with an upload address", without_query(root))
    if origin(root) != origin(place.uploads):
        raise Rejected(
            f"the release sends uploads to {without_query(root)}, and the world says {without_query(place.uploads)}:"
            " sent nothing, not even the token",
            where=forge_release.url,
            next_step=advice.SET_UPLOADS(),
        )
    return f"{root}?{urlencode({'name': name})}"


def send(
    http: BoundedSession, api: GitHubClient, place: ForgePlace, forge_release: ForgeRelease, file: File
) -> ForgeAsset:
    """Upload one file in one try. Raises `Rejected`, `Denied`, and `Unknown` if the answer is lost."""
    address = upload_address(forge_release, place, file.name)
    where = without_query(address)
    answer = http.send(
        "POST",
        address,
        body=file.path,
        headers={"Content-Type": "application/octet-stream", "Accept": "application/vnd.github+json"},
        secret_headers={"Authorization": authorization(api.token)},
    )
    if answer.status == HTTPStatus.NOT_FOUND:
        # The release exists: upload hosts sometimes answer 404, and accept the file the next time.
        raise TransientError(
            f"the forge does not find the release {forge_release.id} to attach to",
            where=where,
            otherwise=advice.ALLOW_WRITING(),
        )
    if answer.status >= HTTPStatus.BAD_REQUEST:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        raise api.refusal(answer.status, content(answer), headers, where=where)
    if answer.status != HTTPStatus.CREATED:
        raise malformed(f"that of an upload (status {answer.status})", where)
    return read_asset(content(answer), where=where)


def fetch_public(http: BoundedSession, place: ForgePlace, asset: ForgeAsset, into: Path) -> File:
    """Download one asset without credentials. Raises `Unknown`, `Denied`, and `Conflict` if it lacks its digest."""
    if not asset.url:
        # Below the site it would be the front page, which anybody may read.
        raise malformed("an asset with a download address", f"{place.repository}: {asset.name}")
    return http.download(resolve_link(place.site, asset.url), into, asset.name, sha256=asset.sha256, size=asset.size)


def fetch(http: BoundedSession, address: str, asset: ForgeAsset, into: Path, *, token: Secret) -> File:
    """Download one asset through the API; a redirect to a storage host gets no token.

    Raises `Unknown`, `Denied`, and `Conflict` if the bytes do not have the digest that the API gives.
    """
    return http.download(
        address,
        into,
        asset.name,
        sha256=asset.sha256,
        size=asset.size,
        headers={"Accept": "application/octet-stream"},
        secret_headers={"Authorization": authorization(token)} if token else {},
    )
