"""Follow a page word by word: write the files that it shows, run its commands, and compare what they print."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from markdown_it import MarkdownIt
from tests.support.local_release import UNMOOR

PATIENCE = 180
_SERVER = "unmoor world up"
_REST = "..."


def comparable(line: str) -> str:
    """Replace what differs from run to run: digests, commits, days and the folder above ``.unmoor``."""
    line = re.sub(r"\b[0-9a-f]{8,64}\b…?", "HEX", line)
    line = re.sub(r"\b\d{4}-\d\d-\d\d\b", "DAY", line)
    return re.sub(r"/\S*(?=/\.unmoor/)", "FOLDER", line)


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the files and the consoles of a page in their order: the path of a file, or ``""``, and the content.

    The paragraph before a file ends in its path, as code, and a colon.
    """
    tokens = [
        each for each in MarkdownIt("commonmark").parse(page.read_text("utf-8")) if each.type in {"inline", "fence"}
    ]
    for before, token in pairwise(tokens):
        named = re.search(r"`([^`]+)`:$", before.content)
        if token.type == "fence" and token.info == "console":
            yield "", token.content
        elif token.type == "fence" and named:
            yield named[1], token.content


@dataclass(kw_only=True)
class Reader:
    """Someone who follows a page in a folder. Servers that it starts stop with the context."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _servers: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.communicate(timeout=PATIENCE)

    def follow(self, page: Path) -> int:
        """Do everything that a page shows, and return how many commands that were."""
        count = 0
        for path, content in steps(page):
            if path:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_text(content, encoding="utf-8", newline="\n")
            for command, shown in _commands(content) if not path else ():
                self._do(command, [comparable(line) for line in shown])
                count += 1
        return count

    def _do(self, command: str, shown: list[str]) -> None:
        words = shlex.split(command)
        if words[0] == "cd":
            self.folder /= words[1]
        elif command == _SERVER:
            self._serve(words, shown)
        else:
            code, printed = self.run(words)
            assert code == 0, (command, printed)
            assert_shown(command, shown, printed)

    def run(self, words: list[str]) -> tuple[int, list[str]]:
        """Run a command in the folder with unmoor on PATH; return its exit code and what it printed."""
        ran = subprocess.run(
            words,
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return ran.returncode, [comparable(line) for line in ran.stdout.splitlines()]

    def _serve(self, words: list[str], shown: list[str]) -> None:
        server = subprocess.Popen(
            [UNMOOR, *words[1:]],
            cwd=self.folder,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        assert server.stdout is not None
        assert [comparable(server.stdout.readline().rstrip()) for _ in shown] == shown

    def _environ(self) -> dict[str, str]:
        return {**self.environ, "PATH": f"{UNMOOR.parent}{os.pathsep}{self.environ['PATH']}"}


def _commands(console: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console with the lines that it prints."""
    lines = console.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in pairwise([*starts, len(lines)]):
        yield lines[start].removeprefix("$ "), lines[start + 1 : end]


def assert_shown(command: str, shown: list[str], printed: list[str]) -> None:
    """Compare lines with those of a page, in which ``...`` stands for any. A page without lines shows nothing."""
    if not shown:
        return
    pattern = "".join(r"(?:.*\n)*?" if line == _REST else f"{re.escape(line)}\n" for line in shown)
    assert re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)), (command, shown, printed)
