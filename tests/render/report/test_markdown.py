"""The forms of a report as Markdown: short and whole. Text from outside stays text in both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt
from tests.support import release_reports

from unmoor.render.markdown import block, link
from unmoor.render.report.markdown import markdown
from unmoor.render.report.model import ReleaseReport, ReportPart
from unmoor.render.report.summary import summary

REPORTS = {
    "ordinary": release_reports.ordinary_report,
    "little": release_reports.little_known_report,
    "failed": release_reports.failed_report,
    "hostile": release_reports.hostile_report,
    "large": release_reports.large_report,
}
EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)


def tags_of(text: str) -> set[str]:
    """Return the tags of HTML that Markdown makes of a text, and ``raw`` if HTML of the text itself is left."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    every = [*tokens, *(child for token in tokens for child in token.children or ())]
    return {
        "raw" if token.type in {"html_block", "html_inline"} else token.tag for token in every if token.type != "text"
    }


@EVERY
@pytest.mark.parametrize("form", [summary, markdown], ids=["short", "whole"])
def test_text_from_outside_stays_text(make: Callable[[], ReleaseReport], form: Callable[[ReleaseReport], str]) -> None:
    """No HTML, no picture and no escape of a terminal comes out, and the only links are addresses of our own."""
    text = form(make())
    assert not {"raw", "img", "script"} & tags_of(text)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "javascript:" not in "".join(part.split(">")[0] for part in text.split("<")[1:])


@EVERY
def test_the_whole_form_has_every_part(make: Callable[[], ReleaseReport]) -> None:
    """Each part is there, and one of which nothing is known says so."""
    report = make()
    text = markdown(report)
    for part in ReportPart:
        assert f"\n### {part.capitalize()}\n" in text
    assert text.count("| not known | why |") == len({each.part for each in report.unknown})


def test_the_short_form_says_how_it_stands() -> None:
    """Status, address, time and counts, as the summary of a job has them."""
    ordinary = release_reports.ordinary_report()
    rows = dict(line.strip("| ").split(" | ", 1) for line in summary(ordinary).splitlines()[4:-1])
    assert rows["status"].replace("\\", "") == ordinary.summary
    assert rows["release"] == "<https://github.com/acme/lighthouse/releases/tag/v1.2.0>"
    assert rows["time"] == "37.5 s"
    assert rows["stages"] == "6 done, 1 already there, 1 skipped"
    assert rows["images"].startswith("2 images for 3 platforms")


def test_what_is_not_known_is_in_the_short_form() -> None:
    """It names the parts."""
    text = summary(release_reports.little_known_report())
    assert "| time | not known |" in text
    assert "what is where, timeline" in text


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://h.example/a/b?c=d", "https://h.example/a/b?c=d"),
        ("https://h.example/a", "<https://h.example/a>"),
        ("javascript:alert(1)", "javascript:alert\\(1\\)"),
        ("https://h.example/> <script>", None),
    ],
    ids=["query", "web", "script", "breakout"],
)
def test_only_plain_addresses_are_links(address: str, written: str | None) -> None:
    """Whatever else it is stays text."""
    shown = link(address)
    assert "raw" not in tags_of(shown)
    assert written is None or shown.replace("\\", "") == written.replace("\\", "")


def test_a_block_ends_where_it_should() -> None:
    """Notes with fences of their own do not end the block that shows them."""
    text = block("a\n````\n<b>\x1b[0m", "markdown")
    assert text.splitlines()[0] == "`````markdown"
    assert tags_of(text) == {"code"}
    assert "\x1b" not in text
