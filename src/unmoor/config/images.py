"""The settings of one container image: ``[[tool.unmoor.image]]``."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

INSIDE = r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\\x00-\x1f\x7f]*$"
# The distribution specification's words for a repository, with a host in front that has a dot, a port or is localhost.
IMAGE_NAME = (
    r"^$|^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:))(:[1-9][0-9]{0,4})?"
    r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$(?!\n)"
)
_STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SUFFIX = re.compile(r"[A-Za-z0-9_.-]{0,60}")
_FLOATING = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")


class ImageTable(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What all tables have in common: frozen, keys in kebab-case, no other keys."""


class TargetSettings(ImageTable, frozen=True, kw_only=True):
    """How the tags of one stage of the Dockerfile are told from the others'."""

    suffix: Annotated[str, Meta(description="What its tags end in.")] = ""
    floating: Annotated[str, Meta(description="A tag of its own that always names the newest final version.")] = ""


def _targets(value: dict[str, str | TargetSettings]) -> dict[str, str | TargetSettings]:
    """See that stages, suffixes and floating tags can be what they are. Raises ``ValueError``."""
    for stage, said in value.items():
        if not _STAGE.fullmatch(stage):
            raise ValueError(f"{stage[:60]!a} is no name of a stage")
        target = TargetSettings(suffix=said) if isinstance(said, str) else said
        if not _SUFFIX.fullmatch(target.suffix):
            raise ValueError(f"{target.suffix[:60]!a} cannot end a tag: letters, digits, and . _ - alone")
        if not _FLOATING.fullmatch(target.floating):
            raise ValueError(f"{target.floating[:60]!a} is no tag")
    suffixes = [said if isinstance(said, str) else said.suffix for said in value.values()]
    twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
    if twice is not None:
        raise ValueError(f"two targets have the suffix {twice!a}, and would have the same tags")
    return value


def _arguments(value: dict[str, str]) -> dict[str, str]:
    """See that build arguments have names that a Dockerfile can use. Raises ``ValueError``."""
    for name in value:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name[:60]!a} is no name of an ARG")
    return value


def _filled(words: tuple[str, ...]) -> Any:
    """See that a list has something in it. Raises ``ValueError``."""
    if not words:
        raise ValueError("expected at least one item, got an empty list")
    return words


def _platforms(value: tuple[str, ...]) -> Any:
    """See that there are platforms, each once. Raises ``ValueError``."""
    twice = next((each for each in value if value.count(each) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!a} stands there twice")
    return _filled(value)


Name = Annotated[
    str,
    Meta(
        pattern=IMAGE_NAME,
        max_length=255,
        extra={"words": "an image name with its registry, in small letters, such as ghcr.io/owner/name"},
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


class SmokeSettings(ImageTable, frozen=True, kw_only=True):
    """One command that is tried in the image, without network."""

    name: Annotated[Line, Meta(description="What messages call it.")]
    run: Annotated[
        tuple[str, ...],
        Meta(description="The command, word by word. Empty: the image's own.", examples=[["--version"]]),
    ] = ()
    entrypoint: Annotated[
        str | None,
        Meta(description="Replaces the image's entry point; empty for none. Left out: the image's own."),
    ] = None
    expect: Annotated[
        str, Meta(description="What it must print; `{version}`, `{tag}` and `{commit}` stand for the release's.")
    ] = ""
    timeout: Annotated[int, Meta(ge=1, le=3600, description="Seconds that it may take.")] = 60
    targets: Annotated[
        tuple[Stage, ...], Meta(description="Stages of the Dockerfile that it is tried in. Empty: every target.")
    ] = ()


class ImageSettings(ImageTable, frozen=True, kw_only=True):
    """One container image. A project with a Dockerfile and without this table has one image with these defaults."""

    name: Annotated[
        Name,
        Meta(
            description="Name of the image, with its registry. Empty: `ghcr.io/` and the repository in small letters."
        ),
    ] = ""
    mirrors: Annotated[
        tuple[Name, ...],
        Meta(description="The same image on other registries.", examples=[["docker.io/owner/name"]]),
    ] = ()
    dockerfile: Annotated[
        str,
        Meta(
            pattern=INSIDE,
            min_length=1,
            description="The Dockerfile.",
            extra={"words": "a relative path inside the project, without .."},
        ),
    ] = "Dockerfile"
    targets: Annotated[
        dict[str, str | TargetSettings],
        Meta(
            description="Stages of the Dockerfile that become images, each with the suffix of its tags, or a table of"
            " `suffix` and `floating` (a tag of its own). Empty: the last stage, without suffix.",
            examples=[{"production": {"suffix": "-prod", "floating": "prod"}, "development": ""}],
            extra={"words": "a table of stage = suffix, or stage = { suffix, floating }", "check": _targets},
        ),
    ] = {}
    platforms: Annotated[
        tuple[Platform, ...],
        Meta(description="Platforms that every target is built for.", extra={"check": _platforms}),
    ] = ("linux/amd64",)
    tags: Annotated[
        tuple[Line, ...],
        Meta(description="Rules that say under which tags it is published.", extra={"check": _filled}),
    ] = (
        "type=pep440,pattern={{version}},prefix=v",
        "type=pep440,pattern={{major}}.{{minor}}",
        "type=pep440,pattern={{major}}",
        "type=sha",
    )
    flavor: Annotated[
        str, Meta(description="What holds for all rules: `latest=…`, `prefix=…`, `suffix=…`, one a line.")
    ] = ""
    labels: Annotated[
        dict[str, str],
        Meta(description="Labels besides the ones that follow from the release.", extra={"words": "a table of texts"}),
    ] = {}
    args: Annotated[
        dict[str, str],
        Meta(
            description="Build arguments besides `VERSION`, `WHEEL` and `SOURCE_DATE_EPOCH`. Never a secret.",
            extra={"words": "a table of texts", "check": _arguments},
        ),
    ] = {}
    secrets: Annotated[
        tuple[Variable, ...],
        Meta(
            description="Environment variables that the build gets as BuildKit secrets, each under its own name.",
            examples=[["INDEX_PASSWORD"]],
        ),
    ] = ()
    smoke: Annotated[
        tuple[SmokeSettings, ...], Meta(description="Commands that are tried in every target: see below.")
    ] = ()
    cache_from: Annotated[
        tuple[Line, ...],
        Meta(description="Where the build takes its cache from, as buildx writes it.", examples=[["type=gha"]]),
    ] = ()
    cache_to: Annotated[
        tuple[Line, ...],
        Meta(description="Where the build leaves its cache.", examples=[["type=gha,mode=max"]]),
    ] = ()
    optional: Annotated[bool, Meta(description="Whether a release goes on where there is no engine.")] = False
    context_limit: Annotated[
        int, Meta(ge=1, le=100_000_000_000, description="Bytes that the build context may have.")
    ] = 500_000_000
    max_size: Annotated[
        int, Meta(ge=0, le=1_000_000_000_000, description="Bytes that an image may have. 0: no limit.")
    ] = 0
    latest_on_default_branch: Annotated[
        bool,
        Meta(description="Whether `latest` is the default branch's; releases then leave it alone."),
    ] = False
