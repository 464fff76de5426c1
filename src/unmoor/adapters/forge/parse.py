"""Parse the forge's answers about a repository, its releases and their assets. An invalid answer is `Unknown`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from unmoor import advice
from unmoor.adapters.github.answers import converted, malformed
from unmoor.adapters.github.author import GitHubUser
from unmoor.adapters.http.retry_after import read_date
from unmoor.artifacts.oci import is_digest
from unmoor.errors import Unknown
from unmoor.ports.forge import ForgeAsset, ForgeRelease, ForgeRepository
from unmoor.util.text import clean


class _Asset(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    size: int
    state: str
    browser_download_url: str = ""
    digest: str | None = None
    updated_at: Any = None


class _Release(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    tag_name: str
    target_commitish: str
    draft: bool
    prerelease: bool
    html_url: str
    upload_url: str
    assets: tuple[_Asset, ...]
    name: str | None = None
    body: str | None = None
    immutable: bool | None = None
    updated_at: Any = None


class _Permissions(msgspec.Struct, frozen=True, kw_only=True):
    push: bool | None = None


class _Repository(msgspec.Struct, frozen=True, kw_only=True):
    full_name: str
    private: bool
    archived: bool = False
    id: int | None = None
    permissions: _Permissions | None = None


def login(raw: Any, *, where: str) -> str:
    """Read the name of ``GET /user``. Raises `Unknown`."""
    name = converted(raw, GitHubUser, "a user", where).login
    if not name or clean(name) != name:
        raise malformed("a user with a name", where)
    return name


def repository(raw: Any, *, where: str) -> ForgeRepository:
    """Read ``GET /repos/{owner}/{repo}``. Raises `Unknown`."""
    seen = converted(raw, _Repository, "a repository", where)
    return ForgeRepository(
        full_name=clean(seen.full_name),
        private=seen.private,
        archived=seen.archived,
        can_push=seen.permissions.push if seen.permissions else None,
        id="" if seen.id is None else str(seen.id),
    )


def forge_release(raw: Any, *, where: str, public: bool = False, date: str = "") -> ForgeRelease:
    """Read one release. ``public``: anybody may download its assets; ``date``: when it was sent. Raises `Unknown`."""
    seen = converted(raw, _Release, "a release", where)
    return ForgeRelease(
        id=_real_id(seen.id, where),
        tag=seen.tag_name,
        target=seen.target_commitish,
        name=seen.name or "",
        body=seen.body or "",
        draft=seen.draft,
        prerelease=seen.prerelease,
        immutable=bool(seen.immutable),
        url=clean(seen.html_url, 2000),
        upload_url=clean(seen.upload_url, 2000),
        assets=tuple(_attached(asset, where=where, public=public) for asset in seen.assets),
        quiet=_quiet(seen, date),
    )


def hidden_drafts(tag: str, *, where: str, has_token: bool) -> Unknown:
    """The error for a list without a release of a tag, by which nobody can tell whether there is a draft."""
    return Unknown(
        f"no release of {clean(tag)} is listed, but the forge lists drafts only to users with push access,"
        f" and {'this token has none' if has_token else 'there is no token'}",
        where=where,
        next_step=advice.GIVE_FORGE_TOKEN(),
        retryable=False,
    )


def _quiet(seen: _Release, date: str) -> float | None:
    """The seconds since the last change, by the forge's clock alone; ``None`` if it does not say.

    An upload that is not complete may still go on. A release without assets does not say when the last one was removed.
    ``updated_at`` of a release is new; its ``created_at`` is the date of the commit.
    """
    if not seen.assets or any(each.state != "uploaded" for each in seen.assets):
        return None
    changed = [_moment(each.updated_at) for each in seen.assets]
    if seen.updated_at is not None:
        changed.append(_moment(seen.updated_at))
    known = [each for each in changed if each is not None]
    read = read_date(date)
    if read is None or len(known) < len(changed):
        return None
    # Both are whole seconds.
    seconds = read.timestamp() - max(known) - 1.0
    return seconds if seconds >= 0 else None


def _moment(value: Any) -> float | None:
    """Read a time of an answer, with its zone, as Unix time; ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def asset(raw: Any, *, where: str) -> ForgeAsset:
    """Read one asset. Raises `Unknown`."""
    return _attached(converted(raw, _Asset, "an asset", where), where=where, public=False)


def _attached(seen: _Asset, *, where: str, public: bool) -> ForgeAsset:
    digest = (seen.digest or "").lower()
    return ForgeAsset(
        id=_real_id(seen.id, where),
        name=clean(seen.name, 300),
        size=seen.size,
        sha256=digest.partition(":")[2] if is_digest(digest) else None,
        uploaded=seen.state == "uploaded",
        url=clean(seen.browser_download_url, 2000),
        public=public,
    )


def _real_id(number: int, where: str) -> int:
    if number <= 0:
        raise malformed("a release or an asset with an id", where)
    return number
