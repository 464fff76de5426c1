"""The stages of deployments, which only a project with their tables in its settings has: each is built here.

`unmoor.assembly` puts them into the release. Nothing of a deployment is imported by a release without it. What can fail
early (`build_docs_stage`, `early_checks`) runs before anything leaves this machine; `deployment_stages` and
`announce_stage` run when the release is public and verified.

A world without a place for a deployment, such as a private index, has no stage for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from unmoor.core.stage import Output, Stage
from unmoor.ports.services import Services
from unmoor.products import BuiltDocs, Dists, Images, Pushed, Release, Verified
from unmoor.release_request import ReleaseRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unmoor.deploy.announce.delivery import Delivering
    from unmoor.stages.build_docs import BuildDocs
    from unmoor.stages.docs import DeployDocs


class EarlyChecks(NamedTuple):
    """The checks of what deployments could fail of later, each ``None`` if there is nothing to check."""

    docs: Stage[Any] | None
    space: Stage[Any] | None
    service: Stage[Any] | None
    announce: Stage[Any] | None


def build_docs_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> BuildDocs | None:
    """Build the documentation with the tested wheel. None if the project has none.

    Draft and manifest wait for it, so it is never advisory itself: where the settings say so, it gives a product that
    has no file.
    """
    settings = request.settings.docs
    if settings is None:
        return None
    from unmoor.stages.build_docs import BuildDocs

    return BuildDocs.of(request, services, settings=settings, release=release, dists=dists)


def early_checks(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    docs: Output[BuiltDocs] | None,
    images: Output[Images] | None,
) -> EarlyChecks:
    """Check all that deployments could fail of later: branches, files of a Space, slots, proxies and addresses."""
    run = (request, services)
    return EarlyChecks(
        docs=_docs_check(*run, release=release, docs=docs),
        space=_space_check(*run, release=release),
        service=_service_check(*run, release=release, images=images),
        announce=_announce_check(*run),
    )


def deployment_stages(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    docs: Output[BuiltDocs] | None,
    pushed: Output[Pushed] | None,
    checks: EarlyChecks,
    verified: Output[Verified],
) -> tuple[Stage[Any], ...]:
    """Deploy documentation, Space and services, once the release is public and verified."""
    run = (request, services)
    stages = (
        _docs_stage(*run, release=release, docs=docs, verified=verified),
        _space_stage(*run, release=release, check=checks.space, verified=verified),
        *(
            _service_stage(*run, name, release=release, pushed=pushed, check=checks.service, verified=verified)
            for name in request.settings.service
        ),
    )
    return tuple(stage for stage in stages if stage is not None)


def announce_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    check: Stage[Any] | None,
    verified: Output[Verified],
    deployments: Sequence[Stage[Any]],
) -> Stage[Any] | None:
    """Tell people, last of all: the stage ``runs_last``, after what is verified and deployed. None if it is not wanted.

    Of ``after``, nothing stops it; ``context.failures`` has the errors.
    """
    delivering = _delivering(request, services)
    if delivering is None:
        return None
    from unmoor.stages.announce import Announce

    return Announce.of(
        request,
        delivering=delivering,
        release=release,
        verified=verified,
        after=[*([check.output] if check is not None else []), *(each.output for each in deployments)],
    )


def _docs_check(
    request: ReleaseRequest, services: Services, *, release: Output[Release], docs: Output[BuiltDocs] | None
) -> Stage[Any] | None:
    settings, open_branch = request.settings.docs, services.deployers.pages
    names = settings.branches if settings is not None else ()
    if docs is None or open_branch is None or not names:
        return None
    from unmoor.stages.check_docs import CheckDocs

    return CheckDocs.of(request, release=release, docs=docs, branches=tuple(open_branch(name) for name in names))


def _docs_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    docs: Output[BuiltDocs] | None,
    verified: Output[Verified],
) -> DeployDocs | None:
    if docs is None:
        return None
    from unmoor.stages.docs import DeployDocs

    stage = DeployDocs.of(request, services, release=release, docs=docs, verified=verified)
    return stage if stage.branches or stage.services else None


def _space_check(request: ReleaseRequest, services: Services, *, release: Output[Release]) -> Stage[Any] | None:
    settings, open_space = request.settings.space, services.deployers.space
    if settings is None or open_space is None or "space" in request.skipped:
        return None
    from unmoor.stages.check_space import CheckSpace

    return CheckSpace.of(request, services, release=release, settings=settings, hub=open_space(settings.repo))


def _space_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    check: Stage[Any] | None,
    verified: Output[Verified],
) -> Stage[Any] | None:
    settings, open_space = request.settings.space, services.deployers.space
    if check is None or settings is None or open_space is None:
        return None
    from unmoor.stages.space import DeploySpace

    hub = open_space(settings.repo)
    return DeploySpace.of(
        request, services, release=release, files=check.output, settings=settings, hub=hub, after=(verified,)
    )


def _service_check(
    request: ReleaseRequest, services: Services, *, release: Output[Release], images: Output[Images] | None
) -> Stage[Any] | None:
    if not request.settings.service or "service" in request.skipped:
        return None
    from unmoor.stages.check_service import CheckService

    return CheckService.of(request, services, release=release, images=images)


def _service_stage(
    request: ReleaseRequest,
    services: Services,
    name: str,
    *,
    release: Output[Release],
    pushed: Output[Pushed] | None,
    check: Stage[Any] | None,
    verified: Output[Verified],
) -> Stage[Any] | None:
    if check is None or pushed is None:
        return None
    from unmoor.stages.service import DeployService

    return DeployService.of(request, services, service=name, release=release, pushed=pushed, verified=verified)


def _announce_check(request: ReleaseRequest, services: Services) -> Stage[Any] | None:
    delivering = _delivering(request, services)
    if delivering is None:
        return None
    from unmoor.stages.check_announce import CheckAnnounce

    return CheckAnnounce.of(delivering)


def _delivering(request: ReleaseRequest, services: Services) -> Delivering | None:
    """What sends messages. None if nobody is to be told, or if this world has no place for messages."""
    if request.settings.announce is None or "announce" in request.skipped:
        return None
    from unmoor.deploy.announce.delivery import Delivering

    return Delivering.of(request.settings.announce, services)
