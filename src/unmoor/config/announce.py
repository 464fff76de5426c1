"""The table ``announce``: who hears of a release."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from unmoor.config.addresses import LABEL
from unmoor.config.images import Variable
from unmoor.config.table import Table

TargetName = Annotated[
    str, Meta(pattern=LABEL, extra={"words": "a short name: lowercase letters, digits, and . _ - between them"})
]


def _targets(value: dict[str, str]) -> dict[str, str]:
    """Check that there is somebody to tell. Raises ``ValueError``."""
    if not value:
        raise ValueError('expected at least one target, such as { chat = "CHAT_URL" }')
    return value


class AnnounceSettings(Table, frozen=True, kw_only=True):
    """The announcement of each release. Without this table none is sent. A failure is always a warning."""

    targets: Annotated[
        dict[TargetName, Variable],
        Meta(
            description="Who hears of it: names for messages, each with the environment variable that holds its"
            " address in the notation of apprise.",
            examples=[{"chat": "CHAT_URL", "mail": "MAIL_URL"}],
            max_length=10,
            extra={"words": "a table of names, each with the name of an environment variable", "check": _targets},
        ),
    ]
    on: Annotated[
        tuple[Literal["released", "failed"], ...],
        Meta(min_length=1, max_length=2, description="What is announced: `released`, `failed` or both."),
    ] = ("released",)
