"""What the stages of images share: names, tags, targets and labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.artifacts.oci import leg_tag
from unmoor.config.images import IMAGE_NAME, ImageSettings, TargetSettings
from unmoor.errors import ConfigError
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.products import Dists, Image, Release, Subject

DOCKERFILE = ImageSettings().dockerfile
LOCAL = "unmoor.local"
LABELS = "org.opencontainers.image."
VERSION = f"{LABELS}version"
REVISION = f"{LABELS}revision"
_FIXED = frozenset({VERSION, REVISION, f"{LABELS}created"})
_COMMIT_DIGITS = 12


class BuildTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a Dockerfile (empty: the last one), the suffix of its tags, and its own floating tag."""

    stage: str
    suffix: str = ""
    floating: str = ""


def configured_images(settings: Sequence[ImageSettings], files: Collection[str]) -> tuple[ImageSettings, ...]:
    """Return the configured images; if there are none, one for the Dockerfile if the project has one, else none."""
    if settings:
        return tuple(settings)
    return (ImageSettings(),) if DOCKERFILE in files else ()


def with_project_names(images: Sequence[ImageSettings], repository: str, project: str) -> tuple[ImageSettings, ...]:
    """Name the images of a project in a subfolder: those without a name get ``ghcr.io/REPOSITORY/PROJECT``."""
    name = f"ghcr.io/{repository.lower()}/{canonicalize_name(project)}"
    return tuple(each if each.name else replace(each, name=name) for each in images)


def targets_of(settings: ImageSettings) -> tuple[BuildTarget, ...]:
    """Return the targets of an image, in the order of the settings."""
    targets = {
        stage: TargetSettings(suffix=each) if isinstance(each, str) else each
        for stage, each in settings.targets.items()
    }
    return tuple(
        BuildTarget(stage=stage, suffix=each.suffix, floating=each.floating) for stage, each in targets.items()
    ) or (BuildTarget(stage=""),)


def names_of(settings: ImageSettings, repository: str) -> tuple[str, ...]:
    """Return every name of an image, its own first. Raises `ConfigError` if the repository's name is not valid."""
    name = settings.name or f"ghcr.io/{repository.lower()}"
    if (not repository and not settings.name) or not re.match(IMAGE_NAME, name):
        raise ConfigError(f"{repository!r} is not a valid image name", next_step=advice.NAME_THE_IMAGE())
    return tuple(dict.fromkeys((name, *settings.mirrors)))


def commit_tag(release: Release, suffix: str = "") -> str:
    """Return the tag under which images of a commit are pushed: ``sha-``, 12 digits, and the target's suffix."""
    return f"sha-{release.commit[:_COMMIT_DIGITS]}{suffix}"


def local_name(name: str, release: Release, suffix: str, platform: str, *, prefix: str = LOCAL) -> str:
    """Return the name of an image on this machine's engine, which no registry has."""
    return f"{prefix}/{name.replace(':', '-')}:{leg_tag(commit_tag(release, suffix), platform)}"


def subject_of(image: Image) -> Subject:
    """Return the subject that stands for an image in a proof: the digest of its configuration."""
    from unmoor.products import Subject

    return Subject(name=f"{image.name}:{image.target} {image.platform}", sha256=image.id.removeprefix("sha256:"))


def labels_of(release: Release, dists: Dists, own: Mapping[str, str], *, site: str, base: str) -> dict[str, str]:
    """Return the OCI labels of a release, and the project's own labels.

    ``site`` is the root URL of the forge's pages, ``base`` the base image. The project cannot override the
    labels that tie an image to its release. Source: the OCI image specification, "Pre-Defined Annotation Keys".
    """
    from unmoor.dists.inspect import read_metadata  # most users of this module only need names

    metadata = read_metadata(dists.files[0].path) if dists.files else None
    name, _, digest = base.partition("@")
    values = {
        "version": release.version,
        "revision": release.commit,
        "created": datetime.fromtimestamp(release.date, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": f"{site.rstrip('/')}/{release.repository}",
        "title": release.project,
        "description": clean(metadata.summary, 500) if metadata else "",
        "licenses": clean(metadata.license, 200) if metadata else "",
        "base.name": "" if name == "scratch" else name,
        "base.digest": digest,
    }
    labels = {f"{LABELS}{label}": value for label, value in values.items() if value}
    return labels | {label: value for label, value in own.items() if label not in _FIXED}
