"""The report of a comparison, as it is written for another job.

A *side* is one of two commits: ``base`` and ``head``. Changes are relative: 0.1 says that the head needs 10 % more.
Names and reasons come from the project's code, which may be that of a stranger: whoever prints them cleans them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from unmoor import advice
from unmoor.errors import Refused
from unmoor.util.decode import decode_json

FORMAT: Final = 1
"""The number of the format. It changes if a reader of the former one would misunderstand the new one."""
LARGEST: Final = 10_000_000
"""The bytes of the largest report that is read."""

Verdict: TypeAlias = Literal["slower", "faster", "same", "noise", "new", "gone", "failed"]
Unit: TypeAlias = Literal["s", "bytes"]

FAILING: Final[tuple[Verdict, ...]] = ("slower", "failed")
"""The verdicts that fail a comparison."""
ORDER: Final[tuple[Verdict, ...]] = ("slower", "failed", "noise", "faster", "new", "gone", "same")
"""The verdicts, in the order in which people want to read them."""

_Text: TypeAlias = Annotated[str, Meta(max_length=2000)]
_Name: TypeAlias = Annotated[str, Meta(max_length=500)]
_Commit: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$(?!\n)")]


class ComparedBenchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark on both sides.

    ``base`` and ``head`` are the medians over the processes, in ``unit``; ``None`` if a side has none. ``change`` is
    the effect by which the verdict is made, and ``p`` the probability of such an effect by chance; if the benchmark was
    suspected, both are of the fresh rounds only. ``rounds`` are all rounds, ``fresh`` those that confirmed a suspicion.
    ``shows`` is the smallest slow-down that these rounds would have shown. ``why`` explains the verdict if needed.
    """

    name: _Name
    unit: Unit
    verdict: Verdict
    base: float | None = None
    head: float | None = None
    change: float | None = None
    p: float | None = None
    rounds: int = 0
    fresh: int = 0
    shows: float | None = None
    why: _Text = ""


class ComparedSide(msgspec.Struct, frozen=True, kw_only=True):
    """One side: its commit, and the version of the wheel that was built from it."""

    commit: _Commit
    version: _Name


class ChangedDependency(msgspec.Struct, frozen=True, kw_only=True):
    """A package that the sides have in different versions; empty if a side does not have it."""

    name: _Name
    base: _Name
    head: _Name


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a comparison.

    ``against`` is what the user compared with: a ref, or the default branch. ``threshold`` is relative, as in 0.05.
    ``seconds`` is how long the whole comparison took, ``machine`` describes where.
    """

    format: Literal[1] = FORMAT
    tool: _Name
    at: datetime
    against: _Name
    base: ComparedSide
    head: ComparedSide
    threshold: float
    seconds: float
    machine: _Text
    python: _Name
    dependencies: Annotated[tuple[ChangedDependency, ...], Meta(max_length=2000)] = ()
    benchmarks: Annotated[tuple[ComparedBenchmark, ...], Meta(max_length=20_000)] = ()

    def of(self, *verdicts: Verdict) -> tuple[ComparedBenchmark, ...]:
        """The benchmarks with one of these verdicts."""
        return tuple(each for each in self.benchmarks if each.verdict in verdicts)

    @property
    def fails(self) -> bool:
        """Whether a benchmark is slower, or failed."""
        return bool(self.of(*FAILING))

    @property
    def sorted(self) -> tuple[ComparedBenchmark, ...]:
        """The benchmarks by verdict, and within one in the order in which they were measured."""
        return tuple(each for verdict in ORDER for each in self.of(verdict))


def encode_report(report: BenchReport) -> bytes:
    """The report as indented JSON, with a line end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode_report(data: bytes, *, where: str) -> BenchReport:
    """Read a report that `encode_report` made. Raises `Refused` for anything else; ``where`` names the file."""
    if len(data) > LARGEST:
        raise _no_report(f"it has more than {LARGEST:,} bytes", where)
    try:
        return decode_json(data, BenchReport)
    except ValueError as error:
        raise _no_report(str(error), where) from error


def _no_report(why: str, where: str) -> Refused:
    return Refused(f"it is no report of unmoor bench compare: {why}", where=where, next_step=advice.NAME_BENCH_REPORT())
