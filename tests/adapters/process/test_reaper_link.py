"""The reaper learns what there is to end, once for each change."""

from __future__ import annotations

import io
import subprocess
from unittest.mock import Mock

import pytest

from unmoor.adapters.process.reaper_link import ReaperLink


@pytest.mark.parametrize(
    ("calls", "lines"),
    [
        ("add 7, forget 7", "+7 -7"),
        ("add 7, add 8, forget 7", "+7 +8 -7"),
        ("add 7, add 7, forget 7", "+7 +7"),
        ("add 7, add 7, forget 7, forget 7", "+7 +7 -7"),
    ],
    ids=["a program", "one of two", "its group has an orphan, too", "both have ended"],
)
def test_groups(calls: str, lines: str) -> None:
    """The group of a program may be that of an orphan as well: it stays listed until both have ended."""
    link = ReaperLink("A=1", lambda: None, lambda _process: None)
    stdin = io.BytesIO()
    link.process = Mock(spec=subprocess.Popen, stdin=stdin)
    for call in calls.split(", "):
        name, number = call.split()
        getattr(link, name)(int(number))
    assert stdin.getvalue().decode().split() == lines.split()
