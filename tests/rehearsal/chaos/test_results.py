"""The results of rounds are added up by fault: planned, and met."""

from __future__ import annotations

from unmoor.rehearsal.chaos.results import Ended, FaultCount, RoundResult, RunResult, count_faults, count_kills
from unmoor.rehearsal.invariants.evidence import Violation

LOST = "lost-reply@pypi:POST /legacy/#1"
KILLED = "KILL@journal:pypi/made#1"


def result(*, met: dict[str, int], violated: bool = False, refused: bool = False) -> RoundResult:
    """A round with two injections."""
    found = (Violation(invariant="I1", what="other bytes", where="pypi"),) if violated else ()
    return RoundResult(
        number=1,
        injections=(LOST, KILLED),
        met=met,
        from_nothing=False,
        runs=(RunResult(exit_code=-9, seconds=1.0), RunResult(exit_code=0, seconds=0.5)),
        violations=found,
        refused=refused,
    )


def test_a_fault_counts_once_for_each_round_that_met_it() -> None:
    """A fault that met five requests of a round was met in one round; one that was never met shows 0."""
    rounds = (result(met={LOST: 5}), result(met={LOST: 1}), result(met={}))
    kinds = {"lost-reply": "after", "KILL": "kill", "down": "before"}
    assert count_faults(rounds, kinds) == (
        FaultCount(fault="lost-reply", kind="after", planned=3, met=2),
        FaultCount(fault="KILL", kind="kill", planned=3, met=0),
    )


def test_only_kills_that_were_met_count_as_kills() -> None:
    """A run that ended before its kill was not killed."""
    assert count_kills((result(met={LOST: 1, KILLED: 1}), result(met={LOST: 1}))) == 1


def test_a_violation_outweighs_how_a_round_ended() -> None:
    """A round that was refused as it must be, or converged, may still violate something."""
    ends = [result(met={}, violated=True, refused=True), result(met={}, refused=True), result(met={})]
    assert [each.ended for each in ends] == [Ended.VIOLATED, Ended.REFUSED, Ended.CONVERGED]
