"""What the settings accept."""

from __future__ import annotations

import pytest
from tests.publish.drift.test_notice import found

from unmoor.config.watch import WatchIgnore
from unmoor.publish.drift.ignore import accept, in_vain

YANKED = found("v1.0", "yanked")


@pytest.mark.parametrize(
    ("tag", "finding", "is_accepted"),
    [
        ("v1.0", "yanked", True),
        ("v1.*", "yanked", True),
        ("*", "yanked", True),
        ("v1", "yanked", False),
        ("v1.0", "stopped", False),
    ],
    ids=["same", "pattern", "all", "other tag", "other finding"],
)
def test_tag_and_finding_have_to_fit(tag: str, finding: str, *, is_accepted: bool) -> None:
    """What is accepted is kept, with the reason."""
    rule = WatchIgnore(tag=tag, finding=finding, reason="known")  # type: ignore[arg-type]  # a table of texts
    counting, accepted = accept([YANKED], [rule])
    assert [each.reason for each in accepted] == ["known"] * is_accepted
    assert len(counting) == 1 - is_accepted


def test_a_finding_about_the_project_has_no_tag() -> None:
    """Only ``*`` fits it."""
    rule = WatchIgnore(tag="*", finding="project-archived", reason="done")
    assert accept([found("", "project-archived")], [rule])[0] == ()


def test_a_line_that_accepts_nothing_is_named_if_its_tag_was_looked_at() -> None:
    """A run looks at some tags only, so other lines may still be needed."""
    rules = [WatchIgnore(tag=tag, finding="yanked", reason="known") for tag in ("v1.0", "v1.1", "v2.0")]
    _, accepted = accept([YANKED], rules)
    assert list(in_vain(rules, accepted, tags=["v1.0", "v1.1"])) == [
        "watch-ignore: v1.1 has no finding yanked: remove the line"
    ]
