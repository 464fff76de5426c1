"""Read from the surfaces what there is of a release: nothing else decides what `status` says and `undo` takes back.

No manifest is needed. One that is found says which files there should be; whether it is vouched for is noted. A
surface that cannot be read is unknown, with the error, and never counts as empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial

import msgspec

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES
from unmoor.errors import Denied, Internal, Interrupted, Unknown, UnmoorError
from unmoor.images.held_images import HeldImages, read_images
from unmoor.images.image_plan import ImagePlan
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.index import Holding, Index
from unmoor.products import PushedImage, Release, TagPosition
from unmoor.publish import push_record
from unmoor.publish.file_comparison import Match
from unmoor.publish.index_state import compare_listed
from unmoor.publish.push_record import PushRecord, read_record
from unmoor.publish.release_assets import attached_signature, content_of, find_asset
from unmoor.util.digests import is_commit
from unmoor.util.text import clean
from unmoor.util.values import replace


class Extent(StrEnum):
    """How much of the release an index holds. ``some`` also if nothing says what all of it is."""

    NONE = "none"
    SOME = "some"
    ALL = "all"
    UNKNOWN = "unknown"


class FoundManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest of the release, where it was found, and whether it is vouched for.

    ``doubt`` says what is wrong with its signature, or why that is not known; empty if nothing is, or if it has none.
    """

    manifest: Manifest
    where: str
    vouched: bool
    doubt: str = ""


class OwnManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest in the run folder of this machine, and what tells whether a manifest is vouched for."""

    manifest: Manifest | None
    where: str
    belief: Belief


class TagState(msgspec.Struct, frozen=True, kw_only=True):
    """The tag here and on the remote; ``None`` if it is not there. ``error`` is why the remote could not be read."""

    local: str | None
    remote: str | None
    error: UnmoorError | None = None


class ForgeContent(msgspec.Struct, frozen=True, kw_only=True):
    """The releases of the tag on the forge, the manifests on them, and the records of what was pushed.

    ``error`` is why the public release could not be read, ``hidden`` why drafts could not be, ``unread`` why
    a manifest or a record could not be.
    """

    public: ForgeRelease | None = None
    drafts: tuple[ForgeRelease, ...] = ()
    found: tuple[FoundManifest, ...] = ()
    records: tuple[PushRecord, ...] = ()
    error: UnmoorError | None = None
    hidden: UnmoorError | None = None
    unread: UnmoorError | None = None

    @property
    def all(self) -> tuple[ForgeRelease, ...]:
        """The public release, then the drafts."""
        return (*((self.public,) if self.public else ()), *self.drafts)


class IndexContent(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds of the version; ``holding`` is ``None`` if it could not be read, which is the ``error``."""

    name: str
    page: str
    holding: Holding | None
    error: UnmoorError | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, sorted."""
        return tuple(sorted(self.holding.names)) if self.holding else ()


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What every surface holds of a release.

    ``release`` names the commit that was released, as far as that is known: by a manifest, else by the release
    on the forge, else by the tag. ``staging`` is ``None`` if the project uses no staging index.
    """

    release: Release
    tag: TagState
    forge: ForgeContent
    index: IndexContent
    staging: IndexContent | None
    images: tuple[HeldImages, ...]
    found: tuple[FoundManifest, ...]

    @property
    def vouched(self) -> FoundManifest | None:
        """The manifest that is vouched for, if there is one."""
        return next((each for each in self.found if each.vouched), None)

    @property
    def best(self) -> FoundManifest | None:
        """The manifest to compare with: one that is vouched for, else one on the public release, else on a draft."""
        return self.vouched or next(iter(self.found), None)

    def extent(self, content: IndexContent) -> Extent:
        """How much of the release an index holds."""
        if content.holding is None:
            return Extent.UNKNOWN
        if not content.names:
            return Extent.NONE
        # Manifests that nobody vouches for may disagree: then the index must hold what each of them lists.
        known = [self.vouched] if self.vouched else self.found
        if not known or self.forge.unread:
            return Extent.SOME
        listed = {(each.name, each.sha256) for found in known for each in found.manifest.artifacts}
        same = all(compare_listed(content.holding, *each).match is Match.SAME for each in listed)
        return Extent.ALL if same else Extent.SOME

    def missing(self, content: IndexContent) -> tuple[str, ...]:
        """The names of files that a manifest lists and an index does not hold; empty if nothing lists any."""
        known = [self.vouched] if self.vouched else self.found
        listed = {each.name for found in known for each in found.manifest.artifacts}
        return tuple(sorted(listed - frozenset(content.names)))

    @property
    def errors(self) -> tuple[tuple[str, UnmoorError], ...]:
        """What could not be read: the surface and the reason."""
        surfaces = [
            *((each.name, each.error) for each in (self.staging, self.index) if each is not None),
            *((each.name, each.error) for each in self.images),
            ("forge", self.forge.error or self.forge.unread),
        ]
        return tuple((name, error) for name, error in surfaces if error is not None)

    @property
    def has_images(self) -> bool:
        """Whether anything of the release is on a registry, or should be."""
        listed = any(each.manifest.pushed for each in self.found)
        attached = any(find_asset(each, name) for each in self.forge.all for name in (IMAGES, push_record.NAME))
        return listed or attached or any(each.pushed or each.fixed or each.error for each in self.images)

    @property
    def is_recorded(self) -> bool:
        """Whether a record says what was pushed."""
        return bool(self._records) or any(each.manifest.pushed for each in self.found)

    def pushed_to(self, name: str) -> tuple[PushedImage, ...]:
        """The images that were pushed to a registry: by the record of them, else by what the registry holds.

        An image that has lost the tag of its commit is known by the version's own tag.
        """
        former = [image for each in self.found for image in each.manifest.pushed]
        recorded = [image for each in self._records for image in each.images] or former
        held = [image for each in self.images for image in each.released]
        return tuple({image.target: image for image in (*held, *recorded) if image.name == name}.values())

    @property
    def _records(self) -> tuple[PushRecord, ...]:
        """The records of what was pushed for the commit of the release."""
        return tuple(each for each in self.forge.records if each.commit == self.release.commit)

    @property
    def before(self) -> tuple[TagPosition, ...]:
        """Where floating tags pointed before the release, as far as a record on it says so; the first one decides."""
        positions = {(each.name, each.tag): each for record in reversed(self._records) for each in record.before}
        return tuple(positions.values())

    @property
    def empty(self) -> bool:
        """Whether every surface could be read, and none holds anything."""
        indexes = [each for each in (self.staging, self.index) if each is not None]
        held = [*self.forge.all, *(name for each in indexes for name in each.names)]
        held += [tag for each in self.images for tag in (*each.pushed, *each.fixed, *each.floating)]
        return not held and not self.errors


def take_inventory(
    release: Release,
    *,
    git: Git,
    forge: Forge,
    index: Index,
    staging: Index | None,
    plans: Sequence[ImagePlan] = (),
    own: OwnManifest,
) -> Inventory:
    """Read every surface. Only reads, and raises nothing that a surface raises: that surface is unknown.

    ``release`` is the release as this checkout knows it. Its commit is empty if the checkout lacks the tag.
    """
    indexes = [each for each in (index, staging) if each is not None]
    with ThreadPoolExecutor(max_workers=len(indexes) + 2, thread_name_prefix="surfaces") as pool:
        tag = pool.submit(_read_tag, git, release)
        on_forge = pool.submit(_read_forge, forge, release.tag, own.belief)
        contents = list(pool.map(partial(_read_index, release), indexes))
        content = on_forge.result()
        tagged = tag.result()
    found = _found_manifests(own, content, release.tag)
    commits = _commits(found, content, tagged)
    known = replace(release, commit=next(iter(commits), ""))
    at_commits = [_at(release, commit, git) for commit in commits]
    pairs = [(plan, registry) for plan in plans for registry in plan.registries]
    with ThreadPoolExecutor(max_workers=max(len(pairs), 1), thread_name_prefix="registries") as pool:
        images = tuple(pool.map(lambda pair: read_images(pair[0], pair[1], at_commits), pairs))
    return Inventory(
        release=known,
        tag=tagged,
        forge=content,
        index=contents[0],
        staging=contents[1] if staging is not None else None,
        images=images,
        found=found,
    )


def _read_tag(git: Git, release: Release) -> TagState:
    local = release.commit or None
    try:
        return TagState(local=local, remote=git.remote_tags().get(release.tag))
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return TagState(local=local, remote=None, error=error)


def _read_index(release: Release, index: Index) -> IndexContent:
    page = index.page.replace("{project}", release.project).replace("{version}", release.version)
    try:
        return IndexContent(name=index.name, page=page, holding=index.holding(release.project, release.version))
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return IndexContent(name=index.name, page=page, holding=None, error=error)


def _read_forge(forge: Forge, tag: str, belief: Belief) -> ForgeContent:
    try:
        content = _list_releases(forge, tag)
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return ForgeContent(error=error, hidden=error)
    for each in content.all:
        try:
            content = _with_documents(content, each, forge, tag, belief)
        except (Denied, Unknown) as error:
            content = replace(content, unread=error)
    return content


def _with_documents(
    content: ForgeContent, forge_release: ForgeRelease, forge: Forge, tag: str, belief: Belief
) -> ForgeContent:
    """Add the manifest and the record on a release. Raises `Denied`, `Unknown` if one cannot be read."""
    asset = find_asset(forge_release, manifests.NAME)
    if asset is not None and asset.uploaded:
        data = content_of(asset, forge)
        manifest = manifests.decode(data, where=asset.url)
        vouched, doubt = belief.assess(data, attached_signature(forge_release, manifests.NAME, forge))
        found = FoundManifest(manifest=manifest, where=forge_release.url, vouched=vouched, doubt=doubt)
        content = replace(content, found=(*content.found, found))
    held = read_record(forge_release, forge)
    if held is not None and held.record is None:
        what, step = f"cannot read {push_record.NAME} on this release", advice.RELEASE_IT_AGAIN()
        raise Unknown(what, where=forge_release.url, next_step=step, retryable=False)
    if held is not None and held.record is not None and held.record.tag == tag:
        content = replace(content, records=(*content.records, held.record))
    return content


def _list_releases(forge: Forge, tag: str) -> ForgeContent:
    """Read the public release as anyone sees it, and the drafts, which only a token with push access can see."""
    public = forge.public(tag)
    if not forge.has_token():
        hidden = Denied(
            "only a token with push access can see draft releases, and there is none",
            where=forge.address,
            next_step=advice.LOG_IN_TO_FORGE(),
        )
        return ForgeContent(public=public, hidden=hidden)
    try:
        return ForgeContent(public=public, drafts=tuple(each for each in forge.releases(tag) if each.draft))
    except (Denied, Unknown) as error:
        return ForgeContent(public=public, hidden=error)


def _found_manifests(own: OwnManifest, forge: ForgeContent, tag: str) -> tuple[FoundManifest, ...]:
    """Every manifest of this tag, the own one first. One of another tag says nothing about this release."""
    found = [*((FoundManifest(manifest=own.manifest, where=own.where, vouched=True),) if own.manifest else ())]
    return tuple(each for each in (*found, *forge.found) if each.manifest.tag == tag)


def _commits(found: Iterable[FoundManifest], forge: ForgeContent, tag: TagState) -> tuple[str, ...]:
    """Every commit that the release may be of, the most credible first."""
    named = [each.manifest.commit for each in sorted(found, key=lambda each: not each.vouched)]
    named += [each.target for each in forge.all]
    return tuple(dict.fromkeys(each for each in (*named, tag.local or "", tag.remote or "") if is_commit(each)))


def _at(release: Release, commit: str, git: Git) -> Release:
    """The release at one commit. A commit that this checkout lacks has no date: tags of dates are not found then."""
    try:
        date = git.date_of(commit)
    except (Interrupted, Internal):
        raise
    except UnmoorError:
        date = 0
    return replace(release, commit=commit, date=date)


def released_elsewhere(inventory: Inventory) -> str:
    """Say that the tag on the remote does not name the released commit, with both; empty if it does."""
    tag, commit = inventory.tag, inventory.release.commit
    name = clean(inventory.release.tag)
    if tag.error is not None or not commit or tag.remote == commit:
        return ""
    if tag.remote is None:
        return f"the tag {name} is not on the remote, but this release is of commit {commit}"
    return f"the tag {name} names commit {clean(tag.remote)} on the remote, but this release is of commit {commit}"
