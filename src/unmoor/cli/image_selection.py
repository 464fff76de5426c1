"""Select the images of a run. Images that cannot be built here are skipped, with a warning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.config.registries import with_registries
from unmoor.config.settings import Settings
from unmoor.errors import ConfigError, ToolMissing
from unmoor.images import image_names
from unmoor.ports.engine import Engine
from unmoor.ports.git import Git
from unmoor.ports.world import World
from unmoor.project import read_facts
from unmoor.util.secret import Secret
from unmoor.util.text import clean


class ImageSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The images that a run builds and releases. ``skipped`` has one warning for each image that it does not."""

    images: tuple[ImageSettings, ...]
    skipped: tuple[str, ...] = ()

    @property
    def secrets(self) -> Mapping[str, Secret]:
        """The build secrets that the images name, with their values in the environment of this process."""
        names = {name for image in self.images for name in image.secrets}
        return {name: Secret(os.environ[name]) for name in sorted(names) if name in os.environ}


def registry_hosts(images: tuple[ImageSettings, ...], repository: str) -> tuple[str, ...]:
    """Return the hosts of the registries that the images go to, each once. Raises `ConfigError` for an invalid name."""
    names = [name for image in images for name in image_names.names_of(image, repository)]
    return tuple(dict.fromkeys(oci.ImageName.parse(name).host for name in names))


def select_configured(
    settings: Settings, git: Git, commit: str | None, *, repository: str, without: bool
) -> ImageSelection:
    """Select the images in the settings, or the one image of the Dockerfile. Select none if ``without``.

    Below the top of a repository, the name of an image contains the name of its project.
    """
    images = image_names.configured_images(settings.image, git.files(commit) if commit else ())
    if git.path and commit and not all(image.name for image in images):
        project = settings.project or read_facts(partial(git.read, commit)).name
        images = image_names.with_project_names(images, repository, project)
    if images and without:
        return ImageSelection(images=(), skipped=("skipping images, as requested",))
    return ImageSelection(images=images)


def require_platforms(selection: ImageSelection, platforms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the platforms as the images spell them, each once. Raises `ConfigError` for one that no image has."""
    known = {oci.plain_platform(each): each for image in selection.images for each in image.platforms}
    for platform in platforms:
        if known and oci.plain_platform(platform) not in known:
            raise ConfigError(
                f"no image has the platform {clean(platform, 60)!r}; the platforms are {', '.join(known.values())}",
                next_step=advice.NAME_A_PLATFORM(),
            )
    return tuple(dict.fromkeys(known.get(oci.plain_platform(each), each) for each in platforms))


def with_registries_of(world: World, selection: ImageSelection) -> World:
    """Return the world with an entry for every registry that the images go to."""
    return with_registries(world, registry_hosts(selection.images, world.forge.repository), os.environ)


def skip_unbuildable(selection: ImageSelection, world: World, engine: Engine | None) -> ImageSelection:
    """Skip optional images if there is no engine and, in a rehearsal, images of registries that the world lacks.

    If the command builds no images, ``engine`` is ``None`` and no engine is contacted.
    """
    images: list[ImageSettings] = []
    skipped = list(selection.skipped)
    known = {place.host for place in world.registries}
    for image in selection.images:
        name = image_names.names_of(image, world.forge.repository)[0]
        unknown = [host for host in registry_hosts((image,), world.forge.repository) if host not in known]
        if world.rehearsal and unknown:
            skipped.append(f"skipping the image {name}: this world has no registry for {', '.join(unknown)}")
        elif engine is not None and image.optional and (why := _why_no_engine(engine)):
            skipped.append(f"skipping the optional image {name}: {why}")
        else:
            images.append(image)
    return ImageSelection(images=tuple(images), skipped=tuple(skipped))


def _why_no_engine(engine: Engine) -> str:
    """Return why no engine can be used, empty if one can."""
    try:
        engine.facts()
    except ToolMissing as error:
        return error.what
    return ""
