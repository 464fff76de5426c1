"""The table ``watch-ignore``: findings of ``unmoor watch`` that somebody has accepted."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from unmoor.config.table import Table
from unmoor.products.drift import FindingId

_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"


class WatchIgnore(Table, frozen=True, kw_only=True):
    """A finding that is known and accepted."""

    tag: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=200,
            description="The tag, in which `*` stands for anything. A finding about the project has no tag: `*`.",
            examples=["v1.2.3", "v0.*"],
            extra={"words": "a tag, in which * stands for anything"},
        ),
    ]
    finding: Annotated[FindingId, Meta(description="The id of the finding.", examples=["yanked"])]
    reason: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=1000,
            description="Why it is accepted.",
            extra={"words": "a reason, on one line"},
        ),
    ]
