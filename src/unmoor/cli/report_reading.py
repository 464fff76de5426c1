"""Read the report of a release on any machine: from its surfaces, and from what its run left here.

The surfaces are judged as ``unmoor status`` does, and the signatures as ``unmoor verify`` does. What a manifest says
counts if something vouches for it; what it says otherwise is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.manifest import Manifest
from unmoor.cli import ended_report
from unmoor.cli.run_options import RunOptions
from unmoor.cli.session import Session
from unmoor.cli.status_run import CODES, JudgedRelease, judge
from unmoor.errors import Internal, Interrupted, UnmoorError
from unmoor.filesystem.files import read_regular
from unmoor.images import image_record
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Proof, PushedImage
from unmoor.products.signatures import BY_HAND
from unmoor.provenance.names import is_bundle
from unmoor.render.report.model import (
    ReleaseReport,
    ReportApproval,
    ReportAttestation,
    ReportFile,
    ReportImage,
    ReportPart,
    ReportPlatform,
    Timeline,
    UnknownFact,
)
from unmoor.render.report.of_run import Layers
from unmoor.render.report.timeline import MOST_BYTES, read_journal
from unmoor.verification.asked import VerifyRequest
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.immutable import NAME as FORGE_STATEMENT

_STAGED = "prove-testpypi"
_ATTESTATION = "attestation of "
_JUDGED = {Mark.OK: "valid", Mark.WRONG: "wrong", Mark.MISSING: "missing", Mark.UNKNOWN: "not checked"}
_MOST_RUNS = 5


@dataclass(kw_only=True)
class ReportReader:
    """Reads one report. What cannot be read is noted, and hides nothing else."""

    opened: Session
    options: RunOptions
    processes: Processes
    _unknown: list[UnknownFact] = field(default_factory=list, init=False)

    def read(self) -> ReleaseReport:
        """Read everything. Raises as ``unmoor status`` does if nothing is anywhere, or none of it can be seen."""
        found = judge(self.opened, self.options, deployments=True)
        manifest, there = self._manifest(found), next(iter(found.inventory.forge.all), None)
        timeline, images = self._timeline(), tuple(self._images(found))
        attestations, (approvals, unseen) = self._attestations(found, there), self._approvals(found)
        release, notes = found.inventory.release, self._notes(found, there)
        latest = self._latest(found)
        unsigned = f"; {BY_HAND}" if manifest is not None and BY_HAND in manifest.decisions else ""
        report = ReleaseReport(
            project=release.project,
            tag=release.tag,
            repository=release.repository,
            world=self.opened.world.name,
            rehearsal=self.opened.world.rehearsal,
            state=found.overall,
            summary=f"{release.tag} is {found.overall}{unsigned}",
            writer=ended_report.writer_of("report", self.opened.world),
            version=release.version,
            commit=release.commit,
            prerelease=release.prerelease,
            latest=latest,
            url=there.url if there is not None else "",
            exit_code=CODES[found.overall],
            surfaces=found.states,
            timeline=timeline,
            files=tuple(_files(manifest)) if manifest is not None else (),
            proofs=tuple(self._proofs(manifest, has_images=found.inventory.has_images)),
            images=images,
            notes=notes,
            notes_source="the release on the forge" if notes else "",
            attestations=attestations,
            approvals=approvals,
            emergencies=found.emergencies,
            tools=manifest.tools if manifest is not None else (),
            decisions=manifest.decisions if manifest is not None else (),
            left_out=self.opened.left_out,
            unknown=(*self._unknown, *unseen),
        )
        return ended_report.for_others(report, self.opened.world, self.options)

    def _note(self, part: ReportPart, what: str, why: str) -> None:
        self._unknown.append(UnknownFact(part=part, what=what, why=why))

    def _manifest(self, found: JudgedRelease) -> Manifest | None:
        """The manifest that is vouched for. Of another one, nothing counts."""
        vouched, best = found.inventory.vouched, found.inventory.best
        if vouched is not None:
            if not vouched.manifest.tools:
                self._note(ReportPart.TOOLS, "the tools of the build", "the manifest names none")
            return vouched.manifest
        if best is None:
            error = found.inventory.forge.unread or found.inventory.forge.error or found.inventory.forge.hidden
            why = error.in_brief(where=True) if error is not None else "there is no manifest of this release"
        else:
            doubt = f" ({best.doubt})" if best.doubt else ""
            why = f"nothing vouches for the manifest at {best.where}{doubt}; its sha256 would: --manifest-sha256"
        self._note(ReportPart.SURFACES, "which files there should be", why)
        for part, what in (
            (ReportPart.FILES, "the files"),
            (ReportPart.PROOFS, "the tests"),
            (ReportPart.TOOLS, "the tools of the build"),
            (ReportPart.EMERGENCIES, "whether gates were waived"),
        ):
            self._note(part, what, why)
        return None

    def _latest(self, found: JudgedRelease) -> bool | None:
        part, what = ReportPart.SURFACES, "whether this is the highest version"
        if unread := _unread(found):
            self._note(part, what, unread)
            return None
        try:
            return found.surfaces.released(found.inventory).highest
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            self._note(part, what, error.in_brief(where=True))
            return None

    def _timeline(self) -> Timeline | None:
        """What the journal of this machine says. It is evidence, and nothing vouches for it."""
        part, what = ReportPart.TIMELINE, "when the stages began"
        try:
            read = read_journal(read_regular(self.opened.request.folder.journal, MOST_BYTES))
        except FileNotFoundError:
            self._note(part, what, "the journal of the run is on the machine that released it, and not on this one")
            return None
        except OSError as error:
            self._note(part, what, f"the journal cannot be read: {error.strerror or error}")
            return None
        except UnmoorError as error:
            self._note(part, what, error.in_brief(where=True))
            return None
        if read.unread:
            self._note(part, what if read.timeline is None else "some of what the run noted", read.unread)
        return read.timeline

    def _proofs(self, manifest: Manifest | None, *, has_images: bool) -> Iterator[Proof]:
        """The proofs of the files in the manifest, and those that only this machine or the record of images has."""
        if manifest is None:
            return
        yield from manifest.proofs
        folder = self.opened.request.folder
        try:
            staged, images = folder.read_proof(_STAGED), next(iter(image_record.proofs(folder)), None)
        except (Interrupted, Internal):
            raise
        except (UnmoorError, OSError) as error:
            self._note(ReportPart.PROOFS, "what was tested besides the files", str(error))
            return
        if staged is not None:
            yield staged
        if images is not None:
            yield images
        elif has_images:
            why = "the record of the images is on the machine that built them"
            self._note(ReportPart.PROOFS, "the tests of the images", why)

    def _images(self, found: JudgedRelease) -> Iterator[ReportImage]:
        """What each registry holds, with its layers. The signature of a manifest says nothing of images."""
        for held in found.inventory.images:
            if held.error is not None:
                self._note(ReportPart.IMAGES, f"what {held.name} holds", held.error.in_brief(where=True))
                continue
            images = [each for each in held.released if each.digest]
            layers, unknown = ended_report.layers_of(images, self.opened.services.registry)
            self._unknown += unknown
            for image in images:
                tags = [each.tag for each in (*held.fixed, *held.floating) if each.digest == image.digest]
                yield ReportImage(
                    name=image.name,
                    target=image.target,
                    digest=image.digest,
                    tags=tuple(dict.fromkeys((image.tag, *tags))),
                    platforms=tuple(_platforms(image, layers)),
                )
        for each in self.opened.left_out:
            self._note(ReportPart.IMAGES, each.what, f"left out: {each.why}")

    def _notes(self, found: JudgedRelease, there: ForgeRelease | None) -> str:
        if there is None:
            forge = found.inventory.forge
            error = forge.error or forge.hidden
            why = error.in_brief(where=True) if error is not None else "there is no release on the forge"
            self._note(ReportPart.NOTES, "the notes as published", why)
            return ""
        return there.body

    def _attestations(self, found: JudgedRelease, there: ForgeRelease | None) -> tuple[ReportAttestation, ...]:
        """The signatures of a public release, each checked as a stranger would."""
        from unmoor.cli.verify_run import verified

        part, what = ReportPart.ATTESTATIONS, "the signatures"
        if there is None or there.draft:
            error = found.inventory.forge.error
            why = "only those of a public release can be checked without credentials"
            self._note(part, what, error.in_brief(where=True) if error is not None else why)
            return ()
        world, request = self.opened.world, self.opened.request
        asked = VerifyRequest(repository=world.forge.repository, tag=request.tag)
        try:
            seen = verified(asked, world, self.processes, trust_root=None, identity="")
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            self._note(part, what, error.in_brief(where=True))
            return ()
        signer = f"{seen.source.repository}/{seen.workflow}" if seen.workflow else ""
        checks = [each for each in seen.checks if _is_of_signature(each)]
        if not checks:
            self._note(part, what, "; ".join(seen.notes) or "no check found any, nor that there are none")
        for each in checks:
            if each.mark is Mark.UNKNOWN:
                self._note(part, f"{each.name} on {each.surface}", each.note)
        return tuple(
            ReportAttestation(
                subject=each.name.removeprefix(_ATTESTATION),
                where=each.surface,
                identity=signer if each.mark is Mark.OK else "",
                judged=_JUDGED[each.mark],
                note=each.note,
            )
            for each in checks
        )

    def _approvals(self, found: JudgedRelease) -> tuple[tuple[ReportApproval, ...], tuple[UnknownFact, ...]]:
        """Who approved jobs of the runs of the tag."""
        from unmoor.adapters.factory import open_workflow_runs

        part, what, world = ReportPart.APPROVALS, "who approved it", self.opened.world
        if unread := _unread(found):
            return (), (UnknownFact(part=part, what=what, why=unread),)
        try:
            runs = [each.id for each in open_workflow_runs(world, self.processes).of_tag(self.opened.request.tag)]
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            return (), (UnknownFact(part=part, what=what, why=error.in_brief(where=True)),)
        if not runs:
            why = "the forge lists no workflow run of this tag; it forgets old ones"
            return (), (UnknownFact(part=part, what=what, why=why),)
        return ended_report.approvals_of(world, self.processes, runs[:_MOST_RUNS])


def _unread(found: JudgedRelease) -> str:
    """Why the forge could not be read, empty if it could. It is not asked more: each question may wait a minute."""
    error = found.inventory.forge.error
    return error.in_brief(where=True) if error is not None else ""


def _is_of_signature(check: CheckedItem) -> bool:
    """Whether a check is of a signature, or says that there is none."""
    named = check.name in {FORGE_STATEMENT, "signatures"} or check.name.startswith(_ATTESTATION)
    return named or is_bundle(check.name)


def _files(manifest: Manifest) -> Iterator[ReportFile]:
    for each in manifest.artifacts:
        yield ReportFile(name=each.name, kind=each.kind, size=each.size, sha256=each.sha256)
    for kind, assets in (("SBOM", manifest.sboms), ("documentation", manifest.docs)):
        for asset in assets:
            yield ReportFile(name=asset.name, kind=kind, size=asset.size, sha256=asset.sha256)


def _platforms(image: PushedImage, layers: Layers) -> Iterator[ReportPlatform]:
    for platform, digest in image.platforms or (("", image.digest),):
        found = layers.get(digest)
        yield ReportPlatform(
            platform=platform,
            digest=digest,
            size=sum(each.size for each in found) if found is not None else None,
            layers=tuple(found) if found is not None else None,
        )
