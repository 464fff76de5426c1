"""The table ``space``: the demo of a release, a Space on a hub."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from unmoor.config.addresses import REPOSITORY
from unmoor.config.amounts import Duration
from unmoor.config.checks import FilePattern
from unmoor.config.table import Table


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
        tuple[FilePattern, ...],
        Meta(
            min_length=1,
            description="Files of the project that the Space gets, each a pattern of paths.",
            examples=[["app.py", "README.md", "assets/**"]],
        ),
    ]
    critical: Annotated[
        tuple[FilePattern, ...],
        Meta(
            description="Those that it cannot do without: a fault in one stops the release. Any other is left out.",
            examples=[["app.py", "README.md"]],
        ),
    ] = ()
    prune: Annotated[
        tuple[FilePattern, ...],
        Meta(description="Files of the Space that are deleted if the release does not have them."),
    ] = ()
    wait: Annotated[Duration, Meta(description="How long it may take until it runs.")] = "10m"
    policy: Annotated[
        Literal["required", "advisory"],
        Meta(description="Whether a failure to deploy it fails the release, or is a warning."),
    ] = "required"
