"""Standard output and error in GitHub Actions, whose runner carries out workflow commands that it finds there.

Text from outside (a server's answer, a tag, a file's name, notes) may contain such commands. Here they become plain
text, whoever prints them. Only `command` writes one.

Source: ``ActionCommand`` and ``OutputManager`` of github.com/actions/runner, and GitHub's page "Workflow commands".
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO

import click

from unmoor.util.text import without_commands


@contextlib.contextmanager
def plain_text(environ: Mapping[str, str]) -> Iterator[None]:
    """Break the workflow commands in everything that is printed in this context, if GitHub Actions runs it.

    A standard output that is redirected to a file stays as it is: the runner does not read files.
    """
    with contextlib.ExitStack() as stack:
        if environ.get("GITHUB_ACTIONS") == "true":
            if not _is_file(sys.stdout):
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(_PlainText(sys.stdout))))
            if not _is_file(sys.stderr):
                stack.enter_context(contextlib.redirect_stderr(stack.enter_context(_PlainText(sys.stderr))))
        yield


def command(line: str) -> None:
    """Print a workflow command on stderr. The caller has escaped what it contains."""
    if isinstance(sys.stderr, _PlainText):
        sys.stderr.write_command(line)
    else:
        click.echo(line, err=True)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class _PlainText(io.TextIOBase):
    """Writes whole lines to another stream, without workflow commands.

    It holds a line that is not complete until the rest comes: a command may be written in parts.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # an attribute there, but click asks for it
        """The encoding of the other stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """The file descriptor of the other stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the other stream is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Whether text can be written: yes."""
        return True

    def write(self, text: str) -> int:
        """Write the lines that this text completes."""
        whole, newline, rest = text.rpartition("\n")
        if newline:
            self._stream.write(without_commands(f"{self._line}{whole}\n"))
            self._line = rest
        else:
            self._line += text
        return len(text)

    def write_command(self, line: str) -> None:
        """Write a workflow command as it is, on a line of its own."""
        self._end_line()
        self._stream.write(f"{line}\n")
        self.flush()

    def flush(self) -> None:
        """Flush the complete lines."""
        self._stream.flush()

    def close(self) -> None:
        """Write the rest. The other stream stays open."""
        if not self.closed:
            self._stream.write(without_commands(self._line))
            self._line = ""
            super().close()

    def _end_line(self) -> None:
        if self._line:
            self.write("\n")
