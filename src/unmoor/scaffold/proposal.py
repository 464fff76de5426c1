"""Put the parts of a proposal together: what was read, what changes, what stays, and what a person does elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import msgspec

from unmoor.scaffold.changelog_part import propose_changelog
from unmoor.scaffold.checklist import ChecklistItem, checklist
from unmoor.scaffold.ci_parts import propose_ci, propose_security
from unmoor.scaffold.docker_part import propose_docker
from unmoor.scaffold.file_changes import FileChange
from unmoor.scaffold.findings import ProjectFinding, find_all
from unmoor.scaffold.hooks_part import propose_hooks
from unmoor.scaffold.release_part import propose_release
from unmoor.scaffold.workflow_files import WorkflowFiles


class ProposalPart(StrEnum):
    """What can be proposed, by the names of the command line."""

    RELEASE = "release"
    CI = "ci"
    SECURITY = "security"
    CHANGELOG = "changelog"
    DOCKER = "docker"
    HOOKS = "hooks"


class InitProposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed for a repository.

    ``findings`` are what was read, ``notes`` what stays as it is and what to know, ``checklist`` what a person does
    elsewhere: empty without the part ``release``.
    """

    findings: tuple[ProjectFinding, ...]
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]
    checklist: tuple[ChecklistItem, ...]


def propose(parts: Collection[ProposalPart], files: WorkflowFiles) -> InitProposal:
    """Make the proposal of some parts. Nothing is written.

    Raises `ConfigError` for malformed files and wrong settings, `Refused` for what is in the way, and what compiling
    the list of what the jobs install raises.
    """
    draft, project = files.draft, files.project
    findings = tuple(find_all(draft, project, files.facts()))
    items: tuple[ChecklistItem, ...] = ()
    # What the workflows depend on comes first.
    if ProposalPart.CHANGELOG in parts:
        propose_changelog(draft, project)
    if ProposalPart.DOCKER in parts:
        propose_docker(draft, project, files)
    if ProposalPart.HOOKS in parts:
        propose_hooks(draft, files.version)
    if ProposalPart.RELEASE in parts:
        old = propose_release(draft, project, files)
        items = tuple(checklist(files.facts(), project, old))
    if ProposalPart.CI in parts:
        propose_ci(draft, project, files)
    if ProposalPart.SECURITY in parts:
        propose_security(draft, files)
    return InitProposal(findings=findings, changes=draft.changes(), notes=tuple(draft.notes), checklist=items)
