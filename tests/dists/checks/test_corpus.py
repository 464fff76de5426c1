"""Every bad file of the corpus breaks its rule, and good files break none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.dists.checks.cases import LIMIT, Case
from tests.dists.checks.corpus import CASES, WARNED
from tests.dists.checks.packing import Sdist, Wheel

from unmoor.artifacts.files import describe_file
from unmoor.dists.checks import By, CheckRule, Examiner, Limits, Problem


def found(folder: Path, file: tuple[str, bytes]) -> list[Problem]:
    """The problems of a file."""
    path = folder / file[0]
    path.write_bytes(file[1])
    return list(Examiner(Limits(file=LIMIT)).examine(describe_file(path)).problems)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_refused(tmp_path: Path, case: Case) -> None:
    """A bad file is refused by its rule, in one printable line."""
    problems = found(tmp_path, case.make("light-house"))
    assert case.rule in {problem.rule.name for problem in problems if not problem.rule.warns}
    assert all(problem.line.isprintable() for problem in problems)


@pytest.mark.parametrize("case", [case for case in CASES if case.index in {None, "500"}], ids=str)
def test_only_pypis_rules_are_called_so(tmp_path: Path, case: Case) -> None:
    """No finding about a file that PyPI accepts, or fails to judge, says that PyPI refuses it."""
    problems = found(tmp_path, case.make("light-house"))
    assert [problem.line for problem in problems if "PyPI refuses it" in problem.line] == []
    assert {problem.rule.by for problem in problems if not problem.rule.warns} <= {
        By.UPLOADER,
        By.INSTALLERS,
        By.UNMOOR,
    }


def test_a_finding_says_whose_rule_it_is() -> None:
    """The line of a finding ends in its rule and in whose it is; a warning says whose warning it is."""
    lines = {
        (by, warns): Problem(CheckRule(name="name", refuses="it", by=by, warns=warns), "what").line
        for by in By
        for warns in (False, True)
    }
    assert lines == {
        (By.INDEX, False): "what [name: PyPI refuses it]",
        (By.INDEX, True): "what [name: a warning of PyPI]",
        (By.UPLOADER, False): "what [name: twine refuses it, or sends something else]",
        (By.UPLOADER, True): "what [name: a warning of twine]",
        (By.INSTALLERS, False): "what [name: pip or uv refuses it]",
        (By.INSTALLERS, True): "what [name: a warning of installers]",
        (By.UNMOOR, False): "what [name: unmoor's own rule]",
        (By.UNMOOR, True): "what [name: a warning of unmoor]",
    }


@pytest.mark.parametrize("case", WARNED, ids=str)
def test_warned(tmp_path: Path, case: Case) -> None:
    """A file that breaks a rule that warns causes that warning and nothing else."""
    assert [(problem.rule.name, problem.rule.warns) for problem in found(tmp_path, case.make("light-house"))] == [
        (case.rule, True)
    ]


def test_corpus_is_deterministic() -> None:
    """The corpus is the same each time it is created."""
    small = [case for case in CASES if case.rule != "archive-bomb"]
    assert [case.make("light-house") for case in small] == [case.make("light-house") for case in small]


def test_each_case_has_its_own_name() -> None:
    """No two cases share a name."""
    assert max(Counter(map(str, (*CASES, *WARNED))).values()) == 1


@pytest.mark.parametrize("make", [Wheel(name="light-house").file, Sdist(name="light-house").file])
def test_good_files_pass(tmp_path: Path, make: object) -> None:
    """A good file has no problems, not even warnings."""
    assert callable(make)
    assert found(tmp_path, make()) == []
