"""The settings of one container image: ``[[tool.unmoor.image]]``."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from unmoor.config.table import Table

INSIDE = r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\\x00-\x1f\x7f]*$"
# A repository by the distribution specification, after a host that has a dot or a port or is localhost.
IMAGE_NAME = (
    r"^$|^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:))(:[1-9][0-9]{0,4})?"
    r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$(?!\n)"
)
_STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SUFFIX = re.compile(r"[A-Za-z0-9_.-]{0,60}")
_FLOATING = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")


class TargetSettings(Table, frozen=True, kw_only=True):
    """What tells the tags of one stage of the Dockerfile from those of the others."""

    suffix: Annotated[str, Meta(description="Suffix of its tags.")] = ""
    floating: Annotated[str, Meta(description="Extra tag that always names the highest final version.")] = ""


def _target(value: str | TargetSettings) -> TargetSettings:
    return TargetSettings(suffix=value) if isinstance(value, str) else value


def _targets(value: dict[str, str | TargetSettings]) -> dict[str, str | TargetSettings]:
    """Check the names of stages, suffixes and floating tags. Raises ``ValueError``."""
    for stage, target_or_suffix in value.items():
        if not _STAGE.fullmatch(stage):
            raise ValueError(f"{stage[:60]!a} is not a valid stage name")
        target = _target(target_or_suffix)
        if not _SUFFIX.fullmatch(target.suffix):
            raise ValueError(f"{target.suffix[:60]!a} is not a valid tag suffix: use letters, digits, and . _ - only")
        if not _FLOATING.fullmatch(target.floating):
            raise ValueError(f"{target.floating[:60]!a} is not a valid tag")
    suffixes = [_target(each).suffix for each in value.values()]
    twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
    if twice is not None:
        raise ValueError(f"two targets have the suffix {twice!a}: their tags would be the same")
    return value


def _arguments(value: dict[str, str]) -> dict[str, str]:
    """Check the names of build arguments. Raises ``ValueError``."""
    for name in value:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name[:60]!a} is not a valid ARG name")
    return value


def _not_empty(items: tuple[str, ...]) -> Any:
    """Check that a list is not empty. Raises ``ValueError``."""
    if not items:
        raise ValueError("expected at least one item, got an empty list")
    return items


def _platforms(value: tuple[str, ...]) -> Any:
    """Check that there are platforms, each once. Raises ``ValueError``."""
    twice = next((each for each in value if value.count(each) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!a} is listed twice")
    return _not_empty(value)


Name = Annotated[
    str,
    Meta(
        pattern=IMAGE_NAME,
        max_length=255,
        extra={"words": "an image name with its registry, in lowercase, such as ghcr.io/owner/name"},
    ),
]
Platform = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?$(?!\n)", extra={"words": "a platform such as linux/amd64"}),
]
Variable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)", extra={"words": "the name of an environment variable"})
]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=4000, extra={"words": "text on one line"})]
Stage = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$(?!\n)", extra={"words": "the name of a stage of the Dockerfile"})
]


class SmokeSettings(Table, frozen=True, kw_only=True):
    """A command to run in the image, without network."""

    name: Annotated[Line, Meta(description="Name in messages.")]
    run: Annotated[
        tuple[str, ...],
        Meta(description="Arguments of the command. Empty: the image's own command.", examples=[["--version"]]),
    ] = ()
    entrypoint: Annotated[
        str | None,
        Meta(description="Replaces the image's entry point; empty for none. Unset: the image's own."),
    ] = None
    expect: Annotated[
        str,
        Meta(
            description="Text that the output must contain. `{version}`, `{tag}` and `{commit}` are those of the"
            " release."
        ),
    ] = ""
    timeout: Annotated[int, Meta(ge=1, le=3600, description="Time limit in seconds.")] = 60
    targets: Annotated[tuple[Stage, ...], Meta(description="Targets to run it in. Empty: all of them.")] = ()


class ImageSettings(Table, frozen=True, kw_only=True):
    """One container image. A project with a Dockerfile but without this table has one image with these defaults."""

    name: Annotated[
        Name,
        Meta(description="Name of the image, with its registry. Empty: `ghcr.io/` and the repository in lowercase."),
    ] = ""
    mirrors: Annotated[
        tuple[Name, ...],
        Meta(description="Other names to push the same image to.", examples=[["docker.io/owner/name"]]),
    ] = ()
    dockerfile: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            min_length=1,
            description="Path of the Dockerfile.",
            extra={"words": "a relative path inside the project, without .."},
        ),
    ] = "Dockerfile"
    targets: Annotated[
        dict[str, str | TargetSettings],
        Meta(
            description="Stages of the Dockerfile to build as images, each with the suffix of its tags, or a table of"
            " `suffix` and `floating` (an extra tag). Empty: the last stage, without suffix.",
            examples=[{"production": {"suffix": "-prod", "floating": "prod"}, "development": ""}],
            extra={"words": "a table of stage = suffix, or stage = { suffix, floating }", "check": _targets},
        ),
    ] = msgspec.field(default_factory=dict)
    platforms: Annotated[
        tuple[Platform, ...],
        Meta(description="Platforms to build every target for.", extra={"check": _platforms}),
    ] = ("linux/amd64",)
    tags: Annotated[
        tuple[Line, ...],
        Meta(description="Rules for the tags, in the language of docker/metadata-action.", extra={"check": _not_empty}),
    ] = (
        "type=pep440,pattern={{version}},prefix=v",
        "type=pep440,pattern={{major}}.{{minor}}",
        "type=pep440,pattern={{major}}",
        "type=sha",
        "type=ref,event=branch",
        "type=ref,event=branch,suffix=-{{sha}}",
        "type=ref,event=pr",
    )
    flavor: Annotated[
        str, Meta(description="Defaults of all rules: `latest=…`, `prefix=…`, `suffix=…`, one per line.")
    ] = ""
    labels: Annotated[
        dict[str, str],
        Meta(description="Labels to add to those that unmoor sets.", extra={"words": "a table of texts"}),
    ] = msgspec.field(default_factory=dict)
    args: Annotated[
        dict[str, str],
        Meta(
            description="Build arguments to add to `VERSION`, `WHEEL` and `SOURCE_DATE_EPOCH`. Never put a secret"
            " here.",
            extra={"words": "a table of texts", "check": _arguments},
        ),
    ] = msgspec.field(default_factory=dict)
    secrets: Annotated[
        tuple[Variable, ...],
        Meta(
            description="Environment variables to pass to the build as BuildKit secrets of the same name.",
            examples=[["INDEX_PASSWORD"]],
        ),
    ] = ()
    smoke: Annotated[
        tuple[SmokeSettings, ...], Meta(description="Commands to run in the built images: see below.")
    ] = ()
    cache_from: Annotated[
        tuple[Line, ...],
        Meta(description="Caches that the build reads, in the syntax of buildx.", examples=[["type=gha"]]),
    ] = ()
    cache_to: Annotated[
        tuple[Line, ...],
        Meta(description="Caches that the build writes, in the syntax of buildx.", examples=[["type=gha,mode=max"]]),
    ] = ()
    optional: Annotated[
        bool, Meta(description="Whether to release without images if no container engine is available.")
    ] = False
    context_limit: Annotated[
        int, Meta(ge=1, le=100_000_000_000, description="Size limit of the build context in bytes.")
    ] = 500_000_000
    max_size: Annotated[
        int, Meta(ge=0, le=1_000_000_000_000, description="Size limit of an image in bytes. 0: no limit.")
    ] = 0
    latest_on_default_branch: Annotated[
        bool,
        Meta(description="Whether `latest` belongs to the default branch. Releases then do not move it."),
    ] = False
