"""Every way unmoor can fail, and the exit code of each.

::

    UnmoorError
    ├── Internal           70  a fault of unmoor's own
    ├── ConfigError         3  settings, or a world file, that cannot be right
    ├── Refused             4  a tag, checkout or repository that must not be released
    ├── Denied              5  a missing or wrong credential, or too few rights
    ├── BuildFailed         6  the project does not build
    ├── InvalidDist         7  a built file that an index would refuse, or of another version
    ├── CheckFailed         8  an installed file that does not import, load or pass its tests
    ├── Conflict            9  the same name already holds other bytes
    ├── Unknown            10  the world could not be read: never taken for "absent"
    ├── Rejected           11  a surface said no
    ├── Incomplete         12  a surface does not hold the whole release
    ├── ToolMissing        13  a program, or room, that this step needs is not on this machine
    ├── TimedOut           14  something took longer than it may
    ├── TryLater           15  a surface asked to come back later
    └── Interrupted       130  stopped by the user or a signal

Exit code 0 means done and verified, 1 is never used on purpose, 2 is the command line's own
(a misspelt option). An error is raised as deep as it happens and caught once, in ``cli``; it
never prefixes the name of the stage, since the layer above knows it.

An error knows whether to try again (``retryable``), and the renderer alone puts that into words:
a raise site gives what is specific and never writes "run it again". Once raised, an error does not
change: who knows more of it raises `UnmoorError.amended`.
"""

from __future__ import annotations

import errno
import posixpath
from typing import ClassVar, Self, TypedDict, Unpack


class Advice(TypedDict, total=False):
    """What there is to do about an error, as `UnmoorError` takes it."""

    next_step: str
    retryable: bool
    wait: float
    otherwise: str


class UnmoorError(Exception):
    """The root: what went wrong, where, and what to do next.

    ``retryable`` says whether the same command may succeed when it is run again: at once, or after
    ``next_step`` if there is one. A class says what holds for its kind, where nobody has to change
    anything; a raise site may differ from it. An error that is not retryable has a ``next_step``.
    ``wait`` is how many seconds to leave the surface alone first, 0 for unknown; ``otherwise`` is what
    to do if the same failure comes back.
    """

    exit_code: ClassVar[int] = 70
    kind: ClassVar[str] = "error"
    retryable: bool = False

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        next_step: str = "",
        retryable: bool | None = None,
        wait: float = 0.0,
        otherwise: str = "",
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
        self, *, also: str = "", where: str | None = None, next_step: str | None = None, retryable: bool | None = None
    ) -> Self:
        """Return the same error, said more fully, with this one as its cause.

        ``also`` goes behind what went wrong, on a line of its own if that has several. The others
        replace what is there; ``None`` keeps it.
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

    @property
    def advice(self) -> Advice:
        """What there is to do about it, for an error that says the same in other words."""
        return Advice(next_step=self.next_step, retryable=self.retryable, wait=self.wait, otherwise=self.otherwise)

    def in_brief(self, *, where: bool = False) -> str:
        """What went wrong and what to do about it, for the middle of another message."""
        return "; ".join(filter(None, (str(self) if where else self.what, self.next_step or self.otherwise)))


class Internal(UnmoorError):
    """A fault of unmoor's own; the message names the file that holds the traceback."""

    exit_code = 70
    kind = "internal"
    retryable = False


class ConfigError(UnmoorError):
    """Settings, or a world file, that cannot be right."""

    exit_code = 3
    kind = "config"
    retryable = False


class Refused(UnmoorError):
    """A tag, checkout or repository that must not be released."""

    exit_code = 4
    kind = "refused"
    retryable = False


class Denied(UnmoorError):
    """A missing or wrong credential, or too few rights."""

    exit_code = 5
    kind = "denied"
    retryable = False


class BuildFailed(UnmoorError):
    """The project does not build; ``file`` and ``line`` (from 1, 0 for none) say where, if that is known.

    ``absent`` is the path of a file that the build did not find, as the build writes it.
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
        **advice: Unpack[Advice],
    ) -> None:
        super().__init__(what, where=where, **advice)
        self.file = file
        self.line = line
        self.absent = absent

    def below(self, folder: str) -> Self:
        """Return the same error with ``file`` as the forge shows it: ``folder`` is the project's, from the top."""
        fuller = self.amended()
        fuller.file = posixpath.join(folder, self.file) if self.file else ""
        return fuller


class InvalidDist(UnmoorError):
    """A built file that an index would refuse, or that is of another version."""

    exit_code = 7
    kind = "invalid"
    retryable = False


class CheckFailed(UnmoorError):
    """An installed file that does not import, load or pass its tests."""

    exit_code = 8
    kind = "untested"
    retryable = False


class Conflict(UnmoorError):
    """The same name already holds other bytes; the message names both digests."""

    exit_code = 9
    kind = "conflict"
    retryable = False


class Unknown(UnmoorError):
    """The world could not be read (time-out, malformed answer): never taken for absent."""

    exit_code = 10
    kind = "unknown"
    retryable = True


class Rejected(UnmoorError):
    """A surface said no, and asking again would not help."""

    exit_code = 11
    kind = "rejected"
    retryable = False


class Incomplete(UnmoorError):
    """A surface does not hold the whole release (yet)."""

    exit_code = 12
    kind = "incomplete"
    retryable = True


class ToolMissing(UnmoorError):
    """A program, or room on a disk, that this step needs is not on this machine."""

    exit_code = 13
    kind = "missing"
    retryable = False


class TimedOut(UnmoorError):
    """Something took longer than it may."""

    exit_code = 14
    kind = "timeout"
    retryable = True


class TryLater(UnmoorError):
    """A surface asked to come back later than this run can wait for.

    It is about what was to be done. A read that is put off is `Unknown`: what is there is not known.
    """

    exit_code = 15
    kind = "later"
    retryable = True


class Interrupted(UnmoorError):
    """Stopped by the user or by a signal."""

    exit_code = 130
    kind = "interrupted"
    retryable = True


def error_classes() -> tuple[type[UnmoorError], ...]:
    """Every error class, the root first, in the order of its exit code."""
    return (UnmoorError, *sorted(UnmoorError.__subclasses__(), key=lambda error: error.exit_code))


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_RIGHT = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def from_os_error(error: BaseException) -> UnmoorError | None:
    """What a disk or its rights would not let us do, which is no fault of ours; ``None`` for any other error."""
    if not isinstance(error, OSError):
        return None
    what, where = error.strerror or str(error), str(error.filename or "")
    if error.errno in _NO_ROOM:
        return ToolMissing(
            f"a file could not be written: {what}",
            where=where,
            next_step="make room where the checkout and temporary files (TMPDIR) are",
            retryable=True,
        )
    if error.errno in _NO_RIGHT:
        return Denied(
            f"this user may not use that file or folder: {what}",
            where=where,
            next_step="give the user the right to it, or use another checkout or TMPDIR",
            retryable=True,
        )
    return None
