"""Which images a run is about, and which are left out here, aloud."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

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


@dataclass(frozen=True, kw_only=True)
class ImageSelection:
    """The images of a project that a run brings about, and the reasons for those that it leaves out."""

    images: tuple[ImageSettings, ...]
    left_out: tuple[str, ...] = ()

    @property
    def secrets(self) -> Mapping[str, Secret]:
        """The values of the build secrets that the images name, from our own environment."""
        names = {name for image in self.images for name in image.secrets}
        return {name: Secret(os.environ[name]) for name in sorted(names) if name in os.environ}


def hosts_of(images: tuple[ImageSettings, ...], repository: str) -> tuple[str, ...]:
    """Every registry that the images go to, each once. Raises `ConfigError` for a name that is none."""
    names = [name for image in images for name in image_names.names_of(image, repository)]
    return tuple(dict.fromkeys(oci.ImageName.parse(name).host for name in names))


def configured(settings: Settings, git: Git, commit: str | None, *, repository: str, without: bool) -> ImageSelection:
    """The images that a project names, or the one that its Dockerfile makes.

    Below the top of a repository the project's own name tells its images from those of its neighbours.
    """
    images = image_names.configured_images(settings.image, git.files(commit) if commit else ())
    if git.path and commit and not all(image.name for image in images):
        project = settings.project or read_facts(partial(git.read, commit)).name
        images = image_names.with_project_names(images, repository, project)
    if images and without:
        return ImageSelection(images=(), left_out=("images are left out, as asked",))
    return ImageSelection(images=images)


def for_platforms(wanted: ImageSelection, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The platforms that were asked for, as the images spell them. Raises `ConfigError` for one that none has."""
    known = {oci.plain_platform(each): each for image in wanted.images for each in image.platforms}
    for platform in asked:
        if known and oci.plain_platform(platform) not in known:
            raise ConfigError(
                f"no image is for the platform {clean(platform, 60)!r}, only for {', '.join(known.values())}",
                next_step="name one of them, or add it to platforms in [[tool.unmoor.image]]",
            )
    return tuple(dict.fromkeys(known.get(oci.plain_platform(each), each) for each in asked))


def reached(world: World, wanted: ImageSelection) -> World:
    """The world with a place for every registry that is needed."""
    return with_registries(world, hosts_of(wanted.images, world.forge.repository), os.environ)


def possible(wanted: ImageSelection, world: World, engine: Engine | None) -> ImageSelection:
    """Leave out what cannot be done here and may be left out: optional images where there is no engine.

    In a rehearsal's world also the images of registries that it does not have. Who makes no image
    gives no ``engine``, and none is asked.
    """
    kept: list[ImageSettings] = []
    left = list(wanted.left_out)
    known = {place.host for place in world.registries}
    for image in wanted.images:
        name = image_names.names_of(image, world.forge.repository)[0]
        strangers = [host for host in hosts_of((image,), world.forge.repository) if host not in known]
        if world.rehearsal and strangers:
            left.append(f"{name} is left out: this world has no registry for {', '.join(strangers)}")
        elif engine is not None and image.optional and (why := _no_engine(engine)):
            left.append(f"{name} is optional, and left out: {why}")
        else:
            kept.append(image)
    return ImageSelection(images=tuple(kept), left_out=tuple(left))


def _no_engine(engine: Engine) -> str:
    try:
        engine.facts()
    except ToolMissing as error:
        return error.what
    return ""
