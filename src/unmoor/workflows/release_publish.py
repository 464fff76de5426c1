"""The jobs of release.yml that send something, and those that look at it. The ones with credentials run only unmoor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unmoor.config.registries import GITHUB, variables_of
from unmoor.util.values import replace
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import JobPermission, Scalar, Script, WorkflowJob
from unmoor.workflows.release_build import (
    docs_digests,
    docs_folders,
    docs_steps,
    files_digests,
    files_steps,
    image_digests,
    image_id,
)
from unmoor.workflows.release_deploy import deploy_jobs, deploys, left_to_others
from unmoor.workflows.release_parts import (
    READ,
    RUN_FOLDER,
    TOKEN,
    Digest,
    begin,
    folder_of,
    has_staging,
    hosts,
    images_of,
    is_private,
    manifest_of,
    minutes,
    needs_of,
    outputs_of,
    project_pythons,
    read_token,
    release_step,
    signs,
    trusts,
)
from unmoor.workflows.steps import download, upload

HELD: Final = manifest_of("hold", "HELD")
HELD_IMAGES: Final = images_of("hold", "HELD_IMAGES")
PROVED: Final = Digest(job="prove", output="prove-testpypi-sha256", variable="PROVED", optional=True)

_STAGED_PROOF = "staged-proof"
_STAGED_PROOF_FILE = f"{RUN_FOLDER}*/proofs/prove-testpypi.json"
_VERIFY_MINUTES = 15
_RUNS: Final = JobPermission("actions", "read", "to see the runs of the tag, and for its report who approved this one")
"""In a public repository anybody sees both, so that no job asks for it."""


def publish_jobs(facts: WorkflowFacts, *, after: Sequence[WorkflowJob]) -> tuple[WorkflowJob, ...]:
    """Every job from the first one with a credential on, which comes ``after`` those that build and test."""
    prove = (_prove(facts),) if has_staging(facts) else ()
    return (_hold(facts, after), *prove, _publish(facts), _verify(facts), *deploy_jobs(facts))


def _hold(facts: WorkflowFacts, after: Sequence[WorkflowJob]) -> WorkflowJob:
    """Send what can be taken back: signatures, the draft, images under their commit's tag, the staging index."""
    legs = tuple(image_id(platform) for platform in facts.platforms)
    stages = ["testpypi"] if has_staging(facts) else []
    stages += ["registry", "sign-images"][: 1 + signs(facts)] if legs and stages else []
    options = ("--hold", *(f"--until {stage}" for stage in stages), *left_to_others(facts), "--no-project-code")
    secrets = {**_registry_secrets(facts), **(_index_secret("TESTPYPI", facts) if has_staging(facts) else {})}
    # Without a staging index, only secrets make this job need an environment, and then it is the other one.
    own = facts.settings.workflows
    environment = own.staging_environment if has_staging(facts) else own.environment if secrets else ""
    return WorkflowJob(
        id="hold",
        name="Draft and staging index" if has_staging(facts) else "Draft",
        comment="Sends what can be taken back, signed. It runs only unmoor: no code of the project.",
        needs=needs_of(facts, *(job.id for job in after)),
        minutes=minutes(facts),
        environment=environment,
        permissions=_writes(facts, identifies=has_staging(facts), draft="to create the draft release and its assets"),
        outputs=outputs_of(*_held(facts)),
        steps=(
            *begin(facts),
            *files_steps(facts),
            *docs_steps(facts),
            *(download(leg, f"handed/{leg}") for leg in legs),
            release_step(
                "Everything that can be taken back",
                options,
                (*files_digests(facts), *docs_digests(facts), *image_digests(facts)),
                folders=[*docs_folders(facts), *(f"--leg {folder_of(facts, leg)}" for leg in legs)],
                env={**TOKEN, **secrets},
            ),
            upload("held", RUN_FOLDER),
        ),
    )


def _prove(facts: WorkflowFacts) -> WorkflowJob:
    """Install what the staging index serves, and test it."""
    return WorkflowJob(
        id="prove",
        name="Prove what the staging index serves",
        comment="Installs and runs what the staging index serves, and hands on nothing but the proof of it.",
        needs=needs_of(facts, "hold"),
        minutes=minutes(facts),
        permissions=(READ, _RUNS) if is_private(facts) else (),
        outputs=outputs_of(PROVED),
        steps=(
            *begin(facts, pythons=project_pythons(facts, tests=True)),
            download("held", RUN_FOLDER),
            release_step(
                "Install from the staging index and test", ("--until prove-testpypi",), (HELD,), env=read_token(facts)
            ),
            replace(
                upload(_STAGED_PROOF, _STAGED_PROOF_FILE), only_if="steps.unmoor.outputs.prove-testpypi-sha256 != ''"
            ),
        ),
    )


def _publish(facts: WorkflowFacts) -> WorkflowJob:
    """Send what cannot be taken back: the index, the public tags of images, the release."""
    staged = has_staging(facts)
    proof = replace(download(_STAGED_PROOF, RUN_FOLDER), only_if=f"needs.prove.outputs.{PROVED.output} != ''")
    secrets = {**_registry_secrets(facts), **_index_secret("PYPI", facts)}
    return WorkflowJob(
        id="publish",
        name="Publish",
        comment="Nothing of this can be taken back, so let a person approve the environment after reading the summary.",
        needs=needs_of(facts, "hold", *(("prove",) if staged else ())),
        minutes=minutes(facts),
        environment=facts.settings.workflows.environment,
        permissions=_writes(facts, identifies=True, draft="to publish the draft release"),
        steps=(
            *begin(facts),
            download("held", RUN_FOLDER),
            *((proof,) if staged else ()),
            release_step(
                "Publish for good",
                (*(("--until verify",) if deploys(facts) else ()), *left_to_others(facts), "--no-project-code"),
                (*_held(facts), *((PROVED,) if staged else ())),
                env={**TOKEN, **secrets},
            ),
        ),
    )


def _verify(facts: WorkflowFacts) -> WorkflowJob:
    """Look at every surface as users see it."""
    private = (READ, JobPermission("packages", "read", "to read the images")) if GITHUB in hosts(facts) else (READ,)
    # Without trusted publishing, an index has no attestations, and `verify` would miss them.
    commands = ["status", "verify"] if signs(facts) and trusts(facts) else ["status"]
    names = {"status": "Compare every surface with the manifest", "verify": "Verify the signatures"}
    return WorkflowJob(
        id="verify",
        name="Verify every surface",
        comment="Sees what everyone can see." if not is_private(facts) else "",
        needs=needs_of(facts, "publish"),
        minutes=_VERIFY_MINUTES + facts.settings.verify_patience // 60,
        permissions=private if is_private(facts) else (),
        steps=(
            *begin(facts),
            *(
                Script(
                    name=names[command], script=f'unmoor {_looking(command, facts)} -- "$TAG"', env=read_token(facts)
                )
                for command in commands
            ),
        ),
    )


def _looking(command: str, facts: WorkflowFacts) -> str:
    """What is deployed, the jobs that deploy it look at themselves."""
    return f"{command} --no-deployments" if command == "status" and deploys(facts) else command


def _held(facts: WorkflowFacts) -> tuple[Digest, ...]:
    return (HELD, HELD_IMAGES) if facts.platforms else (HELD,)


def _writes(facts: WorkflowFacts, *, identifies: bool, draft: str) -> tuple[JobPermission, ...]:
    """What a job that sends something may do, and no more. ``identifies``: it uploads to an index."""
    uses = [
        *(["to sign"] if signs(facts) else []),
        *(["to identify itself to the index, instead of a stored token"] if identifies and trusts(facts) else []),
    ]
    return (
        JobPermission("contents", "write", draft),
        *((JobPermission("id-token", "write", ", and ".join(uses)),) if uses else ()),
        *((JobPermission("attestations", "write", "to store the signed provenance"),) if signs(facts) else ()),
        *((JobPermission("packages", "write", "to push images and their tags"),) if GITHUB in hosts(facts) else ()),
        *((_RUNS,) if is_private(facts) else ()),
    )


def _registry_secrets(facts: WorkflowFacts) -> dict[str, Scalar]:
    """The logins of registries other than GitHub's, which takes the job's own token."""
    names = [name for host in hosts(facts) if host != GITHUB for name in variables_of(host)]
    return {name: f"${{{{ secrets.{name} }}}}" for name in names}


def _index_secret(index: str, facts: WorkflowFacts) -> dict[str, Scalar]:
    """The token of an index that does not trust the workflow."""
    name = f"UNMOOR_{index}_PASSWORD"
    return {} if trusts(facts) else {name: f"${{{{ secrets.{name} }}}}"}
