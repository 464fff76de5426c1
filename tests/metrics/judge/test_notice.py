"""The text of the one issue: opened for broken rules, and closed only when all of them hold again."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from unmoor.metrics.judge.model import RuleResult, RuleVerdict
from unmoor.metrics.judge.notice import MARKER, write_notice

BROKEN, UNKNOWN, HOLDS = RuleVerdict.BROKEN, RuleVerdict.UNKNOWN, RuleVerdict.HOLDS


def said(verdict: RuleVerdict, subject: str = "ci.yml: test") -> RuleResult:
    """What one rule says."""
    return RuleResult(rule="budget", subject=subject, verdict=verdict, found="9 min", limit="5 min", why="counted")


OPEN = write_notice([said(BROKEN)], "").body


@pytest.mark.parametrize(
    ("verdict", "before", "is_needed"),
    [
        pytest.param(BROKEN, "", True, id="broken"),
        pytest.param(HOLDS, "", False, id="holds"),
        pytest.param(UNKNOWN, "", False, id="never broken"),
        pytest.param(UNKNOWN, OPEN, True, id="was broken, unknown now"),
        pytest.param(HOLDS, OPEN, False, id="was broken, holds now"),
        pytest.param(UNKNOWN, write_notice([said(UNKNOWN)], OPEN).body, True, id="unknown for long"),
    ],
)
def test_when_an_issue_is_needed(verdict: RuleVerdict, before: str, *, is_needed: bool) -> None:
    """Unknown is no pass: it does not close an issue, and opens none."""
    notice = write_notice([said(verdict)], before)
    assert notice.is_needed is is_needed
    assert notice.body.startswith(MARKER)


def test_unknown_rules_are_listed_apart() -> None:
    """The table of what is broken has no row of them."""
    body = write_notice([said(BROKEN, "a"), said(UNKNOWN, "b"), said(HOLDS, "c")], "").body
    broken, _, unknown = body.partition("### Unknown")
    assert ("| a |" in broken, "| b |" in broken, "| b |" in unknown, "| c |" in body) == (True, False, True, False)


def test_names_from_outside_stay_text() -> None:
    """A job's name makes no link, ends no table and mentions nobody."""
    body = write_notice([said(BROKEN, "<b> [x](http://x) | www.x.org @all #1 -->\n# y")], "").body
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(body.partition("### Broken")[2])
    (cell,) = re.findall("<td>(.*x.org.*)</td>", shown)
    assert cell.replace("\u2060", "") == "&lt;b&gt; [x](http://x) | www.x.org @all #1 --&gt; # y"
    assert not re.search(r"@all|#1|http://|www\.", cell)


def test_a_long_list_ends() -> None:
    """GitHub refuses texts above 65,536 characters."""
    body = write_notice([said(BROKEN, f"job {number} " + "x" * 300) for number in range(2000)], "").body
    assert len(body) < 65_000
    assert "and 1900 more" in body
