"""GitHub Actions: annotations, the job summary, and the outputs that later jobs read.

Sources: GitHub's pages "Workflow commands for GitHub Actions" and "Job summaries".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmoor.core.events import Event, Report, RunEnded, StageEnded, StageWarned
from unmoor.core.outcome import Failed
from unmoor.errors import BuildFailed
from unmoor.products import Proof, Verified
from unmoor.render import words
from unmoor.util.text import clean


def annotation(level: str, title: str, message: str, *, file: str = "", line: int = 0) -> str:
    """Write one workflow command, at a file and line where they are known; what it may not hold is escaped."""
    place = f"file={_escape(file, more=True)},line={max(line, 1)}," if file else ""
    return f"::{level} {place}title={_escape(title, more=True)}::{_escape(message)}"


def _escape(text: str, *, more: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if more else [])]
    for old, new in pairs:
        text = text.replace(old, new)
    return text


@dataclass
class Annotations:
    """Hears events and writes annotations, which GitHub shows on the run's page."""

    write: Callable[[str], object]

    def __call__(self, event: Event) -> None:
        """Annotate failures and warnings."""
        match event:
            case StageWarned():
                self.write(annotation("warning", event.stage, clean(event.text, limit=2000)))
            case StageEnded(outcome=Failed(error)):
                told = clean(f"{error}. Next: {words.next_step(error)}", limit=3000)
                file, line = (error.file, error.line) if isinstance(error, BuildFailed) else ("", 0)
                self.write(annotation("error", event.stage, told, file=file, line=line))
            case _:
                pass


@dataclass
class Summary:
    """Writes the job summary at the end of the run: a table of stages, proofs, and what is where."""

    path: Path

    def __call__(self, event: Event) -> None:
        """Append to the summary file."""
        if isinstance(event, RunEnded):
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(summary(event.report))


def _cell(text: str) -> str:
    return clean(text, limit=500).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines) + "\n"


def summary(report: Report) -> str:
    """The summary as GitHub Markdown."""
    rows = [
        (each.info.name, words.state(each.outcome), f"{each.seconds:.1f} s", words.text(each.outcome))
        for each in report.stages
        if each.outcome is not None
    ]
    parts = ["## unmoor\n\n", _table(("stage", "state", "time", "what"), rows)]
    for each in report.stages:
        product = report.product(each.info.name)
        if isinstance(product, Proof):
            parts.append(f"### {each.info.name}\n\n")
            parts.append(
                _table(("tested", "verdict", "detail"), [(r.name, r.verdict, r.detail) for r in product.results])
            )
            parts.append(_table(("file", "sha256"), [(s.name, s.sha256) for s in product.subjects]))
        if isinstance(product, Verified):
            parts.append("### What is where\n\n")
            held = [(h.surface, h.what, h.digest, h.pending) for h in product.held]
            parts.append(_table(("surface", "what", "digest", "pending"), held))
    parts.extend(
        f"> **{each.info.name} failed.** Next: {_cell(words.next_step(each.outcome.error))}\n\n"
        for each in words.failures(report)
        if isinstance(each.outcome, Failed)
    )
    return "".join(parts)


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append step outputs. Values are one line each: what could break out of its line is refused by `clean`."""
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={clean(value)}\n" for name, value in values.items())
