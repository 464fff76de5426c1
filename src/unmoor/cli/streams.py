"""Standard output and error, made able to hold every text.

What they get may contain any character: notes, names of files and people, what a build prints. A terminal shows what
its encoding has, and the rest as escapes. What goes into a file or a pipe is read by programs and put into
repositories, so it is UTF-8 with plain line feeds on every system, as with git and gh, and not in the code page of
Windows or the encoding of the locale. The variable PYTHONIOENCODING still decides about the encoding.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import TextIO


def prepare_streams(environ: Mapping[str, str]) -> None:
    """Prepare the standard output and error of this process; see the module."""
    for stream in (sys.stdout, sys.stderr):
        prepare(stream, encoding="" if environ.get("PYTHONIOENCODING") else "utf-8")


def prepare(stream: TextIO | None, *, encoding: str = "utf-8") -> None:
    """Prepare a stream. ``encoding`` is that of files and pipes, empty to keep the one that it has.

    A stream that tests or programs have put in the place of another stays as it is.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    if encoding and not stream.isatty():
        stream.reconfigure(encoding=encoding, errors="backslashreplace", newline="\n")
    else:
        stream.reconfigure(errors="backslashreplace")
