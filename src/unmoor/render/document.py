"""A run as JSON: what ``--json`` prints, with a published schema; and the events as JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from unmoor.core.events import Event, Report, RunEnded, RunStarted, StageEnded, StageReport, StageSaid, StageStarted
from unmoor.core.outcome import Failed, Outcome
from unmoor.products import Access, Dists, Release, Verified
from unmoor.render import words

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class StageDocument:
    """One stage: ``state`` is made, found, planned, skipped, failed or unasked."""

    name: str
    reach: str
    advisory: bool
    state: str
    text: str
    plan: str
    seconds: float
    next_step: str = ""
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True)
class FileDocument:
    """One built file."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class SurfaceDocument:
    """One thing that one surface holds; ``pending`` says what is still stale there."""

    surface: str
    what: str
    digest: str
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class FindingDocument:
    """One credential or name: ``standing`` is proven or unproven."""

    surface: str
    standing: str
    detail: str
    proven_by: str


@dataclass(frozen=True, kw_only=True)
class WarningDocument:
    """Something a stage warned of."""

    stage: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RunDocument:
    """A whole run. ``rehearsal`` says whether its world is a throw-away one; empty strings are unknown.

    ``path`` is the project's folder in the repository, empty for its top.
    """

    schema: int
    rehearsal: bool
    world: str
    ceiling: str
    project: str
    path: str
    tag: str
    version: str
    commit: str
    prerelease: bool
    latest: bool
    stages: tuple[StageDocument, ...]
    files: tuple[FileDocument, ...]
    access: tuple[FindingDocument, ...]
    surfaces: tuple[SurfaceDocument, ...]
    warnings: tuple[WarningDocument, ...]
    seconds: float


def state(outcome: Outcome | None) -> str:
    """Name an outcome for a machine."""
    return outcome.state if outcome is not None else "unasked"


def document(report: Report, *, world: str, rehearsal: bool, ceiling: str) -> RunDocument:
    """Write a report down."""
    products = {each.info.name: getattr(each.outcome, "product", None) for each in report.stages}
    release = next((p for p in products.values() if isinstance(p, Release)), None)
    dists = next((p for p in products.values() if isinstance(p, Dists)), Dists(files=()))
    access = next((p for p in products.values() if isinstance(p, Access)), Access(findings=()))
    verified = next((p for p in products.values() if isinstance(p, Verified)), Verified(held=()))
    return RunDocument(
        schema=SCHEMA,
        rehearsal=rehearsal,
        world=world,
        ceiling=ceiling,
        project=release.project if release else "",
        path=release.path if release else "",
        tag=release.tag if release else "",
        version=release.version if release else "",
        commit=release.commit if release else "",
        prerelease=release.prerelease if release else False,
        latest=release.highest if release else False,
        stages=tuple(_stage(each) for each in report.stages),
        files=tuple(FileDocument(name=f.name, sha256=f.sha256, size=f.size) for f in dists.files),
        access=tuple(FindingDocument(**asdict(finding)) for finding in access.findings),
        surfaces=tuple(SurfaceDocument(**asdict(held)) for held in verified.held),
        warnings=tuple(WarningDocument(stage=w.stage, text=w.text) for w in report.warnings),
        seconds=round(report.seconds, 3),
    )


def _stage(each: StageReport) -> StageDocument:
    failed = each.outcome.error if isinstance(each.outcome, Failed) else None
    return StageDocument(
        name=each.info.name,
        reach=each.info.reach.name.lower(),
        advisory=each.info.advisory,
        state=state(each.outcome),
        text=words.text(each.outcome),
        plan=each.plan,
        seconds=round(each.seconds, 3),
        next_step=words.next_step(failed) if failed else "",
        exit_code=failed.exit_code if failed else 0,
    )


def schema() -> dict[str, Any]:
    """The JSON schema of a run."""
    import msgspec

    return msgspec.json.schema(RunDocument)


@dataclass
class JsonLines:
    """Hears events and writes each as one JSON line, for programs that follow a run."""

    write: Callable[[str], object]

    def __call__(self, event: Event) -> None:
        """Write one line."""
        import msgspec

        line: dict[str, Any]
        match event:
            case RunStarted():
                stages = [{"name": e.name, "reach": e.reach.name.lower(), "advisory": e.advisory} for e in event.stages]
                line = {"world": event.world, "rehearsal": event.rehearsal, "stages": stages}
            case StageStarted():
                line = {"stage": event.stage}
            case StageEnded():
                line = {"stage": event.stage, "state": state(event.outcome), "text": words.text(event.outcome)}
            case RunEnded():
                line = {"seconds": round(event.report.seconds, 3)}
            case StageSaid() | _:
                line = {"stage": event.stage, "text": event.text}
        self.write(msgspec.json.encode({"event": event.event, **line}).decode())
