"""What a round must end with: as a release without faults, or refused where something stays that must be refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.expectations import expected_of, must_refuse, rebuilds
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.faults.injection import parse
from unmoor.rehearsal.invariants.evidence import End, Expected, RunEvidence

EXPECTED = Expected(
    repository="acme/small", project="small", tag="v1.0", version="1.0", commit="c" * 40, files={"small.whl": "a" * 64}
)
MANIFEST = {
    "schema": 2,
    "project": "small",
    "version": "1.0",
    "tag": "v1.0",
    "commit": "c" * 40,
    "repository": "acme/small",
    "prerelease": False,
    "artifacts": [{"name": "small.whl", "kind": "wheel", "sha256": "b" * 64, "size": 1}],
}


def round_of(*texts: str, from_nothing: bool = False) -> Round:
    """A round with these injections."""
    return Round(number=1, injections=tuple(map(parse, texts)), from_nothing=from_nothing)


def runs(*starts: int) -> tuple[RunEvidence, ...]:
    """Runs that began at these lengths of the log."""
    return tuple(
        RunEvidence(command=(), exit_code=4, output="", seconds=1.0, deadline=9.0, log_start=start, log_end=start + 10)
        for start in starts
    )


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("moved-tag@forge:GET /user#1", End.REFUSED),
        ("tampered-dist@start:run#1", End.REFUSED),
        ("remade-tag@forge:GET /user#1", End.CONVERGED),
        ("down@pypi:POST /legacy/#1x0", End.CONVERGED),
        ("KILL@journal:pypi/made#1", End.CONVERGED),
    ],
)
def test_what_stays_must_be_refused(tmp_path: Path, text: str, end: End) -> None:
    """Faults of servers are gone in the second run; a moved tag or a changed file is not, once it was met."""
    folder = WorldFolder(tmp_path, "v1.0")
    met = expected_of(EXPECTED, round_of(text), folder, {text: 1}, runs(0, 100))
    assert (met.end, met.since) == (end, 100 if end is End.REFUSED else 0)
    assert expected_of(EXPECTED, round_of(text), folder, {}, runs(0)).end is End.CONVERGED
    assert must_refuse({text: 1}) is (end is End.REFUSED)


def test_a_round_is_held_to_the_files_that_it_proved(tmp_path: Path) -> None:
    """A round from nothing builds its own; one that never got so far is held to what was built once."""
    folder = WorldFolder(tmp_path, "v1.0")
    round_ = round_of("slow@pypi:POST /legacy/#1", from_nothing=True)
    assert rebuilds(round_)
    assert not rebuilds(round_of("slow@pypi:POST /legacy/#1"))
    assert expected_of(EXPECTED, round_, folder, {}, runs(0)).files == {"small.whl": "a" * 64}
    folder.run.mkdir(parents=True)
    (folder.run / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    assert expected_of(EXPECTED, round_, folder, {}, runs(0)).files == {"small.whl": "b" * 64}
