"""What this machine has, and the limit of a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.systems import linux

from unmoor.adapters.process import capacity


def test_this_machine(tmp_path: Path) -> None:
    """Every number is there, and what is available is a part of the whole."""
    assert capacity.processors() > 0
    found = capacity.memory()
    assert 0 < found.available <= found.total
    assert dict(capacity.disks(os.environ, tmp_path))[str(tmp_path)]


@linux
@pytest.mark.parametrize(
    ("most", "used", "expected"),
    [
        ("1000", "400", (1000, 600)),
        ("1000", "1400", (1000, 0)),
        ("max", "400", (2000, 700)),
        ("9000", "1", (2000, 700)),
    ],
    ids=["limited", "over", "unlimited", "larger"],
)
def test_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, used: str, expected: tuple[int, int]
) -> None:
    """The limit of a control group counts if it is smaller than the machine."""
    (tmp_path / "memory.max").write_text(most)
    (tmp_path / "memory.current").write_text(used)
    monkeypatch.setattr(capacity, "_CONTAINER", tmp_path)
    found = capacity._limited(capacity.Memory(total=2000, available=700))
    assert (found.total, found.available) == expected
