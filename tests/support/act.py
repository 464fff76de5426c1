"""Workflows, run by act on this machine as GitHub runs them for the repository of a local world.

act reads the file that GitHub would read, but does not know all of it, and gives every job the same credentials. So
`act_text` changes what act cannot do, and nothing else; `WorkflowRuns` gives each job a token with its permissions and,
if they allow one, an identity that names its environment. What a run did is read from the surfaces of the world.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from unmoor.rehearsal.local import LocalWorld

ACTIONS = Path(__file__).parent / "act_actions"
ACT = Path(sys.executable).parent / "act"
SYSTEMS = ("ubuntu-latest", "ubuntu-24.04-arm", "macos-latest", "macos-15-intel", "windows-latest", "windows-11-arm")
_USES = re.compile(r"\buses: *['\"]?([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@([\w.-]+)")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_JOB_TOKEN = re.compile(r"\b(?:github\.token|secrets\.GITHUB_TOKEN)\b")
_RUNNER = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_INSTALL = "python -P -m pip install "
_OUTPUT = re.compile(r"\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) \}\}")


@dataclass(frozen=True, kw_only=True)
class JobAccess:
    """What a job has besides its workflow: a token, and the variables of its machine."""

    token: str
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A step that fails: before the steps of a job, or after them."""

    job: str
    last: bool = False


def act_text(
    text: str,
    *,
    access: Mapping[str, JobAccess] | None = None,
    finished: Mapping[str, Mapping[str, str]] | None = None,
    fault: Fault | None = None,
    installs: bool = True,
) -> str:
    """Return a workflow as act can run it.

    It has no `concurrency.queue`, which act refuses. Each job has its own token and variables. Those that are
    ``finished`` only put out what they put out before, because act runs the jobs again that another one needs. One job
    fails. Unless it ``installs``, the step is left out with which pip finds that everything is there, which takes as
    long as the rest of a short job. Everything else is as it was.
    """
    yaml = YAML()
    yaml.width = 1_000_000
    document = yaml.load(text)
    _drop_queue(document)
    for name, job in document["jobs"].items():
        _drop_queue(job)
        if name in (finished or {}):
            _finish(job, (finished or {})[name])
        elif access and name in access:
            _give(job, access[name])
        if not installs and "steps" in job:
            job["steps"][:] = [step for step in job["steps"] if not str(step.get("run", "")).startswith(_INSTALL)]
        if fault and fault.job == name:
            job["steps"].insert(len(job["steps"]) if fault.last else 0, {"name": "Fail", "run": "exit 1"})
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _drop_queue(body: dict[str, Any]) -> None:
    if isinstance(body.get("concurrency"), dict):
        body["concurrency"].pop("queue", None)


def _finish(job: dict[str, Any], outputs: Mapping[str, str]) -> None:
    for key in ("uses", "with", "secrets", "steps", "outputs", "env", "strategy"):
        job.pop(key, None)
    job["runs-on"] = "ubuntu-latest"
    job["steps"] = [{"run": "true"}]
    if outputs:
        job["outputs"] = dict(outputs)


def _give(job: dict[str, Any], access: JobAccess) -> None:
    """Give a job its token, where it names it and where the check-out takes it by itself, and its variables."""
    steps = job.get("steps", [])
    for body in (job.get("env", {}), *(step.get(part, {}) for step in steps for part in ("env", "with"))):
        for key, value in body.items():
            if isinstance(value, str):
                body[key] = _EXPRESSION.sub(lambda found: _JOB_TOKEN.sub(f"'{access.token}'", found[0]), value)
    for step in steps:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            step.setdefault("with", {}).setdefault("token", access.token)
    if access.environ and "steps" in job:
        job.setdefault("env", {}).update(access.environ)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What starts a run: ``name`` as in ``on``, and the full ref."""

    name: str
    ref: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of a workflow did: how each job ended, what it put out, and what it wrote.

    Jobs that were skipped are not in ``ended``. ``secrets`` are the tokens that the jobs had.
    """

    ended: Mapping[str, bool]
    outputs: Mapping[str, Mapping[str, str]]
    logs: Mapping[str, str]
    secrets: frozenset[str]

    @property
    def passed(self) -> Mapping[str, Mapping[str, str]]:
        """The outputs of the jobs that did not fail."""
        return {job: self.outputs.get(job, {}) for job, passed in self.ended.items() if passed}

    def words(self, *jobs: str) -> str:
        """Everything that jobs wrote, by default all."""
        return "\n".join(f"{job}: {text}" for job, text in self.logs.items() if not jobs or job in jobs)


@dataclass
class WorkflowRuns:
    """The runs of a repository's workflows, whose remote is that of a local world.

    ``robbed`` are permissions that jobs name but do not get. ``variables`` are set on every machine. ``secrets`` are
    those of the repository, which stand in the world file as references to their variables.
    ``installs``: see `act_text`.
    """

    folder: Path
    world: LocalWorld
    repository: str
    variables: Mapping[str, str] = field(default_factory=dict)
    robbed: frozenset[tuple[str, str]] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    installs: bool = True
    count: int = 0

    @property
    def remote(self) -> Path:
        """The repository."""
        return Path(tomllib.loads(self.world.world_file.read_text())["git"]["remote"])

    @property
    def artifacts(self) -> Path:
        """The artifacts of a run, each in a folder of its name. All attempts share them."""
        return self.folder / "artifacts"

    def git(self, *args: str | Path) -> str:
        """Ask git in the remote."""
        command = ["git", f"--git-dir={self.remote}", *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def run(
        self,
        event: Event,
        *,
        file: str = "release.yml",
        before: Run | None = None,
        fault: Fault | None = None,
    ) -> Run:
        """Run a workflow as it is at the commit of an event; after another run, only the jobs that did not pass.

        Raises `AssertionError` if act does not run it at all.
        """
        self.count += 1
        sha = self.git("rev-parse", f"{event.ref}^{{commit}}")
        here = self.folder / f"run-{self.count}"
        checkout = here / "checkout"
        subprocess.run(["git", "clone", "--quiet", self.remote, checkout], check=True, capture_output=True)  # noqa: S607
        subprocess.run(["git", "checkout", "--quiet", "--detach", sha], cwd=checkout, check=True, capture_output=True)  # noqa: S607
        path = checkout / ".github" / "workflows" / file
        text = path.read_text()
        jobs = YAML(typ="safe", pure=True).load(text)["jobs"]
        access = self._grant(jobs, event, sha, here, file)
        finished = before.passed if before else {}
        path.write_text(act_text(text, access=access, finished=finished, fault=fault, installs=self.installs))
        lines = self._act(event, sha, here, path, self._stand_ins(path.parent, here))
        (self.world.folder / "jobs.json").write_text("[]")
        return _read(lines, jobs, finished, access.values())

    def _grant(self, jobs: Mapping[str, Any], event: Event, sha: str, here: Path, file: str) -> dict[str, JobAccess]:
        """Give each job of a run its credentials, and tell the world about them."""
        known, access = [], {}
        workflow = f"{self.repository}/.github/workflows/{file}@{event.ref}"
        for name, job in jobs.items():
            permissions = {
                scope: may for scope, may in job.get("permissions", {}).items() if (name, scope) not in self.robbed
            }
            place = job.get("environment")
            claims = {
                "ref": event.ref,
                "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
                "sha": sha,
                "event_name": event.name,
                "workflow_ref": workflow,
                "workflow_sha": sha,
                "job_workflow_ref": workflow,
                "job_workflow_sha": sha,
                "environment": place["name"] if isinstance(place, dict) else place,
            }
            token, runner = f"ghs_{secrets.token_hex(18)}", secrets.token_hex(18)
            known.append({"token": token, "permissions": permissions, "runner": runner, "claims": claims})
            home = here / "home" / name
            home.mkdir(parents=True)
            environ = {"HOME": str(home)}
            if permissions.get("id-token") == "write":
                address = f"{self.world.addresses['issuer']}/token?api-version=2.0"
                environ |= {"ACTIONS_ID_TOKEN_REQUEST_URL": address, _RUNNER: runner}
            access[name] = JobAccess(token=token, environ=environ)
        (self.world.folder / "jobs.json").write_text(json.dumps(known))
        return access

    def _stand_ins(self, workflows: Path, here: Path) -> list[str]:
        """Copy the stand-ins of the actions that a workflow names. Return act's options for them."""
        options, named = (
            [],
            {tuple(found) for file in workflows.glob("*.yml") for found in _USES.findall(file.read_text())},
        )
        words = {"@PYTHON@": sys.executable, "@REMOTE@": str(self.remote), "@ARTIFACTS@": str(self.artifacts)}
        for action, version in sorted(named):
            owner, _, name = action.partition("/")
            if owner != "actions" or not (ACTIONS / name).is_dir():
                continue
            copy = here / "actions" / name
            shutil.copytree(ACTIONS / name, copy, dirs_exist_ok=True)
            text = (ACTIONS / name / "action.yml").read_text().replace("@HERE@", str(copy))
            for word, value in words.items():
                text = text.replace(word, value)
            (copy / "action.yml").write_text(text)
            options.append(f"--local-repository={action}@{version}={copy}")
        return options

    def _act(self, event: Event, sha: str, here: Path, path: Path, options: Sequence[str]) -> list[dict[str, Any]]:
        """Run act. Return the lines of its log."""
        owner, _, name = self.repository.partition("/")
        repository = {"full_name": self.repository, "name": name, "owner": {"login": owner}, "default_branch": "main"}
        facts = {"ref": event.ref, "after": sha, "inputs": dict(event.inputs), "repository": repository, **event.facts}
        (here / "event.json").write_text(json.dumps(facts))
        workflow = f"{self.repository}/.github/workflows/{path.name}@{event.ref}"
        variables = {
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_WORKFLOW_REF": workflow,
            "GITHUB_WORKFLOW_SHA": sha,
            "GITHUB_SHA": sha,
            "GITHUB_RUN_ID": str(1000 + self.count),
            "UNMOOR_WORLD": str(self.world_file()),
            **self.variables,
        }
        command = [ACT, event.name, "--json", "-C", path.parents[2], "-W", path, "--eventpath", here / "event.json"]
        command += ["--container-daemon-socket", "-", "--pull=false", "--no-skip-checkout"]
        command += ["--action-cache-path", here / "machines", *options]
        command += [f"--platform={system}=-self-hosted" for system in SYSTEMS]
        command += [part for key, value in variables.items() for part in ("--env", f"{key}={value}")]
        (here / "secrets").write_text("".join(f"{key}={json.dumps(value)}\n" for key, value in self.secrets.items()))
        command += ["--secret-file", here / "secrets"]
        kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        own = {"HOME": str(here / "act-home"), "XDG_CACHE_HOME": str(here / "act-cache")}
        (here / "act-home").mkdir()
        ran = subprocess.run(
            list(map(str, command)), env={**kept, **own}, check=False, capture_output=True, text=True, timeout=300
        )
        (here / "act.log").write_text(ran.stdout + ran.stderr)
        lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
        # Its exit code says nothing about the jobs, but without any it says whether the file could be read.
        assert ran.returncode == 0 or any("jobID" in each for each in lines), ran.stdout + ran.stderr
        return [each for each in lines if "jobID" in each]

    def world_file(self) -> Path:
        """Write the world file of the jobs: the world without logins, which each job has by its own credentials."""
        table = tomllib.loads(self.world.world_file.read_text())
        text = self.world.world_file.read_text().replace("rehearsal = true", "rehearsal = false")
        text = text.replace('trusted-publishing = "never"', 'trusted-publishing = "auto"')
        for index in ("index", "staging"):
            text = text.replace(f'password = "{table[index]["password"]}"', 'password = ""')
        for secret in (table["forge"]["token"], *(each["password"] for each in table.get("registry", ()))):
            text = text.replace(f'"{secret}"', '"env:GITHUB_TOKEN"')
        text = text.replace(f'identity = "{table["signing"]["identity"]}"', 'identity = ""')
        text = text.replace(f'token = "{table["signing"]["token"]}"', 'token = ""')
        for reference in table.get("announce", {}).get("targets", {}).values():
            text = text.replace(json.dumps(reference), json.dumps(secret_in(reference)))
        for name, secret in self.secrets.items():
            text = text.replace(json.dumps(secret), f'"env:{name}"')
        file = self.folder / "world.toml"
        file.write_text(text)
        return file


def secret_in(reference: str) -> str:
    """The secret in the file that a reference names."""
    return Path(reference.removeprefix("file:")).read_text().strip()


KEPT = ("PATH", "LANG", "LC_", "TZ", "SSL_", "REQUESTS_CA_BUNDLE", "PIP_", "UV_", "DOCKER_")
"""What the variables begin with that every machine of a job has from this one."""


def _read(
    lines: Sequence[Mapping[str, Any]],
    jobs: Mapping[str, Any],
    finished: Mapping[str, Mapping[str, str]],
    access: Collection[JobAccess],
) -> Run:
    ended: dict[str, bool] = {}
    logs: dict[str, str] = {}
    put: dict[tuple[str, str, str], str] = {}
    for line in lines:
        job, step = line["jobID"], line.get("stepID", [])
        if line.get("raw_output"):
            logs[job] = logs.get(job, "") + line["msg"]
        if line.get("command") == "set-output" and len(step) == 1:
            put[job, step[0], line["name"]] = line["arg"]
        if "jobResult" in line:
            ended[job] = line["jobResult"] == "success"
    outputs = dict(finished)
    for job, body in jobs.items():
        if job in finished:
            continue
        named = {name: _OUTPUT.fullmatch(str(value)) for name, value in (body.get("outputs") or {}).items()}
        found = {name: put.get((job, match[1], match[2]), "") for name, match in named.items() if match}
        outputs[job] = found
    secrets = {each.token for each in access} | {each.environ.get(_RUNNER, "") for each in access} - {""}
    return Run(ended=ended, outputs=outputs, logs=logs, secrets=frozenset(secrets))
