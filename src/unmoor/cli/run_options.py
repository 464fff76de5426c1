"""What the flags said, and the command that says it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unmoor.artifacts.merge import Handover
from unmoor.core.stage import Reach
from unmoor.images.image_names import LOCAL

_CEILINGS = {Reach.LOCAL: ["--dry-run"], Reach.REMOTE: ["--hold"]}


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """What the flags that most commands share said: the checkout, the project in it, the tag, the world, the settings.

    ``None`` where one was not given.
    """

    folder: Path
    path: str | None = None
    tag: str | None = None
    world: Path | None = None
    config: Path | None = None

    def words(self) -> list[str]:
        """The options that say the same again, without the tag."""
        words = ["--directory", str(self.folder)] if self.folder != Path() else []
        words += ["--path", self.path] if self.path is not None else []
        words += ["--world", str(self.world)] if self.world else []
        return [*words, *(["--config", str(self.config)] if self.config else [])]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the flags said. ``rehearsing``: what GitHub Actions says of the run does not count.

    ``quiet``: only warnings are told on the way, since the result itself says everything. ``engine``
    is false for what has nothing to do with images on this machine: no engine is asked. ``again`` is the
    very command, where it can not be told from the rest.
    """

    target: TargetOptions
    ceiling: Reach = Reach.READS
    until: tuple[str, ...] = ()
    keep_images: bool = False
    local_prefix: str = LOCAL
    legs: tuple[Path, ...] = ()
    as_json: bool = False
    again: str = ""
    manifest_sha256: str = ""
    rehearsing: bool = False
    quiet: bool = False
    engine: bool = True
    without_images: bool = False
    platforms: tuple[str, ...] = ()
    handed: tuple[Handover, ...] = ()
    prebuilt: Path | None = None
    skip: tuple[str, ...] = ()

    def looking(self, verb: str, tag: str) -> str:
        """The command ``verb`` on the same tag: one that only looks, or takes back."""
        return shlex.join(["unmoor", verb, *self.target.words(), tag])

    def further(self, tag: str) -> str:
        """The release that goes on from here, as far as it can. Files of other jobs must not be built anew for it."""
        return shlex.join(["unmoor", "release", *self.target.words(), *self._files(), tag])

    def same(self, tag: str) -> str:
        """The very command, no further than it was to go: what failed is not retried on more than was asked for."""
        if self.again or self.ceiling is Reach.READS:
            return self.again or self.looking("plan", tag)
        how_far = [*_CEILINGS.get(self.ceiling, []), *_each("--until", self.until)]
        images = [*(["--keep-images"] if self.keep_images else []), *_each("--platform", self.platforms)]
        return shlex.join(["unmoor", "release", *self.target.words(), *how_far, *self._files(), *images, tag])

    def _files(self) -> list[str]:
        """What comes from other jobs and tools, and what is left out."""
        words = ["--manifest-sha256", self.manifest_sha256] if self.manifest_sha256 else []
        words += ["--built", str(self.prebuilt)] if self.prebuilt else []
        for each in self.handed:
            words += ["--dists", str(each.dists), "--manifest", str(each.manifest)]
        return [*words, *_each("--skip", self.skip), *_each("--leg", self.legs)]


def _each(option: str, values: Iterable[object]) -> list[str]:
    return [word for value in values for word in (option, str(value))]
