"""The version: written in one place or taken from tags, valid, the same everywhere, and not released before."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.project import guess_version, is_project, read_facts, read_version
from unmoor.project.other_versions import disagreeing_versions
from unmoor.project.written_version import WrittenVersion
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    read = context.files.read
    if not is_project(read):
        skip("there is no project here")
    written, from_tags = read_version(read)
    if written is None and from_tags:
        return
    written = written or guess_version(read)
    if written is None:
        skip("only a build can tell the version")
    version = pep440.version_in(written.text)
    if version is None:
        what = f"{clean(written.text, 60)!r} is no version by PEP 440"
        yield _problem(context, written, what)
        return
    for other in disagreeing_versions(read, written, str(version)):
        what = f"this says version {clean(other.text, 60)}, but {_place(context, written)} says {version}"
        yield _problem(context, other, what, level=CheckLevel.WARNING)
    if not context.staged:
        yield from _taken(context, written)


def _taken(context: CheckContext, written: WrittenVersion) -> Iterator[CheckProblem]:
    """Yield a warning if another commit has the tag of this version: the next release needs another one."""
    naming = Naming(
        configured=context.settings.tag_prefix,
        project=lambda: read_facts(context.files.read, project=context.settings.project).name,
        in_folder=bool(context.path),
    )
    tags = context.git.tags()
    for tag, (_, version) in naming.known(tags).items():
        if version == pep440.version_in(written.text) and tags[tag] != context.head:
            what = f"version {version} was released before: the tag {clean(tag, 100)} is on commit {tags[tag][:12]}"
            yield _problem(context, written, what, level=CheckLevel.WARNING)


def _problem(
    context: CheckContext, written: WrittenVersion, what: str, *, level: CheckLevel | None = None
) -> CheckProblem:
    return CheckProblem(what=what, where=context.from_top(written.path), line=written.line, level=level)


def _place(context: CheckContext, written: WrittenVersion) -> str:
    return f"{clean(context.from_top(written.path))}, line {written.line},"


CHECK = RepositoryCheck(
    id="version",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="The version is valid, the same in every file, and no tag of an earlier commit has it",
    reads="the file that the build backend takes the version from, and the others that have one; the tags",
    remedy="write the next version: unmoor cut",
    run=_run,
)
