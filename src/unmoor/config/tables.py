"""The tables of a world file, declared once: the reader, the JSON schema and the reference page follow from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from unmoor.config.addresses import (
    HOST,
    LABEL,
    REPOSITORY,
    TITLE,
    folder_address,
    git_remote,
    page_address,
    root_address,
)
from unmoor.config.credentials import TOKEN_USERNAME, checked_reference, checked_username
from unmoor.util.secret import Secret


def _or_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    """Let empty text pass."""
    return lambda text: check(text) if text else ""


# A pattern in extra_json_schema is for editors alone: our own checks say more, and quote nothing.
_HTTP = {"pattern": "^https?://"}
_HTTP_OR_EMPTY = {"pattern": "^$|^https?://"}

Label = Annotated[
    str, Meta(pattern=LABEL, extra={"words": "a short name: small letters, digits, and . _ - between them"})
]
Folder = Annotated[str, Meta(extra_json_schema=_HTTP, extra={"check": folder_address})]
FolderOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(folder_address)})]
RootOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(root_address)})]
PageOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(page_address)})]
Credential = Annotated[Secret, Meta(extra={"check": checked_reference})]


def _nothing() -> Secret:
    return Secret("")


class WorldTableBase(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What all tables have in common: frozen, keys in kebab-case, no other keys."""


class IndexTable(WorldTableBase, frozen=True, kw_only=True):
    """The index that is released to."""

    name: Annotated[Label, Meta(description="What messages call it.")] = "pypi"
    upload: Annotated[Folder, Meta(description="Address that takes uploads (the legacy upload API).")]
    simple: Annotated[Folder, Meta(description="Root of the simple index (PEP 503, PEP 691).")]
    json: Annotated[
        FolderOrEmpty,
        Meta(description="Root of the JSON API, under which `PROJECT/VERSION/json` lies. Empty: there is none."),
    ] = ""
    page: Annotated[
        PageOrEmpty,
        Meta(description="Page for people, with `{project}` and `{version}` in it. Empty: the simple page."),
    ] = ""
    username: Annotated[str, Meta(description="User name for uploads.", extra={"check": checked_username})] = (
        TOKEN_USERNAME
    )
    password: Annotated[
        Credential,
        Meta(description="Password or token: `env:NAME`, `file:PATH`, `keyring:SERVICE`, or the literal itself."),
    ] = msgspec.field(default_factory=_nothing)
    platforms: Annotated[
        Literal["public", "any"],
        Meta(
            description="Which platforms it takes wheels for: those that the public index takes, or any, such as"
            " `linux_x86_64`."
        ),
    ] = "public"
    trusted_publishing: Annotated[
        Literal["", "auto", "always", "never"],
        Meta(description="Whether to log in by trusted publishing. Empty: as the project's settings say."),
    ] = ""


class StagingTable(IndexTable, frozen=True, kw_only=True):
    """The index that uploads are tried on first. Leave the table out where there is none."""

    name: Annotated[Label, Meta(description="What messages call it.")] = "testpypi"


class DependenciesTable(WorldTableBase, frozen=True, kw_only=True):
    """Where dependencies come from: the other indexes of a world seldom hold them."""

    simple: Annotated[
        FolderOrEmpty, Meta(description="Root of a simple index. Empty: the installer's own configuration.")
    ] = ""


class ForgeTable(WorldTableBase, frozen=True, kw_only=True):
    """GitHub or GitHub Enterprise."""

    api: Annotated[RootOrEmpty, Meta(description="Root of the API. Empty: as in the real world.")] = ""
    uploads: Annotated[RootOrEmpty, Meta(description="Root for uploads of assets. Empty: told from `api`.")] = ""
    site: Annotated[RootOrEmpty, Meta(description="Root of the site for people. Empty: told from `api`.")] = ""
    repository: Annotated[
        str,
        Meta(
            pattern=f"^$|{REPOSITORY}",
            description="Repository, as `owner/name`. Empty: the project's own.",
            extra={"words": "owner/name"},
        ),
    ] = ""
    token: Annotated[
        Credential,
        Meta(description="Token: as `password`. Empty: `GITHUB_TOKEN` or `GH_TOKEN`, where `api` is empty too."),
    ] = msgspec.field(default_factory=_nothing)


class RegistryTable(WorldTableBase, frozen=True, kw_only=True):
    """A container registry that is somewhere else in this world, or that has a login of its own; one table each."""

    host: Annotated[
        str,
        Meta(
            pattern=HOST,
            description="The registry as names of images begin, such as `ghcr.io`.",
            extra={"words": "a host, with a port where it has one, in small letters"},
        ),
    ]
    address: Annotated[
        RootOrEmpty, Meta(description="Where it is in this world. Empty: `https://` and the host, as in the real one.")
    ] = ""
    username: Annotated[str, Meta(description="User name for pushes.", extra={"check": checked_username})] = ""
    password: Annotated[Credential, Meta(description="Password or token: as the index's.")] = msgspec.field(
        default_factory=_nothing
    )


class GitTable(WorldTableBase, frozen=True, kw_only=True):
    """The git remote whose tags count."""

    remote: Annotated[
        str, Meta(description="Name of a remote, absolute path, or address.", extra={"check": git_remote})
    ] = "origin"


class WorldTable(WorldTableBase, frozen=True, kw_only=True):
    """The surfaces that a run talks to."""

    name: Annotated[
        str,
        Meta(
            pattern=TITLE,
            description="What messages call this world.",
            extra={"words": "a short name: letters, digits, and blanks . _ - between them"},
        ),
    ]
    rehearsal: Annotated[
        bool, Meta(description="Whether nothing here is real: allowed where every address is a loopback address.")
    ] = False
    index: IndexTable
    staging: StagingTable | None = None
    dependencies: DependenciesTable = msgspec.field(default_factory=DependenciesTable)
    forge: ForgeTable = msgspec.field(default_factory=ForgeTable)
    registry: tuple[RegistryTable, ...] = ()
    git: GitTable = msgspec.field(default_factory=GitTable)
