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
    └── Interrupted       130  stopped by the user or a signal

Exit code 0 means done and verified, 1 is never used on purpose, 2 is the command line's own
(a misspelt option). An error is raised as deep as it happens and caught once, in ``cli``; it
never prefixes the name of the stage, since the layer above knows it.
"""

from __future__ import annotations

import errno
from typing import ClassVar


class UnmoorError(Exception):
    """The root: what went wrong, where, and what to do next."""

    exit_code: ClassVar[int] = 70
    kind: ClassVar[str] = "error"

    def __init__(self, what: str, *, where: str = "", next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Internal(UnmoorError):
    """A fault of unmoor's own; the message names the file that holds the traceback."""

    exit_code = 70
    kind = "internal"


class ConfigError(UnmoorError):
    """Settings, or a world file, that cannot be right."""

    exit_code = 3
    kind = "config"


class Refused(UnmoorError):
    """A tag, checkout or repository that must not be released."""

    exit_code = 4
    kind = "refused"


class Denied(UnmoorError):
    """A missing or wrong credential, or too few rights."""

    exit_code = 5
    kind = "denied"


class BuildFailed(UnmoorError):
    """The project does not build; ``file`` and ``line`` (from 1, 0 for none) say where, if that is known."""

    exit_code = 6
    kind = "build"

    def __init__(self, what: str, *, where: str = "", next_step: str, file: str = "", line: int = 0) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.file = file
        self.line = line


class InvalidDist(UnmoorError):
    """A built file that an index would refuse, or that is of another version."""

    exit_code = 7
    kind = "invalid"


class CheckFailed(UnmoorError):
    """An installed file that does not import, load or pass its tests."""

    exit_code = 8
    kind = "untested"


class Conflict(UnmoorError):
    """The same name already holds other bytes; the message names both digests."""

    exit_code = 9
    kind = "conflict"


class Unknown(UnmoorError):
    """The world could not be read (time-out, malformed answer): never taken for absent."""

    exit_code = 10
    kind = "unknown"


class Rejected(UnmoorError):
    """A surface said no, and asking again would not help."""

    exit_code = 11
    kind = "rejected"


class Incomplete(UnmoorError):
    """A surface does not hold the whole release (yet)."""

    exit_code = 12
    kind = "incomplete"


class ToolMissing(UnmoorError):
    """A program, or room on a disk, that this step needs is not on this machine."""

    exit_code = 13
    kind = "missing"


class TimedOut(UnmoorError):
    """Something took longer than it may."""

    exit_code = 14
    kind = "timeout"


class Interrupted(UnmoorError):
    """Stopped by the user or by a signal."""

    exit_code = 130
    kind = "interrupted"


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
            next_step="make room where the checkout and temporary files (TMPDIR) are, then run the same command again",
        )
    if error.errno in _NO_RIGHT:
        return Denied(
            f"this user may not use that file or folder: {what}",
            where=where,
            next_step="give the user the right to it, or use another checkout or TMPDIR, then run it again",
        )
    return None
