"""The stages of deployments, which only a project with their tables in its settings has: each is built here.

`unmoor.assembly` puts them into the release. Nothing of a deployment is imported by a release without it. What can fail
early (`build_docs_stage`, `early_checks`) runs before anything leaves this machine; `deployment_stages` and
`announce_stage` run when the release is public and verified.

A world without a place for a deployment, such as a private index, has no stage for it.
"""

# ruff: noqa: ARG001 - each owner removes this with the last unused argument

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unmoor.core.stage import Output, Stage
from unmoor.errors import ConfigError
from unmoor.ports.services import Services
from unmoor.products import Dists, Images, Notes, PublishedRelease, Pushed, Release, Verified
from unmoor.release_request import ReleaseRequest

if TYPE_CHECKING:
    from collections.abc import Sequence


def build_docs_stage(
    request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]
) -> Stage[Any] | None:
    """Build the documentation with the tested wheel. None if the project has none.

    Draft and manifest wait for it, so it is never advisory itself: where the settings say so, it gives a product that
    has no file.
    """
    if request.settings.docs is None:
        return None
    raise _not_here("docs")


def early_checks(
    request: ReleaseRequest, services: Services, *, release: Output[Release], images: Output[Images] | None
) -> tuple[Stage[Any], ...]:
    """Check all that deployments could fail of later: files of a Space, slots, proxies and who hears of the release."""
    checks: list[Stage[Any]] = []
    settings = request.settings
    if settings.space is not None:
        raise _not_here("space")
    if settings.service:
        raise _not_here("service")
    if settings.announce is not None:
        raise _not_here("announce")
    return tuple(checks)


def deployment_stages(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    docs: Output[Any] | None,
    pushed: Output[Pushed] | None,
    verified: Output[Verified],
) -> tuple[Stage[Any], ...]:
    """Deploy documentation, Space and services, once the release is public and verified."""
    stages: list[Stage[Any]] = []
    settings = request.settings
    if settings.docs is not None:
        raise _not_here("docs")
    if settings.space is not None:
        raise _not_here("space")
    for _name in settings.service:
        raise _not_here("service")
    return tuple(stages)


def announce_stage(
    request: ReleaseRequest,
    services: Services,
    *,
    release: Output[Release],
    notes: Output[Notes],
    page: Output[PublishedRelease],
    deployments: Sequence[Output[Any]],
) -> Stage[Any] | None:
    """Tell people, last of all. None if nobody is to be told."""
    if request.settings.announce is None:
        return None
    raise _not_here("announce")


def _not_here(table: str) -> ConfigError:
    return ConfigError(f"this version of unmoor cannot deploy what the table {table} describes")
