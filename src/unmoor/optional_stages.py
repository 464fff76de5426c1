"""The stages that a project or its settings may do without: each is built here, or is ``None``.

`unmoor.assembly` puts them into the release. A stage is imported only by a release that has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from unmoor.core.stage import Output, Stage
from unmoor.ports.services import Services
from unmoor.products import (
    Access,
    BuiltDocs,
    Dists,
    Draft,
    Images,
    ImageSboms,
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
from unmoor.stages.prove_testpypi import ProveStaged
from unmoor.stages.testpypi import UploadStaging

if TYPE_CHECKING:
    from unmoor.stages.image_tags import TagImages
    from unmoor.stages.images import BuildImages
    from unmoor.stages.prove_images import ProveImages
    from unmoor.stages.provenance import DescribeBuild
    from unmoor.stages.rebuild import RebuildDists
    from unmoor.stages.registry import PushImages
    from unmoor.stages.sbom import DescribeWheels
    from unmoor.stages.sbom_images import DescribeImages
    from unmoor.stages.scan import ScanFiles
    from unmoor.stages.scan_images import ScanImages
    from unmoor.stages.sign import SignFiles
    from unmoor.stages.sign_images import SignImages
    from unmoor.stages.sign_sums import SignSums

P = TypeVar("P")


def rebuild_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> RebuildDists | None:
    """Build the files a second time, and compare. None if the settings turn that off."""
    if request.settings.reproducible == "off":
        return None
    from unmoor.stages.rebuild import RebuildDists

    return RebuildDists.of(request, services, release=release, dists=dists)


def sbom_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> DescribeWheels | None:
    """Describe what each wheel needs. None if the settings say so."""
    if request.settings.sbom == "off":
        return None
    from unmoor.stages.sbom import DescribeWheels

    return DescribeWheels.of(request, services, release=release, dists=dists)


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


def image_stages(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    access: Output[Access],
) -> tuple[BuildImages, ProveImages] | tuple[None, None]:
    """Build images from the tested wheels and test them. None if the project has none."""
    if not request.images:
        return None, None
    from unmoor.stages.images import BuildImages
    from unmoor.stages.prove_images import ProveImages

    run = (request, services)
    images = BuildImages.of(*run, release=release, dists=dists, access=access)
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


def sbom_images_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], built: Output[Images] | None
) -> DescribeImages | None:
    """Describe what is in the images. None if the project has none, or if the settings say so."""
    if built is None or request.settings.sbom == "off":
        return None
    from unmoor.stages.sbom_images import DescribeImages

    return DescribeImages.of(request, services, release=release, images=built)


def sign_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    dists: Output[Dists],
    provenance: Output[Provenance] | None,
    images: ImageOutputs,
    sboms: Output[Sboms] | None,
    docs: Output[BuiltDocs] | None,
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
        docs=docs,
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
    built, proof = images.images, images.proof
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
    sboms: Output[ImageSboms] | None,
) -> SignImages | None:
    """Sign the pushed images. None if the project has none, or if nothing is signed."""
    signing = request.signing(services)
    if signing is None or pushed is None:
        return None
    from unmoor.stages.sign_images import SignImages

    return SignImages.of(request, services, signing=signing, release=release, dists=dists, pushed=pushed, sboms=sboms)


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


def output_of(stage: Stage[P] | None) -> Output[P] | None:
    """The output of a stage that a project may do without."""
    return stage.output if stage is not None else None


def gate_of(stage: Stage[P] | None) -> Output[P] | None:
    """The output that a final stage waits for; an advisory stage holds nobody up."""
    return None if stage is None or stage.advisory else stage.output
