"""Run ``unmoor deploy``: one deployment of a public release, and nothing before it but looking."""

from __future__ import annotations

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import session
from unmoor.cli.deployments import stage_of
from unmoor.cli.run_options import FileOptions, RunOptions, TargetOptions
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach
from unmoor.errors import ConfigError
from unmoor.util.text import clean


def run(
    deploys: tuple[str, ...],
    target: TargetOptions,
    *,
    digests: tuple[str, ...],
    any_version: bool = False,
    as_json: bool,
    hold: bool = False,
) -> int:
    """Deploy what ``deploys`` names, as the command line writes it. Print the result and return the exit code.

    ``hold``: a service is started and not switched to.
    """
    options = RunOptions(
        target=target,
        ceiling=Reach.REMOTE,
        until=(stage_of(deploys),),
        files=FileOptions(digests=digests),
        as_json=as_json,
        engine=False,
        deploys=deploys,
        any_version=any_version,
        holds_service=hold,
    )
    with Processes() as processes:
        opened = session.open_session(options, processes)
        require_deployment(opened, deploys)
        report = session.run_session(opened, options, processes)
        return session.finish(report, opened, options)


def require_deployment(opened: session.Session, deploys: tuple[str, ...]) -> None:
    """Raise `ConfigError` if the release has no such deployment: neither its settings nor the world may lack it."""
    if stage_of(deploys) in opened.pipeline.names:
        return
    table, tag = ".".join(deploys), clean(opened.request.tag)
    if _is_configured(opened.request.settings, deploys):
        raise ConfigError(
            f"the world {clean(opened.world.name)} has no place for {clean(' '.join(deploys))}",
            next_step=advice.DESCRIBE_DEPLOYMENT(),
        )
    others = list(opened.request.settings.service) if deploys[0] == "service" else []
    known = f"; its services are: {', '.join(others)}" if others else ""
    raise ConfigError(
        f"there is no table [tool.unmoor.{clean(table)}] in the settings of {tag}{known}",
        next_step=advice.CONFIGURE_DEPLOYMENT(table=clean(table)),
    )


def _is_configured(settings: Settings, deploys: tuple[str, ...]) -> bool:
    if deploys[0] == "service":
        return deploys[1] in settings.service
    return getattr(settings, deploys[0]) is not None
