"""The software bills of materials of a release: of its wheels and of its images."""

from __future__ import annotations

import msgspec

from unmoor.products.dists import File
from unmoor.products.forge import Asset
from unmoor.products.images import Image
from unmoor.util.text import clean, count_of

SUFFIX = ".cdx.json"
"""The end of the name of a bill of materials in the format CycloneDX, which is called after its file."""


class Sboms(msgspec.Struct, frozen=True, kw_only=True):
    """The bills of materials of a release, sorted by name: ``FILE.cdx.json`` for the wheel ``FILE``.

    ``why_not`` says why some or all are not made, empty if all are. ``frozen``: the manifest of the release lists these
    and no others.
    """

    files: tuple[File, ...] = ()
    why_not: str = ""
    frozen: bool = False

    def of_file(self, name: str) -> File | None:
        """The bill of materials of a built file, ``None`` if there is none."""
        return next((each for each in self.files if each.name == f"{name}{SUFFIX}"), None)

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Them as the manifest lists them."""
        return tuple(Asset(name=each.name, sha256=each.sha256, size=each.size) for each in self.files)

    @property
    def summary(self) -> str:
        """The number of bills of materials, and why there are no more, in one line."""
        counted = count_of(len(self.files), "SBOM")
        return f"{counted}: {clean(self.why_not)}" if self.why_not else counted


class ImageSbom(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of materials of one image."""

    image: Image
    file: File


class ImageSboms(msgspec.Struct, frozen=True, kw_only=True):
    """The bills of materials of the images, in the order of these. ``why_not`` says why some are not made."""

    sboms: tuple[ImageSbom, ...] = ()
    why_not: str = ""

    @property
    def summary(self) -> str:
        """The number of bills of materials, and why there are no more, in one line."""
        counted = f"{count_of(len(self.sboms), 'SBOM')} of images"
        return f"{counted}: {clean(self.why_not)}" if self.why_not else counted
