"""The settings of a project: ``[tool.unmoor]`` in pyproject.toml, or unmoor.toml with the same keys on top.

Each option is declared once, as a field of `Settings`: name, type, default, limits, and one line for
the reference. The reader, the environment variables, the JSON schema and the reference page follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from unmoor.config import sources
from unmoor.config.addresses import PROJECT, REPOSITORY
from unmoor.config.config_file import ConfigFile
from unmoor.config.groups import BuildOptions, SuiteOptions
from unmoor.config.images import INSIDE, ImageSettings
from unmoor.config.values import (
    FOLDER,
    Constraints,
    Extra,
    Group,
    ProjectPath,
    Requirement,
    TestPython,
    command_line,
    folder,
    inside,
)
from unmoor.versioning.tag_scheme import parse_prefix

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """How a project wants to be released. Everything has a default: an unconfigured project works."""

    project: Annotated[
        str,
        Meta(
            pattern=PROJECT,
            max_length=200,
            description="Name of the project on the index. Empty: the name that its metadata says.",
            extra={"words": "a project name: letters, digits, and . _ - between them"},
        ),
    ] = ""
    path: Annotated[
        str,
        Meta(
            description="Folder of the project in the repository, where it is not the top; only in the settings at the"
            " top, alone. Empty: the nearest project at or above the current folder.",
            examples=["packages/pkg"],
            extra={"words": FOLDER, "check": folder},
        ),
    ] = ""
    repository: Annotated[
        str,
        Meta(
            pattern=f"^$|{REPOSITORY}",
            description="Repository on the forge, as `owner/name`. Empty: told from GitHub Actions or the git remote.",
            extra={"words": "owner/name"},
        ),
    ] = ""
    tag_prefix: Annotated[
        str,
        Meta(
            max_length=64,
            description="What stands before the version in a release's tag, such as `pkg-`, `pkg/v` or `release-`. A"
            " `v` after it is always optional. Tags without it are not seen. `v`: no more than that. Empty: no more,"
            " the project's name, or a word such as `release`, as the tag has it.",
            examples=["pkg-"],
            extra={"words": "what stands before the version in a tag", "check": parse_prefix},
        ),
    ] = ""
    signed_tags: Annotated[
        bool, Meta(description="Whether a tag must be signed by somebody whom `allowed-signers` names.")
    ] = False
    allowed_signers: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            description="Who may sign tags: ssh's allowed signers, or armoured OpenPGP keys, on the default branch.",
            extra={"words": "a relative path inside the project, without ..", "check": inside},
        ),
    ] = ".allowed_signers"
    changelog: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            description="Changelog that holds a section for each version. Empty: found by its usual names.",
            extra={"words": "a relative path inside the project, without ..", "check": inside},
        ),
    ] = ""
    empty_notes: Annotated[
        Literal["refuse", "allow"],
        Meta(description="Whether a release without anything in its notes is refused or allowed."),
    ] = "refuse"
    testpypi: Annotated[
        Literal["required", "advisory", "off"],
        Meta(
            description="Whether the upload to the staging index must succeed, may fail with a warning, or is left out."
        ),
    ] = "required"
    trusted_publishing: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether to log in to the indexes by trusted publishing: where there is no other credential,"
            " always, or never."
        ),
    ] = "auto"
    python: Annotated[
        str,
        Meta(
            pattern=r"^(auto|3\.[0-9]{1,2}(\.[0-9]{1,2})?)$(?!\n)",
            description="Python that the files are built and tried with, such as `3.12`. `auto`: the one unmoor runs on"
            " if the project takes it, else the lowest one on the machine that it takes.",
            examples=["3.12"],
            extra={"words": "auto, or a version such as 3.12"},
        ),
    ] = "auto"
    formats: Annotated[
        tuple[Literal["wheel", "sdist"], ...],
        Meta(
            min_length=1, max_length=2, description="What is built. Without the sdist the wheel is built from the tree."
        ),
    ] = ("wheel", "sdist")
    wheel_from: Annotated[
        Literal["sdist", "tree"],
        Meta(
            description="What the wheel is built from. `tree` is the way out where the sdist cannot build one; the"
            " manifest records it."
        ),
    ] = "sdist"
    build_constraints: Constraints = ()
    tests: Annotated[
        Literal["auto", "configured", "off"],
        Meta(
            description="Which tests are run against the wheel: those of `test-command`, else those for pytest in"
            " `tests/` or `test/` if an extra or a dependency group called `test`, `tests`, `testing` or `dev` says"
            " what they need (`auto`); only those of `test-command` (`configured`); none (`off`)."
        ),
    ] = "auto"
    test_command: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            max_length=4000,
            description="Command that tests the installed wheel, split into words as a shell would; `{project}` stands"
            " for the folder that the tests were copied to. Empty: see `tests`.",
            examples=["pytest -q"],
            extra={"words": "a command on one line", "check": command_line},
        ),
    ] = ""
    test_requires: Annotated[
        tuple[Requirement, ...],
        Meta(description="What the test command needs besides the project.", examples=[["pytest>=8"]]),
    ] = ()
    test_extras: Annotated[
        tuple[Extra, ...], Meta(description="Extras of the project to install for the tests.", examples=[["cli"]])
    ] = ()
    test_groups: Annotated[
        tuple[Group, ...],
        Meta(description="Dependency groups (PEP 735) of the project to install for the tests.", examples=[["test"]]),
    ] = ()
    test_pythons: Annotated[
        tuple[TestPython, ...],
        Meta(
            description="Further Pythons to try the wheels with, and to run the tests on. One that is not on the"
            " machine is told as not tested.",
            examples=[["3.11", "3.13"]],
        ),
    ] = ()
    test_sources: Annotated[
        tuple[ProjectPath, ...],
        Meta(
            description="Files and folders that the tests need, copied away from the project's source. Empty: the usual"
            " ones, such as `tests`; where `tests` found them, the whole repository but for the project's own modules.",
            examples=[["tests", "conftest.py"]],
        ),
    ] = ()
    test_timeout: Annotated[int, Meta(ge=1, le=86_400, description="Seconds that the test command may take.")] = 600
    max_file_size: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="MiB that the index takes for one file. More than its own 100 only where it has granted more.",
        ),
    ] = 100
    deadline: Annotated[int, Meta(ge=10, le=86_400, description="Seconds that a whole run may take.")] = 3600
    verify_patience: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds to wait for surfaces to show what they were given.")
    ] = 120
    image: Annotated[
        tuple[ImageSettings, ...],
        Meta(description="Container images, one table each. None: one of a Dockerfile, where there is one."),
    ] = ()

    @property
    def building(self) -> BuildOptions:
        """How the files are built."""
        return BuildOptions(
            python=self.python,
            formats=self.formats,
            wheel_from=self.wheel_from,
            constraints=self.build_constraints,
        )

    @property
    def testing(self) -> SuiteOptions:
        """How the built files are tested."""
        return SuiteOptions(
            mode=self.tests,
            command=self.test_command,
            requires=self.test_requires,
            extras=self.test_extras,
            groups=self.test_groups,
            sources=self.test_sources,
            pythons=self.test_pythons,
            timeout=self.test_timeout,
        )


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The settings, and where each value came from, by the option's name.

    ``default``, ``pyproject.toml: tool.unmoor.deadline``, ``environment: UNMOOR_DEADLINE`` or ``command line``.
    """

    settings: Settings
    provenance: Mapping[str, str]


def resolve(
    read: Callable[[str], bytes | None],
    *,
    config: ConfigFile | None = None,
    environ: Mapping[str, str] = NOTHING,
    given: Mapping[str, object] = NOTHING,
    below: str = "",
) -> Resolved:
    """Bring together defaults, the project's file, the environment and the command line; the later ones win.

    ``read`` returns a file of the project by its name (at the release's own commit), ``None`` where
    there is none; ``config`` goes in its place. ``below`` is the folder it reads from, for messages.
    ``given`` is what the command line said, by option name. An empty variable counts as not set.
    Raises `ConfigError` with all that is wrong in one source.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in (
        sources.from_files(Settings, read, below) if config is None else sources.from_given(Settings, config),
        sources.from_environ(Settings, environ),
        sources.from_command_line(Settings, given),
    ):
        for name, (value, origin) in source.items():
            values[name], origins[name] = value, origin
    fields = msgspec.structs.fields(Settings)
    provenance = {field.encode_name: origins.get(field.name, "default") for field in fields}
    return Resolved(settings=Settings(**values), provenance=MappingProxyType(provenance))
