"""Plugins with which pytest checks how files are written, by linters and type checkers.

They add a test for each file that is there, whose outcome says nothing about the wheel and changes with the version of
the linter. They are installed only if the project's configuration of pytest names their options.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from packaging.utils import canonicalize_name

from unmoor.project.test_needs.source import Described, name_of, packages_of_extra

_CHECKERS: Final = (
    *("black", "checkdocs", "codestyle", "flake8", "flakes", "isort", "mypy", "pep8", "pycodestyle", "pydocstyle"),
    *("pylint", "ruff"),
)
_PLUGINS: Final = frozenset({"pytest-enabler", *(f"pytest-{each}" for each in _CHECKERS)})
_OPTION: Final = re.compile(rf"(?:^|\s)--({'|'.join(_CHECKERS)})(?![\w-])")


def asked_for(addopts: str) -> frozenset[str]:
    """The plugins whose options are among those of pytest.

    >>> sorted(asked_for("-ra --flake8 --mypy-ini-file=x --ruff"))
    ['pytest-flake8', 'pytest-ruff']
    """
    return frozenset(f"pytest-{each}" for each in _OPTION.findall(addopts))


def checks(plugins: Collection[str]) -> frozenset[str]:
    """The names of such plugins, except for those among ``plugins``."""
    return _PLUGINS.difference(plugins)


def without_checks(requires: Sequence[str], plugins: Collection[str]) -> tuple[str, ...]:
    """The requirements without such plugins, except for those among ``plugins``.

    >>> without_checks(["pytest", "pytest-ruff>=0.2", "pytest-mypy"], {"pytest-mypy"})
    ('pytest', 'pytest-mypy')
    """
    return tuple(each for each in requires if name_of(each) not in checks(plugins))


def extras_without_checks(extras: Sequence[str], project: Described, plugins: Collection[str]) -> tuple[str, ...]:
    """The extras without those of a project that hold nothing but such plugins."""
    held = {each: packages_of_extra(project, canonicalize_name(each)) for each in extras}
    return tuple(each for each in extras if not held[each] or not held[each] <= checks(plugins))
