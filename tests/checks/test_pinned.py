"""Requirements are pinned where the settings say so."""

from __future__ import annotations

import pytest
from tests.support.checked import found_by, result_of

from unmoor.checks.model import CheckState
from unmoor.checks.pinned import CHECK

LISTS = '[tool.unmoor.checks]\npinned = ["requirements*.txt"]\n'
COMMIT = "1" * 40


NO_PIN = "is not pinned"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a==1.0\nb[x]===1 ; python_version < '4'  # why\n\n-e .\n--index-url https://x.example\n", []),
        ("a==1 \\\n  --hash=sha256:12\n", []),
        ("# top\na>=1\n", [f"requirements.txt:2: a>=1 {NO_PIN} with =="]),
        (
            "a\nb ~= 1.0 \\\n --hash=x\n",
            [f"requirements.txt:1: a {NO_PIN} with ==", f"requirements.txt:2: b ~= 1.0 {NO_PIN} with =="],
        ),
        ("a==1.*\n", [f"requirements.txt:1: a==1.* {NO_PIN} with =="]),
        (f"a @ git+https://x.example/a@{COMMIT}\ngit+https://x.example/b@{COMMIT}\n", []),
        (
            "a @ git+https://x.test/a@main\n",
            [f"requirements.txt:1: a @ git+https://x.test/a@main {NO_PIN}: its address names no commit and no hash"],
        ),
        (
            "git+https://x.example/a\n",
            [f"requirements.txt:1: git+https://x.example/a {NO_PIN}: it names no commit and no hash"],
        ),
        ("-r more.txt\n-r requirements.txt\n", [f"more.txt:1: c {NO_PIN} with =="]),
    ],
    ids=["pinned", "hash", "range", "bare", "star", "commit", "branch", "address", "included"],
)
def test_lists(text: str, expected: list[str]) -> None:
    """Each line is pinned; options and the project itself need no pin."""
    assert found_by(CHECK, {"pyproject.toml": LISTS, "requirements.txt": text, "more.txt": "c\n"}) == expected


def test_pyproject() -> None:
    """It stands for dependencies, extras and groups, with their lines."""
    text = (
        '[project]\ndependencies = ["a==1", "b"]\n[project.optional-dependencies]\nx = ["c>1"]\n'
        '[dependency-groups]\nd = ["e", { include-group = "f" }]\n'
        '[tool.unmoor.checks]\npinned = ["pyproject.toml"]\n'
    )
    assert found_by(CHECK, {"pyproject.toml": text}) == [
        "pyproject.toml:2: b is not pinned with ==",
        "pyproject.toml:4: c>1 is not pinned with ==",
        "pyproject.toml:6: e is not pinned with ==",
    ]


def test_what_is_to_be_pinned_is_there() -> None:
    """A pattern that matches nothing would check nothing."""
    assert found_by(CHECK, {"pyproject.toml": LISTS}) == [
        "there is no requirements*.txt, whose requirements shall be pinned"
    ]


def test_without_a_policy_nothing_is() -> None:
    """A library has ranges."""
    assert result_of(CHECK, {"requirements.txt": "a\n"}).state is CheckState.SKIPPED
