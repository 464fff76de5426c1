"""The day of a scan, apart from what scans: a plan needs only this."""

from __future__ import annotations

from datetime import UTC, date, datetime


def today() -> date:
    """Return the date by which ignored findings end."""
    return datetime.now(UTC).date()
