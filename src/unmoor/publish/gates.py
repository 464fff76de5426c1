"""The gates: what must have passed before a stage sends anything."""

from __future__ import annotations

from typing import Any, NamedTuple

from unmoor.core.stage import Output, without_none
from unmoor.products import Access, CheckedDists, Images, ImageSboms, Proof, Scanned


class Gates(NamedTuple):
    """The outputs of permissions, checks and tests. None has a default: a forgotten gate is a type error.

    ``rebuild`` and ``scan`` are ``None`` if the settings turn the second build or all scans off.
    ``deployments`` are the checks of what is deployed later; none if nothing is.
    """

    access: Output[Access]
    checks: Output[CheckedDists]
    proof: Output[Proof]
    rebuild: Output[Proof] | None
    scan: Output[Scanned] | None
    deployments: tuple[Output[Any], ...]

    @property
    def outputs(self) -> tuple[Output[Any], ...]:
        """The gates that this release has: some checks can be turned off."""
        return without_none(self.access, self.checks, self.proof, self.rebuild, self.scan, *self.deployments)


class ImageOutputs(NamedTuple):
    """The outputs of images, of their tests, scan and bills of materials, ``None`` for a project without images.

    ``scan`` and ``sboms`` are ``None`` as well if the settings turn them off.
    """

    images: Output[Images] | None
    proof: Output[Proof] | None
    scan: Output[Scanned] | None
    sboms: Output[ImageSboms] | None
