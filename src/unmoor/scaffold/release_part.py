"""The part ``release``: the release workflow, what its jobs install, and the settings that differ from the defaults.

A workflow that already publishes is replaced in place: an index knows the name of its file, and its environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from unmoor import advice
from unmoor.config.settings import Settings
from unmoor.config.sources import OWN_FILE, PYPROJECT
from unmoor.errors import Refused
from unmoor.provenance.release_workflow import is_workflow, signing_workflows
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.publish_workflows import PublishWorkflow, publish_workflows
from unmoor.scaffold.toml_keys import TomlKey, with_keys
from unmoor.scaffold.workflow_files import WorkflowFiles
from unmoor.util.text import clean, list_some
from unmoor.versioning.tag_scheme import Naming, parse_prefix
from unmoor.workflows.every import FOLDER
from unmoor.workflows.reading import is_ours, read_file
from unmoor.workflows.release import is_taken

_TOOL: Final = ("tool", "unmoor")
_WORKFLOWS: Final = (*_TOOL, "workflows")
_FREE: Final = ("publish.yml", "unmoor-release.yml")
_REASON: Final = "releases when a tag of a version is pushed"


class OldPublisher(msgspec.Struct, frozen=True, kw_only=True):
    """What published before, for the checklist.

    ``paths`` are its files, and ``renamed`` those of them that are no longer the release workflow. ``unnamed`` says
    that no environment was named, and ``secrets`` are the names of those that it took.
    """

    paths: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    unnamed: bool = False
    secrets: tuple[str, ...] = ()


def propose_release(draft: ProposalDraft, project: ScaffoldProject, files: WorkflowFiles) -> OldPublisher:
    """Propose the release workflow and what belongs to it.

    Raises `ConfigError` for wrong settings, and `Refused` for files in the way that cannot be changed.
    """
    found = publish_workflows(draft)
    mine = tuple(each for each in found if _is_mine(draft, project, each))
    settings = files.settings()
    final = [each for each in mine if each.is_final]
    kept = next((each for each in final if not each.tests and not is_taken(each.path)), None)
    keys = [
        *_workflow_keys(draft, project, settings, kept),
        *_environment_keys(final, mine),
        *_tag_keys(project, settings),
    ]
    add_settings(draft, project, keys)
    expected = files.release()
    replaced = draft.original(expected.path)
    for each in mine:
        if each.path == expected.path:
            _note_replaced(draft, each)
        elif each.is_final or each.tagged:
            _take_out(draft, each)
        else:
            draft.note(f"{each.path} stays: it uploads to the staging index, and no tag starts it")
    mine_is_there = any(each.path == expected.path for each in mine)
    files.write(expected, _REASON, replace=replaced is not None and mine_is_there)
    files.write_lists()
    _note_identities(draft)
    return OldPublisher(
        paths=tuple(each.path for each in final),
        renamed=tuple(each.path for each in final if each.path != expected.path),
        unnamed=not any(each.environment(staging=False) for each in final),
        secrets=tuple(dict.fromkeys(name for each in mine for name in each.secrets)),
    )


def _note_identities(draft: ProposalDraft) -> None:
    """Say which other workflows a tag starts that may get an identity, so that an index may trust them."""
    there = {path: draft.read(path) for path in draft.names if is_workflow(path)}
    others = {path: data for path, data in there.items() if data is not None and not is_ours(data)}
    if paths := signing_workflows(others).paths:
        draft.note(f"a tag also starts {list_some([clean(each, 100) for each in paths], 5)}, which can publish as well")


def add_settings(draft: ProposalDraft, project: ScaffoldProject, keys: Sequence[TomlKey]) -> None:
    """Propose keys of the settings of unmoor, in the file that has them, or that should."""
    if not keys:
        return
    own = project.place(OWN_FILE)
    path = project.place(PYPROJECT)
    if draft.read(own) is not None or draft.read(path) is None:
        # A pyproject.toml would change how the project is built, if it has none.
        short = [TomlKey(table=key.table[2:], name=key.name, value=key.value, reason=key.reason) for key in keys]
        draft.write(own, with_keys(own, draft.read(own) or b"", short), "settings of unmoor")
        return
    draft.write(path, with_keys(path, draft.read(path) or b"", keys), "settings of unmoor")


def _is_mine(draft: ProposalDraft, project: ScaffoldProject, workflow: PublishWorkflow) -> bool:
    """Whether a workflow publishes this project. In a repository of several, nobody knows that from its file."""
    if not project.path:
        return True
    if workflow.is_final:
        draft.note(
            f"{workflow.path} publishes too, maybe other projects of this repository, so it stays: take"
            f" {clean(project.name, 80)} out of it before you push a tag"
        )
    return False


def _workflow_keys(
    draft: ProposalDraft, project: ScaffoldProject, settings: Settings, kept: PublishWorkflow | None
) -> Iterator[TomlKey]:
    """Yield the key that names the file of the workflow, if that is not the default one."""
    if settings.release_workflow or project.path:
        return
    path, reason = f"{FOLDER}/release.yml", ""
    if kept is not None:
        path, reason = kept.path, "The index knows this file as the publisher."
    else:
        there = draft.original(path)
        if there is not None and not is_ours(there):
            free = (f"{FOLDER}/{name}" for name in _FREE)
            path = next((each for each in free if draft.original(each) is None), path)
            reason = "release.yml is another workflow."
    if path != f"{FOLDER}/release.yml":
        yield TomlKey(table=_TOOL, name="release-workflow", value=path, reason=reason)


def _environment_keys(final: Sequence[PublishWorkflow], every: Sequence[PublishWorkflow]) -> Iterator[TomlKey]:
    """Yield the keys of environments that publishers at the indexes name."""
    default = Settings().workflows
    for name, staging, unset, index in (
        ("environment", False, default.environment, "the index"),
        ("staging-environment", True, default.staging_environment, "the staging index"),
    ):
        among = every if staging else final
        found = next(filter(None, (each.environment(staging=staging) for each in among)), "")
        if found and found != unset:
            yield TomlKey(
                table=_WORKFLOWS, name=name, value=found, reason=f"The publisher at {index} names this environment."
            )


def _tag_keys(project: ScaffoldProject, settings: Settings) -> Iterator[TomlKey]:
    """Yield the key for tags that do not begin as the default patterns do."""
    if settings.tag_prefix or not project.tags:
        return
    naming = Naming(project=lambda: project.name, in_folder=bool(project.path))
    prefix = naming.new_prefix(project.tags)
    if parse_prefix(prefix) != (f"{project.name}-" if project.path else ""):
        yield TomlKey(table=_TOOL, name="tag-prefix", value=prefix, reason="The tags of earlier releases begin so.")


def _note_replaced(draft: ProposalDraft, workflow: PublishWorkflow) -> None:
    """Say which jobs are no longer there, and what they did besides publishing."""
    names = list_some([clean(each, 60) for each in workflow.all_jobs], 8)
    more = f"; it also uses {list_some(workflow.actions, 5)}" if workflow.actions else ""
    draft.note(
        f"{workflow.path} is replaced, with its jobs {names}{more}: move what you still need of it to another workflow"
    )
    if any(job.computed for job in workflow.jobs):
        draft.note(f"{workflow.path} computes the name of an environment: compare it with the publisher at the index")


def _take_out(draft: ProposalDraft, workflow: PublishWorkflow) -> None:
    """Propose to remove what would upload a second time: the file, or only its jobs if it has others."""
    if not workflow.tests:
        draft.write(workflow.path, None, "publishes, as the release workflow does now")
        _note_removed(draft, workflow)
        return
    gone = {job.id for job in workflow.jobs} | set(workflow.after)
    data = draft.original(workflow.path) or b""
    text = data.decode()
    for job in workflow.file.jobs:
        if job.id in gone:
            text = text.replace(job.text, "", 1)
    if not _is_without(workflow, text.encode(), gone):
        raise Refused(
            f"the jobs {list_some(sorted(gone))} would upload a second time, and cannot be taken out of this file",
            where=workflow.path,
            next_step=advice.REMOVE_PUBLISH_JOBS(file=workflow.path),
        )
    draft.write(workflow.path, text.encode(), f"without {list_some(sorted(gone))}, which would upload a second time")
    draft.note(
        f"{workflow.path} also tests, so only {list_some(sorted(gone))} goes from it: the index does not know the file"
        " of the release workflow yet"
    )


def _note_removed(draft: ProposalDraft, workflow: PublishWorkflow) -> None:
    draft.note(f"{workflow.path} goes, with its jobs {list_some([clean(each, 60) for each in workflow.all_jobs], 8)}")


def _is_without(workflow: PublishWorkflow, data: bytes, gone: set[str]) -> bool:
    """Whether a text says what the workflow said, but for these jobs."""
    try:
        jobs = read_file(workflow.path, data).jobs
    except Refused:
        return False
    before = {job.id: job.text.strip() for job in workflow.file.jobs if job.id not in gone}
    return bool(before) and {job.id: job.text.strip() for job in jobs} == before
