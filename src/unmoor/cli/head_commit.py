"""HEAD as what a release would be, for the commands that build a commit of a branch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.untagged import VersionEdit
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output
from unmoor.cli.resolve_project import ResolvedProject, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.errors import Refused
from unmoor.products import Release
from unmoor.project import guess_version, read_facts, read_version
from unmoor.project.locate import naming_at
from unmoor.project.other_versions import same_versions
from unmoor.project.releasable import refuse_shallow
from unmoor.util.text import clean, list_some
from unmoor.versioning import pep440
from unmoor.versioning.development import development_version


class HeadCommit(msgspec.Struct, frozen=True, kw_only=True):
    """HEAD: the project and its settings there, and what it would be as a release, without the version."""

    project: ResolvedProject
    provisional: Release
    start: str
    edit: VersionEdit

    @classmethod
    def read(
        cls,
        target: TargetOptions,
        processes: Processes,
        *,
        of: str,
        check: Callable[[ResolvedProject, str], None],
        built_here: bool = True,
    ) -> HeadCommit:
        """Read HEAD's commit. Raises `Refused` if there is none, and what ``check`` raises for it.

        ``of`` names what is made of the commit, for messages. ``built_here``: no other tool built its files.
        """
        ci = RunContext.from_environ(os.environ)
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=None)
        head = checkout.head()
        if head is None:
            raise Refused("there is no commit yet", where=str(checkout.folder), next_step=advice.COMMIT_SOMETHING())
        project = resolve_project(checkout, head, sources, ci)
        check(project, head)
        refuse_shallow(checkout)
        for path in checkout.changed():
            output.err(f"warning: not part of {of}, since it is not committed: {clean(path)}")
        naming = naming_at(checkout, head, sources)
        tags = {name: commit for name, commit in checkout.tags().items() if commit != head}
        prefix = naming.new_prefix(tags)
        read = partial(checkout.read, head)
        origin = sources.config.origin if sources.config is not None else ""
        provisional = Release(
            repository=project.repository,
            project=read_facts(read, project=project.settings.project).name,
            tag="",
            version="",
            commit=head,
            date=checkout.date_of(head),
            prerelease=True,
            highest=False,
            prefix=prefix,
            path=checkout.path,
            settings=origin,
        )
        released = pep440.release_tags(tags, prefix=prefix).values()
        edit = _edit(checkout, head, tuple(released), of) if built_here else VersionEdit(places=(), version="")
        return cls(project=project, provisional=provisional, start=pep440.tag_start(tags, prefix=prefix), edit=edit)


def _edit(checkout: GitCheckout, head: str, released: Sequence[Version], of: str) -> VersionEdit:
    """What to write into clones of HEAD so that its version is not that of a release. Raises `Refused`."""
    read = partial(checkout.read, head)
    written, scm = read_version(read)
    written = written or (None if scm else guess_version(read))
    if written is None:
        return VersionEdit(places=(), version="")
    stated = pep440.version_in(written.text)
    if stated is None:
        raise Refused(
            f"{clean(written.text, 60)!r} is not a version (PEP 440)",
            where=str(written),
            next_step=advice.GIVE_DEVELOPMENT_VERSION(),
        )
    version = development_version(stated, head, released)
    if version == stated:
        return VersionEdit(places=(), version="")
    places = same_versions(read, checkout.files(head), written)
    output.err(f"{list_some(list(map(str, places)), 3)}: {of} get version {version} instead of {stated}")
    return VersionEdit(places=places, version=str(version))
