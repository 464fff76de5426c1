"""The jobs of a release workflow, one command each: a fresh clone, another account, artifacts and step outputs.

A job has only the credentials that the workflow gives it, and every run of the project's code leaves a mark. The
workflow itself is not read here: these are the commands that a workflow of any make consists of.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import forked, sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, LocalRelease, start_release

TAG = "v1.0"
DIGEST = "--manifest-sha256"
_WORKFLOW = """\
on: {push: {tags: ['v*']}}
jobs:
  publish:
    permissions: {contents: write, id-token: write}
    steps: [{run: unmoor release}]
"""
_MARK = "with open({mark!r}, 'a') as stream:\n    stream.write({what!r} + '\\n')\n"


def project_files(mark: Path, *, more: str = "", **others: str) -> dict[str, str]:
    """Return the files of a project whose build backend, package and tests each add a line to the file ``mark``."""

    def marking(what: str) -> str:
        return _MARK.format(mark=str(mark), what=what)

    files = sample_projects.files("small-one", "1.0", more=SETTINGS + more, **others)
    return files | {
        "own.py": marking("build") + files["own.py"],
        "src/small_one/__init__.py": marking("import") + files["src/small_one/__init__.py"],
        "tests/check.py": marking("test") + "import small_one\n\nassert small_one.main() == 0\n",
        "CHANGELOG.md": CHANGELOG,
        ".github/workflows/release.yml": _WORKFLOW,
    }


@dataclass(frozen=True)
class Ran:
    """How a command of a job ended, and what it did: on which servers it wrote, and which project code it ran."""

    code: int
    out: str
    err: str
    wrote: set[str]
    project_code: set[str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """A job in its own clone. ``sends``: it has the credentials of the world, and an identity to sign with."""

    chain: JobChain
    name: str
    clone: Path
    sends: bool = False

    def take(self, *artifacts: str, into: str = ".unmoor") -> Job:
        """Download artifacts into one folder of the clone."""
        for each in artifacts:
            shutil.copytree(self.chain.artifacts / each, self.clone / into, dirs_exist_ok=True)
        return self

    def take_each(self, *artifacts: str) -> tuple[Path, ...]:
        """Download artifacts into a folder each. Return the run folders in them."""
        for each in artifacts:
            self.take(each, into=f"handed/{each}")
        return tuple(self.clone / "handed" / each / TAG for each in artifacts)

    def run(self, command: str, *args: str | Path, given: tuple[str, ...] = (), **variables: str) -> Ran:
        """Run an unmoor command. ``given`` are the digests that other jobs put out."""
        state = self.chain.folder / "states" / self.clone.name
        state.mkdir(parents=True, exist_ok=True)
        output = state / "output"
        digests = [word for digest in given for word in (DIGEST, digest)]
        before, code_before = len(self.chain.place.requests()), len(self.chain.marks())
        ran = forked.run(
            [command, *map(str, args), *digests, "--", TAG],
            cwd=self.clone,
            env={
                **os.environ,
                "UNMOOR_WORLD": str(self._world(state)),
                "XDG_STATE_HOME": str(state),
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_NAME": "push",
                "GITHUB_REF": f"refs/tags/{TAG}",
                "GITHUB_REF_TYPE": "tag",
                "GITHUB_REPOSITORY": "acme/small",
                "GITHUB_SHA": self.chain.place.repo.git("rev-parse", TAG),
                "GITHUB_OUTPUT": str(output),
                **variables,
            },
            timeout=200,
        )
        seen = self.chain.place.requests()[before:]
        lines = output.read_text().splitlines() if output.exists() else []
        return Ran(
            code=ran.returncode,
            out=ran.stdout,
            err=ran.stderr,
            wrote={each["server"] for each in seen if each["method"] not in {"GET", "HEAD"}},
            project_code=set(self.chain.marks()[code_before:]),
            outputs=dict(line.split("=", 1) for line in lines if "=" in line),
        )

    def passes(self, command: str, *args: str | Path, given: tuple[str, ...] = (), **variables: str) -> Ran:
        """Run a command that must pass, and keep its step outputs for later jobs."""
        ran = self.run(command, *args, given=given, **variables)
        assert ran.code == 0, f"{self.name}:\n{ran.out}\n{ran.err}"
        self.chain.outputs[self.name] = ran.outputs
        return ran

    def upload(self, artifact: str, files: str = "**/*") -> None:
        """Upload what is in ``.unmoor`` as an artifact: all of it, or what fits a pattern. Replaces an older one."""
        target = self.chain.artifacts / artifact
        shutil.rmtree(target, ignore_errors=True)
        found = [each for each in (self.clone / ".unmoor").glob(files) if each.is_file()]
        assert found
        for each in found:
            copy = target / each.relative_to(self.clone / ".unmoor")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(each, copy)

    def _world(self, folder: Path) -> Path:
        """Write the world file of this job: without any login or identity, unless the job sends."""
        text = self.chain.place.world_file.read_text()
        if not self.sends:
            text = re.sub(r'^(token|password) = ".*"$', r'\1 = ""', text, flags=re.MULTILINE)
        file = folder / "world.toml"
        file.write_text(text)
        file.chmod(0o600)
        return file


@dataclass(frozen=True)
class JobChain:
    """The jobs of a run. ``outputs`` are the step outputs of each job, ``artifacts`` what they uploaded."""

    place: LocalRelease
    folder: Path
    mark: Path
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        """The folder of the artifacts, by name."""
        return self.folder / "artifacts"

    def job(self, name: str, *, sends: bool = False) -> Job:
        """Start a job, or start it again, in a fresh clone."""
        clones = self.folder / "clones"
        clones.mkdir(parents=True, exist_ok=True)
        clone = clones / f"{name}-{len(list(clones.iterdir()))}"
        self.place.repo.git("clone", "--quiet", self._remote, str(clone))
        Repo(clone).git("checkout", "--quiet", TAG)
        return Job(self, name, clone, sends)

    def digest(self, job: str, document: str) -> str:
        """The sha256 of a document that a job put out."""
        return self.outputs[job][f"{document}-sha256"]

    def marks(self) -> list[str]:
        """Every run of project code so far."""
        return self.mark.read_text().splitlines() if self.mark.exists() else []

    @property
    def _remote(self) -> str:
        world: dict[str, Any] = tomllib.loads(self.place.world_file.read_text())
        return str(world["git"]["remote"])


@contextmanager
def start_chain(folder: Path, *, registry: bool = False, more: str = "", **others: str) -> Iterator[JobChain]:
    """Start a world for a project, and no job yet. ``more`` are further settings, ``others`` further files."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "mark"
    repo = Repo.new(folder / "small", project_files(mark, more=more, **others))
    repo.git("tag", TAG)
    with start_release(folder, repo, registry=registry) as place:
        yield JobChain(place, folder, mark)
