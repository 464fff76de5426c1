"""The text of the one issue about releases that drifted."""

from __future__ import annotations

import pytest

from unmoor.products.drift import AcceptedFinding, DriftFinding, FindingId, NotKnown
from unmoor.products.surface_state import State
from unmoor.publish.drift.notice import MARKER, read_keys, write_notice

HOSTILE = "<img src=x> @all #1 | [x](https://x.org) --> <!--"


def found(tag: str, finding: FindingId, what: str = "is yanked") -> DriftFinding:
    """A finding."""
    return DriftFinding(
        tag=tag,
        finding=finding,
        surface="pypi",
        state=State.INCOMPLETE,
        what=what,
        next_step="do it",
        advice=("unyank",),
    )


def unknown(*tags: str) -> NotKnown:
    """What could not be read."""
    return NotKnown(surface="pypi", why="it answered 403", tags=tags)


YANKED = found("v1.0", "yanked")
OPEN = write_notice([YANKED], [], [], "").body


@pytest.mark.parametrize(
    ("findings", "unread", "accepted", "before", "is_needed"),
    [
        ([], [], [], "", False),
        ([YANKED], [], [], "", True),
        ([], [], [], OPEN, False),
        ([], [unknown("v1.0")], [], OPEN, True),
        ([], [unknown()], [], OPEN, True),
        ([], [unknown("v2.0")], [], OPEN, False),
        ([], [unknown("v1.0")], [], "", False),
        ([], [unknown("v1.0")], [AcceptedFinding(finding=YANKED, reason="known")], OPEN, False),
        ([], [unknown("v1.0")], [], f"{MARKER}\nwhat a person wrote", False),
    ],
    ids=["nothing", "found", "mended", "unknown", "all unknown", "other", "never found", "accepted", "foreign text"],
)
def test_an_issue_is_needed(
    findings: list[DriftFinding],
    unread: list[NotKnown],
    accepted: list[AcceptedFinding],
    before: str,
    *,
    is_needed: bool,
) -> None:
    """As long as something drifted, or what had drifted is unknown: that is no reason to close it."""
    notice = write_notice(findings, unread, accepted, before)
    assert notice.is_needed is is_needed
    assert notice.body.startswith(MARKER)


def test_it_stays_open_for_as_long_as_it_is_unknown() -> None:
    """The next text names what the one before it named."""
    for _ in range(3):
        body = write_notice([], [unknown("v1.0")], [], OPEN).body
        assert read_keys(body) == {("v1.0", "yanked")}
        assert "Found before, now unknown" in body


def test_a_finding_about_the_project_is_named_too() -> None:
    """It has no tag."""
    body = write_notice([found("", "project-archived")], [], [], "").body
    assert read_keys(body) == {("", "project-archived")}
    assert "| (project) | project-archived |" in body


def test_text_from_outside_stays_text() -> None:
    """It mentions nobody, links nowhere and ends no comment."""
    body = write_notice([found("v1.0", "yanked", HOSTILE)], [], [], "").body
    assert "<img" not in body.replace("\\<img", "")
    assert "@all" not in body
    assert "](https://" not in body.replace("\\](https", "")
    assert read_keys(body) == {("v1.0", "yanked")}


def test_a_long_text_fits_into_an_issue() -> None:
    """GitHub takes 65,536 characters."""
    tags = [f"v1.{number}" for number in range(2000)]
    findings = [found(tag, "release-without-files", HOSTILE * 50) for tag in tags]
    notices = write_notice(findings, [unknown(*tags)] * 500, [], "")
    assert len(notices.body) < 65_536
    assert "and 1975 more" in notices.body
