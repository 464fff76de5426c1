"""The stage ``tag``: check the tag's name, resolve it to one commit, and compare it with the remote's.

The stage writes nothing, neither here nor on the remote. Every refusal names the command that fixes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from unmoor import advice
from unmoor.core.stage import Check, StageContext
from unmoor.errors import Refused
from unmoor.filesystem.commands import join, quote, sequence
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Release
from unmoor.project import read_facts
from unmoor.project.other_versions import disagreeing_versions
from unmoor.project.releasable import refuse_fork, refuse_other_version, refuse_shallow, tag_on_head
from unmoor.project.written_version import WrittenVersion
from unmoor.publish.latest import is_latest
from unmoor.publish.tag_signature import trusted_signer
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming

_MAX_PATHS = 20


@dataclass(frozen=True, kw_only=True)
class ResolveTag(Check[Release]):
    """Determines what is released: tag, version, commit, and whether it is the highest final version.

    ``tag`` is the tag's name, ``None`` for the one on HEAD. ``named``: a person or the workflow gave the
    tag; otherwise it was found on HEAD. ``repository`` is ``owner/name``; ``expected_repository`` is the
    configured one, compared only if the world is ``real``. ``project`` is the configured name, empty to
    read it from the files. ``commit`` is the one that GitHub Actions runs for, empty elsewhere. ``prefix``
    is the configured tag prefix, empty to derive it from the tag.

    ``index`` and ``forge`` tell which versions are published, which decides whether this one is the
    highest; without them the tags decide. If they cannot be read, a final release raises `Unknown` if
    ``moves``, that is, if the run may move what points at the highest version; otherwise the stage warns,
    and the release does not count as the highest. ``signers`` is the path of the file that lists who may
    sign tags, empty if tags need no signature.
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
        """Say which tag would be resolved."""
        if self.tag is None:
            return "find the one release tag on the checked-out commit, and compare it with the remote's"
        return f"resolve the tag {pep440.quote(self.tag)} to one commit, and compare it with the remote's"

    def make(self, context: StageContext) -> Release:
        """Resolve the tag. Raises `Refused`, `ConfigError`, and `Unknown` if git or the remote cannot be read."""
        if self.tag is not None:
            self._naming(None).prefix_of(self.tag)
        if self.real:
            refuse_fork(self.git, self.repository, self.expected_repository)
        refuse_shallow(self.git)
        local = self.git.tags()
        tag = self.tag if self.tag is not None else tag_on_head(self.git, self._naming)
        naming = self._naming(local.get(tag))
        prefix = naming.prefix_of(tag)
        version = pep440.read_tag(tag, prefix=prefix)
        pep440.refuse_epoch(tag, version)
        if not self.named:
            self._require_unchanged()
        remote = self._remote_tags(context)
        commit = self._commit(tag, local, remote)
        pep440.refuse_twins(tag, version, {**(remote or {}), **local}, commit, prefix=prefix)
        self._require_signature(context, tag)
        facts = read_facts(lambda path: self.git.read(commit, path), project=self.project)
        refuse_other_version(facts.version_written, tag, version, commit)
        self._warn_about_other_versions(context, commit, facts.version_written, str(version))
        if self.real and self.git.on_a_branch(commit) is False:
            context.warn(
                f"no branch of the remote contains commit {commit[:12]}, as far as this checkout knows: if the push of"
                f" its branch was rejected, push both at once: git push --atomic origin BRANCH {tag}"
            )
        all_tags = {*local, *(remote or {})}
        tagged = pep440.release_tags(all_tags, prefix=prefix).values()
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
            previous=pep440.previous(version, all_tags, like=tag, prefix=prefix),
            prefix=prefix,
            path=self.git.path,
            settings=self.settings,
        )

    def _naming(self, commit: str | None) -> Naming:
        """How this project names its tags. Its name is read from the files at the commit, or at HEAD for ``None``."""
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
        """Require the signature of a listed signer, if signed tags are configured."""
        if self.signers:
            context.say(f"the tag {tag} is signed by {trusted_signer(self.git, tag, self.signers)}")

    def _warn_about_other_versions(
        self, context: StageContext, commit: str, source: WrittenVersion | None, version: str
    ) -> None:
        """Warn about other places at the commit that say another version, which the build does not read."""
        for other in disagreeing_versions(lambda path: self.git.read(commit, path), source, version):
            context.warn(
                f"{other} says version {clean(other.text, 60)}, but {source} says {version}, which is released:"
                " correct or remove the other"
            )

    def _require_unchanged(self) -> None:
        """Refuse changed files if the tag was not named: the user may expect to release them."""
        changed = self.git.changed()
        if changed:
            listed = "".join(f"\n  {clean(path)}" for path in changed[:_MAX_PATHS])
            more = f"\n  and {len(changed) - _MAX_PATHS} more" if len(changed) > _MAX_PATHS else ""
            raise Refused(
                f"tracked files differ from the checked-out commit:{listed}{more}",
                where=str(self.git.folder),
                next_step=advice.COMMIT_OR_NAME_TAG(),
            )

    def _remote_tags(self, context: StageContext) -> Mapping[str, str] | None:
        """The remote's tags, ``None`` if there is no remote and the world is not the real one."""
        if self.git.remote() is not None:
            return self.git.remote_tags()
        if self.real:
            raise Refused(
                "the checkout has no remote, so the tag cannot be compared with the published one",
                where=str(self.git.folder),
                next_step=advice.ADD_REMOTE_AND_PUSH(),
            )
        context.warn("the checkout has no remote, so the tag was not compared with the published one")
        return None

    def _commit(self, tag: str, local: Mapping[str, str], remote: Mapping[str, str] | None) -> str:
        """The commit of the tag, the same here, on the remote and in CI. Raises `Refused` if they differ."""
        commit = local.get(tag)
        there = None if remote is None else remote.get(tag)
        if commit is None:
            raise _missing_tag(tag, remote, there, str(self.git.folder))
        if remote is not None and there is None:
            raise Refused(
                f"the tag {tag} is not on the remote",
                where=clean(self.git.remote() or ""),
                next_step=advice.PUSH_TAG(tag=quote(tag)),
            )
        if there not in {None, commit}:
            raise Refused(
                f"the tag {tag} names commit {commit} here and commit {there} on the remote: it was moved",
                where=clean(self.git.remote() or ""),
                next_step=advice.TAKE_REMOTE_TAG(tag=quote(tag)),
            )
        if self.commit and self.commit != commit:
            raise Refused(
                f"the tag {tag} names commit {commit}, but this run was started for commit {clean(self.commit)}",
                where="GITHUB_SHA",
                next_step=advice.START_RUN_FOR_TAG(),
            )
        return commit


def _missing_tag(tag: str, remote: Mapping[str, str] | None, there: str | None, where: str) -> Refused:
    """The error for a tag that is not here; it says whether the remote has it."""
    if there is not None:
        return Refused(
            f"the tag {tag} is not in this checkout; the remote has it, on commit {there}",
            where=where,
            next_step=advice.FETCH_TAG(tag=quote(tag)),
        )
    also = "" if remote is None else ", nor on the remote"
    create = [join(["git", "tag", "-a", tag, "-m", tag]), join(["git", "push", "origin", f"refs/tags/{tag}"])]
    return Refused(
        f"there is no tag {tag} in this checkout{also}",
        where=where,
        next_step=advice.CREATE_TAG(tag=quote(tag), command=sequence(create)),
    )
