"""What the linters of this repository say about the workflows that are written for projects of every kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.workflow_samples import SAMPLES

from unmoor.workflows.release import release_workflow
from unmoor.workflows.yaml_text import text_of

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the workflows of every sample, each sample with a name of its own."""
    folder = tmp_path_factory.mktemp("project") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for kind, facts in SAMPLES.items():
        workflow = release_workflow(facts)
        (folder / f"{re.sub('[^a-z]+', '-', kind)}-{workflow.file}").write_text(text_of(workflow), encoding="utf-8")
    assert len(list(folder.iterdir())) == len(SAMPLES)
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
