"""Which programs a release may use on this machine, and their versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from unmoor.diagnostics.facts import Answer, FactGroup, Question, absent, unknown
from unmoor.filesystem.layout import find_program
from unmoor.ports.shell import Shell
from unmoor.util.text import clean

_LONGEST = 120


class UsefulProgram(msgspec.Struct, frozen=True):
    """A program, and the arguments with which it prints its version."""

    name: str
    arguments: tuple[str, ...] = ("--version",)
    title: str = ""


PROGRAMS = (
    UsefulProgram("git"),
    UsefulProgram("docker"),
    UsefulProgram("docker", ("buildx", "version"), "buildx"),
    UsefulProgram("podman"),
    UsefulProgram("docker-registry"),
    UsefulProgram("gh"),
    UsefulProgram("ssh", ("-V",)),
    UsefulProgram("gpg"),
    UsefulProgram("trivy"),
    UsefulProgram("grype"),
    UsefulProgram("syft"),
    UsefulProgram("hadolint"),
    UsefulProgram("zizmor"),
    UsefulProgram("actionlint"),
    UsefulProgram("ruff"),
)
"""The programs that commands of unmoor use if they are there; unmoor needs only the first."""


def programs(shell: Shell, environ: Mapping[str, str], cwd: Path, *, uv: str, timeout: float) -> Iterator[Question]:
    """Yield a question for each program. ``uv`` is the path of unmoor's own, ``timeout`` is in seconds.

    They run in ``cwd``, which should not be a checkout: some read their settings from the working folder.
    """
    run = partial(_version, shell=shell, environ=environ, cwd=cwd, timeout=timeout)
    for each in (*PROGRAMS[:1], UsefulProgram(uv, title="uv"), *PROGRAMS[1:]):
        name = each.title or each.name
        yield Question(group=FactGroup.PROGRAMS, name=name, ask=partial(run, each))


def _version(program: UsefulProgram, *, shell: Shell, environ: Mapping[str, str], cwd: Path, timeout: float) -> Answer:
    path = find_program(program.name, environ)
    if path is None:
        return absent("none")
    ran = shell.run((str(path), *program.arguments), cwd=cwd, env=environ, timeout=timeout, limit=20_000)
    lines = [line for line in (*ran.out.splitlines(), *ran.err.splitlines()) if line.strip()]
    first = clean(lines[0], _LONGEST) if lines else "prints no version"
    if not ran.code:
        return Answer(value=f"{first} ({path})")
    if program.title and program.title != program.name and program.name in {each.name for each in PROGRAMS}:
        return absent("none")  # a plugin: its program is there and does not know it
    return unknown(f"{path} failed: {first}")
