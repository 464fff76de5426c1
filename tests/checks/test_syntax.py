"""The syntax of every Python file, with ruff and without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.checked import FilesInMemory, context_of, result_of
from tests.support.linters import FakePrograms, installed
from tests.support.shells import shell_for_tests

from unmoor.checks import own_parser
from unmoor.checks.model import CheckState
from unmoor.checks.syntax import CHECK
from unmoor.ports.shell import Shell
from unmoor.ports.user_programs import UserPrograms

OLD = '[project]\nname = "demo"\nrequires-python = ">=3.7"\n'
NEWER = "(x := 1)\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    """Run programs on this machine."""
    with shell_for_tests() as shell:
        yield shell


def _found(
    files: Mapping[str, str | bytes], shell: Shell, programs: UserPrograms, *, staged: bool = False
) -> list[str]:
    source = FilesInMemory(files, new=("src/new.py",))
    options = {"programs": lambda: shell, "linters": lambda: programs, "staged": staged}
    result = result_of(CHECK, source, **options)
    assert result.state is not CheckState.UNKNOWN, result.why
    return [f"{result.level_of(each)} {each.where}:{each.line}" for each in result.problems]


@pytest.mark.parametrize("kind", ["own", "ruff"])
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"src/a.py": "x = 1\n"}, []),
        ({"src/a.py": "x = )\n"}, ["critical src/a.py:1"]),
        ({"src/a.py": NEWER}, ["critical src/a.py:1"]),
        ({"src/a.py": NEWER, "pyproject.toml": OLD.replace("3.7", "3.8")}, []),
        ({"src/a.py": "x = '\0'\n", "src/b.py": b"\xff"}, ["critical src/a.py:1", "critical src/b.py:1"]),
        ({"tests/test_a.py": NEWER}, ["warning tests/test_a.py:1"]),
        ({"tests/test_a.py": "x = )\n"}, ["critical tests/test_a.py:1"]),
        ({"tests/data/bad.py": "x = )\n"}, ["warning tests/data/bad.py:1"]),
        ({"src/data/bad.py": "x = )\n"}, ["critical src/data/bad.py:1"]),
        ({"templates/{{ name }}/setup.py": "{{ x }} y\n"}, ["warning templates/{{ name }}/setup.py:1"]),
    ],
    ids=["fine", "broken", "newer", "new-enough", "bytes", "newer-test", "test", "sample", "data", "template"],
)
def test_files_are_of_the_oldest_python(
    shell: Shell, kind: str, files: Mapping[str, str | bytes], expected: list[str]
) -> None:
    """Both parsers find the same, and what only tests or templates contain is a warning."""
    programs = installed("ruff") if kind == "ruff" else FakePrograms({})
    assert _found({"pyproject.toml": OLD} | dict(files), shell, programs) == expected


def test_what_python_cannot_read_is_a_fault(shell: Shell) -> None:
    """What is nested too deeply for its parser cannot run, either."""
    files = {"src/a.py": "x = " + "-" * 90_000 + "1\n"}
    assert _found(files, shell, FakePrograms({})) == ["critical src/a.py:None"]


def test_only_staged_files_count_before_a_commit(shell: Shell) -> None:
    """What the commit does not change is not its matter."""
    files = {"src/a.py": "x = )\n", "src/new.py": "y = )\n"}
    assert _found(files, shell, FakePrograms({}), staged=True) == ["critical src/new.py:1"]


def test_many_files_are_parsed_by_processes(shell: Shell) -> None:
    """The result is the same as for few files."""
    files = {f"src/{number}.py": "x = 1\n" * 400 for number in range(100)} | {"src/7.py": "x = 1\nx = )\n"}
    assert _found(files, shell, FakePrograms({})) == ["critical src/7.py:2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "ruff gives no answer: it accepts a file that is no Python"),
        ("", "not what it documents"),
        ("{}", "not what"),
    ],
    ids=["blind", "silent", "nonsense"],
)
def test_a_ruff_that_gives_no_answer_is_unknown(shell: Shell, text: str, why: str) -> None:
    """An empty answer is not taken for a pass: ruff has to report two files that cannot pass."""
    programs = FakePrograms({"ruff": (0, text, "")})
    result = result_of(CHECK, {"a.py": "x = 1\n"}, programs=lambda: shell, linters=lambda: programs)
    assert result.state is CheckState.UNKNOWN
    assert why in result.why


@pytest.mark.parametrize(
    "answer",
    [(2, "", "error: unexpected argument"), (1, "[]", "warning: Failed to lint 0.py: no"), (-11, "", "")],
    ids=["refused", "left-out", "crash"],
)
def test_a_ruff_that_fails_is_unknown(shell: Shell, answer: tuple[int, str, str]) -> None:
    """Neither is one that crashes, refuses its options or leaves files out."""
    result = result_of(
        CHECK, {"a.py": "x = 1\n"}, programs=lambda: shell, linters=lambda: FakePrograms({"ruff": answer})
    )
    assert result.state is CheckState.UNKNOWN


def test_a_ruff_without_versions_is_replaced(shell: Shell) -> None:
    """Before 0.12, ruff does not look at the version: Python's own parser does."""
    text = '[{"filename": "broken.py", "message": "x", "location": {"row": 1, "column": 1}}]'
    programs = FakePrograms({"ruff": (1, text, "")})
    assert _found({"pyproject.toml": OLD, "src/a.py": NEWER}, shell, programs) == ["critical src/a.py:1"]


def test_what_the_parser_cannot_see_is_said(shell: Shell) -> None:
    """Its pass is less than that of ruff."""
    files = {"pyproject.toml": OLD, "src/a.py": "x = 1\n"}
    result = result_of(CHECK, files, programs=lambda: shell, linters=lambda: FakePrograms({}))
    assert result.state is CheckState.PASSED
    assert "ruff, if it is installed, sees it" in result.remarks[0]


def test_a_python_that_is_gone_is_checked_as_the_oldest_that_is_known(shell: Shell) -> None:
    """The result says so."""
    files = {"pyproject.toml": OLD.replace("3.7", "2.7"), "src/a.py": "x = 1\n"}
    result = result_of(CHECK, files, programs=lambda: shell, linters=lambda: FakePrograms({}))
    assert result.remarks[0] == "the project supports Python 2.7; the oldest syntax that is checked is 3.7"


def test_a_newer_python_than_ours_is_unknown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this Python refuses may be fine in the one that the project needs."""
    monkeypatch.setattr(own_parser, "RUNNING", 10)
    files = {"pyproject.toml": OLD.replace("3.7", "3.13"), "src/a.py": "x = )\n"}
    result = result_of(CHECK, files, programs=lambda: shell, linters=lambda: FakePrograms({}))
    assert result.state is CheckState.UNKNOWN
    assert "the project needs 3.13" in result.why


def test_without_python_files_there_is_nothing_to_check(tmp_path: Path) -> None:
    """The check is skipped."""
    assert context_of({}).files.names == ()
    assert result_of(CHECK, {"README.md": ""}).why == "there are no Python files to check"
    assert list(tmp_path.iterdir()) == []
