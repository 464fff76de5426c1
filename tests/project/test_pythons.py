"""Which Pythons a project says that it supports."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unmoor.project.files import Files
from unmoor.project.pythons import OFFERED, minor_versions, oldest_python, unoffered


def _files(texts: Mapping[str, str]) -> Files:
    return Files(lambda path: texts[path].encode() if path in texts else None, lambda: tuple(texts))


def _pyproject(requires: str = "", *minors: str) -> Mapping[str, str]:
    classifiers = [f"Programming Language :: Python :: {each}" for each in minors]
    line = f'requires-python = "{requires}"\n' if requires else ""
    return {"pyproject.toml": f"[project]\n{line}classifiers = {classifiers}"}


def _classifiers(*minors: str) -> str:
    return "\n".join(f"  Programming Language :: Python :: {each}" for each in minors)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, OFFERED[-4:]),
        (_pyproject(">=3.12"), ("3.12", "3.13", "3.14")),
        (_pyproject(">=3.12.4"), ("3.12", "3.13", "3.14")),
        (_pyproject(">=3.9,!=3.10.*,<=3.12"), ("3.9", "3.11", "3.12")),
        (_pyproject(">=3.9", "3", "3.10", "3.11"), ("3.10", "3.11")),
        (_pyproject(">=3.9", "3", "3 :: Only", "3.8", "3.9"), ("3.9",)),
        (_pyproject("", "3.13", "3.9", "3.10"), ("3.9", "3.10", "3.13")),
        (_pyproject(">=3.6", "3.6", "3.7", "3.8"), ("3.8",)),
        (_pyproject(">=3.10", "2.7", "3.6"), OFFERED[2:]),
        (_pyproject("==3.12.4"), ("3.12",)),
        (_pyproject(">=3.15"), ("3.15",)),
        (_pyproject(">=3.14", "3.14", "3.15"), ("3.14", "3.15")),
        (_pyproject("not a specifier"), OFFERED[-4:]),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"'}, ("3.12", "3.13", "3.14")),
        ({"setup.cfg": f"[metadata]\nclassifiers =\n{_classifiers('3.11', '3.12')}"}, ("3.11", "3.12")),
        ({"setup.cfg": "[options]\npython_requires = >=3.13"}, ("3.13", "3.14")),
        ({"setup.py": "from setuptools import setup\nsetup(python_requires='>=3.13')"}, ("3.13", "3.14")),
        ({"setup.py": "from setuptools import setup\nsetup(python_requires=some())"}, OFFERED[-4:]),
    ],
)
def test_the_versions_are_those_that_the_files_name(texts: Mapping[str, str], expected: tuple[str, ...]) -> None:
    """Classifiers name them; ``requires-python`` limits them, and stands alone if there are none."""
    assert minor_versions(_files(texts)) == expected


def test_versions_too_old_for_runners_are_listed_apart() -> None:
    """A project that still supports them learns that nothing tests them."""
    assert unoffered(_files(_pyproject(">=3.6", "2.7", "3.6", "3.7", "3.8"))) == ("3.6", "3.7")
    assert unoffered(_files(_pyproject(">=3.8"))) == ()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, ""),
        (_pyproject(">=3.9"), "3.9"),
        (_pyproject(">=3.9", "3.10", "3.11"), "3.9"),
        (_pyproject(">3.9"), "3.9"),
        (_pyproject(">=3.6,!=3.7.*"), "3.6"),
        (_pyproject(">=2.7, !=3.0.*"), "2.7"),
        (_pyproject("~=3.12"), "3.12"),
        (_pyproject("<4"), ""),
        (_pyproject("<4", "3.8"), "3.8"),
        (_pyproject("", "3.7", "3.10"), "3.7"),
        (_pyproject("nonsense", "3.10"), "3.10"),
        ({"setup.cfg": "[options]\npython_requires = >=3.13"}, "3.13"),
    ],
)
def test_the_oldest_version_is_what_installers_let_in(texts: Mapping[str, str], expected: str) -> None:
    """Classifiers count only if nothing is required."""
    assert oldest_python(_files(texts)) == expected
