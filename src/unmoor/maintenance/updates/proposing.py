"""Propose tested updates: a branch and a pull request for each group.

Each branch has one commit for its own group, on top of those of the groups before it: so each holds exactly a lock that
was tested. A branch is only ever replaced if every commit on it is one that this made, as it was made: a commit names
the sha256 of the lock that it writes, and changes nothing else.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import Refused, Rejected, Unknown
from unmoor.filesystem.files import write_atomic
from unmoor.maintenance.updates.examine import is_plain
from unmoor.maintenance.updates.groups import UpdateGroup
from unmoor.maintenance.updates.lock import NAME, Move
from unmoor.maintenance.updates.result import TestedGroup, UpdateResult
from unmoor.ports.git import Git
from unmoor.ports.git_writer import GitWriter, PushState
from unmoor.ports.pull_requests import PullRequest, PullRequests
from unmoor.util.text import clean

TRAILER: Final = "Unmoor-Lock: "
_MOST_COMMITS: Final = 10
_ODD: Final = re.compile(r"[^A-Za-z0-9]+")
_AFTERWARDS: Final = (
    "unmoor replaces this branch as long as nobody else commits to it. If you close this pull request, it stays closed"
    " until there are other versions."
)
_TITLES: Final = {
    UpdateGroup.SECURITY: "Update packages with known vulnerabilities",
    UpdateGroup.MINOR: "Update packages, minor versions",
    UpdateGroup.MAJOR: "Update packages, major versions",
}


class ProposalState(StrEnum):
    """What became of the pull request of a group."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """Somebody else has committed to the branch: nothing of it is touched."""
    DECLINED = "declined"
    """Somebody closed the pull request with the very same lock."""


class ProposedUpdates(msgspec.Struct, frozen=True, kw_only=True):
    """The pull request of a group. ``checks`` says what starts CI on it, or why nothing does."""

    group: UpdateGroup
    branch: str
    state: ProposalState
    url: str = ""
    checks: str = ""


@dataclass(frozen=True, kw_only=True)
class Proposing:
    """Proposes the groups of a result that was examined. ``git`` is at the project, ``folder`` is for work trees.

    ``start_checks`` starts CI on a branch, and returns what it did in words.
    """

    git: Git
    writer: GitWriter
    pulls: PullRequests
    folder: Path
    default: str
    start_checks: Callable[[str], str]
    note: str = ""

    def run(self, result: UpdateResult) -> tuple[ProposedUpdates, ...]:
        """Push and open what is needed. Raises `Rejected`, `Denied`, `Unknown`."""
        tip = self.writer.fetch(self.default)
        if not self.writer.contains(tip, result.commit) or self.git.read(tip, NAME) != self.git.read(
            result.commit, NAME
        ):
            raise Refused(
                f"{clean(self.default)} has another lock since the updates were tested",
                where=NAME,
                next_step=advice.MAKE_NEW_RESULT(),
            )
        parent = result.commit
        done = []
        for group in result.groups:
            proposed, parent = self._propose(group, parent, tip, result)
            done.append(proposed)
        return tuple(done)

    def _propose(self, group: TestedGroup, parent: str, tip: str, result: UpdateResult) -> tuple[ProposedUpdates, str]:
        """Bring one group's branch and pull request up to date. Returns the commit for the next group to build on."""
        branch = branch_of(group.group, self.git.path)
        there = self.writer.remote_branch(branch)
        lock = group.lock.encode()
        if there is not None:
            self.writer.fetch(branch)
            if not self._is_ours(there, tip):
                return ProposedUpdates(group=group.group, branch=branch, state=ProposalState.KEPT), parent
        pulls = self.pulls.of_branch(branch) if there is not None else ()
        latest = next(iter(pulls), None)
        if there is not None and self.git.read(there, NAME) == lock and not self.writer.contains(tip, there):
            return self._leave(group, branch, latest, there, result), there
        commit = self._commit(group, lock, parent)
        self._push(branch, commit, there)
        opened = next((each for each in pulls if each.is_open), None)
        title, body = _TITLES[group.group], self._body(group, result)
        if opened is None:
            pull = self.pulls.create(branch=branch, base=self.default, title=title, body=body)
        else:
            pull = self.pulls.update(opened.number, title=title, body=body)
        state = ProposalState.OPENED if opened is None else ProposalState.UPDATED
        return (
            ProposedUpdates(
                group=group.group, branch=branch, state=state, url=pull.url, checks=self.start_checks(branch)
            ),
            commit,
        )

    def _leave(
        self, group: TestedGroup, branch: str, latest: PullRequest | None, there: str, result: UpdateResult
    ) -> ProposedUpdates:
        """The branch is as it shall be: open the pull request only if there was never one of this commit."""
        if latest is not None and (latest.is_open or latest.head == there):
            state = ProposalState.UNCHANGED if latest.is_open else ProposalState.DECLINED
            return ProposedUpdates(group=group.group, branch=branch, state=state, url=latest.url)
        pull = self.pulls.create(
            branch=branch, base=self.default, title=_TITLES[group.group], body=self._body(group, result)
        )
        return ProposedUpdates(
            group=group.group,
            branch=branch,
            state=ProposalState.OPENED,
            url=pull.url,
            checks=self.start_checks(branch),
        )

    def _body(self, group: TestedGroup, result: UpdateResult) -> str:
        """The text of a pull request, with the updates of its group that are not in it."""
        others = [
            Move(name=each.update.name, before=each.update.before, after=each.update.after)
            for each in result.left_out
            if each.update.group is group.group
        ]
        return body_of(group, self.note, [each for each in others if is_plain(each)])

    def _is_ours(self, commit: str, tip: str) -> bool:
        """Whether every commit between the default branch and this one was made here, and is as it was made."""
        path = posixpath.join(self.git.path, NAME)
        for each in self.writer.first_parents(commit, limit=_MOST_COMMITS):
            if self.writer.contains(tip, each):
                return True
            change = self.writer.change_of(each)
            lock = self.git.read(each, NAME)
            if len(change.parents) != 1 or change.paths != (path,) or lock is None:
                return False
            if trailer_of(lock) not in change.message.splitlines():
                return False
        return False

    def _commit(self, group: TestedGroup, lock: bytes, parent: str) -> str:
        with self.writer.tree(self.folder, parent) as tree:
            write_atomic(tree / self.git.path / NAME, lock)
            self.writer.stage(tree)
            # Hooks that are only in this checkout could be the project's code.
            return self.writer.commit(tree, message_of(group, lock), verify=False)

    def _push(self, branch: str, commit: str, there: str | None) -> None:
        """Replace the branch, if it is still where it was. Raises `Rejected`, `Unknown`."""
        ref = f"refs/heads/{branch}"
        outcome = self.writer.push({ref: commit}, leases={ref: there or ""})
        where = clean(self.git.remote() or self.writer.remote)
        if outcome.state is PushState.LOST:
            raise Unknown(f"git push failed: {outcome.reason}", where=where)
        if outcome.state is not PushState.DONE:
            raise Rejected(
                f"the remote did not take the branch {branch}: {outcome.reason}",
                where=where,
                next_step=advice.ALLOW_PUSH(),
                retryable=True,
            )


def branch_of(group: UpdateGroup, path: str) -> str:
    """The branch of a group's pull request; ``path`` is the folder of the project in the repository."""
    within = _ODD.sub("-", path).strip("-")
    return "/".join(filter(None, ("unmoor-deps", within, str(group))))


def trailer_of(lock: bytes) -> str:
    """The line of a commit's message that names the lock which it writes."""
    return f"{TRAILER}{hashlib.sha256(lock).hexdigest()}"


def message_of(group: TestedGroup, lock: bytes) -> str:
    """The message of a group's commit."""
    return "\n".join((_TITLES[group.group], "", *_moves(group), "", trailer_of(lock)))


def _moves(group: TestedGroup) -> Sequence[str]:
    return [*(f"- {each}" for each in group.updates), *(f"- {each.words}" for each in group.also)]


def body_of(group: TestedGroup, note: str, left_out: Sequence[Move]) -> str:
    """The text of a group's pull request. It has only names and versions, which were examined."""
    rows = [f"| `{each.name}` | {each.before} | {each.after} |" for each in group.updates]
    also = [f"- {each.words}" for each in group.also]
    lines = [
        "The tests pass with these updates of `uv.lock`, on the commit that they were tried on:",
        "",
        "| package | locked | now |",
        "|---|---|---|",
        *rows,
        *(["", "With them:", "", *also] if also else []),
        *(["", "Left out, since the tests fail with them or they do not fit:", ""] if left_out else []),
        *(f"- {each.words}" for each in left_out),
        *(["", note] if note else []),
        "",
        _AFTERWARDS,
    ]
    return "\n".join(lines)
