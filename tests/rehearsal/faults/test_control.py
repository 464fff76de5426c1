"""Plans are written whole or not at all, and what was met is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.errors import ConfigError
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.control import Met
from unmoor.rehearsal.faults.injection import Injection, Plan

TEXT = "down@pypi:*#1x0"


def test_plan_is_written_and_cleared(tmp_path: Path) -> None:
    """There is no plan, then there is one, then there is none; to clear none is no error."""
    assert control.read_plan(tmp_path) == Plan()
    control.inject(tmp_path, TEXT, round="1", tag="v1.0")
    plan = control.read_plan(tmp_path)
    assert (plan.round, plan.tag, [str(each) for each in plan.injections]) == ("1", "v1.0", [TEXT])
    for _ in range(2):
        control.clear(tmp_path)
    assert control.read_plan(tmp_path) == Plan()


def test_nothing_is_written_of_a_wrong_plan(tmp_path: Path) -> None:
    """The former plan stays."""
    control.inject(tmp_path, TEXT)
    before = (tmp_path / control.PLAN).read_bytes()
    with pytest.raises(ConfigError):
        control.write_plan(tmp_path, Plan(injections=(Injection(fault="none", service="pypi", route="*"),)))
    assert (tmp_path / control.PLAN).read_bytes() == before


def test_what_was_met(tmp_path: Path) -> None:
    """By round, without the line that a kill cut short."""
    assert control.met(tmp_path) == ()
    line = '{"round":"%s","injection":"down@pypi:*#1x0","number":1,"request":"GET /","at":1.0,"effect":false}\n'
    (tmp_path / control.MET).write_text(line % "1" + line % "2" + (line % "2")[:30], encoding="utf-8")
    assert [each.round for each in control.met(tmp_path)] == ["1", "2"]
    (found,) = control.met(tmp_path, "2")
    assert found == Met(round="2", injection=TEXT, number=1, request="GET /", at=1.0, effect=False)
