"""The stage ``sbom-images``: list what is in each image, with syft if the user has it, beside the tests of the images.

The manifest does not list these, as it lists no image: the signature beside the image on its registry vouches for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.artifacts.files import describe_file
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Build, Output, StageContext
from unmoor.errors import Interrupted, UnmoorError
from unmoor.images.saved import archive_of, is_here, title
from unmoor.ports.engine import Engine
from unmoor.ports.inventory import ImageInventory
from unmoor.ports.services import Services
from unmoor.products import Image, Images, ImageSbom, ImageSboms, Release
from unmoor.provenance.names import image_sbom_name
from unmoor.release_request import ReleaseRequest
from unmoor.sbom.image import is_of, write
from unmoor.util.text import list_some

_NO_PROGRAM = "syft is not installed, which lists what is in an image"
_OPTIONAL_PATIENCE, _REQUIRED_PATIENCE = 120.0, 900.0


@dataclass(frozen=True, kw_only=True)
class DescribeImages(Build[ImageSboms]):
    """Has a program list what is in each image. ``required``: it stops if one cannot be described."""

    name: str = "sbom-images"
    release: Output[Release]
    images: Output[Images]
    engine: Engine
    inventory: ImageInventory
    folder: RunFolder
    required: bool = False

    @classmethod
    def of(
        cls, request: ReleaseRequest, services: Services, *, release: Output[Release], images: Output[Images]
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            images=images,
            engine=services.engine,
            inventory=services.inventory,
            folder=request.folder,
            required=request.settings.sbom == "required",
        )

    def plan(self) -> str:
        """Say what would be described, and with what."""
        return f"list what is in each image with syft, and write it as CycloneDX to {self.folder.sboms}"

    def find(self, context: StageContext) -> ImageSboms | None:
        """Return what this run folder has of every image; or what it has, if nothing more can be made or is needed."""
        images = context[self.images]
        if not images.vouched:
            return ImageSboms(why_not="the images are public already, and not vouched for")
        kept = tuple(sbom for image in images.images if (sbom := self._kept(image)) is not None)
        if len(kept) == len(images.images):
            return ImageSboms(sboms=kept)
        return None if self.required or self.inventory.program else ImageSboms(sboms=kept, why_not=_NO_PROGRAM)

    def make(self, context: StageContext) -> ImageSboms:
        """Describe every image of this machine that is not described yet.

        Without ``required``, what cannot be described is a warning. Raises `ToolMissing` without the program, `Unknown`
        if it fails, and what the engine raises.
        """
        sboms: list[ImageSbom] = []
        failures: dict[str, UnmoorError] = {}
        elsewhere: list[str] = []
        images = context[self.images].images
        for image in images:
            if (kept := self._kept(image)) is not None:
                sboms.append(kept)
            elif not is_here(image, self.engine):
                elsewhere.append(title(image))
            elif not self.inventory.program and not self.required:
                return ImageSboms(sboms=tuple(sboms), why_not=_NO_PROGRAM)
            else:
                try:
                    sboms.append(self._describe(image, len(images), context))
                except UnmoorError as error:
                    if self.required or isinstance(error, Interrupted):
                        raise
                    failures[title(image)] = error
        why = []
        if failures:
            names, first = list_some(list(failures)), next(iter(failures.values()))
            context.warn(
                f"no SBOM of {names}: {first.in_brief()}. The release goes on without:"
                ' set sbom = "required" to stop instead'
            )
            why.append(f"none of {names}: {first.what}")
        if elsewhere:
            why.append(f"{list_some(elsewhere)} is not on this machine, so this run cannot push it")
        return ImageSboms(sboms=tuple(sboms), why_not="; ".join(why))

    def _describe(self, image: Image, count: int, context: StageContext) -> ImageSbom:
        program = self.inventory.program
        patience = (_REQUIRED_PATIENCE if self.required else _OPTIONAL_PATIENCE) / count
        context.say(f"listing what is in {title(image)}{f' with {program}' if program else ''}")
        with archive_of(image, self.engine) as archive:
            text = self.inventory.describe(archive, patience=patience)
        data = write(text, image, date=context[self.release].date, program=program)
        return ImageSbom(image=image, file=self.folder.write_sbom(image_sbom_name(image.name, image.id), data))

    def _kept(self, image: Image) -> ImageSbom | None:
        """What the run folder has of an image, ``None`` if that is nothing, or not what this stage writes."""
        name = image_sbom_name(image.name, image.id)
        data = self.folder.read_sbom(name)
        if data is None or not is_of(data, image):
            return None
        return ImageSbom(image=image, file=describe_file(self.folder.sboms / name))
