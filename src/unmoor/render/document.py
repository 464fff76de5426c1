"""A run as JSON: the document of ``--json``, which has a published schema, and the events as JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import asdict

from unmoor.core.events import Event, Report, RunEnded, RunStarted, StageEnded, StageReport, StageSaid, StageStarted
from unmoor.core.outcome import Failed, Outcome
from unmoor.core.waivers import Emergency
from unmoor.products import Access, Deployed, Dists, Release, Verified
from unmoor.render import words
from unmoor.render.advice import next_step

SCHEMA = 1


class StageDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A stage. ``state`` is made, found, planned, skipped, failed or unasked.

    ``advice`` are the ids of what ``next_step`` says, as docs/reference/advice.md lists them.
    """

    name: str
    reach: str
    advisory: bool
    state: str
    text: str
    plan: str
    seconds: float
    next_step: str = ""
    exit_code: int = 0
    advice: tuple[str, ...] = ()


class FileDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A built file. ``size`` is in bytes."""

    name: str
    sha256: str
    size: int


class SurfaceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A file or image that a surface holds. ``pending`` says what is still out of date there."""

    surface: str
    what: str
    digest: str
    pending: str = ""


class FindingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A credential or a name that a stage checked. ``standing`` is proven or unproven."""

    surface: str
    standing: str
    detail: str
    proven_by: str


class WarningDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A warning of a stage."""

    stage: str
    text: str


class LeftOutDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the run left out, such as an image that this machine cannot build, and why."""

    what: str
    why: str


class DeploymentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment. ``state`` is done, already there or left out. ``when`` is in seconds since 1970, 0 if unknown."""

    what: str
    state: str
    address: str
    identity: str
    counts: dict[str, int]
    when: int
    left_out: tuple[str, ...]


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. An empty string is an unknown value.

    ``rehearsal`` is true if the world is a local one for a rehearsal. ``path`` is the project's folder in the
    repository, empty for the top. ``documents`` are the sha256 of the manifest and of other documents that later
    jobs have to be given, by file name. ``emergency`` is null for a run that is none.
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
    deployments: tuple[DeploymentDocument, ...]
    documents: dict[str, str]
    warnings: tuple[WarningDocument, ...]
    left_out: tuple[LeftOutDocument, ...]
    seconds: float
    emergency: Emergency | None = None


def state(outcome: Outcome | None) -> str:
    """Return the name of an outcome in JSON; ``unasked`` if the stage was not requested."""
    return outcome.state if outcome is not None else "unasked"


def document(report: Report, *, world: str, rehearsal: bool, ceiling: str) -> RunDocument:
    """Return the document of a run."""
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
        access=tuple(
            FindingDocument(surface=f.surface, standing=f.certainty, detail=f.detail, proven_by=f.proven_by)
            for f in access.findings
        ),
        surfaces=tuple(SurfaceDocument(**asdict(held)) for held in verified.held),
        deployments=tuple(
            DeploymentDocument(
                state=words.deployment_state(each, product),
                # A product may have fields more.
                **(
                    {name: getattr(product, name) for name in Deployed.__struct_fields__}
                    | {"counts": dict(product.counts)}
                ),
            )
            for each, product in words.deployed(report)
        ),
        documents=dict(report.documents),
        warnings=tuple(WarningDocument(stage=w.stage, text=w.text) for w in report.warnings),
        left_out=tuple(LeftOutDocument(what=each.what, why=each.why) for each in report.left_out),
        seconds=round(report.seconds, 3),
        emergency=report.emergency,
    )


def _stage(each: StageReport) -> StageDocument:
    error = each.outcome.error if isinstance(each.outcome, Failed) else None
    return StageDocument(
        name=each.info.name,
        reach=each.info.reach.name.lower(),
        advisory=each.info.advisory,
        state=state(each.outcome),
        text=words.text(each.outcome),
        plan=each.plan,
        seconds=round(each.seconds, 3),
        next_step=next_step(error) if error else "",
        exit_code=error.exit_code if error else 0,
        advice=error.advice_ids if error else (),
    )


def schema() -> dict[str, Any]:
    """Return the JSON schema of `RunDocument`."""
    import msgspec

    return msgspec.json.schema(RunDocument)


@dataclass
class JsonLines:
    """A listener that writes each event as one JSON line, for programs that follow a run."""

    write: Callable[[str], object]

    def __call__(self, event: Event) -> None:
        """Write an event as one line."""
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
