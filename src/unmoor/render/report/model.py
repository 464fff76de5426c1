"""What a report says of a release: plain values, for a page, for Markdown and for JSON.

Nothing here is missing silently. Whatever could not be read, or is not recorded, is in `ReleaseReport.unknown`,
by the part of the report that it belongs to, with the reason. An empty part without such a reason is really empty.

Text comes from outside as it is: tags, names of files, notes, messages of programs and servers. Whoever shows it makes
it safe for the place where it is shown.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor.core.events import LeftOut
from unmoor.core.waivers import Emergency
from unmoor.products import Proof, Tool
from unmoor.products.surface_state import State, SurfaceState

SCHEMA = 1


class ReportPart(StrEnum):
    """The parts of a report, in the order in which they are shown. The values are their titles, in lower case."""

    SURFACES = "what is where"
    TIMELINE = "timeline"
    FILES = "files"
    PROOFS = "tests"
    IMAGES = "images"
    NOTES = "notes"
    ATTESTATIONS = "attestations"
    APPROVALS = "approvals"
    EMERGENCIES = "waived gates"
    TOOLS = "tools"


class UnknownFact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not known: the part it belongs to, what it is, and why it is not known."""

    part: ReportPart
    what: str
    why: str


class ReportWriter(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a report: the version and command of unmoor, the kind of machine, and when.

    ``command`` is release, rehearse or report. ``machine`` is a kind, such as ``GitHub Actions, Linux x86_64``, never
    the name of a machine. ``run_url`` is the page of the run in a CI, empty elsewhere. ``at`` is in seconds since 1970.
    """

    version: str
    command: str
    machine: str
    at: float
    run_url: str = ""


class TimelineStage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the run.

    ``begin`` is in seconds since the run began, ``None`` if the stage did not begin. ``outcome`` is made, found,
    planned, skipped, failed, unasked, or unfinished for a stage whose end nobody recorded. ``reach`` is reads, local,
    remote or final. ``text`` is what it made, or why it made nothing.
    """

    name: str
    outcome: str
    begin: float | None = None
    seconds: float = 0.0
    reach: str = ""
    advisory: bool = False
    text: str = ""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The stages of one run, in the order of the pipeline.

    ``started`` is in seconds since 1970, ``None`` if it is not known. ``seconds`` is how long the whole run took.
    ``source`` says whose record it is: the run itself, or the journal of a run folder.
    """

    started: float | None
    seconds: float
    stages: tuple[TimelineStage, ...]
    source: str = ""


class ReportWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning of a stage; ``stage`` is empty for one of the run."""

    stage: str
    text: str


class ReportFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a stage failed: what was wrong, where, and the next step."""

    stage: str
    what: str
    where: str
    next_step: str


class ReportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the release. ``kind`` is wheel, sdist, SBOM or documentation. ``sha256`` is in hexadecimal."""

    name: str
    kind: str
    size: int
    sha256: str


class ReportLayer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of an image: its digest, and its size in bytes as the registry stores it."""

    digest: str
    size: int


class ReportPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """An image on one platform, such as ``linux/arm64``.

    ``digest`` is empty before the image is pushed. ``size`` is that of all layers together in a registry, else that
    which the container engine gave; ``None`` if it is not known. ``layers`` is ``None`` if they are not known.
    """

    platform: str
    digest: str = ""
    size: int | None = None
    layers: tuple[ReportLayer, ...] | None = None


class ReportImage(msgspec.Struct, frozen=True, kw_only=True):
    """One target of an image in one registry.

    ``tags`` are those that point at ``digest``. ``target`` is empty for an image without a named stage.
    """

    name: str
    target: str
    digest: str
    tags: tuple[str, ...]
    platforms: tuple[ReportPlatform, ...]


class ReportAttestation(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of something that was released.

    ``subject`` is a file or an image, ``where`` the surface or the name of the file with the signature. ``identity`` is
    who signed, such as the address of a workflow. ``judged`` says whether the signature was checked, and with
    which result: valid, wrong, not checked.
    """

    subject: str
    where: str
    identity: str
    judged: str
    note: str = ""


class ReportApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said about a deployment to an environment. ``state`` is approved or rejected."""

    environment: str
    state: str
    who: str
    comment: str = ""


class ReleaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report shows.

    ``version`` and ``commit`` are empty, and ``prerelease`` and ``latest`` are ``None``, if they are not known.
    ``world`` names the set of servers; in a ``rehearsal`` they are on this machine, and nothing is public. ``url`` is
    the page of the release. ``state`` is the worst one of the surfaces, ``summary`` how it ended in a sentence, and
    ``exit_code`` that of the command. ``notes`` are Markdown as published. ``decisions`` are settings that differ from
    the defaults. ``left_out`` is what the release does without, such as an image that was not built.
    """

    schema: int = SCHEMA
    project: str
    tag: str
    repository: str
    world: str
    rehearsal: bool
    state: State
    summary: str
    writer: ReportWriter
    version: str = ""
    commit: str = ""
    prerelease: bool | None = None
    latest: bool | None = None
    url: str = ""
    exit_code: int = 0
    surfaces: tuple[SurfaceState, ...] = ()
    timeline: Timeline | None = None
    failures: tuple[ReportFailure, ...] = ()
    warnings: tuple[ReportWarning, ...] = ()
    files: tuple[ReportFile, ...] = ()
    proofs: tuple[Proof, ...] = ()
    images: tuple[ReportImage, ...] = ()
    notes: str = ""
    notes_source: str = ""
    attestations: tuple[ReportAttestation, ...] = ()
    approvals: tuple[ReportApproval, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    tools: tuple[Tool, ...] = ()
    decisions: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unknown: tuple[UnknownFact, ...] = ()

    def unknown_of(self, part: ReportPart) -> tuple[UnknownFact, ...]:
        """What is not known in a part of the report."""
        return tuple(each for each in self.unknown if each.part is part)
