"""What an engine says of a container is read, whatever its form."""

from __future__ import annotations

import pytest

from unmoor.ports.service_host import ServiceContainer, ServiceLabels

LABELS = ServiceLabels(project="o/n", service="web", slot="blue", digest="", tag="v1.0")


@pytest.mark.parametrize(
    ("started", "since"),
    [
        ("2026-11-29T19:00:00.123456789Z", 1_795_978_800),
        ("2026-11-29T20:00:00+01:00", 1_795_978_800),
        ("0001-01-01T00:00:00Z", 0),
        ("2026-11-29T19:00:00", 0),
        ("", 0),
        ("yesterday", 0),
    ],
    ids=["docker", "podman", "never", "no zone", "empty", "words"],
)
def test_when_it_was_started(started: str, since: int) -> None:
    """The moment counts if it names its zone; else it is unknown."""
    container = ServiceContainer(id="1", name="web", labels=LABELS, status="running", started=started)
    assert container.since == since
