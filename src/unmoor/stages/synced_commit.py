"""The stage ``synced-commit`` of `unmoor sync`: the commit whose files are deployed, in place of a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, StageContext
from unmoor.products import Release


@dataclass(frozen=True, kw_only=True)
class TakeCommit(Check[Release]):
    """Gives a commit that is no release: it has no tag and no version."""

    name: str = "synced-commit"
    release: Release

    @classmethod
    def of(cls, release: Release) -> Self:
        """Build the stage for a commit, described as a release."""
        return cls(release=release)

    def plan(self) -> str:
        """Say which commit it is."""
        return f"take the files of the commit {self.release.commit[:12]}"

    def make(self, context: StageContext) -> Release:
        """Give the commit."""
        context.say(f"the files of {self.release.project} at {self.release.commit[:12]}")
        return self.release
