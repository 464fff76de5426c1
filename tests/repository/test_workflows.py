"""Rules for the workflows of this repository that their linters do not check."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.support.git_repos import Repo

from unmoor.cli.app import run
from unmoor.cli.output import DOCUMENTS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", re.ASCII)
TOOL_ONLY = ("unmoor ", ".ci/install-tool ")
"""The only commands of a job with a credential: unmoor, and the script that installs it."""


def _read(path: Path) -> Mapping[str, Any]:
    found = YAML(typ="safe", pure=True).load(path)
    assert isinstance(found, Mapping)
    return found


@dataclass(frozen=True)
class Job:
    """A job of a workflow."""

    workflow: str
    name: str
    body: Mapping[str, Any]

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The steps of the job."""
        steps = self.body["steps"]
        assert isinstance(steps, Sequence)
        return steps

    def runs(self) -> Iterator[str]:
        """Yield the scripts of the steps."""
        yield from (step["run"] for step in self.steps if "run" in step)

    def uses(self, action: str) -> list[Mapping[str, Any]]:
        """Return the inputs of each use of an action."""
        return [step.get("with", {}) for step in self.steps if step.get("uses", "").startswith(f"{action}@")]


QUEUED = {"cancel-in-progress": False, "queue": "max"}


def _jobs() -> list[Job]:
    return [
        Job(workflow=path.stem, name=name, body=body)
        for path in WORKFLOWS
        for name, body in _read(path)["jobs"].items()
    ]


every_job = pytest.mark.parametrize("job", _jobs(), ids=lambda job: f"{job.workflow}-{job.name}")
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
CI = {job.name: job for job in _jobs() if job.workflow == "ci"}
RELEASE = {job.name: job for job in _jobs() if job.workflow == "release"}


@every_workflow
def test_a_workflow_starts_without_permissions_and_one_at_a_time(path: Path) -> None:
    """A workflow has no permissions by default, and runs of the same group do not overlap."""
    workflow = _read(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]


@every_job
def test_every_job_ends_in_time(job: Job) -> None:
    """Each job has a time limit, because the default is six hours."""
    assert 0 < job.body["timeout-minutes"] <= 40


@every_job
def test_every_action_is_pinned_by_commit(job: Job) -> None:
    """The owner of an action can move a tag, but not a commit."""
    for step in job.steps:
        assert "uses" not in step or PINNED.fullmatch(step["uses"])


@every_workflow
def test_a_pin_says_its_version(path: Path) -> None:
    """A comment after each commit gives its version."""
    for line in path.read_text().splitlines():
        assert "uses:" not in line or re.search(r"# v[0-9]+\.[0-9]+\.[0-9]+$", line), line


@every_job
def test_no_expression_reaches_a_script(job: Job) -> None:
    """Tags, titles and inputs are passed in environment variables, because a tag can contain shell code."""
    for script in job.runs():
        assert "${{" not in script


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"], ids=lambda path: path.name
)
def test_a_tag_is_never_an_option(path: Path) -> None:
    """Every command ends its options before the tag, because a tag can begin with a hyphen."""
    commands = re.findall(r"\bunmoor (?:[^\n`]|\\\n|\n +-)*", path.read_text("utf-8"))
    tagged = [" ".join(command.split()) for command in commands if re.search(r'[\s"]"?\$\{?TAG\b', command)]
    assert [command for command in tagged if re.search(r'(?<! --) "?\$\{?TAG\b', command)] == []
    assert tagged or path.name not in {"release.yml", "wheels.md", "images.md"}


@pytest.mark.parametrize("tag", ["--help", "--apply", "-v1.0.0", "--manifest-sha256"])
@pytest.mark.parametrize("command", ["release", "status", "plan", "undo", "notes"])
def test_such_a_tag_is_refused(command: str, tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After ``--`` it is a tag, and no tag of a release."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0.0"\n'})
    repo.git("update-ref", f"refs/tags/{tag}", "HEAD")
    assert run([command, "--directory", str(repo.path), "--", tag]) == 4
    assert tag in capsys.readouterr().err


@every_job
def test_a_checkout_is_whole_and_keeps_no_token(job: Job) -> None:
    """A shallow clone has no tags, and every later step could read a token in .git."""
    for given in job.uses("actions/checkout"):
        assert given["fetch-depth"] == 0
        assert given["persist-credentials"] is False


def test_a_release_starts_on_a_version_tag_or_by_hand() -> None:
    """A pushed v* tag starts a release, and so does a dispatch with the name of a tag."""
    starts = _read(ROOT / ".github" / "workflows" / "release.yml")["on"]
    assert starts["push"] == {"tags": ["v*"]}
    assert set(starts) == {"push", "workflow_dispatch"}
    assert starts["workflow_dispatch"]["inputs"]["tag"]["required"] is True


def test_the_workflow_of_the_guide_keeps_these_rules() -> None:
    """The workflow in the guide starts on tags, has a full checkout, and is never cancelled by the next release."""
    guide = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml\n(name: release\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    _keeps_the_rules(YAML(typ="safe", pure=True).load(block))


def _keeps_the_rules(workflow: Mapping[str, Any]) -> None:
    assert workflow["on"]["push"] == {"tags": ["v*"]}
    assert set(workflow["on"]) == {"push", "workflow_dispatch"}
    dispatch = workflow["on"]["workflow_dispatch"] or {"inputs": {}}
    assert not any(each["required"] for each in dispatch["inputs"].values())
    assert workflow["permissions"] == {}
    assert workflow["concurrency"] == {"group": "release-${{ github.ref_name }}", **QUEUED}
    for name, body in workflow["jobs"].items():
        assert body["timeout-minutes"]
        job = Job(workflow="guide", name=name, body=body)
        for rule in (
            test_every_action_is_pinned_by_commit,
            test_no_expression_reaches_a_script,
            test_a_checkout_is_whole_and_keeps_no_token,
        ):
            rule(job)


def test_releases_of_one_tag_wait_for_each_other() -> None:
    """Each tag has its own group, and a newer run cancels neither a run that publishes nor one that waits."""
    concurrency = _read(ROOT / ".github" / "workflows" / "release.yml")["concurrency"]
    assert concurrency == {"group": "release-${{ inputs.tag || github.ref_name }}", **QUEUED}


@pytest.mark.parametrize(
    ("name", "permissions", "environment"),
    [
        ("build", {"contents": "read"}, None),
        ("hold", {"attestations": "write", "contents": "write", "id-token": "write", "packages": "write"}, "testpypi"),
        ("prove", {}, None),
        ("publish", {"attestations": "write", "contents": "write", "id-token": "write", "packages": "write"}, "pypi"),
        ("verify", {}, None),
    ],
)
def test_each_job_may_do_what_it_is_for(name: str, permissions: dict[str, str], environment: str | None) -> None:
    """Each job has the least permissions, and the jobs that write have an environment."""
    job = RELEASE[name].body
    assert job["permissions"] == permissions
    assert job.get("environment") == environment


def test_the_jobs_of_a_release_follow_each_other() -> None:
    """A release is published after the files of the staging index are proven, and verified after it is published."""
    order = {name: job.body.get("needs", []) for name, job in RELEASE.items()}
    assert order == {
        "build": [],
        "hold": "build",
        "prove": ["build", "hold"],
        "publish": ["build", "prove"],
        "verify": ["build", "publish"],
    }


@pytest.mark.parametrize("name", ["hold", "publish", "verify"])
def test_jobs_with_a_credential_run_only_unmoor(name: str) -> None:
    """They do not build, test or import the released files. They run only unmoor, installed by hash."""
    for script in RELEASE[name].runs():
        assert script.startswith(TOOL_ONLY)
        assert "\n" not in script.strip()


@pytest.mark.parametrize("name", ["build", "prove", "verify"])
def test_secrets_stay_where_they_are_needed(name: str) -> None:
    """Only the two jobs that write get a token."""
    assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", str(RELEASE[name].body))


def test_jobs_that_run_project_code_cannot_write() -> None:
    """`build` and `prove` run the project's code, so they have no write permission and no ID token."""
    for name in ("build", "prove"):
        assert set(RELEASE[name].body["permissions"].values()) <= {"read"}
    assert {job.name for job in _jobs() if "id-token" in job.body["permissions"]} == {"hold", "publish"}


def test_no_token_of_an_index_is_stored() -> None:
    """The indexes trust the two jobs that upload, so there is no stored token to steal."""
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text()


def test_each_output_of_a_job_is_one_that_its_step_gives() -> None:
    """A name that no command puts out is an empty digest in the next job."""
    text = str([job.body for job in RELEASE.values()])
    given = set(re.findall(r"steps\.release\.outputs\.([\w-]+)", text))
    assert "manifest-sha256" in given
    assert given <= set(DOCUMENTS.values())


@pytest.mark.parametrize("name", ["hold", "prove", "publish"])
def test_only_the_manifest_of_the_build_is_released(name: str) -> None:
    """The sha256 of the manifest comes from the outputs of the build job, not from the artifact."""
    (step,) = [step for step in RELEASE[name].steps if step.get("run", "").startswith("unmoor ")]
    documents = {
        "MANIFEST_SHA256": "${{ inputs.manifest-sha256 || needs.build.outputs.manifest-sha256 }}",
        "IMAGES_SHA256": "${{ inputs.images-sha256 || needs.build.outputs.images-sha256 }}",
        "PROOF_SHA256": "${{ needs.prove.outputs.prove-testpypi-sha256 }}",
    }
    wanted = {"hold": list(documents)[:2], "prove": list(documents)[:1], "publish": list(documents)}[name]
    assert {variable: step["env"].get(variable) for variable in wanted} == {each: documents[each] for each in wanted}
    assert step["run"].count("--manifest-sha256") == len(wanted)
    assert all(f'--manifest-sha256 "${variable}"' in step["run"] for variable in wanted)


def test_the_run_folder_is_uploaded_completely() -> None:
    """An upload includes hidden folders, replaces that of an earlier run, and outlasts a late approval."""
    given = {
        name: each
        for job in RELEASE.values()
        for each in job.uses("actions/upload-artifact")
        for name in [each["name"]]
    }
    assert {name: each["path"] for name, each in given.items()} == {
        "tool": "${{ runner.temp }}/tool/",
        "built": ".unmoor/",
        "held": ".unmoor/",
        "proof": ".unmoor/*/proofs/prove-testpypi.json",
    }
    assert all(each["include-hidden-files"] is True for name, each in given.items() if name != "tool")
    assert all(each["if-no-files-found"] == "error" for each in given.values())
    assert all(each["overwrite"] is True for each in given.values())
    assert all(each["retention-days"] == 90 for each in given.values())


def test_jobs_take_only_a_proof_from_the_job_that_runs_foreign_code() -> None:
    """Later jobs take the folder of `build` or `hold`, and from `prove` only its proof, which names the digests."""
    taken = {name: [each["name"] for each in job.uses("actions/download-artifact")] for name, job in RELEASE.items()}
    assert taken == {
        "build": [],
        "hold": ["tool", "built"],
        "prove": ["tool", "held"],
        "publish": ["tool", "held", "proof"],
        "verify": ["tool", "held"],
    }


def test_ci_runs_the_one_script() -> None:
    """CI runs .ci/run, as a developer can, on more than one version of Python."""
    job = CI["ci"]
    assert list(job.runs()) == [".ci/run"]
    assert len(job.body["strategy"]["matrix"]["python"]) > 1


def test_ci_tries_every_system() -> None:
    """The quick tests and a rehearsal run on each system that is declared, on the oldest and the newest Python."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    versions = [each.rpartition(" ")[2] for each in declared if re.search(r":: 3\.[0-9]+$", each)]
    systems = {"MacOS": "macos-latest", "Windows": "windows-latest", "Linux": "ubuntu-latest"}
    runners = {systems[name] for each in declared if "System ::" in each for name in systems if name in each}
    matrix = CI["systems"].body["strategy"]["matrix"]
    assert set(matrix["system"]) == runners
    assert matrix["python"] == [versions[0], versions[-1]]
    assert all("\n" not in script.strip() for script in CI["systems"].runs()), "PowerShell ignores a failure"
    assert [script.partition(" -m ")[2].partition(" ")[0] for script in CI["systems"].runs()][-2:] == [
        *("pytest", "unmoor"),
    ]
