"""What a proposal is based on: the build backend, the source of the version, the changelog, tests, images, tags."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.images.image_names import configured_images
from unmoor.notes.files import find_files
from unmoor.project import ProjectFacts, read_facts
from unmoor.project.files import Files, table
from unmoor.project.other_versions import disagreeing_versions
from unmoor.project.private import why_private
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.util.text import clean, list_some
from unmoor.versioning.tag_scheme import Naming
from unmoor.workflows.facts import WorkflowFacts


class ProjectFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was read: what it is, and what the files say."""

    what: str
    value: str


def find_all(draft: ProposalDraft, project: ScaffoldProject, facts: WorkflowFacts) -> Iterator[ProjectFinding]:
    """Yield what was read of a project. Adds a note for what will be in the way of a release.

    Raises `ConfigError` if the project has no version.
    """
    files = draft.below(project.path)
    read = read_facts(files.read, project=project.name)
    where = f" in {project.path}" if project.path else ""
    yield ProjectFinding(what="project", value=f"{clean(project.name, 80)}{where}, built by {clean(read.backend, 80)}")
    yield ProjectFinding(what="version", value=_version(draft, project, files, read))
    yield ProjectFinding(what="tags", value=_tags(project, facts))
    yield ProjectFinding(what="changelog", value=_changelog(files, project, read, facts))
    yield ProjectFinding(what="tests", value=_tests(facts))
    images = configured_images(facts.settings.image, files.names)
    yield ProjectFinding(what="images", value=list_some([each.dockerfile for each in images]) or "none")
    if why := why_private(files):
        draft.note(f"an index refuses this project: {why}")


def _version(draft: ProposalDraft, project: ScaffoldProject, files: Files, read: ProjectFacts) -> str:
    written = read.version_written
    if written is None:
        if read.scm:
            return "from the tags"
        own = table(files.pyproject, "project")
        if own and "version" not in own and "version" not in (own.get("dynamic") or ()):
            raise ConfigError(
                "the project has no version: [project] has neither version nor dynamic",
                where=project.place("pyproject.toml"),
                next_step=advice.GIVE_VERSION(),
            )
        return "as the build computes it"
    for other in disagreeing_versions(files.read, written, written.text):
        built, unused = clean(written.text, 40), clean(other.text, 40)
        draft.note(f"two versions: {built} in {written}, which is built, and {unused} in {other}")
    return f"{clean(written.text, 40)}, in {written}"


def _tags(project: ScaffoldProject, facts: WorkflowFacts) -> str:
    naming = Naming(configured=facts.settings.tag_prefix, project=lambda: project.name, in_folder=bool(project.path))
    known = naming.known(project.tags)
    last = max(known, key=lambda name: known[name][1], default="")
    return f"{' or '.join(facts.tags)}" + (f"; the last one is {clean(last, 80)}" if last else "; none yet")


def _changelog(files: Files, project: ScaffoldProject, read: ProjectFacts, facts: WorkflowFacts) -> str:
    if facts.settings.changelog:
        return facts.settings.changelog
    if read.has_towncrier:
        return "fragments of towncrier"
    found = find_files(files.names, version="1.0", names=(project.name,)).usual
    return found[0] if found else "none: notes are the commits since the last release"


def _tests(facts: WorkflowFacts) -> str:
    if facts.settings.tests == "off":
        return "off, by the settings"
    if facts.settings.test_command:
        return clean(facts.settings.test_command, 100)
    if facts.test is None:
        return "none found"
    return clean(facts.test.run[-1] if facts.test.run else facts.test.why, 100)
