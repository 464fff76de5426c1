"""The notes: what the page of the release will say, decided before anything is built."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from unmoor.core.stage import Check, Output, StageContext
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.ports.shell import Shell
from unmoor.products import Notes, Release
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class WriteNotes(Check[Notes]):
    """Write the release notes from the files of the release's own commit, never from the work tree.

    ``changelog`` names the one file to look at, empty to search; ``empty`` is ``refuse`` or ``allow``.
    """

    name: str = "notes"
    release: Output[Release]
    git: Git
    shell: Shell
    changelog: str = ""
    empty: str = "refuse"

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            git=services.git,
            shell=services.shell,
            changelog=request.settings.changelog,
            empty=request.settings.empty_notes,
        )

    def plan(self) -> str:
        """Say where the notes would come from."""
        first = self.changelog or "the changelog"
        return f"take the release notes from {first}, else from towncrier's fragments, else from the commits"

    def make(self, context: StageContext) -> Notes:
        """Clone the commit into a folder of its own, write the notes, and remove the folder."""
        from unmoor.notes import NotesSettings, notes_for

        release = context[self.release]
        settings = NotesSettings(changelog=self.changelog, empty=self.empty)
        with tempfile.TemporaryDirectory(prefix="unmoor-notes-") as folder:
            checkout = self.git.clone(Path(folder, "checkout"), commit=release.commit, tag=release.tag)
            notes = notes_for(checkout, release, self.git, self.shell, settings, warn=context.warn)
        context.say(f"the release notes are from {notes.source}")
        return notes
