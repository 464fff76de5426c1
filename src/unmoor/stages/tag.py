"""The tag: checked as a name first, resolved once to a commit, and compared with the remote's.

Nothing is written, here or there. Every refusal says what is true and which command puts it right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, StageContext
from unmoor.errors import Refused
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Release
from unmoor.project import read_facts
from unmoor.project.releasable import refuse_other_version, refuse_shallow, tag_on_head
from unmoor.publish.latest import is_latest
from unmoor.publish.tag_signature import trusted_signer
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming

_PATHS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ResolveTag(Check[Release]):
    """Say what is released: tag, version, commit, and whether it is the highest final.

    ``tag`` is the tag's name, ``None`` for the one on HEAD; ``named`` tells a tag that a person or
    the run gave from one that was found on HEAD. ``repository`` is ``owner/name``, and
    ``expected_repository`` the configured one, compared only where the world is ``real``.
    ``project`` is the configured name, empty for what the files say. ``commit`` is what GitHub
    Actions names, empty elsewhere. ``prefix`` is the configured one, empty for what the tag says.

    ``index`` and ``forge`` say what is published, which decides who is the highest; without them the
    tags do. Where they cannot be read a final release is refused (`Unknown`) if ``moves``, that is,
    if the run may move what points to the highest; else it is told and counts as not the highest.
    ``signers`` is the path of the file that says who may sign, empty where nobody has to.
    """

    name: str = "tag"
    tag: str | None
    named: bool
    repository: str
    expected_repository: str = ""
    real: bool
    project: str = ""
    commit: str = ""
    prefix: str = ""
    settings: str = ""
    signers: str = ""
    moves: bool = True
    git: Git
    index: Index | None = None
    forge: Forge | None = None

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services) -> Self:
        """Build the stage for a request."""
        return cls(
            tag=request.tag,
            named=request.named,
            repository=request.repository,
            expected_repository=request.settings.repository,
            real=request.real,
            project=request.settings.project,
            commit=request.commit,
            prefix=request.settings.tag_prefix,
            settings=request.settings_origin,
            signers=request.settings.allowed_signers if request.settings.signed_tags else "",
            moves=request.pushes,
            git=services.git,
            index=services.index if request.published else None,
            forge=services.forge if request.published else None,
        )

    def plan(self) -> str:
        """Say what would be looked at."""
        if self.tag is None:
            return "find the one release tag on the commit that is checked out, and compare it with the remote's"
        return f"resolve the tag {pep440.quote(self.tag)} to one commit, and compare it with the remote's"

    def make(self, context: StageContext) -> Release:
        """Resolve the tag. Raises `Refused`, `ConfigError`, and `Unknown` where git or the remote cannot be read."""
        if self.tag is not None:
            self._naming(None).prefix_of(self.tag)
        self._require_repository()
        refuse_shallow(self.git)
        local = self.git.tags()
        tag = self.tag if self.tag is not None else tag_on_head(self.git, self._naming)
        naming = self._naming(local.get(tag))
        prefix = naming.prefix_of(tag)
        version = pep440.read_tag(tag, prefix=prefix)
        if not self.named:
            self._require_unchanged()
        remote = self._remote_tags(context)
        commit = self._commit(tag, local, remote)
        pep440.refuse_twins(tag, version, {**(remote or {}), **local}, commit, prefix=prefix)
        self._require_signature(context, tag)
        facts = read_facts(lambda path: self.git.read(commit, path), project=self.project)
        refuse_other_version(facts.version_written, tag, version, commit)
        if self.real and self.git.on_a_branch(commit) is False:
            context.warn(
                f"no branch of the remote holds commit {commit[:12]}, as far as this checkout knows: if its branch was"
                f" refused, push both at once: git push --atomic origin BRANCH {tag}"
            )
        everywhere = {*local, *(remote or {})}
        tagged = pep440.release_tags(everywhere, prefix=prefix).values()
        return Release(
            repository=self.repository,
            project=facts.name,
            tag=tag,
            version=str(version),
            commit=commit,
            date=self.git.date_of(commit),
            prerelease=version.is_prerelease,
            highest=is_latest(
                version,
                tagged,
                project=facts.name,
                naming=naming.for_prefix(prefix),
                index=self.index,
                forge=self.forge,
                moves=self.moves,
                warn=context.warn,
            ),
            previous=pep440.previous(version, everywhere, like=tag, prefix=prefix),
            prefix=prefix,
            path=self.git.path,
            settings=self.settings,
        )

    def _naming(self, commit: str | None) -> Naming:
        """What is a tag of this project, whose name the files at the commit say; at HEAD, where there is none."""
        return Naming(
            configured=self.prefix,
            project=lambda: self._name_at(commit or self.git.head()),
            in_folder=bool(self.git.path),
        )

    def _name_at(self, commit: str | None) -> str:
        if self.project or commit is None:
            return self.project
        return read_facts(lambda path: self.git.read(commit, path)).name

    def _require_signature(self, context: StageContext, tag: str) -> None:
        """See that the tag is signed by somebody who may, where that is asked for."""
        if self.signers:
            context.say(f"the tag {tag} is signed by {trusted_signer(self.git, tag, self.signers)}")

    def _require_repository(self) -> None:
        """Refuse a fork: what is released for real comes from the configured repository alone."""
        if self.real and self.expected_repository and self.repository.lower() != self.expected_repository.lower():
            raise Refused(
                f"this repository is {clean(self.repository) or 'unknown'}, and the project is released from"
                f" {clean(self.expected_repository)} alone",
                where=str(self.git.folder),
                next_step="release from there; in a fork, rehearse: unmoor rehearse",
            )

    def _require_unchanged(self) -> None:
        """Refuse changed files where the tag was not named: somebody may think that they are released."""
        changed = self.git.changed()
        if changed:
            shown = "".join(f"\n  {clean(path)}" for path in changed[:_PATHS_SHOWN])
            more = f"\n  and {len(changed) - _PATHS_SHOWN} more" if len(changed) > _PATHS_SHOWN else ""
            raise Refused(
                f"tracked files differ from the commit that is checked out:{shown}{more}",
                where=str(self.git.folder),
                next_step="commit, stash or restore them; or name the tag, and its commit is released as it is",
            )

    def _remote_tags(self, context: StageContext) -> Mapping[str, str] | None:
        """The remote's tags, ``None`` where there is no remote and the world is not the real one."""
        if self.git.remote() is not None:
            return self.git.remote_tags()
        if self.real:
            raise Refused(
                "the checkout has no remote, so the tag cannot be compared with the published one",
                where=str(self.git.folder),
                next_step="name it: git remote add origin ADDRESS; then: git push origin TAG",
            )
        context.warn("the checkout has no remote: the tag was compared with nothing")
        return None

    def _commit(self, tag: str, local: Mapping[str, str], remote: Mapping[str, str] | None) -> str:
        """The one commit on which everybody agrees. Raises `Refused` where they do not."""
        commit = local.get(tag)
        there = None if remote is None else remote.get(tag)
        if commit is None:
            raise _absent(tag, remote, there, str(self.git.folder))
        if remote is not None and there is None:
            raise Refused(
                f"the tag {tag} is not on the remote",
                where=clean(self.git.remote() or ""),
                next_step=f"git push origin refs/tags/{tag}",
            )
        if there not in {None, commit}:
            raise Refused(
                f"the tag {tag} names commit {commit} here and commit {there} on the remote: it was moved",
                where=clean(self.git.remote() or ""),
                next_step="never move a released tag: release a new version; to take the remote's tag:"
                f" git fetch --force origin refs/tags/{tag}:refs/tags/{tag}",
            )
        if self.commit and self.commit != commit:
            raise Refused(
                f"the tag {tag} names commit {commit}, and this run was started for commit {clean(self.commit)}",
                where="GITHUB_SHA",
                next_step="see whether the tag was moved, and start a new run for the tag as it is now",
            )
        return commit


def _absent(tag: str, remote: Mapping[str, str] | None, there: str | None, where: str) -> Refused:
    """Say that the tag is not here, and whether the remote has it."""
    if there is not None:
        return Refused(
            f"the tag {tag} is not in this checkout; the remote has it, on commit {there}",
            where=where,
            next_step=f"git fetch origin refs/tags/{tag}:refs/tags/{tag}",
        )
    also = "" if remote is None else ", nor on the remote"
    return Refused(
        f"there is no tag {tag} in this checkout{also}",
        where=where,
        next_step=f"git tag -a {tag} -m {tag} && git push origin refs/tags/{tag};"
        f" to try it before: unmoor rehearse {tag}",
    )
