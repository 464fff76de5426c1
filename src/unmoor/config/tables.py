"""The tables of a world file. The reader, the JSON schema and the reference page are derived from them."""

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
    issuer_address,
    page_address,
    printable_path,
    root_address,
)
from unmoor.config.credentials import TOKEN_USERNAME, checked_reference, checked_username
from unmoor.config.table import Table
from unmoor.util.secret import Secret


def _or_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    """Accept empty text without a check."""
    return lambda text: check(text) if text else ""


# A pattern in extra_json_schema is only for editors: our own checks say more, and do not quote a credential.
_HTTP = {"pattern": "^https?://"}
_HTTP_OR_EMPTY = {"pattern": "^$|^https?://"}

Label = Annotated[
    str, Meta(pattern=LABEL, extra={"words": "a short name: lowercase letters, digits, and . _ - between them"})
]
Folder = Annotated[str, Meta(extra_json_schema=_HTTP, extra={"check": folder_address})]
FolderOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(folder_address)})]
RootOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(root_address)})]
PageOrEmpty = Annotated[str, Meta(extra_json_schema=_HTTP_OR_EMPTY, extra={"check": _or_empty(page_address)})]
Credential = Annotated[Secret, Meta(extra={"check": checked_reference})]


def _nothing() -> Secret:
    return Secret("")


class IndexTable(Table, frozen=True, kw_only=True):
    """The index to release to."""

    name: Annotated[Label, Meta(description="Name in messages.")] = "pypi"
    upload: Annotated[Folder, Meta(description="URL for uploads (the legacy upload API).")]
    simple: Annotated[Folder, Meta(description="Root of the simple index (PEP 503, PEP 691).")]
    json: Annotated[
        FolderOrEmpty,
        Meta(description="Root of the JSON API, which has `PROJECT/VERSION/json` below it. Empty: there is none."),
    ] = ""
    page: Annotated[
        PageOrEmpty,
        Meta(description="Web page of a release, with `{project}` and `{version}` in it. Empty: the simple page."),
    ] = ""
    username: Annotated[str, Meta(description="User name for uploads.", extra={"check": checked_username})] = (
        TOKEN_USERNAME
    )
    password: Annotated[
        Credential,
        Meta(description="Password or token: `env:NAME`, `file:PATH`, `keyring:SERVICE`, or the value itself."),
    ] = msgspec.field(default_factory=_nothing)
    platforms: Annotated[
        Literal["public", "lenient", "any"],
        Meta(
            description="Platforms of the wheels that it accepts: those that PyPI accepts, or any, such as"
            " `linux_x86_64`. `lenient` accepts any, too, and warns about those that PyPI refuses."
        ),
    ] = "public"
    trusted_publishing: Annotated[
        Literal["", "auto", "always", "never"],
        Meta(description="Whether to use trusted publishing. Empty: as in the project's settings."),
    ] = ""


class StagingTable(IndexTable, frozen=True, kw_only=True):
    """The index to upload to first. Omit the table if there is none."""

    name: Annotated[Label, Meta(description="Name in messages.")] = "testpypi"


class DependenciesTable(Table, frozen=True, kw_only=True):
    """Where dependencies come from, since the other indexes of a world seldom hold them."""

    simple: Annotated[
        FolderOrEmpty, Meta(description="Root of a simple index. Empty: the installer's own configuration.")
    ] = ""


class ForgeTable(Table, frozen=True, kw_only=True):
    """GitHub or GitHub Enterprise."""

    api: Annotated[RootOrEmpty, Meta(description="Root of the API. Empty: that of github.com.")] = ""
    uploads: Annotated[RootOrEmpty, Meta(description="Root for uploads of assets. Empty: derived from `api`.")] = ""
    site: Annotated[RootOrEmpty, Meta(description="Root of the web site. Empty: derived from `api`.")] = ""
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
        Meta(description="Token, written like `password`. Empty: `GITHUB_TOKEN` or `GH_TOKEN`, if `api` is empty too."),
    ] = msgspec.field(default_factory=_nothing)
    trust: Annotated[
        str,
        Meta(
            description="File with a trusted root of Sigstore: the keys that sign what the forge says of immutable"
            " releases. Relative to the world file, or to your home with `~/`. Empty: none is trusted.",
            extra={"check": _or_empty(printable_path)},
        ),
    ] = ""


class RegistryTable(Table, frozen=True, kw_only=True):
    """A container registry that is elsewhere in this world or needs its own login; one table each."""

    host: Annotated[
        str,
        Meta(
            pattern=HOST,
            description="Registry, as in the names of its images: `ghcr.io`.",
            extra={"words": "a host in lowercase, with its port if it has one"},
        ),
    ]
    address: Annotated[RootOrEmpty, Meta(description="URL in this world. Empty: `https://` and the host.")] = ""
    username: Annotated[str, Meta(description="User name for pushes.", extra={"check": checked_username})] = ""
    password: Annotated[Credential, Meta(description="Password or token, written like that of the index.")] = (
        msgspec.field(default_factory=_nothing)
    )


class SigningTable(Table, frozen=True, kw_only=True):
    """The Sigstore instance to sign with. Without this table nothing is signed."""

    trust: Annotated[
        str,
        Meta(
            description="File with a client trust config of Sigstore: its addresses and trusted keys. Relative to the"
            " world file, or to your home with `~/`. Empty: the public instance.",
            extra={"check": _or_empty(printable_path)},
        ),
    ] = ""
    identity: Annotated[
        str,
        Meta(
            description="URL that gives ID tokens, as GitHub's does; `{tag}` in it stands for the tag that is released."
            " Empty: the identity of the CI job.",
            extra_json_schema=_HTTP_OR_EMPTY,
            extra={"check": _or_empty(issuer_address)},
        ),
    ] = ""
    token: Annotated[
        Credential, Meta(description="Token for requests to `identity`, written like the password of the index.")
    ] = msgspec.field(default_factory=_nothing)


class ScanningTable(Table, frozen=True, kw_only=True):
    """The service to ask for known vulnerabilities. Without this table none is asked, and nothing is sent."""

    service: Annotated[
        RootOrEmpty,
        Meta(description="Root of a service with the API of OSV, without `/v1`. Empty: the public one, osv.dev."),
    ] = ""


class SpaceTable(Table, frozen=True, kw_only=True):
    """The hub of Spaces. Without this table none is deployed."""

    address: Annotated[RootOrEmpty, Meta(description="Root of its API. Empty: the public hub.")] = ""
    token: Annotated[
        Credential, Meta(description="Token, written like the password of the index. Empty: `HF_TOKEN`.")
    ] = msgspec.field(default_factory=_nothing)


class ReadTheDocsTable(Table, frozen=True, kw_only=True):
    """Read the Docs. Without this table no build is started there."""

    address: Annotated[RootOrEmpty, Meta(description="Root of its API. Empty: the public service.")] = ""
    token: Annotated[
        Credential, Meta(description="Token, written like the password of the index. Empty: `READTHEDOCS_TOKEN`.")
    ] = msgspec.field(default_factory=_nothing)


class ProxyTable(Table, frozen=True, kw_only=True):
    """The HAProxy in front of the service of that name; one table each. A service without one is not deployed."""

    socket: Annotated[
        str,
        Meta(
            description="Its runtime socket, with the level `admin`. Relative to the world file.",
            examples=["haproxy/admin.sock"],
            extra={"check": printable_path},
        ),
    ]
    state: Annotated[
        str,
        Meta(
            description="The file of its `server-state-file`, written after each change. Empty: none is written.",
            extra={"check": _or_empty(printable_path)},
        ),
    ] = ""
    address: Annotated[
        RootOrEmpty, Meta(description="URL at which users reach the service. Empty: it is not shown.")
    ] = ""


class AnnounceTable(Table, frozen=True, kw_only=True):
    """Where messages go. Without this table none is sent."""

    targets: Annotated[
        dict[Label, Credential],
        Meta(
            description="The address of each target in the settings, written like the password of the index.",
            extra={"words": "a table of names, each with the reference of an address"},
        ),
    ] = msgspec.field(default_factory=dict)
    catcher: Annotated[
        RootOrEmpty,
        Meta(
            description="Root of a server in place of Slack (`/slack`) and Discord (`/discord`), as in a local"
            " world. Empty: the real ones."
        ),
    ] = ""


class GitTable(Table, frozen=True, kw_only=True):
    """The git remote of the release."""

    remote: Annotated[
        str, Meta(description="Name of a remote, absolute path, or URL.", extra={"check": git_remote})
    ] = "origin"


class WorldTable(Table, frozen=True, kw_only=True):
    """The surfaces that a run talks to."""

    name: Annotated[
        str,
        Meta(
            pattern=TITLE,
            description="Name of this world in messages.",
            extra={"words": "a short name: letters, digits, and spaces . _ - between them"},
        ),
    ]
    rehearsal: Annotated[
        bool,
        Meta(description="Whether this world is a throw-away one. Allowed only if every URL is a loopback address."),
    ] = False
    patience: Annotated[
        Annotated[float, Meta(ge=0.1, le=86_400)] | None,
        Meta(
            description="The most seconds to wait for a server: for an answer, for all tries of a request, or until it"
            " shows what it was sent. A program that talks to one, such as `git` or `uv`, has 30 more."
            " Absent: each wait has its own limit.",
        ),
    ] = None
    index: IndexTable
    staging: StagingTable | None = None
    dependencies: DependenciesTable = msgspec.field(default_factory=DependenciesTable)
    forge: ForgeTable = msgspec.field(default_factory=ForgeTable)
    registry: tuple[RegistryTable, ...] = ()
    signing: SigningTable | None = None
    scanning: ScanningTable | None = None
    space: SpaceTable | None = None
    readthedocs: ReadTheDocsTable | None = None
    proxy: dict[Label, ProxyTable] = msgspec.field(default_factory=dict)
    announce: AnnounceTable | None = None
    git: GitTable = msgspec.field(default_factory=GitTable)
