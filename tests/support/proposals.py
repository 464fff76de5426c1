"""Proposals for repositories that are only in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.workflows.test_tool_list import HASH

from unmoor.config.settings import resolve
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.proposal import InitProposal, ProposalPart, propose
from unmoor.scaffold.workflow_files import WorkflowFiles

VERSION = "1.2.3"
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "demo"
version = "1.0"
requires-python = ">=3.11"
"""
FILES: Mapping[str, str] = {"pyproject.toml": PROJECT, "src/demo/__init__.py": "", "CHANGELOG.md": "# Changes\n"}


def workflow_files(
    files: Mapping[str, str], *, path: str = "", tags: Sequence[str] = (), repository: str = "acme/demo"
) -> WorkflowFiles:
    """What proposes files for a repository of these files."""
    return WorkflowFiles(
        draft=ProposalDraft(lambda name: files[name].encode() if name in files else None, tuple(files)),
        project=ScaffoldProject(
            path=path, name="demo", repository=repository, tags=dict.fromkeys(tags, "0" * 40), branch="main"
        ),
        resolve=lambda those: resolve(those.read).settings,
        compile_list=lambda pinned: f"{pinned.requirement} \\\n{HASH}",
        version=VERSION,
    )


def proposal(
    files: Mapping[str, str],
    *parts: str,
    path: str = "",
    tags: Sequence[str] = (),
    repository: str = "acme/demo",
) -> InitProposal:
    """The proposal for a repository of these files; of the part ``release`` if no other is named."""
    chosen = [ProposalPart(each) for each in parts or ("release",)]
    return propose(chosen, workflow_files(files, path=path, tags=tags, repository=repository))


def applied(files: Mapping[str, str], made: InitProposal) -> dict[str, str]:
    """The files after the changes of a proposal."""
    after = dict(files)
    for change in made.changes:
        if change.after is None:
            del after[change.path]
        else:
            after[change.path] = change.after.decode()
    return after
