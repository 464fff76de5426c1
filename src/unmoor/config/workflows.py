"""The table ``workflows``: what the written workflows of GitHub Actions cannot read from the project's files."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from unmoor.config.table import Table
from unmoor.config.values import TestPython

_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"

Command: TypeAlias = Annotated[str, Meta(pattern=_LINE, max_length=4000, extra={"words": "a command on one line"})]
"""A line of a script in bash."""
Environment: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. /-]{0,99}$(?!\n)",
        max_length=100,
        extra={"words": "the name of an environment: letters, digits, and _ . - / and blanks after the first"},
    ),
]
"""The name of a deployment environment of the forge, which publishers at an index name too."""
Percent: TypeAlias = Annotated[int, Meta(ge=0, le=100)]
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
    environment: Annotated[
        Environment,
        Meta(
            description="Environment of the job that publishes for good, which the publisher at the index names too.",
            examples=["release"],
        ),
    ] = "pypi"
    staging_environment: Annotated[
        Environment,
        Meta(
            description="Environment of the job that uploads to the staging index, in the same way.",
            examples=["release-test"],
        ),
    ] = "testpypi"
    branch: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_][A-Za-z0-9_./-]*)?$(?!\n)",
            max_length=200,
            description="The default branch, whose pushes start ci.yml and push images. Empty: that of the remote, as"
            " the clone knows it, or else `main`.",
            extra={"words": "the name of a branch"},
        ),
    ] = ""
    systems: Annotated[
        tuple[System, ...] | Literal["auto"],
        Meta(
            description="Systems that ci.yml tests on. `auto`: `linux`, `macos` and `windows`, without those that the"
            " classifiers leave out.",
            examples=[["linux", "windows"]],
        ),
    ] = "auto"
    pythons: Annotated[
        tuple[TestPython, ...] | Literal["auto"],
        Meta(
            description="Versions of Python that ci.yml tests with. `auto`: those of the classifiers and of"
            " `requires-python` that hosted runners offer.",
            examples=[["3.11", "3.14", "3.14t"]],
        ),
    ] = "auto"
    lint: Annotated[
        tuple[Command, ...] | Literal["auto"],
        Meta(
            description="Commands that lint the project, each a line of a script in bash, with those that install what"
            " it needs. `auto`: what its files configure. Empty: no job.",
            examples=[["python -m pip install tox", "tox run -e lint"]],
        ),
    ] = "auto"
    types: Annotated[
        tuple[Command, ...] | Literal["auto"],
        Meta(description="Commands that check its types, in the same way.", examples=[["make types"]]),
    ] = "auto"
    test: Annotated[
        tuple[Command, ...] | Literal["auto"],
        Meta(
            description="Commands that install the project and run its tests, in the same way. They find the number of"
            " their shard in `SHARD` and how many there are in `SHARDS`, and measure coverage if coverage.py writes to"
            " `COVERAGE_FILE`. `auto`: pytest, with what the release installs for the tests.",
            examples=[["python -m pip install nox", "nox -s tests"]],
        ),
    ] = "auto"
    coverage: Annotated[
        Percent | Literal["auto"],
        Meta(
            description="Percentage of the code that the tests on all systems must cover together. `auto`: `fail_under`"
            " of the settings of coverage.py, or else 80. 0: not measured.",
        ),
    ] = "auto"
    shards: Annotated[
        int,
        Meta(ge=1, le=100, description="Jobs that share the tests of each Python and system, by their files."),
    ] = 1
