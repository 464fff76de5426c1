"""The table ``checks``: which files a project must have, what is pinned, and which checks do not count here."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from unmoor.config.table import Table

_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"


def pattern(text: str) -> str:
    """Check a pattern of paths. Raises ``ValueError`` for one that leaves the project."""
    for each in text.split("|"):
        if not each or each.startswith("/") or ".." in each.split("/") or "\\" in each:
            raise ValueError("expected relative paths inside the project, without .., separated by |")
    return text


FilePattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=_LINE,
        max_length=500,
        extra={"words": "a pattern of paths such as docs/*.md or LICENSE*|COPYING*", "check": pattern},
    ),
]
"""One or more patterns of paths, separated by ``|``."""


class IgnoredCheck(Table, frozen=True, kw_only=True):
    """A check that does not run."""

    id: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)",
            max_length=60,
            description="Id of the check, as `unmoor check --list` prints it.",
            examples=["optional-files"],
            extra={"words": "the id of a check"},
        ),
    ]
    reason: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=1000,
            description="Why it does not run. `unmoor check` prints it.",
            extra={"words": "a reason, on one line"},
        ),
    ]


class CheckSettings(Table, frozen=True, kw_only=True):
    """What `unmoor check` looks for.

    In patterns of paths, `*` stands for anything but a slash. Case does not matter.
    """

    ignore: Annotated[tuple[IgnoredCheck, ...], Meta(description="Checks that do not run, each with the reason.")] = ()
    required: Annotated[
        tuple[FilePattern, ...],
        Meta(
            description="Files that must be there, each a pattern of paths. Several patterns separated by `|` are one"
            " file: any of them will do. What pyproject.toml names must be there in any case.",
            examples=[["SECURITY.md", "LICENSE*|COPYING*"]],
        ),
    ] = ()
    optional: Annotated[
        tuple[FilePattern, ...] | Literal["auto"],
        Meta(
            description="Files whose absence is a warning, in the same way. `auto`: a README, a licence, a changelog"
            " and `.gitignore`.",
            examples=[["README*", "CITATION.cff"]],
        ),
    ] = "auto"
    pinned: Annotated[
        tuple[FilePattern, ...],
        Meta(
            description="Files whose requirements must all be pinned: with `==`, a hash, or a commit. `pyproject.toml`"
            " stands for its dependencies and extras.",
            examples=[["requirements/*.txt"]],
        ),
    ] = ()
