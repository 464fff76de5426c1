"""The table ``scan``: what the built files are scanned for, and which findings are ignored until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from unmoor.config.table import Table

_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$(?!\n)"


class IgnoreSettings(Table, frozen=True, kw_only=True):
    """A finding that is known and does not count until a date."""

    id: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=1000,
            description="Id of an advisory, or one of its aliases; for a secret, the rule and the path of the file, in"
            " which `*` stands for anything.",
            examples=["GHSA-2xpw-w6gg-jr37", "private-key:tests/server.key"],
            extra={"words": "the id of a finding, on one line"},
        ),
    ]
    reason: Annotated[
        str,
        Meta(
            pattern=_LINE,
            max_length=1000,
            description="Why it does not count.",
            extra={"words": "a reason, on one line"},
        ),
    ]
    until: Annotated[
        date,
        Meta(
            description="Last day on which it does not count.",
            examples=["2027-01-31"],
            extra={"words": "a date such as 2027-01-31"},
        ),
    ]


class ScanSettings(Table, frozen=True, kw_only=True):
    """What the built files are scanned for.

    `required`: a finding, or a scan that fails, stops the release before anything is sent. `advisory`: it is a warning.
    """

    vulnerabilities: Annotated[
        Literal["required", "advisory", "off"],
        Meta(description="Known vulnerabilities in what the wheels and images depend on. Asks a public service."),
    ] = "advisory"
    secrets: Annotated[
        Literal["required", "advisory", "off"],
        Meta(description="Secrets in the wheels and sdists, by their content. Reads only the files."),
    ] = "required"
    ignore: Annotated[
        tuple[IgnoreSettings, ...],
        Meta(description="Findings that do not count until a date."),
    ] = ()
