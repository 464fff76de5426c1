"""unmoor declares the libraries that it imports."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.syntax import nodes

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
DECLARED = {canonicalize_name(each.name): each for each in map(Requirement, [*PROJECT["dependencies"], *EXTRAS])}
# twine depends on it where it works. If it is missing, the credential says so.
OPTIONAL = {"keyring"}
# Imported by a program that unmoor writes, or by another library for unmoor.
UNSEEN = {"python-multipart", "tzdata", "towncrier"}
# Installed on Windows only, so that no metadata here says what belongs to it.
PYWIN32 = {
    *("pywintypes", "win32api", "win32con", "win32event", "win32file", "win32job", "win32process", "win32security"),
    "winerror",
}
# unmoor uses internals of these, which a new major version may change; the modules that do so name them.
CAPPED = {
    *("docutils", "markdownify", "pip", "poetry-core", "pygithub", "pypi-attestations", "sigstore"),
    *("towncrier", "twine", "uvicorn"),
}


def _imported() -> Iterator[tuple[str, str]]:
    """Yield the top-level name of every module that unmoor imports, with the importing line."""
    for path in sorted((ROOT / "src" / "unmoor").rglob("*.py")):
        for node in nodes(path):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                first = name.partition(".")[0]
                if first != "unmoor" and first not in sys.stdlib_module_names:
                    yield first, f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} imports {name}"


def test_what_is_imported_is_declared() -> None:
    """An undeclared library may disappear with the next version of the library that depends on it."""
    known = {**{name: ["pywin32"] for name in PYWIN32}, **packages_distributions()}
    imported = {first: line for first, line in _imported() if first not in OPTIONAL}
    assert len(imported) > 20
    owners = {first: {canonicalize_name(each) for each in known.get(first, ())} for first in imported}
    assert [imported[first] for first, names in owners.items() if not names & DECLARED.keys()] == []
    assert DECLARED.keys() - set().union(*owners.values()) == UNSEEN


def test_what_is_used_from_inside_has_a_next_major_version_excluded() -> None:
    """Every dependency also has a lowest version, which `make test-lowest` tests."""
    operators = {name: {each.operator for each in found.specifier} for name, found in DECLARED.items()}
    assert {name for name, each in operators.items() if "<" in each} == CAPPED
    assert [name for name, each in operators.items() if ">=" not in each] == []
