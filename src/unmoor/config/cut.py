"""The table ``cut``: how `unmoor cut` commits a release."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from unmoor.config.table import Table


class CutSettings(Table, frozen=True, kw_only=True):
    """How a release is committed."""

    after_release: Annotated[
        Literal["nothing", "dev"],
        Meta(
            description="What follows the commit of a release: nothing, or a commit that opens the next version, such"
            " as `1.2.4.dev0` after 1.2.3."
        ),
    ] = "nothing"
    message: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            max_length=500,
            description="Message of the commit of a release, with `{version}` and `{tag}`. Empty: `Release {version}`,"
            " or `chore: release {version}` in a project that is set up for Conventional Commits.",
            examples=["Prepare release {version}"],
            extra={"words": "a message on one line"},
        ),
    ] = ""
