"""What the stages that bring images to registries have in common: lines, tags, and whether an image is the same.

An image is the same where its configuration is: a registry may hold other layers' bytes of it (packed
by another engine), and an index may stand over it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from packaging.version import Version

from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.errors import ConfigError, Conflict, Unknown
from unmoor.images import tags as image_tags
from unmoor.images.annotate import labels_of
from unmoor.images.image_names import BuildTarget, commit_tag, names_of, targets_of
from unmoor.images.tags.floating import series
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Image, PushedImage, Release
from unmoor.util.text import clean
from unmoor.versioning import pep440

_VERSION_LABEL = "org.opencontainers.image.version"
_NUMBER = re.compile(r"[0-9]")
# A version that nobody releases, to tell the tags that do not name one.
_NO_VERSION = "0.0.0"


@dataclass(frozen=True, kw_only=True)
class PlannedTags:
    """The tags of one target: those that name this one image for ever, and those that move from release to release."""

    fixed: tuple[str, ...]
    floating: tuple[str, ...]


Planner = Callable[[Release, BuildTarget], PlannedTags]
"""Says under which tags a target of a release is published. Raises `ConfigError`."""


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """One configured image: the registries it goes to (the first gives it its name), its targets and platforms."""

    registries: tuple[Registry, ...]
    targets: tuple[BuildTarget, ...]
    platforms: tuple[str, ...]
    planner: Planner

    @property
    def name(self) -> str:
        """What `Image.name` says."""
        return self.registries[0].name


def image_plans(
    settings: Sequence[ImageSettings], repository: str, opened: Callable[[str], Registry]
) -> tuple[ImagePlan, ...]:
    """Put together what is configured; ``opened`` gives the registry behind an image's name. Raises `ConfigError`."""
    return tuple(
        ImagePlan(
            registries=tuple(opened(name) for name in names_of(each, repository)),
            targets=targets_of(each),
            platforms=tuple(dict.fromkeys(map(oci.plain_platform, each.platforms))),
            planner=planner(each),
        )
        for each in settings
    )


def registries(lines: Iterable[ImagePlan]) -> tuple[Registry, ...]:
    """Every repository that is pushed to, each once, in the order of the settings."""
    return tuple({registry.name: registry for line in lines for registry in line.registries}.values())


def planner(settings: ImageSettings) -> Planner:
    """Plan by an image's rules. Times in them are the commit's: the same release has the same tags on every day."""

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
            # There it follows the branch, and no release moves it.
            floating = tuple(tag for tag in floating if tag != f"latest{target.suffix}")
        if target.floating:
            # Its own floating tag stands for "latest" with a suffix.
            kept = (tag for tag in floating if tag != f"latest{target.suffix}")
            floating = tuple(dict.fromkeys((*kept, target.floating)))
        for tag in (*fixed, *floating):
            if not oci.is_tag(tag):
                raise ConfigError(
                    f"{clean(tag, 140)!r} is not a tag that a registry takes",
                    where="tool.unmoor.image.tags",
                    next_step="shorten the rule's pattern or the target's suffix: 128 characters are the most",
                )
        return PlannedTags(fixed=fixed, floating=floating)

    return planned


def commit_only(line: ImagePlan, release: Release, target: BuildTarget) -> frozenset[str]:
    """The fixed tags that name the commit and no version: another release of the same commit has them, too."""
    other = replace(release, tag=f"v{_NO_VERSION}", prefix="", version=_NO_VERSION)
    return frozenset(line.planner(release, target).fixed) & frozenset(line.planner(other, target).fixed)


def why_not_ours(line: ImagePlan, release: Release, target: BuildTarget, tag: str, published: Sequence[str]) -> str:
    """Why a floating tag is not this release's to take; the empty text where it is.

    ``published`` are the registry's tags: those that this line's own rules would give to a version
    say which versions are there.
    """
    version = pep440.read_tag(release.bare_tag)
    if version.is_prerelease:
        return f"{tag} stays: {release.version} is a prerelease"
    there = _published(line, release, target, published)
    if not image_tags.may_move(tag, version, (version, *there.values())):
        highest = max(there.values(), default=version)
        return f"{tag} stays: a higher version than {release.version} is published ({highest})"
    if series(tag, version) is None and not release.highest:
        return f"{tag} stays: a higher version than {release.version} is published"
    return ""


def _published(line: ImagePlan, release: Release, target: BuildTarget, tags: Sequence[str]) -> Mapping[str, Version]:
    """The versions whose own tags are on the registry."""
    start = "v" if release.bare_tag.startswith("v") else ""
    found = {}
    for tag in frozenset(tags) - commit_only(line, release, target):
        digit = _NUMBER.search(tag)
        core = tag[digit.start() :].removesuffix(target.suffix) if digit and tag.endswith(target.suffix) else ""
        version = pep440.parse(core) if core else None
        if version is None or version.is_prerelease or version.local:
            continue
        other = replace(release, tag=f"{start}{version}", prefix="", version=str(version), prerelease=False)
        if pep440.is_release_tag(other.tag) and tag in line.planner(other, target).fixed:
            found[tag] = version
    return found


@dataclass(frozen=True, kw_only=True)
class RemoteImage:
    """What a registry holds under a tag: its manifest, and each platform's digest and configuration."""

    manifest: OciManifest
    platforms: tuple[tuple[str, str], ...]
    configs: tuple[str, ...]

    def is_of(self, images: Sequence[Image]) -> bool:
        """Whether these are the images, no more and no fewer. An engine may call an image by its manifest's digest."""
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
    """See what lies under a tag or digest, ``None`` where there is nothing. Raises as the registry does."""
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
    """The configuration of one image of an index, the empty text where the image itself is gone."""
    manifest = registry.manifest(digest)
    if manifest is None:
        return ""
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {digest}")
    return document.config.digest if isinstance(document, oci.ImageManifest) else ""


def require_image(
    seen: RemoteImage, images: Sequence[Image], registry: Registry, tag: str, advice: str, *, retryable: bool = False
) -> None:
    """Raise `Conflict`, naming both digests, where a tag holds other images than these."""
    if not seen.is_of(images):
        there = ", ".join(each or "nothing" for each in seen.configs)
        ours = ", ".join(image.id for image in images)
        raise Conflict(
            f"{clean(tag)} is another image there: {seen.manifest.digest} (of {there}), and ours is of {ours}",
            where=registry.name,
            next_step=advice,
            retryable=retryable,
        )


def under_commit(
    registry: Registry, release: Release, target: BuildTarget, images: Sequence[Image]
) -> tuple[str, RemoteImage | None]:
    """The tag of the commit, and what is there.

    Where another version of the same commit (a release candidate, say) has taken the plain one, it
    is the tag with the version in it.
    """
    plain = commit_tag(release, target.suffix)
    seen = read_remote(registry, plain)
    if seen is None or seen.is_of(images) or version_of(registry, seen) in {"", release.version}:
        return plain, seen
    version = re.sub(r"[^A-Za-z0-9._-]+", "-", release.version)
    own = commit_tag(release, f"-{version}{target.suffix}")
    return own, read_remote(registry, own)


def version_of(registry: Registry, seen: RemoteImage) -> str:
    """The version that an image calls itself by its label, the empty text where it says none."""
    config = seen.configs[0] if seen.configs else ""
    return labels_of(registry, config).get(_VERSION_LABEL, "") if config else ""


def product(
    registry: Registry, target: BuildTarget, tag: str, seen: RemoteImage, platforms: Sequence[str]
) -> PushedImage:
    """What is there, as a product."""
    named = tuple((platform or platforms[0], digest) for platform, digest in seen.platforms)
    return PushedImage(
        name=registry.name, target=target.stage, tag=tag, digest=seen.manifest.digest, platforms=tuple(sorted(named))
    )


def tags_by_digest(registry: Registry, digest: str) -> OciManifest:
    """A manifest that was seen before. Raises `Unknown` where it is gone."""
    manifest = registry.manifest(digest)
    if manifest is None:
        raise Unknown(f"{digest} is no longer there", where=registry.name)
    return manifest
