"""The release, from top to bottom. This is the file to read first.

Settings and a world go in, a pipeline comes out. Each stage stands here once, in the order in which
a person would tell it; what it is given decides what it can reach.
"""

from __future__ import annotations

from unmoor.adapters.factory import Services
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.settings import Settings
from unmoor.core.pipeline import AnyStage, Pipeline
from unmoor.core.stage import Output, P, Reach, Stage
from unmoor.images import image_plan, legs
from unmoor.release_request import ReleaseRequest, staging_index
from unmoor.stages.access import ProveAccess
from unmoor.stages.check_dists import CheckDists
from unmoor.stages.dists import BuildDists
from unmoor.stages.draft import MakeDraft
from unmoor.stages.image_tags import TagImages
from unmoor.stages.images import BuildImages
from unmoor.stages.notes import WriteNotes
from unmoor.stages.prove_dists import ProveDists
from unmoor.stages.prove_images import ProveImages
from unmoor.stages.prove_testpypi import ProveStaged
from unmoor.stages.pypi import UploadIndex
from unmoor.stages.registry import PushImages
from unmoor.stages.tag import ResolveTag
from unmoor.stages.testpypi import UploadStaging
from unmoor.stages.undraft import PublishDraft
from unmoor.stages.verify import VerifyRelease


def given(stage: Stage[P] | None) -> Output[P] | None:
    """The promise of a stage that a project may do without."""
    return stage.output if stage is not None else None


def assemble(
    target: ReleaseRequest, settings: Settings, services: Services, folder: RunFolder, limit: Reach
) -> Pipeline:
    """Put the stages of a release together. ``limit`` is how far the run may reach."""
    lines = image_plan.image_plans(target.images, target.repository, services.registry)
    registries = image_plan.registries(lines)
    staging = staging_index(settings, services, target.skipped)
    advisory = settings.testpypi == "advisory"

    # Whatever has to be built is built within the project's constraints.
    environments = services.environments.under(settings.build_constraints)

    # What is released: one tag, one version, one commit.
    tag = ResolveTag(
        name="tag",
        tag=target.tag,
        named=target.named,
        repository=target.repository,
        expected_repository=settings.repository,
        real=target.real,
        project=settings.project,
        commit=target.commit,
        prefix=settings.tag_prefix,
        settings=target.settings,
        signers=settings.allowed_signers if settings.signed_tags else "",
        moves=limit >= Reach.REMOTE,
        git=services.git,
        index=services.index if target.published else None,
        forge=services.forge if target.published else None,
    )

    # Every login, permission and name, as far as reading can tell.
    access = ProveAccess(
        name="access",
        release=tag.output,
        index=services.index,
        staging=staging,
        advisory_staging=advisory,
        forge=services.forge,
        registries=registries,
        limit=limit,
    )

    # What users will read.
    notes = WriteNotes(
        name="notes",
        release=tag.output,
        git=services.git,
        shell=services.shell,
        changelog=settings.changelog,
        empty=settings.empty_notes,
    )

    # The files, built once from a clone of the commit, and everything that can be told about them here.
    dists = BuildDists(
        name="dists",
        release=tag.output,
        git=services.git,
        backend=services.backend.under(settings.build_constraints),
        environments=environments,
        forge=services.forge,
        index=services.index,
        staging=services.staging if settings.testpypi == "required" else None,
        folder=folder,
        python=settings.python,
        formats=settings.formats,
        wheel_from=settings.wheel_from,
        build_constraints=settings.build_constraints,
        skipped=target.skipped,
        prebuilt=target.prebuilt,
        handed=target.handed,
        whole=limit >= Reach.REMOTE,
        after=(access.output,),
    )
    fit = CheckDists(
        name="check-dists",
        release=tag.output,
        dists=dists.output,
        git=services.git,
        folder=folder,
        max_file_size=settings.max_file_size << 20,
        any_platform=target.any_platform,
    )
    proof = ProveDists(
        name="prove-dists",
        release=tag.output,
        dists=dists.output,
        git=services.git,
        environments=environments,
        folder=folder,
        python=settings.python,
        tests=settings.tests,
        test_command=settings.test_command,
        test_requires=settings.test_requires,
        test_extras=settings.test_extras,
        test_groups=settings.test_groups,
        test_pythons=settings.test_pythons,
        test_sources=settings.test_sources,
        test_timeout=settings.test_timeout,
    )

    # The images, built beside the proofs of the very wheels that lie in them.
    images: BuildImages | None = None
    image_proof: ProveImages | None = None
    pushed: PushImages | None = None
    packages = {r.name: p for r in registries if (p := services.packages(r.name)) is not None}
    if lines:
        images = BuildImages(
            name="images",
            release=tag.output,
            dists=dists.output,
            git=services.git,
            engine=services.engine,
            folder=folder,
            settings=target.images,
            repository=target.repository,
            platforms=target.platforms,
            keep=target.keep_images,
            local_prefix=target.local_prefix,
            archives=legs.archives(target.legs),
            environ=target.secrets,
            registries=registries,
            site=target.site,
            after=(access.output,),
        )
        image_proof = ProveImages(
            name="prove-images",
            release=tag.output,
            images=images.output,
            engine=services.engine,
            folder=folder,
            settings=target.images,
            repository=target.repository,
        )
        pushed = PushImages(
            name="registry",
            release=tag.output,
            images=images.output,
            proof=image_proof.output,
            engine=services.engine,
            lines=lines,
            folder=folder,
            clock=services.clock,
            packages=packages,
            after=(access.output, notes.output, fit.output, proof.output),
        )

    # The first surface to hold the files is the one that can be taken back.
    draft = MakeDraft(
        name="draft",
        release=tag.output,
        dists=dists.output,
        notes=notes.output,
        proof=proof.output,
        images=given(images),
        image_proof=given(image_proof),
        pushed=given(pushed),
        forge=services.forge,
        folder=folder,
        clock=services.clock,
        after=(access.output, fit.output),
    )

    before: list[AnyStage] = [tag, access, notes, dists, fit, proof]
    before += [stage for stage in (images, image_proof, pushed, draft) if stage is not None]
    required: list[AnyStage] = [fit, proof, draft]

    # A rehearsal on an index that nobody installs from.
    staged: UploadStaging | None = None
    if staging is not None:
        staged = UploadStaging(
            name="testpypi",
            release=tag.output,
            dists=dists.output,
            index=staging,
            clock=services.clock,
            after=(access.output, fit.output, proof.output, draft.output),
            advisory=advisory,
        )
        before.append(staged)
        required += [] if advisory else [staged]
    if staged is not None and "prove-testpypi" not in target.skipped:
        staged_proof = ProveStaged(
            name="prove-testpypi",
            release=tag.output,
            dists=dists.output,
            uploaded=staged.output,
            index=staged.index,
            environments=environments,
            folder=folder,
            clock=services.clock,
            python=settings.python,
            advisory=staged.advisory,
        )
        before.append(staged_proof)
        required += [] if staged_proof.advisory else [staged_proof]

    # ---- the point of no return ----
    index = UploadIndex(
        name="pypi",
        release=tag.output,
        dists=dists.output,
        index=services.index,
        clock=services.clock,
        git=services.git,
        after=(access.output, *(stage.output for stage in required)),
    )

    # From here on only what follows from it.
    pointed: TagImages | None = None
    if pushed is not None:
        pointed = TagImages(
            name="image-tags",
            release=tag.output,
            pushed=pushed.output,
            lines=lines,
            folder=folder,
            git=services.git,
            clock=services.clock,
            packages=packages,
            after=(index.output,),
        )
    page = PublishDraft(
        name="undraft",
        release=tag.output,
        draft=draft.output,
        forge=services.forge,
        git=services.git,
        clock=services.clock,
        after=(index.output, *([pointed.output] if pointed else [])),
    )
    verify = VerifyRelease(
        name="verify",
        release=tag.output,
        dists=dists.output,
        uploaded=index.output,
        page=page.output,
        pointed=given(pointed),
        registries=registries,
        index=services.index,
        forge=services.forge,
        clock=services.clock,
        patience=settings.verify_patience,
    )
    after = [stage for stage in (pointed, page, verify) if stage is not None]
    return Pipeline((*before, index, *after))
