"""What chaos found: the result of each round, added up, as a document for programs and as rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from unmoor.rehearsal.faults.injection import Kill, parse
from unmoor.rehearsal.invariants.evidence import Violation


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the command: its exit code, negative if a signal ended it, and how long it took."""

    exit_code: int
    seconds: float


class Ended(StrEnum):
    """How a round ended."""

    CONVERGED = "converged"
    REFUSED = "refused"
    VIOLATED = "violated"


class RoundResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a round did: its injections as texts, those of them that were met, its runs, and what is violated.

    ``replay`` is the command that plays it again, and ``folder`` what was kept of it; both only if something is
    violated. ``seconds`` is how long it took, with its servers, the judge and the removal of its folder.
    """

    number: int
    injections: tuple[str, ...]
    met: Mapping[str, int]
    from_nothing: bool
    runs: tuple[RunResult, ...]
    violations: tuple[Violation, ...] = ()
    refused: bool = False
    seconds: float = 0.0
    replay: str = ""
    folder: str = ""

    @property
    def ended(self) -> Ended:
        """How it ended."""
        return Ended.VIOLATED if self.violations else Ended.REFUSED if self.refused else Ended.CONVERGED


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that was not drawn, and why."""

    fault: str
    why: str


class FaultCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a fault was planned, and in how many of these rounds it was met."""

    fault: str
    kind: str
    planned: int
    met: int


class ChaosResult(msgspec.Struct, frozen=True, kw_only=True):
    """What all rounds did. ``plain`` is how long the release took without faults, in seconds."""

    version: str
    seed: int
    tag: str
    plain: float
    rounds: tuple[RoundResult, ...]
    faults: tuple[FaultCount, ...]
    invariants: Mapping[str, int]
    kills: int
    reruns: int
    longest: float
    skipped: tuple[Skipped, ...] = ()
    stopped: bool = False

    @property
    def violated(self) -> tuple[RoundResult, ...]:
        """The rounds in which something is violated."""
        return tuple(each for each in self.rounds if each.violations)


def count_faults(rounds: Sequence[RoundResult], kinds: Mapping[str, str]) -> tuple[FaultCount, ...]:
    """Count each fault that was planned. ``kinds`` are the kinds of all faults by name, in the order to show."""
    planned: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for each in rounds:
        for text in each.injections:
            name = parse(text).fault
            planned[name] += 1
            met[name] += bool(each.met.get(text))
    return tuple(
        FaultCount(fault=name, kind=kind, planned=planned[name], met=met[name])
        for name, kind in kinds.items()
        if planned[name]
    )


def count_kills(rounds: Sequence[RoundResult]) -> int:
    """Count the signals that a client got."""
    return sum(isinstance(parse(text), Kill) for each in rounds for text, times in each.met.items() if times)
