"""How judgements and reports write shares, times and names."""

from __future__ import annotations

from pathlib import PurePosixPath

from unmoor.util.text import size


def job_name(workflow: str, name: str) -> str:
    """A job, or a workflow if the name is empty, in messages."""
    file = PurePosixPath(workflow).name
    return f"{file}: {name}" if name else file


def percent(share: float) -> str:
    """Write a share as a percentage, such as ``97.5 %``."""
    return f"{share * 100:.1f} %"


def time_text(seconds: float) -> str:
    """Write a time, such as ``0.12 s``, ``42 s`` or ``14 min 5 s``.

    >>> time_text(0.1234), time_text(42), time_text(845.2)
    ('0.123 s', '42 s', '14 min 5 s')
    """
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def amount(value: float, unit: str) -> str:
    """Write a measured value with its unit."""
    return size(int(value)) if unit == "bytes" else time_text(value)
