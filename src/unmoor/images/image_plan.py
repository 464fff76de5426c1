"""What the stages that push and tag images share: plans, tags, and whether two images are the same.

Two images are the same if they have the same configuration. Their layers may be compressed by another
engine, and an index may be put over them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.errors import ConfigError, Conflict, Incomplete, Unknown
from unmoor.images import tags as image_tags
from unmoor.images.annotate import labels_of
from unmoor.images.image_names import BuildTarget, commit_tag, names_of, targets_of
from unmoor.images.tags.floating import series
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Image, Images, PushedImage, Release
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440

_VERSION_LABEL = "org.opencontainers.image.version"
_NUMBER = re.compile(r"[0-9]")
# A version that nobody releases: tags that stay the same with it do not name a version.
_NO_VERSION = "0.0.0"


class PlannedTags(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of one target: fixed ones name this image for good, floating ones move from release to release."""

    fixed: tuple[str, ...]
    floating: tuple[str, ...]


Planner = Callable[[Release, BuildTarget], PlannedTags]
"""Decides under which tags a target of a release is published. Raises `ConfigError`."""


class ImagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One configured image: the registries it goes to (the first gives it its name), its targets and platforms.

    ``optional``: a machine without a container engine leaves it out.
    """

    registries: tuple[Registry, ...]
    targets: tuple[BuildTarget, ...]
    platforms: tuple[str, ...]
    planner: Planner
    optional: bool = False

    @property
    def name(self) -> str:
        """The value of `Image.name`."""
        return self.registries[0].name

    def images_of(self, target: BuildTarget, images: Images) -> dict[str, Image]:
        """The images of one target by their platform, in the order of the plan's platforms."""
        mine = {
            oci.plain_platform(image.platform): image
            for image in images.images
            if (str(oci.ImageName.parse(image.name)), image.target) == (self.name, target.stage)
        }
        return {platform: mine[platform] for platform in self.platforms if platform in mine}

    def every_image_of(self, target: BuildTarget, images: Images) -> tuple[Image, ...]:
        """The images of one target, one for each platform. Raises `Incomplete` if one was not built."""
        mine = self.images_of(target, images)
        missing = [platform for platform in self.platforms if platform not in mine]
        if missing:
            raise Incomplete(
                f"{target.stage or 'the image'} was not built for {', '.join(missing)}: nothing is pushed",
                where=self.name,
                next_step=advice.BUILD_EVERY_PLATFORM(),
                retryable=False,
            )
        return tuple(mine.values())


def image_plans(
    settings: Sequence[ImageSettings], repository: str, opened: Callable[[str], Registry]
) -> tuple[ImagePlan, ...]:
    """Plan the configured images; ``opened`` returns the registry behind an image's name. Raises `ConfigError`."""
    return tuple(
        ImagePlan(
            registries=tuple(opened(name) for name in names_of(each, repository)),
            targets=targets_of(each),
            platforms=tuple(dict.fromkeys(map(oci.plain_platform, each.platforms))),
            planner=planner(each),
            optional=each.optional,
        )
        for each in settings
    )


def registries(plans: Iterable[ImagePlan]) -> tuple[Registry, ...]:
    """Return every repository that is pushed to, each once, in the order of the settings."""
    return tuple({registry.name: registry for plan in plans for registry in plan.registries}.values())


def planner(settings: ImageSettings) -> Planner:
    """Return a planner for an image's rules. Times are the commit's, so a release has the same tags on every day."""

    def planned(release: Release, target: BuildTarget) -> PlannedTags:
        context = image_tags.TagContext(
            ref=f"refs/tags/{release.bare_tag}",
            sha=release.commit,
            event="push",
            now=datetime.fromtimestamp(release.date, UTC),
            commit_date=datetime.fromtimestamp(release.date, UTC),
        )
        plan = image_tags.plan(settings.tags, settings.flavor.splitlines(), (), context)
        fixed = tuple(f"{tag}{target.suffix}" for tag in plan.fixed)
        floating = tuple(f"{tag}{target.suffix}" for tag in plan.floating)
        if settings.latest_on_default_branch:
            # Then "latest" follows the default branch, and no release moves it.
            floating = tuple(tag for tag in floating if tag != f"latest{target.suffix}")
        if target.floating:
            # The target's own floating tag replaces "latest" with a suffix.
            kept = (tag for tag in floating if tag != f"latest{target.suffix}")
            floating = tuple(dict.fromkeys((*kept, target.floating)))
        for tag in (*fixed, *floating):
            if not oci.is_tag(tag):
                raise ConfigError(
                    f"{clean(tag, 140)!r} is not a valid tag",
                    where="tool.unmoor.image.tags",
                    next_step=advice.SHORTEN_TAG(),
                )
        return PlannedTags(fixed=fixed, floating=floating)

    return planned


def commit_only(plan: ImagePlan, release: Release, target: BuildTarget) -> frozenset[str]:
    """Return the fixed tags that name the commit but no version: another release of the commit has them, too."""
    other = replace(release, tag=f"v{_NO_VERSION}", prefix="", version=_NO_VERSION)
    return frozenset(plan.planner(release, target).fixed) & frozenset(plan.planner(other, target).fixed)


def why_not_ours(plan: ImagePlan, release: Release, target: BuildTarget, tag: str, published: Sequence[str]) -> str:
    """Return why a floating tag does not belong to this release; empty if it does.

    ``published`` are the registry's tags. Those that this plan's rules would give to a version show which
    versions are published.
    """
    version = pep440.read_tag(release.bare_tag)
    if version.is_prerelease:
        return f"{tag} stays: {release.version} is a prerelease"
    there = _published(plan, release, target, published)
    if not image_tags.may_move(tag, version, (version, *there.values())):
        highest = max(there.values(), default=version)
        return f"{tag} stays: a higher version than {release.version} is published ({highest})"
    if series(tag, version) is None and not release.highest:
        return f"{tag} stays: a higher version than {release.version} is published"
    return ""


def other_versions(
    plan: ImagePlan, release: Release, target: BuildTarget, tag: str, published: Sequence[str]
) -> Mapping[str, Version]:
    """Return the other versions that a floating tag of this target may point at, by their own tags.

    ``published`` are the registry's tags. It is empty if the tag is not one of this target.
    """
    if tag not in plan.planner(release, target).floating:
        return {}
    ours = pep440.parse(release.version)
    return {
        own: version
        for own, version in _published(plan, release, target, published).items()
        if version != ours and tag in plan.planner(_release_of(release, version), target).floating
    }


def _published(plan: ImagePlan, release: Release, target: BuildTarget, tags: Sequence[str]) -> Mapping[str, Version]:
    """Return the versions whose own tags are on the registry, by tag."""
    found = {}
    for tag in frozenset(tags) - commit_only(plan, release, target):
        digit = _NUMBER.search(tag)
        core = tag[digit.start() :].removesuffix(target.suffix) if digit and tag.endswith(target.suffix) else ""
        version = pep440.parse(core) if core else None
        if version is None or version.is_prerelease or version.local:
            continue
        other = _release_of(release, version)
        if pep440.is_release_tag(other.tag) and tag in plan.planner(other, target).fixed:
            found[tag] = version
    return found


def _release_of(release: Release, version: Version) -> Release:
    """Return the release that another version of the project would be."""
    start = "v" if release.bare_tag.startswith("v") else ""
    return replace(release, tag=f"{start}{version}", prefix="", version=str(version), prerelease=False)


class RemoteImage(msgspec.Struct, frozen=True, kw_only=True):
    """The image that a registry holds under a tag: its manifest, and each platform's digest and configuration."""

    manifest: OciManifest
    platforms: tuple[tuple[str, str], ...]
    configs: tuple[str, ...]

    def has(self, image: Image) -> bool:
        """Whether one of its platforms is this image, by its configuration or its manifest."""
        return bool(self.digest_of(image))

    def digest_of(self, image: Image) -> str:
        """The digest of the platform that is this image, empty if none is."""
        mine = oci.plain_platform(image.platform)
        pairs = zip(self.platforms, self.configs, strict=True)
        return next(
            (
                digest
                for (platform, digest), config in pairs
                if platform in {"", mine} and image.id in {digest, config, self.manifest.digest}
            ),
            "",
        )

    def has_lost_some_of(self, images: Sequence[Image]) -> bool:
        """Whether it is an index over exactly these platforms, which lost some of these images and has no other."""
        known = dict(zip((platform for platform, _ in self.platforms), self.configs, strict=True))
        wanted = {oci.plain_platform(image.platform): image for image in images}
        return (
            known.keys() == wanted.keys()
            and not all(known.values())
            and all(self.has(wanted[platform]) for platform, config in known.items() if config)
        )

    def is_of(self, images: Sequence[Image]) -> bool:
        """Whether it consists of exactly these images. An engine may use the manifest's digest as an image's id."""
        if len(images) != len(self.platforms):
            return False
        wanted = sorted((oci.plain_platform(image.platform), image.id) for image in images)
        known = [
            (platform or wanted[0][0], {digest, config, self.manifest.digest})
            for (platform, digest), config in zip(self.platforms, self.configs, strict=True)
        ]
        return all(
            platform == other and id_ in ids
            for (platform, id_), (other, ids) in zip(wanted, sorted(known, key=lambda each: each[0]), strict=True)
        )


def read_remote(registry: Registry, reference: str) -> RemoteImage | None:
    """Read the image under a tag or digest; ``None`` if there is none. Raises what the registry raises."""
    manifest = registry.manifest(reference)
    if manifest is None:
        return None
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {reference}")
    if isinstance(document, oci.ImageManifest):
        return RemoteImage(manifest=manifest, platforms=(("", manifest.digest),), configs=(document.config.digest,))
    platforms = tuple(sorted(document.images.items()))
    return RemoteImage(
        manifest=manifest, platforms=platforms, configs=tuple(_config(registry, digest) for _, digest in platforms)
    )


def _config(registry: Registry, digest: str) -> str:
    """Return the digest of the configuration of one image of an index; empty if the image is gone."""
    manifest = registry.manifest(digest)
    if manifest is None:
        return ""
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {digest}")
    return document.config.digest if isinstance(document, oci.ImageManifest) else ""


def require_image(
    remote: RemoteImage,
    images: Sequence[Image],
    registry: Registry,
    tag: str,
    step: NextStep,
    *,
    retryable: bool = False,
) -> None:
    """Raise `Conflict`, naming both digests, if a tag holds other images than these."""
    if not remote.is_of(images):
        there = ", ".join(each or "nothing" for each in remote.configs)
        ours = ", ".join(image.id for image in images)
        raise Conflict(
            f"{clean(tag)} is another image: {remote.manifest.digest} (of {there}), but this release's is of {ours}",
            where=registry.name,
            next_step=step,
            retryable=retryable,
        )


def commit_tags(release: Release, target: BuildTarget) -> tuple[str, str]:
    """Return the tags under which an image may be pushed: of the commit alone, and with the version in it."""
    version = re.sub(r"[^A-Za-z0-9._-]+", "-", release.version)
    return commit_tag(release, target.suffix), commit_tag(release, f"-{version}{target.suffix}")


def read_commit_tag(
    registry: Registry, release: Release, target: BuildTarget, images: Sequence[Image]
) -> tuple[str, RemoteImage | None]:
    """Return the tag of the commit, and the image under it.

    If another version of the same commit (such as a release candidate) has the plain tag, this is the tag
    with the version in it.
    """
    plain, own = commit_tags(release, target)
    remote = read_remote(registry, plain)
    if remote is None or remote.is_of(images) or version_of(registry, remote) in {"", release.version}:
        return plain, remote
    return own, read_remote(registry, own)


def version_of(registry: Registry, remote: RemoteImage) -> str:
    """Return the version in an image's label; empty if it has none."""
    config = remote.configs[0] if remote.configs else ""
    return labels_of(registry, config).get(_VERSION_LABEL, "") if config else ""


def product(
    registry: Registry, target: BuildTarget, tag: str, remote: RemoteImage, platforms: Sequence[str]
) -> PushedImage:
    """Return the image on the registry as a product."""
    named = tuple((platform or platforms[0], digest) for platform, digest in remote.platforms)
    return PushedImage(
        name=registry.name, target=target.stage, tag=tag, digest=remote.manifest.digest, platforms=tuple(sorted(named))
    )


def manifest_by_digest(registry: Registry, digest: str) -> OciManifest:
    """Read a manifest that was there before. Raises `Unknown` if it is gone."""
    manifest = registry.manifest(digest)
    if manifest is None:
        raise Unknown(f"{digest} is no longer there", where=registry.name)
    return manifest
