"""The releases of the local forge's repository, and GitHub's rules for them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from unmoor.filesystem.safe_folder import remove
from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.store import Digests
from unmoor.util.values import replace

BODY_LIMIT = 125_000
ASSETS_LIMIT = 1000


class Problem(Exception):
    """A refusal of GitHub: a status, a message, and the errors of a 422."""

    def __init__(self, status: int, message: str, errors: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


def invalid(resource: str, code: str, of: str, message: str = "") -> Problem:
    """Return a 422 about one field."""
    error = {"resource": resource, "code": code, "field": of}
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed", ({**error, "message": message} if message else error,)
    )


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset. ``state`` is ``starter`` if the upload was interrupted, else ``uploaded``."""

    id: int
    name: str
    label: str | None
    content_type: str
    state: str
    created_at: str
    updated_at: str
    digests: Digests | None = None
    downloads: int = 0


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release object. ``mark`` is the number of the last time it was made the latest; 0 means never."""

    id: int
    tag: str
    target: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    slug: str
    created_at: str
    updated_at: str
    published_at: str | None = None
    immutable: bool = False
    mark: int = 0
    assets: tuple[Asset, ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state on disk. ``attested`` are the tags of all immutable releases ever, and the object of each."""

    next_id: int = 1
    marks: int = 0
    releases: tuple[Release, ...] = ()
    attested: tuple[tuple[str, str], ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The change that a request asks for; ``None`` means not given."""

    tag: str | None = None
    target: str | None = None
    name: str | None = None
    body: str | None = None
    draft: bool | None = None
    prerelease: bool | None = None
    make_latest: str | None = None


class Git(msgspec.Struct, frozen=True, kw_only=True):
    """The git functions that the rules need."""

    is_tag_name: Callable[[str], bool]
    has_tag: Callable[[str], bool]
    object: Callable[[str], str]
    commit: Callable[[str], str | None]
    make_tag: Callable[[str, str], None]
    default_branch: Callable[[], str]


@dataclass(kw_only=True)
class Releases:
    """The releases, in memory and on disk. ``attest`` gets each immutable release, and the object of its tag."""

    folder: Path
    git: Git
    attest: Callable[[Release, str], None] = lambda _release, _sha: None
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        store.tidy(self.folder)
        self.state = store.load(self.folder / "state.json", State) or State()

    def listed(self, *, drafts: bool) -> list[Release]:
        """Return every release, the newest first; drafts only if ``drafts``."""
        return sorted((r for r in self.state.releases if drafts or not r.draft), key=lambda r: r.id, reverse=True)

    def get(self, number: int, *, drafts: bool) -> Release:
        """Return a release by its number. Raises a 404."""
        found = next((r for r in self.listed(drafts=drafts) if r.id == number), None)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return found

    def by_tag(self, tag: str) -> Release | None:
        """Return the published release of a tag, never a draft."""
        return next((release for release in self.listed(drafts=False) if release.tag == tag), None)

    def latest(self) -> Release | None:
        """Return the release that was last made the latest; never a draft or a prerelease."""
        marked = [r for r in self.state.releases if r.mark and not r.draft and not r.prerelease]
        return max(marked, key=lambda release: release.mark, default=None)

    def create(self, change: Change) -> Release:
        """Create a release, draft or published."""
        if not change.tag:
            raise invalid("Release", "missing_field", "tag_name")
        now = store.now()
        number = self.state.next_id
        release = Release(
            id=number,
            tag=change.tag,
            target=self.git.default_branch(),
            name=None,
            body=None,
            draft=True,
            prerelease=False,
            slug=f"untagged-{secrets.token_hex(10)}",
            created_at=now,
            updated_at=now,
        )
        changed = self._apply(release, replace(change, draft=bool(change.draft)))
        self._save(next_id=number + 1, releases=(*self.state.releases, changed))
        return changed

    def update(self, release: Release, change: Change) -> Release:
        """Change a release; a draft is published when it stops being one."""
        if release.immutable and {change.tag, change.target, change.draft} != {None}:
            raise invalid("Release", "custom", "tag_name", "Cannot change the tag of an immutable release.")
        changed = self._apply(release, change)
        self._swap(changed)
        return changed

    def delete(self, release: Release) -> None:
        """Delete a release; the tag stays, and cannot be used again if the release was immutable."""
        for asset in release.assets:
            remove(self.path_of(asset))
        self._save(releases=tuple(r for r in self.state.releases if r.id != release.id))

    def _apply(self, release: Release, change: Change) -> Release:
        if change.body is not None and len(change.body) > BODY_LIMIT:
            raise invalid("Release", "custom", "body", f"body is too long (maximum is {BODY_LIMIT} characters)")
        changed = replace(
            release,
            tag=change.tag or release.tag,
            target=change.target or release.target,
            name=release.name if change.name is None else change.name,
            body=release.body if change.body is None else change.body,
            draft=release.draft if change.draft is None else change.draft,
            prerelease=release.prerelease if change.prerelease is None else change.prerelease,
            updated_at=store.now(),
        )
        commit = self._check_tag(changed)
        if changed.draft:
            return replace(changed, published_at=None, mark=0)
        return self._publish(release, changed, change.make_latest, commit)

    def _check_tag(self, release: Release) -> str | None:
        """Check tag and target. Return the commit at which to make the tag; ``None`` if the tag exists."""
        if not self.git.is_tag_name(release.tag):
            raise invalid("Release", "custom", "tag_name", "tag_name is not well-formed")
        if self.git.has_tag(release.tag):
            return None
        commit = self.git.commit(release.target)
        if commit is None:
            raise invalid("Release", "invalid", "target_commitish")
        return commit

    def _publish(self, before: Release, after: Release, make_latest: str | None, commit: str | None) -> Release:
        other = self.by_tag(after.tag)
        if other is not None and other.id != after.id:
            raise invalid("Release", "already_exists", "tag_name")
        if not before.immutable and after.tag in dict(self.state.attested):
            raise invalid("Release", "custom", "tag_name", "tag_name was used by an immutable release")
        if commit is not None:
            self.git.make_tag(after.tag, commit)
        # GitHub's default applies to newly published releases only; an update does not change "latest".
        wish = make_latest or ("true" if before.draft else "keep")
        mark = before.mark
        if wish == "false" or after.prerelease:
            mark = 0
        elif wish == "true" or (wish == "legacy" and self._is_highest(after)):
            mark = self.state.marks + 1
            self.state = replace(self.state, marks=mark)
        immutable = before.immutable or (before.draft and (self.folder / "immutable").exists())
        if immutable and not before.immutable:
            attested = (*self.state.attested, (after.tag, self.git.object(after.tag)))
            self.attest(after, attested[-1][1])
            self.state = replace(self.state, attested=attested)
        return replace(after, published_at=before.published_at or store.now(), mark=mark, immutable=immutable)

    def _is_highest(self, release: Release) -> bool:
        others = [r for r in self.listed(drafts=False) if r.id != release.id and not r.prerelease]
        return all(_order(release) >= _order(other) for other in others)

    def asset(self, number: int, *, drafts: bool) -> tuple[Release, Asset]:
        """Return an asset by its number, and its release. Raises a 404."""
        for release in self.listed(drafts=drafts):
            for asset in release.assets:
                if asset.id == number:
                    return release, asset
        raise Problem(HTTPStatus.NOT_FOUND, "Not Found")

    def path_of(self, asset: Asset) -> Path:
        """Return the path of an asset's bytes."""
        return self.folder / "assets" / str(asset.id)

    def check_asset(self, release: Release, name: str) -> str:
        """Check that an asset can have this name, and return the name as GitHub writes it."""
        written = re.sub(r"[^A-Za-z0-9._+-]+", ".", name).strip(".")
        if not written:
            raise invalid("ReleaseAsset", "missing_field", "name")
        if release.immutable:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Cannot upload assets to an immutable release.")
        if any(asset.name == written for asset in release.assets):
            raise invalid("ReleaseAsset", "already_exists", "name")
        if len(release.assets) >= ASSETS_LIMIT:
            raise invalid("ReleaseAsset", "custom", "release", f"file count limited to {ASSETS_LIMIT} assets")
        return written

    def attach(self, number: int, name: str, digests: Digests | None, **words: Any) -> Asset:
        """Add an asset to a release; without digests its upload was interrupted."""
        release = self.get(number, drafts=True)
        name = self.check_asset(release, name)
        if digests is not None and digests.size == 0:
            raise invalid("ReleaseAsset", "custom", "size", "size must be greater than or equal to 1")
        now = store.now()
        state = "starter" if digests is None else "uploaded"
        number = self.state.next_id
        asset = Asset(id=number, name=name, state=state, digests=digests, created_at=now, updated_at=now, **words)
        self.state = replace(self.state, next_id=number + 1)
        self._swap(replace(release, assets=(*release.assets, asset)))
        return asset

    def rename(self, release: Release, asset: Asset, name: str | None, label: str | None) -> Asset:
        """Change an asset's name or label."""
        if release.immutable:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Cannot edit assets of an immutable release.")
        written = asset.name if name in {None, asset.name} else self.check_asset(release, name or "")
        label = asset.label if label is None else label
        changed = replace(asset, name=written, label=label, updated_at=store.now())
        self._swap(replace(release, assets=tuple(changed if a.id == asset.id else a for a in release.assets)))
        return changed

    def detach(self, release: Release, asset: Asset) -> None:
        """Delete an asset."""
        if release.immutable:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Cannot delete assets from an immutable release.")
        self._swap(replace(release, assets=tuple(each for each in release.assets if each.id != asset.id)))
        remove(self.path_of(asset))

    def _swap(self, changed: Release) -> None:
        self._save(releases=tuple(changed if each.id == changed.id else each for each in self.state.releases))

    def _save(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        store.save(self.folder / "state.json", self.state)


def _order(release: Release) -> tuple[Version, str]:
    """Sort key of GitHub's ``legacy`` comparison of releases: by version, else by date."""
    try:
        return Version(release.tag), release.created_at
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return Version("0"), release.created_at
