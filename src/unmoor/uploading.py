"""Bringing files to an index so that each is there once, whatever the index or the network answers.

Before anything is sent, and after every answer that is not a plain yes, the index is asked by hash
what it holds. A lost answer is never followed by a second sending before the index was read and
said that the file is not there. Waits are bounded, and so are tries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unmoor.errors import Conflict, Incomplete, Overdue, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.index import Busy, Holding, Index, Lost, Refusal, Sent
from unmoor.products import File, Subject, Uploaded

TRIES = 3
"""How often a file is sent at most, counting answers that were lost."""
BUSY_TRIES = 2
"""How often an index may ask to come back."""
_LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
_READ_BACK = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
_AGAIN = "run the same command again: it sends only what is missing"

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"previously used|since been deleted",
        "the name of a deleted file never comes free: release the same commit under a new version",
    ),
    (
        r"Non-user identities",
        "the trusted publisher names another project: correct the name there, or in the project's metadata",
    ),
    (r"already exists", "other bytes hold that name there, or held it once: release under a new version"),
    (r"older than \d+ days", "the index closes a release after that time: release under a new version"),
    (
        r"too large|entity too large",
        "make the file smaller, or ask the index's operators for a higher limit, then run the same command again",
    ),
    (
        r"isn't allowed|is not allowed|too similar|prohibited|conflicts with",
        "choose another name or version for the project, or ask the index's operators",
    ),
    (r"redirects to", "correct the upload address in the world file"),
)


def look(index: Index, project: str, version: str, files: Sequence[File]) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Which of the files the index holds, by hash, and which it does not: (present, absent), in the order given.

    Either voice of the index is enough: the simple index may be stale. Raises `Conflict` where a
    name holds other bytes or the version has a file that nobody tested, `Unknown` where the index
    gives no hash or cannot be read.
    """
    return _compared(index, index.holding(project, version), files)


def _compared(index: Index, holding: Holding, files: Sequence[File]) -> tuple[tuple[File, ...], tuple[File, ...]]:
    if strange := sorted(holding.names - {file.name for file in files}):
        raise Conflict(
            f"{index.name} holds files of this version that are not of this release: {', '.join(strange)}",
            where=index.name,
            next_step="find out who uploaded them; if they do not belong there, release under a new version",
        )
    present = tuple(file for file in files if _is_in(index, holding, file))
    return present, tuple(file for file in files if file not in present)


def _is_in(index: Index, holding: Holding, file: File) -> bool:
    voices = [voice[file.name] for voice in (holding.json, holding.simple) if voice and file.name in voice]
    digests = {each.sha256 for each in voices if each.sha256}
    if other := sorted(digests - {file.sha256}):
        raise Conflict(
            f"{index.name} holds other bytes as {file.name}: sha256 {other[0]} there, {file.sha256} here",
            where=voices[0].url,
            next_step="no index takes a name twice: release under a new version",
        )
    if voices and not digests:
        raise Unknown(
            f"{index.name} lists {file.name} without a sha256: whether these are the same bytes cannot be known",
            where=voices[0].url,
            next_step="use an index that gives hashes, or compare by hand",
        )
    return bool(voices)


def uploaded(index: Index, files: Sequence[File]) -> Uploaded:
    """The product: what the index was seen to hold."""
    return Uploaded(index=index.name, files=tuple(Subject(name=file.name, sha256=file.sha256) for file in files))


def bring(
    index: Index,
    *,
    project: str,
    version: str,
    files: Sequence[File],
    clock: Clock,
    say: Callable[[str], None],
    deadline: float = 1800.0,
) -> Uploaded:
    """Send what is missing, wheels first and the sdist last, and read every file back by its hash.

    ``deadline`` in seconds. Every error says how many of the files are there. Raises `Conflict`,
    `Denied`, `Rejected`, `Unknown`, `Overdue`, `Incomplete`.
    """
    run = _Upload(
        index=index, project=project, version=version, files=files, clock=clock, say=say, ends=clock.now() + deadline
    )
    present, absent = look(index, project, version, files)
    for file in present:
        say(f"{index.name} has {file.name} already, the same bytes")
    there = list(present)
    try:
        for file in sorted(absent, key=lambda each: (not each.is_wheel, each.name)):
            run.bring(file)
            there.append(file)
    except UnmoorError as error:
        names = ", ".join(sorted(file.name for file in there))
        count = f"{len(there)} of {len(files)} files are on {index.name}"
        between = "\n" if "\n" in error.what else "; "
        error.what = f"{error.what}{between}{count}{f': {names}' if names else ''}"
        if "again" not in error.next_step and "new version" not in error.next_step:
            error.next_step = f"{error.next_step}; then {_AGAIN}"
        raise
    if absent:
        run.read_back()
    return uploaded(index, files)


@dataclass(frozen=True, kw_only=True)
class _Upload:
    """One run of `bring`."""

    index: Index
    project: str
    version: str
    files: Sequence[File]
    clock: Clock
    say: Callable[[str], None]
    ends: float

    def bring(self, file: File) -> None:
        """Send one file until it is there or it is known why not."""
        sent = busy = 0
        while True:
            self._pause(0.0, f"before {file.name} was sent")
            sent += 1
            self.say(f"sending {file.name} ({file.size:,} bytes) to {self.index.name}")
            answer = self.index.send(file)
            match answer:
                case Sent():
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
                    if sent >= TRIES:
                        raise self._lost(file, answer)

    def read_back(self) -> None:
        """See all files, by hash. Raises `Incomplete` where the index still does not list some of them."""
        missing = self._missing(self.files, _READ_BACK)
        if missing:
            raise Incomplete(
                f"{self.index.name} took the files, and does not list {', '.join(file.name for file in missing)} yet",
                where=self.index.name,
                next_step=f"an index may take minutes to show a file: wait, then {_AGAIN}",
            )

    def _refused(self, file: File, answer: Refusal) -> None:
        """A no may mean that the very bytes are there: the hash decides, the words only how long it is looked for."""
        exists = "exist" in answer.reason.lower() or answer.status == 409  # noqa: PLR2004 - HTTP's own number
        if self._appears(file, _LOOKS if exists else (0.0,)):
            self.say(f"{self.index.name} has {file.name} already, the same bytes")
            return
        found = (text for words, text in _ADVICE if re.search(words, answer.reason, re.IGNORECASE))
        raise Rejected(
            f"{self.index.name} refused {file.name}: {answer.status} {answer.reason}",
            where=self.index.name,
            next_step=next(found, "correct what the index names; a changed file needs a new version"),
        )

    def _come_back(self, answer: Busy, count: int) -> None:
        wait = answer.wait or 5.0 * 2**count
        if count > BUSY_TRIES or self.clock.now() + wait > self.ends:
            raise Rejected(
                f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}",
                where=self.index.name,
                next_step=f"in {duration(wait)}, not before, {_AGAIN}",
            )
        self.say(f"{self.index.name} asks to come back in {duration(wait)}: {answer.reason}")
        self._pause(wait, f"while {self.index.name} asked to wait")

    def _appears(self, file: File, waits: Sequence[float]) -> bool:
        return not self._missing((file,), waits)

    def _missing(self, wanted: Sequence[File], waits: Sequence[float]) -> tuple[File, ...]:
        """Look until all wanted files are there. What the last look could not tell is raised, never taken for no."""
        missing: tuple[File, ...] = ()
        trouble: Unknown | None = None
        for wait in waits:
            self._pause(wait, f"while {self.index.name} was asked what it holds")
            try:
                holding = self.index.holding(self.project, self.version)
                _, absent = _compared(self.index, holding, self.files)
            except Unknown as error:
                trouble = error
                continue
            trouble = None
            missing = tuple(file for file in wanted if file in absent)
            if not missing:
                if hidden := sorted(holding.stale & {file.name for file in wanted}):
                    self.say(f"installers cannot see {', '.join(hidden)} yet: {self.index.name}'s pages are behind")
                return ()
        if trouble is not None:
            raise trouble
        return missing

    def _lost(self, file: File, answer: Lost) -> Unknown:
        return Unknown(
            f"{self.index.name} gave no believable answer to {file.name} {TRIES} times, and does not list it:"
            f" {answer.reason}",
            where=self.index.name,
            next_step=f"look at the index's status page, then {_AGAIN}",
        )

    def _pause(self, seconds: float, when: str) -> None:
        if self.clock.now() + seconds > self.ends:
            raise Overdue(f"the time for the upload ran out {when}", where=self.index.name, next_step=_AGAIN)
        if seconds:
            self.clock.sleep(seconds)


def duration(seconds: float) -> str:
    """Words for a number of seconds, rounded up: ``40 s``, ``3 min``, ``2 h 5 min``.

    >>> duration(0.2), duration(61), duration(7200), duration(86399)
    ('1 s', '2 min', '2 h', '24 h')
    """
    whole = int(-(-seconds // 1))
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
