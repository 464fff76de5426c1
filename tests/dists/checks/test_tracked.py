"""Wheels compared with what git tracks: missing files cause warnings, and untracked secrets are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from unmoor.dists.checks import DistFindings
from unmoor.dists.checks.tracked import Tracked, check_file
from unmoor.products import File

WHEEL, SDIST = "small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"
INFO = "small_one-1.0.dist-info/METADATA"
INIT = "small_one/__init__.py"


def broken_rules(
    names: list[str], paths: list[str], *, file: str = WHEEL, deleted: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """The broken rules, each with its message."""
    measured = File(name=file, sha256="0" * 64, size=1, path=Path(file))
    verdict = DistFindings(file=measured, problems=(), names=frozenset(names))

    def deleted_of(wanted: Sequence[str]) -> list[str]:
        return [path for path in wanted if path in deleted]

    return [(each.rule.name, each.what) for each in check_file(verdict, Tracked.of(paths, deleted_of), "small-one")]


LACKING: dict[str, tuple[list[str], list[str], str, str]] = {
    "a module": ([INIT], [f"src/{INIT}", "src/small_one/core.py"], "tracked-modules", "small_one/core.py"),
    "a subpackage": ([INIT], [INIT, "small_one/sub/__init__.py"], "tracked-modules", "small_one/sub/__init__.py"),
    "the typing marker": ([INIT], [INIT, "small_one/py.typed"], "tracked-modules", "small_one/py.typed"),
    "a stub beside compiled code": (
        [INIT, "small_one/fast.cpython-311-x86_64-linux-gnu.so"],
        [INIT, "small_one/fast.pyi", "small_one/fast.pyx"],
        "tracked-modules",
        "small_one/fast.pyi",
    ),
    "a template": ([INIT], [INIT, "small_one/pages/a.html"], "tracked-data", "small_one/pages/a.html"),
    "of many, some": (
        [INIT],
        [INIT, *(f"small_one/m{n}.py" for n in range(5))],
        "tracked-modules",
        "small_one/m0.py, small_one/m1.py, small_one/m2.py and 2 more",
    ),
    "in a project in a folder": (
        [INIT],
        ["libs/one/src/small_one/__init__.py", "libs/one/src/small_one/core.py"],
        "tracked-modules",
        "small_one/core.py",
    ),
    "in a namespace": (
        ["ns/small_one/__init__.py"],
        ["src/ns/small_one/__init__.py", "src/ns/small_one/core.py", "other/ns/else.py"],
        "tracked-modules",
        "ns/small_one/core.py",
    ),
    "of a wheel for one platform": (
        ["small_one-1.0.data/platlib/small_one/__init__.py"],
        [INIT, "small_one/core.py"],
        "tracked-modules",
        "small_one/core.py",
    ),
    "everything": (
        [],
        [f"src/{INIT}"],
        "tracked-package",
        "it contains no module, but the package src/small_one is tracked",
    ),
    "everything, of another name": (
        [],
        ["src/elsewhere/__init__.py"],
        "tracked-package",
        "it contains no module, but the package src/elsewhere is tracked",
    ),
}


@pytest.mark.parametrize(("names", "paths", "rule", "words"), LACKING.values(), ids=LACKING)
def test_wheel_lacks_tracked_files(names: list[str], paths: list[str], rule: str, words: str) -> None:
    """A missing module, stub, typing marker or data file that is tracked in a package of the wheel is reported."""
    ((broken, what),) = broken_rules([INFO, *names], paths)
    assert broken == rule
    assert words in what


WHOLE: dict[str, tuple[list[str], list[str]]] = {
    "all there": ([INIT, "small_one/a.json"], [f"src/{INIT}", "src/small_one/a.json"]),
    "what is for developers": (
        [INIT],
        [INIT, "small_one/tests/test_a.py", "small_one/conftest.py", "small_one/a_test.py", "small_one/.x/a.json"],
    ),
    "settings of tools": (
        [INIT],
        [INIT, "small_one/ruff.toml", "small_one/package.json"],
    ),
    "what compilers read": ([INIT], [INIT, "small_one/fast.c", "small_one/fast.pyx", "small_one/README.md"]),
    "compiled": (
        [INIT, "small_one/fast.cp311-win_amd64.pyd", "small_one/core.abi3.so"],
        [INIT, "small_one/fast.py", "small_one/core.py"],
    ),
    "another package of the repository": ([INIT], [f"one/{INIT}", f"two/{INIT}", "other/__init__.py"]),
    "the better of two homes": (
        [INIT, "small_one/a.py", "small_one/b.py"],
        [*(f"new/small_one/{n}.py" for n in ("__init__", "a", "b")), f"old/{INIT}", "old/small_one/gone.py"],
    ),
    "a package that is generated": ([INIT, "small_one/a.py", "small_one/b.py"], [INIT, "small_one/template.py"]),
    "a module alone": (["small_one.py"], ["src/small_one.py", "src/other.py"]),
    "scripts alone, of another name": (
        ["small_one-1.0.data/scripts/run"],
        ["src/elsewhere/__init__.py", "tests/small_one/__init__.py"],
    ),
    "requirements alone": ([], ["tests/small_one/__init__.py", "packages/one/elsewhere/__init__.py"]),
    "nothing is known": ([INIT], []),
}


@pytest.mark.parametrize(("names", "paths"), WHOLE.values(), ids=WHOLE)
def test_what_a_wheel_may_leave_out(names: list[str], paths: list[str]) -> None:
    """Tests, sources of other languages and other packages may be missing, and guesses are not reported."""
    assert broken_rules([INFO, *names], paths) == []


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("small_one/old.py", True),
        ("small_one/never.py", False),
        ("small_one/_version.py", False),
        ("small_one/data.json", False),
        ("elsewhere/old.py", False),
    ],
)
def test_wheel_holds_deleted_module(*, name: str, left: bool) -> None:
    """An untracked module is generated if git never tracked it, and left over from an earlier build if it did."""
    deleted = [f"src/small_one/{file}" for file in ("old.py", "_version.py", "data.json")]
    found = broken_rules([INIT, INFO, name], [f"src/{INIT}"], deleted=deleted)
    assert [rule for rule, what in found if name in what] == ["untracked-module"] * left
    assert len(found) == left


@pytest.mark.parametrize(
    ("name", "paths", "refused"),
    [
        ("small_one/.env", [INIT], True),
        ("small_one/.env", [INIT, "src/small_one/.env"], False),
        ("small_one/.env.example", [INIT], False),
        ("small_one-1.0.data/purelib/small_one/.env", [INIT, "small_one/.env"], False),
        ("small_one/.git/config", [INIT], True),
        ("small_one/keys/id_rsa", [INIT], True),
        ("small_one/keys/id_rsa", [INIT, "src/small_one/keys"], False),
    ],
)
@pytest.mark.parametrize("file", [WHEEL, SDIST])
def test_untracked_secret_is_refused(*, name: str, paths: list[str], refused: bool, file: str) -> None:
    """An untracked secret next to the source is refused. A tracked one, even in a submodule, is there on purpose."""
    found = [
        (rule, what) for rule, what in broken_rules([INIT, INFO, name], paths, file=file) if rule == "untracked-secret"
    ]
    assert [name in what for _, what in found] == [True] * refused
