"""The commands of the release workflow, job by job, against a local world.

The test does what GitHub would do: each job gets a fresh clone, the artifacts and outputs of earlier jobs, only the
credentials that it names, and an ID token if its permissions allow one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.support.ci_jobs import job_environ
from tests.support.engines import TestEngine, base_image, engine  # noqa: F401 - fixtures
from tests.support.systems import linux

from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld

pytestmark = linux  # the jobs run on it, and what they install is pinned for it

ROOT = Path(__file__).parents[2]
TAG = "v1.0.0"
REPOSITORY = "keepers/lighthouse-demo"
WORKFLOW = YAML(typ="safe", pure=True).load(ROOT / ".github" / "workflows" / "release.yml")
UPLOADS = {"testpypi": "testpypi", "pypi": "pypi"}
"""The environment of the job that each index trusts."""


@dataclass
class Runner:
    """Runs the jobs of the workflow, each by another account. ``outputs`` are the outputs of each job."""

    folder: Path
    running: LocalWorld
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def world(self) -> Path:
        """The world file."""
        return self.running.world_file

    @property
    def remote(self) -> Path:
        """The git remote of the world."""
        return Path(tomllib.loads(self.world.read_text())["git"]["remote"])

    def git(self, *args: str | Path, cwd: Path) -> str:
        """Run git."""
        return subprocess.run(["git", *args], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607

    def job(self, name: str) -> None:
        """Run a job in a fresh clone, with its artifacts and its commands."""
        clone = self.folder / name / "checkout"
        self.git("clone", "--quiet", self.remote, clone, cwd=self.folder)
        self.git("checkout", "--quiet", TAG, cwd=clone)
        for step in WORKFLOW["jobs"][name]["steps"]:
            inputs = step.get("with", {})
            if step.get("run", "").startswith("unmoor "):
                self.command(name, step, clone)
            elif step.get("uses", "").startswith("actions/upload-artifact@") and inputs["name"] != "tool":
                self.upload(clone, self.folder / "artifacts" / inputs["name"], inputs["path"])
            elif step.get("uses", "").startswith("actions/download-artifact@") and inputs["name"] != "tool":
                shutil.copytree(self.folder / "artifacts" / inputs["name"], clone / inputs["path"], dirs_exist_ok=True)

    def upload(self, clone: Path, artifact: Path, path: str) -> None:
        """Keep files as upload-artifact does: without the part of the path before the first wildcard."""
        fixed = Path(path.partition("*")[0])
        found = (
            list(clone.glob(path)) if "*" in path else [each for each in (clone / path).rglob("*") if each.is_file()]
        )
        assert found, path
        for each in found:
            copy = artifact / each.relative_to(clone / fixed)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(each, copy)

    def command(self, name: str, step: Mapping[str, Any], clone: Path) -> None:
        """Run an unmoor command of a job, with ``--world`` added."""
        output, summary = self.folder / name / "output", self.folder / name / "summary.md"
        script = re.sub(r"^unmoor (\w+)", r'unmoor \1 --world "$WORLD"', step["run"])
        named = {**step.get("env", {})}
        body = WORKFLOW["jobs"][name]
        claims = self.running.folder / "issuer" / "claims.json"
        claims.parent.mkdir(exist_ok=True)
        claims.write_text(json.dumps({"environment": body.get("environment")}))
        trusted = job_environ(self.running) if body["permissions"].get("id-token") == "write" else {}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
            cwd=clone,
            env={
                **os.environ,
                **trusted,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "WORLD": str(self.world_of(name, named)),
                "TAG": TAG,
                "XDG_STATE_HOME": str(self.folder / name / "state"),
                **self.digests(named),
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_NAME": "push",
                "GITHUB_REF": f"refs/tags/{TAG}",
                "GITHUB_REF_TYPE": "tag",
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_SHA": self.git("rev-parse", "HEAD", cwd=clone),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert ran.returncode == 0, f"{name}:\n{ran.stdout}\n{ran.stderr}"
        given = output.read_text().splitlines() if output.exists() else []
        self.outputs[name] = dict(line.split("=", 1) for line in given if "=" in line)

    def digests(self, named: Mapping[str, str]) -> dict[str, str]:
        """The variables of a step that get the output of an earlier job; the inputs of the workflow are empty."""
        outputs = {
            variable: re.search(r"needs\.(\w+)\.outputs\.([\w-]+) \}\}$", text) for variable, text in named.items()
        }
        return {variable: self.outputs[found[1]][found[2]] for variable, found in outputs.items() if found}

    def world_of(self, name: str, named: Mapping[str, str]) -> Path:
        """Write the world file for a job, without logins for indexes.

        It has logins for the forge and the registries only if the job has a token, and an identity to sign with only if
        the job's permissions allow one.
        """
        table = tomllib.loads(self.world.read_text())
        text = self.world.read_text().replace('trusted-publishing = "never"', 'trusted-publishing = "auto"')
        hidden = [f'password = "{table[section]["password"]}"' for section in ("index", "staging")]
        hidden += [f'token = "{table["forge"]["token"]}"'] if "GITHUB_TOKEN" not in named else []
        if WORKFLOW["jobs"][name]["permissions"].get("id-token") != "write":
            hidden.append(f'token = "{table["signing"]["token"]}"')
        for line in hidden:
            text = text.replace(line, f'{line.partition(" ")[0]} = ""')
        for registry in table["registry"] if "GITHUB_TOKEN" not in named else ():
            text = text.replace(f'password = "{registry["password"]}"', 'password = ""')
        file = self.folder / name / "world.toml"
        file.write_text(text)
        file.chmod(0o600)
        return file


@pytest.fixture
def runner(tmp_path: Path, engine: TestEngine, base_image: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:  # noqa: F811 - fixtures
    """The example package with a tag, in a local world."""
    del base_image
    for variable, value in engine.environ.items():
        monkeypatch.setenv(variable, value)
    checkout = tmp_path / "origin"
    shutil.copytree(ROOT / "examples" / "lighthouse", checkout)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Begin"], ["tag", TAG]):
        subprocess.run(["git", *command], cwd=checkout, check=True, capture_output=True)  # noqa: S607
    with local.start(tmp_path / "world", repository=REPOSITORY, checkout=checkout, registry=True) as running:
        for index, trusted in UPLOADS.items():
            publisher: dict[str, Any] = {
                "project": "lighthouse-demo",
                "repository": REPOSITORY,
                "workflow": "release.yml",
            }
            publisher |= {"environment": trusted, "pending": True}
            (running.folder / index / "publishers.json").write_text(json.dumps([publisher]))
        yield Runner(folder=tmp_path, running=running)


@pytest.mark.journey
@pytest.mark.timeout(300)
def test_the_jobs_release_together(runner: Runner) -> None:
    """Each job writes only to the servers that it may write to, and uploads every file to each index once."""
    before = 0
    for name in WORKFLOW["jobs"]:
        runner.job(name)
        seen = _requests(runner)
        wrote = {each["server"] for each in seen[before:] if each["method"] not in {"GET", "HEAD"}}
        before = len(seen)
        ends = {"forge", "registry", "sigstore"}
        may = {"hold": ends | {"testpypi"}, "publish": ends | {"pypi"}}
        assert wrote == may.get(name, set()), name
    for index in ("testpypi", "pypi"):
        sent = [each for each in _requests(runner) if each["server"] == index and each["method"] == "POST"]
        assert [each["outcome"] for each in sent] == ["minted", "stored", "stored"], index


def _requests(runner: Runner) -> list[dict[str, Any]]:
    """Return every request that the world has answered."""
    return [json.loads(line) for line in (runner.world.parent / "requests.jsonl").read_text().splitlines()]
