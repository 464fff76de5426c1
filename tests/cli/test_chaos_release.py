"""How long rounds of chaos wait for a server that says nothing."""

from __future__ import annotations

import pytest

from unmoor.cli.chaos_release import patience_after


@pytest.mark.parametrize(
    ("plain", "patience"),
    [(0.4, 2.0), (2.5, 2.5), (9.0, 9.0), (12.0, 10.0), (40.0, 10.0), (44.0, 11.0), (200.0, 50.0)],
)
def test_a_busy_machine_is_no_silent_server(plain: float, patience: float) -> None:
    """A slow release has slow parts, such as the push of an image; a quick one does not wait long for nothing."""
    assert patience_after(plain) == patience
