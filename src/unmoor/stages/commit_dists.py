"""The stage ``commit-dists``: the files that the stage ``commit`` has built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.artifacts.files import describe_file
from unmoor.artifacts.merge import built_files
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Check, Output, StageContext
from unmoor.products import Dists, Release
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class TakeCommitDists(Check[Dists]):
    """Describes the files of the commit in the run folder, which no manifest names."""

    name: str = "commit-dists"
    release: Output[Release]
    folder: RunFolder

    @classmethod
    def of(cls, request: ReleaseRequest, *, release: Output[Release]) -> Self:
        """Build the stage for a request."""
        return cls(release=release, folder=request.folder)

    def plan(self) -> str:
        """Say where the files are."""
        return f"describe the files in {self.folder.dists}"

    def make(self, context: StageContext) -> Dists:
        """Describe the files, wheels first."""
        context[self.release]
        files = map(describe_file, built_files(self.folder.dists)[0])
        return Dists(files=tuple(sorted(files, key=lambda file: (not file.is_wheel, file.name))))
