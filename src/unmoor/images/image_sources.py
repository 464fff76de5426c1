"""Find the images of a release that exist already: on the engine, in kept archives, or on a registry.

An image counts only if it has the digest that was recorded when it was built; a name proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.errors import Conflict, ToolMissing
from unmoor.images import image_names
from unmoor.images.archive_names import require_local_names
from unmoor.images.dockerfile import Dockerfile
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import commit_tags, read_remote
from unmoor.images.image_record import ImageRecord
from unmoor.ports.engine import Engine, ImageFacts
from unmoor.ports.registry import Registry
from unmoor.products import Image, Release


class ImageBuild(msgspec.Struct, frozen=True, kw_only=True):
    """One image to build: its settings, the Dockerfile, the target and the platform."""

    name: str
    settings: ImageSettings
    dockerfile: Dockerfile
    target: BuildTarget
    platform: str
    local: str

    def __str__(self) -> str:
        return f"{self.target.stage or self.dockerfile.path} for {self.platform}"


class ImageSources(msgspec.Struct, frozen=True, kw_only=True):
    """Where recorded images may be: the engine, then ``archives``, then ``registries``."""

    engine: Engine
    archives: tuple[Path, ...]
    registries: tuple[Registry, ...]
    repository: str

    def held(self, recorded: ImageRecord, wanted: Iterable[ImageBuild], release: Release) -> Mapping[str, Image]:
        """Return the recorded images that exist, by their local names.

        Raises `Conflict` if the engine has another image under a name, `ToolMissing` if there is neither an
        engine nor a registry to ask, and `Unknown`.
        """
        known = {(image.name, image.target, image.platform): image for image in recorded.images}
        named = {each.local: (each, known.get((each.name, each.target.stage, each.platform))) for each in wanted}
        sought = {local: (each, image) for local, (each, image) in named.items() if image is not None}
        facts = self._facts(sought)
        return {
            local: image
            for local, (each, image) in sought.items()
            if self._is_right(local, image, facts[local], release) or self._is_pushed(image, each, release)
        }

    def _facts(self, names: Iterable[str]) -> Mapping[str, ImageFacts | None]:
        """Look each name up on the engine; if it lacks one, load the archives first."""
        try:
            facts = {name: self.engine.look(name) for name in names}
            archives = [path for path in self.archives if path.is_file()]
            if not archives or all(facts.values()):
                return facts
            for archive in archives:
                require_local_names(archive)
                self.engine.load(archive)
            return {name: self.engine.look(name) for name in names}
        except ToolMissing:
            # Without an engine, only a registry can have them.
            if not self.registries:
                raise
            return dict.fromkeys(names)

    def _is_right(self, local: str, image: Image, facts: ImageFacts | None, release: Release) -> bool:
        if facts is None:
            return False
        if facts.id != image.id:
            raise Conflict(
                f"{local} is {facts.id}, but {image.id} was recorded when it was built",
                next_step=advice.REMOVE_IMAGE_AND_RECORD(),
            )
        return facts.labels.get(image_names.REVISION) == release.commit

    def _is_pushed(self, image: Image, wanted: ImageBuild, release: Release) -> bool:
        """Whether a registry holds an image under its commit tag, by the digest of its configuration or manifest."""
        for registry in self.registries:
            if registry.name not in image_names.names_of(wanted.settings, self.repository):
                continue
            for tag in commit_tags(release, wanted.target):
                for reference in (tag, oci.leg_tag(tag, wanted.platform)):
                    remote = read_remote(registry, reference)
                    if remote is not None and remote.has(image):
                        return True
        return False
