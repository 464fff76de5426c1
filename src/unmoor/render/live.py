"""A live table on a terminal. Each line shows a stage, its last message and its duration."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unmoor.core.events import Event, RunEnded, RunStarted, StageEnded, StageSaid, StageStarted, StageWarned
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned
from unmoor.render import words
from unmoor.util.text import clean

if TYPE_CHECKING:  # rich is slow to import, and only a terminal needs it
    from rich.console import Console
    from rich.live import Live as RichLive
    from rich.table import Table


class _Marks(NamedTuple):
    """The characters of the table, and the name of rich's spinner."""

    made: str
    failed: str
    planned: str
    spinner: str

    @classmethod
    def for_encoding(cls, encoding: str) -> _Marks:
        """Return marks that the encoding of a terminal has."""
        try:
            "✓✗·⠋".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls("+", "x", "-", "line")
        return cls("✓", "✗", "·", "dots")


@dataclass
class _Line:
    message: str = ""
    started: float | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0


@dataclass
class Live:
    """A listener that keeps the table up to date."""

    console: Console
    lines: dict[str, _Line] = field(default_factory=dict)
    live: RichLive | None = None

    def __post_init__(self) -> None:
        """Choose the marks once."""
        self.marks = _Marks.for_encoding(self.console.encoding)

    def __call__(self, event: Event) -> None:
        """Update the table for an event."""
        match event:
            case RunStarted():
                self.lines = {entry.name: _Line() for entry in event.stages}
                self._start()
            case StageStarted(stage=name):
                self.lines[name].started = self.lines[name].started or time.monotonic()
            case StageSaid(stage=name, text=text):
                self.lines[name].message = clean(text)
            case StageWarned(stage=name, text=text):
                self.console.print(f"warning: {name}: {clean(text, limit=2000)}", style="yellow", markup=False)
            case StageEnded(stage=name, outcome=outcome, seconds=seconds):
                self.lines[name].outcome = outcome
                self.lines[name].seconds = seconds
            case RunEnded():
                self._stop()

    def _start(self) -> None:
        from rich.live import Live as RichLive

        self.live = RichLive(
            get_renderable=self._table,
            console=self.console,
            refresh_per_second=8,
            transient=False,
            redirect_stdout=False,
        )
        self.live.start()

    def _stop(self) -> None:
        if self.live is not None:
            self.live.stop()

    def _table(self) -> Table:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False)
        for name, line in self.lines.items():
            mark, style = _mark(line.outcome, self.marks)
            running = line.outcome is None and line.started is not None
            seconds = time.monotonic() - line.started if running and line.started else line.seconds
            text = words.text(line.outcome) if line.outcome else line.message
            table.add_row(
                Spinner(self.marks.spinner) if running else Text(mark, style=style),
                Text(name, style="bold" if running else style),
                Text(f"{seconds:.1f} s" if seconds >= 0.05 else "", style="dim"),  # noqa: PLR2004 - shown as 0.1
                Text(text, overflow="ellipsis", no_wrap=not isinstance(line.outcome, Failed)),
            )
        return table


def _mark(outcome: Outcome | None, marks: _Marks) -> tuple[str, str]:
    match outcome:
        case Made():
            return marks.made, "green"
        case Found():
            return "=", "green"
        case Planned():
            return marks.planned, "cyan"
        case Failed():
            return marks.failed, "red"
        case _:
            return " ", "dim"
