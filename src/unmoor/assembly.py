"""The release, from top to bottom: the file to read first.

A request and services go in, a pipeline comes out. Each stage is built once, from the outputs of the
stages it needs; a missing or mistaken one is a type error. `prepare` builds what stays on this machine, `hold` what can
be taken back, `assemble` what cannot: their three lists, one after the other, are the release.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Output, Stage, without_none
from unmoor.deploy_stages import EarlyChecks, announce_stage, build_docs_stage, deployment_stages, early_checks
from unmoor.optional_stages import (
    gate_of,
    image_stages,
    output_of,
    provenance_stage,
    push_stage,
    rebuild_stage,
    sbom_images_stage,
    sbom_stage,
    scan_images_stage,
    scan_stage,
    sign_images_stage,
    sign_stage,
    staging_stages,
    sums_stage,
    tags_stage,
)
from unmoor.ports.services import Services
from unmoor.products import (
    BuiltDocs,
    Dists,
    Draft,
    Notes,
    Proof,
    Provenance,
    Pushed,
    Release,
    Sboms,
    Signed,
    SignedImages,
    SumsSignature,
    Uploaded,
    Verified,
)
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.release_request import ReleaseRequest
from unmoor.stages.access import ProveAccess
from unmoor.stages.check_dists import CheckDists
from unmoor.stages.dists import BuildDists
from unmoor.stages.draft import MakeDraft
from unmoor.stages.notes import WriteNotes
from unmoor.stages.prove_dists import ProveDists
from unmoor.stages.pypi import UploadIndex
from unmoor.stages.tag import ResolveTag
from unmoor.stages.undraft import PublishDraft
from unmoor.stages.verify import VerifyRelease
from unmoor.util.values import replace


class Prepared(NamedTuple):
    """What a release makes and tests on this machine, for the stages that send it."""

    stages: tuple[Stage[Any] | None, ...]
    release: Output[Release]
    notes: Output[Notes]
    dists: Output[Dists]
    sboms: Output[Sboms] | None
    provenance: Output[Provenance] | None
    images: ImageOutputs
    docs: Output[BuiltDocs] | None
    checks: EarlyChecks
    gates: Gates


def prepare(request: ReleaseRequest, services: Services) -> Prepared:
    """Build the stages that send nothing: they read, and make and test everything on this machine."""
    # Every stage picks its settings and ports from these two.
    run = (request, services)

    resolve_tag = ResolveTag.of(*run)
    release = resolve_tag.output
    prove_access = ProveAccess.of(*run, release=release)
    access = prove_access.output
    write_notes = WriteNotes.of(*run, release=release)

    build_dists = BuildDists.of(*run, release=release, access=access)
    dists = build_dists.output
    check_dists = CheckDists.of(*run, release=release, dists=dists)
    prove_dists = ProveDists.of(*run, release=release, dists=dists)
    rebuild_dists = rebuild_stage(*run, release=release, dists=dists)
    rebuilt = output_of(rebuild_dists)
    scan_files = scan_stage(*run, dists=dists)
    scanned = output_of(scan_files)
    describe_wheels = sbom_stage(*run, release=release, dists=dists)
    sboms = output_of(describe_wheels)
    describe_build = provenance_stage(*run, release=release, dists=dists)
    provenance = output_of(describe_build)
    build_images, prove_images = image_stages(*run, release=release, dists=dists, access=access)
    scan_images = scan_images_stage(*run, built=output_of(build_images), files=scanned)
    describe_images = sbom_images_stage(*run, release=release, built=output_of(build_images))
    images = ImageOutputs(
        output_of(build_images), output_of(prove_images), output_of(scan_images), output_of(describe_images)
    )
    build_docs = build_docs_stage(*run, release=release, dists=dists)
    docs = output_of(build_docs)
    checks = early_checks(*run, release=release, docs=docs, images=output_of(build_images))
    gates = Gates(
        access=access,
        checks=check_dists.output,
        proof=prove_dists.output,
        rebuild=rebuilt,
        scan=scanned,
        deployments=without_none(docs, *map(gate_of, checks)),
    )

    stages = (
        *(resolve_tag, prove_access, write_notes),  # only read
        *(build_dists, check_dists, prove_dists, rebuild_dists),  # the files, made and tested here
        *(describe_wheels, scan_files),  # what each wheel needs, and what is wrong with it, beside the tests
        describe_build,  # what is signed about how they were made
        *(build_images, prove_images, scan_images, describe_images),  # images, if the project has some
        *(build_docs, *checks),  # what users get beside the release, and what could stop it later
    )
    return Prepared(stages, release, write_notes.output, dists, sboms, provenance, images, docs, checks, gates)


class Reversible(NamedTuple):
    """What a release has sent and can still take back, for the stages that make it public."""

    stages: tuple[Stage[Any] | None, ...]
    draft: Output[Draft]
    pushed: Output[Pushed] | None
    signed: Output[Signed] | None
    sums: Output[SumsSignature] | None
    signed_images: Output[SignedImages] | None
    staged: Output[Uploaded] | None
    staged_proof: Output[Proof] | None


def hold(request: ReleaseRequest, services: Services, prepared: Prepared) -> Reversible:
    """Build the stages that send what can be taken back: all that `release --hold` does."""
    run = (request, services)
    _, release, notes, dists, sboms, provenance, images, docs, _checks, gates = prepared

    sign_files = sign_stage(
        *run, release=release, dists=dists, sboms=sboms, docs=docs, provenance=provenance, images=images, gates=gates
    )
    signed = output_of(sign_files)
    sign_sums = sums_stage(*run, release=release, dists=dists, images=images, gates=gates)
    sums = output_of(sign_sums)
    make_draft = MakeDraft.of(
        *run,
        release=release,
        dists=dists,
        notes=notes,
        images=images,
        sboms=sboms,
        docs=docs,
        signed=signed,
        sums=sums,
        gates=gates,
    )
    draft = make_draft.output
    push_images = push_stage(*run, release=release, images=images, draft=draft, gates=gates)
    pushed = output_of(push_images)
    sign_images = sign_images_stage(*run, release=release, dists=dists, pushed=pushed, sboms=images.sboms)
    staging, prove_staged = staging_stages(*run, release=release, dists=dists, draft=draft, signed=signed, gates=gates)

    stages = (
        sign_files,  # adds to a public log, which says only who signed what
        sign_sums,  # by a key of the maintainers, if they have one
        make_draft,
        *(push_images, sign_images),
        *(staging, prove_staged),
    )
    return Reversible(
        stages, draft, pushed, signed, sums, output_of(sign_images), gate_of(staging), gate_of(prove_staged)
    )


def assemble(request: ReleaseRequest, services: Services) -> Pipeline:
    """Put the stages of a release together, and add those that nobody can take back."""
    run = (request, services)
    prepared = prepare(*run)
    sent = hold(*run, prepared)
    release, dists, sboms, gates = prepared.release, prepared.dists, prepared.sboms, prepared.gates
    _, draft, pushed, signed, sums, signed_images, staged, staged_proof = sent

    upload_index = UploadIndex.of(
        *run,
        release=release,
        dists=dists,
        draft=draft,
        pushed=pushed,
        signed=signed,
        signed_images=signed_images,
        staged=staged,
        staged_proof=staged_proof,
        gates=gates,
    )
    uploaded = upload_index.output
    tag_images = tags_stage(*run, release=release, pushed=pushed, uploaded=uploaded)
    tagged = output_of(tag_images)
    publish_draft = PublishDraft.of(*run, release=release, draft=draft, pushed=pushed, uploaded=uploaded, tagged=tagged)
    page = publish_draft.output
    verify = VerifyRelease.of(
        *run,
        release=release,
        dists=dists,
        uploaded=uploaded,
        page=page,
        pushed=pushed,
        tagged=tagged,
        sboms=sboms,
        docs=prepared.docs,
        signed=signed,
        sums=sums,
        signed_images=signed_images,
    )
    deployments = _deployments(*run, prepared, sent, verified=verify.output)

    return Pipeline.of(
        *prepared.stages,
        *sent.stages,
        # ---- the point of no return ----
        *(upload_index, tag_images, publish_draft, verify),
        *deployments,  # each on its own: one that fails stops no other
    )


def _deployments(
    request: ReleaseRequest,
    services: Services,
    prepared: Prepared,
    sent: Reversible,
    *,
    verified: Output[Verified],
) -> tuple[Stage[Any] | None, ...]:
    """Build the stages that deploy what belongs to a release, and the one that tells people."""
    run = (request, services)
    deployments = deployment_stages(
        *run,
        release=prepared.release,
        docs=prepared.docs,
        pushed=sent.pushed,
        checks=prepared.checks,
        verified=verified,
    )
    announce = announce_stage(
        *run,
        release=prepared.release,
        check=prepared.checks.announce,
        verified=verified,
        deployments=deployments,
    )
    return (*deployments, announce)


def assemble_deployments(request: ReleaseRequest, services: Services) -> Pipeline:
    """Put the deployments of a release together that is public: for a command that deploys one of them, or looks.

    What comes before them only looks for what they need: nothing else comes first, and the release is read once.
    """
    from unmoor.stages.public import FindPublic  # a release does without

    prepared = prepare(request, services)
    sent = hold(request, services, prepared)
    find_public = FindPublic.of(request, services, release=prepared.release)
    deployments = _deployments(request, services, prepared, sent, verified=find_public.output)
    first, *before = (stage for stage in (*prepared.stages, *sent.stages) if stage is not None)
    # What is not there is looked for in a release that is public, and not made.
    after = (find_public.output,)
    return Pipeline.of(first, find_public, *(replace(stage, after=after) for stage in before), *deployments)
