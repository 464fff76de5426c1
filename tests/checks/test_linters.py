"""Linters that a user may have: what they find, and what counts as no answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.checked import FilesInMemory, result_of
from tests.support.linters import FakePrograms, installed
from tests.support.systems import posix

from unmoor.checks import hadolint
from unmoor.checks.linters import LintFinding, as_problems, copies
from unmoor.checks.model import CheckLevel, CheckProblem, RepositoryCheck
from unmoor.checks.workflow_linters import ACTIONLINT, ZIZMOR
from unmoor.errors import Unknown
from unmoor.ports.user_programs import UserPrograms

CHECKS = {"hadolint": hadolint.CHECK, "actionlint": ACTIONLINT, "zizmor": ZIZMOR}
WORKFLOW = ".github/workflows/ci.yml"
GOOD = {
    "Dockerfile": "FROM debian:12\nUSER nobody\n",
    WORKFLOW: "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo\n",
}
BAD = {
    "Dockerfile": "FROM debian\nRUN sudo ls\n",
    WORKFLOW: GOOD[WORKFLOW].replace("echo", "echo ${{ github.event.issue.title }} ${{ nothing.at.all }}"),
}
BROKEN = {"Dockerfile": "FROM debian:12\nNONSENSE\n", WORKFLOW: "on: [push\n"}


def _result(check: RepositoryCheck, files: Mapping[str, str], programs: UserPrograms, **options: bool) -> list[str]:
    result = result_of(check, FilesInMemory(files, new=("Dockerfile",)), linters=lambda: programs, **options)
    found = [f"{result.level_of(each)} {each.where}:{each.line}" for each in result.problems]
    return [f"{result.state} {result.why}".strip(), *found]


@pytest.mark.parametrize(
    ("name", "program", "expected"),
    [
        pytest.param("hadolint", "hadolint", ["warned", "warning Dockerfile:1", "warning Dockerfile:2"], marks=posix),
        ("actionlint", "jactionlint", ["warned", f"warning {WORKFLOW}:7"]),
        ("zizmor", "zizmor", ["warned", f"warning {WORKFLOW}:7"]),
    ],
    ids=CHECKS,
)
def test_what_a_real_linter_finds_is_a_warning(name: str, program: str, expected: list[str]) -> None:
    """Each problem has its file and line."""
    assert _result(CHECKS[name], GOOD, installed(program)) == ["passed"]
    assert _result(CHECKS[name], BAD, installed(program)) == expected


@pytest.mark.parametrize(
    ("name", "program", "expected"),
    [
        pytest.param("hadolint", "hadolint", ["failed", "critical Dockerfile:2"], marks=posix),
        ("actionlint", "jactionlint", ["failed", f"critical {WORKFLOW}:2"]),
    ],
    ids=["hadolint", "actionlint"],
)
def test_what_cannot_be_read_fails(name: str, program: str, expected: list[str]) -> None:
    """A Dockerfile or a workflow that nothing can read is no matter of style."""
    assert _result(CHECKS[name], BROKEN, installed(program)) == expected


def test_zizmor_has_no_answer_for_a_workflow_that_it_cannot_read() -> None:
    """By itself it only warns about that, and finds nothing in it."""
    state, *_ = _result(ZIZMOR, BROKEN, installed("zizmor"))
    assert state.startswith("unknown zizmor gives no answer: fatal: no audit was performed failed to load file")


@pytest.mark.parametrize(
    "answer",
    [
        (-11, "", ""),
        (3, "[]", "fatal"),
        (0, "", ""),
        (0, "{", ""),
        (0, "[{}]", ""),
        (0, '{"a": 1}', ""),
        (0, "<html>", ""),
    ],
    ids=["crash", "error", "silent", "cut", "empty", "table", "html"],
)
@pytest.mark.parametrize("name", CHECKS)
def test_a_linter_that_fails_is_unknown(name: str, answer: tuple[int, str, str]) -> None:
    """Nothing that it prints besides an answer is taken for a pass."""
    state, *found = _result(CHECKS[name], GOOD, FakePrograms({name: answer}))
    assert state.startswith(f"unknown {name} gives no answer")
    assert found == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_finding_about_another_file_is_unknown(name: str) -> None:
    """A linter was given some files, and what it says about others cannot be shown."""
    span = {"concrete": {"location": {"start_point": {"row": 0}}}}
    place = span | {"symbolic": {"key": {"Local": {"verbatim_path": "other"}}, "annotation": ""}}
    findings = {
        "hadolint": {"code": "DL1", "file": "/etc/passwd", "level": "error", "line": 1, "message": ""},
        "actionlint": {"message": "", "filepath": "../x", "line": 1, "kind": "x"},
        "zizmor": {"ident": "x", "desc": "", "locations": [place]},
    }
    state, *_ = _result(CHECKS[name], GOOD, FakePrograms({name: (0, json.dumps([findings[name]]), "")}))
    assert state.startswith(f"unknown {name} gives no answer: it names a file")


@pytest.mark.parametrize("name", CHECKS)
def test_a_linter_that_is_not_installed_is_skipped(name: str) -> None:
    """It is named, so that its absence shows."""
    assert _result(CHECKS[name], GOOD, FakePrograms({})) == [f"skipped {name} is not installed"]


@pytest.mark.parametrize("name", CHECKS)
def test_without_files_nothing_is_asked(name: str) -> None:
    """The check is skipped, whether the linter is installed or not."""
    assert _result(CHECKS[name], {"README.md": ""}, FakePrograms({}))[0].startswith("skipped there is no")


def test_before_a_commit_only_its_files_count() -> None:
    """The workflow is not part of the commit."""
    programs = FakePrograms(dict.fromkeys(CHECKS, (0, "[]", "")))
    states = [_result(check, GOOD, programs, staged=True) for check in CHECKS.values()]
    assert states == [["passed"], *[["skipped there is no workflow to check"]] * 2]


def test_a_linter_sees_the_settings_and_what_a_workflow_refers_to() -> None:
    """It gets copies of them, and no other file of the project."""
    programs = FakePrograms({"actionlint": (0, "[]", "")})
    beside = {".github/actionlint.yaml": "", "action.yml": "", ".github/dependabot.yml": "", "src/secret.py": ""}
    assert _result(ACTIONLINT, GOOD | beside, programs) == ["passed"]
    assert programs.seen == [".github/actionlint.yaml", ".github/dependabot.yml", WORKFLOW, "action.yml"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../b", "a\\b", "c:x", "a\nb", "..", "a/./b"])
def test_no_copy_is_written_elsewhere(name: str) -> None:
    """A name from outside never leaves the folder, on any system."""
    with pytest.raises(Unknown, match="no linter can read a file of this name"), copies({name: b""}):
        pass


def test_a_rule_is_one_problem_for_each_file() -> None:
    """It names the first line, and some of the others."""
    findings = [LintFinding(rule="R1", what="wrong", path="a", line=line) for line in (9, 3, 5)]
    assert list(as_problems(findings)) == [
        CheckProblem(what="wrong (R1); also in line 5, 9", where="a", line=3, level=CheckLevel.WARNING)
    ]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Dockerfile", True),
        ("docker/Containerfile", True),
        ("Dockerfile.dev", True),
        ("web.Dockerfile", True),
        ("Dockerfile.j2", False),
        ("Dockerfile.dockerignore", False),
        ("dockerfile.py", False),
        ("src/Dockerfiles/x", False),
    ],
)
def test_a_dockerfile_is_known_by_its_name(name: str, *, is_one: bool) -> None:
    """One that ends as a template is none."""
    programs = FakePrograms({"hadolint": (0, "[]", "")})
    assert _result(hadolint.CHECK, {name: "FROM x\n"}, programs)[0].startswith("passed" if is_one else "skipped")
