"""Cut a release, step by step. `Cut.run` is the list.

Nothing of the user's checkout changes before the last step, so a failure, or a kill, needs no way back: the work tree
in ``.unmoor/cut`` is removed by the next cut. Between the push and the last step, a record in the same folder says what
was pushed: the same command then only finishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused, Rejected, Unknown, UnmoorError
from unmoor.filesystem import commands
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.notes.dated_section import ReleaseNames
from unmoor.ports.git_writer import PushOutcome, PushState
from unmoor.scaffold.cut import requesting
from unmoor.scaffold.cut.model import (
    CutListener,
    CutOptions,
    CutPorts,
    CutProject,
    CutResult,
    CutState,
    CutStep,
    PlannedCut,
    Situation,
)
from unmoor.scaffold.cut.situation import look, read_version_facts, refuse_released, refuse_taken, require_not_behind
from unmoor.scaffold.cut.version_choice import ChosenVersion, InDoubt, choose
from unmoor.scaffold.cut.writing import write_changelog, write_version
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440
from unmoor.versioning.bump import VersionPart, bump

PUSHED: Final = "pushed.json"
_LARGEST_RECORD = 10_000


class CutRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a cut is about to push, so that the next one can finish it."""

    branch: str
    onto: str
    commit: str
    tip: str
    tag: str
    object: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One cut of one project."""

    ports: CutPorts
    project: CutProject
    options: CutOptions
    listener: CutListener

    def run(self) -> CutResult | InDoubt:
        """Cut the release. Returns the choices if it is in doubt which version is meant.

        Raises `Refused` with the reason before anything is written, and for what the remote refuses; `Unknown` if the
        remote gives no answer.
        """
        if (finished := self._finish_last()) is not None:
            return finished
        self.listener.begins(CutStep.LOOK)
        found = look(self.ports, self.project)
        self.listener.begins(CutStep.CHOOSE)
        chosen = self._choose(found)
        if isinstance(chosen, InDoubt):
            return chosen
        tag = f"{pep440.tag_start(found.taken, prefix=found.prefix)}{chosen.version}"
        refuse_taken(self.ports, self.project, found, chosen.version, tag)
        self.ports.check()
        with self.ports.writer.tree(self.project.folder, found.head) as tree:
            self.listener.begins(CutStep.WRITE)
            planned = self._write(tree, found, chosen, tag)
            self.listener.begins(CutStep.ASK)
            if not self.listener.approve(planned):
                return CutResult(state=CutState.PLANNED, tag=tag, version=str(planned.version))
            self.listener.begins(CutStep.COMMIT)
            release = self._commit(tree, planned) if planned.diff else found.head
            if self.options.rehearse:
                self.listener.begins(CutStep.REHEARSE)
                self.listener.rehearse(tree, planned.tag)
            if planned.through:
                return self._request(found, planned, release)
            self.listener.begins(CutStep.TAG)
            record = self._tag(found, planned, release, tip=self._open_next(tree, found, planned, release))
            self.listener.begins(CutStep.PUSH)
            outcome = self._push(found, record)
            if outcome.state is PushState.REFUSED and self._may_request(found, record, outcome):
                self.listener.say(f"the remote refuses the push to {clean(found.branch)}: {outcome.reason}")
                through = requesting.branch_of(planned.tag)
                return self._request(found, replace(planned, through=through), release)
            self._require_pushed(found, record, outcome)
        return self._finish(record)

    def _choose(self, found: Situation) -> ChosenVersion | InDoubt:
        facts = read_version_facts(self.ports, self.project, found, self.options.now)
        if self.options.named is None:
            refuse_released(found, pep440.tags_at(self.ports.git.tags(), found.head))
        try:
            return choose(facts, named=self.options.named, parts=self.options.parts)
        except ValueError as error:
            raise Refused(str(error), where="--bump", next_step=advice.NAME_ANOTHER_VERSION()) from error

    def _write(self, tree: Path, found: Situation, chosen: ChosenVersion, tag: str) -> PlannedCut:
        """Write everything into the tree, and plan the rest."""
        now = self.options.now
        write_version(self.ports, found, tree, chosen.version, name=self.project.name, now=now)
        previous = max(found.merged, key=lambda each: found.merged[each], default="")
        names = ReleaseNames(version=chosen.version, day=now.date(), tag=tag, previous=previous)
        messages = tuple(write_changelog(self.ports, self.project, found, tree, names))
        diff = self.ports.writer.stage(tree)
        why = self.ports.protected(found.branch) if diff else ""
        through = requesting.branch_of(tag) if why else ""
        ahead = 0
        if found.head != found.remote_head:
            parents = self.ports.writer.first_parents(found.head, limit=1000)
            ahead = parents.index(found.remote_head) if found.remote_head in parents else 1
        if through and self.project.settings.cut.after_release == "dev":
            messages += ("the pull request does not open the next version, since merging may squash its commits",)
        planned = PlannedCut(
            version=chosen.version,
            tag=tag,
            branch=found.branch,
            arithmetic=chosen.arithmetic,
            messages=messages,
            diff=diff,
            commands=(),
            through=through,
            why=why,
            ahead=ahead,
        )
        return replace(planned, commands=tuple(self._commands(found, planned)))

    def _commands(self, found: Situation, planned: PlannedCut) -> Iterator[str]:
        """The commands that do by hand what will be done."""
        remote = self.ports.writer.remote
        if planned.diff:
            yield commands.join(["git", "commit", "--all", "-m", self._message(planned)])
        if planned.through:
            yield commands.join(["git", "push", remote, f"HEAD:refs/heads/{planned.through}"])
            yield commands.join(["gh", "pr", "create", "--base", found.branch, "--head", planned.through])
            yield commands.join(["unmoor", "cut", "--tag"])
            return
        yield commands.join(["git", "tag", "--annotate", "-m", self._tag_message(planned), planned.tag])
        if (following := self._following(planned)) is not None:
            yield commands.join(["git", "commit", "--all", "-m", f"Begin {following}"])
        yield commands.join(["git", "push", "--atomic", remote, found.branch, planned.tag])

    def _commit(self, tree: Path, planned: PlannedCut) -> str:
        return self.ports.writer.commit(tree, self._message(planned), verify=self.options.verify)

    def _open_next(self, tree: Path, found: Situation, planned: PlannedCut, release: str) -> str:
        """Commit the next development version, if the settings ask for that. Return the last commit."""
        following = self._following(planned)
        if following is None:
            return release
        write_version(self.ports, found, tree, following, name=self.project.name, now=self.options.now)
        self.ports.writer.stage(tree)
        message = f"{self._kind('chore: begin', 'Begin')} {following}"
        return self.ports.writer.commit(tree, message, verify=self.options.verify)

    def _following(self, planned: PlannedCut) -> Version | None:
        """The development version that the commit after the release has, if there is to be one."""
        if self.project.settings.cut.after_release != "dev" or not planned.diff or planned.through:
            return None
        kinds = {"a": VersionPart.ALPHA, "b": VersionPart.BETA, "rc": VersionPart.RC}
        part = kinds[planned.version.pre[0]] if planned.version.pre is not None else VersionPart.PATCH
        return Version(f"{bump(planned.version, part)}.dev0")

    def _message(self, planned: PlannedCut) -> str:
        template = self.project.settings.cut.message
        if template:
            return template.replace("{version}", str(planned.version)).replace("{tag}", planned.tag)
        return f"{self._kind('chore: release', 'Release')} {planned.version}"

    def _kind(self, conventional: str, plain: str) -> str:
        """A word of the message, as the project writes its messages."""
        return conventional if self.project.is_conventional else plain

    def _tag_message(self, planned: PlannedCut) -> str:
        return f"{self.project.name} {planned.version}"

    def _tag(self, found: Situation, planned: PlannedCut, release: str, *, tip: str) -> CutRecord:
        made = self.ports.writer.tag(
            self.project.folder,
            planned.tag,
            release,
            self._tag_message(planned),
            sign=self.project.settings.signed_tags,
        )
        return CutRecord(
            branch=found.branch,
            onto=found.head,
            commit=release,
            tip=tip,
            tag=planned.tag,
            object=made,
            version=str(planned.version),
        )

    def _push(self, found: Situation, record: CutRecord) -> PushOutcome:
        """Push branch and tag together. The record is written before, since a kill may come after."""
        write_atomic(self._record_file, msgspec.json.encode(record))
        refs = {f"refs/tags/{record.tag}": record.object}
        if record.tip != found.remote_head:
            refs = {f"refs/heads/{record.branch}": record.tip} | refs
        outcome = self.ports.writer.push(refs)
        if outcome.state not in {PushState.DONE, PushState.LOST}:
            self._forget()
        return outcome

    def _may_request(self, found: Situation, record: CutRecord, outcome: PushOutcome) -> bool:
        """Whether the remote may have refused the branch, so that a pull request helps."""
        branch, tag = f"refs/heads/{record.branch}", f"refs/tags/{record.tag}"
        if record.tip == found.remote_head or record.commit == found.head or branch not in outcome.refs:
            return False
        return not (tag in outcome.reason and branch not in outcome.reason)

    def _require_pushed(self, found: Situation, record: CutRecord, outcome: PushOutcome) -> None:
        """Raise an error unless the push arrived."""
        where = clean(self.ports.git.remote() or self.ports.writer.remote)
        match outcome.state:
            case PushState.DONE:
                return
            case PushState.MOVED:
                require_not_behind(self.ports, found.branch, found.head)
                raise Refused(
                    f"the remote moved, and nothing was pushed: {outcome.reason}", where=where, retryable=True
                )
            case PushState.EXISTS:
                raise Refused(
                    f"the remote has a tag {record.tag} since a moment ago, and nothing was pushed",
                    where=where,
                    next_step=advice.FETCH_TAGS(),
                )
            case PushState.REFUSED:
                raise Rejected(
                    f"the remote refuses the push, and nothing was pushed: {outcome.reason}",
                    where=where,
                    next_step=advice.ALLOW_PUSH(),
                )
            case PushState.NOT_ATOMIC:
                raise Rejected(
                    f"the remote cannot take branch and tag together, and nothing was pushed: {outcome.reason}",
                    where=where,
                    next_step=advice.PUSH_BY_HAND(),
                )
            case PushState.LOST:
                raise Unknown(f"git push failed: {outcome.reason}", where=where, otherwise=advice.CHECK_REMOTE())

    def _request(self, found: Situation, planned: PlannedCut, commit: str) -> CutResult:
        self.listener.begins(CutStep.PUSH)
        return requesting.request(
            self.ports, found, planned, commit, title=self._message(planned), project=self.project.name
        )

    def _finish(self, record: CutRecord) -> CutResult:
        """Move the branch of the checkout, and write the tag there."""
        self.listener.begins(CutStep.FINISH)
        left = tuple(self.ports.writer.finish(record.branch, record.tip, {record.tag: record.object}))
        self._forget()
        return CutResult(state=CutState.PUSHED, tag=record.tag, version=record.version, commit=record.commit, left=left)

    def _finish_last(self) -> CutResult | None:
        """Finish a cut that was killed after its push; ``None`` if there is none."""
        record = self._read_record()
        if record is None:
            return None
        writer = self.ports.writer
        head = self.ports.git.head()
        if writer.remote_tag(record.tag) != record.object or (
            self.ports.git.commit_of(record.tag) and head is not None and writer.contains(head, record.tip)
        ):
            self._forget()
            return None
        self.listener.say(f"an earlier cut has pushed {record.tag} already, and was stopped then: this one finishes it")
        return self._finish(record)

    @property
    def _record_file(self) -> Path:
        return self.project.folder / PUSHED

    def _read_record(self) -> CutRecord | None:
        try:
            return decode_json(read_regular(self._record_file, _LARGEST_RECORD), CutRecord)
        except FileNotFoundError:
            return None
        except (UnmoorError, ValueError):
            self._forget()
            return None

    def _forget(self) -> None:
        with suppress(FileNotFoundError):
            self._record_file.unlink()
