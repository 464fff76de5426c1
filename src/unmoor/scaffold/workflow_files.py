"""The files for GitHub Actions of a draft: what unmoor would write for the project as the draft has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from unmoor.config.settings import Settings
from unmoor.project.files import Files
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.workflow_changes import Compile, list_changes, workflow_change
from unmoor.util.text import clean
from unmoor.workflows.every import ExpectedFile, expected_files
from unmoor.workflows.facts import WorkflowFacts, read_facts
from unmoor.workflows.reading import is_ours
from unmoor.workflows.tool_list import lists_of


@dataclass(kw_only=True)
class WorkflowFiles:
    """Proposes files of workflows. ``resolve`` reads the settings from a project's files, ``version`` is unmoor's.

    What the draft says is read once for each revision of it, and the files are written once for the same facts.
    """

    draft: ProposalDraft
    project: ScaffoldProject
    resolve: Callable[[Files], Settings]
    compile_list: Compile
    version: str
    _settings: tuple[int, Settings] | None = field(default=None, init=False, repr=False)
    _facts: tuple[int, WorkflowFacts] | None = field(default=None, init=False, repr=False)
    _expected: tuple[WorkflowFacts, tuple[ExpectedFile, ...]] | None = field(default=None, init=False, repr=False)

    def settings(self) -> Settings:
        """The settings as the draft has them. Raises `ConfigError`."""
        if self._settings is None or self._settings[0] != self.draft.revision:
            self._settings = self.draft.revision, self.resolve(self.draft.below(self.project.path))
        return self._settings[1]

    def facts(self) -> WorkflowFacts:
        """What the files depend on, as the draft has it. Raises `ConfigError`."""
        if self._facts is None or self._facts[0] != self.draft.revision:
            facts = read_facts(
                self.draft.below(self.project.path),
                self.settings(),
                project=self.project.name,
                path=self.project.path,
                default_branch=self.project.branch,
                top=self.draft.below(""),
            )
            self._facts = self.draft.revision, facts
        return self._facts[1]

    def expected(self) -> tuple[ExpectedFile, ...]:
        """Every file that unmoor would write, the release workflow first."""
        facts = self.facts()
        if self._expected is None or self._expected[0] != facts:
            self._expected = facts, tuple(expected_files(facts))
        return self._expected[1]

    def release(self) -> ExpectedFile:
        """The release workflow."""
        return self.expected()[0]

    def refresh(self) -> None:
        """Propose the release workflow again if unmoor wrote it, since another part changed what it depends on."""
        expected = self.release()
        if is_ours(self.draft.read(expected.path) or b""):
            self.write(expected, "follows the other changes")
            self.write_lists()

    def write(self, expected: ExpectedFile, reason: str, *, replace: bool = False) -> None:
        """Propose a file. Raises `Refused` as `workflow_change` does."""
        change = workflow_change(self.draft.read, expected, replace=replace)
        self.draft.write(expected.path, change.change.after, reason)
        for line in change.undone:
            self.draft.note(f"{expected.path}:{clean(line)}")

    def write_lists(self) -> None:
        """Propose the lists that the jobs install from. Raises as `Compile` does."""
        facts = self.facts()
        if facts.settings.workflows.tool == "checkout":
            return
        for pinned in lists_of(tool_version=self.version, builds_wheels=bool(facts.wheels), extras=facts.extras):
            for change in list_changes(self.draft.read, pinned, self.compile_list):
                self.draft.write(change.path, change.after, "what the jobs install, by version and hash")
