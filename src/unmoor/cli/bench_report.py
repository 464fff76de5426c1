"""Print the verdicts of a comparison as a table."""

from __future__ import annotations

from collections import Counter

import click

from unmoor.cli import output
from unmoor.metrics.compare.report import ORDER, BenchReport, ComparedBenchmark, Unit
from unmoor.util.text import clean, count_of, duration, size

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))
_HEADS = ("verdict", "benchmark", "base", "head", "change", "rounds", "")
_LONGEST = 160


def print_table(report: BenchReport) -> None:
    """Print every benchmark on stdout, those that matter first, and the counts on stderr."""
    for line in output.align_columns(_HEADS, [_row(each) for each in report.sorted]):
        click.echo(line)
    counts = Counter(each.verdict for each in report.benchmarks)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict])
    output.err(
        f"{count_of(len(report.benchmarks), 'benchmark')}: {parts or 'none'};"
        f" threshold {percent(report.threshold)}, {duration(report.seconds)}"
    )


def _row(each: ComparedBenchmark) -> tuple[str, ...]:
    rounds = str(each.rounds) if each.rounds else "-"
    return (
        each.verdict,
        clean(each.name, 100),
        figure(each.base, each.unit),
        figure(each.head, each.unit),
        "-" if each.change is None else f"{each.change * 100:+.1f} %",
        f"{rounds} ({each.fresh} fresh)" if each.fresh else rounds,
        clean(_remark(each), _LONGEST),
    )


def _remark(each: ComparedBenchmark) -> str:
    """What explains the verdict: for noise the smallest slow-down that would have been found."""
    shows = f"would have shown {percent(each.shows)}" if each.verdict == "noise" and each.shows is not None else ""
    return "; ".join(filter(None, (each.why, shows)))


def figure(value: float | None, unit: Unit) -> str:
    """A time or a size with its unit, with three digits.

    >>> figure(0.01234, "s"), figure(12_340_000.0, "bytes"), figure(None, "s")
    ('12.3 ms', '12.3 MB', '-')
    """
    if value is None:
        return "-"
    if unit == "bytes":
        return size(int(value))
    factor, name = next((limit, name) for limit, name in _UNITS if value >= limit)
    return f"{value / (factor or 1e-9):.3g} {name}"


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.05), percent(0.0789)
    ('5 %', '7.9 %')
    """
    return f"{share * 100:.2g} %"
