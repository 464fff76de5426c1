"""What the linters of this repository say about the workflows that are written for projects of every kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.workflow_samples import SAMPLES

from unmoor.config.bench import BenchSettings
from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.util.values import replace
from unmoor.workflows.bench import bench_workflow
from unmoor.workflows.ci import ci_workflow
from unmoor.workflows.commands import Commands
from unmoor.workflows.dependabot import dependabot_text
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.metrics import metrics_workflow
from unmoor.workflows.release import release_workflow
from unmoor.workflows.security import security_workflow
from unmoor.workflows.tests_workflow import build_workflow
from unmoor.workflows.tests_workflow import tests_workflow as workflow_of_tests
from unmoor.workflows.upkeep import upkeep_workflow
from unmoor.workflows.watch import watch_workflow
from unmoor.workflows.yaml_text import text_of

BIN = Path(sys.executable).parent
COMMANDS = Commands(why="the files", install=("python -m pip install .",), run=("python -m pytest",), plugin="coverage")
HOOKS = replace(COMMANDS, hooks=True, env={"SKIP": "mypy"})
OPTIONAL = (bench_workflow, metrics_workflow, upkeep_workflow, watch_workflow)
OTHERS = (ci_workflow, workflow_of_tests, build_workflow, security_workflow, *OPTIONAL)


def _with_commands(facts: WorkflowFacts) -> WorkflowFacts:
    """A project with everything that ci.yml has jobs for, benchmarks and a lock."""
    return replace(
        facts,
        settings=replace(facts.settings, bench=BenchSettings(max_time="20 min")),
        lint=HOOKS,
        types=COMMANDS,
        test=COMMANDS,
        downloads=("pyproject.toml", "setup.cfg"),
        uses_uv=True,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the workflows of every sample, each sample with a name of its own."""
    folder = tmp_path_factory.mktemp("project") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for kind, facts in SAMPLES.items():
        workflow = release_workflow(facts)
        (folder / f"{re.sub('[^a-z]+', '-', kind)}-{workflow.file}").write_text(text_of(workflow), encoding="utf-8")
    distinct = {(bool(each.platforms), each.settings.workflows.tool): each for each in SAMPLES.values()}
    for number, facts in enumerate(distinct.values()):
        for workflow in (write(_with_commands(facts)) for write in OTHERS):
            (folder / f"{number}-{workflow.file}").write_text(text_of(workflow), encoding="utf-8")
    sharded = Settings(workflows=WorkflowSettings(shards=3, private=True))
    facts = _with_commands(WorkflowFacts(settings=sharded, project="small", path="packages/small"))
    others = [write for write in OTHERS if write is not build_workflow]
    for workflow in (write(facts) for write in others):
        (folder / f"sharded-{workflow.file}").write_text(text_of(workflow), encoding="utf-8")
    assert len(list(folder.iterdir())) == len(SAMPLES) + len(distinct) * len(OTHERS) + len(others)
    return folder


@pytest.mark.parametrize(
    ("command", "clean"),
    [
        (("zizmor", "--offline", "--quiet", "--persona=pedantic", "--strict-collection"), "No findings to report."),
        (("jactionlint", f"--shellcheck={BIN / 'shellcheck'}"), ""),
        (("check-jsonschema", "--builtin-schema", "vendor.github-workflows"), "ok -- validation done"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_linters_have_nothing_to_say(written: Path, command: tuple[str, ...], clean: str) -> None:
    """Neither security, nor the syntax of workflows and scripts, nor the schema: no finding in any sample."""
    program, *options = command
    ran = subprocess.run(
        [str(BIN / program), *options, *map(str, sorted(written.iterdir()))],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip().startswith(clean) or clean in ran.stderr
    assert clean or not (ran.stdout + ran.stderr).strip()


def test_the_settings_of_dependabot_fit_its_schema(tmp_path: Path) -> None:
    """With one image, several, and none."""
    paths: list[str] = []
    for number, folders in enumerate([(), ("/",), ("/", "/web")]):
        facts = WorkflowFacts(settings=Settings(), project="small", docker=folders, uses_uv=not number)
        (tmp_path / f"{number}.yml").write_text(dependabot_text(facts), "utf-8")
        paths.append(str(tmp_path / f"{number}.yml"))
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.dependabot", *paths]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
