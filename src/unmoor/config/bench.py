"""The table ``bench``: what is measured on two commits, and which slow-down fails."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from unmoor.config.amounts import Duration, Share, share_of
from unmoor.config.table import Table
from unmoor.config.values import Group, TestRequirement, command_line

JSON: Final = "{json}"
"""In a command: the file in which pytest-benchmark writes its JSON."""
_LINE: Final = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"


def _bench_command(text: str) -> str:
    """Check the command that runs the benchmarks, which may be empty. Raises ``ValueError``."""
    if text and JSON not in command_line(text):
        raise ValueError(f"expected {JSON} where the command names the file for its JSON: --benchmark-json={JSON}")
    return text


def _threshold(text: str) -> str:
    """Check a threshold. Raises ``ValueError`` for one that no number of rounds can show, and for 100 %."""
    if not 0.005 <= share_of(text) <= 0.9:  # noqa: PLR2004 - the limits that the message names
        raise ValueError("expected a percentage from 0.5% to 90%")
    return text


Name: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$(?!\n)",
        max_length=60,
        extra={"words": "a short name: letters, digits, and blanks . _ - between them"},
    ),
]


class MeasuredCommand(Table, frozen=True, kw_only=True):
    """A command whose time and memory are measured."""

    name: Annotated[Name, Meta(description="Name in the report.", examples=["start-up"])]
    run: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=4000,
            description="Command, split as a shell would, but without a shell. `{project}` is the folder with the"
            " project's files at HEAD, and the current folder.",
            examples=["mytool --version"],
            extra={"words": "a command on one line", "check": command_line},
        ),
    ]


class BenchSettings(Table, frozen=True, kw_only=True):
    """What `unmoor bench compare` measures. Without this table nothing is."""

    command: Annotated[
        str,
        Meta(
            pattern=rf"^$|{_LINE}",
            max_length=4000,
            description="Command that runs the benchmarks and writes the JSON of pytest-benchmark to `{json}`, split as"
            " a shell would, but without a shell. `{project}` is the folder with the project's files at HEAD, whichever"
            " commit is measured. Empty: there are no benchmarks in files.",
            examples=["pytest {project}/bench --benchmark-json={json}"],
            extra={"words": "a command on one line", "check": _bench_command},
        ),
    ] = ""
    measure: Annotated[
        tuple[MeasuredCommand, ...],
        Meta(
            max_length=20,
            description="Commands to measure: the time that passes, that of the processor, and the peak of memory.",
            examples=[[{"name": "start-up", "run": "mytool --version"}]],
        ),
    ] = ()
    requires: Annotated[
        tuple[TestRequirement, ...],
        Meta(
            description="What the benchmarks need in addition to the wheel: requirements, `-r` with a requirements"
            " file, and the project's own extras as `name[extra]`. Without it and `groups`: `pytest-benchmark`, if"
            " there is a `command`.",
            examples=[["pytest-benchmark", "-r bench/requirements.txt"]],
        ),
    ] = ()
    groups: Annotated[
        tuple[Group, ...],
        Meta(description="Dependency groups that the benchmarks need.", examples=[["bench"]]),
    ] = ()
    threshold: Annotated[
        Share,
        Meta(
            description="Smallest slow-down, of time or memory, that fails.",
            examples=["10%"],
            extra={"words": "a percentage such as 5%", "check": _threshold},
        ),
    ] = "5%"
    max_time: Annotated[
        Duration,
        Meta(
            description="Longest time to measure, without building and installing. Rounds end earlier if the spread"
            " demands no more of them.",
            examples=["20 min"],
        ),
    ] = "10m"
