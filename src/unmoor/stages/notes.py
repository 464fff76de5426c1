"""The stage ``notes``: write the release notes, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, Output, StageContext
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.ports.shell import Shell
from unmoor.products import Notes, Release
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class WriteNotes(Check[Notes]):
    """Writes the release notes from the files at the release's commit, never from the work tree.

    ``changelog`` is the path of the changelog; empty means to search for one. ``empty`` says what to do
    if there are no notes: ``refuse`` or ``allow``.
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
        """Say where the notes would come from, in order of preference."""
        first = self.changelog or "the changelog"
        return f"take the release notes from {first}, else from towncrier's fragments, else from the commits"

    def make(self, context: StageContext) -> Notes:
        """Clone the commit into a temporary folder and write the notes from it."""
        from unmoor.notes import NotesSettings, notes_for

        release = context[self.release]
        settings = NotesSettings(changelog=self.changelog, empty=self.empty)
        with temporary_folder() as folder:
            # Notes are text of this repository: they need no submodule and no large file.
            checkout = self.git.clone(folder / "checkout", commit=release.commit, tag=release.tag, whole=False)
            notes = notes_for(checkout, release, self.git, self.shell, settings, warn=context.warn)
        context.say(f"took the release notes from {notes.source}")
        return notes
