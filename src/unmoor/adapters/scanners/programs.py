"""Programs of the user's that read the archive of an image: found on the ``PATH``, and run to their end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from unmoor.errors import Cause, TimedOut, Unknown
from unmoor.filesystem.layout import find_program
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.shell import Ran, Shell
from unmoor.util.text import clean


def installed(names: Iterable[str], environ: Mapping[str, str]) -> str:
    """The first of some programs that is on the ``PATH``, empty if none is."""
    return next((name for name in names if find_program(name, environ)), "")


def run_on(
    archive: Path, args: Sequence[str], shell: Shell, env: Mapping[str, str], *, patience: float, limit: int
) -> str:
    """Run a program in the folder of the archive, with the environment ``env``, and return what it prints.

    ``ARCHIVE`` in an argument is the path of the archive, ``limit`` is in bytes. Raises `Unknown` if it fails or takes
    too long, and what `unmoor.ports.failure.child_failure` says of a machine without memory or space.
    """
    program, *rest = args
    command = [program, *(each.replace("ARCHIVE", str(archive)) for each in rest)]
    try:
        ran = shell.run(command, cwd=archive.parent, env=env, timeout=patience, limit=limit)
    except TimedOut as error:
        raise failure(Cause.LOST, error.what) from error
    if ran.code != 0:
        raise child_failure(ran, program) or Unknown(f"{program} failed: {_last_line(ran)}")
    return ran.out


def _last_line(ran: Ran) -> str:
    return clean((ran.err or ran.out).strip().rpartition("\n")[2], 300)
