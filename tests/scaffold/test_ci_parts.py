"""The parts ``ci`` and ``security``: what a project has already stays."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest
from tests.scaffold.test_publish_workflows import workflow
from tests.support.proposals import FILES, PROJECT, applied, proposal

FOLDER = ".github/workflows"
TESTED = {**FILES, "tests/test_it.py": "import pytest\n"}
LISTS = {".github/unmoor/requirements.in", ".github/unmoor/requirements.txt"}
CI = {f"{FOLDER}/{name}" for name in ("ci.yml", "tests.yml", "build.yml")}
SECURITY = {f"{FOLDER}/{name}" for name in ("build.yml", "security.yml")}
BOT = ".github/dependabot.yml"
CODEQL = "on: push\njobs:\n  a:\n    steps:\n      - uses: github/codeql-action/init@v3\n"

CASES: Mapping[str, tuple[str, dict[str, str], set[str], str]] = {
    "bare": ("ci", {}, CI | {"pyproject.toml"}, ""),
    "tested already": ("ci", {f"{FOLDER}/t.yml": workflow("- run: tox", on="[push]")}, set(), "already tested in"),
    "tested by tags only": ("ci", {f"{FOLDER}/t.yml": workflow("- run: tox")}, CI | {"pyproject.toml"}, ""),
    "a file of that name": (
        "ci",
        {f"{FOLDER}/build.yml": workflow("- run: make", on="[push]")},
        {"pyproject.toml"},
        "a file of your own",
    ),
    "a percentage": ("ci", {".coveragerc": "[report]\nfail_under = 70\n"}, CI, ""),
    "scans": ("security", {}, {*SECURITY, BOT}, ""),
    "scanned already": ("security", {f"{FOLDER}/codeql.yml": CODEQL}, {BOT}, "CodeQL runs in"),
    "updated already": ("security", {"renovate.json": "{}"}, SECURITY, "already updates dependencies"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed(name: str) -> None:
    """What is done another way is said; the second proposal is empty."""
    part, files, changed, note = CASES[name]
    made = proposal({**TESTED, **files}, part)
    assert {each.path for each in made.changes} - LISTS == changed
    assert note in "\n".join(made.notes)
    assert made.checklist == ()
    assert proposal(applied({**TESTED, **files}, made), part).changes == ()


def test_a_percentage_is_proposed_with_its_reason() -> None:
    """It is a setting, which a person lowers."""
    text = applied(TESTED, proposal(TESTED, "ci"))["pyproject.toml"]
    assert tomllib.loads(text)["tool"]["unmoor"]["workflows"] == {"coverage": 90}
    assert "# The tests on all systems" in text


def test_a_project_without_tests_gets_no_percentage() -> None:
    """There is nothing to measure."""
    made = proposal({"pyproject.toml": PROJECT}, "ci")
    assert "no tests were found" in made.notes[0]
    assert "pyproject.toml" not in {each.path for each in made.changes}
