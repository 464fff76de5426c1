"""The report as Markdown, with names that a stranger chose."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from tests.support.bench_reports import SAME, SLOWER, bench_report

from unmoor.metrics.compare.markdown import LONGEST, amount, report_markdown
from unmoor.metrics.compare.report import Unit
from unmoor.util.values import replace


def test_the_verdicts_come_first() -> None:
    """The headline counts them, what is unchanged is folded away, and other versions of dependencies are named."""
    text = report_markdown(bench_report())
    assert text.startswith("## Benchmarks: 1 slower\n")
    assert "| `bench.py::test_slow` | ❌ slower | 100 ms | 112 ms | +12.0% | 60 | p = 0.0004 |" in text
    assert text.index("test_slow") < text.index("<summary>Unchanged: 1</summary>") < text.index("test_same")
    assert "`attrs` `24.1` → `25.1`" in text
    assert "nothing is slower" in report_markdown(bench_report(SAME))


def test_noise_says_what_it_would_have_shown() -> None:
    """With the reason, if there is one."""
    noise = replace(SAME, verdict="noise", shows=0.08, why="the machine is busy")
    assert "would show 8.0%, `the machine is busy`" in report_markdown(bench_report(noise))


@pytest.mark.parametrize(
    "name",
    [
        "x` | <img src=x onerror=alert(1)> ![p](https://evil.example/p.png) `",
        "@everyone #1 https://evil.example www.evil.example [a](javascript:b)",
        "a\n## heading\n```\n| b\\| c |",
        "``` </details> <!-- -->",
        "\x1b[31m\u202e\u200b",
        "\\",
        "",
    ],
    ids=["html", "mention", "lines", "fence", "invisible", "backslash", "empty"],
)
def test_names_are_nothing_but_code(name: str) -> None:
    """No name adds a link, a picture, HTML, a row or a cell: each is one span of code in its cell."""
    slow = replace(SLOWER, name=name, why=name)
    text = report_markdown(bench_report(slow, against=name or "x", machine=name or "x", tool=name or "x"))
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inner} <= {"text", "code_inline", "html_inline", "softbreak"}
    assert {child.content for child in inner if child.type == "html_inline"} <= {"<sub>", "</sub>"}
    assert not any(token.type == "html_block" for token in tokens)
    plain = "".join(child.content for child in inner if child.type == "text")
    assert not any(word in plain for word in ("@", "evil", "heading", "alert"))
    assert sum(token.type == "tr_open" for token in tokens) == 2
    assert sum(token.type == "td_open" for token in tokens) == 7


def test_a_long_report_ends_with_a_count() -> None:
    """A comment of GitHub has a limit, and what does not fit is counted."""
    many = [replace(SLOWER, name=f"{number:04}" + "x" * 200, why="y" * 2000) for number in range(2000)]
    text = report_markdown(bench_report(*many, *(replace(SAME, name=each.name) for each in many)))
    assert len(text) <= LONGEST
    assert "benchmarks more in the report of the run" in text
    assert text.endswith("</sub>\n")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(2.0, "s", "2 s"), (0.0, "s", "0 ns"), (1.5e-7, "s", "150 ns"), (999.0, "bytes", "999 B"), (3e9, "bytes", "3 GB")],
)
def test_amounts(value: float, unit: Unit, said: str) -> None:
    """Three digits, and the unit that fits."""
    assert amount(value, unit) == said
