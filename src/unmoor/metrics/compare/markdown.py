"""The report of a comparison as Markdown, for a comment on a pull request and for the summary of a job.

Names and reasons come from the project's code, which may be that of a stranger: they are shown as code, in which
nothing is a link, a picture, HTML, or a mention that notifies somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from unmoor.metrics.compare.report import BenchReport, ComparedBenchmark, Unit, Verdict
from unmoor.util.text import clean, count_of, duration

LONGEST: Final = 60_000
"""The most characters of a text. GitHub takes 65,536."""
_SPARE: Final = 600
"""Kept for the heads of tables and for what says how many rows are missing."""
_NAME: Final = 120
_WHY: Final = 300
_MOST_DEPENDENCIES: Final = 50
_SCALES: Final[dict[Unit, tuple[tuple[float, str], ...]]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}
_SYMBOLS: Final[dict[Verdict, str]] = {"slower": "❌ slower", "failed": "❌ failed", "faster": "✅ faster"}


def report_markdown(report: BenchReport) -> str:
    """The report as GitHub Markdown: the verdicts first, then what was measured, at most `LONGEST` characters."""
    parts = [f"## Benchmarks: {_headline(report)}\n\n", *_sides(report)]
    shown = [each for each in report.sorted if each.verdict != "same"]
    end = _end(report)
    room = LONGEST - sum(map(len, parts)) - sum(map(len, end)) - _SPARE
    for title, rows in (("", shown), ("Unchanged", list(report.of("same")))):
        table = list(_table(rows, room)) if rows else []
        room -= sum(map(len, table))
        is_folded = title and table
        parts += [f"<details><summary>{title}: {len(rows)}</summary>\n\n"] if is_folded else []
        parts += table
        parts += ["</details>\n\n"] if is_folded else []
    return "".join((*parts, *end))


def _headline(report: BenchReport) -> str:
    counted = [(verdict, len(report.of(verdict))) for verdict in ("slower", "failed", "faster", "noise", "new", "gone")]
    said = [f"{count} {verdict}" for verdict, count in counted if count]
    return ", ".join(said) or "nothing is slower"


def _sides(report: BenchReport) -> Iterator[str]:
    yield (
        f"{_code(report.head.commit[:12], _NAME)} against {_code(report.base.commit[:12], _NAME)}"
        f" ({_code(report.against, _NAME)}); a slow-down of {report.threshold:.1%} fails.\n\n"
    )


def _end(report: BenchReport) -> list[str]:
    changed = [
        f"{_code(each.name, _NAME)} {_code(each.base or 'none', 40)} → {_code(each.head or 'none', 40)}"
        for each in report.dependencies[:_MOST_DEPENDENCIES]
    ]
    left = len(report.dependencies) - len(changed)
    more = f" and {left} more" if left else ""
    changes = [f"Other versions of dependencies: {', '.join(changed)}{more}.\n\n"] if changed else []
    machine = f"{_code(report.machine, _WHY)}, Python {_code(report.python, 40)}, {duration(report.seconds)}"
    return [*changes, f"<sub>Measured side by side: {machine}. {_code(report.tool, 60)}</sub>\n"]


def _table(rows: Sequence[ComparedBenchmark], room: int) -> Iterator[str]:
    """Yield the lines of a table, and how many do not fit into as many characters."""
    yield "| benchmark | verdict | base | head | change | rounds | |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    for number, each in enumerate(rows):
        line = f"| {' | '.join(_cells(each))} |\n"
        room -= len(line)
        if room < 0:
            yield f"\n{count_of(len(rows) - number, 'benchmark')} more in the report of the run.\n\n"
            return
        yield line
    yield "\n"


def _cells(each: ComparedBenchmark) -> tuple[str, ...]:
    change = f"{each.change:+.1%}" if each.change is not None else ""
    chance = f"p = {each.p:.2g}" if each.p is not None and each.verdict == "slower" else ""
    shows = f"would show {each.shows:.1%}" if each.shows is not None and each.verdict == "noise" else ""
    why = _code(each.why, _WHY) if each.why else ""
    return (
        _code(each.name, _NAME),
        _SYMBOLS.get(each.verdict, each.verdict),
        amount(each.base, each.unit),
        amount(each.head, each.unit),
        change,
        str(each.rounds) if each.rounds else "",
        ", ".join(filter(None, (chance, shows, why))),
    )


def amount(value: float | None, unit: Unit) -> str:
    """A measured value with a unit that leaves few digits.

    >>> amount(0.01234, "s"), amount(2_500_000, "bytes"), amount(None, "s")
    ('12.3 ms', '2.5 MB', '')
    """
    if value is None:
        return ""
    scales = _SCALES[unit]
    factor, name = next((each for each in scales if abs(value) >= each[0]), scales[-1])
    return f"{value / factor:.3g} {name}"


def _code(text: str, limit: int) -> str:
    """Untrusted text as code in a cell of a table, where only a backtick ends it, and a bar the cell."""
    plain = clean(text, limit).replace("`", "'").replace("|", "¦").strip() or "?"
    return f"`{plain}`"
