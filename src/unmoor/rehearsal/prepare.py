"""Prepare the git side of a rehearsal: a bare remote, and a clone of it with the release's tag.

The checkout is only read. A missing tag, or version in a file, is made in the clone only. The same checkout
gives the same commits and tags, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.clone import check_out, clone_of, write_tags
from unmoor.adapters.git.program import GitProgram
from unmoor.adapters.git.submodules_lfs import store_of
from unmoor.adapters.git.untagged import NO_EDIT, VersionEdit, replace_content, write_version
from unmoor.errors import ConfigError, Refused
from unmoor.notes.files import relative_files
from unmoor.notes.fragments import fragment_kinds
from unmoor.notes.next_section import NamedSection, name_unreleased
from unmoor.ports.shell import Shell
from unmoor.project import read_facts
from unmoor.project.locate import ConfigSources, naming_at, settings_at
from unmoor.project.other_versions import same_versions
from unmoor.project.releasable import refuse_shallow
from unmoor.rehearsal.rehearsal_tag import BuiltFiles, Chooser, RehearsalTag
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming, refuse_unsafe

_NAME = "unmoor rehearsal"
_EMAIL = "rehearsal@example.invalid"
# The most characters of a heading that a message quotes.
_QUOTED = 60


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The clone to release from, and the tag that is in it and in its remote.

    ``path`` is the project's folder in it, as in the checkout. ``messages`` are for the user. ``diff`` is the
    change of the version in the clone, empty if there was none. ``uncommitted`` are the changed files of the
    checkout, which are not part of the rehearsal.
    """

    checkout: Path
    path: str
    tag: str
    messages: tuple[str, ...]
    diff: str
    uncommitted: tuple[str, ...]


def prepare(
    git: GitCheckout,
    shell: Shell,
    into: Path,
    *,
    tag: str | None,
    built: BuiltFiles | None = None,
    sources: ConfigSources | None = None,
) -> Prepared:
    """Make ``into/remote.git`` and ``into/checkout``, which must not exist yet.

    Raises `Refused` for an invalid tag name, a shallow clone, an empty repository, or a tag that disagrees with
    the version written at its commit or with that of ``built``. Raises `ConfigError`, `Unknown`, `ToolMissing`.
    """
    head = git.head()
    if tag is not None:
        refuse_unsafe(tag)
    sources = sources or ConfigSources(environ=git.git.environ)
    naming = naming_at(git, (git.commit_of(tag) if tag else None) or head, sources)
    if tag is not None:
        naming.prefix_of(tag)
    if head is None:
        raise Refused("there is no commit yet", where=str(git.folder), next_step=advice.COMMIT_SOMETHING())
    refuse_shallow(git)
    program = replace(git.git, shell=shell, own=True)
    remote, checkout = into.absolute() / "remote.git", into.absolute() / "checkout"
    tags = git.tag_objects()
    _make_remote(program, git, remote, head, tags)
    clone_of(program, remote, checkout)
    write_tags(checkout / ".git", tags)
    # Clones do not contain git-lfs objects: use the checkout's store.
    program.run("config", "lfs.storage", str(store_of(program, git.folder)), cwd=checkout)
    clone = GitCheckout(checkout, shell, environ=program.environ, timeout=program.timeout)
    check_out(program, checkout, head)
    choice = Chooser(git=git, head=head, kinds=lambda: fragment_kinds(checkout / git.path), naming=naming).choose(
        tag, built
    )
    if choice.commit != head:
        check_out(program, checkout, choice.commit)
    when = _identity(git.date_of(choice.commit))
    section = None if built is not None else _next_section(git, checkout / git.path, choice, sources, naming)
    edit = _edit(git, choice)
    diff = _commit_version(program, checkout / git.path, choice, edit, when, section=section, top=checkout)
    if clone.commit_of(choice.tag) is None:
        program.run("tag", "--annotate", "-m", f"{choice.tag} (rehearsal)", "--", choice.tag, cwd=checkout, env=when)
        program.run("push", "--quiet", "--", "origin", f"refs/tags/{choice.tag}", cwd=checkout)
    messages = choice.messages
    if section is not None:
        heading = clean(section.heading, _QUOTED)
        messages += (f"a commit in that clone gives the section {heading!r} of {clean(section.file)} the version",)
    return Prepared(
        checkout=checkout, path=git.path, tag=choice.tag, messages=messages, diff=diff, uncommitted=git.changed()
    )


def _make_remote(program: GitProgram, git: GitCheckout, remote: Path, head: str, tags: Mapping[str, str]) -> None:
    """Make a bare clone without a remote of its own, whose HEAD is a branch."""
    clone_of(program, git.folder, remote, bare=True)
    write_tags(remote, tags)
    program.run("remote", "remove", "origin", cwd=remote)
    if program.run("symbolic-ref", "--quiet", "HEAD", cwd=remote, fine=(0, 1)).code == 0:
        return
    branches = program.run("for-each-ref", "--format=%(refname)", "refs/heads", cwd=remote).out.split("\n")
    branch = next(
        name for name in ("refs/heads/main", "refs/heads/rehearsal", f"refs/heads/{head}") if name not in branches
    )
    program.run("update-ref", branch, head, cwd=remote)
    program.run("symbolic-ref", "HEAD", branch, cwd=remote)


def _identity(date: int) -> dict[str, str]:
    """Return a fixed identity and date, for machines without one and for reproducible commits and tags."""
    when = f"@{date} +0000"
    return {
        "GIT_AUTHOR_NAME": _NAME,
        "GIT_AUTHOR_EMAIL": _EMAIL,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": _NAME,
        "GIT_COMMITTER_EMAIL": _EMAIL,
        "GIT_COMMITTER_DATE": when,
    }


def _next_section(
    git: GitCheckout, project: Path, choice: RehearsalTag, sources: ConfigSources, naming: Naming
) -> NamedSection | None:
    """Give the unreleased changes of the changelog the version, if it is the next one and has no fragments."""
    tags = git.tags()
    released = pep440.release_tags(tags, prefix=naming.prefix_of(choice.tag)).values()
    highest = pep440.highest_final(released)
    if choice.tag in tags or (highest is not None and highest >= choice.version):
        return None
    settings = settings_at(git, choice.commit, sources).settings
    try:
        name = read_facts(partial(git.read, choice.commit), project=settings.project).name
        if fragment_kinds(project):
            return None
    except (ConfigError, Refused):
        return None  # the stage that needs it reports what is wrong
    return name_unreleased(
        project,
        relative_files(git.at("").files(choice.commit), git.path),
        version=str(choice.version),
        date=datetime.fromtimestamp(git.date_of(choice.commit), UTC).date().isoformat(),
        names=(name,),
        setting=settings.changelog,
    )


def _edit(git: GitCheckout, choice: RehearsalTag) -> VersionEdit:
    """Return where the version must be written first: everywhere that the project repeats it, as a cut writes it."""
    if choice.edit is None:
        return NO_EDIT
    paths = relative_files(git.at("").files(choice.commit), git.path)
    places = same_versions(partial(git.read, choice.commit), paths, choice.edit)
    return VersionEdit(places=places, version=str(choice.version))


def _commit_version(
    program: GitProgram,
    project: Path,
    choice: RehearsalTag,
    edit: VersionEdit,
    when: dict[str, str],
    *,
    section: NamedSection | None,
    top: Path,
) -> str:
    """Set the version in the clone with one commit, in its places and in the changelog. Return the diff."""
    edited = [*write_version(project, top, edit)]
    if section is not None:
        path = (project / section.file).resolve()
        replace_content(path, section.content)
        edited.append(path)
    if not edited:
        return ""
    message = f"Set the version to {choice.version} (rehearsal)"
    # Only these files: others may differ from the commit after a checkout (encodings, line ends).
    program.run("add", "--", *(str(path.relative_to(top.resolve())) for path in edited), cwd=top)
    program.run("commit", "--quiet", "--no-verify", "-m", message, cwd=top, env=when)
    arguments = ("--format=", "--no-color", "--no-ext-diff", "--no-textconv", "--text", "HEAD", "--")
    return program.run("show", *arguments, cwd=top).out.strip("\n")
