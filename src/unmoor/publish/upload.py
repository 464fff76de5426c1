"""Upload files to an index so that each is there exactly once, whatever the index or the network answers.

Before anything is sent, and after every answer other than success, the index is asked for its hashes.
After a lost answer a file is sent again only once the index says that it is not there. The number of
attempts and every wait have a limit.

The first wheel goes alone, because it creates the release and its metadata. The other wheels go in
parallel. The sdist goes last, once the index lists the wheels, so that no installer finds it before them.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.errors import Denied, Incomplete, Rejected, TimedOut, TryLater, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.index import Busy, Index, Lost, Refusal, Sent
from unmoor.ports.poll import ending_at, poll
from unmoor.products import Dists, File, Release, Uploaded
from unmoor.publish.index_state import split_holding, split_missing, uploaded_product
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import duration

MAX_PARALLEL = 12
"""At most so many files are sent in parallel."""
MAX_TRIES = 3
"""How often a file is sent at most, including lost answers."""
MAX_BUSY = 2
"""How often an index may ask to come back later."""
_CHECK_WAITS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
_READ_BACK_WAITS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
# Bytes per second: the deadline is extended by the size of all files at this speed.
_MIN_SPEED = 200_000
# A wait longer than _LONG seconds checks every _SLICE seconds whether another upload failed.
_SLICE = 5.0
_LONG = 60.0


class _Advice(NamedTuple):
    """What to do about a refusal whose reason matches ``pattern``."""

    pattern: str
    next_step: NextStep
    retryable: bool


_ADVICE = (
    _Advice(
        r"previously used|since been deleted",
        advice.RELEASE_NEW_VERSION(why="the name of a deleted file can never be used again"),
        retryable=False,
    ),
    _Advice(
        r"Non-user identities",
        advice.CORRECT_PUBLISHER_NAME(),
        retryable=True,
    ),
    _Advice(
        r"already exists", advice.RELEASE_NEW_VERSION(why="other bytes have or had that name there"), retryable=False
    ),
    _Advice(
        r"older than \d+ days",
        advice.RELEASE_NEW_VERSION(why="the index closes a release after that time"),
        retryable=False,
    ),
    _Advice(r"attestation", advice.FIX_ATTESTATIONS(), retryable=True),
    _Advice(r"too large", advice.ASK_FOR_HIGHER_LIMIT(), retryable=True),
    _Advice(
        r"isn't allowed|is not allowed|too similar|prohibited|conflicts with",
        advice.CHOOSE_ANOTHER_NAME(),
        retryable=False,
    ),
    _Advice(r"redirects to", advice.CORRECT_UPLOAD_ADDRESS(), retryable=True),
    # Any other reason.
    _Advice(r"", advice.FIX_WHAT_INDEX_NAMES(), retryable=False),
)


def upload(
    index: Index,
    release: Release,
    dists: Dists,
    *,
    clock: Clock,
    say: Callable[[str], None],
    deadline: float = 1800.0,
    signatures: Mapping[str, bytes] | None = None,
) -> Uploaded:
    """Send what is missing, the first wheel alone and the sdist last, and read every file back by its hash.

    ``deadline`` is in seconds, plus one second for every 200 kB. ``signatures`` are those of files, by the file's
    name; an index takes one with the first upload or never. After a failure no further file is sent; every error says
    how many of the files are there.

    Raises `Conflict`, `Denied`, `Rejected`, `TryLater`, `Unknown`, `TimedOut`, `Incomplete`.
    """
    project, version, files = release.project, release.version, dists.files
    present, absent = split_missing(index, project, version, files)
    ends = clock.now() + deadline + sum(file.size for file in absent) / _MIN_SPEED
    run = _Upload(
        index=index,
        project=project,
        version=version,
        files=files,
        clock=clock,
        say=say,
        ends=ends,
        signatures=signatures or {},
    )
    for file in present:
        say(f"{index.name} has {file.name} already, the same bytes")
        run.there.append(file)
    for part in upload_batches(absent, begun=bool(present)):
        if not part[0].is_wheel:
            run.require_wheels(part)
        if failures := run_parallel(part, run.send, width=MAX_PARALLEL):
            raise _describe_failures(failures, run)
    if absent:
        run.read_back()
    return uploaded_product(index, files)


def upload_batches(files: Sequence[File], *, begun: bool) -> tuple[tuple[File, ...], ...]:
    """Group files: those of a group may be sent in parallel. ``begun``: the index already has a file of the release."""
    wheels = tuple(sorted((file for file in files if file.is_wheel), key=lambda file: file.name))
    others = tuple((file,) for file in sorted(files, key=lambda file: file.name) if not file.is_wheel)
    alone = 0 if begun else 1
    return tuple(part for part in (wheels[:alone], wheels[alone:], *others) if part)


def _describe_failures(failures: Sequence[BaseException], run: _Upload) -> BaseException:
    """The first failure, extended by the others and by what is on the index."""
    error, *others = failures
    if not isinstance(error, UnmoorError):
        return error
    there = sorted(file.name for file in run.there)
    count = f"{len(there)} of {len(run.files)} files are on {run.index.name}{': ' if there else ''}{', '.join(there)}"
    retryable = error.retryable or isinstance(error, Denied)  # with the permission granted, the same command continues
    if retryable and 0 < len(there) < len(run.files):
        count += "; upload the rest within 14 days: after that PyPI accepts no more files of a release"
    also = [f"also: {each.what}" for each in others if isinstance(each, UnmoorError) and each != error]
    return error.amended(also="; ".join((*also, count)), retryable=retryable)


@dataclass(kw_only=True)
class _Upload:
    """One run of `upload`. ``there`` are the files that the index is known to hold."""

    index: Index
    project: str
    version: str
    files: Sequence[File]
    clock: Clock
    say: Callable[[str], None]
    ends: float
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    there: list[File] = field(default_factory=list)
    failed: threading.Event = field(default_factory=threading.Event)
    not_before: float = 0.0

    def send(self, file: File) -> None:
        """Send one file until it is there or has failed for good. Send nothing more once another file has failed."""
        try:
            with ending_at(self.ends):
                self._send(file)
        except BaseException:
            self.failed.set()
            raise

    def _send(self, file: File) -> None:
        lost = busy = 0
        ends = self.clock.now() + self.clock.patience
        while True:
            self.pause(max(0.0, self.not_before - self.clock.now()), f"before {file.name} was sent")
            if self.failed.is_set():
                return
            self.say(f"sending {file.name} ({file.size:,} bytes) to {self.index.name}")
            answer = self.index.send(file, self.signatures.get(file.name, b""))
            match answer:
                case Sent():
                    self.there.append(file)
                    return
                case Refusal():
                    self._handle_refusal(file, answer)
                    return
                case Busy():
                    busy += 1
                    self._wait_as_asked(answer, busy, ends)
                    if self._wait_until_present(file, (0.0,)):
                        return
                case Lost():
                    lost += 1
                    self.say(f"no clear answer ({answer.reason}): checking whether {file.name} has arrived")
                    if self._wait_until_present(file, _CHECK_WAITS):
                        return
                    if lost >= MAX_TRIES or self.failed.is_set() or self.clock.now() >= ends:
                        raise self._lost_error(file, answer, lost)

    def require_wheels(self, others: Sequence[File]) -> None:
        """Read the wheels back before anything else is sent. Raises `Incomplete` if the index lists some too late."""
        names = ", ".join(file.name for file in others)
        self._require_listed([file for file in self.files if file.is_wheel], f"; {names} was not sent")

    def read_back(self) -> None:
        """Read all files back by hash. Raises `Incomplete` if the index still does not list some of them."""
        self._require_listed(self.files)

    def _require_listed(self, files: Sequence[File], so: str = "") -> None:
        with ending_at(self.ends):
            missing = self._missing(files, _READ_BACK_WAITS) if files else ()
        if missing:
            names = ", ".join(file.name for file in missing)
            raise Incomplete(
                f"{self.index.name} took the files, but does not list {names} yet{so}",
                where=self.index.name,
                next_step=advice.WAIT_FOR_INDEX(),
            )

    def _handle_refusal(self, file: File, answer: Refusal) -> None:
        """Check whether a refused file is already there. The hash decides; the reason decides how long to look."""
        exists = "exist" in answer.reason.lower() or answer.status == 409  # noqa: PLR2004 - HTTP's own number
        if self._wait_until_present(file, _CHECK_WAITS if exists else (0.0,)):
            self.say(f"{self.index.name} has {file.name} already, the same bytes")
            return
        known = next(each for each in _ADVICE if re.search(each.pattern, answer.reason, re.IGNORECASE))
        raise Rejected(
            f"{self.index.name} refused {file.name}: {answer.status} {answer.reason}",
            where=self.index.name,
            next_step=known.next_step,
            retryable=known.retryable,
        )

    def _wait_as_asked(self, answer: Busy, count: int, ends: float) -> None:
        wait = answer.wait or 5.0 * 2**count
        # The index asks every request to wait, not just this file's.
        self.not_before = max(self.not_before, self.clock.now() + wait)
        if count > MAX_BUSY or self.clock.now() + wait > min(ends, self.ends):
            raise TryLater(
                f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}",
                where=self.index.name,
                wait=wait,
            )
        self.say(f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}")
        self.pause(wait, f"while {self.index.name} asked to wait", reports=True)

    def _wait_until_present(self, file: File, waits: Sequence[float]) -> bool:
        missing = self._missing((file,), waits)
        if not missing:
            self.there.append(file)
        return not missing

    def _missing(self, wanted: Sequence[File], waits: Sequence[float]) -> tuple[File, ...]:
        """Read the index until all wanted files are there; return the missing ones. Raises `Unknown` if it cannot."""

        def look() -> tuple[File, ...]:
            holding = self.index.holding(self.project, self.version)
            _, absent = split_holding(self.index, holding, self.files)
            missing = tuple(file for file in wanted if file in absent)
            if not missing:
                if any(each is not None and each.fetched for each in map(holding.listed, holding.names)):
                    self.say(f"{self.index.name} gives no sha256: fetched and hashed its files")
                if hidden := sorted(holding.stale & {file.name for file in wanted}):
                    self.say(f"installers cannot see {', '.join(hidden)} yet: {self.index.name}'s pages are behind")
            return missing

        return poll(
            look,
            until=lambda missing: not missing,
            waits=self._until_failure(waits),
            clock=_UploadClock(self),
            forgiven=(Unknown,),
        )

    def _until_failure(self, waits: Sequence[float]) -> Iterator[float]:
        """The waits, up to the first real one after another file failed; a look without a wait still happens."""
        for wait in waits:
            if wait and self.failed.is_set():
                return
            yield wait

    def _lost_error(self, file: File, answer: Lost, sent: int) -> Unknown:
        return Unknown(
            f"{self.index.name} gave no usable answer to {file.name} {sent} times, and does not list it:"
            f" {answer.reason}",
            where=self.index.name,
            next_step=advice.CHECK_STATUS_PAGE(whose="index"),
        )

    def pause(self, seconds: float, when: str, *, reports: bool = False) -> None:
        """Wait, but stop if another file fails. Raises `TimedOut` if the wait would exceed the deadline.

        ``reports``: also report the rest of a long wait, once a minute.
        """
        if self.clock.now() + seconds > self.ends:
            what = f"the time for the upload ran out {when}"
            raise TimedOut(what, where=self.index.name, otherwise=advice.CHECK_NETWORK())
        until = self.clock.now() + seconds
        longest = _SLICE if seconds > _LONG else math.inf
        reported = self.clock.now()
        while (left := until - self.clock.now()) > 0 and not self.failed.is_set():
            self.clock.sleep(min(left, longest))
            rest, now = until - self.clock.now(), self.clock.now()
            if reports and rest > 0 and now - reported >= _LONG:
                self.say(f"waiting {duration(rest)} more for {self.index.name}")
                reported = now


class _UploadClock(msgspec.Struct, frozen=True):
    """A clock for reads of the index: its waits end with the deadline or if another file fails."""

    run: _Upload

    @property
    def patience(self) -> float:
        return self.run.clock.patience

    def now(self) -> float:
        return self.run.clock.now()

    def sleep(self, seconds: float) -> None:
        self.run.pause(seconds, f"while {self.run.index.name} was asked what it holds")
