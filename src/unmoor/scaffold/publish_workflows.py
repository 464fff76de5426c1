"""Find the workflows that upload to an index, and what an index knows of them: the file's name and the environment.

What a step does is read from the action it uses, the command it runs and the variables with a token that it gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from unmoor.errors import Refused
from unmoor.provenance.release_workflow import is_workflow
from unmoor.scaffold.draft import ProposalDraft
from unmoor.util.text import clean
from unmoor.workflows.reading import WorkflowFile, YamlList, YamlMap, YamlText, YamlValue, is_ours, read_file

_ACTION: Final = re.compile(
    r"(?:publish|upload|deploy)[\w-]{0,30}pypi|pypi[\w-]{0,10}(?:publish|upload|deploy)|poetry-publish"
)
_COMMAND: Final = re.compile(
    r"\btwine\s+upload\b|\buv\s+publish\b|\b(?:poetry|hatch|flit|pdm|maturin|rye)\s+publish\b|\bmaturin\s+upload\b"
    r"|\bsetup\.py\b[^\n]{0,200}\bupload\b"
)
_TOKEN: Final = re.compile(
    r"TWINE_PASSWORD|UV_PUBLISH_(?:TOKEN|PASSWORD)|POETRY_(?:PYPI_TOKEN|HTTP_BASIC)_\w{1,40}|FLIT_PASSWORD"
    r"|HATCH_INDEX_AUTH|PDM_PUBLISH_PASSWORD|MATURIN_(?:PYPI_TOKEN|PASSWORD)"
)
_SECRET: Final = re.compile(r"\bsecrets\.(\w{0,40}(?:PYPI|TWINE|FLIT|HATCH|POETRY)\w{0,40})", re.IGNORECASE)
_STAGING: Final = re.compile(r"//test\.|test-?pypi", re.IGNORECASE)
_TESTS: Final = re.compile(
    r"\b(?:pytest|tox|nox|mypy|ruff|flake8|pylint|coverage|pre-commit|unittest|pyright)\b|\bhatch\s+test\b"
    r"|\bmake\s+[\w-]{0,20}(?:test|check|lint)"
)
_SUSPICIOUS: Final = re.compile(rf"{_ACTION.pattern}|{_COMMAND.pattern}|{_TOKEN.pattern}")
_RELEASE_MAKERS: Final = re.compile(r"\bgh\s+release\s+create\b|action-gh-release|release-action|create-release")
_BUILDING: Final = frozenset(
    {
        "actions/attest-build-provenance",
        "actions/cache",
        "actions/checkout",
        "actions/download-artifact",
        "actions/setup-python",
        "actions/upload-artifact",
        "astral-sh/setup-uv",
        "docker/setup-qemu-action",
        "hynek/build-and-inspect-python-package",
        "ncipollo/release-action",
        "pdm-project/setup-pdm",
        "pypa/cibuildwheel",
        "pypa/gh-action-pypi-publish",
        "softprops/action-gh-release",
    }
)
"""Actions for what the release workflow does too."""


class PublishJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that uploads. ``final``: to the index itself; ``staging``: to the staging index. It may do both.

    ``environment`` is empty if it has none. ``computed`` says that an expression gives it.
    """

    id: str
    final: bool
    staging: bool
    environment: str = ""
    computed: bool = False


class PublishWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow with jobs that upload.

    ``events`` start it; ``tagged`` says whether a pushed tag or a release does. ``tests`` says that it also has jobs
    that test or lint branches and pull requests. ``after`` are the jobs that need one that uploads. ``actions`` are
    those that do more than building and uploading, and ``secrets`` the names of those for an index that it takes.
    """

    path: str
    file: WorkflowFile
    jobs: tuple[PublishJob, ...]
    events: tuple[str, ...]
    tagged: bool
    tests: bool
    after: tuple[str, ...] = ()
    all_jobs: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether it uploads to the index itself."""
        return any(job.final for job in self.jobs)

    def environment(self, *, staging: bool) -> str:
        """The environment of the first job that uploads to that index; empty if none has one."""
        found = (job.environment for job in self.jobs if (job.staging if staging else job.final))
        return next(filter(None, found), "")


def publish_workflows(draft: ProposalDraft) -> tuple[PublishWorkflow, ...]:
    """Every workflow of others that uploads, those for tags and releases first.

    Raises `Refused` for a file that cannot be read and has words of one that uploads.
    """
    found = []
    for path in sorted(each for each in draft.names if is_workflow(each)):
        data = draft.original(path)
        if data is None or is_ours(data):
            continue
        try:
            file = read_file(path, data)
        except Refused:
            if _SUSPICIOUS.search(data.decode(errors="replace")):
                raise
            draft.note(f"{path} cannot be read, and seems to publish nothing")
            continue
        workflow = _workflow(file)
        if workflow.jobs:
            found.append(workflow)
        else:
            _note_releases(draft, workflow)
    return tuple(sorted(found, key=lambda each: (not each.is_final, each.tests, not each.tagged, each.path)))


def tests_branches(file: WorkflowFile) -> bool:
    """Whether a workflow tests or lints pushed branches or pull requests, in a job of its own."""
    top = file.value
    _, branches = _events(top.pairs.get("on"))
    jobs = [job for job in _map(top.pairs.get("jobs")).values() if isinstance(job, YamlMap)]
    return branches and any(_TESTS.search(_script(step)) for job in jobs for step in _steps(job))


def _note_releases(draft: ProposalDraft, workflow: PublishWorkflow) -> None:
    """Say what a workflow that uploads nothing means for the release on the forge."""
    if "release" in workflow.events:
        draft.note(
            f"{workflow.path} starts with a release, but not with one that unmoor publishes: what a workflow does with"
            " its own token starts no other one"
        )
    if workflow.tagged and "push" in workflow.events and _RELEASE_MAKERS.search(workflow.file.text):
        draft.note(f"{workflow.path} makes a release for the same tag, as unmoor does: remove one of the two")


def _workflow(file: WorkflowFile) -> PublishWorkflow:
    top = file.value
    jobs = {id_: job for id_, job in _map(top.pairs.get("jobs")).items() if isinstance(job, YamlMap)}
    variables = _variables(top)
    uploading = [found for id_, job in jobs.items() if (found := _publish_job(id_, job, variables)) is not None]
    after = _after({job.id for job in uploading}, jobs)
    others = [job for id_, job in jobs.items() if id_ not in {each.id for each in uploading} | set(after)]
    events, branches = _events(top.pairs.get("on"))
    return PublishWorkflow(
        path=file.path,
        file=file,
        jobs=tuple(uploading),
        events=events,
        tagged=_starts_with_tags(top.pairs.get("on")) or "release" in events,
        tests=branches and any(_TESTS.search(_script(step)) for job in others for step in _steps(job)),
        after=after,
        all_jobs=tuple(jobs),
        actions=_actions(jobs.values()),
        secrets=tuple(dict.fromkeys(_SECRET.findall(file.text))),
    )


def _publish_job(id_: str, job: YamlMap, variables: Mapping[str, str]) -> PublishJob | None:
    final = staging = False
    inherited = {**variables, **_variables(job)}
    for step in _steps(job):
        own = _variables(step)
        action = _text(step.pairs.get("uses")).partition("@")[0]
        script = _script(step)
        if _ACTION.search(action) or _COMMAND.search(script) or any(_TOKEN.fullmatch(name) for name in own):
            inputs = " ".join(map(_text, _map(step.pairs.get("with")).values()))
            names = [f"{name}={value}" for name, value in {**inherited, **own}.items() if "REPOSITORY" in name]
            is_test = _STAGING.search(" ".join((inputs, script, *names, *own))) is not None
            staging, final = staging or is_test, final or not is_test
    if not (final or staging) and any(_TOKEN.fullmatch(name) for name in _variables(job)):
        final = True
    if not (final or staging):
        return None
    environment = job.pairs.get("environment")
    name = _text(environment.pairs.get("name") if isinstance(environment, YamlMap) else environment).strip()
    computed = "${{" in name
    return PublishJob(id=id_, final=final, staging=staging, environment="" if computed else name, computed=computed)


def _after(ids: set[str], jobs: Mapping[str, YamlMap]) -> tuple[str, ...]:
    """The jobs that need one of these, directly or not."""
    gone = set(ids)
    for _ in jobs:
        gone |= {id_ for id_, job in jobs.items() if gone & set(_texts(job.pairs.get("needs")))}
    return tuple(id_ for id_ in jobs if id_ in gone - ids)


def _events(on: YamlValue | None) -> tuple[tuple[str, ...], bool]:
    """The events that start a workflow, and whether pushes to branches or pull requests are among them."""
    events = tuple(_map(on)) or _texts(on)
    push = _map(on).get("push")
    filters = set(_map(push))
    pushed = "push" in events and (
        bool(filters & {"branches", "branches-ignore"}) or not filters & {"tags", "tags-ignore"}
    )
    return events, pushed or bool({"pull_request", "pull_request_target", "merge_group"} & set(events))


def _starts_with_tags(on: YamlValue | None) -> bool:
    if "push" not in (tuple(_map(on)) or _texts(on)):
        return False
    filters = set(_map(_map(on).get("push")))
    return bool(filters & {"tags", "tags-ignore"}) or not filters & {"branches", "branches-ignore"}


def _actions(jobs: object) -> tuple[str, ...]:
    names = (_text(step.pairs.get("uses")).partition("@")[0] for job in jobs for step in _steps(job))  # type: ignore[attr-defined]
    return tuple(dict.fromkeys(clean(name, 80) for name in names if name and name not in _BUILDING))


def _steps(job: YamlMap) -> Iterator[YamlMap]:
    steps = job.pairs.get("steps")
    for step in steps.items if isinstance(steps, YamlList) else ():
        if isinstance(step, YamlMap):
            yield step


def _script(step: YamlMap) -> str:
    """What a step runs, without comments."""
    return re.sub(r"(?m)^[ \t]*#.*$", "", _text(step.pairs.get("run")))


def _variables(part: YamlMap) -> dict[str, str]:
    return {name: _text(value) for name, value in _map(part.pairs.get("env")).items()}


def _map(value: YamlValue | None) -> Mapping[str, YamlValue]:
    return value.pairs if isinstance(value, YamlMap) else {}


def _texts(value: YamlValue | None) -> tuple[str, ...]:
    if isinstance(value, YamlList):
        return tuple(each.text for each in value.items if isinstance(each, YamlText))
    return (value.text,) if isinstance(value, YamlText) else ()


def _text(value: YamlValue | None) -> str:
    return value.text if isinstance(value, YamlText) else ""
