"""The parts ``ci`` and ``security``: tests on every push and pull request, and scans. What a project has, stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from unmoor.errors import Refused
from unmoor.provenance.release_workflow import is_workflow
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.publish_workflows import tests_branches
from unmoor.scaffold.release_part import add_settings
from unmoor.scaffold.toml_keys import TomlKey
from unmoor.scaffold.workflow_files import WorkflowFiles
from unmoor.util.text import list_some
from unmoor.workflows.every import DEPENDABOT, FOLDER
from unmoor.workflows.reading import is_ours, read_file

COVERAGE: Final = 90
"""The percentage that is proposed if nothing sets one."""
_COVERAGE_FILES: Final = ("pyproject.toml", ".coveragerc", "setup.cfg", "tox.ini")
_CODEQL: Final = re.compile(r"\bgithub/codeql-action/")
_BOTS: Final = (
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    "renovate.json",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
)
_BUILD: Final = f"{FOLDER}/build.yml"


def propose_ci(draft: ProposalDraft, project: ScaffoldProject, files: WorkflowFiles) -> None:
    """Propose ci.yml and what it calls, unless another workflow tests branches and pull requests.

    Raises `ConfigError` for wrong settings, and `Refused` for files of unmoor that cannot be read.
    """
    there = [
        path for path, data in _others(draft) if _is_readable(path, data) and tests_branches(read_file(path, data))
    ]
    if there:
        draft.note(f"ci: the project is already tested in {list_some(there, 5)}, so no workflow is added")
        return
    if files.facts().test is None:
        draft.note("ci: no tests were found, so there is nothing that tests.yml could run")
    elif files.settings().workflows.coverage == "auto" and not _sets_coverage(draft, project):
        reason = "The tests on all systems together must cover as much. Lower it if they do not yet."
        key = TomlKey(table=("tool", "unmoor", "workflows"), name="coverage", value=COVERAGE, reason=reason)
        add_settings(draft, project, [key])
    _write(draft, files, ("ci.yml", "tests.yml", "build.yml"), part="ci", reason="tests pushes and pull requests")


def propose_security(draft: ProposalDraft, files: WorkflowFiles) -> None:
    """Propose security.yml and the settings of Dependabot, each unless the project has another one.

    Raises as `propose_ci` does.
    """
    there = [path for path, data in _others(draft) if _CODEQL.search(data.decode(errors="replace"))]
    if there:
        draft.note(f"security: CodeQL runs in {list_some(there)}, so security.yml is not added")
    else:
        reason = "scans the code, new dependencies and the built files"
        _write(draft, files, ("build.yml", "security.yml"), part="security", reason=reason)
    bots = [path for path in _BOTS if (data := draft.read(path)) is not None and not is_ours(data)]
    if bots:
        draft.note(f"security: {list_some(bots)} already updates dependencies, so it stays as it is")
        return
    for each in files.expected():
        if each.path == DEPENDABOT:
            files.write(each, "updates pinned dependencies each week")


def _write(draft: ProposalDraft, files: WorkflowFiles, names: Sequence[str], *, part: str, reason: str) -> None:
    expected = [each for each in files.expected() if each.path in {f"{FOLDER}/{name}" for name in names}]
    taken = [each.path for each in expected if (data := draft.read(each.path)) is not None and not is_ours(data)]
    if taken:
        draft.note(f"{part}: {list_some(taken)} is a file of your own, so no workflow is added")
        return
    for each in expected:
        files.write(each, "builds the files for other workflows" if each.path == _BUILD else reason)
    files.write_lists()


def _others(draft: ProposalDraft) -> Iterator[tuple[str, bytes]]:
    """Yield the workflows that unmoor did not write."""
    for path in sorted(each for each in draft.names if is_workflow(each)):
        data = draft.read(path)
        if data is not None and not is_ours(data):
            yield path, data


def _is_readable(path: str, data: bytes) -> bool:
    try:
        read_file(path, data)
    except Refused:
        return False
    return True


def _sets_coverage(draft: ProposalDraft, project: ScaffoldProject) -> bool:
    """Whether the settings of coverage.py name a percentage."""
    return any(b"fail_under" in (draft.read(project.place(name)) or b"") for name in _COVERAGE_FILES)
