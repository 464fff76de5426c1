"""Bring files into a Space: look, tag what was there, commit once what differs, read back, wait until it runs.

The truth is the hub: its trees, its commits and the backup tags. So the same command continues wherever a former one
was killed, and what nobody answered is settled by looking. On a failure the commit is taken back by another commit.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from unmoor import advice
from unmoor.deploy.space.difference import SpaceDifference, compare, same_bytes, take_back
from unmoor.deploy.space.patterns import matches
from unmoor.deploy.space.running import RUNNING, SLEEPING, Progress, RunningWatch
from unmoor.errors import (
    BuildFailed,
    CheckFailed,
    Conflict,
    Incomplete,
    Rejected,
    TimedOut,
    Unknown,
    UnmoorError,
)
from unmoor.ports.clock import Clock
from unmoor.ports.poll import growing, poll
from unmoor.ports.space_hub import SpaceChange, SpaceHub, SpaceRuntime
from unmoor.products import SpaceFile
from unmoor.util.concurrency import run_parallel
from unmoor.util.secret_scan import token_in
from unmoor.util.text import clean, count_of, duration, indented, list_some

BACKUP: Final = "unmoor-backup-"
# How long, in seconds, the hub may work on a commit whose answer was lost.
_SETTLES: Final = 20.0
# Between two looks at what runs.
_FIRST, _LONGEST = 1.0, 10.0
_LOG_LINES: Final = 20

Say = Callable[[str], None]


class SpaceState(msgspec.Struct, frozen=True, kw_only=True):
    """What the Space holds: its head, what differs from the files that belong there, and the commit of every tag."""

    head: str
    difference: SpaceDifference
    tags: Mapping[str, str]


class OurCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of this deployment in the history of the Space, and the one before it."""

    id: str
    before: str


@dataclass(frozen=True, kw_only=True)
class SpaceDeployer:
    """Brings ``files`` into a Space. ``title`` is that of its commit, by which it is found again.

    ``critical`` are patterns of files that are read back by their bytes, ``prune`` those of files there that may be
    deleted, ``kept`` paths that stay as they are. ``wait`` is how long, in seconds, the Space may take to run.
    """

    hub: SpaceHub
    clock: Clock
    title: str
    files: tuple[SpaceFile, ...] = ()
    critical: tuple[str, ...] = ()
    prune: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    wait: float = 600.0
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def look(self) -> SpaceState:
        """Read the head of the Space, its files and its tags."""
        found: list[tuple[str, SpaceDifference]] = []
        tags: list[Mapping[str, str]] = []

        def look_at_head() -> None:
            head = self.hub.info().head
            found.append((head, self._difference(head)))

        works: tuple[Callable[[], None], ...] = (look_at_head, lambda: tags.append(self.hub.tags()))
        for error in run_parallel(works, lambda work: work(), width=2):
            raise error
        head, difference = found[0]
        return SpaceState(head=head, difference=difference, tags=tags[0])

    def _difference(self, head: str) -> SpaceDifference:
        return compare(self.files, self.hub.tree(head), prune=self.prune, kept=self.kept)

    def is_running(self, head: str) -> bool:
        """Whether the hub says by itself that it runs this commit."""
        return RunningWatch(commit=head).seen(self.hub.runtime())[1] is Progress.RUNS

    def deploy(self, say: Say, before: SpaceState | None = None) -> tuple[str, SpaceDifference]:
        """Make the Space the same and wait until it runs. Returns its commit and what differed before.

        ``before`` is what was seen a moment ago: a commit is refused if that is no longer the head.

        Raises `Conflict` if somebody else commits meanwhile, and the error of the hub. If what was committed is not
        what was meant, or does not run, the Space gets its former files back before the error is raised. If it is only
        late, and this run sent nothing, it stays as it is.
        """
        before = before or self.look()
        head = before.head
        if before.difference.is_none:
            say(f"the Space holds {self._files} already")
        else:
            self._back_up(before, say)
            head = self._commit(before.difference.change(self.title), before.head, say)
        try:
            self._await_running(head, say, first=self._verify(head))
        except (BuildFailed, CheckFailed, TimedOut, _OtherBytes) as error:
            if isinstance(error, TimedOut) and before.difference.is_none:
                raise error.amended(also=f"this run changed nothing there{self._logs()}") from error
            raise self._after_failure(error, say) from error
        return head, before.difference

    @property
    def _files(self) -> str:
        return count_of(len(self.files), "file")

    def _back_up(self, before: SpaceState, say: Say) -> None:
        """Tag the head, unless a backup has that commit already: a former run may have been killed after it."""
        head = before.head
        known = {name: commit for name, commit in before.tags.items() if name.startswith(BACKUP)}
        if head in known.values():
            return
        moment = self.now()
        while (name := f"{BACKUP}{moment:%Y%m%dT%H%M%SZ}") in known:
            moment += timedelta(seconds=1)
        try:
            self.hub.tag(name, head)
        except (Unknown, Conflict):
            if self.hub.tags().get(name) != head:
                raise
        say(f"tagged the former commit {head[:12]} as {name}")

    def _commit(self, change: SpaceChange, parent: str, say: Say) -> str:
        """Commit once. If the answer is lost, look whether the hub has the commit."""
        say(
            f"committing {count_of(len(change.additions) + len(change.restorations), 'file')}"
            + (f" and {count_of(len(change.deletions), 'deletion')}" if change.deletions else "")
            + f" onto {parent[:12]}"
        )
        try:
            return self.hub.commit(change, parent)
        except Unknown as error:
            say(f"{error.what}: looking whether the hub has the commit")
            if (made := self._find_lost(change.title, parent)) is not None:
                return made
            raise

    def _find_lost(self, title: str, parent: str) -> str | None:
        """The commit after ``parent`` with this title, ``None`` if the hub still has none when it must have."""

        def look() -> str | None:
            commits = self.hub.commits()
            pairs = itertools.pairwise(commits)
            return next((each.id for each, before in pairs if (each.title, before.id) == (title, parent)), None)

        return poll(look, waits=growing(0.5, 4.0), clock=self.clock, deadline=_SETTLES, forgiven=(Unknown,))

    def _verify(self, head: str) -> SpaceRuntime | None:
        """Compare every file of the commit by its id, and the critical ones by their bytes. Raises `_OtherBytes`.

        Returns what runs meanwhile, ``None`` if the hub does not say: that question need not wait for these.
        """
        wrong: list[str] = []
        runs: list[SpaceRuntime] = []

        def compare_ids() -> None:
            left = self._difference(head)
            wrong.extend((*(each.path for each in left.changed), *left.deleted))

        def read_back(file: SpaceFile) -> None:
            data = self.hub.read(head, file.path, size=file.size)
            if hashlib.sha256(data).hexdigest() != file.sha256:
                wrong.append(file.path)

        def look_at_runtime() -> None:
            with suppress(Unknown):
                runs.append(self.hub.runtime())

        critical = [each for each in self.files if matches(self.critical, each.path)]
        reads: list[Callable[[], None]] = [partial(read_back, each) for each in critical]
        works = [compare_ids, look_at_runtime, *reads]
        for error in run_parallel(works, lambda work: work(), width=8):
            raise error
        if wrong:
            names = list_some(sorted({clean(path) for path in wrong}))
            raise _OtherBytes(
                f"the Space does not hold what was committed: {names}", where=self.hub.address, retryable=True
            )
        return next(iter(runs), None)

    def _await_running(self, head: str, say: Say, *, first: SpaceRuntime | None) -> None:
        """Wait until the Space runs a commit; ``first`` is what was seen of it a moment ago.

        Raises `BuildFailed`, `CheckFailed`, `Incomplete`, `TimedOut`.
        """
        watch = RunningWatch(commit=head)
        last = ""

        def look() -> tuple[SpaceRuntime, Progress]:
            nonlocal watch, last, first
            runtime, first = first or self.hub.runtime(), None
            watch, progress = watch.seen(runtime)
            if runtime.stage != last:
                last = runtime.stage
                say(f"the Space is {clean(runtime.stage, 40)}")
            return runtime, progress

        runtime, progress = poll(
            look,
            waits=growing(_FIRST, _LONGEST),
            clock=self.clock,
            until=lambda seen: seen[1] is not Progress.WAITING,
            deadline=self.wait,
            forgiven=(Unknown,),
        )
        if progress is not Progress.RUNS:
            raise self._failure(runtime, progress)

    def _failure(self, runtime: SpaceRuntime, progress: Progress) -> UnmoorError:
        stage, where = clean(runtime.stage, 40), self.hub.address
        why = f": {clean(runtime.error)}" if runtime.error else ""
        if progress is Progress.OFF:
            return Incomplete(
                f"the Space holds the files, but it is {stage}{why}", where=where, next_step=advice.RESTART_SPACE()
            )
        if progress is Progress.BUILD_FAILED:
            return BuildFailed(
                f"the Space does not build ({stage}){why}", where=where, next_step=advice.CORRECT_SPACE()
            )
        if progress is Progress.APP_FAILED:
            return CheckFailed(
                f"the application does not start ({stage}){why}", where=where, next_step=advice.CORRECT_SPACE()
            )
        unnamed = stage in {RUNNING, SLEEPING} and not runtime.commit
        said = f"{stage}, and does not say of which commit" if unnamed else stage
        return TimedOut(
            f"the Space did not run within {duration(self.wait)}; it is {said}{why}",
            where=where,
            next_step=advice.ALLOW_SPACE_MORE_TIME(),
        )

    def _after_failure(self, error: UnmoorError, say: Say) -> UnmoorError:
        """Take the commit back, and add to the error what both logs have and what became of the Space."""
        logs = "" if isinstance(error, _OtherBytes) else self._logs()
        try:
            found = self.find_own()
            if found is None:
                also = "the files in it were not committed by this deployment, so it stays as it is"
            else:
                also = f"the Space has its former files again ({self.roll_back(found, say)[:12]})"
        except UnmoorError as problem:
            also = f"the Space could not be rolled back: {problem.in_brief()}"
            error = error.amended(next_step=error.next_step.then(advice.ROLL_SPACE_BACK(address=self.hub.address)))
        return error.amended(also=f"{also}{logs}")

    def _logs(self) -> str:
        """The last lines of both logs, indented. A line with a token is left out."""
        shown = []
        for kind in ("build", "run"):
            try:
                lines = [indented(line, 200) for line in self.hub.log(kind) if line.strip()]
            except UnmoorError as error:
                lines = [f"(cannot be read: {clean(error.what)})"]
            safe = ["(a line with a token)" if token_in(line) else line for line in lines[-_LOG_LINES:]]
            shown += [f"\nthe end of its {kind} log:", *(f"\n  {line}" for line in safe)] if safe else []
        return "".join(shown)

    def find_own(self) -> OurCommit | None:
        """The last commit with our title in the history, ``None`` if there is none."""
        commits = self.hub.commits()
        pairs = itertools.pairwise(commits)
        return next(
            (OurCommit(id=each.id, before=before.id) for each, before in pairs if each.title == self.title), None
        )

    def is_last(self) -> bool:
        """Whether the last commit of the Space is one of this deployment."""
        return any(each.title == self.title for each in self.hub.commits()[:1])

    def roll_back(self, ours: OurCommit, say: Say) -> str:
        """Give the Space back what our commit changed, by one commit. Returns the head afterwards.

        Raises `Conflict` if somebody has changed one of those files since, and the error of the hub.
        """
        head = self.hub.info().head
        before, after = self.hub.tree(ours.before), self.hub.tree(ours.id)
        title = f"Roll back: {self.title}"
        plan = take_back(before, after, self.hub.tree(head), commit=ours.before, title=title)
        if plan.in_the_way:
            raise Conflict(
                f"somebody has changed {list_some([clean(path) for path in plan.in_the_way])} since {ours.id[:12]}",
                where=self.hub.address,
                next_step=advice.SEE_SPACE_COMMITS(),
            )
        if not plan.change.restorations and not plan.change.deletions:
            return head
        made = self._commit(plan.change, head, say)
        now = self.hub.tree(made)
        touched = [*plan.change.deletions, *(each.path for each in plan.change.restorations)]
        wrong = [clean(path) for path in touched if not same_bytes(path, before, now)]
        if wrong:
            raise Rejected(
                f"the roll-back did not restore {list_some(wrong)}",
                where=self.hub.address,
                next_step=advice.ROLL_SPACE_BACK(address=self.hub.address),
            )
        say(f"rolled back to the files of {ours.before[:12]} by the commit {made[:12]}")
        return made


class _OtherBytes(Unknown):
    """The hub took the commit, and holds something else."""


def summary(difference: SpaceDifference, files: Sequence[SpaceFile]) -> tuple[tuple[str, int], ...]:
    """The counts of a deployment."""
    return (("files", len(files)), ("changed", len(difference.changed)), ("deleted", len(difference.deleted)))
