"""What the jobs of release.yml share: the digests that they hand over, how each begins, and what a project needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from unmoor.config.images import ImageSettings
from unmoor.config.registries import GITHUB
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import JobPermission, Scalar, Script, Step
from unmoor.workflows.steps import TOOL_PYTHON, check_out, install_tool, report_machine, set_up_python

READ: Final = JobPermission("contents", "read", "to check out the repository")
TOKEN: Final[Mapping[str, Scalar]] = {"GITHUB_TOKEN": "${{ github.token }}"}
RUN_FOLDER: Final = ".unmoor/"
"""Where a command leaves its files, proofs and documents, in a folder for each tag."""

_PREPARATION = 15
"""Minutes for what a job does besides its command."""
_MOST_MINUTES = 360
"""What GitHub lets a job on its own runners take."""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The sha256 of a document that a job hands over: ``output`` of ``job``, which commands get as ``variable``.

    ``optional``: a proof that the job may end well without, since a failure of its stage is advisory, or was waived.
    Then the command is not given it, and decides whether the release needs it.
    """

    job: str
    output: str
    variable: str
    optional: bool = False

    @property
    def argument(self) -> str:
        """What the command line says."""
        option = f'--manifest-sha256 "${self.variable}"'
        return f"${{{self.variable}:+{option}}}" if self.optional else option

    @property
    def value(self) -> str:
        """The expression that a later job gets it with. That job names the other one in its ``needs``."""
        return f"${{{{ needs.{self.job}.outputs.{self.output} }}}}"


def manifest_of(job: str, variable: str = "") -> Digest:
    """The digest of the manifest that a job puts out. It covers the job's files, with the proofs it has of them."""
    return Digest(job=job, output="manifest-sha256", variable=variable or variable_of(job))


def images_of(job: str, variable: str = "") -> Digest:
    """The digest of the record of images that a job puts out. It covers the images, with the proof of them."""
    return Digest(job=job, output="images-sha256", variable=variable or variable_of(job))


def proofs_of(facts: WorkflowFacts, job: str, suffix: str = "") -> tuple[Digest, ...]:
    """The digests of the proofs of files that a job puts out: of their tests, and of a second build."""
    tested = Digest(job=job, output="prove-dists-sha256", variable=f"TESTED{suffix}")
    rebuilt = Digest(job=job, output="rebuild-sha256", variable=f"REBUILT{suffix}", optional=True)
    return (tested,) if facts.settings.reproducible == "off" else (tested, rebuilt)


def variable_of(job: str) -> str:
    """The variable of what a job hands over, such as ``WHEELS_LINUX`` for the job ``wheels-linux``."""
    return re.sub(r"[^A-Z0-9]", "_", job.upper())


def outputs_of(*digests: Digest, step: str = "unmoor") -> dict[str, str]:
    """The outputs of a job that come from one of its steps."""
    return {each.output: f"${{{{ steps.{step}.outputs.{each.output} }}}}" for each in digests}


def release_step(
    name: str,
    options: Sequence[str],
    digests: Sequence[Digest] = (),
    *,
    folders: Sequence[str] = (),
    env: Mapping[str, Scalar] | None = None,
    step: str = "unmoor",
    command: str = "release",
) -> Script:
    """The step that runs a command for the tag of the run, with the digests of what was handed over.

    ``folders`` are the options that name a folder which another job handed over.
    """
    lines = [" ".join((f"unmoor {command}", *options)), *folders, *(each.argument for each in digests), '-- "$TAG"']
    return Script(
        name=name,
        id=step,
        script=f"{lines[0]} {lines[-1]}" if len(lines) == 2 else " \\\n  ".join(lines) + "\n",  # noqa: PLR2004
        env={**{each.variable: each.value for each in digests}, **(env or {})},
    )


def begin(
    facts: WorkflowFacts, *, pythons: Sequence[str] = (TOOL_PYTHON,), built_by: str = "build"
) -> tuple[Step, ...]:
    """How each job begins: the checkout, Python, unmoor, and a look at the machine if somebody asks for it."""
    return (
        check_out(),
        *((git_login("read the private repository"),) if is_private(facts) else ()),
        set_up_python(*pythons),
        *install_tool(facts, built_by=built_by),
        report_machine(),
    )


def git_login(what: str = "push") -> Script:
    """Let git use the token of a step: it is not in the checkout, and not in the environment of a build."""
    return Script(
        name=f"Let git {what}",
        script="git config --global \"credential.$GITHUB_SERVER_URL.helper\" '!gh auth git-credential'",
    )


def needs_of(facts: WorkflowFacts, *jobs: str) -> tuple[str, ...]:
    """The jobs that a job needs, and the one that hands over unmoor itself if it comes from the checkout."""
    tool = ("build",) if facts.settings.workflows.tool == "checkout" else ()
    return tuple(dict.fromkeys((*tool, *jobs)))


def read_token(facts: WorkflowFacts) -> Mapping[str, Scalar]:
    """The token of a job that only reads: nothing for a public repository, which anybody can read."""
    return TOKEN if is_private(facts) else {}


def is_private(facts: WorkflowFacts) -> bool:
    """Whether only a token can read the repository."""
    return facts.settings.workflows.private


def signs(facts: WorkflowFacts) -> bool:
    """Whether the workflow signs what it releases."""
    policy = facts.settings.attestations
    return policy == "required" or (policy == "auto" and not is_private(facts))


def trusts(facts: WorkflowFacts) -> bool:
    """Whether indexes trust the workflow. If they do not, tokens of theirs are secrets."""
    return facts.settings.trusted_publishing != "never"


def has_staging(facts: WorkflowFacts) -> bool:
    """Whether the files go to a staging index first."""
    return facts.settings.testpypi != "off"


def is_compiled(facts: WorkflowFacts) -> bool:
    """Whether several machines build wheels."""
    return bool(facts.wheels) and "wheel" in facts.settings.formats


def images(facts: WorkflowFacts) -> tuple[ImageSettings, ...]:
    """The images of the project."""
    return facts.settings.image or ((ImageSettings(),) if facts.platforms else ())


def hosts(facts: WorkflowFacts) -> tuple[str, ...]:
    """The registries that images are pushed to, each once."""
    names = [name for image in images(facts) for name in (image.name or GITHUB, *image.mirrors)]
    return tuple(dict.fromkeys(name.partition("/")[0] for name in names))


def project_pythons(facts: WorkflowFacts, *, tests: bool = False) -> tuple[str, ...]:
    """The Pythons of a job that builds or tests the project. The last one runs unmoor."""
    python = facts.settings.python
    own = () if python == "auto" and TOOL_PYTHON in facts.pythons else (facts.pythons[0],)
    wanted = (python,) if python != "auto" else own
    return (*wanted, *(facts.settings.test_pythons if tests else ()), TOOL_PYTHON)


def minutes(facts: WorkflowFacts, *, spare: int = 0) -> int:
    """The time-out of a job that runs a command: its own deadline comes first, with a message."""
    return min(_MOST_MINUTES, -(-facts.settings.deadline // 60) + _PREPARATION + spare)


def folder_of(facts: WorkflowFacts, artifact: str) -> str:
    """The run folder in an artifact that was downloaded to ``handed``, for a command in bash.

    A folder has no ``/`` of its tag.
    """
    tag = r"${TAG//\//%2F}" if any("/" in each for each in facts.tags) else "$TAG"
    return f'"handed/{artifact}/{tag}"'
