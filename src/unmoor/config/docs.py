"""The table ``docs``: how the documentation of a release is built, and where it goes."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

from msgspec import Meta

from unmoor.config.table import Table
from unmoor.config.values import Group, ProjectPath

_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"
_TARGET = re.compile(r"branch:(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,99}|readthedocs:[a-z0-9][a-z0-9-]{0,62}")


def _targets(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Check where the documentation goes, and return a list. Raises ``ValueError``."""
    targets = (value,) if isinstance(value, str) else value
    for each in targets:
        if not _TARGET.fullmatch(each):
            raise ValueError(f"expected branch:NAME or readthedocs:SLUG, got {each[:80]!a}")
    if not targets or len(set(targets)) < len(targets):
        raise ValueError("expected at least one target, and each once")
    return targets


def _builder(value: str) -> str:
    """Check what builds the documentation. Raises ``ValueError``."""
    if value in {"sphinx", "mkdocs"}:
        return value
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"not a command: {error}") from error
    if not any("{out}" in word for word in words[1:]):
        raise ValueError(f"expected sphinx, mkdocs or a command with {{out}} in it, got {value[:80]!a}")
    return value


class DocsSettings(Table, frozen=True, kw_only=True):
    """The documentation of each release. Without this table none is built or deployed."""

    builder: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=1000,
            description="What builds it: `sphinx`, `mkdocs`, or a command with `{out}`, the folder to write to.",
            examples=["sphinx", "mkdocs", "python -m pdoc -o {out} pkg"],
            extra={"words": "sphinx, mkdocs, or a command with {out}", "check": _builder},
        ),
    ] = "sphinx"
    source: Annotated[ProjectPath, Meta(description="Folder of its source.")] = "docs"
    requirements: Annotated[
        Group, Meta(description="Extra of the project, or dependency group (PEP 735), that building it needs.")
    ] = "docs"
    to: Annotated[
        str | tuple[str, ...],
        Meta(
            description="Where it goes: `branch:NAME` of the repository, `readthedocs:SLUG`, or a list of both.",
            examples=["branch:gh-pages", ["branch:gh-pages", "readthedocs:project"]],
            extra={"words": "branch:NAME, readthedocs:SLUG, or a list of them", "check": _targets},
        ),
    ]
    policy: Annotated[
        Literal["required", "advisory"],
        Meta(description="Whether a failure to build or deploy it fails the release, or is a warning."),
    ] = "required"

    @property
    def targets(self) -> tuple[str, ...]:
        """Where it goes, as a list."""
        return _targets(self.to)

    @property
    def branches(self) -> tuple[str, ...]:
        """The names of the branches that it goes to."""
        return tuple(each.removeprefix("branch:") for each in self.targets if each.startswith("branch:"))
