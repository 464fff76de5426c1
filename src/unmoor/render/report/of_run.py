"""Describe a release by the run that has just ended: by what its stages made and found. Reads no surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from unmoor.core.events import Report
from unmoor.core.outcome import Failed, Found
from unmoor.products import (
    BuiltDocs,
    Dists,
    Draft,
    Image,
    Images,
    MovedTags,
    Notes,
    Proof,
    PublishedRelease,
    Pushed,
    PushedImage,
    Release,
    Sboms,
    Signed,
    SignedImages,
    Uploaded,
    Verified,
)
from unmoor.products.surface_state import Item, State, SurfaceState, worst
from unmoor.publish.compare import FORGE
from unmoor.render import words
from unmoor.render.advice import next_step
from unmoor.render.report.model import (
    ReleaseReport,
    ReportApproval,
    ReportAttestation,
    ReportFailure,
    ReportFile,
    ReportImage,
    ReportLayer,
    ReportPart,
    ReportPlatform,
    ReportWarning,
    ReportWriter,
    Timeline,
    UnknownFact,
)
from unmoor.util.text import count_of

T = TypeVar("T")
MADE = "made by this run"
"""What is said of a signature that the run made itself."""
Layers = Mapping[str, Sequence[ReportLayer]]
"""The layers of images by the digest of the manifest of one platform."""


class EndedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended, with what its report does not say.

    ``tag`` and ``repository`` are those that were asked for. ``timeline`` is ``None`` if nobody noted it. ``layers``
    are those that were read. ``unknown`` is what could not be read, such as approvals.
    """

    report: Report
    tag: str
    repository: str
    world: str
    rehearsal: bool
    writer: ReportWriter
    exit_code: int = 0
    timeline: Timeline | None = None
    layers: Layers = msgspec.field(default_factory=dict)
    approvals: tuple[ReportApproval, ...] = ()
    unknown: tuple[UnknownFact, ...] = ()


def describe_run(run: EndedRun) -> ReleaseReport:
    """Return the report of a release as one run knows it."""
    report = run.report
    release, notes, dists = _product(report, Release), _product(report, Notes), _product(report, Dists)
    surfaces = tuple(_surfaces(report))
    public, draft = _product(report, PublishedRelease), _product(report, Draft)
    return ReleaseReport(
        project=release.project if release else "",
        tag=release.tag if release else run.tag,
        repository=release.repository if release else run.repository,
        world=run.world,
        rehearsal=run.rehearsal,
        state=_state(report, surfaces),
        summary=_summary(report, run),
        writer=run.writer,
        version=release.version if release else "",
        commit=release.commit if release else "",
        prerelease=release.prerelease if release else None,
        latest=release.highest if release else None,
        url=public.url if public else draft.url if draft else "",
        exit_code=run.exit_code,
        surfaces=surfaces,
        timeline=run.timeline,
        failures=tuple(_failures(report)),
        warnings=tuple(ReportWarning(stage=each.stage, text=each.text) for each in report.warnings),
        files=tuple(_files(report)),
        proofs=tuple(each for each in _products(report) if isinstance(each, Proof)),
        images=tuple(_images(report, run.layers)),
        notes=notes.body if notes else "",
        notes_source=notes.source if notes else "",
        attestations=tuple(_attestations(report)),
        approvals=run.approvals,
        emergencies=(report.emergency,) if report.emergency else (),
        tools=dists.tools if dists else (),
        decisions=dists.decisions if dists else (),
        left_out=report.left_out,
        unknown=(*_unknown(report, run), *run.unknown),
    )


def _products(report: Report) -> Iterator[object]:
    found = (report.product(each.info.name) for each in report.stages)
    return (each for each in found if each is not None)


def _product(report: Report, kind: type[T]) -> T | None:
    """The first product of a kind, ``None`` if there is none."""
    return next((each for each in _products(report) if isinstance(each, kind)), None)


def _state(report: Report, surfaces: Sequence[SurfaceState]) -> State:
    """The worst state of the surfaces. What was not read back is unknown, if nothing worse is known."""
    known = [each.state for each in surfaces]
    return worst(known if _product(report, Verified) is not None else [*known, State.UNKNOWN])


def _summary(report: Report, run: EndedRun) -> str:
    """How the run ended, in one sentence."""
    failed = [each.info.name for each in words.failures(report)]
    if failed:
        published = words.already_published(report)
        out = f"{count_of(len(published), 'thing')} uploaded or published" if published else "nothing was uploaded"
        return f"{', '.join(failed)} failed; {out}"
    if verified := _product(report, Verified):
        what = "rehearsal passed" if run.rehearsal else "released"
        pending = sum(bool(each.pending) for each in verified.held)
        unseen = f"; installers cannot see {count_of(pending, 'item')} yet" if pending else ""
        return f"{what}: every surface holds {run.tag}, verified by digest{unseen}"
    planned = [each.info.name for each in report.stages if words.state(each.outcome) == "planned"]
    return (
        f"stopped, as requested, before {', '.join(planned)}"
        if planned
        else "ended as requested; the surfaces were not read"
    )


def _surfaces(report: Report) -> Iterator[SurfaceState]:
    """Every surface as it was read back at the end, else as the stages left it; then what was deployed."""
    verified = _product(report, Verified)
    yield from _as_made(report) if verified is None else _as_verified(verified)
    for _, deployed in words.deployed(report):
        if deployed.is_there:
            item = _item(deployed.address or deployed.what, deployed.identity, note=deployed.numbers)
            yield SurfaceState.of(deployed.what, [item], url=deployed.address)


def _as_verified(verified: Verified) -> Iterator[SurfaceState]:
    for surface in dict.fromkeys(each.surface for each in verified.held):
        yield SurfaceState.of(
            surface,
            (
                _item(each.what, each.digest, note=each.pending, state=_pending(each.pending))
                for each in verified.held
                if each.surface == surface
            ),
        )


def _as_made(report: Report) -> Iterator[SurfaceState]:
    draft = _product(report, Draft)
    if draft is not None:
        note = (
            ""
            if draft.public or _product(report, PublishedRelease) is not None
            else "a draft, which only maintainers see"
        )
        items = [_item(each.name, each.sha256) for each in draft.assets]
        state = worst([*(each.state for each in items), *([State.INCOMPLETE] if note else [])])
        yield SurfaceState(surface=FORGE, state=state, items=tuple(items), note=note, url=draft.url)
    for product in _products(report):
        if isinstance(product, Uploaded):
            yield SurfaceState.of(product.index, (_item(each.name, each.sha256) for each in product.files))
        if isinstance(product, Pushed):
            for name in dict.fromkeys(each.name for each in product.images):
                pushed = (each for each in product.images if each.name == name)
                yield SurfaceState.of(name, (_item(each.tag, each.digest) for each in pushed))


def _item(name: str, digest: str, *, note: str = "", state: State = State.COMPLETE) -> Item:
    return Item(name=name, state=state, expected=digest, seen=digest, note=note)


def _pending(note: str) -> State:
    return State.PENDING if note else State.COMPLETE


def _failures(report: Report) -> Iterator[ReportFailure]:
    for each in report.stages:
        if isinstance(each.outcome, Failed):
            error = each.outcome.error
            yield ReportFailure(
                stage=each.info.name, what=error.what, where=error.where or "", next_step=str(next_step(error))
            )


def _files(report: Report) -> Iterator[ReportFile]:
    dists, sboms, docs = _product(report, Dists), _product(report, Sboms), _product(report, BuiltDocs)
    for file in dists.files if dists else ():
        kind = "wheel" if file.is_wheel else "sdist"
        yield ReportFile(name=file.name, kind=kind, size=file.size, sha256=file.sha256)
    besides = {"SBOM": sboms.assets if sboms else (), "documentation": docs.assets if docs else ()}
    for kind, assets in besides.items():
        for asset in assets:
            yield ReportFile(name=asset.name, kind=kind, size=asset.size, sha256=asset.sha256)


def _images(report: Report, layers: Layers) -> Iterator[ReportImage]:
    """The images as pushed; before that, as built."""
    built, pushed, moved = _product(report, Images), _product(report, Pushed), _product(report, MovedTags)
    if pushed is None:
        for image in built.images if built else ():
            platform = ReportPlatform(platform=image.platform, size=image.size or None)
            yield ReportImage(name=image.name, target=image.target, digest="", tags=(), platforms=(platform,))
        return
    for each in pushed.images:
        tags = [
            tag.tag for tag in (moved.pointers if moved else ()) if (tag.name, tag.digest) == (each.name, each.digest)
        ]
        yield ReportImage(
            name=each.name,
            target=each.target,
            digest=each.digest,
            tags=tuple(dict.fromkeys((each.tag, *tags))),
            platforms=tuple(_platforms(each, layers, built.images if built else ())),
        )


def _platforms(image: PushedImage, layers: Layers, built: Sequence[Image]) -> Iterator[ReportPlatform]:
    sizes = {each.platform: each.size for each in built if each.target == image.target}
    for platform, digest in image.platforms:
        found = layers.get(digest)
        size = sum(each.size for each in found) if found is not None else sizes.get(platform) or None
        yield ReportPlatform(
            platform=platform, digest=digest, size=size, layers=tuple(found) if found is not None else None
        )


def _attestations(report: Report) -> Iterator[ReportAttestation]:
    """The signatures. A run that makes those of images is the signer of the others, too."""
    signed = _product(report, Signed)
    for each in report.stages:
        product = report.product(each.info.name)
        judged = "valid" if isinstance(each.outcome, Found) else MADE
        if isinstance(product, Signed):
            for file in product.bundles:
                yield ReportAttestation(
                    subject=file.name.removesuffix(".sigstore.json"),
                    where=file.name,
                    identity=product.signer,
                    judged=judged,
                )
        if isinstance(product, SignedImages):
            signer = signed.signer if signed is not None and judged == MADE else ""
            for image in (*product.images, *product.sboms):
                note = "bill of materials" if image in product.sboms else "provenance"
                yield ReportAttestation(
                    subject=f"{image.name}@{image.digest}", where=image.name, identity=signer, judged=judged, note=note
                )


def _unknown(report: Report, run: EndedRun) -> Iterator[UnknownFact]:
    """What this run does not know, and why."""

    def unknown(part: ReportPart, what: str, why: str) -> UnknownFact:
        return UnknownFact(part=part, what=what, why=why)

    if _product(report, Verified) is None:
        why = _why_without(report, "verify")
        yield unknown(ReportPart.SURFACES, "what every surface holds", f"this run did not read them all back: {why}")
    if run.timeline is None:
        yield unknown(ReportPart.TIMELINE, "when the stages began", "nobody noted it")
    needed: tuple[tuple[ReportPart, str, type[object], str], ...] = (
        (ReportPart.FILES, "the files", Dists, "dists"),
        (ReportPart.PROOFS, "the tests", Proof, "prove-dists"),
        (ReportPart.NOTES, "the notes", Notes, "notes"),
        (ReportPart.TOOLS, "the tools of the build", Dists, "dists"),
    )
    for part, what, kind, stage in needed:
        if _product(report, kind) is None:
            yield unknown(part, what, _why_without(report, stage))
    dists, signed = _product(report, Dists), _product(report, Signed)
    if dists is not None and not dists.tools:
        yield unknown(ReportPart.TOOLS, "the tools of the build", "the record of the files names none")
    if signed is None or signed.why_not:
        why = signed.why_not if signed is not None else _why_without(report, "sign")
        yield unknown(ReportPart.ATTESTATIONS, "signatures", why)
    yield from _unknown_images(report)


def _unknown_images(report: Report) -> Iterator[UnknownFact]:
    part, images = ReportPart.IMAGES, _product(report, Images)
    for each in report.left_out:
        yield UnknownFact(part=part, what=each.what, why=f"left out: {each.why}")
    if images is None and any(each.info.name == "images" for each in report.stages):
        yield UnknownFact(part=part, what="the images", why=_why_without(report, "images"))
    if images is not None and _product(report, Pushed) is None:
        yield UnknownFact(part=part, what="the digests of the images", why=_why_without(report, "registry"))


def _why_without(report: Report, stage: str) -> str:
    """Why a stage gave no product."""
    if all(each.info.name != stage for each in report.stages):
        return f"this release has no stage {stage}"
    outcome = report.outcome(stage)
    if outcome is None:
        return f"this run was not asked for {stage}"
    return f"{stage}: {words.text(outcome)}"
