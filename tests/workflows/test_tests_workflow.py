"""The reusable workflows for tests and for the rehearsal."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.util.values import replace
from unmoor.workflows.commands import Commands
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Workflow
from unmoor.workflows.tests_workflow import build_workflow
from unmoor.workflows.tests_workflow import tests_workflow as workflow_of_tests
from unmoor.workflows.yaml_text import text_of

pytest_plugins = ["pytester"]
TEST = Commands(
    why="a test",
    install=("python -m pip install .",),
    run=("python -m pytest",),
    env={"DATA": "x"},
    plugin="coverage",
)
FACTS = WorkflowFacts(settings=Settings(), project="small", test=TEST, downloads=("pyproject.toml",))


def _read(workflow: Workflow) -> Any:
    return YAML(typ="safe", pure=True).load(text_of(workflow))


def _steps(facts: WorkflowFacts) -> dict[str, Any]:
    found = _read(workflow_of_tests(facts))["jobs"]["test"]["steps"]
    return {step.get("name") or step["uses"].partition("@")[0]: step for step in found}


def test_only_other_workflows_start_them() -> None:
    """They have inputs and outputs, and read access alone."""
    for workflow, output in ((workflow_of_tests(FACTS), "coverage"), (build_workflow(FACTS), "sha256")):
        found = _read(workflow)
        assert set(found["on"]) == {"workflow_call"}
        assert output in found["on"]["workflow_call"]["outputs"]
        (job,) = found["jobs"].values()
        assert job["permissions"] == {"contents": "read"}
        assert output in job["outputs"]
        assert job["timeout-minutes"] <= 60
        assert "secrets" not in text_of(workflow)


def test_downloads_are_kept_by_what_asks_for_them() -> None:
    """The key is the content of the files that say what is downloaded; without such a file, nothing is kept."""
    kept = _steps(FACTS)["actions/setup-python"]["with"]
    assert (kept["cache"], kept["cache-dependency-path"]) == ("pip", "pyproject.toml")
    assert "cache" not in _steps(replace(FACTS, downloads=()))["actions/setup-python"]["with"]


@pytest.mark.parametrize(("path", "first"), [("", "mkdir"), ("packages/small", "cd packages/small")])
def test_commands_run_in_the_folder_of_the_project(path: str, first: str) -> None:
    """With the variables that the project sets for its tests, and in the folder that it is in."""
    step = _steps(replace(FACTS, path=path))["Test"]
    assert step["run"].startswith(first)
    assert step["run"].endswith("python -m pytest")
    assert step["env"]["DATA"] == "x"


@pytest.mark.parametrize("coverage", [80, 0])
def test_coverage_is_measured_if_something_compares_it(coverage: int) -> None:
    """Its data goes to the job that compares it, under a name that no other job uses."""
    steps = _steps(replace(FACTS, coverage=coverage))
    assert ("COVERAGE_FILE" in steps["Test"]["env"]) is bool(coverage)
    upload = steps.get("actions/upload-artifact", {"with": {}})["with"]
    expected = "coverage-${{ inputs.system }}-${{ inputs.python }}-${{ inputs.shard }}" if coverage else None
    assert upload.get("name") == expected


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_shards_share_the_files_of_the_tests(pytester: pytest.Pytester, shards: int) -> None:
    """Each file runs in exactly one shard, as a whole."""
    facts = replace(FACTS, settings=Settings(workflows=WorkflowSettings(shards=shards)))
    run = _steps(facts)["Test"]["run"]
    assert (" -p shard_of_tests" in run) is (shards > 1)
    if shards == 1:
        return
    pytester.makepyfile(shard_of_tests=run.partition("'END'\n")[2].partition("\nEND")[0])
    names = ("one", "two", "three")
    pytester.makepyfile(**{f"test_{name}": "def test_a(): ...\ndef test_b(): ..." for name in names})
    pytester.syspathinsert()
    seen: list[str] = []
    for shard in range(1, shards + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SHARD", str(shard))
            patch.setenv("SHARDS", str(shards))
            result = pytester.inline_run("-p", "shard_of_tests", "-p", "no:cacheprovider")
        seen += [each.nodeid for each in result.getreports("pytest_runtest_logreport") if each.when == "call"]
    assert sorted(seen) == sorted(f"test_{name}.py::test_{each}" for name in names for each in "ab")


def test_the_report_of_the_machine_names_no_value() -> None:
    """A log is public: it names variables alone."""
    step = _steps(FACTS)["Report the environment"]
    assert step["if"] == "${{ failure() || inputs.debug }}"
    assert "compgen -e" in step["run"]
    assert not {"env", "printenv", "set"} & {line.strip() for line in step["run"].splitlines()}


def test_the_rehearsal_hands_over_files_with_their_digests() -> None:
    """What scans them later takes only what was built here."""
    scripts = "\n".join(step.get("run", "") for step in _read(build_workflow(FACTS))["jobs"]["build"]["steps"])
    assert "unmoor rehearse --without-images" in scripts
    assert "sha256sum -- * > SHA256SUMS" in scripts
    assert "--path packages/small" in text_of(build_workflow(replace(FACTS, path="packages/small")))
