"""The errors of unmoor and their exit codes.

::

    UnmoorError
    ├── Internal           70  a bug in unmoor
    ├── ConfigError         3  invalid settings, or an invalid world file
    ├── Refused             4  a tag, checkout or repository that must not be released
    ├── Denied              5  a missing or wrong credential, or missing permissions
    ├── BuildFailed         6  the project does not build
    ├── InvalidDist         7  a built file that an index would refuse, or of another version
    ├── CheckFailed         8  a built file that does not install, import, load, pass its tests or build again
    ├── Conflict            9  other bytes already have the same name
    ├── Unknown            10  a surface could not be read; never treated as "absent"
    ├── Rejected           11  a surface refused the request
    ├── Incomplete         12  a surface does not hold the whole release
    ├── ToolMissing        13  this machine lacks a program, disk space or memory that the step needs
    ├── TimedOut           14  something took longer than its limit
    ├── TryLater           15  a surface asked to try again later
    ├── BadSignature       16  a signature that does not verify, or is not of this release
    ├── Unsafe             17  a built file with a secret, or with a known vulnerability, where that must not be
    ├── Slower             18  a benchmark that needs more time or memory than before
    ├── Violated           19  a release under faults that breaks what must hold of every release
    └── Interrupted       130  stopped by the user or a signal

Exit code 0 means done and verified. Code 1 says that ``init --check`` would change something; code 2 is for an error on
the command line, such as a misspelt option. An error is raised where it happens and caught once, in ``cli``. Its
message never starts with the name of the stage, since the layer above adds it.

An error knows whether the same command may succeed later (``retryable``), and only the renderer turns that into
text: a message never says "run it again". A raised error does not change: code that can add to it raises the
result of `UnmoorError.amended` instead.

This module is long because the tree is one list.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import shutil
import tempfile
from enum import Enum
from typing import ClassVar, NamedTuple, Self, TypedDict, Unpack

from unmoor import advice
from unmoor.advice import NOTHING, NextStep


class Cause(Enum):
    """What a server or a program did when something failed; see "Whose fault a failure is" in docs/concepts/trust.md.

    `unmoor.ports.failure` gives the error of each.
    """

    UNREACHABLE = "unreachable"
    """There is no connection: refused, unknown host, TLS, proxy, or none in time."""
    LOST = "lost"
    """No answer: the connection broke, a time-out, a status of 500 or above, or one that does not answer a read."""
    LATER = "later"
    """The server did nothing, and asks to retry later: 429, or 503 with ``Retry-After``."""
    NONSENSE = "nonsense"
    """A complete answer that is not the server's own, such as a login page."""
    DENIED = "denied"
    """401 or 403."""
    REFUSED = "refused"
    """A write got any other status from 400 to 499."""
    KILLED = "killed"
    """A program was ended by a signal from outside, such as 9 when memory runs out."""
    NO_ROOM = "no room"
    """A write failed for lack of disk space."""
    TOO_LONG = "too long"
    """A program did not end within its time limit."""


class Advice(TypedDict, total=False):
    """What to do about an error: the keyword arguments of `UnmoorError` for it."""

    next_step: NextStep
    retryable: bool
    wait: float
    otherwise: NextStep


class UnmoorError(Exception):
    """The root: what went wrong, where, and what to do next.

    ``retryable`` says whether the same command may succeed if it is run again: at once, or after
    ``next_step`` if there is one. The class sets the default, and each raise may override it. An error
    that is not retryable has a ``next_step``, which an entry of `unmoor.advice` gives. ``wait`` is how many
    seconds to wait before that, 0 if unknown. ``otherwise`` is what to do if the same failure happens again.
    ``cause`` is what the adapter saw, if it determined that.
    """

    exit_code: ClassVar[int] = 70
    kind: ClassVar[str] = "error"
    retryable: bool = False
    cause: Cause | None = None

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        next_step: NextStep = NOTHING,
        retryable: bool | None = None,
        wait: float = 0.0,
        otherwise: NextStep = NOTHING,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step
        self.wait = wait
        self.otherwise = otherwise
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what

    def amended(
        self,
        *,
        also: str = "",
        where: str | None = None,
        next_step: NextStep | None = None,
        retryable: bool | None = None,
    ) -> Self:
        """Return a copy of the error with more information, and this error as its cause.

        ``also`` is appended to the message, on its own line if the message has several lines. Every other
        argument replaces the present value; ``None`` keeps it.
        """
        fuller = type(self).__new__(type(self))
        vars(fuller).update(vars(self))
        if also:
            between = "\n" if "\n" in self.what else "; "
            fuller.what = f"{self.what}{between}{also}"
        fuller.where = self.where if where is None else where
        fuller.next_step = self.next_step if next_step is None else next_step
        fuller.retryable = self.retryable if retryable is None else retryable
        fuller.args = (fuller.what,)
        fuller.__cause__ = self
        return fuller

    def in_rehearsal(self) -> UnmoorError:
        """Return the error with the advice for a rehearsal, or this one if that is the same."""
        step = self.next_step.in_rehearsal()
        return self if step == self.next_step else self.amended(next_step=step)

    @property
    def advice_ids(self) -> tuple[str, ...]:
        """The ids of the advice, in the order in which people read it."""
        if not self.retryable:
            return self.next_step.ids
        waits = (advice.WAIT.id,) if self.wait else ()
        return tuple(dict.fromkeys((*self.next_step.ids, *waits, advice.RUN_AGAIN.id, *self.otherwise.ids)))

    @property
    def advice(self) -> Advice:
        """What to do about this error, to pass on to another error with a different message."""
        return Advice(next_step=self.next_step, retryable=self.retryable, wait=self.wait, otherwise=self.otherwise)

    def in_brief(self, *, where: bool = False) -> str:
        """The message and what to do about it, on one line, to embed in another message."""
        return "; ".join(filter(None, (str(self) if where else self.what, self.next_step or self.otherwise)))


class Internal(UnmoorError):
    """A bug in unmoor. The message names the file with the traceback."""

    exit_code = 70
    kind = "internal"
    retryable = False


class ConfigError(UnmoorError):
    """Invalid settings, or an invalid world file."""

    exit_code = 3
    kind = "config"
    retryable = False


class Refused(UnmoorError):
    """A tag, checkout or repository that must not be released."""

    exit_code = 4
    kind = "refused"
    retryable = False


class Denied(UnmoorError):
    """A missing or wrong credential, or missing permissions."""

    exit_code = 5
    kind = "denied"
    retryable = False


class BuildFailed(UnmoorError):
    """The project does not build. ``file`` and ``line`` (from 1) say where; empty and 0 if unknown.

    ``absent`` is the path of a file that the build did not find, as the build prints it.
    """

    exit_code = 6
    kind = "build"
    retryable = False

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        file: str = "",
        line: int = 0,
        absent: str = "",
        **others: Unpack[Advice],
    ) -> None:
        super().__init__(what, where=where, **others)
        self.file = file
        self.line = line
        self.absent = absent

    def below(self, folder: str) -> Self:
        """Return the same error with ``file`` relative to the top of the repository; ``folder`` is the project's."""
        fuller = self.amended()
        fuller.file = posixpath.join(folder, self.file) if self.file else ""
        return fuller


class InvalidDist(UnmoorError):
    """A built file that an index would refuse, or that has another version."""

    exit_code = 7
    kind = "invalid"
    retryable = False


class FailedAt(NamedTuple):
    """One of several failures, such as a test: its name, what happened, and the file in the repository, if known.

    ``line`` is counted from 1, 0 if unknown.
    """

    name: str
    what: str
    file: str = ""
    line: int = 0


class CheckFailed(UnmoorError):
    """A built file that fails: it does not install, import, load or pass its tests, or a second build differs.

    ``failures`` are the tests that failed, a limited number of them.
    """

    exit_code = 8
    kind = "untested"
    retryable = False

    def __init__(
        self, what: str, *, where: str = "", failures: tuple[FailedAt, ...] = (), **advice: Unpack[Advice]
    ) -> None:
        super().__init__(what, where=where, **advice)
        self.failures = failures


class Conflict(UnmoorError):
    """Other bytes already have the same name. The message gives both digests."""

    exit_code = 9
    kind = "conflict"
    retryable = False


class Unknown(UnmoorError):
    """A surface could not be read (timeout, malformed answer). It is never treated as absent."""

    exit_code = 10
    kind = "unknown"
    retryable = True


class Rejected(UnmoorError):
    """A surface refused the request, and the same request would be refused again."""

    exit_code = 11
    kind = "rejected"
    retryable = False


class Incomplete(UnmoorError):
    """A surface does not hold the whole release (yet)."""

    exit_code = 12
    kind = "incomplete"
    retryable = True


class ToolMissing(UnmoorError):
    """This machine lacks a program, disk space or memory that the step needs."""

    exit_code = 13
    kind = "missing"
    retryable = False


class TimedOut(UnmoorError):
    """Something took longer than its limit."""

    exit_code = 14
    kind = "timeout"
    retryable = True


class TryLater(UnmoorError):
    """A surface asked to try again later than this run can wait for.

    This is for writes. If a surface puts off a read, the error is `Unknown`.
    """

    exit_code = 15
    kind = "later"
    retryable = True


class BadSignature(UnmoorError):
    """A signature that does not verify, or is not of this release: of other bytes, or by another workflow."""

    exit_code = 16
    kind = "signature"
    retryable = False


class Unsafe(UnmoorError):
    """A secret in a built file, or a known vulnerability in what it needs, where the settings require that none is."""

    exit_code = 17
    kind = "unsafe"
    retryable = False


class Slower(UnmoorError):
    """A benchmark that needs more time or memory than at the commit that it is compared with."""

    exit_code = 18
    kind = "slower"
    retryable = False


class Violated(UnmoorError):
    """A release under faults broke an invariant, in ``unmoor rehearse --chaos``."""

    exit_code = 19
    kind = "violated"
    retryable = False


class Interrupted(UnmoorError):
    """Stopped by the user or by a signal."""

    exit_code = 130
    kind = "interrupted"
    retryable = True


def error_classes() -> tuple[type[UnmoorError], ...]:
    """Every error class: the root first, then in the order of exit codes."""
    return (UnmoorError, *sorted(UnmoorError.__subclasses__(), key=lambda error: error.exit_code))


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_NO_DISK = frozenset({errno.EIO, errno.ESTALE, errno.ENODEV})
# Codes of Windows for which Python has no errno, or a vague one:
# https://learn.microsoft.com/windows/win32/debug/system-error-codes
_NO_ROOM_ON_WINDOWS = frozenset({39, 112, 1295})  # ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED
_IN_USE_ON_WINDOWS = frozenset({32, 33})  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
_READ_ONLY_ON_WINDOWS = 19  # ERROR_WRITE_PROTECT
# ERROR_NOT_READY, and those of a network share that is gone.
_NO_DISK_ON_WINDOWS = frozenset({21, 53, 59, 64, 67, 121, 1231})


def _has_temporary_folder() -> bool:
    """Whether there is a folder in which temporary files can be written. Python tries a small one in each."""
    try:
        return bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False


def _fullest_folder() -> str:
    """The folder with the least space, of those that this process writes to: a failed write names no file."""
    free: dict[str, int] = {}
    for find in (tempfile.gettempdir, os.getcwd):
        with contextlib.suppress(OSError):
            folder = find()
            free[folder] = shutil.disk_usage(folder).free
    return min(free, key=free.__getitem__, default="")


def from_os_error(error: BaseException) -> UnmoorError | None:
    """The error for a failure of this machine, which is not a bug; else ``None``.

    That is a full or broken disk, missing file permissions, a file that another program uses, or too little memory.
    """
    if isinstance(error, MemoryError):
        return ToolMissing(
            "this machine has not enough memory",
            next_step=advice.FREE_MEMORY(),
            retryable=True,
        )
    if not isinstance(error, OSError):
        return None
    what, where = error.strerror or str(error), str(error.filename or "")
    if error.errno == errno.ENOENT and not where and not _has_temporary_folder():
        error = OSError(errno.ENOSPC, what)
    code = getattr(error, "winerror", None)
    if error.errno in _NO_ROOM or code in _NO_ROOM_ON_WINDOWS:
        full = ToolMissing(
            f"cannot write a file: {what}",
            where=where or _fullest_folder(),
            next_step=advice.FREE_SPACE(),
            retryable=True,
        )
        full.cause = Cause.NO_ROOM
        return full
    return _file_error(error.errno, code, what, where)


def _file_error(number: int | None, code: int | None, what: str, where: str) -> UnmoorError | None:
    if code in _IN_USE_ON_WINDOWS:
        return Refused(
            f"another program uses that file or folder: {what}",
            where=where,
            next_step=advice.CLOSE_PROGRAM(),
            retryable=True,
        )
    if where and (number in _NO_DISK or code in _NO_DISK_ON_WINDOWS):
        return ToolMissing(
            f"the disk or the network share failed: {what}",
            where=where,
            next_step=advice.CHECK_DISK(),
            retryable=True,
        )
    if number == errno.EROFS or code == _READ_ONLY_ON_WINDOWS:
        return Denied(
            f"cannot write there: {what}",
            where=where,
            next_step=advice.USE_WRITABLE_DISK(),
            retryable=True,
        )
    if number in _NO_RIGHT:
        return Denied(
            f"this user has no permission for that file or folder: {what}",
            where=where,
            next_step=advice.GRANT_PERMISSION(),
            retryable=True,
        )
    return None
