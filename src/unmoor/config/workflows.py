"""The table ``workflows``: what the written workflows of GitHub Actions cannot read from the project's files."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from unmoor.config.table import Table

System: TypeAlias = Literal["linux", "linux-arm", "macos", "macos-intel", "windows", "windows-arm"]
"""A kind of hosted runner."""


class WorkflowSettings(Table, frozen=True, kw_only=True):
    """What `unmoor workflows write` writes."""

    private: Annotated[
        bool,
        Meta(
            description="Whether the repository is private, so that a job needs `contents: read` to check it out even"
            " if it needs nothing else."
        ),
    ] = False
    wheels: Annotated[
        tuple[System, ...] | Literal["auto"],
        Meta(
            description="Systems to build wheels on with cibuildwheel, a job each. Empty: one wheel, built with the"
            " sdist. `auto`: none, or `linux`, `linux-arm`, `macos`, `windows` if the project configures cibuildwheel"
            " or its build backend compiles.",
            examples=[["linux", "windows"]],
        ),
    ] = "auto"
    tool: Annotated[
        Literal["index", "checkout"],
        Meta(
            description="Where the jobs get unmoor from: the index, by a list of versions and hashes, or the checkout,"
            " for unmoor itself."
        ),
    ] = "index"
