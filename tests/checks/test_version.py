"""The version is in one place, valid, and new."""

from __future__ import annotations

import pytest
from tests.support.checked import COMMIT, found_by, result_of

from unmoor.checks.model import CheckState
from unmoor.checks.version import CHECK

OTHER = "2" * 40
STATIC = '[project]\nname = "demo"\nversion = "1.0"\n'
SCM = '[project]\nname = "demo"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'
SETUP = 'from setuptools import setup\nsetup(name="demo", version="0.9")\n'


@pytest.mark.parametrize(
    ("files", "state", "expected"),
    [
        ({"pyproject.toml": STATIC}, CheckState.PASSED, []),
        ({"pyproject.toml": SCM}, CheckState.PASSED, []),
        (
            {"pyproject.toml": STATIC.replace("1.0", "one")},
            CheckState.FAILED,
            ["pyproject.toml:3: 'one' is no version by PEP 440"],
        ),
        (
            {"pyproject.toml": STATIC, "setup.py": SETUP},
            CheckState.WARNED,
            ["setup.py:2: this says version 0.9, but pyproject.toml, line 3, says 1.0"],
        ),
        ({"setup.py": "from setuptools import setup\nsetup(name='a', version=compute())\n"}, CheckState.SKIPPED, []),
        ({"README": ""}, CheckState.SKIPPED, []),
    ],
    ids=["static", "tags", "invalid", "two", "computed", "no-project"],
)
def test_where_it_is_written(files: dict[str, str], state: CheckState, expected: list[str]) -> None:
    """A version that no index takes fails, one that differs elsewhere warns."""
    assert result_of(CHECK, files).state is state
    assert found_by(CHECK, files) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"v0.9": OTHER}, []),
        ({"v1.0": COMMIT}, []),
        (
            {"v1.0": OTHER},
            [f"pyproject.toml:3: version 1.0 was released before: the tag v1.0 is on commit {OTHER[:12]}"],
        ),
        (
            {"demo-1.0.0": OTHER},
            [f"pyproject.toml:3: version 1.0.0 was released before: the tag demo-1.0.0 is on commit {OTHER[:12]}"],
        ),
        ({"other-1.0": OTHER}, []),
    ],
    ids=["older", "here", "taken", "spelling", "foreign"],
)
def test_a_version_is_released_once(tags: dict[str, str], expected: list[str]) -> None:
    """A tag of the same version on another commit is a warning, but not before a commit."""
    assert found_by(CHECK, {"pyproject.toml": STATIC}, tags=tags) == expected
    assert found_by(CHECK, {"pyproject.toml": STATIC}, tags=tags, staged=True) == []


def test_in_a_folder_the_path_is_from_the_top() -> None:
    """What is printed can be opened."""
    files = {"packages/one/pyproject.toml": STATIC.replace("1.0", "one")}
    assert found_by(CHECK, files, path="packages/one") == [
        "packages/one/pyproject.toml:3: 'one' is no version by PEP 440"
    ]
