"""The settings of a project: ``[tool.unmoor]`` in pyproject.toml, or the same keys at the top of unmoor.toml.

Each option is declared once, as a field of `Settings`: name, type, default, limits, and one line for the
reference. The reader, the environment variables, the JSON schema and the reference page are derived from it.

This module is long because it declares every option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from unmoor.config import sources
from unmoor.config.addresses import PROJECT, REPOSITORY
from unmoor.config.announce import AnnounceSettings
from unmoor.config.bench import BenchSettings
from unmoor.config.checks import CheckSettings
from unmoor.config.config_file import ConfigFile
from unmoor.config.cut import CutSettings
from unmoor.config.docs import DocsSettings
from unmoor.config.groups import BuildOptions, ImportOptions, SuiteOptions
from unmoor.config.images import INSIDE, ImageSettings
from unmoor.config.metrics import MetricsSettings
from unmoor.config.scan import ScanSettings
from unmoor.config.service import ServiceName, ServiceSettings
from unmoor.config.space import SpaceSettings
from unmoor.config.table import Table
from unmoor.config.type_names import fields_of
from unmoor.config.values import (
    FOLDER,
    Constraints,
    Extra,
    Extras,
    Group,
    ImportName,
    ProjectPath,
    TestPython,
    TestRequirement,
    command_line,
    folder,
    inside,
    markers,
)
from unmoor.config.watch import WatchIgnore
from unmoor.config.workflows import WorkflowSettings
from unmoor.versioning.tag_scheme import parse_prefix

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Settings(Table, frozen=True, kw_only=True):
    """How to release a project. Every option has a default: a project without settings works."""

    project: Annotated[
        str,
        Meta(
            pattern=PROJECT,
            max_length=200,
            description="Name of the project on the index. Empty: the name in its metadata.",
            extra={"words": "a project name: letters, digits, and . _ - between them"},
        ),
    ] = ""
    path: Annotated[
        str,
        Meta(
            description="Folder of the project in the repository, if that is not the top. Allowed only in the settings"
            " at the top, and there only on its own. Empty: the nearest project at or above the current folder.",
            examples=["packages/pkg"],
            extra={"words": FOLDER, "check": folder},
        ),
    ] = ""
    repository: Annotated[
        str,
        Meta(
            pattern=f"^$|{REPOSITORY}",
            description="Repository on the forge, as `owner/name`. Empty: read from GitHub Actions or the git remote.",
            extra={"words": "owner/name"},
        ),
    ] = ""
    tag_prefix: Annotated[
        str,
        Meta(
            max_length=64,
            description="Prefix of the version in release tags, such as `pkg-`, `pkg/v` or `release-`. A `v` after it"
            " is always optional. Tags without it are ignored. `v`: nothing else. Empty: nothing else, the project's"
            " name, or a word such as `release`, whichever the tag has.",
            examples=["pkg-"],
            extra={"words": "the prefix of the version in a tag", "check": parse_prefix},
        ),
    ] = ""
    signed_tags: Annotated[bool, Meta(description="Whether tags must be signed by someone in `allowed-signers`.")] = (
        False
    )
    allowed_signers: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            description="File of those who may sign tags: ssh's allowed signers, or armored OpenPGP keys. Read from the"
            " default branch.",
            extra={"words": "a relative path inside the project, without ..", "check": inside},
        ),
    ] = ".allowed_signers"
    changelog: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            description="Changelog with a section for each version. Empty: found by its usual names.",
            extra={"words": "a relative path inside the project, without ..", "check": inside},
        ),
    ] = ""
    empty_notes: Annotated[
        Literal["refuse", "allow"],
        Meta(description="Whether to refuse or allow a release with empty notes."),
    ] = "refuse"
    testpypi: Annotated[
        Literal["required", "advisory", "off"],
        Meta(
            description="Whether the upload to the staging index must succeed, may fail with a warning, or is skipped."
        ),
    ] = "required"
    trusted_publishing: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether to use trusted publishing for uploads: if there is no other credential, always,"
            " or never."
        ),
    ] = "auto"
    attestations: Annotated[
        Literal["auto", "required", "off"],
        Meta(
            description="Whether to sign the files with the identity of the release workflow (PEP 740, SLSA): if the"
            " job has one and the repository is public, always, or never. `required` is also the consent to name a"
            " private repository in the public log."
        ),
    ] = "auto"
    sign_with: Annotated[
        str,
        Meta(
            pattern=r"^$(?!\n)|^(ssh|gpg):[^\x00-\x1f\x7f]+$(?!\n)",
            max_length=1000,
            description="Key that signs `SHA256SUMS` besides the workflow: `ssh:` and a file, relative to the top of"
            " the repository or to your home with `~/`, or `gpg:` and the id of a key. It must sign without asking for"
            " a passphrase. Empty: none.",
            examples=["ssh:~/.ssh/id_ed25519", "gpg:0123456789ABCDEF"],
            extra={"words": "ssh:FILE or gpg:KEYID"},
        ),
    ] = ""
    reproducible: Annotated[
        Literal["required", "advisory", "off"],
        Meta(
            description="Whether a second build of the commit must give the same bytes, may give others with a warning,"
            " or is not made. Compiled wheels are built a second time only if it is `required`."
        ),
    ] = "advisory"
    release_workflow: Annotated[
        str,
        Meta(
            pattern=r"^(([A-Za-z0-9._-]+/){2})?\.github/workflows/[^/\n]+\.ya?ml$(?!\n)|^$(?!\n)",
            max_length=300,
            description="The workflow file whose signatures count, as certificates name it. Empty: that of the job, or,"
            " on a machine without an identity, the only one at the commit that a tag starts and that has"
            " `id-token: write`.",
            examples=[".github/workflows/release.yml"],
            extra={"words": "the path of a workflow file, such as .github/workflows/release.yml"},
        ),
    ] = ""
    sbom: Annotated[
        Literal["auto", "required", "off"],
        Meta(
            description="Whether to attach a software bill of materials (CycloneDX) of each wheel to the release,"
            " and one of each image beside it (with syft): if it can be made, always, or never."
        ),
    ] = "auto"
    python: Annotated[
        str,
        Meta(
            pattern=r"^(auto|3\.[0-9]{1,2}(\.[0-9]{1,2})?)$(?!\n)",
            description="Python to build and test the files with, such as `3.12`. `auto`: the one that runs unmoor if"
            " the project supports it, else the lowest one on the machine that it supports.",
            examples=["3.12"],
            extra={"words": "auto, or a version such as 3.12"},
        ),
    ] = "auto"
    formats: Annotated[
        tuple[Literal["wheel", "sdist"], ...],
        Meta(
            min_length=1,
            max_length=2,
            description="What to build. Without the sdist, the wheel is built from the source tree.",
        ),
    ] = ("wheel", "sdist")
    wheel_from: Annotated[
        Literal["sdist", "tree"],
        Meta(
            description="What to build the wheel from. Use `tree` only if the sdist cannot build one; the manifest"
            " records it."
        ),
    ] = "sdist"
    normalize_sdist: Annotated[
        bool,
        Meta(
            description="Whether to write the sdist again without what differs from build to build: the order, times,"
            " owners and modes of its files. The manifest records it."
        ),
    ] = True
    build_constraints: Constraints = ()
    tests: Annotated[
        Literal["auto", "configured", "off"],
        Meta(
            description="Which tests to run against the wheel: `test-command`, or else the tests for pytest that the"
            " project's files lead to (`auto`); only `test-command` (`configured`); none (`off`)."
        ),
    ] = "auto"
    test_command: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            max_length=4000,
            description="Command that tests the installed wheel, split into arguments like in a shell. `{project}` is"
            " the folder that the tests are copied to. Empty: see `tests`.",
            examples=["pytest -q"],
            extra={"words": "a command on one line", "check": command_line},
        ),
    ] = ""
    test_requires: Annotated[
        tuple[TestRequirement, ...],
        Meta(
            description="Requirements of the tests, besides the project. `-r FILE` stands for those in a file of the"
            " project. With this, `test-extras` or `test-groups`, nothing else is looked for.",
            examples=[["pytest>=8"], ["-r requirements/test.txt"]],
        ),
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
            description="More Pythons to install the wheels on and run the tests with. One that is not on the machine"
            " is reported as not tested. `3.13t` is the free-threaded build of 3.13.",
            examples=[["3.11", "3.13", "3.13t"]],
        ),
    ] = ()
    test_sources: Annotated[
        tuple[ProjectPath, ...],
        Meta(
            description="Files and folders that the tests need. Empty: the whole repository. The tests see a copy of"
            " them and of the files that configure pytest, away from the checkout.",
            examples=[["tests", "conftest.py"]],
        ),
    ] = ()
    test_modules: Annotated[
        Literal["remove", "keep"],
        Meta(
            description="Whether the copied repository lacks the project's own modules (`remove`) or has them, for"
            " tests that read or build them (`keep`). Either way, tests import them from the wheel."
        ),
    ] = "remove"
    test_timeout: Annotated[int, Meta(ge=1, le=86_400, description="Time limit of the test command in seconds.")] = 600
    import_extras: Annotated[
        dict[ImportName, Extras],
        Meta(
            description="Extras that a module, or the entry points in it, need to be imported. Otherwise the extras of"
            " the project are tried in turn, except for the module that the project is named after.",
            examples=[{"pkg_server": ["server"]}],
            extra={"words": "a table of modules, each with a list of extras"},
        ),
    ] = msgspec.field(default_factory=dict)
    import_markers: Annotated[
        dict[ImportName, str],
        Meta(
            description="Environment markers (PEP 508) that say where a module, or the entry points in it, can be"
            " imported. Elsewhere it is not tested.",
            examples=[{"pkg_windows": "sys_platform == 'win32'"}],
            extra={"words": "a table of modules, each with an environment marker", "check": markers},
        ),
    ] = msgspec.field(default_factory=dict)
    import_skip: Annotated[
        tuple[ImportName, ...],
        Meta(
            description="Modules that need not import, and whose entry points need not load. They are not tested.",
            examples=[["pkg_plugin"]],
        ),
    ] = ()
    max_file_size: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Size limit of one file in MiB. Raise it above 100 only if the index granted the project more.",
        ),
    ] = 100
    deadline: Annotated[int, Meta(ge=10, le=86_400, description="Time limit of a whole run in seconds.")] = 3600
    verify_patience: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds to wait until surfaces show what was sent to them.")
    ] = 120
    scan: Annotated[
        ScanSettings, Meta(description="What the built files are scanned for, and which findings are ignored.")
    ] = ScanSettings()
    workflows: Annotated[WorkflowSettings, Meta(description="What the written workflows need to know.")] = (
        WorkflowSettings()
    )
    checks: Annotated[CheckSettings, Meta(description="What `unmoor check` looks for.")] = CheckSettings()
    cut: Annotated[CutSettings, Meta(description="How `unmoor cut` commits a release.")] = CutSettings()
    metrics: Annotated[MetricsSettings, Meta(description="What is kept of runs and measurements.")] = MetricsSettings()
    watch_ignore: Annotated[
        tuple[WatchIgnore, ...],
        Meta(description="Findings of `unmoor watch` that are accepted, each with a reason."),
    ] = ()
    image: Annotated[
        tuple[ImageSettings, ...],
        Meta(description="Container images, one table each. None: one image if there is a Dockerfile."),
    ] = ()
    docs: Annotated[DocsSettings | None, Meta(description="Documentation to build and deploy.")] = None
    space: Annotated[SpaceSettings | None, Meta(description="A Space to deploy.")] = None
    service: Annotated[
        dict[ServiceName, ServiceSettings], Meta(description="Services to switch to the new image, one table each.")
    ] = msgspec.field(default_factory=dict)
    announce: Annotated[AnnounceSettings | None, Meta(description="Who hears of a release.")] = None
    bench: Annotated[BenchSettings | None, Meta(description="Benchmarks to compare.")] = None

    @property
    def building(self) -> BuildOptions:
        """How the files are built."""
        return BuildOptions(
            python=self.python,
            formats=self.formats,
            wheel_from=self.wheel_from,
            normalize_sdist=self.normalize_sdist,
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
            modules=self.test_modules,
            pythons=self.test_pythons,
            timeout=self.test_timeout,
        )

    @property
    def importing(self) -> ImportOptions:
        """What of a file need not import in a plain install."""
        return ImportOptions(
            extras=self.import_extras,
            markers=self.import_markers,
            skip=self.import_skip,
            tried_first=self.test_extras,
            lenient=self.tests == "off",
        )


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, and the origin of each value, by option name.

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
    """Merge defaults, the project's file, the environment and the command line; later ones win.

    ``read`` returns a file of the project by name, at the commit of the release, ``None`` if there is none;
    ``config`` replaces it. ``below`` is the folder that ``read`` reads from, for messages. ``given`` holds the
    command line's values by option name. An empty variable counts as not set. Raises `ConfigError` with
    everything that is wrong in one source.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in (
        sources.from_files(Settings, read, below) if config is None else sources.from_config_file(Settings, config),
        sources.from_environ(Settings, environ),
        sources.from_command_line(Settings, given),
    ):
        for name, (value, origin) in source.items():
            values[name], origins[name] = value, origin
    fields = fields_of(Settings)
    provenance = {field.encode_name: origins.get(field.name, "default") for field in fields}
    return Resolved(settings=Settings(**values), provenance=MappingProxyType(provenance))
