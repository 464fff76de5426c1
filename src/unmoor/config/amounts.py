"""Amounts with a unit that settings hold as text: times such as `10m` or `10 min`, shares such as `1%`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

_DURATION: Final = r"^[1-9][0-9]{0,5} ?(ms|s|m|min|h)$(?!\n)"
_SHARE: Final = r"^(100|[0-9]{1,2}(\.[0-9]{1,3})?)%$(?!\n)"
_SECONDS: Final = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "min": Decimal(60), "h": Decimal(3600)}
_LONGEST: Final = 86_400.0


def seconds_of(text: str) -> float:
    """The seconds of a time such as ``500ms``, ``300s``, ``10m`` or ``1h``. Raises ``ValueError`` for other text."""
    if not re.fullmatch(_DURATION, text):
        raise ValueError("expected a time such as 500ms, 300s, 10m or 1h")
    unit = text.lstrip("0123456789 ")
    return float(Decimal(text.removesuffix(unit).rstrip()) * _SECONDS[unit])


def share_of(text: str) -> float:
    """The share, from 0 to 1, of a percentage such as ``1%`` or ``0.5%``. Raises ``ValueError`` for other text."""
    if not re.fullmatch(_SHARE, text):
        raise ValueError("expected a percentage such as 1% or 0.5%")
    return float(Decimal(text.removesuffix("%")) / 100)


def _at_most_a_day(text: str) -> str:
    if seconds_of(text) > _LONGEST:
        raise ValueError("expected at most 24h")
    return text


Duration: TypeAlias = Annotated[
    str, Meta(pattern=_DURATION, extra={"words": "a time such as 500ms, 300s, 10m or 1h", "check": _at_most_a_day})
]
Share: TypeAlias = Annotated[str, Meta(pattern=_SHARE, extra={"words": "a percentage such as 1% or 0.5%"})]
