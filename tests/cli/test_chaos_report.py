"""What chaos prints: a line for each round, what is violated, and the tables at the end."""

from __future__ import annotations

from unmoor.cli import chaos_report
from unmoor.rehearsal.chaos.results import ChaosResult, RoundResult, RunResult, count_faults
from unmoor.rehearsal.faults.catalogue import FAULTS
from unmoor.rehearsal.invariants.evidence import Violation
from unmoor.util.values import replace

LOST = "lost-reply@pypi:POST /legacy/#1"
ROUND = RoundResult(
    number=3,
    injections=(LOST, "KILL@journal:pypi/made#1"),
    met={LOST: 1},
    from_nothing=True,
    runs=(RunResult(exit_code=-9, seconds=1.04), RunResult(exit_code=0, seconds=0.5)),
    violations=tuple(
        Violation(invariant="I1", what=f"other \x1b[31mbytes {number}", where="pypi") for number in range(10)
    ),
    seconds=1.5,
    replay="unmoor rehearse --chaos --inject X",
    folder="/here/.unmoor/chaos/round-3",
)
RESULT = ChaosResult(
    version="1.2",
    seed=7,
    tag="v1.0",
    plain=1.2,
    rounds=(ROUND,),
    faults=count_faults((ROUND,), {each.name: each.kind.value for each in FAULTS.values()}),
    invariants={"I1": 1, "I2": 0},
    kills=0,
    reruns=1,
    longest=1.04,
)


def test_a_round_is_one_line() -> None:
    """The line has what was planned, how it ended, and what was never met."""
    assert chaos_report.round_line(ROUND, 20) == (
        f"round 3/20: {LOST}; KILL@journal:pypi/made#1, from nothing: violated"
        " (1.5 s, exit codes -9, 0, never met: KILL@journal:pypi/made#1)"
    )


def test_violations_end_with_the_command() -> None:
    """A round with many shows the first ones, without control characters, and how to play it again."""
    lines = chaos_report.violations_of(ROUND)
    assert lines[-3:] == [
        "and 2 more",
        "its folder:  /here/.unmoor/chaos/round-3",
        "play it again:  unmoor rehearse --chaos --inject X",
    ]
    assert all(line.isprintable() for line in lines)


def test_the_tables_have_every_number() -> None:
    """Faults by kind with how often they were met, each invariant, and the totals."""
    lines = chaos_report.tables(RESULT)
    rows = [line.split() for line in lines]
    assert ["after", "lost-reply", "1", "1"] in rows
    assert ["kill", "KILL", "1", "0"] in rows
    assert any(row[:1] == ["I1"] and row[-1] == "1" for row in rows)
    assert any(row[:1] == ["I2"] and row[-1] == "held" for row in rows)
    assert ["re-runs", "1"] in rows
    assert ["longest", "run", "1.0", "s"] in rows


def test_without_a_round_nothing_is_said_to_hold() -> None:
    """Rounds that were stopped before the first one ended have judged nothing."""
    lines = chaos_report.tables(replace(RESULT, rounds=(), invariants={"I1": 0, "I2": 0}))
    assert sum(line.endswith("not judged") for line in lines) == 2
    assert not any("held" in line for line in lines)


def test_the_list_has_every_fault() -> None:
    """Each with its kind and what happens."""
    lines = chaos_report.fault_list()
    names = [line.split()[0] for line in lines[1:]]
    assert names == list(FAULTS)
