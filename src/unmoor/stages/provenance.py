"""The stage ``provenance``: describe how the files were made, for the job that signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.artifacts.run_dir import PROVENANCE, RunFolder
from unmoor.core.stage import Build, Output, StageContext
from unmoor.products import Dists, Provenance, Release
from unmoor.provenance.build import build_provenance
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class DescribeBuild(Build[Provenance]):
    """Writes one statement about all files: the tools that made them, and the settings that decided the build.

    It belongs to the run folder, which jobs hand on. The stage ``sign`` adds who made it, from its own ID token, and
    signs it.
    """

    name: str = "provenance"
    release: Output[Release]
    dists: Output[Dists]
    folder: RunFolder

    @classmethod
    def of(cls, request: ReleaseRequest, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        return cls(release=release, dists=dists, folder=request.folder)

    def plan(self) -> str:
        """Say what would be written, and where."""
        return f"describe in {self.folder.path / PROVENANCE} which tools made the files, for their signed provenance"

    def find(self, context: StageContext) -> Provenance | None:
        """Return the statement in the run folder, if it says of these files what their manifest says."""
        made = self._described(context)
        return made if self.folder.read_provenance() == made.statement else None

    def make(self, context: StageContext) -> Provenance:
        """Write the statement, in place of one that says something else."""
        made = self._described(context)
        if self.folder.read_provenance() not in {None, made.statement}:
            context.say(f"{PROVENANCE} says something else than the manifest: writing it again")
        self.folder.write_provenance(made.statement)
        return made

    def _described(self, context: StageContext) -> Provenance:
        return build_provenance(context[self.release], context[self.dists])
