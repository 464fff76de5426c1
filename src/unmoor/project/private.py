"""Say whether a project's files keep it out of every release, as the project at the top of a workspace often is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Final

from packaging.version import Version

from unmoor.errors import ConfigError
from unmoor.project.files import Files, table
from unmoor.util.text import clean

_CLASSIFIER: Final = "Private ::"
# Settings with which a tool does not build the project, only installs its dependencies.
_NO_PACKAGE: Final = (
    (("uv",), "package", False),
    (("poetry",), "package-mode", False),
    (("pdm",), "distribution", False),
    (("rye",), "virtual", True),
)


def why_private(files: Files) -> str:
    """Return why the project is never released, for a message; empty if its files do not say so.

    The reasons are a classifier ``Private ::``, a version with a local part (PEP 440), which no index takes, and a
    setting of uv, Poetry, PDM or Rye. uv also takes the top of its workspace for no package if it has no build system.
    """
    checks: tuple[Callable[[Files], str], ...] = (_by_classifier, _by_version, _by_setting)
    try:
        return next((why for check in checks if (why := check(files))), "")
    except ConfigError:
        return ""  # reading the project then raises the error


def _by_classifier(files: Files) -> str:
    found = next((each for each in _classifiers(files) if each.startswith(_CLASSIFIER)), "")
    return f"it has the classifier {clean(found, 60)!r}" if found else ""


def _by_version(files: Files) -> str:
    version = table(files.pyproject, "project").get("version")
    try:
        is_local = isinstance(version, str) and Version(version).local is not None
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        is_local = False
    return f"its version {clean(str(version), 60)} is local, which no index takes" if is_local else ""


def _by_setting(files: Files) -> str:
    tools = table(files.pyproject, "tool")
    for path, name, value in _NO_PACKAGE:
        if table(tools, *path).get(name) is value:
            return f"[tool.{'.'.join(path)}] sets {name} = {str(value).lower()}"
    is_virtual = "workspace" in table(tools, "uv") and table(tools, "uv").get("package") is not True
    if is_virtual and "build-system" not in files.pyproject and files.read("setup.py") is None:
        return "it is the top of a uv workspace and has no [build-system]"
    return ""


def _classifiers(files: Files) -> Iterator[str]:
    """The classifiers in every place where a project may write them."""
    for place in (table(files.pyproject, "project"), table(files.pyproject, "tool", "poetry")):
        listed = place.get("classifiers")
        yield from (each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()
    if files.read("setup.cfg") is not None:
        yield from (line.strip() for line in files.cfg.get("metadata", "classifiers", fallback="").split("\n"))
    value = files.setup[1].get("classifiers") if files.setup is not None else None
    for item in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value
