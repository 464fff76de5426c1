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
from unmoor.config.settings import resolve
from unmoor.project.files import Files
from unmoor.workflows.comparing import compare
from unmoor.workflows.every import OPTIONAL, ExpectedFile, expected_files, optional_file
from unmoor.workflows.facts import read_facts
from unmoor.workflows.reading import read_file

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", re.ASCII)


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
        steps = self.body.get("steps", [])  # a job that calls another workflow has none
        assert isinstance(steps, Sequence)
        return steps

    def runs(self) -> Iterator[str]:
        """Yield the scripts of the steps."""
        yield from (step["run"] for step in self.steps if "run" in step)

    def uses(self, action: str) -> list[Mapping[str, Any]]:
        """Return the inputs of each use of an action."""
        return [step.get("with", {}) for step in self.steps if step.get("uses", "").startswith(f"{action}@")]


def _jobs() -> list[Job]:
    return [
        Job(workflow=path.stem, name=name, body=body)
        for path in WORKFLOWS
        for name, body in _read(path)["jobs"].items()
    ]


every_job = pytest.mark.parametrize("job", _jobs(), ids=lambda job: f"{job.workflow}-{job.name}")
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
CI = {job.name: job for job in _jobs() if job.workflow == "ci"}


def _expected() -> tuple[ExpectedFile, ...]:
    files = Files(lambda name: _content(ROOT / name), lambda: tuple(each.name for each in ROOT.iterdir()))
    settings = resolve(files.read).settings
    facts = read_facts(files, settings, project="unmoor")
    optional = (optional_file(facts, path) for path in OPTIONAL if (ROOT / path).is_file())
    return (*expected_files(facts), *optional)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@pytest.mark.parametrize("expected", _expected(), ids=lambda each: each.path)
def test_the_workflows_are_the_written_ones(expected: ExpectedFile) -> None:
    """They are what `unmoor workflows write` writes for this project; the only job of our own is `whole`."""
    found = read_file(expected.path, (ROOT / expected.path).read_bytes())
    assert compare(expected.file, found, is_own=lambda job: job != "whole", locked=lambda _: False) == ()


def test_every_workflow_is_written() -> None:
    """No other workflow starts here."""
    assert {path.relative_to(ROOT).as_posix() for path in WORKFLOWS} < {each.path for each in _expected()}


@every_job
def test_every_action_is_pinned_by_commit(job: Job) -> None:
    """The owner of an action can move a tag, but not a commit."""
    for step in job.steps:
        assert "uses" not in step or PINNED.fullmatch(step["uses"])


@every_workflow
def test_a_pin_says_its_version(path: Path) -> None:
    """A comment after each commit gives its version."""
    for line in path.read_text().splitlines():
        assert "uses:" not in line or "$/" in line or re.search(r"# v[0-9]+\.[0-9]+\.[0-9]+$", line), line


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
    shows_tags = path.name in {"release.yml", "wheels.md", "images.md"} and "reference" not in path.parts
    assert tagged or not shows_tags


@pytest.mark.parametrize("tag", ["--help", "--apply", "-v1.0.0", "--manifest-sha256"])
@pytest.mark.parametrize("command", ["release", "status", "plan", "undo", "notes"])
def test_such_a_tag_is_refused(command: str, tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After ``--`` it is a tag, and no tag of a release."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0.0"\n'})
    repo.git("update-ref", f"refs/tags/{tag}", "HEAD")
    assert run([command, "--directory", str(repo.path), "--", tag]) == 4
    assert tag in capsys.readouterr().err


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
    assert workflow["concurrency"] == {
        "group": "release-${{ github.ref_name }}",
        "cancel-in-progress": False,
        "queue": "max",
    }
    for name, body in workflow["jobs"].items():
        assert body["timeout-minutes"]
        job = Job(workflow="guide", name=name, body=body)
        for rule in (
            test_every_action_is_pinned_by_commit,
            test_no_expression_reaches_a_script,
        ):
            rule(job)


def test_ci_runs_the_one_script() -> None:
    """CI runs .ci/run, as a developer can, on more than one version of Python."""
    job = CI["whole"]
    assert list(job.runs()) == [".ci/run"]
    assert job.uses("actions/checkout") == [{"fetch-depth": 0, "persist-credentials": False}]
    assert len(job.body["strategy"]["matrix"]["python"]) > 1


def test_ci_tries_every_system() -> None:
    """The quick tests and a rehearsal run on each system and with each Python that is declared."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    versions = [each.rpartition(" ")[2] for each in declared if re.search(r":: 3\.[0-9]+$", each)]
    systems = {"MacOS": "macos-latest", "Windows": "windows-latest", "Linux": "ubuntu-latest"}
    runners = {systems[name] for each in declared if "System ::" in each for name in systems if name in each}
    matrix = CI["tests"].body["strategy"]["matrix"]
    assert set(matrix["system"]) == runners
    assert set(matrix["python"]) == set(versions)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_output_of_a_release_step_is_one_that_a_run_puts_out(path: Path) -> None:
    """A name that no command puts out is an empty digest in the next job."""
    given = set(re.findall(r"steps\.unmoor\.outputs\.([\w-]+)", path.read_text("utf-8")))
    assert given <= set(DOCUMENTS.values())
    assert given or path.stem != "release"
