"""GitHub Actions: annotations, the job summary, and the outputs for later jobs.

Sources: GitHub's pages "Workflow commands for GitHub Actions" and "Job summaries".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.core.events import Event, Report, StageEnded, StageWarned
from unmoor.core.outcome import Failed
from unmoor.errors import BuildFailed, CheckFailed
from unmoor.products import Proof, Verified
from unmoor.render import words
from unmoor.render.advice import next_step
from unmoor.render.markdown import cell, table
from unmoor.util.text import clean, indented, list_some

if TYPE_CHECKING:
    from unmoor.render.report.model import ReleaseReport

_MOST_LINES = 20


def annotation(level: str, title: str, message: str, *, file: str = "", line: int = 0) -> str:
    """Return a workflow command for an annotation, with the ``file`` and ``line`` if they are known.

    ``level`` is ``error``, ``warning`` or ``notice``. Special characters are escaped.
    """
    position = f"file={_escape(file, is_property=True)},line={max(line, 1)}," if file else ""
    return f"::{level} {position}title={_escape(title, is_property=True)}::{_escape(message)}"


def _escape(text: str, *, is_property: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if is_property else [])]
    for old, new in pairs:
        text = text.replace(old, new)
    return text


@dataclass
class Annotations:
    """A listener that writes annotations, which GitHub shows on the page of the run."""

    write: Callable[[str], object]

    def __call__(self, event: Event) -> None:
        """Write an annotation for a failure or a warning, and one for each test that failed."""
        match event:
            case StageWarned():
                self.write(annotation("warning", event.stage, clean(event.text, limit=2000)))
            case StageEnded(outcome=Failed(error)):
                message = clean(f"{error}. Next: {next_step(error)}", limit=3000)
                file, line = (error.file, error.line) if isinstance(error, BuildFailed) else ("", 0)
                self.write(annotation("error", event.stage, message, file=file, line=line))
                for each in error.failures if isinstance(error, CheckFailed) else ():
                    self.write(
                        annotation("error", clean(each.name), _several(each.what), file=each.file, line=each.line)
                    )
            case _:
                pass


def _several(text: str) -> str:
    """Make lines of untrusted text fit for the message of an annotation, which may have several."""
    return "\n".join(indented(line) for line in text.splitlines()[:_MOST_LINES]) or "failed"


def write_summary(path: Path, report: Report, page: ReleaseReport | None = None) -> None:
    """Append the job summary of a run to a file. It begins with the short form of ``page``, if there is one."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(summary(report, page))


def summary(report: Report, page: ReleaseReport | None = None) -> str:
    """Return the summary of a run as GitHub Markdown."""
    rows = [
        (each.info.name, words.state(each.outcome), f"{each.seconds:.1f} s", words.text(each.outcome))
        for each in report.stages
        if each.outcome is not None
    ]
    parts = [_title(page), table(("stage", "state", "time", "what"), rows)]
    if report.emergency is not None:
        parts.append(f"### Emergency\n\n{cell(report.emergency.summary)}\n\n")
        waived = [(each.gate, each.verdict, each.detail) for each in report.emergency.results]
        parts += [table(("waived", "result", "detail"), waived)] if waived else []
    for each in report.stages:
        product = report.product(each.info.name)
        if isinstance(product, Proof):
            parts.append(f"### {each.info.name}\n\n")
            parts.append(
                table(("tested", "verdict", "detail"), [(r.name, r.verdict, words.detail(r)) for r in product.results])
            )
            parts.append(table(("file", "sha256"), [(s.name, s.sha256) for s in product.subjects]))
        if isinstance(product, Verified):
            parts.append("### Published\n\n")
            held = [(h.surface, h.what, h.digest, h.pending) for h in product.held]
            parts.append(table(("surface", "what", "digest", "pending"), held))
    if deployed := words.deployed(report):
        parts.append("### Deployed\n\n")
        stands = [
            (d.what, words.deployment_state(s, d), d.address, d.time, d.numbers, d.identity, list_some(d.left_out, 5))
            for s, d in deployed
        ]
        parts.append(table(("what", "state", "address", "time", "counts", "identity", "left out"), stands))
    parts.extend(
        f"> **{each.info.name} failed.** Next: {cell(next_step(each.outcome.error))}\n\n"
        for each in words.failures(report)
        if isinstance(each.outcome, Failed)
    )
    if report.left_out:
        parts.append("### Left out\n\n")
        parts.append(table(("what", "why"), [(each.what, each.why) for each in report.left_out]))
    if report.documents:
        parts.append("### For later jobs\n\n")
        parts.append(table(("document", "sha256"), list(report.documents.items())))
    return "".join(parts)


def _title(page: ReleaseReport | None) -> str:
    if page is None:
        return "## unmoor\n\n"
    from unmoor.render.report.summary import summary as short

    return short(page)


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append step outputs to a file. `clean` keeps each value on one line, so that it cannot add another output."""
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={clean(value)}\n" for name, value in values.items())
