"""Types of values that several options share: paths, commands, requirements, names, versions."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import Annotated

from msgspec import Meta

from unmoor.config.images import INSIDE

FOLDER = "a relative path from the top of the repository, without .."


def inside(text: str) -> str:
    """Normalize a path. Raises ``ValueError`` for the project's folder itself."""
    path = PurePosixPath(text).as_posix() if text else ""
    if path == ".":
        raise ValueError("expected a path inside the project, got the project's folder itself")
    return path


def folder(text: str) -> str:
    """Normalize a folder of the repository, empty for its top. Raises ``ValueError`` for any other path.

    Checks only the text: whether the folder exists depends on the commit.
    """
    if not text.isprintable():  # control characters, and bytes that are not UTF-8
        raise ValueError("expected a path in UTF-8 without control characters")
    if not re.fullmatch(INSIDE, text):
        raise ValueError(f"expected {FOLDER}, got {text[:80]!r}")
    path = PurePosixPath(text).as_posix() if text else ""
    return "" if path == "." else path


def command_line(text: str) -> str:
    """Check that a shell could split a command into arguments. Raises ``ValueError``."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"cannot split this into arguments: {error}") from None
    if text and not words:
        raise ValueError("expected a command, got only spaces")
    return text


def requirement(text: str) -> str:
    """Check a requirement (PEP 508). Raises ``ValueError``."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        raise ValueError("expected a requirement (PEP 508) such as pytest>=8") from None
    return text


def test_requirement(text: str) -> str:
    """Check a requirement (PEP 508), or a requirements file as in ``-r FILE``. Raises ``ValueError``."""
    if text.startswith("-r"):
        if not re.fullmatch(INSIDE, path := text[2:].strip()) or not path:
            raise ValueError("expected -r and a relative path inside the project, without ..")
        return f"-r {path}"
    return requirement(text)


def constraint(text: str) -> str:
    """Check a constraint: a requirement without extras and without a URL. Raises ``ValueError``."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        found = Requirement(text)
    except InvalidRequirement:
        found = None
    if found is None or found.extras or found.url or not text.isprintable():
        raise ValueError("expected a name with version specifiers, such as setuptools<80")
    return text


def some_extras(extras: tuple[str, ...]) -> tuple[str, ...]:
    """Check that a list of extras is not empty. Raises ``ValueError``."""
    if not extras:
        raise ValueError("expected at least 1 item; to leave a module out: import-skip")
    return extras


def markers(table: dict[str, str]) -> dict[str, str]:
    """Check the environment markers (PEP 508) of a table. Raises ``ValueError``."""
    from packaging.markers import Marker

    for name, text in table.items():
        try:
            Marker(text).evaluate({"extra": ""})
        except ValueError:  # InvalidMarker, UndefinedComparison, UndefinedEnvironmentName
            raise ValueError(
                f"expected an environment marker (PEP 508) for {name}, such as sys_platform == 'win32'"
            ) from None
    return table


ProjectPath = Annotated[
    str, Meta(pattern=INSIDE, extra={"words": "a relative path inside the project, without ..", "check": inside})
]
TestRequirement = Annotated[str, Meta(min_length=1, max_length=1000, extra={"check": test_requirement})]
Constraint = Annotated[str, Meta(min_length=1, max_length=1000, extra={"check": constraint})]
Constraints = Annotated[
    tuple[Constraint, ...],
    Meta(
        description="Constraints on the versions of build requirements, in every environment that builds something: for"
        " the files, and for the sdist when it is tested. The manifest records them and the installed versions.",
        examples=[["setuptools<80"]],
    ),
]
Extra = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$(?!\n)", extra={"words": "the name of an extra"})
]
Extras = Annotated[tuple[Extra, ...], Meta(min_length=1, extra={"check": some_extras})]
Group = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$(?!\n)", extra={"words": "the name of a dependency group"}
    ),
]
TestPython = Annotated[
    str, Meta(pattern=r"^3\.[0-9]{1,2}(\.[0-9]{1,2})?t?$(?!\n)", extra={"words": "a version such as 3.12 or 3.13t"})
]
ImportName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(:[A-Za-z_][A-Za-z0-9_.]*)?$(?!\n)",
        extra={"words": "a module, such as pkg.server, or module:attribute of an entry point"},
    ),
]
