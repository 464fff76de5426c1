"""Select the images of a run. Images that cannot be built here are left out, which the run says and reports."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.cli import output
from unmoor.config.images import ImageSettings
from unmoor.config.registries import with_registries
from unmoor.config.settings import Settings
from unmoor.core.events import LeftOut
from unmoor.errors import ConfigError, ToolMissing, UnmoorError
from unmoor.images import image_names
from unmoor.ports.engine import Engine
from unmoor.ports.git import Git
from unmoor.ports.system import System
from unmoor.ports.world import World
from unmoor.project import read_facts
from unmoor.util.secret import Secret
from unmoor.util.text import clean


class ImageSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The images that a run builds and releases, and those that it leaves out."""

    images: tuple[ImageSettings, ...]
    left_out: tuple[LeftOut, ...] = ()

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
        return ImageSelection(images=(), left_out=(LeftOut(what="images", why="as requested"),))
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


def skip_unbuildable(selection: ImageSelection, world: World, engine: Engine | None, system: System) -> ImageSelection:
    """Leave out optional images if there is no engine.

    A rehearsal also leaves out all images if the system releases none, and images of registries that the world lacks.
    If the command builds no images, ``engine`` is ``None`` and no engine is contacted.
    """
    images: list[ImageSettings] = []
    left_out = list(selection.left_out)
    known = {place.host for place in world.registries}
    for image in selection.images:
        name = image_names.names_of(image, world.forge.repository)[0]
        unknown = [host for host in registry_hosts((image,), world.forge.repository) if host not in known]
        if world.rehearsal and engine is not None and system.why_no_images:
            left_out.append(LeftOut(what=f"the image {name}", why=system.why_no_images))
        elif world.rehearsal and unknown:
            why = f"this world has no registry for {', '.join(unknown)}"
            left_out.append(LeftOut(what=f"the image {name}", why=why))
        elif engine is not None and image.optional and (why := _why_no_engine(engine)):
            left_out.append(LeftOut(what=f"the optional image {name}", why=why))
        else:
            images.append(image)
    return ImageSelection(images=tuple(images), left_out=tuple(left_out))


def refuse_unused_legs(selection: ImageSelection, legs: Sequence[Path], system: System) -> None:
    """Raise `ToolMissing` if legs hand over images that are left out because the system releases none."""
    if legs and selection.left_out and not selection.images and system.why_no_images:
        raise ToolMissing(
            f"a leg hands over images, but {system.why_no_images}",
            where=str(legs[0]),
            next_step=advice.RELEASE_IMAGES_ON_LINUX(),
        )


def forget_images(engine: Engine, prefix: str) -> None:
    """Remove the images under a prefix from the engine, and warn if that fails."""
    try:
        engine.forget(prefix)
    except ToolMissing:
        pass  # without an engine there are no images; the stage that builds them reports it
    except UnmoorError as error:
        output.err(f"warning: could not remove the images named {prefix}/… from the container engine: {error}")


def _why_no_engine(engine: Engine) -> str:
    """Return why no engine can be used, empty if one can."""
    try:
        engine.facts()
    except ToolMissing as error:
        return error.what
    return ""
