"""The jobs of release.yml that deploy what belongs to a release, each with the one credential that it needs.

Those that check run before anything is sent, and those that deploy once the release is public. None runs code of the
project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unmoor.config.real_world import HUB_TOKEN, READTHEDOCS_TOKEN
from unmoor.config.registries import GITHUB
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, JobPermission, Scalar, WorkflowJob
from unmoor.workflows.release_build import has_docs
from unmoor.workflows.release_parts import (
    READ,
    TOKEN,
    begin,
    git_login,
    hosts,
    images,
    images_of,
    is_private,
    manifest_of,
    minutes,
    needs_of,
    read_token,
    release_step,
)

_HELD: Final = manifest_of("hold", "HELD")
_HELD_IMAGES: Final = images_of("hold", "HELD_IMAGES")
_LOCAL: Final = ("--no-project-code",)


def deploys(facts: WorkflowFacts) -> bool:
    """Whether anything is deployed, or anybody told."""
    settings = facts.settings
    return has_docs(facts) or bool(settings.space or settings.service or settings.announce)


def left_to_others(facts: WorkflowFacts) -> tuple[str, ...]:
    """The options of the jobs that release, which leave the checks of deployments to jobs of their own."""
    settings = facts.settings
    names = {"space": settings.space, "service": settings.service, "announce": settings.announce}
    return tuple(f"--skip {name}" for name, table in names.items() if table)


def early_jobs(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """The jobs that check what a deployment could fail of later."""
    settings = facts.settings
    space = (_check(facts, "space", _hub_secret()),) if settings.space else ()
    service = (_check(facts, "service", read_token(facts), runs_on=_runner(facts)),) if settings.service else ()
    announce = (_check(facts, "announce", _targets(facts)),) if settings.announce else ()
    return (*space, *service, *announce)


def deploy_jobs(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """The jobs that deploy a public release, and the one that tells people, last of all."""
    settings = facts.settings
    jobs = [_deploy_docs(facts)] if has_docs(facts) else []
    jobs += [_deploy_space(facts)] if settings.space else []
    jobs += [_deploy_service(facts, name) for name in settings.service]
    return (*jobs, *((_announce(facts, [job.id for job in jobs]),) if settings.announce else ()))


def _check(
    facts: WorkflowFacts, what: str, env: Mapping[str, Scalar], *, runs_on: str = "ubuntu-latest"
) -> WorkflowJob:
    stage = f"check-{what}"
    # Another job builds the images.
    without = ("--skip images",) if what == "service" and facts.platforms else ()
    return WorkflowJob(
        id=stage,
        name=f"Check the {_NAMES[what]}",
        comment="Only looks, before anything is sent: what could fail later fails here.",
        needs=needs_of(facts, "build"),
        minutes=minutes(facts),
        runs_on=runs_on,
        permissions=(READ,),
        steps=(
            *begin(facts),
            release_step("Look", (f"--until {stage}", *without, *_LOCAL), env={**read_token(facts), **env}),
        ),
    )


_NAMES: Final = {"space": "Space", "service": "services", "announce": "announcement"}


def _deploy_docs(facts: WorkflowFacts) -> WorkflowJob:
    targets = facts.settings.docs.targets if facts.settings.docs else ()
    on_branch = any(each.startswith("branch:") for each in targets)
    hosted = any(each.startswith("readthedocs:") for each in targets)
    writes = JobPermission("contents", "write", "to push the documentation to its branch")
    return WorkflowJob(
        id="deploy-docs",
        name="Deploy the documentation",
        needs=needs_of(facts, "hold", "publish"),
        minutes=minutes(facts),
        permissions=(writes if on_branch else READ,),
        # Two releases push to one branch, and neither may wait for a person.
        concurrency=Concurrency(group="deploy-docs", queue=True),
        steps=(
            *begin(facts),
            *((git_login(),) if on_branch and not is_private(facts) else ()),
            release_step(
                "Put it where it is read",
                (),
                (_HELD,),
                env={**(TOKEN if on_branch else read_token(facts)), **(_secret(READTHEDOCS_TOKEN) if hosted else {})},
                command="deploy docs",
            ),
        ),
    )


def _deploy_space(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="deploy-space",
        name="Deploy the Space",
        needs=needs_of(facts, "hold", "publish"),
        minutes=minutes(facts),
        permissions=(READ,),
        concurrency=Concurrency(group="deploy-space", queue=True),
        steps=(
            *begin(facts),
            release_step(
                "Commit its files, and wait until it runs",
                (),
                (_HELD,),
                env={**read_token(facts), **_hub_secret()},
                command="deploy space",
            ),
        ),
    )


def _deploy_service(facts: WorkflowFacts, name: str) -> WorkflowJob:
    on_forge = GITHUB in hosts(facts)
    pulls = (JobPermission("packages", "read", "to pull the image"),) if on_forge else ()
    return WorkflowJob(
        id=f"deploy-service-{name.replace('.', '_')}",
        name=f"Deploy the service {name}",
        comment="Runs on the machine of the service, which has the socket of its HAProxy.",
        needs=needs_of(facts, "hold", "publish"),
        minutes=minutes(facts),
        runs_on=facts.settings.service[name].runner,
        permissions=(READ, *pulls),
        concurrency=Concurrency(group=f"deploy-{name}", queue=True),
        steps=(
            *begin(facts),
            release_step(
                "Switch it to the new image, and watch it",
                (),
                (_HELD, _HELD_IMAGES) if images(facts) else (_HELD,),
                env=TOKEN if on_forge else read_token(facts),
                command=f"deploy service {name}",
            ),
        ),
    )


def _announce(facts: WorkflowFacts, after: list[str]) -> WorkflowJob:
    announce = facts.settings.announce
    always = announce is not None and "failed" in announce.on
    failed: dict[str, Scalar] = (
        {"FAILED": "${{ contains(needs.*.result, 'failure') && 'yes' || '' }}"} if always else {}
    )
    return WorkflowJob(
        id="announce",
        name="Tell people",
        needs=needs_of(facts, "hold", "publish", *after),
        only_if="!cancelled() && github.ref_type == 'tag'" if always else "",
        minutes=minutes(facts),
        permissions=(JobPermission("contents", "write", "to note in the release what was sent"),),
        steps=(
            *begin(facts),
            release_step(
                "Send one message to each target",
                ("${FAILED:+--failed}",) if always else (),
                env={**TOKEN, **_targets(facts), **failed},
                command="announce",
            ),
        ),
    )


def _runner(facts: WorkflowFacts) -> str:
    """The machine that checks the services: that of the first one."""
    return next(each.runner for each in facts.settings.service.values())


def _hub_secret() -> dict[str, Scalar]:
    return _secret(HUB_TOKEN)


def _targets(facts: WorkflowFacts) -> dict[str, Scalar]:
    announce = facts.settings.announce
    names = announce.targets.values() if announce is not None else ()
    return {name: value for each in names for name, value in _secret(each).items()}


def _secret(name: str) -> dict[str, Scalar]:
    return {name: f"${{{{ secrets.{name} }}}}"}
