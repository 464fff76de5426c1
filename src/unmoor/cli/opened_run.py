"""A pipeline that is ready to run, with what `unmoor.cli.session` needs to run it and to report how it ended."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unmoor.core.events import LeftOut
from unmoor.core.pipeline import Pipeline
from unmoor.ports.registry import Registry
from unmoor.ports.world import World
from unmoor.release_request import ReleaseRequest


class OpenedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline and what it is for. It has not made anything yet.

    A run that opens only a few services, each for its stages, is one of these: it starts faster than a release.
    """

    request: ReleaseRequest
    world: World
    pipeline: Pipeline
    left_out: tuple[LeftOut, ...] = ()

    @property
    def registry(self) -> Callable[[str], Registry] | None:
        """What opens a registry by the name of an image, ``None`` if the run has opened none."""
        return None

    @property
    def why_unsigned(self) -> str:
        """Why the files of a release are not signed; empty if they are, or if nothing is released."""
        return ""
