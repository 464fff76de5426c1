"""The table ``space``: the demo of a release, a Space on a hub."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from unmoor.config.addresses import REPOSITORY
from unmoor.config.amounts import Duration
from unmoor.config.table import Table


def _path_pattern(text: str) -> str:
    """Check a pattern of paths. Raises ``ValueError`` for one that leaves the project."""
    if text.startswith("/") or not {"", ".", ".."}.isdisjoint(text.split("/")) or "\\" in text:
        raise ValueError("expected a relative path inside the project, without .. and backslashes")
    return text


PathPattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)",
        max_length=200,
        extra={"words": "a pattern of paths such as app.py, *.css or assets/**", "check": _path_pattern},
    ),
]
"""A pattern of paths: a star stands for anything but a slash, two for any number of folders."""


class SpaceSettings(Table, frozen=True, kw_only=True):
    """The Space of each release. Without this table none is deployed."""

    repo: Annotated[
        str,
        Meta(
            pattern=REPOSITORY,
            description="The Space, as `owner/name`. It must be there.",
            examples=["owner/demo"],
            extra={"words": "owner/name"},
        ),
    ]
    files: Annotated[
        tuple[PathPattern, ...],
        Meta(
            min_length=1,
            description="Files of the project that the Space gets, each a pattern of paths. `*` stands for anything but"
            " a slash, `**` for any number of folders.",
            examples=[["app.py", "README.md", "assets/**"]],
        ),
    ]
    critical: Annotated[
        tuple[PathPattern, ...],
        Meta(
            description="Those that it cannot do without: a fault in one stops the release. Any other is left out.",
            examples=[["app.py", "README.md"]],
        ),
    ] = ()
    prune: Annotated[
        tuple[PathPattern, ...],
        Meta(description="Files of the Space that are deleted if the release does not have them."),
    ] = ()
    wait: Annotated[Duration, Meta(description="How long it may take until it runs.")] = "10m"
    policy: Annotated[
        Literal["required", "advisory"],
        Meta(description="Whether a failure to deploy it fails the release, or is a warning."),
    ] = "required"
