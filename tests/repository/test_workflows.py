"""What must hold in our own workflows, beyond what their linters look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", re.ASCII)
TOOL_ONLY = ("unmoor ", ".ci/install-tool ")
"""What a job with a credential may run: the tool, and the script that installs it."""


def _read(path: Path) -> Mapping[str, Any]:
    found = YAML(typ="safe", pure=True).load(path)
    assert isinstance(found, Mapping)
    return found


@dataclass(frozen=True)
class Job:
    """One job of one of our workflows."""

    workflow: str
    name: str
    body: Mapping[str, Any]

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The steps."""
        steps = self.body["steps"]
        assert isinstance(steps, Sequence)
        return steps

    def runs(self) -> Iterator[str]:
        """The scripts."""
        yield from (step["run"] for step in self.steps if "run" in step)

    def uses(self, action: str) -> list[Mapping[str, Any]]:
        """What each use of an action is given."""
        return [step.get("with", {}) for step in self.steps if step.get("uses", "").startswith(f"{action}@")]


def _jobs() -> list[Job]:
    return [
        Job(workflow=path.stem, name=name, body=body)
        for path in WORKFLOWS
        for name, body in _read(path)["jobs"].items()
    ]


every_job = pytest.mark.parametrize("job", _jobs(), ids=lambda job: f"{job.workflow}-{job.name}")
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
RELEASE = {job.name: job for job in _jobs() if job.workflow == "release"}


@every_workflow
def test_a_workflow_starts_without_permissions_and_one_at_a_time(path: Path) -> None:
    """No permission is inherited, and runs of one subject do not overlap."""
    workflow = _read(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]


@every_job
def test_every_job_ends_in_time(job: Job) -> None:
    """Each job has a limit, so that nothing hangs for the six hours that are the default."""
    assert 0 < job.body["timeout-minutes"] <= 40


@every_job
def test_every_action_is_pinned_by_commit(job: Job) -> None:
    """A tag can be moved by whoever owns the action; a commit cannot."""
    for step in job.steps:
        assert "uses" not in step or PINNED.fullmatch(step["uses"])


@every_workflow
def test_a_pin_says_its_version(path: Path) -> None:
    """Beside each commit stands the version that it is, for people."""
    for line in path.read_text().splitlines():
        assert "uses:" not in line or re.search(r"# v[0-9]+\.[0-9]+\.[0-9]+$", line), line


@every_job
def test_no_expression_reaches_a_script(job: Job) -> None:
    """Tags, titles and inputs come in through the environment: a tag can hold shell code."""
    for script in job.runs():
        assert "${{" not in script


@every_job
def test_a_checkout_is_whole_and_keeps_no_token(job: Job) -> None:
    """A shallow clone has no tags, and a token left in .git would be there for everything that runs later."""
    for given in job.uses("actions/checkout"):
        assert given["fetch-depth"] == 0
        assert given["persist-credentials"] is False


def test_a_release_starts_on_a_version_tag_or_by_hand() -> None:
    """A pushed v* tag, or a tag named in a dispatch: the way back when a pushed tag has no run."""
    starts = _read(ROOT / ".github" / "workflows" / "release.yml")["on"]
    assert starts["push"] == {"tags": ["v*"]}
    assert set(starts) == {"push", "workflow_dispatch"}
    assert starts["workflow_dispatch"]["inputs"]["tag"]["required"] is True


def test_the_workflow_of_the_guide_keeps_these_rules() -> None:
    """What a reader copies starts on tags, has a whole checkout, and is never cancelled by the next release."""
    guide = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    workflow = YAML(typ="safe", pure=True).load(block)
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    assert workflow["permissions"] == {}
    assert workflow["concurrency"] == {"group": "release-${{ github.ref_name }}", "cancel-in-progress": False}
    assert workflow["jobs"]["release"]["timeout-minutes"]
    job = Job(workflow="guide", name="release", body=workflow["jobs"]["release"])
    for rule in (
        test_every_action_is_pinned_by_commit,
        test_no_expression_reaches_a_script,
        test_a_checkout_is_whole_and_keeps_no_token,
    ):
        rule(job)


def test_releases_of_one_tag_wait_for_each_other() -> None:
    """One group a tag, and a run that has begun to publish is never cancelled by a newer one."""
    concurrency = _read(ROOT / ".github" / "workflows" / "release.yml")["concurrency"]
    assert concurrency["group"] == "release-${{ inputs.tag || github.ref_name }}"
    assert concurrency["cancel-in-progress"] is False


@pytest.mark.parametrize(
    ("name", "permissions", "environment"),
    [
        ("build", {"contents": "read"}, None),
        ("hold", {"contents": "write", "id-token": "write", "packages": "write"}, "testpypi"),
        ("prove", {}, None),
        ("publish", {"contents": "write", "id-token": "write", "packages": "write"}, "pypi"),
        ("verify", {}, None),
    ],
)
def test_each_job_may_do_what_it_is_for(name: str, permissions: dict[str, str], environment: str | None) -> None:
    """Each job has the least permissions, and what writes stands behind its environment."""
    job = RELEASE[name].body
    assert job["permissions"] == permissions
    assert job.get("environment") == environment


def test_the_jobs_of_a_release_follow_each_other() -> None:
    """Nothing is published before the staging index's files are proven, and nothing is verified before that."""
    order = {name: job.body.get("needs", []) for name, job in RELEASE.items()}
    assert order == {
        "build": [],
        "hold": "build",
        "prove": ["build", "hold"],
        "publish": ["build", "prove"],
        "verify": ["build", "publish"],
    }


@pytest.mark.parametrize("name", ["hold", "publish", "verify"])
def test_beside_a_credential_runs_the_tool_alone(name: str) -> None:
    """No build, no test and no import of what is released: only the tool, installed by hash."""
    for script in RELEASE[name].runs():
        assert script.startswith(TOOL_ONLY)
        assert "\n" not in script.strip()


@pytest.mark.parametrize("name", ["build", "prove", "verify"])
def test_secrets_stay_where_they_are_needed(name: str) -> None:
    """Only the two jobs that write are handed a token."""
    assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", str(RELEASE[name].body))


def test_what_the_project_runs_has_no_way_to_write() -> None:
    """Where the project's code runs, in `build` and `prove`, no permission writes and no ID token can be had."""
    for name in ("build", "prove"):
        assert set(RELEASE[name].body["permissions"].values()) <= {"read"}
    assert {job.name for job in _jobs() if "id-token" in job.body["permissions"]} == {"hold", "publish"}


def test_no_token_of_an_index_is_stored() -> None:
    """The indexes trust the two jobs that upload; nothing is kept that could be stolen and used elsewhere."""
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text()


@pytest.mark.parametrize("name", ["hold", "prove", "publish"])
def test_only_the_manifest_of_the_build_is_released(name: str) -> None:
    """The sha256 of the manifest comes from the outputs of the job that built, not from the artifact."""
    (step,) = [step for step in RELEASE[name].steps if step.get("run", "").startswith("unmoor ")]
    assert '--manifest-sha256 "$MANIFEST_SHA256"' in step["run"]
    assert step["env"]["MANIFEST_SHA256"] == "${{ needs.build.outputs.manifest-sha256 }}"


def test_the_run_folder_travels_whole() -> None:
    """A dot folder is left out of an upload unless told; a re-run replaces it, and an approval may take long."""
    given = {
        name: each
        for job in RELEASE.values()
        for each in job.uses("actions/upload-artifact")
        for name in [each["name"]]
    }
    assert {name: each["path"] for name, each in given.items()} == {
        "tool": "${{ runner.temp }}/tool/",
        "built": ".unmoor/",
        "proof": ".unmoor/*/proofs/prove-testpypi.json",
    }
    assert all(each["include-hidden-files"] is True for name, each in given.items() if name != "tool")
    assert all(each["if-no-files-found"] == "error" for each in given.values())
    assert all(each["overwrite"] is True for each in given.values())
    assert all(each["retention-days"] == 90 for each in given.values())


def test_nothing_but_a_proof_comes_from_where_foreign_code_ran() -> None:
    """After the build every job takes the build's folder; from `prove` only the proof, which names its digests."""
    taken = {name: [each["name"] for each in job.uses("actions/download-artifact")] for name, job in RELEASE.items()}
    assert taken == {
        "build": [],
        "hold": ["tool", "built"],
        "prove": ["tool", "built"],
        "publish": ["tool", "built", "proof"],
        "verify": ["tool", "built"],
    }


def test_ci_runs_the_one_script() -> None:
    """What CI checks is what a developer can run: .ci/run, on each Python that is supported."""
    (job,) = [job for job in _jobs() if job.workflow == "ci"]
    assert list(job.runs()) == [".ci/run"]
    assert len(job.body["strategy"]["matrix"]["python"]) > 1
