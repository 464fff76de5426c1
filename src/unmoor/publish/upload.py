"""Bringing files to an index so that each is there once, whatever the index or the network answers.

Before anything is sent, and after every answer that is not a plain yes, the index is asked by hash
what it holds. A lost answer is never followed by a second sending before the index was read and
said that the file is not there. Waits are bounded, and so are tries.

The first wheel goes alone: it creates the release, and fills in its metadata. The other wheels go
side by side, and the sdist last, so that no installer meets an sdist whose wheel is still to come.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from unmoor.errors import Denied, Incomplete, Rejected, TimedOut, TryLater, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.index import Busy, Index, Lost, Refusal, Sent
from unmoor.ports.poll import poll
from unmoor.products import Dists, File, Release, Uploaded
from unmoor.publish.index_state import split_holding, split_missing, uploaded
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import duration

WIDTH = 8
"""How many files are sent at once, at most."""
TRIES = 3
"""How often a file is sent at most, counting answers that were lost."""
BUSY_TRIES = 2
"""How often an index may ask to come back."""
_LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
_READ_BACK = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
# Bytes per second that all files together must reach, beyond the deadline.
_SLOWEST = 200_000
# Seconds of a wait after which it is seen whether the others still go on.
_SLICE = 5.0
_LONG = 60.0
# Words of an index that refuses a file, what to do then, and whether the same command follows.
_ADVICE: tuple[tuple[str, str, bool], ...] = (
    (
        r"previously used|since been deleted",
        "the name of a deleted file never comes free: release the same commit under a new version",
        False,
    ),
    (
        r"Non-user identities",
        "the trusted publisher names another project: correct the name there, or in the project's metadata",
        True,
    ),
    (r"already exists", "other bytes hold that name there, or held it once: release under a new version", False),
    (r"older than \d+ days", "the index closes a release after that time: release under a new version", False),
    (
        r"too large|entity too large",
        "make the file smaller, or ask the index's operators for a higher limit",
        True,
    ),
    (
        r"isn't allowed|is not allowed|too similar|prohibited|conflicts with",
        "choose another name or version for the project, or ask the index's operators",
        False,
    ),
    (r"redirects to", "correct the upload address in the world file", True),
)


def upload(
    index: Index,
    release: Release,
    dists: Dists,
    *,
    clock: Clock,
    say: Callable[[str], None],
    deadline: float = 1800.0,
) -> Uploaded:
    """Send what is missing, the first wheel alone and the sdist last, and read every file back by its hash.

    ``deadline`` in seconds, beside a second for every 200 kB. A failure stops what was not begun;
    every error says how many of the files are there. Raises `Conflict`, `Denied`, `Rejected`,
    `TryLater`, `Unknown`, `TimedOut`, `Incomplete`.
    """
    project, version, files = release.project, release.version, dists.files
    present, absent = split_missing(index, project, version, files)
    ends = clock.now() + deadline + sum(file.size for file in absent) / _SLOWEST
    run = _Upload(index=index, project=project, version=version, files=files, clock=clock, say=say, ends=ends)
    for file in present:
        say(f"{index.name} has {file.name} already, the same bytes")
        run.there.append(file)
    for part in upload_batches(absent, begun=bool(present)):
        if failures := run_parallel(part, run.bring, width=WIDTH):
            raise _describe_failures(failures, run)
    if absent:
        run.read_back()
    return uploaded(index, files)


def upload_batches(files: Sequence[File], *, begun: bool) -> tuple[tuple[File, ...], ...]:
    """What may be sent side by side, one group after the other. ``begun``: the index has a file of the release."""
    wheels = tuple(sorted((file for file in files if file.is_wheel), key=lambda file: file.name))
    others = tuple((file,) for file in sorted(files, key=lambda file: file.name) if not file.is_wheel)
    alone = 0 if begun else 1
    return tuple(part for part in (wheels[:alone], wheels[alone:], *others) if part)


def _describe_failures(failures: Sequence[BaseException], run: _Upload) -> BaseException:
    """The first failure, with what is there and what else failed."""
    error, *others = failures
    if not isinstance(error, UnmoorError):
        return error
    there = sorted(file.name for file in run.there)
    count = f"{len(there)} of {len(run.files)} files are on {run.index.name}{': ' if there else ''}{', '.join(there)}"
    again = error.retryable or isinstance(error, Denied)  # with the right given, the same command goes on
    if again and 0 < len(there) < len(run.files):
        count += "; the rest has to follow within 14 days: later PyPI takes no more files of a release"
    also = [f"also: {each.what}" for each in others if isinstance(each, UnmoorError) and each != error]
    return error.amended(also="; ".join((*also, count)), retryable=again)


@dataclass(frozen=True, kw_only=True)
class _Upload:
    """One run of `upload`. ``there`` are the files that the index is known to hold."""

    index: Index
    project: str
    version: str
    files: Sequence[File]
    clock: Clock
    say: Callable[[str], None]
    ends: float
    there: list[File] = field(default_factory=list)
    halted: threading.Event = field(default_factory=threading.Event)
    welcome: list[float] = field(default_factory=lambda: [0.0])

    def bring(self, file: File) -> None:
        """Send one file until it is there or it is known why not; nothing more is sent once another failed."""
        try:
            self._bring(file)
        except BaseException:
            self.halted.set()
            raise

    def _bring(self, file: File) -> None:
        sent = busy = 0
        while True:
            self.pause(max(0.0, self.welcome[0] - self.clock.now()), f"before {file.name} was sent")
            if self.halted.is_set():
                return
            sent += 1
            self.say(f"sending {file.name} ({file.size:,} bytes) to {self.index.name}")
            answer = self.index.send(file)
            match answer:
                case Sent():
                    self.there.append(file)
                    return
                case Refusal():
                    self._refused(file, answer)
                    return
                case Busy():
                    sent -= 1
                    busy += 1
                    self._come_back(answer, busy)
                    if self._appears(file, (0.0,)):
                        return
                case Lost():
                    self.say(f"no believable answer ({answer.reason}): looking whether {file.name} has arrived")
                    if self._appears(file, _LOOKS):
                        return
                    if sent >= TRIES or self.halted.is_set():
                        raise self._lost(file, answer, sent)

    def read_back(self) -> None:
        """See all files, by hash. Raises `Incomplete` where the index still does not list some of them."""
        missing = self._missing(self.files, _READ_BACK)
        if missing:
            raise Incomplete(
                f"{self.index.name} took the files, and does not list {', '.join(file.name for file in missing)} yet",
                where=self.index.name,
                next_step="wait: an index may take minutes to show a file",
            )

    def _refused(self, file: File, answer: Refusal) -> None:
        """A no may mean that the very bytes are there: the hash decides, the words only how long it is looked for."""
        exists = "exist" in answer.reason.lower() or answer.status == 409  # noqa: PLR2004 - HTTP's own number
        if self._appears(file, _LOOKS if exists else (0.0,)):
            self.say(f"{self.index.name} has {file.name} already, the same bytes")
            return
        other = ("correct what the index names; a changed file needs a new version", False)
        found = ((text, again) for words, text, again in _ADVICE if re.search(words, answer.reason, re.IGNORECASE))
        advice, again = next(found, other)
        raise Rejected(
            f"{self.index.name} refused {file.name}: {answer.status} {answer.reason}",
            where=self.index.name,
            next_step=advice,
            retryable=again,
        )

    def _come_back(self, answer: Busy, count: int) -> None:
        wait = answer.wait or 5.0 * 2**count
        # It is us who are asked, not the one file: the others wait too.
        self.welcome[0] = max(self.welcome[0], self.clock.now() + wait)
        if count > BUSY_TRIES or self.clock.now() + wait > self.ends:
            raise TryLater(
                f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}",
                where=self.index.name,
                wait=wait,
            )
        self.say(f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}")
        self.pause(wait, f"while {self.index.name} asked to wait")

    def _appears(self, file: File, waits: Sequence[float]) -> bool:
        missing = self._missing((file,), waits)
        if not missing:
            self.there.append(file)
        return not missing

    def _missing(self, wanted: Sequence[File], waits: Sequence[float]) -> tuple[File, ...]:
        """Look until all wanted files are there. What the last look could not tell is raised, never taken for no."""

        def look() -> tuple[File, ...]:
            holding = self.index.holding(self.project, self.version)
            _, absent = split_holding(self.index, holding, self.files)
            missing = tuple(file for file in wanted if file in absent)
            if not missing:
                if any(each is not None and each.fetched for each in map(holding.listed, holding.names)):
                    self.say(f"{self.index.name} gives no sha256: its files were fetched and hashed")
                if hidden := sorted(holding.stale & {file.name for file in wanted}):
                    self.say(f"installers cannot see {', '.join(hidden)} yet: {self.index.name}'s pages are behind")
            return missing

        return poll(
            look,
            until=lambda missing: not missing,
            waits=takewhile(lambda wait: not wait or not self.halted.is_set(), waits),
            clock=_UploadClock(self),
            forgiven=(Unknown,),
        )

    def _lost(self, file: File, answer: Lost, sent: int) -> Unknown:
        return Unknown(
            f"{self.index.name} gave no believable answer to {file.name} {sent} times, and does not list it:"
            f" {answer.reason}",
            where=self.index.name,
            next_step="look at the index's status page",
        )

    def pause(self, seconds: float, when: str) -> None:
        """Wait, or less where another file fails meanwhile. Raises `TimedOut` if the run's time is over before."""
        if self.clock.now() + seconds > self.ends:
            raise TimedOut(f"the time for the upload ran out {when}", where=self.index.name)
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0 and not self.halted.is_set():
            self.clock.sleep(min(left, _SLICE) if seconds > _LONG else left)


@dataclass(frozen=True)
class _UploadClock:
    """The run's clock for looks at the index: it waits no longer than the run has, nor than the others go on."""

    run: _Upload

    def now(self) -> float:
        return self.run.clock.now()

    def sleep(self, seconds: float) -> None:
        self.run.pause(seconds, f"while {self.run.index.name} was asked what it holds")
