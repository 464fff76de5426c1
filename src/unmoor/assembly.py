"""The release, from top to bottom: the file to read first.

A request and services go in, a pipeline comes out. Each stage is built once, from the outputs of the
stages it needs; a missing or mistaken one is a type error. `prepare` makes everything on this machine, `assemble` adds
what sends it: together their two lists are the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Output, Stage
from unmoor.ports.services import Services
from unmoor.products import (
    Dists,
    Draft,
    Images,
    Notes,
    Provenance,
    Pushed,
    Release,
    Sboms,
    Scanned,
    Signed,
    Uploaded,
)
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.release_request import ReleaseRequest
from unmoor.stages.access import ProveAccess
from unmoor.stages.check_dists import CheckDists
from unmoor.stages.dists import BuildDists
from unmoor.stages.draft import MakeDraft
from unmoor.stages.notes import WriteNotes
from unmoor.stages.prove_dists import ProveDists
from unmoor.stages.prove_testpypi import ProveStaged
from unmoor.stages.pypi import UploadIndex
from unmoor.stages.tag import ResolveTag
from unmoor.stages.testpypi import UploadStaging
from unmoor.stages.undraft import PublishDraft
from unmoor.stages.verify import VerifyRelease

if TYPE_CHECKING:
    from unmoor.stages.image_tags import TagImages
    from unmoor.stages.images import BuildImages
    from unmoor.stages.prove_images import ProveImages
    from unmoor.stages.provenance import DescribeBuild
    from unmoor.stages.rebuild import RebuildDists
    from unmoor.stages.registry import PushImages
    from unmoor.stages.sbom import DescribeWheels
    from unmoor.stages.scan import ScanFiles
    from unmoor.stages.scan_images import ScanImages
    from unmoor.stages.sign import SignFiles
    from unmoor.stages.sign_images import SignImages
    from unmoor.stages.sign_sums import SignSums

P = TypeVar("P")


class Prepared(NamedTuple):
    """What a release makes and tests on this machine, for the stages that send it."""

    release: Output[Release]
    notes: Output[Notes]
    dists: Output[Dists]
    sboms: Output[Sboms] | None
    provenance: Output[Provenance] | None
    images: ImageOutputs
    gates: Gates


def prepare(request: ReleaseRequest, services: Services) -> tuple[tuple[Stage[Any] | None, ...], Prepared]:
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
    gates = Gates(access=access, checks=check_dists.output, proof=prove_dists.output, rebuild=rebuilt, scan=scanned)

    describe_wheels = sbom_stage(*run, release=release, dists=dists)
    sboms = output_of(describe_wheels)
    describe_build = provenance_stage(*run, release=release, dists=dists)
    provenance = output_of(describe_build)
    build_images, prove_images = image_stages(*run, release=release, dists=dists, gates=gates)
    scan_images = scan_images_stage(*run, built=output_of(build_images), files=scanned)
    images = ImageOutputs(output_of(build_images), output_of(prove_images), output_of(scan_images))

    stages = (
        *(resolve_tag, prove_access, write_notes),  # only read
        *(build_dists, check_dists, prove_dists, rebuild_dists),  # the files, made and tested here
        *(describe_wheels, scan_files),  # what each wheel needs, and what is wrong with it, beside the tests
        describe_build,  # what is signed about how they were made
        *(build_images, prove_images, scan_images),  # images, if the project has some
    )
    return stages, Prepared(release, write_notes.output, dists, sboms, provenance, images, gates)


def assemble(request: ReleaseRequest, services: Services) -> Pipeline:
    """Put the stages of a release together."""
    run = (request, services)
    prepared, (release, notes, dists, sboms, provenance, images, gates) = prepare(*run)

    sign_files = sign_stage(
        *run, release=release, dists=dists, sboms=sboms, provenance=provenance, images=images, gates=gates
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
        signed=signed,
        sums=sums,
        gates=gates,
    )
    draft = make_draft.output
    push_images = push_stage(*run, release=release, images=images, draft=draft, gates=gates)
    pushed = output_of(push_images)
    sign_images = sign_images_stage(*run, release=release, dists=dists, pushed=pushed)
    staging, prove_staged = staging_stages(*run, release=release, dists=dists, draft=draft, signed=signed, gates=gates)

    upload_index = UploadIndex.of(
        *run,
        release=release,
        dists=dists,
        draft=draft,
        pushed=pushed,
        signed=signed,
        signed_images=output_of(sign_images),
        staged=gate_of(staging),
        staged_proof=gate_of(prove_staged),
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
        signed=signed,
        sums=sums,
        signed_images=output_of(sign_images),
    )

    return Pipeline.of(
        *prepared,
        sign_files,  # adds to a public log, which says only who signed what
        sign_sums,  # by a key of the maintainers, if they have one
        *(make_draft, push_images, sign_images, staging, prove_staged),  # can still be taken back
        # ---- the point of no return ----
        *(upload_index, tag_images, publish_draft, verify),
    )


def scan_stage(request: ReleaseRequest, services: Services, *, dists: Output[Dists]) -> ScanFiles | None:
    """Scan the files. None if the settings turn everything off."""
    options = request.settings.scan
    if options.secrets == options.vulnerabilities == "off":
        return None
    from unmoor.stages.scan import ScanFiles

    return ScanFiles.of(request, services, dists=dists)


def provenance_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> DescribeBuild | None:
    """Describe how the files were made. None if nothing is ever signed; whether this job can sign does not matter."""
    if services.signing is None or request.settings.attestations == "off":
        return None
    from unmoor.stages.provenance import DescribeBuild

    return DescribeBuild.of(request, release=release, dists=dists)


def rebuild_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> RebuildDists | None:
    """Build the files a second time, and compare. None if the settings turn that off."""
    if request.settings.reproducible == "off":
        return None
    from unmoor.stages.rebuild import RebuildDists

    return RebuildDists.of(request, services, release=release, dists=dists)


def image_stages(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    gates: Gates,
) -> tuple[BuildImages, ProveImages] | tuple[None, None]:
    """Build images from the tested wheels and test them. None if the project has none."""
    if not request.images:
        return None, None
    # Projects without images load none of this, here and below.
    from unmoor.stages.images import BuildImages
    from unmoor.stages.prove_images import ProveImages

    run = (request, services)
    images = BuildImages.of(*run, release=release, dists=dists, access=gates.access)
    built = images.output
    return images, ProveImages.of(*run, release=release, images=built)


def scan_images_stage(
    request: ReleaseRequest, services: Services, *, built: Output[Images] | None, files: Output[Scanned] | None
) -> ScanImages | None:
    """Scan the images. None if the project has none, or if the settings turn this off."""
    if built is None or files is None or request.settings.scan.vulnerabilities == "off":
        return None
    from unmoor.stages.scan_images import ScanImages

    return ScanImages.of(request, services, images=built, files=files)


def sbom_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> DescribeWheels | None:
    """Describe what each wheel needs. None if the settings say so."""
    if request.settings.sbom == "off":
        return None
    from unmoor.stages.sbom import DescribeWheels

    return DescribeWheels.of(request, services, release=release, dists=dists)


def sign_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    provenance: Output[Provenance] | None,
    images: ImageOutputs,
    sboms: Output[Sboms] | None,
    gates: Gates,
) -> SignFiles | None:
    """Sign the tested files. None if the settings or this machine's lack of an identity say so."""
    signing = request.signing(services)
    if signing is None or provenance is None:
        return None
    from unmoor.stages.sign import SignFiles

    run = (request, services)
    return SignFiles.of(
        *run,
        signing=signing,
        release=release,
        dists=dists,
        sboms=sboms,
        provenance=provenance,
        images=images,
        gates=gates,
    )


def sums_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    images: ImageOutputs,
    gates: Gates,
) -> SignSums | None:
    """Sign the list of checksums with a key. None if the settings name none."""
    signer = request.sums_signer(services)
    if signer is None:
        return None
    from unmoor.stages.sign_sums import SignSums

    return SignSums.of(request, services, signer=signer, release=release, dists=dists, images=images, gates=gates)


def push_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    images: ImageOutputs,
    draft: Output[Draft],
    gates: Gates,
) -> PushImages | None:
    """Push the tested images under their commit's tag. None if the project has none."""
    built, proof, _ = images
    if built is None or proof is None:
        return None
    from unmoor.stages.registry import PushImages

    return PushImages.of(request, services, release=release, images=built, proof=proof, draft=draft, gates=gates)


def sign_images_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    pushed: Output[Pushed] | None,
) -> SignImages | None:
    """Sign the pushed images. None if the project has none, or if nothing is signed."""
    signing = request.signing(services)
    if signing is None or pushed is None:
        return None
    from unmoor.stages.sign_images import SignImages

    return SignImages.of(request, services, signing=signing, release=release, dists=dists, pushed=pushed)


def tags_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    pushed: Output[Pushed] | None,
    uploaded: Output[Uploaded],
) -> TagImages | None:
    """Give the pushed images all their tags, once the files are public. None if the project has none."""
    if pushed is None:
        return None
    from unmoor.stages.image_tags import TagImages

    return TagImages.of(request, services, release=release, pushed=pushed, uploaded=uploaded)


def staging_stages(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    draft: Output[Draft],
    signed: Output[Signed] | None,
    gates: Gates,
) -> tuple[UploadStaging | None, ProveStaged | None]:
    """Upload to an index that nobody installs from, and install what it serves."""
    index = request.staging(services)
    if index is None:
        return None, None
    run = (request, services)
    upload = UploadStaging.of(*run, release=release, dists=dists, index=index, draft=draft, signed=signed, gates=gates)
    if ProveStaged.name in request.skipped:
        return upload, None
    return upload, ProveStaged.of(*run, release=release, dists=dists, uploaded=upload.output, index=index)


def output_of(stage: Stage[P] | None) -> Output[P] | None:
    """The output of a stage that a project may do without."""
    return stage.output if stage is not None else None


def gate_of(stage: Stage[P] | None) -> Output[P] | None:
    """The output that a final stage waits for; an advisory stage holds nobody up."""
    return None if stage is None or stage.advisory else stage.output
