"""Rounds of two sides become verdicts, on a machine of which the truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from unmoor.metrics.compare import rule
from unmoor.metrics.compare.report import ComparedBenchmark
from unmoor.metrics.compare.rounds import ProgramFailed, Rounds, Series
from unmoor.metrics.compare.sides import SideName
from unmoor.metrics.compare.sources import BenchSource
from unmoor.metrics.compare.verdicts import Judge, common_names, confirm, failed, find_suspects, one_sided
from unmoor.ports.environments import Environment
from unmoor.ports.measuring import MeasuredProgram, ProgramFigures

THRESHOLD = 0.05
START = BenchSource(name="start", words=("tool",))
COMMAND = BenchSource(name="command", words=("pytest", "--benchmark-json={json}"), writes_json=True)
Answer = ProgramFigures | Mapping[str, float] | str
"""Figures; or medians, which are written as JSON; or a text that is written instead."""


class Side:
    """An environment that only says which side it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def active(self, env: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The variables of a program."""
        return {"SIDE": self.name, **(env or {})}


@dataclass(kw_only=True)
class Machine:
    """A machine whose programs need what ``answer`` says of a side and a number. Each takes a second of its clock."""

    answer: Callable[[str, int], Answer]
    chance: Random
    order: list[str] = field(default_factory=list)
    now: float = 0.0

    def measure(self, programs: Sequence[MeasuredProgram], *, seconds: float) -> tuple[ProgramFigures, ...]:
        """Run the programs."""
        found: list[ProgramFigures] = []
        until = self.now + seconds
        for each in programs:
            side = each.env["SIDE"]
            self.order.append(side)
            self.now += 1
            if self.now > until:
                return (*found, ProgramFigures(wall=0, code=1, late=True))
            answer = self.answer(side, self.order.count(side))
            if not isinstance(answer, ProgramFigures):
                text = answer if isinstance(answer, str) else benchmarks(answer)
                Path(each.args[1].partition("=")[2]).write_text(text, "utf-8")
                answer = ProgramFigures(wall=1, code=0)
            found.append(answer)
            if answer.code not in each.fine:
                break
        return tuple(found)

    def describe(self) -> str:
        """The machine."""
        return "a machine of a test"


def benchmarks(medians: Mapping[str, float]) -> str:
    """The JSON of pytest-benchmark."""
    return json.dumps({"benchmarks": [{"fullname": k, "stats": {"median": v}} for k, v in medians.items()]})


def compared(
    folder: Path,
    answer: Callable[[str, int, Random], Answer],
    *,
    source: BenchSource = COMMAND,
    seconds: float = 10_000,
) -> dict[str, ComparedBenchmark]:
    """Compare two sides of one source as a comparison does, without building anything. Returns the rows by name."""
    chance = Random("a coin")  # noqa: S311 - a coin
    machine = Machine(answer=lambda side, number: answer(side, number, chance), chance=chance)
    rounds = Rounds(
        measuring=machine,
        project=folder,
        work=folder,
        threshold=THRESHOLD,
        chance=chance,
        say=lambda _text: None,
        clock=lambda: machine.now,
    )
    sides = cast("Mapping[SideName, Environment]", {"base": Side("base"), "head": Side("head")})
    try:
        first = rounds.first(source, sides, until=seconds)
    except ProgramFailed as failure:
        return {source.name: failed(source, failure)}
    rows = list(one_sided(source, first))
    series = Series(source=source, values={name: ([], []) for name in common_names(first)}, seconds=first.seconds)
    rounds.measure([series], sides, until=0.65 * seconds, what="measuring")
    suspects = find_suspects([series], THRESHOLD, chance)
    fresh: dict[str, Series] = {}
    if suspects:
        fresh[source.name] = series.again([each.name for each in suspects])
        rounds.measure(list(fresh.values()), sides, until=seconds, what="confirming")
    judge = Judge(
        threshold=THRESHOLD,
        chance=chance,
        suspects={(each.source, each.name): each for each in suspects},
        fresh=fresh,
        confirmed=confirm(suspects, fresh, THRESHOLD, chance),
    )
    rows += judge.rows(series)
    return {each.name: each for each in rows}


def slowed(by: float, spread: float = 0.02) -> Callable[[str, int, Random], Answer]:
    """One benchmark, of which the head needs ``by`` times as much."""

    def answer(side: str, _number: int, chance: Random) -> Answer:
        return {"b": (by if side == "head" else 1.0) * chance.uniform(1 - spread, 1 + spread)}

    return answer


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (slowed(1.1), "slower"),
        (slowed(3), "slower"),
        (slowed(0.8), "faster"),
        (slowed(1), "same"),
        (slowed(1.02), "same"),
        (slowed(1, spread=0.999), "noise"),
    ],
    ids=["slower", "thrice", "faster", "same", "2%", "noise"],
)
def test_the_verdict_of_a_known_truth(
    tmp_path: Path, answer: Callable[[str, int, Random], Answer], verdict: str
) -> None:
    """Each has its verdict, and says how many rounds it took and what they would have shown."""
    row = compared(tmp_path, answer)["b"]
    assert row.verdict == verdict
    assert row.rounds >= rule.LEAST
    assert row.shows is not None
    assert (row.shows > 0.1) is (verdict == "noise")
    assert bool(row.fresh) is (verdict in {"slower", "faster"})


def test_suspects_need_fresh_rounds(tmp_path: Path) -> None:
    """What is slower only in the first pass, for example because of its folder, is not confirmed."""

    def answer(side: str, number: int, chance: Random) -> Answer:
        slow = 1.3 if side == "head" and number <= rule.LEAST + 1 else 1.0
        return {"b": slow * chance.uniform(0.99, 1.01)}

    row = compared(tmp_path, answer)["b"]
    assert row.verdict == "same"
    assert row.fresh >= rule.LEAST
    assert "fresh rounds in swapped folders did not confirm it" in row.why


def test_time_and_memory_of_a_command(tmp_path: Path) -> None:
    """A larger peak of memory is found although the time is the same."""

    def answer(side: str, _number: int, chance: Random) -> Answer:
        return ProgramFigures(
            wall=chance.uniform(0.9, 1.1), code=0, cpu=1.0, peak=11_000_000 if side == "head" else 10_000_000
        )

    rows = compared(tmp_path, answer, source=START)
    assert {name: each.verdict for name, each in rows.items()} == {
        "start: time": "same",
        "start: CPU": "same",
        "start: peak memory": "slower",
    }
    peak = rows["start: peak memory"]
    assert (peak.base, peak.head, peak.unit) == (10_000_000, 11_000_000, "bytes")
    assert peak.change == pytest.approx(0.1)


def test_memory_that_is_not_said_is_unknown(tmp_path: Path) -> None:
    """It is reported as such, and the rest is judged."""
    rows = compared(tmp_path, lambda *_: ProgramFigures(wall=1.0, code=0, cpu=1.0), source=START)
    assert rows["start: peak memory"].verdict == "noise"
    assert rows["start: peak memory"].why.startswith("unknown")
    assert rows["start: time"].verdict == "same"


def by_side(base: Answer, head: Answer) -> Callable[[str, int, Random], Answer]:
    """Each side gives the same each time."""
    return lambda side, _number, _chance: head if side == "head" else base


CRASHED = ProgramFigures(wall=0, code=2)


@pytest.mark.parametrize(
    ("base", "head", "rows"),
    [
        ({"a": 1.0}, {"a": 1.0, "n": 1.0}, {"a": ("same", ""), "n": ("new", "")}),
        ({"a": 1.0, "g": 1.0}, {"a": 1.0}, {"a": ("same", ""), "g": ("gone", "")}),
        (CRASHED, {"a": 1.0}, {"command": ("failed", "on the base: it failed with exit code 2")}),
        ({"a": 1.0}, CRASHED, {"command": ("failed", "on the head: it failed with exit code 2")}),
        ({"a": 1.0}, "", {"command": ("failed", "on the head: its JSON is empty")}),
        ({"a": 1.0}, "no", {"command": ("failed", "on the head: its JSON is not that of pytest-benchmark")}),
        ({}, {}, {"command": ("failed", "there are no benchmarks in its JSON")}),
        (
            {"a": 1.0},
            ProgramFigures(wall=0, code=127, absent=True),
            {"command": ("failed", "on the head: there is no program 'pytest'")},
        ),
    ],
    ids=["new", "gone", "base", "head", "empty", "json", "none", "absent"],
)
def test_one_side(tmp_path: Path, base: Answer, head: Answer, rows: Mapping[str, tuple[str, str]]) -> None:
    """Benchmarks that only one side has, and sides that fail, have a row each with what happened."""
    found = compared(tmp_path, by_side(base, head))
    assert {name: each.verdict for name, each in found.items()} == {
        name: verdict for name, (verdict, _) in rows.items()
    }
    for name, (_, why) in rows.items():
        assert found[name].why.startswith(why)


def test_a_failure_in_a_later_round(tmp_path: Path) -> None:
    """It ends the measuring of that source, whatever its rounds before said."""

    def answer(side: str, number: int, _chance: Random) -> Answer:
        return {"b": 1.0} if side == "base" or number < 20 else {"c": 1.0}

    row = compared(tmp_path, answer)["command"]
    assert row.verdict == "failed"
    assert row.why == "on the head: it gave no figure for b, unlike in the first round"


def test_too_little_time(tmp_path: Path) -> None:
    """Without enough rounds nothing is decided, and nothing fails."""
    row = compared(tmp_path, slowed(2), seconds=40)["b"]
    assert row.verdict == "noise"
    assert 0 < row.rounds < rule.LEAST
    assert row.why == f"the time was over after {row.rounds} rounds, and a decision needs 30"


def test_a_suspect_without_time_for_fresh_rounds(tmp_path: Path) -> None:
    """It is not called slower, and the reason is said."""
    row = compared(tmp_path, slowed(2), seconds=100)["b"]
    assert row.verdict == "noise"
    assert "the time was over before fresh rounds could decide" in row.why


def test_a_coin_decides_the_order(tmp_path: Path) -> None:
    """Each side is first in about half of the rounds."""
    order: list[str] = []

    def answer(side: str, _number: int, _chance: Random) -> Answer:
        order.append(side)
        return {"b": 1.0}

    compared(tmp_path, answer)
    firsts = order[2::2]
    assert 8 <= firsts.count("base") <= 22
    assert all({one, other} == {"base", "head"} for one, other in zip(order[::2], order[1::2], strict=True))


def test_files_of_a_round_do_not_stay(tmp_path: Path) -> None:
    """The JSON of a process is gone when it is read, so no later one is taken for it."""
    rows: Any = compared(tmp_path, slowed(1))
    assert rows
    assert list(tmp_path.glob("benchmarks-*")) == []
