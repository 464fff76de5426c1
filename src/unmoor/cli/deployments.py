"""Which stage is a deployment, which command deploys it, and what of a release is deployed now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from unmoor import advice
from unmoor.cli import project_code
from unmoor.cli.run_options import RunOptions
from unmoor.core.events import Report
from unmoor.core.pipeline import AnyStage
from unmoor.core.stage import Reach
from unmoor.errors import Incomplete, UnmoorError
from unmoor.render import words

_SERVICE = "service-"


def stage_of(deploys: Sequence[str]) -> str:
    """The stage of a deployment that the command line names: ``service-web`` of ``service web``."""
    return "-".join(deploys)


def words_of(stage: str) -> tuple[str, ...]:
    """The words of the command line for the stage of a deployment; none for any other stage.

    >>> words_of("service-web"), words_of("docs"), words_of("pypi")
    (('service', 'web'), ('docs',), ())
    """
    if stage.startswith(_SERVICE):
        return ("service", stage.removeprefix(_SERVICE))
    return (stage,) if stage in {"docs", "space"} else ()


def failed_deployments(report: Report) -> tuple[tuple[str, ...], ...]:
    """The deployments that failed, as the command line names them; none if anything else failed too."""
    failed = tuple(words_of(each.info.name) for each in words.failures(report))
    return failed if all(failed) else ()


def refuses(options: RunOptions) -> Callable[[AnyStage], UnmoorError | None]:
    """What gives the error for a stage that must not make anything in a run."""
    if options.deploys:
        return partial(refusal, wanted=stage_of(options.deploys))
    return project_code.refusal if options.no_project_code else lambda _: None


def refusal(stage: AnyStage, *, wanted: str) -> UnmoorError | None:
    """The error for a stage that would make something although only a deployment is asked for; ``None`` for others."""
    if stage.name == wanted or stage.reach is Reach.READS:
        return None
    return Incomplete(
        f"the release does not have what the stage {stage.name} gives, and nothing is built for a deployment",
        next_step=advice.RELEASE_WITH_DEPLOYMENT(),
        retryable=False,
    )
